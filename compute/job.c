#include "compute/job.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/json.h"
#include "compute/exec_job.h"
#include "compute/image.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_SIZE 96 /* of a key inside job.json, for errors */

struct parse { /* what reading one job.json carries about */
    struct job *job;
    char *error; /* JSON_ERROR_SIZE; "" while all is well */
    job_file_size *file_size;
    void *context;
};

static bool failed(const struct parse *p)
{
    return p->error[0] != '\0';
}

static void problem(struct parse *p, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void problem(struct parse *p, const char *path, const char *format, ...)
{
    char what[JSON_ERROR_SIZE];
    va_list args;
    if (failed(p)) return;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(p->error, JSON_ERROR_SIZE, "%.90s: %.160s", path, what);
}

static void copy_name(struct parse *p, char out[JOB_NAME_SIZE], const char *path, const char *name)
{
    if (failed(p)) return;
    if (!plan_name_ok(name)) {
        problem(p, path,
                "\"%.80s\" is no plain name (letters, digits, _ - . and at most %d of them)", name,
                JOB_NAME_SIZE - 1);
        return;
    }
    memcpy(out, name, strlen(name) + 1);
}

/* The size of a file of the bundle; a problem when it is not there. */
static uint64_t size_of_file(struct parse *p, const char *path, const char *name)
{
    uint64_t size = 0;
    if (failed(p)) return 0;
    if (p->file_size(p->context, &size, name) != OK) {
        problem(p, path, "there is no file %s in the job folder", name);
        return 0;
    }
    return size;
}

/* ---- buffers ------------------------------------------------------------------------------- */

static enum plan_type type_of_text(struct json_reader *r, const char *text)
{
    static const char *const PLAIN[] = {"u8", "i8", "u16", "i16", "i32", "u32", "i64", "u64"};
    if (strcmp(text, "f32") == 0) return PLAN_TYPE_F32;
    if (strcmp(text, "f64") == 0) return PLAN_TYPE_F64;
    for (size_t i = 0; i < sizeof PLAIN / sizeof *PLAIN; i++) {
        if (strcmp(text, PLAIN[i]) == 0) return PLAN_TYPE_NONE;
    }
    json_problem(r, "type", "\"%.40s\" is no element type (f32, f64, u8, i8, ... u64, i64)", text);
    return PLAN_TYPE_NONE;
}

static uint32_t read_format(struct json_reader *png, struct job_view *view)
{
    static const struct {
        const char *name;
        enum job_picture_format format;
        uint32_t bytes;
    } FORMATS[] = {{"rgb8", JOB_PICTURE_RGB8, 3},
                   {"rgba8", JOB_PICTURE_RGBA8, 4},
                   {"gray8", JOB_PICTURE_GRAY8, 1}};
    const char *format = json_get_text(png, "format");
    for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++) {
        if (strcmp(format, FORMATS[i].name) != 0) continue;
        view->picture = FORMATS[i].format;
        return FORMATS[i].bytes;
    }
    json_problem(png, "format", "\"%.40s\" is none of rgb8, rgba8, gray8", format);
    return 1;
}

/* `key` is "png", one picture, or "film", one behind the other. */
static void read_picture(struct json_reader *r, struct job_view *view, uint64_t size_bytes,
                         const char *key)
{
    char path[PATH_SIZE];
    bool film = strcmp(key, "film") == 0;
    if (!json_has(r, key)) return;
    snprintf(path, sizeof path, "%.80s.%s", r->path, key);
    const json_t *object = json_get_object(r, key);
    if (object == NULL) return;
    struct json_reader png = json_reader_over(object, path, r->error);
    view->width = (uint32_t)json_get_u64(&png, "width", 1, film ? JOB_FILM_SIDE_MAX : 65535);
    view->height = (uint32_t)json_get_u64(&png, "height", 1, film ? JOB_FILM_SIDE_MAX : 65535);
    if (film) {
        view->frames_per_second = (uint32_t)json_get_u64(&png, "frames_per_second", 1, 100);
    }
    uint64_t wanted = (uint64_t)view->width * view->height * read_format(&png, view);
    bool fits = film ? wanted != 0 && size_bytes % wanted == 0 : size_bytes == wanted;
    if (!fits) {
        json_problem(&png, "width", "%u x %u wants %s%llu bytes, the buffer has %llu", view->width,
                     view->height, film ? "a multiple of " : "", (unsigned long long)wanted,
                     (unsigned long long)size_bytes);
    }
    enum status status = json_end(&png);
    if (status != OK) view->picture = JOB_PICTURE_NONE;
}

static void check_buffer_name(struct parse *p, const char *path, const char *name)
{
    const struct plan *plan = &p->job->plan;
    if (strcmp(name, "-") == 0) problem(p, path, "\"-\" is no name");
    for (uint32_t i = 0; i + 1 < plan->buffer_count; i++) {
        if (strcmp(plan->buffers[i].name, name) == 0) problem(p, path, "is there twice");
    }
}

static void read_sizes(struct parse *p, struct json_reader *r, struct plan_buffer *b)
{
    char path[PATH_SIZE];
    bool has_file = json_has(r, "file");
    bool has_bytes = json_has(r, "bytes");
    if (has_file) {
        snprintf(path, sizeof path, "%.80s.file", r->path);
        copy_name(p, b->file, path, json_get_text(r, "file"));
        b->file_bytes = b->size_bytes = size_of_file(p, path, b->file);
        if (!failed(p) && b->file_bytes == 0) problem(p, path, "%s is empty", b->file);
    }
    if (has_bytes) b->size_bytes = json_get_u64(r, "bytes", 1, JOB_BUFFER_BYTES_MAX);
    if (!has_file && !has_bytes) problem(p, r->path, "says neither file nor bytes");
    if (!failed(p) && b->size_bytes > JOB_BUFFER_BYTES_MAX) {
        problem(p, r->path, "%llu bytes are more than %llu", (unsigned long long)b->size_bytes,
                (unsigned long long)JOB_BUFFER_BYTES_MAX);
    }
    if (!failed(p) && b->file_bytes > b->size_bytes) {
        problem(p, r->path, "file %s has %llu bytes, more than the %llu of \"bytes\"", b->file,
                (unsigned long long)b->file_bytes, (unsigned long long)b->size_bytes);
    }
}

static void read_buffer(struct parse *p, const char *name, const json_t *value)
{
    struct plan *plan = &p->job->plan;
    struct plan_buffer *b = &plan->buffers[plan->buffer_count];
    struct job_view *view = &p->job->views[plan->buffer_count++];
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "buffers.%.70s", name);
    copy_name(p, b->name, path, name);
    check_buffer_name(p, path, name);
    struct json_reader r = json_reader_over(value, path, p->error);
    read_sizes(p, &r, b);
    if (json_has(&r, "output")) b->output = json_get_bool(&r, "output");
    if (json_has(&r, "type")) b->type = type_of_text(&r, json_get_text(&r, "type"));
    if (json_has(&r, "text")) view->text = json_get_bool(&r, "text");
    read_picture(&r, view, b->size_bytes, "png");
    if (view->picture == JOB_PICTURE_NONE) read_picture(&r, view, b->size_bytes, "film");
    uint64_t item = b->type == PLAN_TYPE_F32 ? 4 : b->type == PLAN_TYPE_F64 ? 8 : 1;
    if (b->size_bytes % item != 0) json_problem(&r, "type", "does not divide the buffer's size");
    if (!b->output && (view->text || view->picture != JOB_PICTURE_NONE)) {
        json_problem(&r, "output", "must be true where png, film or text is said");
    }
    enum status status = json_end(&r);
    assert(status == OK || failed(p));
}

static void read_buffers(struct parse *p, const json_t *buffers)
{
    const char *name;
    json_t *value;
    if (failed(p)) return;
    if (json_object_size(buffers) == 0 || json_object_size(buffers) > JOB_BUFFERS_MAX) {
        problem(p, "buffers", "%zu of them, where 1 to %d are possible", json_object_size(buffers),
                JOB_BUFFERS_MAX);
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)buffers, name, value)
    {
        if (!failed(p)) read_buffer(p, name, value);
    }
    uint64_t outputs = plan_output_bytes(&p->job->plan);
    if (!failed(p) && outputs == 0) problem(p, "buffers", "none has \"output\": true");
    if (!failed(p) && outputs > JOB_OUTPUT_BYTES_MAX) {
        problem(p, "buffers", "outputs of %llu bytes are more than %llu",
                (unsigned long long)outputs, (unsigned long long)JOB_OUTPUT_BYTES_MAX);
    }
}

/* ---- launches ------------------------------------------------------------------------------ */

static void read_dims(struct parse *p, uint32_t out[3], const json_t *array, const char *path)
{
    out[0] = out[1] = out[2] = 1;
    if (failed(p)) return;
    size_t count = json_array_size(array);
    if (count < 1 || count > 3) {
        problem(p, path, "has %zu numbers, where 1 to 3 are possible", count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_array_get(array, i);
        json_int_t number = json_is_integer(value) ? json_integer_value(value) : 0;
        if (number < 1 || number > JOB_GRID_MAX) {
            problem(p, path, "number %zu is no positive integer in range", i);
            return;
        }
        out[i] = (uint32_t)number;
    }
}

static void check_dims(struct parse *p, const struct plan_launch *l, const char *path)
{
    uint64_t threads = (uint64_t)l->block[0] * l->block[1];
    if (failed(p)) return;
    if (threads > JOB_BLOCK_THREADS_MAX || threads * l->block[2] > JOB_BLOCK_THREADS_MAX) {
        problem(p, path, "a block of %u x %u x %u is more than %u threads", l->block[0],
                l->block[1], l->block[2], JOB_BLOCK_THREADS_MAX);
    }
    if (l->block[2] > JOB_BLOCK_Z_MAX) {
        problem(p, path, "a block's third number is at most %u", JOB_BLOCK_Z_MAX);
    }
    if (l->grid[1] > JOB_GRID_YZ_MAX || l->grid[2] > JOB_GRID_YZ_MAX) {
        problem(p, path, "a grid's second and third numbers are at most %u", JOB_GRID_YZ_MAX);
    }
}

static void read_integer_arg(struct parse *p, struct plan_arg *arg, const json_t *value,
                             const char *path)
{
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value)) {
        problem(p, path, "%s wants an integer", plan_arg_word(arg->kind));
        return;
    }
    if ((arg->kind == PLAN_ARG_I32 && (number < INT32_MIN || number > INT32_MAX)) ||
        (arg->kind == PLAN_ARG_U32 && (number < 0 || number > (json_int_t)UINT32_MAX)) ||
        (arg->kind == PLAN_ARG_U64 && number < 0)) {
        problem(p, path, "%lld does not fit %s", (long long)number, plan_arg_word(arg->kind));
        return;
    }
    arg->bits = (uint64_t)number;
    if (arg->kind == PLAN_ARG_I32) arg->bits = (uint32_t)number;
}

static void read_real_arg(struct parse *p, struct plan_arg *arg, const json_t *value,
                          const char *path)
{
    if (!json_is_number(value)) {
        problem(p, path, "%s wants a number", plan_arg_word(arg->kind));
        return;
    }
    double number = json_number_value(value);
    if (arg->kind == PLAN_ARG_F64) {
        memcpy(&arg->bits, &number, sizeof number);
        return;
    }
    if (fabs(number) > 3.4028234663852886e38) {
        problem(p, path, "%g does not fit f32", number);
        return;
    }
    float narrow = (float)number;
    uint32_t bits;
    memcpy(&bits, &narrow, sizeof bits);
    arg->bits = bits;
}

static void read_value_arg(struct parse *p, struct plan_arg *arg, const json_t *value,
                           const char *path)
{
    json_t *object = (json_t *)(uintptr_t)value;
    const char *key = json_object_iter_key(json_object_iter(object));
    if (json_object_size(value) != 1 || key == NULL) {
        problem(p, path, "wants one key: i32, u32, i64, u64, f32, f64 or index");
        return;
    }
    const json_t *inner = json_object_get(value, key);
    arg->kind = PLAN_ARG_BUFFER;
    for (int kind = PLAN_ARG_I32; kind < PLAN_ARG_KIND_COUNT; kind++) {
        if (strcmp(key, plan_arg_word((enum plan_arg_kind)kind)) == 0) {
            arg->kind = (enum plan_arg_kind)kind;
        }
    }
    switch (arg->kind) {
    case PLAN_ARG_BUFFER: problem(p, path, "unknown key \"%.40s\"", key); break;
    case PLAN_ARG_INDEX:
        if (!json_is_true(inner)) problem(p, path, "\"index\" wants true");
        break;
    case PLAN_ARG_F32:
    case PLAN_ARG_F64: read_real_arg(p, arg, inner, path); break;
    case PLAN_ARG_I32:
    case PLAN_ARG_U32:
    case PLAN_ARG_I64:
    case PLAN_ARG_U64: read_integer_arg(p, arg, inner, path); break;
    case PLAN_ARG_KIND_COUNT: break;
    }
}

static void read_arg(struct parse *p, struct plan_arg *arg, const json_t *value, const char *path)
{
    const struct plan *plan = &p->job->plan;
    if (json_is_object(value)) {
        read_value_arg(p, arg, value, path);
        return;
    }
    if (!json_is_string(value)) {
        problem(p, path, "is neither a buffer's name nor a value such as {\"i32\": 1}");
        return;
    }
    const char *name = json_string_value(value);
    for (uint32_t i = 0; i < plan->buffer_count; i++) {
        if (strcmp(plan->buffers[i].name, name) != 0) continue;
        *arg = (struct plan_arg){PLAN_ARG_BUFFER, i};
        return;
    }
    problem(p, path, "there is no buffer \"%.60s\"", name);
}

static void read_args(struct parse *p, struct plan_launch *l, const json_t *args, const char *path)
{
    char inner[PATH_SIZE];
    if (failed(p)) return;
    l->arg_count = (uint32_t)json_array_size(args);
    for (uint32_t i = 0; i < l->arg_count && !failed(p); i++) {
        snprintf(inner, sizeof inner, "%.70s.args[%u]", path, i);
        read_arg(p, &l->args[i], json_array_get(args, i), inner);
    }
}

/* One launch; *out_repeat is its own "repeat", which a launch of a group may not have. */
static void read_launch(struct parse *p, const json_t *value, const char *path,
                        uint32_t *out_repeat)
{
    struct plan *plan = &p->job->plan;
    char inner[PATH_SIZE];
    if (failed(p)) return;
    if (plan->launch_count >= JOB_LAUNCHES_MAX) {
        problem(p, path, "more than %d launches", JOB_LAUNCHES_MAX);
        return;
    }
    struct plan_launch *l = &plan->launches[plan->launch_count++];
    struct json_reader r = json_reader_over(value, path, p->error);
    const char *kernel = json_get_text(&r, "kernel");
    if (!failed(p) && !plan_kernel_ok(kernel)) {
        json_problem(&r, "kernel", "\"%.60s\" is no function's name", kernel);
    }
    snprintf(l->kernel, sizeof l->kernel, "%s", kernel);
    snprintf(inner, sizeof inner, "%.80s.grid", path);
    read_dims(p, l->grid, json_get_array(&r, "grid", 3), inner);
    snprintf(inner, sizeof inner, "%.80s.block", path);
    read_dims(p, l->block, json_get_array(&r, "block", 3), inner);
    check_dims(p, l, path);
    read_args(p, l, json_get_array(&r, "args", JOB_ARGS_MAX), path);
    if (json_has(&r, "shared_bytes")) {
        l->shared_bytes = (uint32_t)json_get_u64(&r, "shared_bytes", 0, JOB_SHARED_BYTES_MAX);
    }
    if (out_repeat != NULL && json_has(&r, "repeat")) {
        *out_repeat = (uint32_t)json_get_u64(&r, "repeat", 1, JOB_REPEAT_MAX);
    }
    enum status status = json_end(&r);
    assert(status == OK || failed(p));
}

static void read_group(struct parse *p, const json_t *value, const char *path,
                       struct plan_group *group)
{
    char inner[PATH_SIZE];
    struct json_reader r = json_reader_over(value, path, p->error);
    group->repeat = (uint32_t)json_get_u64(&r, "repeat", 1, JOB_REPEAT_MAX);
    const json_t *launches = json_get_array(&r, "launches", JOB_LAUNCHES_MAX);
    size_t count = json_array_size(launches);
    if (!failed(p) && count == 0) json_problem(&r, "launches", "is empty");
    for (size_t i = 0; i < count && !failed(p); i++) {
        snprintf(inner, sizeof inner, "%.60s.launches[%zu]", path, i);
        read_launch(p, json_array_get(launches, i), inner, NULL);
    }
    enum status status = json_end(&r);
    assert(status == OK || failed(p));
}

static void read_launches(struct parse *p, const json_t *launches)
{
    struct plan *plan = &p->job->plan;
    size_t count = json_array_size(launches);
    char path[PATH_SIZE];
    if (!failed(p) && count == 0) problem(p, "launches", "is empty");
    for (size_t i = 0; i < count && !failed(p); i++) {
        const json_t *value = json_array_get(launches, i);
        struct plan_group *group = &plan->groups[plan->group_count++];
        snprintf(path, sizeof path, "launches[%zu]", i);
        group->first = plan->launch_count;
        group->repeat = 1;
        if (json_object_get(value, "launches") != NULL) {
            read_group(p, value, path, group);
        } else {
            read_launch(p, value, path, &group->repeat);
        }
        group->count = plan->launch_count - group->first;
    }
}

/* ---- the rest ------------------------------------------------------------------------------ */

static void read_limits(struct parse *p, struct json_reader *top)
{
    struct job *job = p->job;
    uint64_t memory_mib = JOB_MEMORY_MIB_DEFAULT;
    job->plan.seconds = JOB_SECONDS_DEFAULT;
    if (json_has(top, "limits")) {
        struct json_reader r = json_reader_over(json_get_object(top, "limits"), "limits", p->error);
        if (json_has(&r, "seconds")) {
            job->plan.seconds = (uint32_t)json_get_u64(&r, "seconds", 1, JOB_SECONDS_MAX);
        }
        if (json_has(&r, "memory_mib")) {
            memory_mib = json_get_u64(&r, "memory_mib", 1, JOB_MEMORY_MIB_MAX);
        }
        if (json_has(&r, "vram_mib")) {
            job->vram_mib = (uint32_t)json_get_u64(&r, "vram_mib", 1, JOB_MEMORY_MIB_MAX);
        }
        enum status status = json_end(&r);
        assert(status == OK || failed(p));
    }
    job->plan.memory_bytes = memory_mib << 20;
    uint64_t needed = 0;
    for (uint32_t i = 0; i < job->plan.buffer_count; i++) {
        needed += job->plan.buffers[i].size_bytes;
    }
    if (!failed(p) && needed > job->plan.memory_bytes) {
        problem(p, "limits.memory_mib", "%llu MiB are less than the %llu bytes of the buffers",
                (unsigned long long)memory_mib, (unsigned long long)needed);
    }
}

/* A trace is a list of roots, one for each buffer and image. */
static void check_trace(struct parse *p)
{
    const struct plan *plan = &p->job->plan;
    uint64_t steps = image_steps(plan);
    uint64_t blocks = 0; /* a launch has fewer than 2^63 */
    if (failed(p) || !plan->trace) return;
    if (steps > TRACE_STEPS_MAX || (steps + 1) * plan->buffer_count > TRACE_ROOTS_MAX) {
        problem(p, "trace",
                "%llu launches with %u buffers are too many: at most %u launches, and %u launches "
                "times buffers",
                (unsigned long long)steps, plan->buffer_count, TRACE_STEPS_MAX, TRACE_ROOTS_MAX);
        return;
    }
    for (uint64_t i = 0; i < steps && blocks <= TRACE_BLOCKS_MAX; i++)
        blocks += image_blocks_of(image_step_at(plan, i).launch);
    if (blocks > TRACE_BLOCKS_MAX) problem(p, "trace", "the launches have too many blocks");
}

static void read_keeping(struct parse *p, struct json_reader *top)
{
    struct plan *plan = &p->job->plan;
    if (json_has(top, "trace")) plan->trace = json_get_bool(top, "trace");
    if (json_has(top, "checkpoint")) {
        plan->checkpoint_seconds = (uint32_t)json_get_u64(top, "checkpoint", 1, JOB_SECONDS_MAX);
    }
    check_trace(p);
}

static void read_files(struct parse *p, const json_t *files)
{
    char path[PATH_SIZE];
    if (failed(p)) return;
    for (size_t i = 0; i < json_array_size(files) && !failed(p); i++) {
        const char *name = json_string_value(json_array_get(files, i));
        snprintf(path, sizeof path, "files[%zu]", i);
        copy_name(p, p->job->files[p->job->file_count], path, name == NULL ? "" : name);
        (void)size_of_file(p, path, p->job->files[p->job->file_count]);
        p->job->file_count++;
    }
}

static void read_kernels(struct parse *p, struct json_reader *r)
{
    copy_name(p, p->job->plan.source, "source", json_get_text(r, "source"));
    (void)size_of_file(p, "source", p->job->plan.source);
    if (json_has(r, "files")) read_files(p, json_get_array(r, "files", JOB_FILES_MAX));
    read_buffers(p, json_get_object(r, "buffers"));
    read_launches(p, json_get_array(r, "launches", JOB_GROUPS_MAX));
    read_limits(p, r);
    read_keeping(p, r);
}

static void read_top(struct parse *p, const json_t *root)
{
    struct job *job = p->job;
    struct json_reader r = json_reader_over(root, "", p->error);
    if (json_has(&r, "split")) {
        json_problem(&r, "split", "this job runs in parts; see: leasehold job run --split");
    }
    const char *runtime = json_get_text(&r, "runtime");
    bool is_exec = strcmp(runtime, JOB_RUNTIME_EXEC) == 0;
    bool is_fast = strcmp(runtime, JOB_RUNTIME_CUDA_C_FAST) == 0;
    if (!failed(p) && !is_exec && !is_fast && strcmp(runtime, JOB_RUNTIME_CUDA_C) != 0) {
        json_problem(&r, "runtime", "\"%.40s\" is none of cuda-c, cuda-c-fast, exec", runtime);
    }
    snprintf(job->runtime, sizeof job->runtime, "%s", runtime);
    if (is_exec) {
        exec_job_read(job, &r, p->file_size, p->context);
    } else {
        read_kernels(p, &r);
    }
    enum status status = json_end(&r);
    assert(status == OK || failed(p));
}

enum status job_parse(struct job **out, char error[JOB_ERROR_SIZE], struct bytes text,
                      job_file_size *file_size, void *context)
{
    char what[JSON_ERROR_SIZE] = "";
    json_t *root;
    struct parse p = {NULL, what, file_size, context};
    if (text.size > JOB_JSON_BYTES_MAX) {
        snprintf(error, JOB_ERROR_SIZE, "job.json is longer than %u bytes", JOB_JSON_BYTES_MAX);
        return E_LIMIT;
    }
    if (json_parse(&root, what, text) != OK) {
        snprintf(error, JOB_ERROR_SIZE, "job.json: %s", what);
        return E_MALFORMED;
    }
    p.job = must_alloc(sizeof *p.job);
    read_top(&p, root);
    json_decref(root);
    if (failed(&p)) {
        snprintf(error, JOB_ERROR_SIZE, "job.json: %s", what);
        job_destroy(p.job);
        return E_MALFORMED;
    }
    *out = p.job;
    return OK;
}

static enum status size_in_folder(void *context, uint64_t *out_bytes, const char *name)
{
    char path[4096];
    struct stat s;
    int size = snprintf(path, sizeof path, "%s/%s", (const char *)context, name);
    if (size < 0 || (size_t)size >= sizeof path) return E_LIMIT;
    if (lstat(path, &s) != 0 || !S_ISREG(s.st_mode)) return E_NOT_FOUND;
    *out_bytes = (uint64_t)s.st_size;
    return OK;
}

enum status job_load(struct job **out, char error[JOB_ERROR_SIZE], const char *folder)
{
    char path[4096];
    struct buffer text = {0};
    int size = snprintf(path, sizeof path, "%s/%s", folder, JOB_FILE_NAME);
    if (size < 0 || (size_t)size >= sizeof path) {
        snprintf(error, JOB_ERROR_SIZE, "the path of the job folder is too long");
        return E_LIMIT;
    }
    enum status status = file_read(&text, path, JOB_JSON_BYTES_MAX);
    if (status != OK) {
        snprintf(error, JOB_ERROR_SIZE, "%.400s: %s", path, status_text(status));
        return status;
    }
    status = job_parse(out, error, buffer_bytes(&text), size_in_folder, (void *)(uintptr_t)folder);
    buffer_finish(&text);
    return status;
}

void job_destroy(struct job *job)
{
    if (job != NULL) free(job->exec);
    free(job);
}

const char *job_settlement_note(const char *runtime)
{
    if (strcmp(runtime, JOB_RUNTIME_CUDA_C) == 0) return NULL;
    return "nobody else can check the result of this runtime by running it again: look at it "
           "yourself, then accept it or object; without a word of yours the worker is paid when "
           "the time for objections is over";
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

size_t job_names(const struct job *job, char out[JOB_NAMES_MAX][JOB_NAME_SIZE])
{
    size_t count = 0, kept = 0;
    snprintf(out[count++], JOB_NAME_SIZE, "%s", JOB_FILE_NAME);
    const struct exec_job *exec = job->exec;
    snprintf(out[count++], JOB_NAME_SIZE, "%s", exec != NULL ? exec->image : job->plan.source);
    for (uint32_t i = 0; exec != NULL && i < exec->input_count; i++)
        snprintf(out[count++], JOB_NAME_SIZE, "%s", exec->inputs[i].file);
    for (uint32_t i = 0; i < job->file_count; i++) {
        snprintf(out[count++], JOB_NAME_SIZE, "%s", job->files[i]);
    }
    for (uint32_t i = 0; i < job->plan.buffer_count; i++) {
        const char *file = job->plan.buffers[i].file;
        if (file[0] != '\0') snprintf(out[count++], JOB_NAME_SIZE, "%s", file);
    }
    assert(count <= JOB_NAMES_MAX);
    qsort(out, count, JOB_NAME_SIZE, compare_names);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && strcmp(out[kept - 1], out[i]) == 0) continue;
        if (kept != i) memcpy(out[kept], out[i], JOB_NAME_SIZE);
        kept++;
    }
    return kept;
}
