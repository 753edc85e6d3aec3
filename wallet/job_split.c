#include "wallet/job_split.h"

#include "base/file.h"
#include "base/hex.h"
#include "compute/split.h"
#include "wallet/job_local.h"
#include "wallet/job_part.h"
#include "wallet/job_result.h"
#include "wallet/output.h"

#include <assert.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PRICE_BYTES_MAX 4096
#define UNDER_WAY_MIN   4 /* orders that wait for a worker cost nothing but locked money */

struct split_run {
    struct split_job job;
    struct part *parts;
    char output[PATH_MAX];
    uint32_t under_way_max;
    struct bundle_info joined;
    struct buffer report;
};

int split_wanted(struct session *s, uint32_t *out_parts, const char *folder)
{
    char error[JOB_ERROR_SIZE] = "";
    uint32_t preset = 0;
    uint64_t wanted = 0;
    if (split_read(&preset, error, folder) != OK) return fail(s, CODE_USAGE, "%s", error);
    int code = option_number(s, &wanted, OPTION_SPLIT, preset, SPLIT_PARTS_MAX);
    if (code == CODE_DONE && s->in->values[OPTION_SPLIT] != NULL && preset == 0)
        code = fail(s, CODE_USAGE, "job.json has no \"split\": this job cannot be done in parts");
    if (code == CODE_DONE && preset != 0 && wanted == 0)
        code = fail(s, CODE_USAGE, "--split must be 1 to %d, not 0", SPLIT_PARTS_MAX);
    *out_parts = (uint32_t)wanted;
    return code;
}

/* ---- before ---------------------------------------------------------------------------------- */

/* NAME-split-N in the current folder, unless --output says otherwise; the work folder beside it. */
static int choose_folders(struct split_run *r)
{
    struct session *s = r->job.session;
    char copy[PATH_MAX];
    char name[PATH_MAX];
    const char *given = s->in->values[OPTION_OUTPUT];
    snprintf(copy, sizeof copy, "%s", r->job.folder);
    snprintf(name, sizeof name, "%.200s-split-%u", basename(copy), r->job.parts);
    int code = absolute_path(s, r->output, given != NULL ? given : name);
    if (code == CODE_DONE) code = check_empty_folder(s, r->output);
    if (code == CODE_DONE &&
        snprintf(r->job.work, sizeof r->job.work, "%.4000s.parts", r->output) > 4000)
        code = fail(s, CODE_USAGE, "the path is too long");
    return code;
}

static int make_work_folder(struct split_run *r)
{
    static const char *const KINDS[] = {"jobs", "notes", "results"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        snprintf(path, sizeof path, "%.4060s/%s", r->job.work, KINDS[i]);
        if ((i == 0 && directory_make(r->job.work, 0700) != OK) || directory_make(path, 0700) != OK)
            return fail(r->job.session, CODE_FAILED, "cannot make %s: %s", path, strerror(errno));
    }
    return CODE_DONE;
}

static void price_path(char out[PATH_MAX], const struct split_run *r)
{
    snprintf(out, PATH_MAX, "%.4060s/price.json", r->job.work);
}

/* Taken up again, parts under way keep the very workers busy whose offers would tell the price. */
static void read_price(struct split_run *r)
{
    char path[PATH_MAX], error[JSON_ERROR_SIZE];
    json_t *o = NULL;
    price_path(path, r);
    if (json_load_path(&o, error, path, PRICE_BYTES_MAX) != OK) return;
    r->job.price = abi_get_u256(o, "price");
    json_decref(o);
}

static int write_price(struct split_run *r)
{
    char path[PATH_MAX];
    price_path(path, r);
    json_t *o = json_pack("{s:o}", "price", abi_u256(r->job.price));
    enum status status = json_save_path(o, path, 0600);
    json_decref(o);
    return status == OK ? CODE_DONE : fail(r->job.session, CODE_FAILED, "cannot write %s", path);
}

/* The first part's order tells the price, and how many workers there are for all. */
static int price_all(struct split_run *r, struct u256 *out_total)
{
    struct split_job *j = &r->job;
    struct job_order *o = &r->parts[0].order;
    if (j->session->in->values[OPTION_MAX_PRICE] == NULL) read_price(r);
    int code = part_order(j, &r->parts[0]);
    if (code != CODE_DONE) return code;
    uint64_t at_once = 2 * o->fitting / o->replicas; /* one runs, the next waits behind it */
    if (at_once < UNDER_WAY_MIN) at_once = UNDER_WAY_MIN;
    r->under_way_max = at_once < j->parts ? (uint32_t)at_once : j->parts;
    j->price = o->price;
    if (j->session->in->values[OPTION_START_WINDOW] == NULL)
        j->start_window_s = o->start_window_s + 2 * o->seconds;
    *out_total = u256_mul(o->total, u256_from_u64(j->parts));
    if (!j->session->json) {
        order_print(o);
        fprintf(stderr, "parts      %u of these, up to %u at once\n", j->parts, r->under_way_max);
    }
    return CODE_DONE;
}

static int say_price(struct split_run *r, struct u256 total)
{
    char text[AMOUNT_TEXT_SIZE];
    json_t *o = json_pack("{s:i}", "parts", (int)r->job.parts);
    order_to_json(o, &r->parts[0].order);
    json_set_amount(o, "totalOfAll", total);
    if (r->job.session->json) {
        print_json(o);
        return CODE_DONE;
    }
    json_decref(o);
    amount_to_short(text, total);
    fprintf(stderr, "all        lock %s; nothing was sent (--dry-run)\n", text);
    return CODE_DONE;
}

/* ---- all parts ------------------------------------------------------------------------------- */

static uint32_t count_stage(const struct split_run *r, enum part_stage stage)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < r->job.parts; i++)
        count += r->parts[i].stage == stage ? 1 : 0;
    return count;
}

static int begin_next(struct split_run *r)
{
    if (count_stage(r, PART_UNDER_WAY) >= r->under_way_max) return CODE_DONE;
    for (uint32_t i = 0; i < r->job.parts; i++) {
        if (r->parts[i].stage == PART_WAITING) return part_begin(&r->job, &r->parts[i]);
    }
    return CODE_DONE;
}

static int look_at_all(struct split_run *r)
{
    for (uint32_t i = 0; i < r->job.parts; i++) {
        if (r->parts[i].stage != PART_UNDER_WAY) continue;
        int code = part_look(&r->job, &r->parts[i]);
        if (code != CODE_DONE) return code;
    }
    progress_waiting(&r->job.progress, "%u of %u parts done, %u under way",
                     count_stage(r, PART_DONE), r->job.parts, count_stage(r, PART_UNDER_WAY));
    progress_tick(&r->job.progress);
    return CODE_DONE;
}

static int run_all(struct split_run *r)
{
    struct rpc *rpc = r->job.session->rpc;
    uint32_t patience = rpc_patience(rpc);
    int code = CODE_DONE;
    rpc_set_patience(rpc, FOLLOW_PATIENCE_MS);
    while (code == CODE_DONE && count_stage(r, PART_DONE) < r->job.parts) {
        code = begin_next(r);
        if (code == CODE_DONE) code = look_at_all(r);
        if (code == CODE_DONE && rpc_stopped(rpc)) code = CODE_STOPPED;
        if (code == CODE_DONE) follow_pause();
    }
    rpc_set_patience(rpc, patience);
    return code;
}

/* ---- the end --------------------------------------------------------------------------------- */

static int join(struct split_run *r)
{
    char error[JOB_ERROR_SIZE] = "";
    char results[PATH_MAX];
    snprintf(results, sizeof results, "%.4060s/results", r->job.work);
    enum status status =
        split_join(&r->joined, error, r->job.whole, results, r->job.parts, r->output);
    if (status == OK) status = job_present_result(r->job.whole, r->output, &r->report, error);
    if (status != OK) return fail(r->job.session, CODE_FAILED, "joining: %s", error);
    progress_stage(&r->job.progress, &(struct stage){.name = "joined"}, "%u parts", r->job.parts);
    return CODE_DONE;
}

static void print_end(struct split_run *r, bool local)
{
    char root[67], paid_text[AMOUNT_TEXT_SIZE], refunded_text[AMOUNT_TEXT_SIZE];
    struct u256 paid = u256_from_u64(0), refunded = u256_from_u64(0);
    for (uint32_t i = 0; i < r->job.parts; i++)
        part_add_money(&r->parts[i], &paid, &refunded);
    hash_to_text(root, &r->joined.root);
    if (r->job.session->json) {
        json_t *o =
            json_pack("{s:i,s:s,s:s,s:f,s:O,s:o}", "parts", (int)r->job.parts, "root", root,
                      "output", r->output, "seconds", progress_seconds(&r->job.progress), "stages",
                      r->job.progress.stages, "report", lines_to_json(buffer_text(&r->report)));
        json_set_amount(o, "paid", paid);
        json_set_amount(o, "refunded", refunded);
        print_json(o);
        return;
    }
    amount_to_short(paid_text, paid);
    amount_to_short(refunded_text, refunded);
    printf("result     %s\nroot       %s\n%s", r->output, root, buffer_text(&r->report));
    if (!local) printf("cost       %s paid, %s refunded\n", paid_text, refunded_text);
}

static int run_on_chain(struct split_run *r)
{
    struct session *s = r->job.session;
    struct u256 total;
    int code = session_connect(s);
    if (code == CODE_DONE) code = job_records_folder(s, r->job.records);
    if (code == CODE_DONE) code = price_all(r, &total);
    if (code == CODE_DONE && option_on(s->in, OPTION_DRY_RUN)) return say_price(r, total);
    if (code == CODE_DONE) code = session_unlock(s);
    if (code == CODE_DONE) code = submit_check_funds(s, &r->job.progress, total);
    s->tells_stop = true;
    if (code == CODE_DONE) code = write_price(r);
    if (code == CODE_DONE) code = run_all(r);
    if (code == CODE_DONE) code = join(r);
    struct follow last = {.session = s, .progress = &r->job.progress};
    if (code == CODE_DONE || code == CODE_JOB_FAILED) {
        int end = result_withdraw(&last);
        if (code == CODE_DONE) code = end;
    }
    return code;
}

static int run_here(struct split_run *r)
{
    char folder[PATH_MAX], results[PATH_MAX], error[JOB_ERROR_SIZE] = "";
    for (uint32_t i = 0; i < r->job.parts; i++) {
        if (!part_path(folder, &r->job, "jobs", i) || !part_path(results, &r->job, "results", i))
            return fail(r->job.session, CODE_USAGE, "the path is too long");
        if (folder_remove(folder) != OK || folder_remove(results) != OK ||
            split_make_part(error, r->job.folder, folder, i, r->job.parts) != OK)
            return fail(r->job.session, CODE_USAGE, "%s", error);
        progress_waiting(&r->job.progress, "part %u of %u", i, r->job.parts);
        int code = local_run(r->job.session, &r->job.progress, folder, results, NULL);
        if (code != CODE_DONE) return code;
    }
    return join(r);
}

/* A dry run leaves no folder behind, unless an earlier run has parts in it. */
static void drop_unused(const struct split_run *r)
{
    static const char *const KINDS[] = {"jobs", "notes", "results"};
    char path[PATH_MAX];
    if (!part_path(path, &r->job, "jobs", 0) || folder_remove(path) != OK) return;
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        snprintf(path, sizeof path, "%.4060s/%s", r->job.work, KINDS[i]);
        rmdir(path);
    }
    rmdir(r->job.work);
}

static void drop_work_folder(struct split_run *r, int code)
{
    bool dry = option_on(r->job.session->in, OPTION_DRY_RUN);
    if (dry) drop_unused(r);
    if (code == CODE_DONE && !dry && folder_remove(r->job.work) != OK)
        fprintf(stderr, "leasehold: cannot remove %s\n", r->job.work);
    if (code == CODE_STOPPED)
        fail(r->job.session, CODE_STOPPED, "stopped; the same command goes on where it was");
}

static int run(struct split_run *r)
{
    struct session *s = r->job.session;
    char error[JOB_ERROR_SIZE] = "";
    bool local = option_on(s->in, OPTION_LOCAL);
    int code = absolute_path(s, r->job.folder, s->in->words[0]);
    if (code == CODE_DONE && split_load_whole(&r->job.whole, error, r->job.folder) != OK)
        code = fail(s, CODE_USAGE, "%s", error);
    if (code == CODE_DONE && option_on(s->in, OPTION_DETACH))
        code = fail(s, CODE_USAGE, "a split job takes no --detach: somebody must join its parts");
    if (code == CODE_DONE) code = choose_folders(r);
    if (code == CODE_DONE) code = make_work_folder(r);
    if (code == CODE_DONE) {
        code = local ? run_here(r) : run_on_chain(r);
        progress_waiting(&r->job.progress, "%s", "");
        if (code == CODE_DONE && r->report.size + r->joined.size_bytes > 0) print_end(r, local);
        drop_work_folder(r, code);
    }
    return code;
}

int split_run(struct session *s, uint32_t parts)
{
    struct split_run *r = calloc(1, sizeof *r);
    assert(parts >= 1 && parts <= SPLIT_PARTS_MAX);
    if (r == NULL || (r->parts = calloc(parts, sizeof *r->parts)) == NULL) {
        free(r);
        return fail(s, CODE_FAILED, "no memory");
    }
    r->job.session = s;
    r->job.parts = parts;
    stop_watch();
    progress_init(&r->job.progress, s->json);
    for (uint32_t i = 0; i < parts; i++) {
        r->parts[i].number = i;
        progress_init(&r->parts[i].progress, true); /* quiet */
    }
    int code = run(r);
    for (uint32_t i = 0; i < parts; i++)
        part_finish(&r->parts[i]);
    progress_finish(&r->job.progress);
    job_destroy(r->job.whole);
    buffer_finish(&r->report);
    free(r->parts);
    free(r);
    return code;
}
