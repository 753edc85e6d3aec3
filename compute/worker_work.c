#include "compute/worker_state.h"

#include "base/file.h"
#include "base/log.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define RETRIES_MAX      2 /* of a run that this machine, not the job, failed at */
#define TAR_HEADER_BYTES 512
#define COLLUSION_MARK   1

/* --- runs --- */

/* A liar changes its answer and stands by it: the changed result is what it seals and serves.
 * `mark` is never 0; colluders have the same. */
static enum status falsify(const char *path, struct hash *out_root, uint8_t mark)
{
    struct buffer content = {0};
    enum status status = file_read(&content, path, SIZE_MAX / 8);
    if (status == OK && content.size > TAR_HEADER_BYTES) {
        content.data[TAR_HEADER_BYTES] ^= mark; /* the first byte of the first output */
        status = file_write_atomic(path, buffer_bytes(&content), 0600);
    }
    buffer_finish(&content);
    return status == OK ? merkle_root_of_path(out_root, NULL, path) : status;
}

static enum status store_result(struct worker *w, struct run_outcome *o)
{
    if (o->result.reason != REASON_OK) return OK;
    if (w->fault == FAULT_LIE || w->fault == FAULT_COLLUDE) {
        uint8_t own = w->chain.owner.b[19] | COLLUSION_MARK << 1; /* differs from the colluders' */
        uint8_t mark = w->fault == FAULT_COLLUDE ? COLLUSION_MARK : own;
        enum status status = falsify(o->result_path, &o->result.root, mark);
        if (status != OK) return status;
        log_warn(WORKER_AREA, "lying about job=%" PRIu64, o->job);
    }
    struct blob_key key = {o->job, o->result.root};
    return keeping_adopt(&w->keeping, &key, o->result_path);
}

static void note_failure(struct worker *w, uint64_t job, unsigned weight)
{
    for (size_t i = 0; i < w->failed_count; i++) {
        if (w->failed[i].job != job) continue;
        w->failed[i].count += weight;
        return;
    }
    if (w->failed_count == WORKER_JOBS_MAX) w->failed_count = 0;
    w->failed[w->failed_count++] = (struct failed_run){.job = job, .count = weight};
}

static bool cannot_run(const struct worker *w, uint64_t job)
{
    for (size_t i = 0; i < w->failed_count; i++) {
        if (w->failed[i].job == job) return w->failed[i].count >= RETRIES_MAX;
    }
    return false;
}

/* The result is on disk, then its record with the salt is; only after that may it be sealed. */
static void record_run(struct worker *w, const struct run_outcome *o)
{
    struct journal_entry entry = {.job = o->job,
                                  .stage = JOURNAL_RAN,
                                  .exit_reason = (uint8_t)o->result.reason,
                                  .seconds = o->result.seconds ? o->result.seconds : 1};
    if (o->result.reason == REASON_OK) {
        entry.root = o->result.root;
        entry.trace = o->result.trace;
        entry.output_size = o->result.size_bytes;
    }
    random_bytes(entry.salt.b, sizeof entry.salt.b);
    journal_put(w->journal, &entry);
    run_pool_forget(w->pool, o->job);
    log_info(WORKER_AREA,
             "ran job=%" PRIu64 " reason=%s seconds=%u compile_ms=%" PRIu64 " kernel_ms=%" PRIu64
             " message=\"%s\"",
             o->job, reason_name(o->result.reason), o->result.seconds, o->result.compile_ms,
             o->result.kernel_ms, o->result.message);
}

static void on_run_ended(struct worker *w, struct run_outcome *o)
{
    enum status status = o->status;
    if (status == OK && o->result.reason == REASON_UNSUPPORTED) {
        note_failure(w, o->job, RETRIES_MAX);
        log_warn(WORKER_AREA, "cannot run job=%" PRIu64 ": %s", o->job, o->result.message);
        return;
    }
    if (status == OK) status = store_result(w, o);
    if (status == OK) {
        record_run(w, o);
        return;
    }
    remove(o->result_path);
    run_pool_forget(w->pool, o->job); /* what it went on from may be what is wrong */
    note_failure(w, o->job, 1);
    log_error(WORKER_AREA, "run failed here job=%" PRIu64 " status=%s: %s", o->job,
              status_text(status), o->error);
}

void worker_collect_runs(struct worker *w)
{
    struct run_outcome outcome;
    while (run_pool_collect(w->pool, &outcome)) {
        on_run_ended(w, &outcome);
        run_result_finish(&outcome.result);
        w->look_again = true;
    }
}

/* --- acting on one job --- */

static void advance(struct worker *w, const struct journal_entry *entry, enum journal_stage stage)
{
    assert(entry != NULL); /* worker_decide seals and reveals only what the journal holds */
    struct journal_entry next = *entry;
    if (next.stage >= stage) return;
    next.stage = stage;
    journal_put(w->journal, &next);
}

static void start_run(struct worker *w, const struct chain_job *job)
{
    char path[PATH_MAX];
    struct blob_key key = {job->id, job->bundle_root};
    if (blobs_path(w->blobs, path, &key) != OK) return;
    struct journal_entry entry = {.job = job->id, .stage = JOURNAL_STARTED};
    journal_put(w->journal, &entry);
    log_info(WORKER_AREA, "running job=%" PRIu64 " seconds_limit=%u", job->id, job->seconds_limit);
    run_pool_start(w->pool, job->id, path, job->seconds_limit);
}

static void report(struct worker *w, const char *what, uint64_t job, enum status status)
{
    if (status == OK)
        log_info(WORKER_AREA, "%s job=%" PRIu64, what, job);
    else
        log_warn(WORKER_AREA, "%s failed job=%" PRIu64 " status=%s: %s", what, job,
                 status_text(status), rpc_problem(w->rpc));
}

static void sweep(struct worker *w, uint64_t job)
{
    struct u256 credit;
    if (chain_credit(&w->chain, &credit, CONTRACT_JOBS) != OK || u256_is_zero(credit)) return;
    report(w, "paid out to the owner after", job, chain_sweep(&w->chain, CONTRACT_JOBS));
}

/* Bundle and result stay: a challenge, or a demand, may still come. */
static void settle_job(struct worker *w, const struct chain_job *job,
                       const struct journal_entry *entry)
{
    advance(w, entry, JOURNAL_SETTLED);
    log_info(WORKER_AREA, "settled job=%" PRIu64 " state=%d", job->id, (int)job->state);
    sweep(w, job->id);
}

static void end_job(struct worker *w, const struct chain_job *job,
                    const struct journal_entry *entry)
{
    struct journal_entry ended = entry ? *entry : (struct journal_entry){.job = job->id};
    ended.stage = JOURNAL_ENDED;
    ended.ended_at_s = job->ended_at_s ? job->ended_at_s : w->now_s;
    journal_put(w->journal, &ended);
    run_pool_forget(w->pool, job->id);
    worker_make_known(w, job, &ended);
    keeping_drop_bundle(&w->keeping, job->id, &job->bundle_root);
    log_info(WORKER_AREA, "ended job=%" PRIu64 " state=%d", job->id, (int)job->state);
    sweep(w, job->id);
}

static void act(struct worker *w, const struct worker_view *v, enum worker_action action,
                enum decline_reason why)
{
    enum status status = OK;
    switch (action) {
    case ACT_WAIT: return;
    case ACT_RUN: start_run(w, v->job); break;
    case ACT_SEAL:
        status = chain_seal(&w->chain, v->entry);
        if (status == OK) advance(w, v->entry, JOURNAL_SEALED);
        report(w, "sealed", v->job->id, status);
        break;
    case ACT_REVEAL:
        status = chain_reveal(&w->chain, v->entry);
        if (status == OK) advance(w, v->entry, JOURNAL_REVEALED);
        report(w, "revealed", v->job->id, status);
        break;
    case ACT_DECLINE:
        status = chain_decline(&w->chain, v->job->id, why);
        report(w, "declined", v->job->id, status);
        break;
    case ACT_SETTLE: settle_job(w, v->job, v->entry); break;
    case ACT_END: end_job(w, v->job, v->entry); break;
    }
    w->look_again = true;
}

void worker_make_known(struct worker *w, const struct chain_job *job,
                       const struct journal_entry *entry)
{
    struct known_job known = {.id = job->id,
                              .renter = job->renter,
                              .bundle_root = job->bundle_root,
                              .bundle_size = job->bundle_size,
                              .over = job->state >= CHAIN_JOB_AGREED && !job->at_risk};
    known.takes_bundle =
        job->mine && job->replica == CHAIN_REPLICA_ASSIGNED && job->state < CHAIN_JOB_REVEALING;
    if (entry && entry->stage >= JOURNAL_RAN) {
        known.result_root = entry->root;
        known.result_size = entry->output_size;
        known.gives_result = job->replica >= CHAIN_REPLICA_REVEALED && w->fault != FAULT_WITHHOLD;
    }
    blobs_own(w->blobs, job->id, &job->renter);
    if (!known_jobs_put(w->known, &known))
        log_limited(LOG_WARN, WORKER_AREA, "too many known jobs");
}

/* What the renter sends to one of the job's workers, the others fetch there. */
static void relay_bundle(struct worker *w, const struct chain_job *job, bool whole)
{
    struct gateway_content bundle = {job->id, job->bundle_root, job->bundle_size};
    bool waits = job->replica == CHAIN_REPLICA_ASSIGNED && job->state < CHAIN_JOB_REVEALING;
    if (waits && !whole)
        bundle_relay_want(w->relay, &bundle, &job->renter, job->others, job->other_count);
    else
        bundle_relay_drop(w->relay, job->id);
}

void worker_look_at_job(struct worker *w, uint64_t id)
{
    struct chain_job job;
    struct journal_entry entry;
    if (chain_find_job(&w->chain, &job, id) != OK) return;
    bool noted = journal_find(w->journal, &entry, id, 0) == OK;
    if (!job.mine) { /* given to another after a missed deadline */
        if (noted && job.state >= CHAIN_JOB_AGREED) end_job(w, &job, &entry);
        return;
    }
    worker_make_known(w, &job, noted ? &entry : NULL);
    worker_admit(w, &job);
    struct blob_key key = {id, job.bundle_root};
    struct blob_state bundle = blobs_state(w->blobs, &key);
    relay_bundle(w, &job, bundle.whole);
    struct worker_view view = {.job = &job,
                               .entry = noted ? &entry : NULL,
                               .running = run_pool_is_running(w->pool, id),
                               .cannot_run = cannot_run(w, id),
                               .slot_free = run_pool_has_free_slot(w->pool),
                               .draining = worker_draining(w),
                               .bundle_whole = bundle.whole,
                               .bundle_held = bundle.held + bundle.offered,
                               .now_s = w->now_s,
                               .decline_window_s = w->chain.decline_window_s,
                               .upload_s = w->config->upload_seconds,
                               .fault = w->fault};
    enum decline_reason why = DECLINE_INTERNAL;
    enum worker_action action = worker_decide(&view, &why);
    if (action != ACT_WAIT)
        log_debug(WORKER_AREA, "job=%" PRIu64 " action=%s", id, worker_action_text(action));
    act(w, &view, action, why);
}
