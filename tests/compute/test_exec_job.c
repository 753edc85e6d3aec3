/* The part of job.json that says what an exec job runs: read strictly, errors by their place. */
#include "compute/exec_job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* A job folder with these files. */
static enum status size_of(void *context, uint64_t *out_bytes, const char *name)
{
    (void)context;
    if (strcmp(name, "root.tar") == 0) return *out_bytes = 64, OK;
    if (strcmp(name, "a.bin") == 0) return *out_bytes = 0, OK;
    return E_NOT_FOUND;
}

static enum status parse(struct job **out, char error[JOB_ERROR_SIZE], const char *text)
{
    error[0] = '\0';
    return job_parse(out, error, bytes_of_text(text), size_of, NULL);
}

#define HEAD    "{\"runtime\": \"exec\", \"image\": \"root.tar\", "
#define OUTPUTS "\"outputs\": [{\"name\": \"x\", \"bytes_max\": 9}]"
#define TAIL    OUTPUTS "}"

static void refused(const char *text, const char *words)
{
    struct job *job = NULL;
    char error[JOB_ERROR_SIZE];
    assert_int_not_equal(parse(&job, error, text), OK);
    assert_null(job);
    if (strstr(error, words) == NULL) print_message("# wanted \"%s\" in \"%s\"\n", words, error);
    assert_non_null(strstr(error, words));
}

static void reads_a_whole_job(void **state)
{
    static const char TEXT[] =
        HEAD "\"command\": [\"/bin/prog\", \"\", \"two words\"], "
             "\"env\": {\"A\": \"1\", \"B_2\": \"\"}, \"workdir\": \"/srv\", "
             "\"inputs\": {\"data\": \"a.bin\", \"again\": \"a.bin\"}, "
             "\"outputs\": [{\"name\": \"x\", \"bytes_max\": 9}, {\"name\": \"y\", "
             "\"path\": \"/job/out/deep/y\", \"bytes_max\": 10}], "
             "\"limits\": {\"seconds\": 7, \"memory_mib\": 3, \"disk_mib\": 2, \"processes\": 5, "
             "\"vram_mib\": 4}}";
    struct job *job;
    char error[JOB_ERROR_SIZE];
    (void)state;
    assert_int_equal(parse(&job, error, TEXT), OK);
    const struct exec_job *e = job->exec;
    assert_string_equal(job->runtime, "exec");
    assert_string_equal(e->image, "root.tar");
    assert_int_equal(e->plan.arg_count, 3);
    assert_string_equal(e->plan.args[2], "two words");
    assert_null(e->plan.args[3]);
    assert_string_equal(e->plan.env[1], "B_2=");
    assert_string_equal(e->plan.workdir, "/srv");
    assert_int_equal(e->input_count, 2);
    assert_string_equal(e->inputs[1].name, "again");
    assert_string_equal(e->plan.outputs[0].path, "/job/out/x");
    assert_string_equal(e->plan.outputs[1].path, "/job/out/deep/y");
    assert_int_equal(exec_plan_output_bytes(&e->plan), 19);
    assert_int_equal(e->plan.seconds, 7);
    assert_int_equal(e->plan.processes, 5);
    assert_int_equal(e->plan.memory_bytes, 3 << 20);
    assert_int_equal(e->disk_mib, 2);
    assert_int_equal(job->vram_mib, 4);
    assert_int_equal(job->plan.seconds, 7);
    assert_int_equal(job->plan.memory_bytes, 5 << 20); /* what a worker must have */
    job_destroy(job);
}

static void little_need_be_said(void **state)
{
    struct job *job;
    char error[JOB_ERROR_SIZE], names[JOB_NAMES_MAX][JOB_NAME_SIZE];
    (void)state;
    assert_int_equal(parse(&job, error,
                           HEAD "\"inputs\": {\"d\": \"a.bin\", \"e\": \"a.bin\"}, \"outputs\": "
                                "{\"folder\": \"/job/out\", \"bytes_max\": 5}}"),
                     OK);
    assert_int_equal(job->exec->plan.folder_bytes_max, 5);
    assert_int_equal(job->exec->plan.seconds, JOB_SECONDS_DEFAULT);
    assert_int_equal(job->exec->plan.processes, EXEC_PROCESSES_DEFAULT);
    assert_int_equal(job->exec->plan.arg_count, 0); /* the image's */
    assert_int_equal(job_names(job, names), 3);
    assert_string_equal(names[0], "a.bin");
    assert_string_equal(names[1], "job.json");
    assert_string_equal(names[2], "root.tar");
    job_destroy(job);
}

static void refuses_what_makes_no_sense_by_its_place(void **state)
{
    static const char *const CASES[][2] = {
        {"{\"runtime\": \"exec\", " TAIL, "image: is missing"},
        {"{\"runtime\": \"exec\", \"image\": \"../x\", " TAIL, "image"},
        {"{\"runtime\": \"exec\", \"image\": \"none.tar\", " TAIL, "there is no file none.tar"},
        {HEAD "\"source\": \"k.cu\", " TAIL, "source"},
        {HEAD "\"command\": [], " TAIL, "command: is empty"},
        {HEAD "\"command\": \"sh\", " TAIL, "command: must be an array"},
        {HEAD "\"command\": [\"a\", 1], " TAIL, "command[1]"},
        {HEAD "\"command\": [\"\"], " TAIL, "command[0]"},
        {HEAD "\"env\": {\"A B\": \"1\"}, " TAIL, "env.A B"},
        {HEAD "\"env\": {\"1A\": \"1\"}, " TAIL, "env.1A"},
        {HEAD "\"env\": {\"A=B\": \"1\"}, " TAIL, "env.A=B"},
        {HEAD "\"env\": {\"A\": 1}, " TAIL, "env.A: is no text"},
        {HEAD "\"workdir\": \"srv\", " TAIL, "workdir"},
        {HEAD "\"inputs\": {\"a/b\": \"a.bin\"}, " TAIL, "inputs.a/b"},
        {HEAD "\"inputs\": {\"a\": \"/etc/passwd\"}, " TAIL, "inputs.a"},
        {HEAD "\"inputs\": {\"a\": \"none.bin\"}, " TAIL, "inputs.a"},
        {HEAD "\"outputs\": []}", "outputs: is empty"},
        {HEAD "\"outputs\": [1]}", "outputs[0]"},
        {HEAD "\"outputs\": [{\"name\": \"x\"}]}", "outputs[0].bytes_max"},
        {HEAD "\"outputs\": [{\"name\": \"../x\", \"bytes_max\": 1}]}", "outputs[0].name"},
        {HEAD "\"outputs\": [{\"name\": \"x\", \"bytes_max\": 0}]}", "outputs[0].bytes_max"},
        {HEAD "\"outputs\": [{\"name\": \"x\", \"bytes_max\": 1, \"path\": \"/etc/passwd\"}]}",
         "outputs[0].path: is not below /job/out"},
        {HEAD "\"outputs\": [{\"name\": \"x\", \"bytes_max\": 1, \"path\": "
              "\"/job/out/../../etc/passwd\"}]}",
         "outputs[0].path"},
        {HEAD "\"outputs\": [{\"name\": \"x\", \"bytes_max\": 1, \"path\": \"/job/outside\"}]}",
         "outputs[0].path"},
        {HEAD "\"outputs\": [{\"name\": \"x\", \"bytes_max\": 1}, {\"name\": \"x\", "
              "\"bytes_max\": 1}]}",
         "outputs[1].name: is there twice"},
        {HEAD "\"outputs\": [{\"name\": \"x\", \"bytes_max\": 1073741824}, {\"name\": \"y\", "
              "\"bytes_max\": 1}]}",
         "outputs[1].bytes_max: all outputs together"},
        {HEAD "\"outputs\": {\"folder\": \"/\", \"bytes_max\": 1}}", "outputs.folder"},
        {HEAD "\"outputs\": {\"folder\": \"/job/out\"}}", "outputs.bytes_max"},
        {HEAD OUTPUTS ", \"limits\": {\"processes\": 0}}", "limits.processes"},
        {HEAD OUTPUTS ", \"limits\": {\"disk_mib\": 1000000}}", "limits.disk_mib"},
        {HEAD OUTPUTS ", \"limits\": {\"threads\": 1}}", "limits.threads"},
        {HEAD OUTPUTS ", \"limits\": 1}", "limits"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        refused(CASES[i][0], CASES[i][1]);
}

static void only_kernels_in_the_profile_need_no_warning(void **state)
{
    (void)state;
    assert_null(job_settlement_note(JOB_RUNTIME_CUDA_C));
    assert_non_null(strstr(job_settlement_note(JOB_RUNTIME_EXEC), "accept it or object"));
    assert_non_null(job_settlement_note(JOB_RUNTIME_CUDA_C_FAST));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_whole_job),
        cmocka_unit_test(little_need_be_said),
        cmocka_unit_test(refuses_what_makes_no_sense_by_its_place),
        cmocka_unit_test(only_kernels_in_the_profile_need_no_warning),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
