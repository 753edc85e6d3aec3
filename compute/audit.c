/* audit.c - an audit from its beginning to its verdict. */
#include "compute/audit.h"

#include "base/fatal.h"
#include "compute/audit_session.h"

#include <assert.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void *map_zeros(uint64_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1, 0);
    if (at == MAP_FAILED) fatal("no address space for an audit's pages");
    return at;
}

static void make_mirrors(struct session *s)
{
    for (uint32_t i = 0; i < s->plan->buffer_count; i++) {
        struct mirror *m = &s->mirrors[i];
        m->count = image_pages_of(&s->plan->buffers[i]);
        m->pages = map_zeros(m->count * IMAGE_PAGE_BYTES);
        m->present = map_zeros(m->count);
    }
}

/* What can be looked at as a whole. E_STATE after a verdict. */
static enum status look_at_whole(struct session *s, const char *folder)
{
    char path[PATH_MAX], error[BUNDLE_ERROR_SIZE], why[AUDIT_WHY_SIZE] = "";
    bool holds = true;
    uint64_t step = 0;
    snprintf(path, sizeof path, "%s/job", folder);
    enum status status = inputs_open(&s->inputs, s->plan, path);
    if (status == OK) status = check_inputs(&holds, why, &s->inputs, &s->trace);
    if (status == OK && holds) holds = check_untouched(why, &step, s->plan, &s->trace);
    if (status == OK && holds && s->options->result_tar_path != NULL) {
        snprintf(path, sizeof path, "%s/result", folder);
        status = bundle_unpack(error, s->options->result_tar_path, path);
        if (status != OK && status != E_IO) {
            audit_conclude(s, AUDIT_DIFFERS, "the result is no result: %.200s", error);
            return E_STATE;
        }
        if (status == OK) status = check_result(&holds, why, path, s->plan, &s->trace);
    }
    if (status != OK || holds) return status;
    audit_conclude(s, AUDIT_DIFFERS, "%s", why);
    s->result.step = step;
    return E_STATE;
}

static enum status prepare(void *context, char error[RUN_ERROR_SIZE], const struct job *job,
                           const char *folder)
{
    struct session *s = context;
    const struct audit_wish *wish = &s->options->wish;
    uint64_t start = audit_now_ms();
    s->plan = &job->plan;
    if (!s->plan->trace) {
        snprintf(error, RUN_ERROR_SIZE, "the job has no trace");
        return E_UNSUPPORTED;
    }
    if (trace_read(&s->trace, s->options->list, s->plan, s->options->trace) != OK) {
        audit_conclude(s, AUDIT_UNSERVED, "the list is not that of the trace, or not of this job");
        return E_STATE;
    }
    enum status status = look_at_whole(s, folder);
    if (status == E_IO) snprintf(error, RUN_ERROR_SIZE, "cannot read %.300s", folder);
    if (status != OK) return status;
    size_t room = (size_t)wish->by_block + wish->by_launch + 1;
    s->draws = must_alloc(room * sizeof *s->draws);
    s->draw_count = audit_draws(s->draws, s->plan, wish);
    make_mirrors(s);
    s->result.check_ms = audit_now_ms() - start;
    return OK;
}

static void finish(struct session *s)
{
    audit_forget_written(s);
    inputs_close(&s->inputs);
    trace_finish(&s->trace);
    free(s->draws);
    for (size_t i = 0; i < JOB_BUFFERS_MAX; i++) {
        struct mirror *m = &s->mirrors[i];
        if (m->pages != NULL) munmap(m->pages, m->count * IMAGE_PAGE_BYTES);
        if (m->present != NULL) munmap(m->present, m->count);
    }
}

/* A job that ended before its blocks were all looked at, by whatever it did. */
static void take_run(struct session *s, struct run_result *run)
{
    s->result.compile_ms = run->compile_ms;
    s->result.wall_ms = run->wall_ms;
    if (!s->over) {
        audit_conclude(s, AUDIT_DIFFERS, "the blocks cannot be run alone: %.180s",
                       run->reason == REASON_OK ? "the runner ended early" : run->message);
    }
    run_result_finish(run);
}

static void tell_where(struct session *s)
{
    if (s->result.verdict == AUDIT_CLEAN || s->at >= s->draw_count) return;
    s->result.step = s->draws[s->at].step;
    s->result.block = s->draws[s->at].block;
}

/* Auditor and runner never work at the same time: on one core they wake each other much faster. */
static bool share_core(cpu_set_t *before)
{
    cpu_set_t one;
    int core = sched_getcpu();
    if (core < 0 || sched_getaffinity(0, sizeof *before, before) != 0) return false;
    CPU_ZERO(&one);
    CPU_SET((size_t)core, &one);
    return sched_setaffinity(0, sizeof one, &one) == 0;
}

enum status audit_job(struct audit_result *out, char error[RUN_ERROR_SIZE], const char *job_path,
                      const struct audit_options *options)
{
    static const char *const ARGS[] = {"--audit", NULL};
    struct run_result run = {0};
    cpu_set_t before;
    struct session *s = must_alloc(sizeof *s);
    struct run_options how = options->run;
    const struct run_inside inside = {ARGS, audit_hear, s, prepare};
    assert(options->wish.by_block <= AUDIT_SAMPLES_MAX);
    assert(options->wish.by_launch <= AUDIT_SAMPLES_MAX);
    s->options = options;
    how.threads = 1;
    how.keep = NULL;
    how.inside = &inside;
    bool shared = share_core(&before);
    enum status status = run_job(&run, error, job_path, NULL, &how);
    if (shared) (void)sched_setaffinity(0, sizeof before, &before);
    if (status == OK) take_run(s, &run);
    if (status == E_STATE && s->over) status = OK; /* decided before anything ran */
    tell_where(s);
    if (status == OK) *out = s->result;
    finish(s);
    free(s);
    return status;
}
