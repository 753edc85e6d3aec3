/* job list, show, fetch, cancel. */
#include "base/file.h"
#include "base/hex.h"
#include "base/units.h"
#include "compute/reason.h"
#include "wallet/dispute.h"
#include "wallet/handlers.h"
#include "wallet/job_record.h"
#include "wallet/job_result.h"
#include "wallet/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define JOBS_PAGE 100

/* ---- list ---- */

static int fetch_ids(struct session *s, json_t *ids, const struct address *a)
{
    for (uint64_t start = 0;; start += JOBS_PAGE) {
        json_t *page = NULL;
        int code = session_call(s, &page, CONTRACT_JOBS, "jobsOf",
                                json_pack("[o,o,i]", abi_address(a), abi_u64(start), JOBS_PAGE));
        if (code != CODE_DONE) return code;
        uint64_t total = abi_get_u64(page, "total");
        json_array_extend(ids, json_object_get(page, "ids"));
        json_decref(page);
        if (start + JOBS_PAGE >= total) return CODE_DONE;
    }
}

static void add_row(struct table *t, const json_t *job, const char *id)
{
    char paid[AMOUNT_TEXT_SIZE];
    char when[32];
    char replicas[16];
    const json_t *spec = abi_get(job, "spec");
    amount_to_short(paid, abi_get_u256(job, "paid"));
    time_to_text(when, abi_get_u64(job, "submittedAt"), (uint64_t)time(NULL));
    snprintf(replicas, sizeof replicas, "%llu", (unsigned long long)abi_get_u64(spec, "replicas"));
    table_add(t, (const char *const[]){id, job_state_name(abi_get_u64(job, "state")), replicas,
                                       when, paid});
}

static int list_jobs(struct session *s, const json_t *ids, json_t *jobs, struct table *t)
{
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        json_t *job = NULL;
        int code = session_call(s, &job, CONTRACT_JOBS, "getJob", json_pack("[s]", id));
        if (code != CODE_DONE) return code;
        json_object_set_new(job, "job", json_string(id));
        json_object_set_new(job, "stateName",
                            json_string(job_state_name(abi_get_u64(job, "state"))));
        add_row(t, job, id);
        json_array_append_new(jobs, job);
    }
    return CODE_DONE;
}

int job_list(struct session *s)
{
    struct address a;
    struct table t;
    json_t *ids = json_array();
    json_t *jobs = json_array();
    table_init(&t, 5, (const char *const[]){"JOB", "STATE", "REPLICAS", "SUBMITTED", "PAID"});
    int code = s->in->word_count > 0 ? session_address(s, &a, s->in->words[0])
                                     : session_own_address(s, &a);
    if (code == CODE_DONE) code = session_connect(s);
    if (code == CODE_DONE) code = fetch_ids(s, ids, &a);
    if (code == CODE_DONE) code = list_jobs(s, ids, jobs, &t);
    if (code == CODE_DONE && s->json) print_json(json_incref(jobs));
    bool empty = json_array_size(jobs) == 0;
    if (code == CODE_DONE && !s->json && empty) fprintf(stderr, "leasehold: no jobs yet\n");
    if (code == CODE_DONE && !s->json && !empty) {
        table_print(&t);
    } else {
        json_decref(t.rows);
    }
    json_decref(ids);
    json_decref(jobs);
    return code;
}

/* ---- show ---- */

static void print_replica(const json_t *r, size_t index)
{
    char price[AMOUNT_TEXT_SIZE];
    char reserved[AMOUNT_TEXT_SIZE];
    uint64_t state = abi_get_u64(r, "state");
    amount_to_short(price, abi_get_u256(r, "pricePerSecond"));
    amount_to_short(reserved, abi_get_u256(r, "reserved"));
    printf("worker %zu   %s, %s at %s, %s/s, %s at risk\n", index + 1, replica_state_name(state),
           abi_get_text(r, "provider"), abi_get_text(r, "endpoint"), price, reserved);
    if (state >= REPLICA_REVEALED && state <= REPLICA_FAULTED)
        printf("           root %s, %llu s, %s\n", abi_get_text(r, "root"),
               (unsigned long long)abi_get_u64(r, "secondsUsed"),
               reason_name((unsigned)abi_get_u64(r, "exitReason")));
}

static void print_job(const json_t *job, const json_t *replicas, uint64_t id)
{
    const json_t *spec = abi_get(job, "spec");
    char price[AMOUNT_TEXT_SIZE];
    char escrow[AMOUNT_TEXT_SIZE];
    char paid[AMOUNT_TEXT_SIZE];
    char refunded[AMOUNT_TEXT_SIZE];
    char compensated[AMOUNT_TEXT_SIZE];
    char size[32];
    amount_to_short(price, abi_get_u256(spec, "maxPricePerSecond"));
    amount_to_short(escrow, abi_get_u256(job, "escrow"));
    amount_to_short(paid, abi_get_u256(job, "paid"));
    amount_to_short(refunded, abi_get_u256(job, "refunded"));
    amount_to_short(compensated, abi_get_u256(job, "compensated"));
    size_to_text(size, abi_get_u64(spec, "bundleSize"));
    printf("job        %llu, %s", (unsigned long long)id,
           job_state_name(abi_get_u64(job, "state")));
    if (job_ended((enum job_state)abi_get_u64(job, "state")))
        printf(": %s", job_reason_text(abi_get_u64(job, "reason")));
    printf("\nrenter     %s\nbundle     %s, %s\norder      %llu replicas, at most %llu s each, at "
           "most %s/s\nmoney      %s locked, %s paid, %s refunded, %s from slashed stake\n",
           abi_get_text(job, "renter"), abi_get_text(spec, "bundleRoot"), size,
           (unsigned long long)abi_get_u64(spec, "replicas"),
           (unsigned long long)abi_get_u64(spec, "secondsLimit"), price, escrow, paid, refunded,
           compensated);
    for (size_t i = 0; i < json_array_size(replicas); i++)
        print_replica(json_array_get(replicas, i), i);
}

int job_show(struct session *s)
{
    json_t *dispute = NULL;
    struct follow f = {.session = s};
    int code = word_number(s, &f.job, 0, "the job's id");
    if (code == CODE_DONE) code = session_connect(s);
    if (code == CODE_DONE) code = follow_refresh(&f);
    if (code == CODE_DONE) code = dispute_fetch(s, &dispute, f.job);
    if (code == CODE_DONE && s->json) {
        json_object_set(f.state, "case", dispute);
        json_object_set_new(f.state, "job", json_integer((json_int_t)f.job));
        json_object_set_new(f.state, "stateName",
                            json_string(job_state_name(abi_get_u64(f.state, "state"))));
        json_object_set(f.state, "replicas", f.replicas);
        print_json(json_incref(f.state));
    } else if (code == CODE_DONE) {
        print_job(f.state, f.replicas, f.job);
        dispute_print(dispute);
    }
    json_decref(dispute);
    follow_finish(&f);
    return code;
}

/* ---- fetch ---- */

static int choose_target(struct session *s, struct result_target *t, uint64_t job)
{
    struct job_record record;
    char name[64];
    const char *given = s->in->values[OPTION_OUTPUT];
    bool known = job_record_load(s, &record, job);
    int code = CODE_DONE;
    if (known) {
        snprintf(t->folder, sizeof t->folder, "%s", record.folder);
        snprintf(t->output, sizeof t->output, "%s", record.output);
        snprintf(t->scratch, sizeof t->scratch, "%s", record.directory);
    } else {
        snprintf(name, sizeof name, "job-%llu", (unsigned long long)job);
        code = job_records_folder(s, t->scratch);
        if (code == CODE_DONE) code = absolute_path(s, t->output, name);
    }
    if (code == CODE_DONE && given != NULL) code = absolute_path(s, t->output, given);
    if (code == CODE_DONE) code = check_empty_folder(s, t->output);
    return code;
}

static int check_has_result(struct session *s, const struct follow *f)
{
    uint64_t state = abi_get_u64(f->state, "state");
    uint64_t reason = abi_get_u64(f->state, "exitReason");
    if (state == JOB_ACCEPTING) return CODE_DONE;
    if (!job_ended((enum job_state)state))
        return fail(s, CODE_JOB_FAILED, "job %llu is still %s", (unsigned long long)f->job,
                    job_state_name(state));
    if (state != JOB_AGREED && state != JOB_SETTLED)
        return fail(s, CODE_JOB_FAILED, "job %llu has no result: %s", (unsigned long long)f->job,
                    job_reason_text(abi_get_u64(f->state, "reason")));
    if (reason != REASON_OK)
        return fail(s, CODE_JOB_FAILED, "job %llu has no result: %s", (unsigned long long)f->job,
                    reason_text((unsigned)reason));
    return CODE_DONE;
}

int job_fetch(struct session *s)
{
    struct progress progress;
    struct follow f = {.session = s, .progress = &progress};
    struct result_target target = {0};
    struct buffer report = {0};
    stop_watch();
    progress_init(&progress, s->json);
    int code = word_number(s, &f.job, 0, "the job's id");
    if (code == CODE_DONE) code = session_unlock(s);
    if (code == CODE_DONE) code = follow_refresh(&f);
    if (code == CODE_DONE) code = check_has_result(s, &f);
    if (code == CODE_DONE) code = choose_target(s, &target, f.job);
    if (code == CODE_DONE) code = result_fetch(&f, &report, &target);
    progress_waiting(&progress, "%s", "");
    if (code == CODE_DONE && s->json) {
        print_json(json_pack("{s:I,s:s,s:s}", "job", (json_int_t)f.job, "output", target.output,
                             "report", buffer_text(&report)));
    } else if (code == CODE_DONE) {
        printf("result     %s\n%s", target.output, buffer_text(&report));
    }
    progress_finish(&progress);
    follow_finish(&f);
    buffer_finish(&report);
    return code;
}

/* ---- cancel ---- */

static void print_cancelled(struct session *s, uint64_t id, const struct tx_receipt *r)
{
    char hash[67];
    hash_to_text(hash, &r->hash);
    if (s->json) {
        print_json(json_pack("{s:I,s:s,s:I}", "job", (json_int_t)id, "transactionHash", hash,
                             "blockNumber", (json_int_t)r->block_number));
    } else {
        printf("job %llu cancelled; the whole price is back (block %llu, tx %s)\n",
               (unsigned long long)id, (unsigned long long)r->block_number, hash);
    }
}

int job_cancel(struct session *s)
{
    struct progress progress;
    struct follow f = {.session = s, .progress = &progress};
    struct tx_receipt r = {0};
    progress_init(&progress, s->json);
    int code = word_number(s, &f.job, 0, "the job's id");
    if (code == CODE_DONE) code = session_unlock(s);
    if (code == CODE_DONE)
        code = session_send(s, &r, CONTRACT_JOBS, "cancel", json_pack("[o]", abi_u64(f.job)),
                            u256_from_u64(0));
    if (code == CODE_DONE) code = result_withdraw(&f);
    if (code == CODE_DONE) print_cancelled(s, f.job, &r);
    tx_receipt_finish(&r);
    progress_finish(&progress);
    return code;
}
