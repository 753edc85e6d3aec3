/* Any text is refused with a message, or is a job whose plan the runner would read. */
#include "compute/exec_job.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum status any_size(void *context, uint64_t *out_bytes, const char *name)
{
    (void)context;
    *out_bytes = strlen(name) * 16;
    return name[0] == 'z' ? E_NOT_FOUND : OK;
}

/* What leasehold-init would be told, it would read. */
static void check_exec(const struct job *job)
{
    char *text = NULL;
    size_t text_size = 0;
    struct exec_plan *again = calloc(1, sizeof *again);
    FILE *out = open_memstream(&text, &text_size);
    assert(again != NULL && out != NULL && exec_plan_print(out, &job->exec->plan) == OK);
    fclose(out);
    assert(text_size <= EXEC_PLAN_BYTES_MAX && exec_plan_parse(again, text, text_size) == OK);
    assert(again->arg_count == job->exec->plan.arg_count);
    assert(again->env_count == job->exec->plan.env_count);
    assert(again->output_count == job->exec->plan.output_count);
    free(text);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct job *job = NULL;
    char error[JOB_ERROR_SIZE] = "";
    char *text = NULL;
    size_t text_size = 0;
    if (job_parse(&job, error, bytes_of(data, size), any_size, NULL) != OK) {
        assert(job == NULL && strlen(error) > 0);
        return 0;
    }
    if (job->exec != NULL) {
        check_exec(job);
        job_destroy(job);
        return 0;
    }
    struct plan *again = malloc(sizeof *again);
    FILE *out = open_memstream(&text, &text_size);
    assert(again != NULL && out != NULL && plan_print(out, &job->plan) == OK);
    fclose(out);
    assert(plan_parse(again, error, text, text_size) == OK);
    char(*names)[JOB_NAME_SIZE] = malloc(JOB_NAMES_MAX * JOB_NAME_SIZE);
    assert(names != NULL && job_names(job, names) >= 2);
    free(names);
    free(text);
    free(again);
    job_destroy(job);
    return 0;
}
