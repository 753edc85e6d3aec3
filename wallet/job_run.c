/* job run and job resume: from a folder to a picture. */
#include "base/file.h"
#include "base/hex.h"
#include "base/units.h"
#include "compute/reason.h"
#include "wallet/handlers.h"
#include "wallet/job_local.h"
#include "wallet/job_result.h"
#include "wallet/job_split.h"
#include "wallet/job_submit.h"
#include "wallet/output.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>

struct running {
    struct session *s;
    struct progress progress;
    struct job_order order;
    struct job_record record;
    struct uploads uploads;
    struct follow follow;
    struct buffer report;
    bool fetched;
};

/* ---- before anything is sent ---- */

static int check_output(struct running *r)
{
    const char *given = r->s->in->values[OPTION_OUTPUT];
    if (given == NULL) return CODE_DONE;
    int code = absolute_path(r->s, r->record.output, given);
    return code == CODE_DONE ? check_empty_folder(r->s, r->record.output) : code;
}

/* NAME-job-ID in the current folder, unless --output says otherwise. */
static int choose_output(struct running *r)
{
    char copy[PATH_MAX];
    char name[PATH_MAX];
    if (r->record.output[0] != '\0') return CODE_DONE;
    snprintf(copy, sizeof copy, "%s", r->record.folder);
    snprintf(name, sizeof name, "%.200s-job-%llu", basename(copy),
             (unsigned long long)r->record.job);
    return absolute_path(r->s, r->record.output, name);
}

static int dry_run(struct running *r)
{
    json_t *o = json_object();
    order_to_json(o, &r->order);
    if (r->s->json) {
        print_json(o);
        return CODE_DONE;
    }
    json_decref(o);
    order_print(&r->order);
    fprintf(stderr, "nothing was sent (--dry-run)\n");
    return CODE_DONE;
}

/* ---- submission ---- */

static int submit(struct running *r, const char *records)
{
    int code = submit_order(r->s, &r->progress, &r->order, &r->record);
    if (code == CODE_DONE) code = submit_keep(r->s, &r->order, &r->record, records);
    if (code == CODE_DONE) code = choose_output(r);
    return code == CODE_DONE ? job_record_save(r->s, &r->record) : code;
}

/* ---- the end ---- */

static void add_money(json_t *o, const json_t *state)
{
    json_set_amount(o, "paid", abi_get_u256(state, "paid"));
    json_set_amount(o, "refunded", abi_get_u256(state, "refunded"));
    json_set_amount(o, "compensated", abi_get_u256(state, "compensated"));
}

static void print_end_json(struct running *r, int code)
{
    const json_t *state = r->follow.state;
    json_t *o = json_pack(
        "{s:I,s:s,s:s,s:o,s:s,s:f,s:O,s:O,s:o,s:i}", "job", (json_int_t)r->record.job, "state",
        job_state_name(abi_get_u64(state, "state")), "reason",
        job_reason_text(abi_get_u64(state, "reason")), "root",
        json_deep_copy(abi_get(state, "root")), "output", r->fetched ? r->record.output : "",
        "seconds", progress_seconds(&r->progress), "stages", r->progress.stages, "replicas",
        r->follow.replicas, "report", lines_to_json(buffer_text(&r->report)), "exitCode", code);
    json_object_set_new(o, "exitReason",
                        json_string(reason_name((unsigned)abi_get_u64(state, "exitReason"))));
    add_money(o, state);
    print_json(o);
}

static void print_end_text(struct running *r)
{
    char paid[AMOUNT_TEXT_SIZE];
    char refunded[AMOUNT_TEXT_SIZE];
    char compensated[AMOUNT_TEXT_SIZE];
    const json_t *state = r->follow.state;
    amount_to_short(paid, abi_get_u256(state, "paid"));
    amount_to_short(refunded, abi_get_u256(state, "refunded"));
    amount_to_short(compensated, abi_get_u256(state, "compensated"));
    fflush(stderr);
    if (r->fetched) printf("result     %s\n", r->record.output);
    if (r->fetched) printf("%s", buffer_text(&r->report));
    printf("cost       %s paid, %s refunded", paid, refunded);
    if (!u256_is_zero(abi_get_u256(state, "compensated")))
        printf(", %s from slashed stake", compensated);
    printf("\n");
}

static int fetch_result(struct running *r)
{
    struct result_target target = {0};
    snprintf(target.output, sizeof target.output, "%s", r->record.output);
    snprintf(target.folder, sizeof target.folder, "%s", r->record.folder);
    snprintf(target.scratch, sizeof target.scratch, "%s", r->record.directory);
    int code = result_fetch(&r->follow, &r->report, &target);
    r->fetched = code == CODE_DONE;
    return code;
}

/* The job's own exit code: whether there is a result to fetch. */
static int verdict(struct running *r)
{
    const json_t *state = r->follow.state;
    uint64_t how = abi_get_u64(state, "state");
    uint64_t exit_reason = abi_get_u64(state, "exitReason");
    if (how != JOB_AGREED && how != JOB_SETTLED) {
        fprintf(stderr, "leasehold: job %llu: %s\n", (unsigned long long)r->record.job,
                job_reason_text(abi_get_u64(state, "reason")));
        return CODE_JOB_FAILED;
    }
    if (exit_reason == REASON_OK) return CODE_DONE;
    fprintf(stderr, "leasehold: job %llu: no result: %s (%s); its workers agree and are paid\n",
            (unsigned long long)r->record.job, reason_text((unsigned)exit_reason),
            reason_name((unsigned)exit_reason));
    return CODE_JOB_FAILED;
}

static int follow_to_the_end(struct running *r)
{
    struct gateway_content content = {r->record.job, r->record.bundle_root, r->record.bundle_size};
    char tar[PATH_MAX];
    snprintf(tar, sizeof tar, "%.4060s/bundle.tar", r->record.directory);
    uploads_init(&r->uploads, &content, tar, &r->s->sender.key);
    r->follow = (struct follow){.session = r->s,
                                .progress = &r->progress,
                                .uploads = &r->uploads,
                                .job = r->record.job,
                                .next_block = r->record.submitted_block};
    r->s->tells_stop = true;
    int code = follow_job(&r->follow);
    if (code == CODE_DONE) {
        int end = verdict(r);
        if (end == CODE_DONE) end = fetch_result(r);
        code = result_withdraw(&r->follow);
        if (code == CODE_DONE) code = end;
        progress_waiting(&r->progress, "%s", "");
        bool ended = code != CODE_STOPPED && (end == CODE_DONE || end == CODE_JOB_FAILED);
        if (r->s->json && ended) print_end_json(r, code);
        if (!r->s->json && code != CODE_STOPPED) print_end_text(r);
    }
    if (code == CODE_STOPPED)
        fail(r->s, CODE_STOPPED, "stopped; go on with: leasehold job resume %llu",
             (unsigned long long)r->record.job);
    uploads_stop(&r->uploads);
    return code;
}

static int detach(struct running *r)
{
    if (r->s->json) {
        print_json(json_pack("{s:I,s:s,s:O}", "job", (json_int_t)r->record.job, "state",
                             "submitted", "stages", r->progress.stages));
    } else {
        printf("job %llu; bring it to its end with: leasehold job resume %llu\n",
               (unsigned long long)r->record.job, (unsigned long long)r->record.job);
    }
    return CODE_DONE;
}

static int run_order(struct running *r, const char *records)
{
    if (!r->s->json) order_print(&r->order);
    int code = submit_check_funds(r->s, &r->progress, r->order.total);
    if (code == CODE_DONE) code = submit(r, records);
    if (code != CODE_DONE) return code;
    return option_on(r->s->in, OPTION_DETACH) ? detach(r) : follow_to_the_end(r);
}

static void finish(struct running *r)
{
    follow_finish(&r->follow);
    order_finish(&r->order);
    progress_finish(&r->progress);
    buffer_finish(&r->report);
    free(r);
}

static int run_whole(struct session *s)
{
    struct running *r = calloc(1, sizeof *r);
    char records[PATH_MAX];
    if (r == NULL) return fail(s, CODE_FAILED, "no memory");
    r->s = s;
    stop_watch();
    progress_init(&r->progress, s->json);
    int code = check_output(r);
    if (code == CODE_DONE) code = order_read(s, &r->order, s->in->words[0]);
    if (code == CODE_DONE) code = session_connect(s);
    if (code == CODE_DONE) code = job_records_folder(s, records);
    if (code == CODE_DONE) code = order_price(s, &r->order, records);
    if (code == CODE_DONE && option_on(s->in, OPTION_DRY_RUN)) {
        code = dry_run(r);
    } else if (code == CODE_DONE) {
        code = session_unlock(s);
        if (code == CODE_DONE) code = run_order(r, records);
    }
    finish(r);
    return code;
}

int job_run(struct session *s)
{
    uint32_t parts = 0;
    int code = split_wanted(s, &parts, s->in->words[0]);
    if (code != CODE_DONE) return code;
    if (parts != 0) return split_run(s, parts);
    return option_on(s->in, OPTION_LOCAL) ? local_job(s) : run_whole(s);
}

int job_resume(struct session *s)
{
    struct running *r = calloc(1, sizeof *r);
    uint64_t id = 0;
    if (r == NULL) return fail(s, CODE_FAILED, "no memory");
    r->s = s;
    stop_watch();
    progress_init(&r->progress, s->json);
    int code = word_number(s, &id, 0, "the job's id");
    if (code == CODE_DONE) code = session_unlock(s);
    if (code == CODE_DONE && !job_record_load(s, &r->record, id))
        code = fail(s, CODE_USAGE, "job %llu was not submitted from here; see: leasehold job fetch",
                    (unsigned long long)id);
    if (code == CODE_DONE) code = check_output(r);
    if (code == CODE_DONE) code = check_empty_folder(s, r->record.output); /* fetched already? */
    if (code == CODE_DONE) code = follow_to_the_end(r);
    finish(r);
    return code;
}
