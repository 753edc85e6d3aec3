#include "compute/code_cache.h"

#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/sha256.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_VERSION "leasehold-cuda-code 1"
#define SOURCE_MAX  (4u << 20) /* what NVRTC is given of a file at most */
#define RUNNER_MAX  (64u << 20)
#define ENTRIES_MAX 4096

/* ---- the key --------------------------------------------------------------------------------- */

static void add_text(struct buffer *b, const char *text)
{
    buffer_append(b, bytes_of(text, strlen(text) + 1));
}

static enum status add_file(struct buffer *b, const char *name, const char *path, size_t most)
{
    struct buffer content = {0};
    enum status status = file_read(&content, path, most);
    if (status == OK) {
        struct hash hash = sha256(bytes_of(content.data, content.size));
        add_text(b, name);
        buffer_append(b, bytes_of(&hash, sizeof hash));
    }
    buffer_finish(&content);
    return status;
}

static bool is_data(const struct plan *plan, const char *name)
{
    for (uint32_t i = 0; i < plan->buffer_count; i++) {
        if (strcmp(plan->buffers[i].file, name) == 0) return strcmp(plan->source, name) != 0;
    }
    return false;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Sources in the order of their names. */
static enum status add_sources(struct buffer *b, const struct code_key_parts *parts)
{
    struct dirent **entries = NULL;
    char path[PATH_MAX];
    enum status status = OK;
    int count = scandir(parts->job_folder, &entries, is_visible, alphasort);
    if (count < 0) return E_IO;
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%.3800s/%.255s", parts->job_folder, entries[i]->d_name);
        bool used = status == OK && !is_data(parts->plan, entries[i]->d_name);
        if (used) status = add_file(b, entries[i]->d_name, path, SOURCE_MAX);
        if (status == E_LIMIT) status = OK; /* NVRTC is not given it either */
        free(entries[i]);
    }
    free(entries);
    return status;
}

static void add_kernels(struct buffer *b, const struct plan *plan)
{
    add_text(b, plan->source);
    for (uint32_t i = 0; i < plan->launch_count; i++) {
        const struct plan_launch *l = &plan->launches[i];
        buffer_print(b, "%s %u;", l->kernel, l->block[0] * l->block[1] * l->block[2]);
    }
}

enum status code_cache_key(struct hash *out, const struct code_key_parts *parts)
{
    struct buffer b = {0};
    add_text(&b, KEY_VERSION);
    buffer_print(&b, "%s|%s|%u|", parts->compiler, parts->driver, parts->capability);
    add_kernels(&b, parts->plan);
    enum status status = add_file(&b, "runner", parts->runner_path, RUNNER_MAX);
    if (status == OK) status = add_sources(&b, parts);
    if (status == OK) *out = sha256(bytes_of(b.data, b.size));
    buffer_finish(&b);
    return status;
}

/* ---- the folder ------------------------------------------------------------------------------ */

static void path_of(char *out, size_t out_size, const char *folder, const struct hash *key)
{
    char text[67];
    hash_to_text(text, key);
    snprintf(out, out_size, "%.3900s/%s.cubin", folder, text + 2);
}

bool code_cache_find(char *out, size_t out_size, const char *folder, const struct hash *key)
{
    path_of(out, out_size, folder, key);
    return utimensat(AT_FDCWD, out, NULL, AT_SYMLINK_NOFOLLOW) == 0;
}

struct entry {
    char name[80];
    uint64_t bytes;
    int64_t used_ns;
};

static int by_use(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return x->used_ns < y->used_ns ? -1 : x->used_ns > y->used_ns;
}

static size_t list_entries(struct entry *out, const char *folder)
{
    struct dirent *d;
    struct stat s;
    size_t count = 0;
    DIR *dir = opendir(folder);
    while (dir != NULL && count < ENTRIES_MAX && (d = readdir(dir)) != NULL) {
        size_t size = strlen(d->d_name);
        bool ours = size < sizeof out->name && size > 6 && strstr(d->d_name, ".cubin") != NULL;
        if (!ours || fstatat(dirfd(dir), d->d_name, &s, AT_SYMLINK_NOFOLLOW) != 0) continue;
        memcpy(out[count].name, d->d_name, size + 1);
        out[count].bytes = (uint64_t)s.st_size;
        out[count++].used_ns = (int64_t)s.st_mtim.tv_sec * 1000000000 + s.st_mtim.tv_nsec;
    }
    if (dir != NULL) closedir(dir);
    return count;
}

/* The longest unused first. */
static void make_room(const char *folder)
{
    char path[PATH_MAX];
    uint64_t total = 0;
    struct entry *entries = calloc(ENTRIES_MAX, sizeof *entries);
    if (entries == NULL) return;
    size_t count = list_entries(entries, folder);
    for (size_t i = 0; i < count; i++)
        total += entries[i].bytes;
    qsort(entries, count, sizeof *entries, by_use);
    for (size_t i = 0; i < count; i++) {
        bool crowded = count - i > ENTRIES_MAX / 2;
        if (total <= CODE_CACHE_BYTES_MAX && !crowded) break;
        snprintf(path, sizeof path, "%.3900s/%s", folder, entries[i].name);
        if (unlink(path) == 0) total -= entries[i].bytes;
    }
    free(entries);
}

static bool is_machine_code(struct bytes content)
{
    return content.size > 64 && memcmp(content.data,
                                       "\x7f"
                                       "ELF",
                                       4) == 0;
}

void code_cache_keep(const char *folder, const struct hash *key, const char *path)
{
    struct buffer content = {0};
    char to[PATH_MAX];
    path_of(to, sizeof to, folder, key);
    enum status status = file_read(&content, path, CODE_CACHE_FILE_MAX);
    bool good = status == OK && is_machine_code(bytes_of(content.data, content.size));
    if (good && directory_make(folder, 0700) == OK) {
        status = file_write_atomic(to, bytes_of(content.data, content.size), 0644);
        if (status != OK) log_warn("cuda", "compiled code is not kept path=%s", to);
        make_room(folder);
    }
    buffer_finish(&content);
}
