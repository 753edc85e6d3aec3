#include "compute/run.h"

#include "base/fatal.h"
#include "base/file.h"
#include "compute/card_run.h"
#include "compute/exec.h"
#include "compute/run_keep.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct run {
    const struct run_options *options;
    struct run_result result;
    char *error;
    struct job *job;
    char folder[PATH_MAX]; /* private to this run */
    char runner[PATH_MAX];
    struct hash bundle; /* zero when nobody asks for it */
    struct run_keeper keeper;
};

static enum status say(struct run *r, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static enum status say(struct run *r, enum status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(r->error, RUN_ERROR_SIZE, format, args);
    va_end(args);
    return status;
}

static void path_in(const struct run *r, char out[PATH_MAX], const char *name)
{
    int size = snprintf(out, PATH_MAX, "%s/%s", r->folder, name);
    assert(size > 0 && size < PATH_MAX);
}

enum status run_find_runner(char *out, size_t out_size)
{
    char self[PATH_MAX];
    const char *places[] = {"", "/usr/local/bin/leasehold-run", "/usr/bin/leasehold-run"};
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 20);
    char *slash = NULL;
    if (size > 0) {
        self[size] = '\0';
        slash = strrchr(self, '/');
    }
    if (slash != NULL) {
        memcpy(slash + 1, "leasehold-run", sizeof "leasehold-run");
        places[0] = self;
    }
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (places[i][0] == '\0' || access(places[i], X_OK) != 0) continue;
        if (strlen(places[i]) >= out_size) continue;
        memcpy(out, places[i], strlen(places[i]) + 1);
        return OK;
    }
    return E_NOT_FOUND;
}

static enum status find_runner(struct run *r)
{
    char found[PATH_MAX];
    const char *path = r->options->runner_path;
    if (path == NULL) {
        if (run_find_runner(found, sizeof found) != OK) {
            return say(r, E_UNSUPPORTED, "there is no leasehold-run beside this program");
        }
        path = found;
    }
    if (realpath(path, r->runner) == NULL || access(r->runner, X_OK) != 0) {
        return say(r, E_UNSUPPORTED, "cannot run %.300s: %s", path, strerror(errno));
    }
    return OK;
}

static enum status find_compiler(struct run *r, const char **out)
{
    static const char *const KNOWN[] = {"clang", "clang-14", "g++", "gcc"};
    char path[PATH_MAX];
    const char *wanted = r->options->cc;
    if (wanted != NULL) {
        snprintf(path, sizeof path, wanted[0] == '/' ? "%s" : "/usr/bin/%s", wanted);
        *out = wanted;
        if (access(path, X_OK) == 0) return OK;
        return say(r, E_UNSUPPORTED, "there is no compiler %.300s", path);
    }
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        snprintf(path, sizeof path, "/usr/bin/%s", KNOWN[i]);
        *out = KNOWN[i];
        if (access(path, X_OK) == 0) return OK;
    }
    return say(r, E_UNSUPPORTED, "there is no compiler: install clang");
}

/* A private folder; `job` inside may be read by the sandbox's user, who sees nothing beside it. */
static enum status make_folders(struct run *r)
{
    char path[PATH_MAX];
    const char *base = r->options->work_folder;
    if (base == NULL) base = getenv("TMPDIR");
    if (base == NULL) base = "/tmp";
    if (snprintf(r->folder, sizeof r->folder - 64, "%s/leasehold-job-XXXXXX", base) >=
        (int)sizeof r->folder - 64) {
        return say(r, E_LIMIT, "the path of the work folder is too long");
    }
    if (mkdtemp(r->folder) == NULL) {
        r->folder[0] = '\0';
        return say(r, E_IO, "cannot make a folder in %.300s: %s", base, strerror(errno));
    }
    path_in(r, path, "job");
    if (mkdir(path, 0755) != 0) return say(r, E_IO, "cannot make %.300s", path);
    path_in(r, path, "result");
    if (mkdir(path, 0700) != 0) return say(r, E_IO, "cannot make %.300s", path);
    return OK;
}

/* The job is to blame: that is a result and no failure of this machine. */
static enum status bad_job(struct run *r, const char *why)
{
    r->result.reason = REASON_BAD_JOB;
    snprintf(r->result.message, sizeof r->result.message, "%s", why);
    return OK;
}

/* Folders are packed first, so that a run sees what a provider would get and nothing more. */
static enum status open_job(struct run *r, const char *job_path)
{
    char error[BUNDLE_ERROR_SIZE];
    char tar[PATH_MAX], job[PATH_MAX];
    struct stat s;
    struct bundle_info info;
    path_in(r, tar, "job.tar");
    path_in(r, job, "job");
    if (stat(job_path, &s) != 0) {
        return say(r, E_NOT_FOUND, "%.300s: %s", job_path, strerror(errno));
    }
    enum status status = OK;
    if (S_ISDIR(s.st_mode)) status = bundle_pack_job(&info, error, job_path, tar);
    if (status == OK) status = bundle_unpack(error, S_ISDIR(s.st_mode) ? tar : job_path, job);
    if (status == OK) status = job_load(&r->job, error, job);
    unlink(tar);
    bool asked = status == OK && image_is_kept(&r->job->plan);
    if (asked && !S_ISDIR(s.st_mode) && bundle_info_of_path(&info, job_path) != OK) {
        return say(r, E_IO, "cannot read %.300s: %s", job_path, strerror(errno));
    }
    if (asked) r->bundle = info.root;
    if (status == E_IO) return say(r, E_IO, "%s", error);
    return status == OK ? OK : bad_job(r, error);
}

static enum status write_plan(struct run *r, const char *path)
{
    FILE *out = fopen(path, "w");
    if (out == NULL) return say(r, E_IO, "cannot write %.300s: %s", path, strerror(errno));
    enum status status = plan_print(out, &r->job->plan);
    if (fchmod(fileno(out), 0644) != 0) status = E_IO;
    if (fclose(out) != 0) status = E_IO;
    return status == OK ? OK : say(r, E_IO, "cannot write %.300s", path);
}

static enum status split_one(FILE *in, const char *path, uint64_t size)
{
    char chunk[64 * 1024];
    FILE *out = fopen(path, "w");
    if (out == NULL) return E_IO;
    bool good = true;
    while (good && size > 0) {
        size_t want = size < sizeof chunk ? (size_t)size : sizeof chunk;
        size_t got = fread(chunk, 1, want, in);
        good = got > 0 && fwrite(chunk, 1, got, out) == got;
        size -= got;
    }
    return fclose(out) == 0 && good ? OK : E_IO;
}

/* The runner sends all outputs in one stream; here they become files and then the result's tar. */
static enum status make_result(struct run *r, const char *stream, const char *tar_path)
{
    char error[BUNDLE_ERROR_SIZE];
    char folder[PATH_MAX], path[PATH_MAX];
    const char *names[JOB_BUFFERS_MAX];
    size_t count = 0;
    enum status status = OK;
    struct bundle_info info;
    const struct plan *plan = &r->job->plan;
    path_in(r, folder, "result");
    FILE *in = fopen(stream, "r");
    if (in == NULL) return say(r, E_IO, "cannot read %.300s", stream);
    for (uint32_t i = 0; i < plan->buffer_count && status == OK; i++) {
        if (!plan->buffers[i].output) continue;
        names[count++] = plan->buffers[i].name;
        snprintf(path, sizeof path, "%.3900s/%s", folder, plan->buffers[i].name);
        status = split_one(in, path, plan->buffers[i].size_bytes);
    }
    fclose(in);
    if (status != OK) return say(r, status, "cannot write the outputs: %s", strerror(errno));
    status = bundle_pack_files(&info, error, folder, names, count, tar_path);
    if (status != OK) return say(r, status, "%s", error);
    r->result.root = info.root;
    r->result.size_bytes = info.size_bytes;
    return OK;
}

static uint32_t limit_of(const struct run *r)
{
    const struct run_options *o = r->options;
    uint64_t seconds = r->job->plan.seconds;
    if (o->seconds_max != 0 && o->seconds_max < seconds) seconds = o->seconds_max;
    if (o->seconds_factor > 1) seconds *= o->seconds_factor;
    return seconds > JOB_SECONDS_MAX ? JOB_SECONDS_MAX : (uint32_t)seconds;
}

static uint32_t seconds_of(uint64_t wall_ms, uint32_t limit)
{
    uint64_t seconds = (wall_ms + 999) / 1000;
    if (seconds < 1) seconds = 1;
    return seconds > limit ? limit : (uint32_t)seconds;
}

/* The line of a log that says most: a compiler's first error, else the first line. */
static const char *telling_line(const char *log)
{
    const char *error = strstr(log, "error:");
    if (error == NULL) return log;
    while (error > log && error[-1] != '\n')
        error--;
    return error;
}

static void take_outcome(struct run *r, struct sandbox_outcome *outcome)
{
    struct run_result *result = &r->result;
    result->reason = outcome->reason;
    result->wall_ms = outcome->wall_ms;
    result->compile_ms = outcome->compile_ms;
    result->kernel_ms = outcome->kernel_ms;
    if (outcome->log.size > 0) result->log = must_strdup(buffer_text(&outcome->log));
    buffer_finish(&outcome->log);
    snprintf(result->message, sizeof result->message, "%s", reason_text(outcome->reason));
    if (outcome->why[0] != '\0' && result->reason != REASON_OK) {
        snprintf(result->message, sizeof result->message, "%s: %s", reason_text(outcome->reason),
                 outcome->why);
        return;
    }
    if (result->reason == REASON_OK || result->log == NULL) return;
    const char *line = telling_line(result->log);
    size_t size = strcspn(line, "\n");
    snprintf(result->message, sizeof result->message, "%s: %.*s", reason_text(outcome->reason),
             size < 300 ? (int)size : 300, line);
}

/* What else the run is for: a trace, checkpoints, or something of the caller's own. */
static enum status add_uses(struct run *r, struct sandbox_spec *spec)
{
    const struct run_inside *inside = r->options->inside;
    if (inside != NULL) {
        spec->more_args = inside->runner_args;
        spec->replies = true;
        spec->talk = inside->talk;
        spec->context = inside->context;
        return inside->prepare(inside->context, r->error, r->job, r->folder);
    }
    if (!image_is_kept(&r->job->plan)) return OK;
    enum status status = run_keeper_open(&r->keeper, r->error, r->options->keep, &r->job->plan,
                                         &r->bundle, spec->output_fd);
    if (status == OK) run_keeper_spec(&r->keeper, spec);
    return status;
}

/* With what it takes to reach a card or NVRTC, if the run may use one. */
static enum status run_with_card(struct run *r, struct sandbox_outcome *out,
                                 struct sandbox_spec *spec)
{
    struct card_run *card;
    const struct run_options *o = r->options;
    bool wanted = o->gpu != NULL && o->executor != RUN_CPU && o->inside == NULL;
    if (!wanted && !o->check) return sandbox_run(out, r->error, spec);
    const struct card_run_options options = {.gpu = o->check ? NULL : o->gpu,
                                             .nvrtc = o->nvrtc,
                                             .cache_folder = o->cache_folder,
                                             .runner_path = r->runner,
                                             .job_folder = spec->job_folder,
                                             .run_folder = r->folder,
                                             .plan = &r->job->plan};
    card = must_alloc(sizeof *card);
    enum status status = card_run_prepare(card, &options);
    if (status != OK) say(r, status, "cannot write in %.300s", r->folder);
    if (status == OK) {
        spec->card = &card->card;
        status = sandbox_run(out, r->error, spec);
        if (status == OK) card_run_keep(card);
        card_run_finish(card);
    }
    free(card);
    return status;
}

static enum status run_in_sandbox(struct run *r, const char *cc, const char *tar_path)
{
    char plan[PATH_MAX], job[PATH_MAX], stream[PATH_MAX];
    struct sandbox_outcome outcome;
    const struct run_options *o = r->options;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t seconds = limit_of(r);
    if (seconds > r->job->plan.seconds) r->job->plan.seconds = seconds; /* the runner's own limit */
    path_in(r, plan, "plan");
    path_in(r, job, "job");
    path_in(r, stream, "outputs");
    enum status status = write_plan(r, plan);
    if (status != OK) return status;
    int fd = open(stream, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return say(r, E_IO, "cannot write %.300s: %s", stream, strerror(errno));
    unsigned threads = o->threads != 0 ? o->threads : cores < 1 ? 1 : (unsigned)cores;
    struct sandbox_spec spec = {.runner_path = r->runner,
                                .job_folder = job,
                                .plan_path = plan,
                                .cc = cc,
                                .threads = threads > RUN_THREADS_MAX ? RUN_THREADS_MAX : threads,
                                .seconds = seconds,
                                .output_bytes = plan_output_bytes(&r->job->plan),
                                .output_fd = fd,
                                .cancel = o->cancel};
    static const char *const CHECK[] = {"--check", NULL};
    if (o->check) {
        spec.more_args = CHECK;
        spec.output_bytes = 0;
    } else {
        status = add_uses(r, &spec);
    }
    if (status == OK) status = run_with_card(r, &outcome, &spec);
    if (close(fd) != 0 && status == OK) status = say(r, E_IO, "cannot write %.300s", stream);
    if (status != OK) return status;
    take_outcome(r, &outcome);
    r->result.seconds = seconds_of(r->result.wall_ms, seconds);
    if (r->result.reason != REASON_OK || o->inside != NULL || o->check) return OK;
    if (image_is_kept(&r->job->plan) && run_keeper_end(&r->keeper, &r->result) != OK) {
        return say(r, E_IO, "cannot write the trace: %s", strerror(errno));
    }
    return r->result.reason == REASON_OK ? make_result(r, stream, tar_path) : OK;
}

/* Kernels that may use any instruction, and commands: no result that others could check. */
static enum status run_unchecked(struct run *r, const char *tar_path)
{
    char job[PATH_MAX];
    struct sandbox_outcome outcome;
    struct bundle_info info = {0};
    uint32_t seconds = limit_of(r);
    if (r->options->inside != NULL || r->options->check) {
        return say(r, E_UNSUPPORTED, "a job of runtime %s cannot be checked by running it again",
                   r->job->runtime);
    }
    if (r->job->exec == NULL) {
        return say(r, E_UNSUPPORTED, "runtime %s needs a GPU", r->job->runtime);
    }
    path_in(r, job, "job");
    struct exec_run run = {.job = r->job,
                           .job_folder = job,
                           .folder = r->folder,
                           .runner_path = r->runner,
                           .result_tar_path = tar_path,
                           .seconds = seconds,
                           .gpu = r->options->executor != RUN_CPU ? r->options->gpu : NULL,
                           .cancel = r->options->cancel};
    enum status status = exec_run(&outcome, &info, r->error, &run);
    if (status != OK) return status;
    take_outcome(r, &outcome);
    r->result.seconds = seconds_of(r->result.wall_ms, seconds);
    r->result.root = info.root;
    r->result.size_bytes = info.size_bytes;
    return OK;
}

static enum status run_steps(struct run *r, const char *job_path, const char *tar_path)
{
    const char *cc = NULL;
    if (r->options->executor == RUN_CUDA && r->options->gpu == NULL && !r->options->check) {
        return say(r, E_UNSUPPORTED, "there is no card for the cuda executor");
    }
    enum status status = find_runner(r);
    if (status == OK) status = make_folders(r);
    if (status == OK) status = open_job(r, job_path);
    if (status != OK || r->result.reason != REASON_OK) return status;
    bool checked = strcmp(r->job->runtime, JOB_RUNTIME_CUDA_C) == 0;
    if (checked) status = find_compiler(r, &cc);
    if (status != OK) return status;
    uint64_t memory_max = (uint64_t)r->options->memory_mib_max << 20;
    uint64_t memory = r->job->plan.memory_bytes;
    if (r->job->plan.trace) memory += image_pages(&r->job->plan) * IMAGE_PAGE_BYTES;
    if (memory_max != 0 && memory > memory_max) {
        return say(r, E_UNSUPPORTED,
                   "the job wants %" PRIu64 " MiB of memory, this machine offers %" PRIu32 " MiB",
                   memory >> 20, r->options->memory_mib_max);
    }
    return checked ? run_in_sandbox(r, cc, tar_path) : run_unchecked(r, tar_path);
}

enum status run_job(struct run_result *out, char error[RUN_ERROR_SIZE], const char *job_path,
                    const char *result_tar_path, const struct run_options *options)
{
    static_assert(RUN_ERROR_SIZE >= SANDBOX_ERROR_SIZE, "errors of the sandbox must fit");
    struct run r = {.options = options, .error = error, .result = {.seconds = 1}};
    enum status status = run_steps(&r, job_path, result_tar_path);
    if (r.folder[0] != '\0' && folder_remove(r.folder) != OK && status == OK) {
        status = say(&r, E_IO, "cannot remove %.300s", r.folder);
    }
    run_keeper_close(&r.keeper);
    job_destroy(r.job);
    if (status != OK) {
        run_result_finish(&r.result);
        return status;
    }
    *out = r.result;
    return OK;
}

void run_result_finish(struct run_result *result)
{
    free(result->log);
    result->log = NULL;
}
