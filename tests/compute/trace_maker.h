/* trace_maker.h - traced runs for tests: the list, images, and jobs of examples/ with a trace. */
#ifndef LEASEHOLD_TESTS_COMPUTE_TRACE_MAKER_H
#define LEASEHOLD_TESTS_COMPUTE_TRACE_MAKER_H

#include "base/file.h"
#include "compute/image.h"
#include "compute/trace.h"
#include "tests/compute/job_maker.h"

#define LIST_BYTES_MAX (TRACE_ROOTS_MAX * sizeof(struct hash))

static inline void maker_path(const struct maker *m, char out[256], const char *name)
{
    snprintf(out, 256, "%s/%s", m->folder, name);
}

/* Runs the job of the maker; the list goes to FOLDER/list. */
static inline void maker_run_kept(struct maker *m, struct run_result *out, const char *cc,
                                  struct run_keep *keep)
{
    char error[RUN_ERROR_SIZE] = "", list[256];
    maker_path(m, list, "list");
    keep->trace_path = list;
    struct run_options options = {.runner_path = m->runner, .cc = cc, .threads = 2, .keep = keep};
    enum status status = run_job(out, error, m->job, m->tar, &options);
    if (status != OK) print_message("# %s: %s\n", status_text(status), error);
    assert_int_equal(status, OK);
    if (out->reason != REASON_OK) print_message("# %s\n", out->message);
    maker_nothing_is_left();
}

static inline struct job *maker_load(const struct maker *m)
{
    char error[JOB_ERROR_SIZE];
    struct job *job = NULL;
    enum status status = job_load(&job, error, m->job);
    if (status != OK) fail_msg("%s", error);
    return job;
}

static inline void maker_list(const struct maker *m, struct trace *out, const struct plan *plan,
                              const struct hash *root)
{
    char path[256];
    struct buffer list = {0};
    maker_path(m, path, "list");
    assert_int_equal(file_read(&list, path, LIST_BYTES_MAX), OK);
    assert_int_equal(trace_read(out, buffer_bytes(&list), plan, root), OK);
    buffer_finish(&list);
}

/* A file of the folder as a whole. */
static inline struct buffer maker_file(const struct maker *m, const char *name)
{
    char path[256];
    struct buffer out = {0};
    maker_path(m, path, name);
    assert_int_equal(file_read(&out, path, 1u << 30), OK);
    return out;
}

/* The folder of an example, with "trace": true and what else is given in its job.json. */
static inline void maker_copy_example(struct maker *m, const char *name, const char *more)
{
    char command[512], path[256];
    struct buffer text = {0};
    snprintf(command, sizeof command, "cp examples/%s/* %s/", name, m->job);
    assert_int_equal(system(command), 0);
    snprintf(path, sizeof path, "%s/job.json", m->job);
    assert_int_equal(file_read(&text, path, JOB_JSON_BYTES_MAX), OK);
    const char *rest = strchr(buffer_text(&text), '{') + 1;
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fprintf(out, "{\"trace\": true,%s%s", more, rest);
    assert_int_equal(fclose(out), 0);
    buffer_finish(&text);
}

#endif
