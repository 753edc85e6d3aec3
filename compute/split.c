#include "compute/split.h"

#include "base/file.h"
#include "base/json.h"
#include "compute/limits.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX  16
#define CHUNK_SIZE (256u * 1024u)

struct pattern { /* one job.json while the numbers of a part are put into it */
    json_t *root;
    char *error; /* JOB_ERROR_SIZE; "" while all is well */
    uint32_t part;
    uint32_t parts;
};

/* ---- numbers in place of words --------------------------------------------------------------- */

static json_t *share_of(struct pattern *p, const json_t *value)
{
    const json_t *whole = json_object_get(value, "share");
    const json_t *plus = json_object_get(value, "plus");
    size_t keys = plus == NULL ? 1 : 2;
    if (!json_is_integer(whole) || json_object_size(value) != keys) return NULL;
    if (plus != NULL && !json_is_integer(plus)) return NULL;
    json_int_t n = json_integer_value(whole);
    if (n % p->parts != 0 && p->error[0] == '\0')
        snprintf(p->error, JOB_ERROR_SIZE,
                 "job.json: {\"share\": %lld} cannot be divided into %u equal parts", (long long)n,
                 p->parts);
    json_int_t extra = json_integer_value(plus);
    bool fits = extra >= 0 && extra < INT32_MAX;
    return fits ? json_integer(n / p->parts + extra) : NULL;
}

/* The number that such a word stands for; NULL: it is something else. */
static json_t *number_of(struct pattern *p, const json_t *value)
{
    if (!json_is_object(value)) return NULL;
    bool alone = json_object_size(value) == 1;
    if (alone && json_is_true(json_object_get(value, "part"))) return json_integer(p->part);
    if (alone && json_is_true(json_object_get(value, "parts"))) return json_integer(p->parts);
    return share_of(p, value);
}

static void replace(struct pattern *p, json_t *value, int depth);

static void replace_in_object(struct pattern *p, json_t *object, int depth)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        json_t *number = number_of(p, value);
        if (number == NULL) {
            replace(p, value, depth + 1);
        } else {
            json_object_set_new(object, key, number);
        }
    }
}

static void replace_in_array(struct pattern *p, json_t *array, int depth)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        json_t *number = number_of(p, json_array_get(array, i));
        if (number == NULL) {
            replace(p, json_array_get(array, i), depth + 1);
        } else {
            json_array_set_new(array, i, number);
        }
    }
}

static void replace(struct pattern *p, json_t *value, int depth)
{
    if (depth > DEPTH_MAX) return; /* no job.json is that deep: job_parse will say so */
    if (json_is_object(value)) replace_in_object(p, value, depth);
    if (json_is_array(value)) replace_in_array(p, value, depth);
}

/* ---- job.json of a part, of the whole -------------------------------------------------------- */

static enum status load(json_t **out, char *error, const char *folder)
{
    char path[PATH_MAX], what[JSON_ERROR_SIZE] = "";
    if (snprintf(path, sizeof path, "%s/%s", folder, JOB_FILE_NAME) >= (int)sizeof path) {
        snprintf(error, JOB_ERROR_SIZE, "the path of the job folder is too long");
        return E_LIMIT;
    }
    enum status status = json_load_path(out, what, path, JOB_JSON_BYTES_MAX);
    if (status != OK) snprintf(error, JOB_ERROR_SIZE, "%s", what);
    return status;
}

static enum status check_joins(char *error, const json_t *root)
{
    const char *name;
    json_t *buffer;
    json_object_foreach(json_object_get(root, "buffers"), name, buffer)
    {
        const char *join = json_string_value(json_object_get(buffer, "join"));
        bool output = json_is_true(json_object_get(buffer, "output"));
        if (output == (join != NULL) && (join == NULL || strcmp(join, "concat") == 0)) continue;
        snprintf(error, JOB_ERROR_SIZE,
                 "job.json: buffers.%.70s: the outputs of a split job, and no other buffers, say "
                 "\"join\": \"concat\"",
                 name);
        return E_MALFORMED;
    }
    return OK;
}

/* What is the pattern's and the renter's alone is no part of a part. */
static void strip(json_t *root, bool views_too)
{
    static const char *const VIEWS[] = {"png", "film", "text"};
    const char *name;
    json_t *buffer;
    json_object_del(root, "split");
    json_object_foreach(json_object_get(root, "buffers"), name, buffer)
    {
        json_object_del(buffer, "join");
        for (size_t i = 0; views_too && i < sizeof VIEWS / sizeof *VIEWS; i++)
            json_object_del(buffer, VIEWS[i]);
    }
}

/* The caller decrefs *out. */
static enum status make_job(json_t **out, char *error, const char *folder, uint32_t part,
                            uint32_t parts)
{
    struct pattern p = {.error = error, .part = part, .parts = parts};
    assert(parts >= 1 && part < parts);
    error[0] = '\0';
    enum status status = load(&p.root, error, folder);
    if (status != OK) return status;
    status = check_joins(error, p.root);
    if (status == OK) {
        strip(p.root, parts > 1);
        replace(&p, p.root, 0);
        if (error[0] != '\0') status = E_MALFORMED;
    }
    if (status == OK) {
        *out = p.root;
    } else {
        json_decref(p.root);
    }
    return status;
}

enum status split_read(uint32_t *out_parts, char error[JOB_ERROR_SIZE], const char *folder)
{
    json_t *root = NULL;
    char what[JSON_ERROR_SIZE] = "";
    uint64_t parts = 0;
    enum status status = load(&root, error, folder);
    if (status != OK) return status;
    const json_t *split = json_object_get(root, "split");
    if (split != NULL) {
        struct json_reader r = json_reader_over(split, "split", what);
        parts = json_get_u64(&r, "parts", 1, SPLIT_PARTS_MAX);
        status = json_end(&r);
    }
    json_decref(root);
    if (status != OK) {
        snprintf(error, JOB_ERROR_SIZE, "job.json: %s", what);
        return E_MALFORMED;
    }
    *out_parts = (uint32_t)parts;
    return OK;
}

static enum status size_in_folder(void *context, uint64_t *out_bytes, const char *name)
{
    char path[PATH_MAX];
    struct stat s;
    if (snprintf(path, sizeof path, "%s/%s", (const char *)context, name) >= (int)sizeof path)
        return E_LIMIT;
    if (lstat(path, &s) != 0 || !S_ISREG(s.st_mode)) return E_NOT_FOUND;
    *out_bytes = (uint64_t)s.st_size;
    return OK;
}

enum status split_load_whole(struct job **out, char error[JOB_ERROR_SIZE], const char *folder)
{
    json_t *root = NULL;
    enum status status = make_job(&root, error, folder, 0, 1);
    if (status != OK) return status;
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    if (text == NULL) return E_LIMIT;
    status = job_parse(out, error, bytes_of_text(text), size_in_folder, (void *)(uintptr_t)folder);
    free(text);
    return status;
}

/* ---- a part's folder ------------------------------------------------------------------------- */

static enum status copy_bytes(int out, int in)
{
    static const size_t SIZE = CHUNK_SIZE;
    enum status status = OK;
    char *chunk = malloc(SIZE);
    ssize_t got = -1;
    while (chunk != NULL && status == OK && (got = read(in, chunk, SIZE)) > 0) {
        for (ssize_t done = 0, n; done < got && status == OK; done += n) {
            n = write(out, chunk + done, (size_t)(got - done));
            if (n <= 0) status = E_IO;
        }
    }
    free(chunk);
    return got < 0 ? E_IO : status;
}

/* Appends the file `from` to `to`. */
static enum status append_file(char *error, const char *to, const char *from)
{
    int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int out = open(to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    enum status status = in >= 0 && out >= 0 ? copy_bytes(out, in) : E_IO;
    if (status != OK)
        snprintf(error, JOB_ERROR_SIZE, "cannot copy %.200s to %.200s: %s", from, to,
                 strerror(errno));
    if (in >= 0) close(in);
    if (out >= 0) close(out);
    return status;
}

static enum status append_named(char *error, const char *to_folder, const char *from_folder,
                                const char *name)
{
    char to[PATH_MAX], from[PATH_MAX];
    if (snprintf(to, sizeof to, "%s/%s", to_folder, name) >= (int)sizeof to ||
        snprintf(from, sizeof from, "%s/%s", from_folder, name) >= (int)sizeof from) {
        snprintf(error, JOB_ERROR_SIZE, "the path of %.60s is too long", name);
        return E_LIMIT;
    }
    return append_file(error, to, from);
}

static enum status write_job(char *error, const char *part_folder, const json_t *root)
{
    char path[PATH_MAX];
    enum status status = E_LIMIT;
    if (snprintf(path, sizeof path, "%s/%s", part_folder, JOB_FILE_NAME) < (int)sizeof path)
        status = json_save_path(root, path, 0644);
    if (status != OK)
        snprintf(error, JOB_ERROR_SIZE, "cannot write %.400s/%s", part_folder, JOB_FILE_NAME);
    return status;
}

static enum status copy_files(char *error, const char *folder, const char *part_folder)
{
    char(*names)[JOB_NAME_SIZE] = calloc(JOB_NAMES_MAX, sizeof *names);
    struct job *whole = NULL;
    enum status status = names == NULL ? E_LIMIT : split_load_whole(&whole, error, folder);
    size_t count = status == OK ? job_names(whole, names) : 0;
    for (size_t i = 0; i < count && status == OK; i++) {
        if (strcmp(names[i], JOB_FILE_NAME) == 0) continue;
        status = append_named(error, part_folder, folder, names[i]);
    }
    job_destroy(whole);
    free(names);
    return status;
}

enum status split_make_part(char error[JOB_ERROR_SIZE], const char *folder, const char *part_folder,
                            uint32_t part, uint32_t parts)
{
    json_t *root = NULL;
    assert(parts <= SPLIT_PARTS_MAX);
    enum status status = make_job(&root, error, folder, part, parts);
    if (status != OK) return status;
    if (mkdir(part_folder, 0700) != 0) {
        snprintf(error, JOB_ERROR_SIZE, "cannot make %.400s: %s", part_folder, strerror(errno));
        status = E_IO;
    }
    if (status == OK) status = copy_files(error, folder, part_folder);
    if (status == OK) status = write_job(error, part_folder, root);
    json_decref(root);
    return status;
}

/* ---- joining --------------------------------------------------------------------------------- */

static enum status join_buffer(char *error, const struct plan_buffer *b, const char *results,
                               uint32_t parts, const char *output)
{
    char folder[PATH_MAX];
    uint64_t size = 0;
    for (uint32_t i = 0; i < parts; i++) {
        if (snprintf(folder, sizeof folder, "%s/%u", results, i) >= (int)sizeof folder)
            return E_LIMIT;
        enum status status = append_named(error, output, folder, b->name);
        if (status != OK) return status;
    }
    if (size_in_folder((void *)(uintptr_t)output, &size, b->name) == OK && size == b->size_bytes)
        return OK;
    snprintf(error, JOB_ERROR_SIZE, "the parts' %s have %llu bytes together, not %llu", b->name,
             (unsigned long long)size, (unsigned long long)b->size_bytes);
    return E_MALFORMED;
}

static enum status root_of(struct bundle_info *out, char *error, const char *const *names,
                           size_t count, const char *output)
{
    char tar[PATH_MAX];
    if (snprintf(tar, sizeof tar, "%s.tar.tmp", output) >= (int)sizeof tar) return E_LIMIT;
    enum status status = bundle_pack_files(out, error, output, names, count, tar);
    unlink(tar);
    return status;
}

enum status split_join(struct bundle_info *out, char error[JOB_ERROR_SIZE], const struct job *whole,
                       const char *results, uint32_t parts, const char *output)
{
    const char *names[JOB_BUFFERS_MAX];
    size_t count = 0;
    if (mkdir(output, 0755) != 0 && errno != EEXIST) {
        snprintf(error, JOB_ERROR_SIZE, "cannot make %.400s: %s", output, strerror(errno));
        return E_IO;
    }
    for (uint32_t i = 0; i < whole->plan.buffer_count; i++) {
        const struct plan_buffer *b = &whole->plan.buffers[i];
        if (!b->output) continue;
        names[count++] = b->name;
        enum status status = join_buffer(error, b, results, parts, output);
        if (status != OK) return status;
    }
    return root_of(out, error, names, count, output);
}
