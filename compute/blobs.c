#include "compute/blobs.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/merkle.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct blob {
    struct hash root;
    uint64_t job;  /* whose part it is; of no meaning once whole */
    uint64_t size; /* of the whole content, promised or held */
    uint64_t held;
    bool whole;
};

struct blobs {
    pthread_mutex_t lock;
    char folder[PATH_MAX - 80];
    uint64_t quota_bytes;
    uint64_t used_bytes; /* sum of sizes */
    struct blob entries[BLOBS_MAX];
    size_t count;
};

static void path_of(const struct blobs *b, char out[PATH_MAX], const struct blob *blob)
{
    char name[67];
    hash_to_text(name, &blob->root);
    if (blob->whole)
        snprintf(out, PATH_MAX, "%s/%s", b->folder, name + 2);
    else
        snprintf(out, PATH_MAX, "%s/%s.%" PRIu64 ".part", b->folder, name + 2, blob->job);
}

static void path_of_whole(const struct blobs *b, char out[PATH_MAX], const struct hash *root)
{
    struct blob whole = {.root = *root, .whole = true};
    path_of(b, out, &whole);
}

static struct blob *find_whole(struct blobs *b, const struct hash *root)
{
    for (size_t i = 0; i < b->count; i++) {
        if (b->entries[i].whole && hash_equal(&b->entries[i].root, root)) return &b->entries[i];
    }
    return NULL;
}

static struct blob *find_part(struct blobs *b, uint64_t job, const struct hash *root)
{
    for (size_t i = 0; i < b->count; i++) {
        struct blob *blob = &b->entries[i];
        if (!blob->whole && blob->job == job && hash_equal(&blob->root, root)) return blob;
    }
    return NULL;
}

static struct blob *add(struct blobs *b, uint64_t job, const struct hash *root, uint64_t size)
{
    if (b->count == BLOBS_MAX) return NULL;
    if (size > b->quota_bytes || b->used_bytes > b->quota_bytes - size) return NULL;
    b->used_bytes += size;
    struct blob *blob = &b->entries[b->count++];
    *blob = (struct blob){.root = *root, .job = job, .size = size};
    return blob;
}

static void drop(struct blobs *b, struct blob *blob)
{
    char path[PATH_MAX];
    path_of(b, path, blob);
    unlink(path);
    assert(b->used_bytes >= blob->size);
    b->used_bytes -= blob->size;
    *blob = b->entries[--b->count];
}

static void drop_parts(struct blobs *b, const struct hash *root)
{
    for (size_t i = b->count; i > 0; i--) {
        struct blob *blob = &b->entries[i - 1];
        if (!blob->whole && hash_equal(&blob->root, root)) drop(b, blob);
    }
}

/* "<64 hex digits>" or "<64 hex digits>.<job>.part" */
static bool read_name(struct blob *out, const char *name)
{
    char text[67];
    char *end = NULL;
    size_t length = strlen(name);
    if (length < 64) return false;
    snprintf(text, sizeof text, "0x%.64s", name);
    *out = (struct blob){.whole = length == 64};
    if (hash_from_text(&out->root, bytes_of_text(text)) != OK) return false;
    if (out->whole) return true;
    if (name[64] != '.' || name[65] < '0' || name[65] > '9') return false;
    out->job = strtoull(name + 65, &end, 10);
    return strcmp(end, ".part") == 0;
}

/* A part's final size is not known after a restart: it is counted by what is there and grows with
 * the first chunk that names the size. Files of other names are left alone. */
static void take_file(struct blobs *b, const char *name)
{
    struct blob found;
    struct stat info;
    char path[PATH_MAX];
    if (!read_name(&found, name)) return;
    path_of(b, path, &found);
    if (stat(path, &info) != 0 || b->count == BLOBS_MAX) return;
    found.size = found.held = (uint64_t)info.st_size;
    b->entries[b->count++] = found;
    b->used_bytes += found.size;
}

static enum status scan(struct blobs *b)
{
    DIR *folder = opendir(b->folder);
    if (!folder) return E_IO;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        take_file(b, entry->d_name);
    closedir(folder);
    return OK;
}

enum status blobs_open(struct blobs **out, const char *folder, uint64_t quota_bytes)
{
    enum status status = directory_make(folder, 0700);
    if (status != OK) return status;
    struct blobs *b = must_alloc(sizeof *b);
    pthread_mutex_init(&b->lock, NULL);
    b->quota_bytes = quota_bytes;
    int length = snprintf(b->folder, sizeof b->folder, "%s", folder);
    status = length > 0 && (size_t)length < sizeof b->folder ? scan(b) : E_LIMIT;
    if (status != OK) {
        blobs_close(b);
        return status;
    }
    *out = b;
    return OK;
}

void blobs_close(struct blobs *b)
{
    if (!b) return;
    pthread_mutex_destroy(&b->lock);
    free(b);
}

uint64_t blobs_held(struct blobs *b, uint64_t job, const struct hash *root, bool *out_whole)
{
    pthread_mutex_lock(&b->lock);
    const struct blob *blob = find_whole(b, root);
    if (!blob) blob = find_part(b, job, root);
    uint64_t held = blob ? blob->held : 0;
    if (out_whole) *out_whole = blob && blob->whole;
    pthread_mutex_unlock(&b->lock);
    return held;
}

static enum status write_at(const char *path, uint64_t offset, struct bytes chunk)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return E_IO;
    ssize_t put = pwrite(fd, chunk.data, chunk.size, (off_t)offset);
    int failed = close(fd);
    return put == (ssize_t)chunk.size && !failed ? OK : E_IO;
}

/* After a restart a part may be longer than the size it is now said to have. */
static struct blob *part_for(struct blobs *b, uint64_t job, const struct hash *root, uint64_t size)
{
    struct blob *blob = find_part(b, job, root);
    if (!blob) return add(b, job, root, size);
    if (blob->size == size) return blob;
    if (blob->held > size) {
        drop(b, blob);
        return add(b, job, root, size);
    }
    uint64_t others = b->used_bytes - blob->size;
    if (size > b->quota_bytes || others > b->quota_bytes - size) return NULL;
    b->used_bytes = others + size;
    blob->size = size;
    return blob;
}

static enum status append_locked(struct blobs *b, struct blob *blob, uint64_t offset,
                                 struct bytes chunk)
{
    char path[PATH_MAX];
    if (!blob) return E_LIMIT;
    if (offset != blob->held) return E_RANGE;
    if (chunk.size > blob->size - blob->held) return E_LIMIT;
    path_of(b, path, blob);
    enum status status = write_at(path, offset, chunk);
    if (status == OK) blob->held += chunk.size;
    return status;
}

static enum status sync_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return E_IO;
    int failed = fsync(fd);
    return close(fd) != 0 || failed ? E_IO : OK;
}

/* The file at `from` becomes the whole content; what else was arriving of it is of no use now. */
static enum status publish(struct blobs *b, struct blob *blob, const char *from)
{
    char to[PATH_MAX];
    struct hash root = blob->root;
    path_of_whole(b, to, &root);
    enum status status = sync_file(from);
    if (status == OK && rename(from, to) != 0) status = E_IO;
    if (status == OK) status = sync_file(b->folder);
    if (status != OK) return status;
    blob->whole = true;
    blob->held = blob->size;
    drop_parts(b, &root);
    return OK;
}

/* All bytes are here: hash them without the lock, then give the content its name or drop it. */
static enum status complete(struct blobs *b, uint64_t job, const struct hash *root)
{
    char path[PATH_MAX];
    struct blob part = {.root = *root, .job = job};
    path_of(b, path, &part);
    struct hash found;
    enum status status = merkle_root_of_path(&found, NULL, path);
    pthread_mutex_lock(&b->lock);
    struct blob *blob = find_part(b, job, root);
    if (find_whole(b, root) || !blob) {
        status = find_whole(b, root) ? OK : E_NOT_FOUND; /* another thread was faster */
    } else if (status == OK && !hash_equal(&found, root)) {
        drop(b, blob);
        status = E_MALFORMED;
    } else if (status == OK) {
        status = publish(b, blob, path);
    }
    pthread_mutex_unlock(&b->lock);
    return status;
}

enum status blobs_append(struct blobs *b, uint64_t job, const struct hash *root, uint64_t size,
                         uint64_t offset, struct bytes chunk)
{
    assert(chunk.size > 0);
    pthread_mutex_lock(&b->lock);
    bool whole = find_whole(b, root) != NULL;
    struct blob *blob = whole ? NULL : part_for(b, job, root, size);
    enum status status = whole ? E_RANGE : append_locked(b, blob, offset, chunk);
    bool all_here = status == OK && blob->held == blob->size;
    pthread_mutex_unlock(&b->lock);
    return all_here ? complete(b, job, root) : status;
}

enum status blobs_finish(struct blobs *b, uint64_t job, const struct hash *root, uint64_t size)
{
    pthread_mutex_lock(&b->lock);
    const struct blob *part = find_part(b, job, root);
    bool all_here = part && part->held == size && !find_whole(b, root);
    pthread_mutex_unlock(&b->lock);
    return all_here ? complete(b, job, root) : OK;
}

static enum status read_at(const char *path, struct buffer *out, uint64_t offset, size_t length)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return E_IO;
    size_t before = out->size;
    ssize_t got = pread(fd, buffer_extend(out, length), length, (off_t)offset);
    close(fd);
    if (got == (ssize_t)length) return OK;
    out->size = before;
    return E_IO;
}

enum status blobs_read(struct blobs *b, struct buffer *out, const struct hash *root,
                       uint64_t offset, size_t length)
{
    char path[PATH_MAX];
    pthread_mutex_lock(&b->lock);
    const struct blob *blob = find_whole(b, root);
    bool there = blob != NULL;
    uint64_t size = there ? blob->size : 0;
    path_of_whole(b, path, root);
    pthread_mutex_unlock(&b->lock);
    if (!there) return E_NOT_FOUND;
    if (offset > size) return E_RANGE;
    uint64_t left = size - offset;
    size_t wanted = length < left ? length : (size_t)left;
    return wanted ? read_at(path, out, offset, wanted) : OK;
}

enum status blobs_adopt(struct blobs *b, const struct hash *root, const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0) return E_IO;
    pthread_mutex_lock(&b->lock);
    struct blob *blob = find_whole(b, root);
    enum status status = OK;
    if (blob) {
        unlink(path);
    } else {
        drop_parts(b, root);
        blob = add(b, 0, root, (uint64_t)info.st_size);
        status = blob ? publish(b, blob, path) : E_LIMIT;
        if (blob && status != OK) drop(b, blob);
    }
    pthread_mutex_unlock(&b->lock);
    return status;
}

enum status blobs_path(struct blobs *b, char out[PATH_MAX], const struct hash *root)
{
    bool whole;
    (void)blobs_held(b, 0, root, &whole);
    if (!whole) return E_NOT_FOUND;
    path_of_whole(b, out, root);
    return OK;
}

void blobs_remove(struct blobs *b, const struct hash *root)
{
    pthread_mutex_lock(&b->lock);
    struct blob *blob = find_whole(b, root);
    if (blob) drop(b, blob);
    drop_parts(b, root);
    pthread_mutex_unlock(&b->lock);
}

uint64_t blobs_used(struct blobs *b)
{
    pthread_mutex_lock(&b->lock);
    uint64_t used = b->used_bytes;
    pthread_mutex_unlock(&b->lock);
    return used;
}

uint64_t blobs_quota(const struct blobs *b)
{
    return b->quota_bytes;
}
