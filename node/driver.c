#include "node/driver.h"

#include "base/fatal.h"
#include "base/hex.h"
#include "base/log.h"
#include "node/driver_core.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- events owed ---- */

void driver_owe(struct driver *d, const struct event *event)
{
    assert(d->queue_count < DRIVER_QUEUE_MAX);
    d->queue[(d->queue_start + d->queue_count++) % DRIVER_QUEUE_MAX] = *event;
}

static void carry_out(struct driver *d, const struct action *action);

static enum admission step(struct driver *d, const struct event *event)
{
    consensus_step(d->consensus, event, d->actions);
    assert(d->actions->count <= ACTIONS_MAX);
    for (uint32_t i = 0; i < d->actions->count; i++)
        carry_out(d, &d->actions->items[i]);
    d->counters->view = consensus_view(d->consensus);
    return d->actions->admission;
}

void driver_drain(struct driver *d)
{
    assert(!d->draining);
    d->draining = true;
    while (d->queue_count > 0) {
        struct event event = d->queue[d->queue_start];
        d->queue_start = (d->queue_start + 1) % DRIVER_QUEUE_MAX;
        d->queue_count--;
        (void)step(d, &event);
    }
    d->draining = false;
    if (d->counters->final_number != d->swept_number) {
        d->swept_number = d->counters->final_number;
        blocks_sweep(d);
    }
}

enum admission driver_feed(struct driver *d, const struct event *event)
{
    assert(!d->draining && d->queue_count == 0); /* whoever owes drains */
    d->draining = true;
    enum admission admission = step(d, event);
    d->draining = false;
    driver_drain(d);
    return admission;
}

/* ---- actions ---- */

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
    driver_feed(slot->driver, &event);
}

static void send_out(struct driver *d, const struct message *m)
{
    struct bytes block = {0};
    if (m->kind == MESSAGE_PROPOSAL) block = ledger_bytes(d->ledger, &m->proposal->vote.block);
    d->wire.send(d->wire.context, m, block);
}

static void carry_out(struct driver *d, const struct action *a)
{
    switch (a->kind) {
    case ACTION_PERSIST: driver_log_persist(d, a->persist.sequence, &a->persist.record); break;
    case ACTION_SEND: send_out(d, &a->send); break;
    case ACTION_SET_TIMER:
        on_set_timer(d, a->set_timer.timer, a->set_timer.view, a->set_timer.delay_ms);
        break;
    case ACTION_BUILD: build_asked(d, &a->build.place); break;
    case ACTION_VERIFY: verify_asked(d, &a->verify); break;
    case ACTION_FETCH_BLOCK: fetch_asked(d, &a->fetch_block.block); break;
    case ACTION_FETCH_CERT:
        d->wire.fetch_certificates(d->wire.context, consensus_epoch(d->consensus)->number,
                                   a->fetch_cert.view);
        break;
    case ACTION_COMMIT: commit_asked(d, a); break;
    case ACTION_SYNC: d->wire.sync(d->wire.context, a->sync.certificate, a->sync.peer); break;
    case ACTION_EVIDENCE:
        log_limited(LOG_ERROR, "consensus", "misbehaviour proved kind=E%d view=%llu signer=%u",
                    (int)a->evidence.kind, (unsigned long long)a->evidence.first.view,
                    (unsigned)a->evidence.first.signer);
        d->wire.evidence(d->wire.context, &a->evidence);
        break;
    }
}

/* ---- life ---- */

static void make_timers(struct driver *d, struct loop *loop)
{
    for (size_t i = 0; i < TIMER_COUNT; i++) {
        d->timers[i].driver = d;
        d->timers[i].id = (enum timer)i;
        d->timers[i].timer = loop_timer_create(loop, on_timer, &d->timers[i]);
    }
    d->sync_timer = loop_timer_create(loop, driver_log_fired, d);
    d->build_timer = loop_timer_create(loop, build_timer_fired, d);
    d->delayed_timer = loop_timer_create(loop, delayed_fired, d);
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
    d->wire = setup->wire;
    d->key_guard = -1;
    d->actions = must_alloc(sizeof *d->actions);
    make_timers(d, setup->loop);
    if (setup->key != NULL) {
        d->own_address = key_address(setup->key);
        status = driver_log_guard_key(d, error);
    }
    if (status == OK && setup->key != NULL) {
        d->hash_chain = hash_chain_open(setup->key, setup->hash_chain_path);
        status = check_hash_chain(d, error);
    }
    if (status == OK) status = driver_log_open(d, error, setup);
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
    driver_feed(d, &start);
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
    if (d->key_guard >= 0) close(d->key_guard);
    free(d->vote_log_path);
    free(d->actions);
    free(d);
}

/* ---- what peers sent ---- */

const struct consensus *driver_consensus(const struct driver *d)
{
    return d->consensus;
}

struct address driver_address(const struct driver *d)
{
    return d->own_address;
}

enum admission driver_vote(struct driver *d, uint64_t peer, const struct vote *v)
{
    struct event event = {.kind = EVENT_VOTE, .from = peer, .vote = *v};
    assert(peer != 0);
    return driver_feed(d, &event);
}

enum admission driver_certificate(struct driver *d, uint64_t peer, const struct certificate *c)
{
    struct event event = {.kind = EVENT_CERTIFICATE, .from = peer, .certificate = c};
    assert(peer != 0);
    return driver_feed(d, &event);
}

/* The step comes first: of a forged or stale proposal the block is not even looked at. */
enum admission driver_proposal(struct driver *d, uint64_t peer, const struct proposal *p,
                               struct bytes block, bool *out_held)
{
    struct event event = {.kind = EVENT_PROPOSAL, .from = peer};
    const struct hash *hash = &p->vote.block;
    assert(peer != 0);
    event.proposal.proposal = p;
    event.proposal.block_held = ledger_holds(d->ledger, hash);
    enum admission admission = driver_feed(d, &event);
    enum status status = OK;
    if (block.size > 0 && admission != ADMISSION_BAD) status = driver_block(d, hash, block);
    *out_held = ledger_holds(d->ledger, hash);
    return status == E_MALFORMED ? ADMISSION_BAD : admission;
}

bool driver_holds(const struct driver *d, const struct hash *block)
{
    return ledger_holds(d->ledger, block);
}

enum status driver_block(struct driver *d, const struct hash *hash, struct bytes block)
{
    struct event event = {.kind = EVENT_BLOCK_HELD, .block_held = *hash};
    if (!consensus_wants_block(d->consensus, hash)) return E_STATE;
    if (ledger_holds(d->ledger, hash)) return OK;
    enum status status = ledger_hold(d->ledger, hash, block);
    if (status != OK) return status;
    (void)driver_feed(d, &event);
    return OK;
}
