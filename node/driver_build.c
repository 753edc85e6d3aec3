/* Building: when our turn comes, and what goes into the block. */
#include "node/driver_core.h"

#include "base/log.h"

#include <string.h>

/* While so much waits for finality that the ledger could overflow, blocks stay small. */
#define CROWDED_BLOCK_BYTES (64u << 10)

static void answer_build(struct driver *d, bool ok, const struct hash *block)
{
    struct event event = {.kind = EVENT_BUILT, .built = {.view = d->build.view, .ok = ok}};
    event.built.epoch = d->build_epoch;
    if (ok) event.built.block = *block;
    d->building = false;
    driver_feed(d, &event);
}

static bool next_reveal(struct driver *d, struct hash *out)
{
    const struct epoch_record *record = ledger_record(d->ledger, &d->build.parent);
    if (record == NULL || d->hash_chain == NULL) return false;
    uint32_t index = epoch_index_of(&record->epoch, &d->own_address);
    if (index == record->epoch.validator_count) return false;
    if (hash_chain_before(d->hash_chain, out, &record->duties[index].revealed)) return true;
    log_error("consensus", "the hash chain is used up or is not this key's: nothing to reveal");
    return false;
}

static void drop_impossible(struct mempool *mempool, struct bytes hashes)
{
    for (size_t at = 0; at + sizeof(struct hash) <= hashes.size; at += sizeof(struct hash)) {
        struct hash hash;
        memcpy(hash.b, hashes.data + at, sizeof hash.b);
        mempool_remove(mempool, &hash);
    }
}

static void build_now(struct driver *d)
{
    struct hash block = {{0}};
    uint64_t start_us = clock_us();
    struct ledger_build build = {
        .parent = d->build.parent,
        .plan = {.timestamp_s = clock_wall_s(),
                 .view = d->build.view,
                 .parent_view = d->build.parent_view},
    };
    enum status status = E_NOT_FOUND;
    if (ledger_held_bytes(d->ledger) > LEDGER_BYTES_MAX / 2)
        build.plan.size_bytes_max = CROWDED_BLOCK_BYTES;
    if (next_reveal(d, &build.plan.reveal)) {
        build.mempool = pool_lock(d->pool);
        status = ledger_build(d->ledger, &block, &build, clock_ms());
        drop_impossible(build.mempool, buffer_bytes(&build.dropped));
        pool_unlock(d->pool);
    }
    buffer_finish(&build.dropped);
    d->counters->build_us += clock_us() - start_us;
    d->counters->blocks_built += status == OK;
    if (status != OK)
        log_limited(LOG_ERROR, "consensus", "cannot build view=%llu reason=%s",
                    (unsigned long long)d->build.view, status_text(status));
    answer_build(d, status == OK, &block);
}

/* When to build: see driver.h. An empty tip that is not final yet is given the time of a hop to
 * become so. Else, where votes take longer than the block interval, each empty block would have
 * the next one follow to finish it, and the chain would never idle. */
static uint64_t build_pause_ms(struct driver *d)
{
    const struct ledger_head *head = ledger_head(d->ledger);
    const struct chain_config *c = d->config;
    bool final = hash_equal(&d->build.parent, &head->hash);
    if (pool_count(d->pool) > 0 || (final && head->busy)) return c->block_interval_ms;
    if (final) return c->idle_interval_ms;
    uint64_t hop_ms = c->delta_ms > c->block_interval_ms ? c->delta_ms : c->block_interval_ms;
    return hop_ms < c->idle_interval_ms ? hop_ms : c->idle_interval_ms;
}

static uint64_t build_due_ms(struct driver *d)
{
    return ledger_arrived_ms(d->ledger, &d->build.parent) + build_pause_ms(d);
}

void build_schedule(struct driver *d)
{
    if (!d->building) return;
    uint64_t due = build_due_ms(d);
    uint64_t now = clock_ms();
    loop_timer_set(d->build_timer, due > now ? due - now : 0);
}

void build_timer_fired(void *context)
{
    struct driver *d = context;
    if (!d->building) return;
    if (clock_ms() < build_due_ms(d)) /* the loop's idea of now lags behind */
        build_schedule(d);
    else
        build_now(d);
}

void driver_poke(struct driver *d)
{
    build_schedule(d);
}

void build_asked(struct driver *d, const struct block_place *place)
{
    d->building = true;
    d->build = *place;
    d->build_epoch = consensus_epoch(d->consensus)->number;
    build_schedule(d);
}
