#include "wallet/job_part.h"

#include "base/file.h"
#include "compute/reason.h"
#include "compute/split.h"
#include "wallet/job_result.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES_MAX      4 /* refunds of one part; more say that something is wrong */
#define NOTE_BYTES_MAX 4096

bool part_path(char out[PATH_MAX], const struct split_job *j, const char *kind, uint32_t number)
{
    return snprintf(out, PATH_MAX, "%s/%s/%u", j->work, kind, number) < PATH_MAX;
}

static int too_long(const struct split_job *j)
{
    return fail(j->session, CODE_FAILED, "the path of %.80s... is too long", j->work);
}

/* ---- the order ------------------------------------------------------------------------------- */

static int make_folder(struct split_job *j, const struct part *p, char folder[PATH_MAX])
{
    char error[JOB_ERROR_SIZE] = "";
    if (!part_path(folder, j, "jobs", p->number)) return too_long(j);
    if (folder_remove(folder) != OK ||
        split_make_part(error, j->folder, folder, p->number, j->parts) != OK)
        return fail(j->session, CODE_USAGE, "part %u: %s", p->number,
                    error[0] != '\0' ? error : folder);
    return CODE_DONE;
}

int part_order(struct split_job *j, struct part *p)
{
    char folder[PATH_MAX];
    order_finish(&p->order);
    int code = make_folder(j, p, folder);
    if (code == CODE_DONE) code = order_read(j->session, &p->order, folder);
    if (code != CODE_DONE) return code;
    /* The first part's ceiling is everybody's: later ones find the workers busy with the first. */
    if (!u256_is_zero(j->price)) p->order.price = j->price;
    if (j->start_window_s != 0) p->order.start_window_s = j->start_window_s;
    return order_price(j->session, &p->order, j->records);
}

/* ---- notes ----------------------------------------------------------------------------------- */

static bool note_path(char out[PATH_MAX], const struct split_job *j, const struct part *p)
{
    return snprintf(out, PATH_MAX, "%s/notes/%u.json", j->work, p->number) < PATH_MAX;
}

static int write_note(struct split_job *j, const struct part *p)
{
    char path[PATH_MAX];
    if (!note_path(path, j, p)) return too_long(j);
    json_t *o = json_pack("{s:I}", "job", (json_int_t)p->record.job);
    enum status status = json_save_path(o, path, 0600);
    json_decref(o);
    return status == OK ? CODE_DONE : fail(j->session, CODE_FAILED, "cannot write %s", path);
}

static void drop_note(const struct split_job *j, const struct part *p)
{
    char path[PATH_MAX];
    if (note_path(path, j, p)) unlink(path);
}

/* True if this part, as it is now, was submitted by an earlier run. */
static bool read_note(struct split_job *j, struct part *p)
{
    char path[PATH_MAX], error[JSON_ERROR_SIZE];
    json_t *o = NULL;
    if (!note_path(path, j, p) || json_load_path(&o, error, path, NOTE_BYTES_MAX) != OK)
        return false;
    uint64_t job = abi_get_u64(o, "job");
    json_decref(o);
    return job_record_load(j->session, &p->record, job) &&
           hash_equal(&p->record.bundle_root, &p->order.bundle.root);
}

/* ---- the beginning --------------------------------------------------------------------------- */

static bool is_fetched(const struct split_job *j, const struct part *p)
{
    struct stat s;
    char path[PATH_MAX];
    return part_path(path, j, "results", p->number) && stat(path, &s) == 0;
}

static int follow_from_here(struct split_job *j, struct part *p)
{
    struct gateway_content content = {p->record.job, p->record.bundle_root, p->record.bundle_size};
    char tar[PATH_MAX];
    snprintf(tar, sizeof tar, "%.4060s/bundle.tar", p->record.directory);
    uploads_init(&p->uploads, &content, tar, &j->session->sender.key);
    p->follow = (struct follow){.session = j->session,
                                .progress = &p->progress,
                                .uploads = &p->uploads,
                                .job = p->record.job,
                                .next_block = p->record.submitted_block};
    p->stage = PART_UNDER_WAY;
    return CODE_DONE;
}

static int submit(struct split_job *j, struct part *p)
{
    int code = submit_order(j->session, &p->progress, &p->order, &p->record);
    if (code == CODE_DONE) code = submit_keep(j->session, &p->order, &p->record, j->records);
    if (code == CODE_DONE && !part_path(p->record.output, j, "results", p->number))
        code = too_long(j);
    if (code == CODE_DONE) code = job_record_save(j->session, &p->record);
    if (code == CODE_DONE) code = write_note(j, p);
    if (code != CODE_DONE) return code;
    progress_stage(&j->progress, &(struct stage){"submitted", p->record.submitted_block, NULL},
                   "part %u of %u is job %llu", p->number, j->parts,
                   (unsigned long long)p->record.job);
    return CODE_DONE;
}

int part_begin(struct split_job *j, struct part *p)
{
    assert(p->stage == PART_WAITING);
    int code = part_order(j, p);
    if (code != CODE_DONE) return code;
    if (read_note(j, p)) {
        order_finish(&p->order);
        int read = follow_from_here(j, p);
        if (!is_fetched(j, p)) return read;
        p->stage = PART_DONE;
        return follow_refresh(&p->follow);
    }
    char results[PATH_MAX];
    if (!part_path(results, j, "results", p->number)) return too_long(j);
    if (folder_remove(results) != OK)
        return fail(j->session, CODE_FAILED, "cannot remove %s", results);
    code = submit(j, p);
    return code == CODE_DONE ? follow_from_here(j, p) : code;
}

/* ---- the end --------------------------------------------------------------------------------- */

static int fetch(struct split_job *j, struct part *p)
{
    struct result_target target = {0};
    struct buffer report = {0};
    snprintf(target.output, sizeof target.output, "%s", p->record.output);
    snprintf(target.scratch, sizeof target.scratch, "%s", p->record.directory);
    int code = result_fetch(&p->follow, &report, &target);
    buffer_finish(&report);
    if (code != CODE_DONE) return code;
    p->stage = PART_DONE;
    size_t workers = json_array_size(p->follow.replicas);
    progress_stage(&j->progress, &(struct stage){.name = "agreed"},
                   "part %u of %u: by %zu worker%s; its result is here, verified", p->number,
                   j->parts, workers, workers == 1 ? "" : "s");
    return CODE_DONE;
}

static int try_again(struct split_job *j, struct part *p)
{
    const char *why = job_reason_text(abi_get_u64(p->follow.state, "reason"));
    if (++p->tries >= TRIES_MAX)
        return fail(j->session, CODE_JOB_FAILED, "part %u was refunded %u times, the last time: %s",
                    p->number, p->tries, why);
    progress_stage(&j->progress, &(struct stage){.name = "again"}, "part %u was refunded: %s",
                   p->number, why);
    drop_note(j, p);
    follow_finish(&p->follow);
    p->stage = PART_WAITING;
    return CODE_DONE;
}

int part_look(struct split_job *j, struct part *p)
{
    bool ended = false;
    assert(p->stage == PART_UNDER_WAY);
    int code = follow_poll(&p->follow, &ended);
    if (code != CODE_DONE || !ended) return code;
    uploads_stop(&p->uploads);
    uint64_t state = abi_get_u64(p->follow.state, "state");
    uint64_t reason = abi_get_u64(p->follow.state, "exitReason");
    if (state != JOB_AGREED && state != JOB_SETTLED) return try_again(j, p);
    if (reason == REASON_OK) return fetch(j, p);
    return fail(j->session, CODE_JOB_FAILED, "part %u has no result: %s (%s); its workers agree",
                p->number, reason_text((unsigned)reason), reason_name((unsigned)reason));
}

void part_add_money(const struct part *p, struct u256 *paid, struct u256 *refunded)
{
    if (p->follow.state == NULL) return;
    *paid = u256_add(*paid, abi_get_u256(p->follow.state, "paid"));
    *refunded = u256_add(*refunded, abi_get_u256(p->follow.state, "refunded"));
}

void part_finish(struct part *p)
{
    uploads_stop(&p->uploads);
    follow_finish(&p->follow);
    order_finish(&p->order);
    progress_finish(&p->progress);
}
