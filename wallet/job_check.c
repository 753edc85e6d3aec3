/* job check: is the job deterministic, and if not, why not? */
#include "base/file.h"
#include "compute/lint.h"
#include "compute/run.h"
#include "wallet/handlers.h"
#include "wallet/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOURCE_BYTES_MAX (4u << 20)

struct check {
    struct session *s;
    const char *folder;
    struct job *job;
    struct lint lint;
    struct run_result result;
    bool ran;        /* compilers have seen it */
    bool nvrtc;      /* NVRTC among them, and the scan */
    size_t warnings; /* of compilers */
};

/* ---- without a compiler ---- */

static void lint_file(struct check *c, const char *name)
{
    char path[PATH_MAX];
    struct buffer text = {0};
    snprintf(path, sizeof path, "%.3900s/%s", c->folder, name);
    if (file_read(&text, path, SOURCE_BYTES_MAX) == OK)
        lint_text(&c->lint, name, bytes_of(text.data, text.size));
    buffer_finish(&text);
}

static void lint_job(struct check *c)
{
    lint_file(c, c->job->plan.source);
    for (uint32_t i = 0; i < c->job->file_count; i++)
        lint_file(c, c->job->files[i]);
}

/* ---- what compilers say ---- */

/* The sandbox's name for the job's folder is nothing to people. */
static void drop_prefix(char *text, const char *prefix)
{
    size_t size = strlen(prefix);
    for (char *at = strstr(text, prefix); at != NULL; at = strstr(at, prefix))
        memmove(at, at + size, strlen(at + size) + 1);
}

static size_t count_of(const char *text, const char *word)
{
    size_t count = 0;
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word))
        count++;
    return count;
}

static int compile_job(struct check *c)
{
    char error[RUN_ERROR_SIZE] = "";
    struct run_options options = {.check = true};
    enum status status = run_job(&c->result, error, c->folder, "", &options);
    if (status != OK) return fail(c->s, CODE_FAILED, "cannot check it here: %s", error);
    c->ran = true;
    if (c->result.log == NULL) return CODE_DONE;
    drop_prefix(c->result.log, "/job/");
    c->warnings = count_of(c->result.log, "warning:");
    c->nvrtc = strstr(c->result.log, "the scan of its PTX is clean") != NULL;
    return CODE_DONE;
}

/* ---- saying it ---- */

static bool is_deterministic(const struct check *c)
{
    return c->lint.fatal == 0 && c->result.reason == REASON_OK;
}

static void print_people(const struct check *c)
{
    for (size_t i = 0; i < c->lint.count; i++) {
        const struct lint_finding *f = &c->lint.findings[i];
        printf("%s:%u: %s: %s %s\n", f->file, f->line, f->fatal ? "error" : "warning", f->word,
               f->hint);
    }
    if (c->lint.total > c->lint.count) printf("and %zu more\n", c->lint.total - c->lint.count);
    if (c->result.log != NULL) printf("%s", c->result.log);
    if (!is_deterministic(c)) {
        printf("deterministic: no\n");
    } else if (c->warnings > 0) {
        printf("deterministic: yes, if the warnings above are mistaken\n");
    } else {
        printf("deterministic: yes\n");
    }
}

static void print_machine(const struct check *c)
{
    json_t *findings = json_array();
    for (size_t i = 0; i < c->lint.count; i++) {
        const struct lint_finding *f = &c->lint.findings[i];
        json_array_append_new(findings, json_pack("{s:s,s:i,s:s,s:s,s:b}", "file", f->file, "line",
                                                  (int)f->line, "word", f->word, "hint", f->hint,
                                                  "fatal", f->fatal));
    }
    print_json(json_pack("{s:b,s:s,s:b,s:I,s:o,s:s}", "deterministic", is_deterministic(c),
                         "reason", reason_name(c->result.reason), "scanned", c->nvrtc, "warnings",
                         (json_int_t)c->warnings, "findings", findings, "log",
                         c->result.log != NULL ? c->result.log : ""));
}

int job_check(struct session *s)
{
    char error[JOB_ERROR_SIZE] = "";
    struct check *c = calloc(1, sizeof *c);
    if (c == NULL) return fail(s, CODE_FAILED, "no memory");
    c->s = s;
    c->folder = s->in->words[0];
    int code = CODE_DONE;
    if (job_load(&c->job, error, c->folder) != OK) code = fail(s, CODE_FAILED, "%s", error);
    if (code == CODE_DONE) lint_job(c);
    if (code == CODE_DONE) code = compile_job(c);
    if (code == CODE_DONE && s->json) print_machine(c);
    if (code == CODE_DONE && !s->json) print_people(c);
    if (code == CODE_DONE && !is_deterministic(c)) code = CODE_FAILED;
    if (c->ran) run_result_finish(&c->result);
    job_destroy(c->job);
    free(c);
    return code;
}
