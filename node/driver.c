#include "node/driver.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "chain/consensus/consensus.h"
#include "node/clock.h"
#include "node/loop.h"
#include "node/validator_key.h"
#include "node/vote_log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUEUE_MAX         1024 /* events owed at once; a step asks for far fewer */
#define LOG_REWRITE_BYTES (16u << 20)
#define CLOCK_AHEAD_S     1 /* a block's time may be so far ahead of ours */
#define DELAYED_MS        200
#define DELAYED_MAX       16

struct timer_slot {
    struct driver *driver;
    struct loop_timer *timer;
    enum timer id;
    uint64_t view;
};

struct driver {
    struct ledger *ledger;
    struct pool *pool;
    const struct chain_config *config;
    struct counters *counters;
    struct address own_address;
    struct hash_chain *hash_chain; /* NULL: follow only */
    struct vote_log *log;
    struct consensus *consensus;
    struct actions *actions;

    struct event queue[QUEUE_MAX]; /* owed; ring */
    size_t queue_start;
    size_t queue_count;
    bool draining;

    struct timer_slot timers[TIMER_COUNT];
    struct loop_timer *sync_timer;
    uint64_t unsynced; /* the highest sequence not yet durable; 0: none */

    bool building; /* the answer to `build` is owed */
    struct block_place build;
    struct loop_timer *build_timer;

    struct block_place delayed[DELAYED_MAX]; /* to verify once the clock has come so far */
    size_t delayed_count;
    struct loop_timer *delayed_timer;
};

/* ---- events owed ---- */

static void owe(struct driver *d, const struct event *event)
{
    assert(d->queue_count < QUEUE_MAX);
    d->queue[(d->queue_start + d->queue_count++) % QUEUE_MAX] = *event;
}

static void carry_out(struct driver *d, const struct action *action);

static void step(struct driver *d, const struct event *event)
{
    consensus_step(d->consensus, event, d->actions);
    assert(d->actions->count <= ACTIONS_MAX);
    for (uint32_t i = 0; i < d->actions->count; i++)
        carry_out(d, &d->actions->items[i]);
    d->counters->view = consensus_view(d->consensus);
}

static void drain(struct driver *d)
{
    assert(!d->draining);
    d->draining = true;
    while (d->queue_count > 0) {
        struct event event = d->queue[d->queue_start];
        d->queue_start = (d->queue_start + 1) % QUEUE_MAX;
        d->queue_count--;
        step(d, &event);
    }
    d->draining = false;
}

static void feed(struct driver *d, const struct event *event)
{
    owe(d, event);
    drain(d);
}

/* ---- persisting ---- */

static struct bytes record_block_bytes(const struct driver *d, const struct record *record)
{
    if (record->kind != RECORD_BLOCK) return (struct bytes){0};
    return ledger_bytes(d->ledger, &record->block.block);
}

static void on_persist(struct driver *d, uint64_t sequence, const struct record *record)
{
    assert(sequence > d->unsynced);
    vote_log_append(d->log, record, record_block_bytes(d, record));
    if (d->unsynced == 0) loop_timer_set(d->sync_timer, 0);
    d->unsynced = sequence;
}

static void append_kept(void *context, const struct record *record)
{
    struct driver *d = context;
    vote_log_append(d->log, record, record_block_bytes(d, record));
}

static void shorten_log(struct driver *d)
{
    if (d->unsynced != 0 || vote_log_size(d->log) < LOG_REWRITE_BYTES) return;
    vote_log_rewrite_begin(d->log);
    consensus_records(d->consensus, append_kept, d);
    vote_log_rewrite_commit(d->log);
    log_debug("consensus", "vote log shortened size_bytes=%llu",
              (unsigned long long)vote_log_size(d->log));
}

static void on_sync(void *context)
{
    struct driver *d = context;
    assert(d->unsynced != 0);
    vote_log_sync(d->log);
    d->counters->log_syncs++;
    struct event event = {.kind = EVENT_DURABLE, .durable_sequence = d->unsynced};
    d->unsynced = 0;
    feed(d, &event);
    shorten_log(d);
}

/* ---- building ---- */

static void answer_build(struct driver *d, bool ok, const struct hash *block)
{
    struct event event = {.kind = EVENT_BUILT, .built = {.view = d->build.view, .ok = ok}};
    if (ok) event.built.block = *block;
    d->building = false;
    feed(d, &event);
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

/* When to build: see driver.h. An unfinished tip counts as work: it waits for a successor. */
static uint64_t build_due_ms(struct driver *d)
{
    const struct ledger_head *head = ledger_head(d->ledger);
    bool idle =
        hash_equal(&d->build.parent, &head->hash) && !head->busy && pool_count(d->pool) == 0;
    uint64_t pause = idle ? d->config->idle_interval_ms : d->config->block_interval_ms;
    return ledger_arrived_ms(d->ledger, &d->build.parent) + pause;
}

static void schedule_build(struct driver *d)
{
    if (!d->building) return;
    uint64_t due = build_due_ms(d);
    uint64_t now = clock_ms();
    loop_timer_set(d->build_timer, due > now ? due - now : 0);
}

static void on_build_timer(void *context)
{
    struct driver *d = context;
    if (!d->building) return;
    if (clock_ms() < build_due_ms(d)) /* the loop's idea of now lags behind */
        schedule_build(d);
    else
        build_now(d);
}

void driver_poke(struct driver *d)
{
    schedule_build(d);
}

static void on_build(struct driver *d, const struct block_place *place)
{
    d->building = true;
    d->build = *place;
    schedule_build(d);
}

/* ---- verifying ---- */

static void verify_now(struct driver *d, const struct block_place *place)
{
    char error[LEDGER_ERROR_SIZE] = "";
    uint64_t start_us = clock_us();
    enum status status = ledger_verify(d->ledger, error, &place->block, clock_ms());
    d->counters->verify_us += clock_us() - start_us;
    if (status == E_NOT_FOUND) return; /* cannot tell: consensus asks again */
    if (status != OK)
        log_limited(LOG_WARN, "consensus", "invalid block number=%llu reason=%s",
                    (unsigned long long)place->number, error);
    struct event event = {.kind = EVENT_VERDICT,
                          .verdict = {.view = place->view, .valid = status == OK}};
    event.verdict.block = place->block;
    owe(d, &event);
}

static void on_verify(struct driver *d, const struct block_place *place)
{
    if (ledger_timestamp(d->ledger, &place->block) <= clock_wall_s() + CLOCK_AHEAD_S) {
        verify_now(d, place);
        return;
    }
    if (d->delayed_count == DELAYED_MAX) return;
    if (d->delayed_count == 0) loop_timer_set(d->delayed_timer, DELAYED_MS);
    d->delayed[d->delayed_count++] = *place;
}

static void on_delayed(void *context)
{
    struct driver *d = context;
    size_t count = d->delayed_count;
    struct block_place again[DELAYED_MAX];
    memcpy(again, d->delayed, sizeof again);
    d->delayed_count = 0;
    for (size_t i = 0; i < count; i++)
        on_verify(d, &again[i]);
    drain(d);
}

static void on_fetch_block(struct driver *d, const struct hash *block)
{
    if (!ledger_holds(d->ledger, block)) return;
    struct event event = {.kind = EVENT_BLOCK_HELD, .block_held = *block};
    owe(d, &event);
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

static void on_commit(struct driver *d, const struct block_place *chain, uint32_t count,
                      const struct certificate *certificate, bool epoch_ends)
{
    struct buffer encoded = {0};
    struct hash *hashes = must_alloc(count * sizeof *hashes);
    uint64_t start_us = clock_us();
    struct ledger_commit commit = {.chain = hashes, .count = count};
    for (uint32_t i = 0; i < count; i++)
        hashes[i] = chain[i].block;
    if (certificate != NULL) certificate_encode(&encoded, certificate);
    commit.certificate = buffer_bytes(&encoded);
    pool_lock(d->pool);
    ledger_commit(d->ledger, &commit);
    pool_on_final(d->pool, &ledger_head(d->ledger)->header, buffer_bytes(&commit.spenders));
    pool_unlock(d->pool);
    count_final(d, &commit, start_us);
    buffer_finish(&commit.spenders);
    buffer_finish(&encoded);
    free(hashes);
    schedule_build(d); /* the tip may just have become final: now idling is allowed */
    if (!epoch_ends) return;
    struct event event = {.kind = EVENT_EPOCH, .epoch = &ledger_head(d->ledger)->record->epoch};
    owe(d, &event);
}

static void on_set_timer(struct driver *d, enum timer id, uint64_t view, uint32_t delay_ms)
{
    assert(id < TIMER_COUNT);
    d->timers[id].view = view;
    loop_timer_set(d->timers[id].timer, delay_ms);
}

static void on_timer(void *context)
{
    struct timer_slot *slot = context;
    struct event event = {.kind = EVENT_TIMER, .timer = {.timer = slot->id, .view = slot->view}};
    feed(slot->driver, &event);
}

static void carry_out(struct driver *d, const struct action *a)
{
    switch (a->kind) {
    case ACTION_PERSIST: on_persist(d, a->persist.sequence, &a->persist.record); break;
    case ACTION_SEND: break; /* nobody to send to yet */
    case ACTION_SET_TIMER:
        on_set_timer(d, a->set_timer.timer, a->set_timer.view, a->set_timer.delay_ms);
        break;
    case ACTION_BUILD: on_build(d, &a->build.place); break;
    case ACTION_VERIFY: on_verify(d, &a->verify); break;
    case ACTION_FETCH_BLOCK: on_fetch_block(d, &a->fetch_block.block); break;
    case ACTION_FETCH_CERT: break; /* nobody to ask yet */
    case ACTION_COMMIT:
        on_commit(d, a->commit.chain, a->commit.count, a->commit.certificate, a->commit.epoch_ends);
        break;
    case ACTION_SYNC: break;
    case ACTION_EVIDENCE:
        log_limited(LOG_ERROR, "consensus", "misbehaviour proved kind=%d view=%llu signer=%u",
                    (int)a->evidence.kind, (unsigned long long)a->evidence.first.view,
                    (unsigned)a->evidence.first.signer);
        break;
    }
}

/* ---- opening ---- */

static void create_consensus(struct driver *d, const struct key *key, uint64_t sign_from_epoch)
{
    const struct ledger_head *head = ledger_head(d->ledger);
    struct consensus_config *config = must_alloc(sizeof *config);
    config->epoch = head->record->epoch;
    config->final = (struct final_point){head->record->last_view, head->hash, head->header.number};
    config->key = key;
    config->signer = &SIGNER_SECP256K1;
    config->timing.delta_ms = (uint32_t)d->config->delta_ms;
    config->timing.idle_interval_ms = (uint32_t)d->config->idle_interval_ms;
    config->sign_from_epoch = sign_from_epoch;
    d->consensus = consensus_create(config);
    free(config);
}

static enum status replay(void *context, const struct record *record, struct bytes block)
{
    struct driver *d = context;
    if (record->kind == RECORD_BLOCK && block.size > 0) {
        enum status held = ledger_hold(d->ledger, &record->block.block, block);
        if (held != OK && held != E_EXISTS)
            log_warn("consensus", "a logged block was not kept reason=%s", status_text(held));
    }
    return consensus_restore(d->consensus, record);
}

static enum status refuse_log(char *error, const char *path, enum status status)
{
    snprintf(error, DRIVER_ERROR_SIZE, "cannot open the vote log %.200s: %s", path,
             status_text(status));
    return status;
}

/* ---- silence: without its log nothing is signed before the next epoch, restarts included ---- */

static void silence_path(struct buffer *out, const struct driver_setup *setup)
{
    buffer_print(out, "%s.silent", setup->vote_log_path);
}

/* The first epoch in which votes may be signed; 0: any. */
static enum status silence_read(uint64_t *out, const struct driver_setup *setup)
{
    struct buffer path = {0}, text = {0};
    silence_path(&path, setup);
    enum status status = file_read(&text, buffer_text(&path), 32);
    *out = status == OK ? strtoull(buffer_text(&text), NULL, 10) : 0;
    if (status == OK && *out == 0) status = E_MALFORMED;
    buffer_finish(&path);
    buffer_finish(&text);
    return status == E_NOT_FOUND ? OK : status;
}

/* On disk before there is a fresh log, which would look like one that forgot nothing. */
static uint64_t silence_begin(const struct driver *d, const struct driver_setup *setup,
                              const char *what)
{
    struct buffer path = {0}, text = {0};
    uint64_t epoch = ledger_head(d->ledger)->record->epoch.number + 1;
    silence_path(&path, setup);
    buffer_print(&text, "%llu\n", (unsigned long long)epoch);
    if (file_write_atomic(buffer_text(&path), buffer_bytes(&text), 0600) != OK)
        fatal("writing %s", buffer_text(&path));
    log_error("consensus", "the vote log is %s: nothing is signed before epoch %llu path=%s", what,
              (unsigned long long)epoch, setup->vote_log_path);
    buffer_finish(&path);
    buffer_finish(&text);
    return epoch;
}

/* A damaged log is kept beside a fresh one. */
static enum status replace_log(struct driver *d, char *error, const struct driver_setup *setup)
{
    const char *path = setup->vote_log_path;
    bool created = false;
    struct buffer aside = {0};
    uint64_t sign_from = silence_begin(d, setup, "damaged");
    consensus_destroy(d->consensus);
    create_consensus(d, setup->key, sign_from);
    buffer_print(&aside, "%s.damaged", path);
    int moved = rename(path, buffer_text(&aside));
    buffer_finish(&aside);
    if (moved != 0) return refuse_log(error, path, E_IO);
    enum status status = vote_log_open(&d->log, &created, path, replay, d);
    return status == OK ? OK : refuse_log(error, path, status);
}

static enum status open_log(struct driver *d, char *error, const struct driver_setup *setup)
{
    const char *path = setup->vote_log_path;
    uint64_t sign_from = 0;
    bool created = false;
    bool voted = setup->key != NULL && ledger_head(d->ledger)->header.number > 0;
    enum status status = silence_read(&sign_from, setup);
    if (status != OK) return refuse_log(error, path, status);
    if (voted && access(path, F_OK) != 0) sign_from = silence_begin(d, setup, "gone");
    create_consensus(d, setup->key, sign_from);
    status = vote_log_open(&d->log, &created, path, replay, d);
    if (status == E_MALFORMED) return replace_log(d, error, setup);
    return status == OK ? OK : refuse_log(error, path, status);
}

static void make_timers(struct driver *d, struct loop *loop)
{
    for (size_t i = 0; i < TIMER_COUNT; i++) {
        d->timers[i].driver = d;
        d->timers[i].id = (enum timer)i;
        d->timers[i].timer = loop_timer_create(loop, on_timer, &d->timers[i]);
    }
    d->sync_timer = loop_timer_create(loop, on_sync, d);
    d->build_timer = loop_timer_create(loop, on_build_timer, d);
    d->delayed_timer = loop_timer_create(loop, on_delayed, d);
}

/* A key that is in the set must be able to open the chain it committed to. */
static enum status check_hash_chain(struct driver *d, char *error)
{
    const struct epoch_record *record = ledger_head(d->ledger)->record;
    uint32_t index = epoch_index_of(&record->epoch, &d->own_address);
    struct hash reveal;
    char address[43];
    address_to_text(address, &d->own_address);
    if (index == record->epoch.validator_count) {
        log_warn("consensus", "this key is not in the validator set address=%s", address);
        return OK;
    }
    if (hash_chain_before(d->hash_chain, &reveal, &record->duties[index].revealed)) return OK;
    snprintf(error, DRIVER_ERROR_SIZE,
             "the hashChainEnd registered for %s is not this key's: take it from "
             "leaseholdd --print-validator",
             address);
    return E_STATE;
}

enum status driver_open(struct driver **out, char error[DRIVER_ERROR_SIZE],
                        const struct driver_setup *setup)
{
    struct driver *d = must_alloc(sizeof *d);
    enum status status = OK;
    d->ledger = setup->ledger;
    d->pool = setup->pool;
    d->config = setup->config;
    d->counters = setup->counters;
    d->actions = must_alloc(sizeof *d->actions);
    make_timers(d, setup->loop);
    if (setup->key != NULL) {
        d->own_address = key_address(setup->key);
        d->hash_chain = hash_chain_open(setup->key, setup->hash_chain_path);
        status = check_hash_chain(d, error);
    }
    if (status == OK) status = open_log(d, error, setup);
    if (status == OK)
        *out = d;
    else
        driver_close(d);
    return status;
}

void driver_start(struct driver *d)
{
    struct event start = {.kind = EVENT_START};
    const struct ledger_head *head = ledger_head(d->ledger);
    d->counters->final_number = head->header.number;
    d->counters->epoch = head->record->epoch.number;
    feed(d, &start);
}

void driver_close(struct driver *d)
{
    if (d == NULL) return;
    for (size_t i = 0; i < TIMER_COUNT; i++)
        loop_timer_destroy(d->timers[i].timer);
    loop_timer_destroy(d->sync_timer);
    loop_timer_destroy(d->build_timer);
    loop_timer_destroy(d->delayed_timer);
    consensus_destroy(d->consensus);
    vote_log_close(d->log);
    hash_chain_destroy(d->hash_chain);
    free(d->actions);
    free(d);
}
