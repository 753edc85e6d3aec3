/* Blocks of others: kept while consensus wants them, executed, made final. */
#include "node/driver_core.h"

#include "base/fatal.h"
#include "base/hex.h"
#include "base/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOCK_AHEAD_S 1 /* a block's time may be so far ahead of ours */
#define DELAYED_MS    200

/* ---- verifying ---- */

/* A block can be valid where its header says that it stands, and be proposed for another place. */
static bool in_place(const struct driver *d, const struct block_place *place)
{
    struct ledger_place says;
    if (!ledger_place(d->ledger, &says, &place->block)) return true; /* that is for later */
    return hash_equal(&says.parent, &place->parent) && says.number == place->number &&
           says.epoch == consensus_epoch(d->consensus)->number && says.view == place->view &&
           says.parent_view == place->parent_view;
}

static enum status verify(struct driver *d, char error[LEDGER_ERROR_SIZE],
                          const struct block_place *place)
{
    if (in_place(d, place)) return ledger_verify(d->ledger, error, &place->block, clock_ms());
    snprintf(error, LEDGER_ERROR_SIZE, "its header says another place than its proposal");
    return E_MALFORMED;
}

/* To be looked at again soon; the place asked for last counts. */
static void delay(struct driver *d, const struct block_place *place)
{
    size_t at = 0;
    while (at < d->delayed_count && (d->delayed[at].view != place->view ||
                                     !hash_equal(&d->delayed[at].block, &place->block)))
        at++;
    if (at == DRIVER_DELAYED_MAX) { /* the one that has waited longest gives way */
        memmove(d->delayed, d->delayed + 1, --d->delayed_count * sizeof *d->delayed);
        at--;
    }
    if (d->delayed_count == 0) loop_timer_set(d->delayed_timer, DELAYED_MS);
    if (at == d->delayed_count) d->delayed_count++;
    d->delayed[at] = *place;
}

static void verify_now(struct driver *d, const struct block_place *place)
{
    char error[LEDGER_ERROR_SIZE] = "";
    uint64_t start_us = clock_us();
    enum status status = verify(d, error, place);
    d->counters->verify_us += clock_us() - start_us;
    if (status == E_NOT_FOUND) { /* cannot tell yet, and consensus does not ask again */
        fetch_asked(d, &place->block);
        delay(d, place);
        return;
    }
    if (status != OK)
        log_limited(LOG_WARN, "consensus", "invalid block number=%llu reason=%s",
                    (unsigned long long)place->number, error);
    struct event event = {.kind = EVENT_VERDICT,
                          .verdict = {.view = place->view, .valid = status == OK}};
    event.verdict.block = place->block;
    driver_owe(d, &event);
}

void verify_asked(struct driver *d, const struct block_place *place)
{
    if (ledger_timestamp(d->ledger, &place->block) <= clock_wall_s() + CLOCK_AHEAD_S)
        verify_now(d, place);
    else
        delay(d, place);
}

void delayed_fired(void *context)
{
    struct driver *d = context;
    size_t count = d->delayed_count;
    struct block_place again[DRIVER_DELAYED_MAX];
    memcpy(again, d->delayed, sizeof again);
    d->delayed_count = 0;
    for (size_t i = 0; i < count; i++)
        if (consensus_wants_block(d->consensus, &again[i].block)) verify_asked(d, &again[i]);
    driver_drain(d);
}

void fetch_asked(struct driver *d, const struct hash *block)
{
    struct event event = {.kind = EVENT_BLOCK_HELD, .block_held = *block};
    if (ledger_holds(d->ledger, block))
        driver_owe(d, &event);
    else
        d->wire.fetch_block(d->wire.context, block);
}

/* ---- finality ---- */

static void log_final(const struct ledger_head *head, uint64_t txs)
{
    char hash[67];
    hash_to_text(hash, &head->hash);
    log_line(txs > 0 ? LOG_INFO : LOG_DEBUG, "chain", "final number=%llu txs=%llu gas=%llu hash=%s",
             (unsigned long long)head->header.number, (unsigned long long)txs,
             (unsigned long long)head->header.gas_used, hash);
}

static void count_final(struct driver *d, const struct ledger_commit *commit, uint64_t start_us)
{
    const struct ledger_head *head = ledger_head(d->ledger);
    d->counters->final_number = head->header.number;
    d->counters->epoch = head->record->epoch.number;
    d->counters->blocks_final += commit->count;
    d->counters->txs_final += commit->tx_count;
    d->counters->commit_us += clock_us() - start_us;
    log_final(head, commit->tx_count);
}

/* One synced batch; the pool and whoever watches learn of it. True when an epoch ended. */
static bool make_final(struct driver *d, struct ledger_commit *commit)
{
    uint64_t start_us = clock_us();
    uint64_t epoch = ledger_head(d->ledger)->record->epoch.number;
    pool_lock(d->pool);
    ledger_commit(d->ledger, commit);
    pool_on_final(d->pool, &ledger_head(d->ledger)->header, buffer_bytes(&commit->spenders));
    pool_unlock(d->pool);
    count_final(d, commit, start_us);
    buffer_finish(&commit->spenders);
    build_schedule(d); /* the tip may just have become final: now idling is allowed */
    return ledger_head(d->ledger)->record->epoch.number != epoch;
}

static void new_epoch(struct driver *d)
{
    struct event event = {.kind = EVENT_EPOCH, .epoch = &ledger_head(d->ledger)->record->epoch};
    driver_owe(d, &event);
}

void commit_asked(struct driver *d, const struct action *a)
{
    struct buffer encoded = {0};
    uint32_t count = a->commit.count;
    struct hash *hashes = must_alloc(count * sizeof *hashes);
    struct ledger_commit commit = {.chain = hashes, .count = count};
    for (uint32_t i = 0; i < count; i++)
        hashes[i] = a->commit.chain[i].block;
    if (a->commit.certificate != NULL) certificate_encode(&encoded, a->commit.certificate);
    commit.certificate = buffer_bytes(&encoded);
    bool turned = make_final(d, &commit);
    assert(turned == a->commit.epoch_ends);
    buffer_finish(&encoded);
    free(hashes);
    if (!turned) return;
    d->unsure = false;
    new_epoch(d);
}

void driver_adopt(struct driver *d, const struct hash *chain, size_t count,
                  struct bytes certificate)
{
    struct ledger_commit commit = {.chain = chain, .count = count, .certificate = certificate};
    const struct ledger_head *head = ledger_head(d->ledger);
    const struct epoch *epoch = &head->record->epoch;
    struct event event = {.kind = EVENT_SYNCED};
    assert(count > 0 && !d->draining);
    bool ends = head->header.number + count == epoch->last_number;
    if (ends && d->unsure && d->hash_chain != NULL) driver_log_stay_silent(d, epoch->number + 2);
    if (make_final(d, &commit)) {
        new_epoch(d);
    } else {
        event.synced =
            (struct final_point){head->header.extra.view, head->hash, head->header.number};
        driver_owe(d, &event);
    }
    driver_drain(d);
}

/* ---- what is not wanted any more ---- */

static bool wanted(void *context, const struct hash *hash)
{
    const struct driver *d = context;
    return consensus_wants_block(d->consensus, hash);
}

void blocks_sweep(struct driver *d)
{
    ledger_sweep(d->ledger, wanted, d);
}
