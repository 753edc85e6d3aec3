/* Rules 1, 2, 3, 5 and 6: what the node does, it does for the reasons that they give. */
#include "tests/sim/audit_core.h"
#include "tests/sim/keys.h"

static void check_entry(struct audit *a)
{
    const struct node *n = a->node;
    uint64_t view = consensus_view(n->core);
    if (view == a->view || view <= consensus_final(n->core).view + 1) return;
    const struct certificate *final = consensus_highest_final(n->core);
    const struct certificate *notarized = held(a, view - 1, VOTE_NOTARIZE);
    bool by_final = final && final->view + 1 >= view;
    bool by_block = notarized && node_can_use(n, block_of(a, &notarized->block));
    RULE(a, by_final || by_block || held(a, view - 1, VOTE_NULLIFY), "rule 1");
}

static void check_build(struct audit *a, const struct block_place *place)
{
    struct heard *h = heard_of(a, place->view);
    const struct epoch *e = consensus_epoch(a->node->core);
    uint32_t leader = epoch_leader(e, place->view);
    bool parent_final = place->parent_view == consensus_final(a->node->core).view;
    RULE(a, place->view == consensus_view(a->node->core), "rule 2");
    RULE(a,
         address_equal(&e->validators[leader].consensus_address, sim_address(a->node->validator)),
         "rule 2");
    RULE(a, !h->built && own_kinds(a, place->view) == 0, "rule 2");
    RULE(a, parent_final || node_can_use(a->node, block_of(a, &place->parent)), "rule 2");
    RULE(a, justified(a, place->view, place->parent_view), "rule 2");
    RULE(a, place->number <= e->last_number, "epochs");
    h->built = true;
}

/* The block is in the log, on its way there, or goes there in this very step. */
static bool written_block(const struct audit *a, const struct hash *hash,
                          const struct actions *actions)
{
    const struct node *n = a->node;
    uint32_t block = block_of(a, hash);
    if (node_can_use(n, block)) return true;
    for (uint32_t i = 0; i < n->pending_count; i++)
        if (n->pending[i].is_block && n->pending[i].block == block) return true;
    for (uint32_t i = 0; i < actions->count; i++) {
        const struct action *x = &actions->items[i];
        if (x->kind != ACTION_PERSIST || x->persist.record.kind != RECORD_BLOCK) continue;
        if (hash_equal(&x->persist.record.block.block, hash)) return true;
    }
    return false;
}

static void check_notarize(struct audit *a, const struct vote *v, const struct actions *actions)
{
    uint32_t leader = epoch_leader(consensus_epoch(a->node->core), v->view);
    const struct said *said = &heard_of(a, v->view)->said[leader];
    RULE(a, v->view >= a->view && v->view <= consensus_view(a->node->core), "rule 3");
    RULE(a, own_kinds(a, v->view) == 0, "rule 3");
    RULE(a, said->notarized[1] == 0, "rule 3");
    RULE(a, said->notarized[0] == 0 || said->notarized[0] == hash_head(&v->block), "rule 3");
    RULE(a, holds_valid(a, block_of(a, &v->block)), "rule 3");
    RULE(a, written_block(a, &v->block, actions), "persist before send");
    RULE(a, justified(a, v->view, v->parent_view), "rule 3");
}

static void check_finalize(struct audit *a, const struct vote *v)
{
    uint32_t leader = epoch_leader(consensus_epoch(a->node->core), v->view);
    const struct certificate *n = held(a, v->view, VOTE_NOTARIZE);
    const struct own_votes *own = node_own_votes(a->node, v->view);
    bool other = own && has_own(a, v->view, VOTE_NOTARIZE) &&
                 own->block[VOTE_NOTARIZE] != hash_head(&v->block);
    RULE(a, n && hash_equal(&n->block, &v->block), "rule 5");
    RULE(a, node_can_use(a->node, block_of(a, &v->block)), "rule 5");
    RULE(a, justified(a, v->view, n->parent_view), "rule 5");
    RULE(a, !has_own(a, v->view, VOTE_NULLIFY) && !other, "rule 5");
    RULE(a, heard_of(a, v->view)->said[leader].notarized[1] == 0, "rule 5");
}

/* Silent for 16 views, as far as we know: the core may forgive more. */
static bool inactive(const struct audit *a, uint32_t leader, uint64_t view)
{
    return a->last_heard_epoch != a->epoch || a->last_heard[leader] + INACTIVE_VIEWS < view;
}

/* The view's block is the epoch's last by the certificates' own counting, from the final block up:
 * when more than a third lie, a certificate may name a parent that its block does not have. */
static bool counted_as_last(const struct audit *a, uint64_t view, uint64_t last)
{
    struct final_point final = consensus_final(a->node->core);
    uint64_t number = final.number;
    const struct certificate *child = NULL;
    while (view > final.view) {
        const struct certificate *c = held(a, view, VOTE_NOTARIZE);
        if (!c) return false;
        bool again = child && hash_equal(&child->block, &c->block);
        view = c->parent_view;
        number += !again;
        child = c;
    }
    if (child && hash_equal(&child->block, &final.block)) number--;
    return view == final.view && number == last;
}

/* Or by its own: a fork may have become final beside it since. */
static bool is_boundary(const struct audit *a, uint64_t view)
{
    uint64_t last = consensus_epoch(a->node->core)->last_number;
    const struct certificate *c = held(a, view, VOTE_NOTARIZE);
    uint32_t block = c ? block_of(a, &c->block) : BLOCK_NONE;
    if (block != BLOCK_NONE && blocks_get(&a->node->world->blocks, block)->number == last)
        return true;
    return counted_as_last(a, view, last);
}

/* The leader's proposal cannot be valid whatever it holds: an older block again, or one upon the
 * epoch's last. */
static bool misplaced(struct audit *a, uint32_t leader, uint64_t view)
{
    const struct world *w = a->node->world;
    uint64_t proposed = heard_of(a, view)->said[leader].notarized[0];
    for (uint32_t i = w->blocks.count; proposed != 0 && i > 0; i--) {
        const struct sim_block *b = &w->blocks.items[i - 1];
        if (hash_head(&b->hash) != proposed) continue;
        return b->epoch != a->epoch || b->view != view || is_boundary(a, b->parent_view);
    }
    return false;
}

static void check_nullify(struct audit *a, const struct vote *v)
{
    uint32_t leader = epoch_leader(consensus_epoch(a->node->core), v->view);
    const struct heard *h = heard_of(a, v->view);
    bool timer = h->leader_timer || h->advance_timer;
    bool followed = h->said[leader].nullified;
    RULE(a, v->view >= a->view && v->view <= consensus_view(a->node->core), "rule 6");
    RULE(a, !has_own(a, v->view, VOTE_FINALIZE), "rule 6");
    bool caused = timer || h->excused || followed || inactive(a, leader, v->view);
    RULE(a, caused || misplaced(a, leader, v->view), "rule 6");
}

static void check_own_vote(struct audit *a, const struct event *event,
                           const struct actions *actions, const struct vote *v)
{
    bool message = event->kind == EVENT_VOTE || event->kind == EVENT_CERTIFICATE ||
                   event->kind == EVENT_PROPOSAL;
    if (muted(a)) { /* it may only remember what it said before it lost its log */
        RULE(a, message && v->epoch == a->epoch, "lost log");
        return;
    }
    switch (v->kind) {
    case VOTE_NOTARIZE: check_notarize(a, v, actions); break;
    case VOTE_FINALIZE: check_finalize(a, v); break;
    case VOTE_NULLIFY: check_nullify(a, v); break;
    case VOTE_KIND_COUNT: break;
    }
}

void check_acts(struct audit *a, const struct event *event, const struct actions *actions)
{
    check_entry(a);
    for (uint32_t i = 0; i < actions->count; i++) {
        const struct action *x = &actions->items[i];
        const struct record *r = &x->persist.record;
        if (x->kind == ACTION_PERSIST && r->kind == RECORD_VOTE)
            check_own_vote(a, event, actions, &r->vote);
        if (x->kind == ACTION_BUILD) check_build(a, &x->build.place);
    }
}
