/* Which blocks are justified, valid, final.
 *
 * A view's block is linked when its parent is final, or certified and linked itself, and every view
 * between is nullified: then its whole ancestry down to a final block is justified, and its height
 * is known. Only linked blocks are verified, voted for, built upon or committed. */
#include "chain/consensus/core.h"

#include <assert.h>

bool is_certified(const struct slot *s)
{
    return s->certified[VOTE_NOTARIZE] || s->certified[VOTE_FINALIZE];
}

bool block_durable(const struct consensus *c, const struct slot *s)
{
    return s->block.persisted && s->block.sequence <= c->durable;
}

bool block_usable(const struct consensus *c, const struct slot *s)
{
    return s->block.held && s->block.valid && block_durable(c, s);
}

/* Worth the network's time: the block is certified, or its view is still to be decided. */
static bool matters(const struct consensus *c, const struct slot *s)
{
    return is_certified(s) || s->view >= c->view;
}

/* Every view strictly between is nullified. */
static bool gap_nullified(struct consensus *c, const struct slot *s, struct actions *out)
{
    bool whole = true;
    for (uint64_t view = s->block.parent_view + 1; view < s->view; view++) {
        const struct slot *between = slot_find(c, view);
        if (between && between->certified[VOTE_NULLIFY]) continue;
        whole = false;
        if (!matters(c, s)) break;
        want_certificate(c, view, out);
    }
    return whole;
}

/* The parent's hash and height, if it is final, or certified and linked. */
static bool parent_linked(struct consensus *c, const struct slot *s, struct hash *hash,
                          uint64_t *number, struct actions *out)
{
    uint64_t view = s->block.parent_view;
    if (view == c->final.view) {
        *hash = c->final.block;
        *number = c->final.number;
        return true;
    }
    const struct slot *parent = slot_find(c, view);
    if (!parent || !is_certified(parent)) {
        if (matters(c, s)) want_certificate(c, view, out);
        return false;
    }
    *hash = parent->block.hash;
    *number = parent->block.number;
    return parent->block.linked;
}

static bool try_link(struct consensus *c, struct slot *s, struct actions *out)
{
    struct view_block *b = &s->block;
    struct hash parent;
    uint64_t number = 0;
    if (!b->known || b->linked || b->invalid) return false;
    if (!b->parent_known) { /* N tells it */
        want_certificate(c, s->view, out);
        return false;
    }
    if (b->parent_view < c->final.view) return false; /* not on the final chain */
    bool whole = gap_nullified(c, s, out) || PLANTED(NOTARIZE_UNJUSTIFIED);
    if (!parent_linked(c, s, &parent, &number, out) || !whole) return false;
    bool boundary = number == c->config.epoch.last_number;
    if (boundary != hash_equal(&parent, &b->hash) &&
        !PLANTED(BOUNDARY_LOOSE)) { /* only the boundary block comes again */
        b->invalid = true;
        return true;
    }
    b->linked = true;
    b->again = boundary;
    b->parent = parent;
    b->number = boundary ? number : number + 1;
    return true;
}

bool link_blocks(struct consensus *c, struct actions *out)
{
    bool changed = false;
    for (uint64_t view = c->final.view + 1; view <= c->top; view++) {
        struct slot *s = slot_find(c, view);
        if (s && has_room(out)) changed |= try_link(c, s, out);
    }
    return changed;
}

static void ask_verdict(struct slot *s, struct actions *out)
{
    struct action *a = action_add(out, ACTION_VERIFY);
    s->block.verify_asked = true;
    a->verify = (struct block_place){.view = s->view,
                                     .parent_view = s->block.parent_view,
                                     .block = s->block.hash,
                                     .parent = s->block.parent,
                                     .number = s->block.number};
}

static void persist_block(struct consensus *c, struct slot *s, struct actions *out)
{
    struct record record = {.kind = RECORD_BLOCK,
                            .block = {.epoch = c->config.epoch.number,
                                      .view = s->view,
                                      .parent_view = s->block.parent_view,
                                      .block = s->block.hash}};
    s->block.persisted = true;
    s->block.sequence = persist(c, &record, out);
}

/* The boundary block again: what holds for it in the parent's view holds here. */
static void take_over(struct view_block *again, const struct view_block *block)
{
    again->held |= block->held;
    again->valid = block->valid;
    again->persisted = block->persisted;
    again->sequence = block->sequence;
}

static bool check_block(struct consensus *c, struct slot *s, struct actions *out)
{
    struct view_block *b = &s->block;
    if (!b->known || b->invalid || (b->valid && b->persisted)) return false;
    if (PLANTED(GIVE_UP_ON_X) && s->certified[VOTE_NULLIFY]) return false;
    const struct slot *parent = slot_find(c, b->parent_known ? b->parent_view : 0);
    bool on_final = b->parent_known && b->parent_view == c->final.view;
    if (b->linked && b->again && parent) take_over(b, &parent->block);
    if (!b->held && matters(c, s)) want_block(c, s, out);
    if (!b->held || !b->linked) return false;
    if (!on_final && !(parent && parent->view > c->final.view && parent->block.valid)) return false;
    if (!b->valid && b->verify_asked) return false;
    if (!b->valid)
        ask_verdict(s, out);
    else if (!b->persisted)
        persist_block(c, s, out);
    return true;
}

bool check_blocks(struct consensus *c, struct actions *out)
{
    bool changed = false;
    for (uint64_t view = c->final.view + 1; view <= c->top; view++) {
        struct slot *s = slot_find(c, view);
        if (s && has_room(out)) changed |= check_block(c, s, out);
    }
    return changed;
}

/* How many views the chain from the final block to s has; 0 if it does not get there. The parent's
 * is known: views are asked in ascending order. */
static uint32_t chain_length(const struct consensus *c, const struct slot *s)
{
    if (!s->block.linked) return 0;
    if (!block_usable(c, s) && !PLANTED(COMMIT_UNUSABLE)) return 0;
    if (s->block.parent_view == c->final.view) return 1;
    if (s->block.parent_view < c->final.view) return 0;
    const struct slot *parent = slot_find(c, s->block.parent_view);
    return parent && parent->chain_length > 0 ? parent->chain_length + 1 : 0;
}

/* Writes the chain that ends in s, oldest first, a block that came again only once. */
static uint32_t write_chain(struct consensus *c, const struct slot *s, uint32_t length)
{
    struct block_place *chain = c->chain + c->chain_used;
    assert(c->chain_used + length <= VIEWS_MAX);
    uint32_t at = length;
    for (uint64_t n = 0; n < length; n++) {
        if (!s->block.again)
            chain[--at] = (struct block_place){.view = s->view,
                                               .parent_view = s->block.parent_view,
                                               .block = s->block.hash,
                                               .parent = s->block.parent,
                                               .number = s->block.number};
        s = slot_find(c, s->block.parent_view);
    }
    uint32_t count = length - at;
    for (uint32_t i = 0; i < count; i++)
        chain[i] = chain[at + i];
    c->chain_used += count;
    return count;
}

static void commit(struct consensus *c, const struct slot *s, uint32_t length, struct actions *out)
{
    uint32_t first = c->chain_used;
    uint32_t count = write_chain(c, s, length);
    struct final_point final = {s->view, s->block.hash, s->block.number};
    assert(count > 0 && c->chain[c->chain_used - 1].number == final.number);
    assert(hash_equal(&c->chain[c->chain_used - 1].block, &final.block));
    c->final = final;
    c->epoch_over = final.number == c->config.epoch.last_number;
    if (c->view <= final.view) c->view = final.view; /* enter_due goes beyond */
    struct action *a = action_add(out, ACTION_COMMIT);
    a->commit.chain = &c->chain[first];
    a->commit.count = count;
    a->commit.certificate = &s->certificates[VOTE_FINALIZE];
    a->commit.epoch_ends = c->epoch_over;
}

bool commit_due(struct consensus *c, struct actions *out)
{
    const struct slot *best = NULL;
    if (c->epoch_over || !has_room(out)) return false;
    for (uint64_t view = c->final.view + 1; view <= c->top; view++) {
        struct slot *s = slot_find(c, view);
        if (!s) continue;
        s->chain_length = chain_length(c, s);
        if (PLANTED(COMMIT_IN_VIEW) && view + 1 < c->view) continue;
        if (s->certified[VOTE_FINALIZE] && s->chain_length > 0) best = s;
    }
    if (!best) return false;
    commit(c, best, best->chain_length, out);
    return true;
}
