#include "compute/exec_job.h"

#include "base/fatal.h"

#include <assert.h>
#include <string.h>

#define PATH_SIZE 96 /* of a key inside job.json, for errors */

struct parse {
    struct job *job;
    struct exec_job *exec;
    struct json_reader *top;
    job_file_size *file_size;
    void *context;
};

static bool failed(const struct parse *p)
{
    return p->top->error[0] != '\0';
}

/* A plain name, NULL for what is no text. */
static void copy_name(struct parse *p, char out[JOB_NAME_SIZE], const char *path, const char *name)
{
    if (failed(p)) return;
    if (name == NULL || !plan_name_ok(name)) {
        json_problem(p->top, path, "\"%.60s\" is no plain name", name == NULL ? "" : name);
        return;
    }
    memcpy(out, name, strlen(name) + 1);
}

static void copy_file(struct parse *p, char out[JOB_NAME_SIZE], const char *path, const char *name)
{
    uint64_t size;
    copy_name(p, out, path, name);
    if (failed(p)) return;
    if (p->file_size(p->context, &size, out) != OK) {
        json_problem(p->top, path, "there is no file %s in the job folder", out);
    }
}

/* NULL for what is no text, or holds a zero byte. */
static const char *text_of(const json_t *value)
{
    const char *text = json_string_value(value);
    return text != NULL && strlen(text) == json_string_length(value) ? text : NULL;
}

static void read_command(struct parse *p, const json_t *array)
{
    char path[PATH_SIZE];
    if (!failed(p) && json_array_size(array) == 0) json_problem(p->top, "command", "is empty");
    for (size_t i = 0; i < json_array_size(array) && !failed(p); i++) {
        const char *text = text_of(json_array_get(array, i));
        snprintf(path, sizeof path, "command[%zu]", i);
        if (text == NULL || (i == 0 && text[0] == '\0')) {
            json_problem(p->top, path, "is no text that a command could have");
        } else if (exec_plan_add_arg(&p->exec->plan, text) != OK) {
            json_problem(p->top, path, "command and env are more than %u bytes",
                         EXEC_TEXT_BYTES_MAX);
        }
    }
}

static bool is_variable(const char *name)
{
    static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    static const char ALL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    return name[0] != '\0' && strchr(LETTERS, name[0]) != NULL && name[strspn(name, ALL)] == '\0';
}

static void read_variable(struct parse *p, const char *name, const json_t *value)
{
    char path[PATH_SIZE];
    struct buffer pair = {0};
    const char *text = text_of(value);
    snprintf(path, sizeof path, "env.%.60s", name);
    if (!is_variable(name)) {
        json_problem(p->top, path, "is no variable's name");
        return;
    }
    if (text == NULL) {
        json_problem(p->top, path, "is no text");
        return;
    }
    buffer_print(&pair, "%s=%s", name, text);
    if (exec_plan_set_env(&p->exec->plan, buffer_text(&pair)) != OK) {
        json_problem(p->top, path, "env holds more than %u variables or %u bytes", EXEC_ENV_MAX,
                     EXEC_TEXT_BYTES_MAX);
    }
    buffer_finish(&pair);
}

static void read_env(struct parse *p, const json_t *env)
{
    const char *name;
    json_t *value;
    if (failed(p)) return;
    json_object_foreach((json_t *)(uintptr_t)env, name, value)
    {
        if (!failed(p)) read_variable(p, name, value);
    }
}

static void read_inputs(struct parse *p, const json_t *inputs)
{
    const char *name;
    json_t *value;
    char path[PATH_SIZE];
    if (failed(p)) return;
    if (json_object_size(inputs) > EXEC_INPUTS_MAX) {
        json_problem(p->top, "inputs", "%zu of them, where up to %d are possible",
                     json_object_size(inputs), EXEC_INPUTS_MAX);
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)inputs, name, value)
    {
        if (failed(p)) return;
        struct exec_input *input = &p->exec->inputs[p->exec->input_count++];
        snprintf(path, sizeof path, "inputs.%.60s", name);
        copy_name(p, input->name, path, name);
        copy_file(p, input->file, path, text_of(value));
    }
}

/* ---- outputs ------------------------------------------------------------------------------- */

static bool has_output(const struct exec_plan *plan, const char *name)
{
    for (uint32_t i = 0; i < plan->output_count; i++) {
        if (strcmp(plan->outputs[i].name, name) == 0) return true;
    }
    return false;
}

static void read_output(struct parse *p, const json_t *value, const char *path)
{
    char at[EXEC_PATH_SIZE];
    struct exec_plan *plan = &p->exec->plan;
    struct json_reader r = json_reader_over(value, path, p->top->error);
    if (failed(p)) return;
    const char *name = json_get_text(&r, "name");
    uint64_t bytes_max = json_get_u64(&r, "bytes_max", 1, JOB_OUTPUT_BYTES_MAX);
    snprintf(at, sizeof at, EXEC_OUT_FOLDER "/%.60s", name);
    if (json_has(&r, "path")) {
        const char *said = json_get_text(&r, "path");
        if (!exec_output_path_ok(said)) json_problem(&r, "path", "is not below " EXEC_OUT_FOLDER);
        snprintf(at, sizeof at, "%s", said);
    }
    if (!failed(p) && !plan_name_ok(name)) json_problem(&r, "name", "is no plain name");
    if (!failed(p) && has_output(plan, name)) json_problem(&r, "name", "is there twice");
    if (!failed(p) && exec_plan_add_output(plan, name, at, bytes_max) != OK) {
        json_problem(&r, "bytes_max", "all outputs together are more than %llu bytes",
                     (unsigned long long)JOB_OUTPUT_BYTES_MAX);
    }
    enum status status = json_end(&r);
    assert(status == OK || failed(p));
}

static void read_output_folder(struct parse *p, const json_t *object)
{
    struct json_reader r = json_reader_over(object, "outputs", p->top->error);
    const char *folder = json_get_text(&r, "folder");
    if (!failed(p) && strcmp(folder, EXEC_OUT_FOLDER) != 0) {
        json_problem(&r, "folder", "can only be " EXEC_OUT_FOLDER);
    }
    p->exec->plan.folder_bytes_max = json_get_u64(&r, "bytes_max", 1, JOB_OUTPUT_BYTES_MAX);
    enum status status = json_end(&r);
    assert(status == OK || failed(p));
}

/* A list of files, or a whole folder. */
static void read_outputs(struct parse *p)
{
    char path[PATH_SIZE];
    if (failed(p)) return;
    if (json_is_object(json_object_get(p->top->object, "outputs"))) {
        read_output_folder(p, json_get_object(p->top, "outputs"));
        return;
    }
    const json_t *array = json_get_array(p->top, "outputs", EXEC_OUTPUTS_MAX);
    if (!failed(p) && json_array_size(array) == 0) json_problem(p->top, "outputs", "is empty");
    for (size_t i = 0; i < json_array_size(array) && !failed(p); i++) {
        snprintf(path, sizeof path, "outputs[%zu]", i);
        read_output(p, json_array_get(array, i), path);
    }
}

/* ---- the rest ------------------------------------------------------------------------------ */

static uint32_t number_or(struct json_reader *r, const char *key, uint32_t max, uint32_t otherwise)
{
    return json_has(r, key) ? (uint32_t)json_get_u64(r, key, 1, max) : otherwise;
}

static void read_limits(struct parse *p)
{
    json_t *none = json_object();
    const json_t *limits =
        json_has(p->top, "limits") ? json_get_object(p->top, "limits") : (const json_t *)none;
    struct job *job = p->job;
    if (limits != NULL && !failed(p)) {
        struct json_reader r = json_reader_over(limits, "limits", p->top->error);
        struct exec_plan *plan = &p->exec->plan;
        plan->seconds = number_or(&r, "seconds", JOB_SECONDS_MAX, JOB_SECONDS_DEFAULT);
        plan->processes = number_or(&r, "processes", EXEC_PROCESSES_MAX, EXEC_PROCESSES_DEFAULT);
        uint32_t memory = number_or(&r, "memory_mib", JOB_MEMORY_MIB_MAX, JOB_MEMORY_MIB_DEFAULT);
        p->exec->disk_mib = number_or(&r, "disk_mib", EXEC_DISK_MIB_MAX, EXEC_DISK_MIB_DEFAULT);
        job->vram_mib = number_or(&r, "vram_mib", JOB_MEMORY_MIB_MAX, 0);
        plan->memory_bytes = (uint64_t)memory << 20;
        job->plan.seconds = plan->seconds;
        job->plan.memory_bytes = plan->memory_bytes + ((uint64_t)p->exec->disk_mib << 20);
        enum status status = json_end(&r);
        assert(status == OK || failed(p));
    }
    json_decref(none);
}

void exec_job_read(struct job *job, struct json_reader *top, job_file_size *file_size,
                   void *context)
{
    struct parse p = {job, must_alloc(sizeof *p.exec), top, file_size, context};
    job->exec = p.exec;
    copy_file(&p, p.exec->image, "image", json_get_text(top, "image"));
    if (json_has(top, "command")) read_command(&p, json_get_array(top, "command", EXEC_ARGS_MAX));
    if (json_has(top, "env")) read_env(&p, json_get_object(top, "env"));
    if (json_has(top, "workdir")) {
        if (exec_plan_set_workdir(&p.exec->plan, json_get_text(top, "workdir")) != OK)
            json_problem(top, "workdir", "is no absolute path");
    }
    if (json_has(top, "inputs")) read_inputs(&p, json_get_object(top, "inputs"));
    read_outputs(&p);
    read_limits(&p);
}
