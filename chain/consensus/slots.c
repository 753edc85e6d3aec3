#include "chain/consensus/core.h"

#include <assert.h>
#include <string.h>

bool view_admissible(const struct consensus *c, uint64_t view)
{
    return view_in_window(c, view) && view_in_window(c, view + 1);
}

struct slot *slot_open(struct consensus *c, uint64_t view)
{
    if (!view_in_window(c, view)) return NULL;
    struct slot *s = slot_find(c, view);
    if (s) return s;
    assert(c->pool_count > 0);
    s = c->pool[--c->pool_count];
    memset(s, 0, offsetof(struct slot, votes));
    s->view = view;
    s->leader = epoch_leader(&c->config.epoch, view);
    c->slots[view % c->views_max] = s;
    if (view > c->top) c->top = view;
    return s;
}

static void slot_return(struct consensus *c, uint32_t index)
{
    if (!c->slots[index]) return;
    assert(c->pool_count < c->views_max);
    c->pool[c->pool_count++] = c->slots[index];
    c->slots[index] = NULL;
}

void slots_clear(struct consensus *c)
{
    for (uint32_t i = 0; i < c->views_max; i++)
        slot_return(c, i);
    assert(c->pool_count == c->views_max);
    c->floor = 1;
    c->top = 0;
}

void slots_prune(struct consensus *c)
{
    uint64_t floor = c->final.view > RETENTION_VIEWS ? c->final.view - RETENTION_VIEWS : 1;
    if (floor <= c->floor) return;
    for (uint32_t i = 0; i < c->views_max; i++)
        if (c->slots[i] && c->slots[i]->view < floor) slot_return(c, i);
    c->floor = floor;
    if (c->top < floor) c->top = floor;
}

bool slot_has_vote(const struct slot *s, enum vote_kind kind, uint32_t signer)
{
    assert(signer < VALIDATORS_MAX);
    return (s->present[kind][signer / 8] >> (signer % 8) & 1) != 0;
}

void slot_set_block(struct slot *s, const struct hash *hash)
{
    if (s->block.known && hash_equal(&s->block.hash, hash)) return;
    memset(&s->block, 0, sizeof(s->block));
    s->fetch_block_asked = false;
    s->block.known = true;
    s->block.hash = *hash;
}

void slot_set_parent(struct slot *s, uint64_t parent_view)
{
    struct view_block *b = &s->block;
    assert(b->known && parent_view < s->view);
    if (b->parent_known && b->parent_view == parent_view) return;
    b->parent_known = true;
    b->parent_view = parent_view;
    if (b->invalid) b->held = false; /* nobody keeps those: look for it again */
    b->linked = b->again = b->verify_asked = b->valid = b->invalid = false;
}
