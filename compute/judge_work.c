#include "compute/judge_state.h"

#include "base/log.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RETRIES_MAX 3     /* of a run that this machine, not the job, failed at */
#define ASK_EVERY   2000u /* ms: between two gateways for one bundle, while none has answered */
#define ASK_BESIDE  8000u /* ms: another one beside those that take long */

static uint64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static struct duty *find_duty(struct judge *j, uint64_t job)
{
    for (size_t i = 0; i < j->duty_count; i++)
        if (j->duties[i].job.id == job) return &j->duties[i];
    return NULL;
}

/* --- what threads have finished --- */

static void on_fetch_ended(struct judge *j, const struct fetch_outcome *o)
{
    struct duty *d = find_duty(j, o->job);
    if (o->status != OK && d != NULL) {
        log_info(JUDGE_AREA, "no bundle yet job=%" PRIu64 " gateway=%zu status=%s: %s", o->job,
                 o->source, status_text(o->status), o->problem);
        return;
    }
    if (d != NULL) {
        d->bundle_here = true;
        log_info(JUDGE_AREA, "have the bundle job=%" PRIu64, o->job);
        return;
    }
    judge_fetch_forget(j->fetch, o->job); /* the case went on without us */
}

/* From here on this seat has its one verdict. */
static void put_verdict(struct judge *j, struct journal_entry *entry)
{
    struct journal_entry before;
    assert(journal_find(j->journal, &before, entry->job, entry->seat) != OK);
    entry->stage = JOURNAL_RAN;
    random_bytes(entry->salt.b, sizeof entry->salt.b);
    if (j->fault == JUDGE_FAULT_LIE) {
        entry->exit_reason = REASON_OK;
        entry->root.b[0] ^= 1;
        log_warn(JUDGE_AREA, "lying about job=%" PRIu64, entry->job);
    }
    journal_put(j->journal, entry);
}

static void note_failure(struct judge *j, struct duty *d, const char *why)
{
    d->failures++;
    j->counts.failed_runs++;
    log_error(JUDGE_AREA, "run failed here job=%" PRIu64 " time=%u: %s", d->job.id, d->failures,
              why);
}

static void on_run_ended(struct judge *j, const struct run_outcome *o)
{
    struct duty *d = find_duty(j, o->job);
    unlink(o->result_path);
    if (d == NULL) return;
    if (o->status != OK || o->result.reason == REASON_UNSUPPORTED) {
        note_failure(j, d, o->status != OK ? o->error : o->result.message);
        return;
    }
    struct journal_entry entry = {.job = o->job,
                                  .seat = d->seat,
                                  .exit_reason = (uint8_t)o->result.reason,
                                  .seconds = o->result.seconds};
    if (o->result.reason == REASON_OK) {
        entry.root = o->result.root;
        entry.trace = o->result.trace;
        entry.output_size = o->result.size_bytes;
    }
    put_verdict(j, &entry);
    log_info(JUDGE_AREA, "ran job=%" PRIu64 " reason=%s seconds=%u message=\"%s\"", o->job,
             reason_name(o->result.reason), o->result.seconds, o->result.message);
}

void judge_collect(struct judge *j)
{
    struct fetch_outcome fetched;
    struct run_outcome ran;
    while (judge_fetch_collect(j->fetch, &fetched)) {
        on_fetch_ended(j, &fetched);
        j->look_again = true;
    }
    while (run_pool_collect(j->pool, &ran)) {
        on_run_ended(j, &ran);
        run_result_finish(&ran.result);
        j->look_again = true;
    }
}

/* --- the table of duties --- */

static bool holds(const uint64_t *jobs, size_t count, uint64_t job)
{
    for (size_t i = 0; i < count; i++)
        if (jobs[i] == job) return true;
    return false;
}

void judge_drop_others(struct judge *j, const uint64_t *jobs, size_t count)
{
    for (size_t i = j->duty_count; i-- > 0;) {
        uint64_t job = j->duties[i].job.id;
        if (holds(jobs, count, job) || run_pool_is_running(j->pool, job)) continue;
        judge_fetch_forget(j->fetch, job);
        log_info(JUDGE_AREA, "done with job=%" PRIu64, job);
        j->duties[i] = j->duties[--j->duty_count];
    }
}

static struct duty *take_up(struct judge *j, const struct chain_case *c)
{
    struct duty *d = find_duty(j, c->job);
    uint8_t seat = judge_seat(c->round);
    if (d != NULL && d->seat == seat) return d;
    if (d != NULL && run_pool_is_running(j->pool, c->job)) return NULL; /* for another round */
    if (d == NULL && j->duty_count == DUTIES_MAX) return NULL;
    struct duty fresh = {.seat = seat};
    if (judge_find_job(j->rpc, &fresh.job, c->job) != OK) return NULL;
    if (d == NULL) d = &j->duties[j->duty_count++];
    fresh.bundle_here = d->job.id == c->job && d->bundle_here;
    *d = fresh;
    log_info(JUDGE_AREA, "drawn job=%" PRIu64 " round=%u seal_by_s=%" PRIu64, c->job, c->round,
             c->seal_by_s);
    return d;
}

/* --- acting --- */

/* What all bundles take together stays bounded. */
static bool has_room(const struct judge *j, const struct duty *d)
{
    uint64_t used = 0;
    for (size_t i = 0; i < j->duty_count; i++) {
        const struct duty *other = &j->duties[i];
        size_t copies = judge_fetch_count(j->fetch, other->job.id) + other->bundle_here;
        used += copies * other->job.bundle_size;
    }
    return used + d->job.bundle_size <= j->config->disk_mib << 20;
}

static bool may_ask(const struct judge *j, const struct duty *d)
{
    size_t asking = judge_fetch_count(j->fetch, d->job.id);
    uint64_t since_ms = clock_ms() - d->asked_at_ms;
    if (d->job.source_count == 0 || asking >= d->job.source_count) return false;
    if (d->asked_at_ms != 0 && since_ms < (asking > 0 ? ASK_BESIDE : ASK_EVERY)) return false;
    return has_room(j, d);
}

static void ask_next(struct judge *j, struct duty *d)
{
    struct gateway_content content = {
        .job = d->job.id, .root = d->job.bundle_root, .size = d->job.bundle_size};
    d->asked_at_ms = clock_ms();
    for (size_t i = 0; i < d->job.source_count; i++) {
        size_t source = d->next_source;
        d->next_source = (source + 1) % d->job.source_count;
        if (judge_fetch_start(j->fetch, &content, source, &d->job.sources[source])) return;
    }
}

static void start_run(struct judge *j, const struct duty *d)
{
    char path[PATH_MAX];
    judge_fetch_path(j->fetch, path, d->job.id);
    log_info(JUDGE_AREA, "running job=%" PRIu64 " seconds_limit=%u", d->job.id,
             d->job.seconds_limit);
    run_pool_start(j->pool, d->job.id, path, d->job.seconds_limit);
}

static void give_up(struct judge *j, const struct duty *d)
{
    struct journal_entry entry = {
        .job = d->job.id, .seat = d->seat, .exit_reason = VERDICT_NO_DATA};
    put_verdict(j, &entry);
    j->counts.no_data++;
    log_warn(JUDGE_AREA, "nobody gave the bundle of job=%" PRIu64, d->job.id);
}

static void advance(struct judge *j, const struct journal_entry *entry, enum journal_stage stage)
{
    assert(entry != NULL); /* judge_decide seals and reveals only what the journal holds */
    struct journal_entry next = *entry;
    if (next.stage >= stage) return;
    next.stage = stage;
    next.ended_at_s = j->now_s;
    journal_put(j->journal, &next);
}

static void report(struct judge *j, const char *what, uint64_t job, enum status status)
{
    if (status == OK) {
        log_info(JUDGE_AREA, "%s job=%" PRIu64, what, job);
        judge_write_state(j);
    } else {
        log_warn(JUDGE_AREA, "%s failed job=%" PRIu64 " status=%s: %s", what, job,
                 status_text(status), rpc_problem(j->rpc));
    }
}

static void send_seal(struct judge *j, const struct chain_case *c,
                      const struct journal_entry *entry)
{
    struct hash commitment = judge_commitment(&j->operator_account, c->round, entry);
    enum status status = judge_seal(&j->sender, &commitment, c->job);
    if (status == OK) advance(j, entry, JOURNAL_SEALED);
    j->counts.sealed += status == OK;
    report(j, "sealed a verdict", c->job, status);
}

static void send_reveal(struct judge *j, const struct chain_case *c,
                        const struct journal_entry *entry)
{
    struct hash commitment = judge_commitment(&j->operator_account, c->round, entry);
    if (!hash_equal(&commitment, &c->commitment)) {
        log_limited(LOG_ERROR, JUDGE_AREA,
                    "the seal on the chain is not the journal's job=%" PRIu64, c->job);
        return;
    }
    enum status status = judge_reveal(&j->sender, entry);
    if (status == OK) advance(j, entry, JOURNAL_ENDED);
    j->counts.revealed += status == OK;
    report(j, "revealed a verdict", c->job, status);
}

static void act(struct judge *j, struct duty *d, const struct judge_view *v,
                enum judge_action action)
{
    switch (action) {
    case JUDGE_WAIT: return;
    case JUDGE_FETCH: ask_next(j, d); return;
    case JUDGE_RUN: start_run(j, d); return;
    case JUDGE_GIVE_UP: give_up(j, d); break;
    case JUDGE_SEAL: send_seal(j, v->c, v->entry); break;
    case JUDGE_REVEAL: send_reveal(j, v->c, v->entry); break;
    case JUDGE_END: return; /* judge_drop_others will */
    }
    j->look_again = true;
}

void judge_look_at(struct judge *j, uint64_t job)
{
    struct chain_case c;
    struct journal_entry entry;
    if (chain_find_case(j->rpc, &c, job, &j->operator_account) != OK) return;
    struct duty *d = c.mine ? take_up(j, &c) : NULL;
    if (d == NULL) return;
    bool noted = journal_find(j->journal, &entry, job, d->seat) == OK;
    struct judge_view view = {.c = &c,
                              .entry = noted ? &entry : NULL,
                              .running = run_pool_is_running(j->pool, job),
                              .cannot_run = d->failures >= RETRIES_MAX,
                              .slot_free = run_pool_has_free_slot(j->pool),
                              .bundle_here = d->bundle_here,
                              .may_ask = may_ask(j, d),
                              .now_s = j->now_s,
                              .fault = j->fault};
    enum judge_action action = judge_decide(&view);
    if (action != JUDGE_WAIT)
        log_debug(JUDGE_AREA, "job=%" PRIu64 " action=%s", job, judge_action_text(action));
    act(j, d, &view, action);
}
