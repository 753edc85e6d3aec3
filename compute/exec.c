#include "compute/exec.h"

#include "base/arena.h"
#include "base/fatal.h"
#include "base/file.h"
#include "compute/exec_job.h"
#include "compute/exec_layout.h"
#include "compute/exec_outputs.h"
#include "compute/rootfs.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNPACK_FILES_MAX 256u   /* open at once: as many as an image is deep */
#define USERS_FIRST      64000u /* outside, where root starts the sandbox */
#define USERS_COUNT      900u

struct exec {
    const struct exec_run *run;
    struct sandbox_outcome *out;
    struct bundle_info *info;
    char *error;
    struct arena arena;
    unsigned user;
    const char *root;      /* the unpacked image */
    struct exec_plan said; /* by the image */
    struct exec_plan plan; /* what init is told */
};

static enum status say(struct exec *e, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static enum status say(struct exec *e, enum status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(e->error, EXEC_ERROR_SIZE, format, args);
    va_end(args);
    return status;
}

/* The job is to blame, which is a result. */
static enum status bad_job(struct exec *e, const char *why)
{
    e->out->reason = REASON_BAD_JOB;
    snprintf(e->out->why, sizeof e->out->why, "%s", why);
    return OK;
}

static const char *path_in(struct exec *e, const char *name)
{
    return exec_text(&e->arena, "%s/%s", e->run->folder, name);
}

static enum status find_helper(struct exec *e, const char **out, const char *name)
{
    const char *slash = strrchr(e->run->runner_path, '/');
    assert(slash != NULL); /* run.c made it absolute */
    int size = (int)(slash - e->run->runner_path);
    *out = exec_text(&e->arena, "%.*s/%s", size, e->run->runner_path, name);
    if (access(*out, X_OK) == 0) return OK;
    return say(e, E_UNSUPPORTED, "there is no %s beside leasehold-run", name);
}

/* Users of runs at the same time differ, so that their processes are counted apart. */
static unsigned choose_user(const char *folder)
{
    uint32_t mix = 2166136261u; /* FNV-1a: the folder's name is random */
    for (const char *at = folder; *at != '\0'; at++)
        mix = (mix ^ (uint8_t)*at) * 16777619u;
    return USERS_FIRST + mix % USERS_COUNT;
}

/* Runs a guest whose output goes to a file; what it took is added to the outcome. */
static enum status run_guest(struct exec *e, const struct sandbox_guest *guest, const char *path,
                             uint64_t bytes_max)
{
    struct sandbox_outcome outcome = {.reason = REASON_OK};
    uint64_t spent_s = e->out->wall_ms / 1000;
    if (spent_s >= e->run->seconds) {
        e->out->reason = REASON_TIME;
        return OK;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return say(e, E_IO, "cannot write %.300s: %s", path, strerror(errno));
    struct sandbox_spec spec = {.guest = guest,
                                .seconds = e->run->seconds - (uint32_t)spent_s,
                                .output_bytes = bytes_max,
                                .output_fd = fd,
                                .cancel = e->run->cancel};
    enum status status = sandbox_run(&outcome, e->error, &spec);
    if (close(fd) != 0 && status == OK) status = say(e, E_IO, "cannot write %.300s", path);
    if (status != OK) return status;
    outcome.wall_ms += e->out->wall_ms;
    outcome.compile_ms += e->out->compile_ms;
    buffer_finish(&e->out->log);
    *e->out = outcome;
    return OK;
}

/* ---- the image ----------------------------------------------------------------------------- */

static enum status read_said(struct exec *e, const char *path)
{
    struct buffer text = {0};
    if (file_read(&text, path, EXEC_PLAN_BYTES_MAX) != OK)
        return say(e, E_IO, "cannot read %.300s", path);
    bool good = exec_plan_parse(&e->said, buffer_text(&text), text.size) == OK;
    buffer_finish(&text);
    return good ? OK : bad_job(e, "the image's config makes no sense");
}

static enum status unpack(struct exec *e)
{
    const char *helper, *stream = path_in(e, "image-says");
    const char *image = e->run->job->exec->image;
    struct exec_layout layout = {.arena = &e->arena};
    enum status status = find_helper(e, &helper, "leasehold-unpack");
    if (status != OK) return status;
    if (mkdir(e->root, 0700) != 0 || chmod(e->root, 0777) != 0) { /* its folder is private */
        return say(e, E_IO, "cannot make %.300s: %s", e->root, strerror(errno));
    }
    exec_layout_unpack(&layout, helper, exec_text(&e->arena, "%s/%s", e->run->job_folder, image),
                       e->root);
    const char *const program[] = {"/leasehold-unpack",
                                   "--image",
                                   "/image",
                                   "--root",
                                   "/root",
                                   rootfs_is_layout(image) ? "--layout" : NULL,
                                   NULL};
    struct sandbox_guest guest = {.layout = layout.args,
                                  .program = program,
                                  .calls = SYSCALLS_UNPACK,
                                  .user = e->user,
                                  .open_files_max = UNPACK_FILES_MAX,
                                  .disk_folder = e->root};
    status = run_guest(e, &guest, stream, EXEC_PLAN_BYTES_MAX);
    if (status != OK || e->out->reason != REASON_OK) return status;
    return read_said(e, stream);
}

/* ---- the command --------------------------------------------------------------------------- */

static enum status make_plan(struct exec *e)
{
    static const char *const ALWAYS[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME=" EXEC_WORK_FOLDER, "TMPDIR=" EXEC_TMP_FOLDER};
    struct exec_plan *plan = &e->plan;
    const struct exec_plan *wanted = &e->run->job->exec->plan;
    enum status status = OK;
    plan->seconds = wanted->seconds;
    plan->processes = wanted->processes;
    plan->memory_bytes = wanted->memory_bytes;
    plan->folder_bytes_max = wanted->folder_bytes_max;
    plan->device = e->run->gpu != NULL;
    for (size_t i = 0; i < sizeof ALWAYS / sizeof *ALWAYS && status == OK; i++)
        status = exec_plan_set_env(plan, ALWAYS[i]);
    if (status == OK) status = exec_plan_merge(plan, &e->said, wanted);
    if (status == OK && plan->device) status = exec_layout_gpu_env(plan, e->run->gpu);
    for (uint32_t i = 0; i < wanted->output_count && status == OK; i++) {
        const struct exec_output *o = &wanted->outputs[i];
        status = exec_plan_add_output(plan, o->name, o->path, o->bytes_max);
    }
    if (status != OK) return bad_job(e, "the image and job.json together say too much");
    if (plan->arg_count == 0) return bad_job(e, "neither job.json nor the image has a command");
    return OK;
}

static enum status write_plan(struct exec *e, const char *path)
{
    FILE *out = fopen(path, "w");
    if (out == NULL) return say(e, E_IO, "cannot write %.300s: %s", path, strerror(errno));
    enum status status = exec_plan_print(out, &e->plan);
    if (fchmod(fileno(out), 0644) != 0) status = E_IO;
    if (fclose(out) != 0) status = E_IO;
    return status == OK ? OK : say(e, E_IO, "cannot write %.300s", path);
}

static enum status run_command(struct exec *e, const char *stream)
{
    const char *helper, *plan_path = path_in(e, "exec-plan");
    static const char *const PROGRAM[] = {"/.leasehold/init", "--plan", "/.leasehold/plan", NULL};
    struct exec_layout layout = {.arena = &e->arena};
    enum status status = find_helper(e, &helper, "leasehold-init");
    if (status == OK) status = make_plan(e);
    if (status != OK || e->out->reason != REASON_OK) return status;
    status = write_plan(e, plan_path);
    if (status != OK) return status;
    status = exec_layout_run(&layout, e->run, e->root, helper, plan_path);
    if (status == E_LIMIT) return bad_job(e, "the image has too many entries in its root");
    if (status != OK) return say(e, status, "cannot read %.300s: %s", e->root, strerror(errno));
    struct sandbox_guest guest = {.layout = layout.args,
                                  .program = PROGRAM,
                                  .calls = SYSCALLS_EXEC,
                                  .user = e->user,
                                  .open_files_max = EXEC_OPEN_FILES_MAX};
    return run_guest(e, &guest, stream, exec_outputs_stream_max(&e->plan));
}

/* ---- the outputs --------------------------------------------------------------------------- */

static enum status pack(struct exec *e, const char *folder, char names[][JOB_NAME_SIZE],
                        size_t count)
{
    char error[BUNDLE_ERROR_SIZE];
    const char *pointers[BUNDLE_ENTRIES_MAX];
    for (size_t i = 0; i < count; i++)
        pointers[i] = names[i];
    enum status status =
        bundle_pack_files(e->info, error, folder, pointers, count, e->run->result_tar_path);
    return status == OK ? OK : say(e, status, "%s", error);
}

static enum status take_outputs(struct exec *e, const char *stream)
{
    const char *folder = path_in(e, "outputs");
    char(*names)[JOB_NAME_SIZE] = must_alloc((size_t)BUNDLE_ENTRIES_MAX * JOB_NAME_SIZE);
    size_t count = 0;
    FILE *in = fopen(stream, "r");
    enum status status = in != NULL && mkdir(folder, 0700) == 0 ? OK : E_IO;
    if (status == OK) status = exec_outputs_receive(names, &count, folder, in, &e->plan);
    if (in != NULL) fclose(in);
    if (status == OK) {
        status = pack(e, folder, names, count);
    } else if (status == E_IO) {
        status = say(e, E_IO, "cannot write the outputs: %s", strerror(errno));
    } else { /* init was not heard to its end */
        e->out->reason = REASON_NO_OUTPUT;
        status = OK;
    }
    free(names);
    return status;
}

static enum status run_steps(struct exec *e)
{
    const char *stream = path_in(e, "stream");
    enum status status = unpack(e);
    if (status == OK && e->out->reason == REASON_OK) status = run_command(e, stream);
    if (status == OK && e->out->reason == REASON_OK) status = take_outputs(e, stream);
    if (rootfs_remove(e->root) != OK && status == OK) {
        status = say(e, E_IO, "cannot remove %.300s: %s", e->root, strerror(errno));
    }
    return status;
}

enum status exec_run(struct sandbox_outcome *out, struct bundle_info *info,
                     char error[EXEC_ERROR_SIZE], const struct exec_run *run)
{
    static_assert(EXEC_ERROR_SIZE >= SANDBOX_ERROR_SIZE, "errors of the sandbox must fit");
    struct sandbox_outcome outcome = {.reason = REASON_OK};
    struct exec *e = must_alloc(sizeof *e);
    assert(run->job->exec != NULL && run->seconds >= 1);
    *e = (struct exec){.run = run, .out = &outcome, .info = info, .error = error};
    e->user = choose_user(run->folder);
    e->root = path_in(e, "root");
    enum status status = run_steps(e);
    arena_finish(&e->arena);
    free(e);
    if (status == OK) {
        *out = outcome;
    } else {
        buffer_finish(&outcome.log);
    }
    return status;
}
