/* What the core asks for, and the events that it is owed for it. */
#include "tests/sim/evil.h"
#include "tests/sim/keys.h"
#include "tests/sim/node.h"
#include "tests/sim/world.h"

#include <assert.h>

static void put_local(struct node *n, struct item item, uint64_t delay_ms)
{
    item.node = (uint16_t)n->index;
    item.life = n->life;
    queue_put(&n->world->queue, item, n->world->now_ms + delay_ms);
}

static void do_set_timer(struct node *n, const struct action *a)
{
    uint32_t percent = n->world->now_ms < n->clock_until ? n->clock_percent : 100;
    enum timer timer = a->set_timer.timer;
    struct item item = {.kind = ITEM_TIMER,
                        .number = (uint16_t)timer,
                        .view = a->set_timer.view,
                        .mark = ++n->timer_mark[timer]};
    put_local(n, item, (uint64_t)a->set_timer.delay_ms * percent / 100);
}

static uint32_t slowness(struct node *n)
{
    return n->world->now_ms < n->slow_until ? n->slow_ms : 0;
}

static void do_build(struct node *n, const struct block_place *place)
{
    struct world *w = n->world;
    struct sim_block fields = {.parent_hash = place->parent,
                               .parent = blocks_find(&w->blocks, &place->parent),
                               .author = n->validator,
                               .epoch = n->epoch.number,
                               .view = place->view,
                               .parent_view = place->parent_view,
                               .number = place->number};
    struct item item = {
        .kind = ITEM_BUILT, .view = place->view, .flag = w->now_ms >= n->builds_fail_until};
    item.block = blocks_add(&w->blocks, &fields);
    put_local(n, item, w->plan->build_ms + slowness(n));
}

static bool block_fits(const struct node *n, const struct sim_block *b,
                       const struct block_place *place)
{
    const struct validator *leader = &n->epoch.validators[epoch_leader(&n->epoch, place->view)];
    return !b->invalid && b->epoch == n->epoch.number && b->view == place->view &&
           b->parent_view == place->parent_view && b->number == place->number &&
           hash_equal(&b->parent_hash, &place->parent) &&
           address_equal(sim_address(b->author), &leader->consensus_address);
}

static void do_verify(struct node *n, const struct block_place *place)
{
    struct world *w = n->world;
    uint32_t block = blocks_find(&w->blocks, &place->block);
    if (!node_holds(n, block))
        world_fail(w, "verify", "node %u shall verify a block that it does not have", n->index);
    struct item item = {.kind = ITEM_VERDICT, .view = place->view, .block = block};
    item.flag = block_fits(n, blocks_get(&w->blocks, block), place);
    put_local(n, item, 1 + dice_roll(&w->dice, 4) + slowness(n));
}

static void do_fetch_block(struct node *n, const struct hash *hash)
{
    uint32_t block = blocks_find(&n->world->blocks, hash);
    struct item item = {.kind = ITEM_HOME, .block = block};
    if (node_holds(n, block))
        put_local(n, item, 0);
    else
        node_ask_block(n, hash);
}

void node_commit(struct node *n, uint32_t block, const struct certificate *by)
{
    struct world *w = n->world;
    const struct sim_block *b = blocks_get(&w->blocks, block);
    assert(b->number <= n->epoch.last_number);
    if (node_honest(n)) court_hear_final(w, &n->epoch, block);
    for (uint32_t at = block; at != n->final_block && at != BLOCK_NONE;) {
        struct sim_block *x = blocks_get(&w->blocks, at);
        set_put(&x->held, n->index, true);
        set_put(&x->valid, n->index, true);
        set_put(&x->final, n->index, true);
        at = x->parent;
    }
    n->final_block = block;
    n->final = (struct final_point){by->view, b->hash, b->number};
    node_keep_finality(n, by);
    world_trace(w, n->index, "final: height %llu view %llu", (unsigned long long)b->number,
                (unsigned long long)by->view);
    if (b->number < n->epoch.last_number) return;
    n->epoch = plan_epoch(w->plan, n->epoch.number + 1, &n->final.block, n->final.number);
    n->final.view = 0;
}

static void do_commit(struct node *n, const struct action *a)
{
    struct world *w = n->world;
    struct hash parent = n->final.block;
    uint64_t number = n->final.number;
    assert(a->commit.count > 0);
    for (uint32_t i = 0; i < a->commit.count; i++) {
        const struct block_place *p = &a->commit.chain[i];
        if (p->number != ++number || !hash_equal(&p->parent, &parent))
            world_fail(w, "commit", "node %u: height %llu does not follow", n->index,
                       (unsigned long long)p->number);
        parent = p->block;
    }
    uint32_t block = blocks_find(&w->blocks, &parent);
    if (block == BLOCK_NONE ||
        certificate_verify(a->commit.certificate, &n->epoch, w->signer) != OK)
        world_fail(w, "commit", "node %u: by a certificate that does not hold", n->index);
    if (!hash_equal(&a->commit.certificate->block, &parent))
        world_fail(w, "commit", "node %u: by a certificate for another block", n->index);
    node_commit(n, block, a->commit.certificate);
    struct item item = {.kind = ITEM_EPOCH};
    if (a->commit.epoch_ends) put_local(n, item, 1);
}

static void do_evidence(struct node *n, const struct evidence *e)
{
    if (node_honest(n)) court_hear_evidence(n->world, consensus_epoch(n->core), e);
}

void node_carry_out(struct node *n, const struct action *a)
{
    switch (a->kind) {
    case ACTION_PERSIST: node_persist(n, &a->persist.record, a->persist.sequence); break;
    case ACTION_SEND:
        if (n->roles & ~(unsigned)(ROLE_TWIN | ROLE_AMNESIAC))
            evil_send(n, &a->send);
        else
            node_send_message(n, &a->send);
        break;
    case ACTION_SET_TIMER: do_set_timer(n, a); break;
    case ACTION_BUILD: do_build(n, &a->build.place); break;
    case ACTION_VERIFY: do_verify(n, &a->verify); break;
    case ACTION_FETCH_BLOCK: do_fetch_block(n, &a->fetch_block.block); break;
    case ACTION_FETCH_CERT: node_ask_certificate(n, a->fetch_cert.view); break;
    case ACTION_COMMIT: do_commit(n, a); break;
    case ACTION_SYNC: node_ask_sync(n); break;
    case ACTION_EVIDENCE: do_evidence(n, &a->evidence); break;
    }
}
