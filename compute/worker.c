#include "compute/worker.h"

#include "base/log.h"
#include "compute/worker_home.h"
#include "compute/worker_state.h"

#include <stdio.h>

#define SEND_WAIT_MS   30000
#define START_PAUSE_MS 500
#define SETTLED_LOOKS  8
#define GAS_EXTRA      2000000 /* the last seal starts the reveals, the last reveal pays */

bool worker_stopping(const struct worker *w)
{
    return __atomic_load_n(&w->stop, __ATOMIC_RELAXED);
}

void worker_stop(struct worker *w)
{
    __atomic_store_n(&w->stop, true, __ATOMIC_RELAXED);
}

void worker_drain(struct worker *w)
{
    if (__atomic_add_fetch(&w->stop_requests, 1, __ATOMIC_RELAXED) > 1) worker_stop(w);
}

bool worker_draining(const struct worker *w)
{
    return __atomic_load_n(&w->stop_requests, __ATOMIC_RELAXED) > 0;
}

static bool holds(const uint64_t *ids, size_t count, uint64_t id)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] == id) return true;
    return false;
}

/* Settled jobs wait for their challenge window to close: a few of them in each turn. */
static void look_at_settled(struct worker *w, const struct journal_entry *entries, size_t count)
{
    size_t looks = 0;
    for (size_t i = 0; i < count && looks < SETTLED_LOOKS; i++) {
        const struct journal_entry *e = &entries[(w->settled_cursor + i) % count];
        if (e->stage != JOURNAL_SETTLED) continue;
        worker_look_at_job(w, e->job);
        looks++;
        if (looks == SETTLED_LOOKS) w->settled_cursor = (w->settled_cursor + i + 1) % count;
    }
}

/* Jobs that the chain no longer counts as active, but that the journal has not seen the end of. */
static size_t look_at_ended(struct worker *w, const uint64_t *active, size_t active_count)
{
    static struct journal_entry entries[JOURNAL_JOBS_MAX];
    size_t count = journal_list(w->journal, entries, JOURNAL_JOBS_MAX);
    size_t open = 0;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].stage == JOURNAL_ENDED) continue;
        if (holds(active, active_count, entries[i].job)) continue;
        open++;
        if (entries[i].stage != JOURNAL_SETTLED) worker_look_at_job(w, entries[i].job);
    }
    look_at_settled(w, entries, count);
    return open;
}

static void look_at_chain(struct worker *w)
{
    uint64_t active[WORKER_JOBS_MAX];
    size_t count = 0;
    w->open_count = SIZE_MAX; /* not known until all is looked at */
    if (chain_active_jobs(&w->chain, active, &count) != OK) {
        log_limited(LOG_WARN, WORKER_AREA, "cannot read jobs: %s", rpc_problem(w->rpc));
        return;
    }
    for (size_t i = 0; i < count && !worker_stopping(w); i++)
        worker_look_at_job(w, active[i]);
    if (worker_stopping(w)) return;
    w->open_count = count + look_at_ended(w, active, count);
    worker_answer_demands(w);
    keeping_drop_strangers(&w->keeping, active, count);
    uint64_t keep_s = w->config->keep_hours * 3600;
    keeping_expire(&w->keeping, w->now_s > keep_s ? w->now_s - keep_s : 0);
}

static void turn(struct worker *w)
{
    uint64_t number = 0;
    uint64_t time_s = 0;
    worker_collect_runs(w);
    if (chain_head(&w->chain, &number, &time_s) != OK) {
        if (!worker_stopping(w))
            log_limited(LOG_WARN, WORKER_AREA, "no node answers: %s", rpc_problem(w->rpc));
        return;
    }
    if (number < w->head) { /* a node that lags behind: what was decided stands */
        log_limited(LOG_WARN, WORKER_AREA, "the node lags behind number=%llu seen=%llu",
                    (unsigned long long)number, (unsigned long long)w->head);
        return;
    }
    bool moved = number != w->head;
    w->head = number;
    w->now_s = time_s;
    if (!moved && !w->look_again) return;
    w->look_again = false;
    look_at_chain(w);
}

static enum status check_fault(struct worker *w, char error[JSON_ERROR_SIZE])
{
    bool devnet = false;
    while (chain_is_devnet(w->rpc, &devnet) != OK && !worker_stopping(w)) {
        log_limited(LOG_WARN, WORKER_AREA, "no node answers: %s", rpc_problem(w->rpc));
        home_pause_ms(START_PAUSE_MS);
    }
    if (w->fault == FAULT_NONE || devnet || worker_stopping(w)) return OK;
    snprintf(error, JSON_ERROR_SIZE, "--fault %.20s is for devnets; this chain is none",
             w->config->fault);
    return E_DENIED;
}

static void warn_of_other_keys(struct worker *w, const struct address *worker,
                               const struct hash *tls)
{
    struct address own = key_address(&w->key);
    struct hash served = gateway_server_key_hash(w->gateway);
    if (!address_equal(worker, &own))
        log_warn(WORKER_AREA, "the chain names another worker key: its seals will be refused");
    if (!hash_equal(tls, &served))
        log_warn(WORKER_AREA,
                 "the chain names another tlsKeyHash: renters will not trust this gateway");
}

/* The provider may register after its worker was started: wait for it. */
static enum status wait_for_registration(struct worker *w)
{
    for (bool told = false; !worker_stopping(w); home_pause_ms(300)) {
        struct address worker;
        struct hash tls;
        enum status status = chain_registration(&w->chain, &worker, &tls);
        if (status == OK) {
            warn_of_other_keys(w, &worker, &tls);
            return OK;
        }
        if (status == E_NOT_FOUND && !told)
            log_info(WORKER_AREA, "waiting until the provider is registered owner=%s",
                     w->config->owner);
        if (status != E_NOT_FOUND && !worker_stopping(w))
            log_limited(LOG_WARN, WORKER_AREA, "cannot read the registration: %s",
                        rpc_problem(w->rpc));
        told |= status == E_NOT_FOUND;
    }
    return E_STATE;
}

static void sweep_ended_into_known(struct worker *w)
{
    static struct journal_entry entries[JOURNAL_JOBS_MAX];
    size_t count = journal_list(w->journal, entries, JOURNAL_JOBS_MAX);
    for (size_t i = 0; i < count && !worker_stopping(w); i++) {
        struct chain_job job;
        if (chain_find_job(&w->chain, &job, entries[i].job) == OK)
            worker_make_known(w, &job, &entries[i]);
    }
}

static enum status prepare(struct worker *w, char error[JSON_ERROR_SIZE])
{
    enum status status = check_fault(w, error);
    if (status != OK) return status;
    while (sender_init(&w->sender, w->rpc, &w->key) != OK && !worker_stopping(w))
        home_pause_ms(START_PAUSE_MS);
    w->sender.wait_ms = SEND_WAIT_MS;
    w->sender.gas_extra = GAS_EXTRA;
    w->chain.rpc = w->rpc;
    w->chain.sender = &w->sender;
    status = wait_for_registration(w);
    while (status == OK && chain_read_parameters(&w->chain) != OK && !worker_stopping(w))
        home_pause_ms(START_PAUSE_MS);
    return status;
}

enum status worker_run(struct worker *w, char error[JSON_ERROR_SIZE])
{
    error[0] = 0;
    enum status status = prepare(w, error);
    if (worker_stopping(w)) return OK;
    if (status != OK) return status;
    sweep_ended_into_known(w);
    log_info(WORKER_AREA, "ready gateway=%s owner=%s fault=%s", gateway_server_endpoint(w->gateway),
             w->config->owner, w->config->fault);
    bool told = false;
    while (!worker_stopping(w) && !(worker_draining(w) && w->open_count == 0)) {
        if (worker_draining(w) && !told)
            log_info(WORKER_AREA,
                     "draining jobs=%zu: nothing new is taken; once more stops at once",
                     w->open_count == SIZE_MAX ? 0 : w->open_count);
        told |= worker_draining(w);
        turn(w);
        home_pause_ms(w->config->poll_ms);
    }
    log_info(WORKER_AREA, worker_stopping(w) ? "stopping" : "drained");
    return OK;
}
