#include "compute/judge.h"

#include "base/log.h"
#include "compute/judge_state.h"
#include "compute/worker_chain.h"
#include "compute/worker_home.h"

#include <stdio.h>

#define SEND_WAIT_MS     30000u
#define GAS_EXTRA        3000000u /* the last reveal ends the round, and perhaps the whole case */
#define WAIT_MS          500u
#define KEEP_S           (7 * 24 * 3600u) /* of ended records in the journal */
#define LOOK_AGAIN_TURNS 8u               /* fetching goes on though no block comes */

static bool stopping(const struct judge *j)
{
    return __atomic_load_n(&j->stop, __ATOMIC_RELAXED);
}

void judge_stop(struct judge *j)
{
    __atomic_store_n(&j->stop, true, __ATOMIC_RELAXED);
}

static void look_at_duties(struct judge *j)
{
    uint64_t jobs[DUTIES_MAX];
    size_t count = 0;
    if (chain_duties(j->rpc, jobs, &count, &j->operator_account) != OK) {
        if (!stopping(j))
            log_limited(LOG_WARN, JUDGE_AREA, "cannot read duties: %s", rpc_problem(j->rpc));
        return;
    }
    for (size_t i = 0; i < count && !stopping(j); i++)
        judge_look_at(j, jobs[i]);
    if (!stopping(j)) judge_drop_others(j, jobs, count);
}

static void turn(struct judge *j, uint64_t turns)
{
    struct worker_chain chain = {.rpc = j->rpc};
    uint64_t number = 0;
    uint64_t time_s = 0;
    judge_collect(j);
    if (chain_head(&chain, &number, &time_s) != OK) {
        if (!stopping(j))
            log_limited(LOG_WARN, JUDGE_AREA, "no node answers: %s", rpc_problem(j->rpc));
        return;
    }
    if (number < j->head) return; /* a node that lags behind: what was decided stands */
    bool due = j->duty_count > 0 && turns % LOOK_AGAIN_TURNS == 0;
    if (number == j->head && !j->look_again && !due) return;
    j->head = number;
    j->now_s = time_s;
    j->look_again = false;
    look_at_duties(j);
    if (j->now_s > KEEP_S) journal_forget_ended(j->journal, j->now_s - KEEP_S);
}

static enum status check_fault(struct judge *j, char error[JSON_ERROR_SIZE])
{
    bool devnet = false;
    enum status status = E_IO;
    if (j->fault == JUDGE_FAULT_NONE) return OK;
    while (!stopping(j) && status != OK) {
        status = chain_is_devnet(j->rpc, &devnet);
        if (status != OK) home_pause_ms(WAIT_MS);
    }
    if (devnet || stopping(j)) return OK;
    snprintf(error, JSON_ERROR_SIZE, "--fault %.20s is for devnets; this chain is none",
             j->config->fault);
    return E_DENIED;
}

/* The operator may name this key after the judge was started: wait for it, and
 * for a node. */
static bool await_registration(struct judge *j)
{
    struct address own = key_address(&j->key);
    for (bool told = false; !stopping(j); home_pause_ms(WAIT_MS)) {
        struct address named;
        enum status status = judge_find_key(j->rpc, &named, &j->operator_account);
        if (status == OK && address_equal(&named, &own)) return true;
        if (status == OK && !told)
            log_info(JUDGE_AREA,
                     "waiting until the operator names this key (Disputes.setJudge) "
                     "operator=%s",
                     j->config->operator_account);
        if (status != OK && !stopping(j))
            log_limited(LOG_WARN, JUDGE_AREA, "no node answers: %s", rpc_problem(j->rpc));
        told |= status == OK;
    }
    return false;
}

static bool start_sender(struct judge *j)
{
    for (; !stopping(j); home_pause_ms(WAIT_MS)) {
        if (sender_init(&j->sender, j->rpc, &j->key) != OK) continue;
        j->sender.wait_ms = SEND_WAIT_MS;
        j->sender.gas_extra = GAS_EXTRA;
        return true;
    }
    return false;
}

static bool start_pool(struct judge *j)
{
    uint32_t factor = 1;
    while (!stopping(j) && judge_read_factor(j->rpc, &factor) != OK)
        home_pause_ms(WAIT_MS);
    const struct judge_config *c = j->config;
    struct run_pool_options options = {.slots = c->slots,
                                       .threads = (unsigned)c->threads,
                                       .memory_mib_max = (uint32_t)c->memory_mib,
                                       .seconds_factor = factor,
                                       .runner = c->runner[0] ? c->runner : NULL,
                                       .folder = j->data_dir};
    if (options.memory_mib_max == 0) options.memory_mib_max = home_memory_mib();
    j->pool = run_pool_create(&options);
    return !stopping(j);
}

enum status judge_run(struct judge *j, char error[JSON_ERROR_SIZE])
{
    error[0] = 0;
    enum status status = check_fault(j, error);
    if (status != OK) return status;
    if (!await_registration(j) || !start_sender(j) || !start_pool(j)) return OK;
    judge_write_state(j);
    log_info(JUDGE_AREA, "ready operator=%s fault=%s", j->config->operator_account,
             j->config->fault);
    for (uint64_t turns = 0; !stopping(j); turns++) {
        turn(j, turns);
        home_pause_ms(j->config->poll_ms);
    }
    log_info(JUDGE_AREA, "stopping");
    return OK;
}
