/* job_maker.h - makes job folders for tests and runs them with the runner of the same build. */
#ifndef LEASEHOLD_TESTS_COMPUTE_JOB_MAKER_H
#define LEASEHOLD_TESTS_COMPUTE_JOB_MAKER_H

#include "compute/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct maker {
    char folder[64];
    char job[96];
    char tar[96];
    char unpacked[96];
    char runner[PATH_MAX];
};

static inline void maker_open(struct maker *m)
{
    ssize_t size = readlink("/proc/self/exe", m->runner, sizeof m->runner - 32);
    assert_true(size > 0);
    m->runner[size] = '\0';
    for (int i = 0; i < 3; i++)
        *strrchr(m->runner, '/') = '\0'; /* OUT/tests/compute/test_x */
    size_t used = strlen(m->runner);
    snprintf(m->runner + used, sizeof m->runner - used, "/bin/leasehold-run");
    snprintf(m->folder, sizeof m->folder, "/tmp/leasehold-test-XXXXXX");
    assert_non_null(mkdtemp(m->folder));
    snprintf(m->job, sizeof m->job, "%s/job", m->folder);
    snprintf(m->tar, sizeof m->tar, "%s/result.tar", m->folder);
    snprintf(m->unpacked, sizeof m->unpacked, "%s/result", m->folder);
    char command[256];
    snprintf(command, sizeof command, "mkdir %s", m->job);
    assert_int_equal(system(command), 0);
    /* Orphans come to this process, so that none can go unseen. */
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
}

static inline void maker_close(struct maker *m)
{
    assert_int_equal(folder_remove(m->folder), OK);
}

static inline void maker_write(struct maker *m, const char *name, const void *data, size_t size)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", m->job, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(data, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

static inline void maker_text(struct maker *m, const char *name, const char *text)
{
    maker_write(m, name, text, strlen(text));
}

/* One kernel `k` over an output buffer of `bytes`, called out, and job.json around it. */
static inline void maker_simple(struct maker *m, const char *source, unsigned bytes,
                                const char *launch, const char *limits)
{
    char text[4096];
    snprintf(text, sizeof text,
             "{\"runtime\": \"cuda-c\", \"source\": \"k.cu\",\n"
             " \"buffers\": {\"out\": {\"bytes\": %u, \"output\": true}},\n"
             " \"launches\": [{\"kernel\": \"k\", %s, \"args\": [\"out\"]}],\n"
             " \"limits\": {%s}}\n",
             bytes, launch, limits);
    maker_text(m, "job.json", text);
    maker_text(m, "k.cu", source);
}

/* The dead may be buried here; that somebody lives is the failure. */
static inline void maker_nothing_is_left(void)
{
    pid_t found;
    while ((found = waitpid(-1, NULL, WNOHANG)) > 0) {
    }
    assert_int_equal(found, -1);
}

static inline void maker_run(struct maker *m, struct run_result *out, const char *cc)
{
    char error[RUN_ERROR_SIZE] = "";
    struct run_options options = {.runner_path = m->runner, .cc = cc, .threads = 2};
    enum status status = run_job(out, error, m->job, m->tar, &options);
    if (status != OK) print_message("# %s: %s\n", status_text(status), error);
    assert_int_equal(status, OK);
    maker_nothing_is_left();
}

/* The content of an output buffer of a run that went well. */
static inline void maker_output(struct maker *m, const char *name, void *out, size_t size)
{
    char error[BUNDLE_ERROR_SIZE], path[256];
    assert_int_equal(bundle_unpack(error, m->tar, m->unpacked), OK);
    snprintf(path, sizeof path, "%s/%s", m->unpacked, name);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    assert_int_equal(fread(out, 1, size, in), size);
    assert_int_equal(fgetc(in), EOF);
    fclose(in);
    assert_int_equal(folder_remove(m->unpacked), OK);
}

#endif
