#include "compute/exec_plan.h"

#include "compute/plan.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "leasehold-exec 1"
#define TAIL "end"

static const char *keep(struct exec_plan *plan, const char *text)
{
    size_t size = strlen(text) + 1;
    assert(plan->text_used <= sizeof plan->text);
    if (size > sizeof plan->text - plan->text_used) return NULL;
    char *at = plan->text + plan->text_used;
    memcpy(at, text, size);
    plan->text_used += size;
    return at;
}

enum status exec_plan_add_arg(struct exec_plan *plan, const char *arg)
{
    if (plan->arg_count >= EXEC_ARGS_MAX) return E_LIMIT;
    const char *kept = keep(plan, arg);
    if (kept == NULL) return E_LIMIT;
    plan->args[plan->arg_count++] = kept;
    return OK;
}

enum status exec_plan_set_env(struct exec_plan *plan, const char *pair)
{
    const char *equals = strchr(pair, '=');
    if (equals == NULL || equals == pair) return E_MALFORMED;
    size_t name_size = (size_t)(equals - pair) + 1;
    uint32_t at = 0;
    while (at < plan->env_count && strncmp(plan->env[at], pair, name_size) != 0)
        at++;
    if (at >= EXEC_ENV_MAX) return E_LIMIT;
    const char *kept = keep(plan, pair);
    if (kept == NULL) return E_LIMIT;
    plan->env[at] = kept;
    if (at == plan->env_count) plan->env_count++;
    return OK;
}

enum status exec_plan_set_workdir(struct exec_plan *plan, const char *folder)
{
    if (folder[0] != '/') return E_MALFORMED;
    const char *kept = keep(plan, folder);
    if (kept == NULL) return E_LIMIT;
    plan->workdir = kept;
    return OK;
}

bool exec_output_path_ok(const char *path)
{
    size_t root = strlen(EXEC_OUT_FOLDER);
    if (strlen(path) >= EXEC_PATH_SIZE) return false;
    if (strncmp(path, EXEC_OUT_FOLDER, root) != 0) return false;
    for (const char *at = path + root; *at != '\0';) {
        if (*at != '/') return false;
        size_t size = strcspn(++at, "/");
        bool dots = size <= 2 && strncmp(at, "..", size) == 0; /* "" too */
        if (dots) return false;
        at += size;
    }
    return path[root] == '/';
}

enum status exec_plan_add_output(struct exec_plan *plan, const char *name, const char *path,
                                 uint64_t bytes_max)
{
    if (plan->output_count >= EXEC_OUTPUTS_MAX) return E_LIMIT;
    if (!plan_name_ok(name) || !exec_output_path_ok(path)) return E_MALFORMED;
    uint64_t sum = exec_plan_output_bytes(plan);
    if (sum > JOB_OUTPUT_BYTES_MAX || bytes_max > JOB_OUTPUT_BYTES_MAX - sum) return E_LIMIT;
    struct exec_output *o = &plan->outputs[plan->output_count++];
    snprintf(o->name, sizeof o->name, "%s", name);
    snprintf(o->path, sizeof o->path, "%s", path);
    o->bytes_max = bytes_max;
    return OK;
}

uint64_t exec_plan_output_bytes(const struct exec_plan *plan)
{
    uint64_t sum = plan->folder_bytes_max;
    for (uint32_t i = 0; i < plan->output_count; i++)
        sum += plan->outputs[i].bytes_max;
    return sum;
}

enum status exec_plan_merge(struct exec_plan *plan, const struct exec_plan *under,
                            const struct exec_plan *over)
{
    const struct exec_plan *layers[] = {under, over};
    const struct exec_plan *command = over->arg_count > 0 ? over : under;
    enum status status = OK;
    for (uint32_t i = 0; i < command->arg_count && status == OK; i++)
        status = exec_plan_add_arg(plan, command->args[i]);
    for (size_t layer = 0; layer < 2; layer++) {
        const struct exec_plan *l = layers[layer];
        for (uint32_t i = 0; i < l->env_count && status == OK; i++)
            status = exec_plan_set_env(plan, l->env[i]);
        if (status == OK && l->workdir != NULL) status = exec_plan_set_workdir(plan, l->workdir);
    }
    return status;
}

/* ---- as text ------------------------------------------------------------------------------- */

enum status exec_plan_print(FILE *out, const struct exec_plan *plan)
{
    fprintf(out, HEAD "%cs%" PRIu32 "%cm%" PRIu64 "%cp%" PRIu32 "%cf%" PRIu64 "%c", 0,
            plan->seconds, 0, plan->memory_bytes, 0, plan->processes, 0, plan->folder_bytes_max, 0);
    if (plan->device) fprintf(out, "g%c", 0);
    if (plan->workdir != NULL) fprintf(out, "w%s%c", plan->workdir, 0);
    for (uint32_t i = 0; i < plan->arg_count; i++)
        fprintf(out, "a%s%c", plan->args[i], 0);
    for (uint32_t i = 0; i < plan->env_count; i++)
        fprintf(out, "e%s%c", plan->env[i], 0);
    for (uint32_t i = 0; i < plan->output_count; i++) {
        const struct exec_output *o = &plan->outputs[i];
        fprintf(out, "o%" PRIu64 " %s %s%c", o->bytes_max, o->name, o->path, 0);
    }
    fprintf(out, TAIL "%c", 0);
    return ferror(out) ? E_IO : OK;
}

/* Decimal digits and nothing else. */
static enum status read_number(uint64_t *out, const char *text, uint64_t max)
{
    uint64_t value = 0;
    if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text)) return E_MALFORMED;
    for (; *text != '\0'; text++) {
        if (value > max / 10) return E_LIMIT;
        value = value * 10 + (uint64_t)(*text - '0'); /* max is far from 2^64 */
    }
    if (value > max) return E_LIMIT;
    *out = value;
    return OK;
}

static enum status read_output(struct exec_plan *plan, const char *text)
{
    char bytes[24], name[JOB_NAME_SIZE];
    uint64_t bytes_max;
    const char *space = strchr(text, ' ');
    if (space == NULL || (size_t)(space - text) >= sizeof bytes) return E_MALFORMED;
    memcpy(bytes, text, (size_t)(space - text));
    bytes[space - text] = '\0';
    const char *path = strchr(space + 1, ' ');
    if (path == NULL || (size_t)(path - space - 1) >= sizeof name) return E_MALFORMED;
    memcpy(name, space + 1, (size_t)(path - space - 1));
    name[path - space - 1] = '\0';
    enum status status = read_number(&bytes_max, bytes, JOB_OUTPUT_BYTES_MAX);
    return status == OK ? exec_plan_add_output(plan, name, path + 1, bytes_max) : status;
}

static enum status read_record(struct exec_plan *plan, const char *record)
{
    const char *value = record + 1;
    uint64_t number = 0;
    enum status status = E_MALFORMED;
    switch (record[0]) { /* letters from outside */
    case 's':
        status = read_number(&number, value, JOB_SECONDS_MAX);
        plan->seconds = (uint32_t)number;
        return status;
    case 'p':
        status = read_number(&number, value, EXEC_PROCESSES_MAX);
        plan->processes = (uint32_t)number;
        return status;
    case 'm': return read_number(&plan->memory_bytes, value, (uint64_t)JOB_MEMORY_MIB_MAX << 20);
    case 'f': return read_number(&plan->folder_bytes_max, value, JOB_OUTPUT_BYTES_MAX);
    case 'g': plan->device = true; return *value == '\0' ? OK : E_MALFORMED;
    case 'w': return exec_plan_set_workdir(plan, value);
    case 'a': return exec_plan_add_arg(plan, value);
    case 'e': return exec_plan_set_env(plan, value);
    case 'o': return read_output(plan, value);
    default: return E_MALFORMED;
    }
}

enum status exec_plan_parse(struct exec_plan *plan, const char *text, size_t size)
{
    enum status status = OK;
    const char *const end = text + size;
    assert(plan->text_used == 0 && plan->arg_count == 0);
    if (size == 0 || text[size - 1] != '\0' || strcmp(text, HEAD) != 0) return E_MALFORMED;
    for (text += sizeof HEAD; text < end && status == OK; text += strlen(text) + 1) {
        if (strcmp(text, TAIL) == 0) return text + sizeof TAIL == end ? OK : E_MALFORMED;
        status = read_record(plan, text);
    }
    return status == OK ? E_MALFORMED : status;
}
