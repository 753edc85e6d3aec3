#include "wallet/job_local.h"

#include "base/hex.h"
#include "compute/run.h"
#include "wallet/job_record.h"
#include "wallet/output.h"

#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int say_failure(struct session *s, const struct run_result *result)
{
    if (result->log != NULL) fprintf(stderr, "%s\n", result->log);
    return fail(s, CODE_JOB_FAILED, "no result: %s (%s)", result->message,
                reason_name(result->reason));
}

static int take_result(struct session *s, struct progress *p, const char *tar, const char *output,
                       const struct run_result *result)
{
    char error[BUNDLE_ERROR_SIZE] = "";
    if (bundle_unpack(error, tar, output) != OK) return fail(s, CODE_FAILED, "%s", error);
    progress_stage(p, &(struct stage){.name = "ran"}, "compiled in %.2f s, ran %.2f s",
                   (double)result->compile_ms / 1000, (double)result->kernel_ms / 1000);
    return CODE_DONE;
}

int local_run(struct session *s, struct progress *p, const char *folder, const char *output,
              struct hash *out_root)
{
    struct run_result result = {0};
    struct run_options options = {.cancel = stop_signal()};
    char error[RUN_ERROR_SIZE] = "";
    char tar[PATH_MAX];
    if (snprintf(tar, sizeof tar, "%s.tar", output) >= (int)sizeof tar)
        return fail(s, CODE_USAGE, "the path is too long");
    enum status status = run_job(&result, error, folder, tar, &options);
    int code = CODE_DONE;
    if (*stop_signal() != 0) {
        code = CODE_STOPPED;
    } else if (status != OK) {
        code = fail(s, CODE_FAILED, "it cannot run here: %s", error);
    } else if (result.reason != REASON_OK) {
        code = say_failure(s, &result);
    } else {
        code = take_result(s, p, tar, output, &result);
    }
    if (code == CODE_DONE && out_root != NULL) *out_root = result.root;
    run_result_finish(&result);
    unlink(tar);
    return code;
}

/* NAME-local in the current folder, unless --output says otherwise. */
static int choose_output(struct session *s, char out[PATH_MAX], const char *folder)
{
    char copy[PATH_MAX];
    char name[PATH_MAX];
    const char *given = s->in->values[OPTION_OUTPUT];
    snprintf(copy, sizeof copy, "%s", folder);
    snprintf(name, sizeof name, "%.200s-local", basename(copy));
    int code = absolute_path(s, out, given != NULL ? given : name);
    return code == CODE_DONE ? check_empty_folder(s, out) : code;
}

static int present(struct session *s, struct buffer *report, const char *folder, const char *output)
{
    struct job *job = NULL;
    char error[JOB_ERROR_SIZE] = "";
    enum status status = job_load(&job, error, folder);
    if (status == OK) status = job_present_result(job, output, report, error);
    job_destroy(job);
    return status == OK ? CODE_DONE : fail(s, CODE_FAILED, "%s", error);
}

static void print_end(struct session *s, const struct progress *p, const char *output,
                      const struct hash *root, struct buffer *report)
{
    char text[67];
    hash_to_text(text, root);
    if (s->json) {
        print_json(json_pack("{s:s,s:s,s:f,s:o}", "root", text, "output", output, "seconds",
                             progress_seconds(p), "report", lines_to_json(buffer_text(report))));
    } else {
        printf("result     %s\nroot       %s\n%s", output, text, buffer_text(report));
    }
}

int local_job(struct session *s)
{
    struct progress progress;
    struct buffer report = {0};
    struct hash root = {0};
    char folder[PATH_MAX], output[PATH_MAX];
    stop_watch();
    progress_init(&progress, s->json);
    int code = absolute_path(s, folder, s->in->words[0]);
    if (code == CODE_DONE) code = choose_output(s, output, folder);
    if (code == CODE_DONE) code = local_run(s, &progress, folder, output, &root);
    if (code == CODE_DONE) code = present(s, &report, folder, output);
    if (code == CODE_DONE) print_end(s, &progress, output, &root, &report);
    if (code == CODE_STOPPED) fail(s, CODE_STOPPED, "stopped");
    progress_finish(&progress);
    buffer_finish(&report);
    return code;
}
