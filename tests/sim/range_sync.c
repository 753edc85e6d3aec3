/* Range sync, as far as consensus sees it: a peer answers with its highest F of the asker's epoch;
 * the asker checks it against its own set and takes the chain that ends there. */
#include "base/fatal.h"
#include "tests/sim/node.h"
#include "tests/sim/world.h"

#include <assert.h>
#include <stdlib.h>

void node_keep_finality(struct node *n, const struct certificate *by)
{
    size_t epoch = (size_t)by->epoch;
    while (n->finality_room <= epoch) {
        size_t room = n->finality_room ? 2 * n->finality_room : 16;
        n->finality = must_realloc(n->finality, room * sizeof(struct parcel *));
        memset(n->finality + n->finality_room, 0,
               (room - n->finality_room) * sizeof(struct parcel *));
        n->finality_room = room;
    }
    parcel_drop(&n->world->parcels, n->finality[epoch]);
    n->finality[epoch] = parcel_take(&n->world->parcels, PARCEL_SYNC_ANSWER);
    certificate_encode(&n->finality[epoch]->bytes, by);
}

void node_answer_sync(struct node *n, uint32_t from, struct bytes request)
{
    if (request.size != 16) return;
    uint64_t epoch = load_be64(request.data);
    if (epoch >= n->finality_room || !n->finality[epoch]) return;
    if (epoch == n->epoch.number && load_be64(request.data + 8) >= n->final.number) return;
    wire_send(n->world, n->index, from, n->finality[epoch]);
}

/* The block is a descendant of our final one. */
static bool extends_final(const struct node *n, uint32_t block)
{
    const struct blocks *blocks = &n->world->blocks;
    uint64_t number = n->final.number;
    while (block != BLOCK_NONE && blocks_get(blocks, block)->number > number)
        block = blocks_get(blocks, block)->parent;
    return block == n->final_block;
}

static void tell_core(struct node *n)
{
    struct event epoch = {.kind = EVENT_EPOCH, .epoch = &n->epoch};
    struct event synced = {.kind = EVENT_SYNCED, .synced = n->final};
    uint32_t life = n->life;
    if (consensus_epoch(n->core)->number < n->epoch.number) node_step(n, &epoch);
    if (n->life == life && n->final.number > n->epoch.start_number) node_step(n, &synced);
}

void node_take_sync(struct node *n, uint32_t from, struct bytes answer)
{
    struct world *w = n->world;
    struct certificate *c = w->certificate;
    if (certificate_decode(c, answer) != OK || c->kind != VOTE_FINALIZE) return;
    if (certificate_verify(c, &n->epoch, w->signer) != OK) return;
    uint32_t block = blocks_find(&w->blocks, &c->block);
    if (block == BLOCK_NONE || blocks_get(&w->blocks, block)->number <= n->final.number) return;
    if (blocks_get(&w->blocks, block)->number > n->epoch.last_number) return;
    if (!extends_final(n, block)) return;
    node_commit(n, block, c);
    if (w->over) return;
    uint32_t life = n->life;
    tell_core(n);
    if (n->life != life) return;
    n->sync_asked_ms = 0; /* there may be more */
    node_ask_sync(n);
    (void)from;
}
