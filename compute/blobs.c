#include "compute/blobs.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/merkle.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct blob {
    struct hash root;
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

static void path_of(const struct blobs *b, char out[PATH_MAX], const struct hash *root, bool whole)
{
    char name[67];
    hash_to_text(name, root);
    snprintf(out, PATH_MAX, "%s/%s%s", b->folder, name + 2, whole ? "" : ".part");
}

static struct blob *find(struct blobs *b, const struct hash *root)
{
    for (size_t i = 0; i < b->count; i++) {
        if (hash_equal(&b->entries[i].root, root)) return &b->entries[i];
    }
    return NULL;
}

static struct blob *add(struct blobs *b, const struct hash *root, uint64_t size)
{
    if (b->count == BLOBS_MAX) return NULL;
    if (size > b->quota_bytes || b->used_bytes > b->quota_bytes - size) return NULL;
    b->used_bytes += size;
    struct blob *blob = &b->entries[b->count++];
    *blob = (struct blob){.root = *root, .size = size};
    return blob;
}

static void drop(struct blobs *b, struct blob *blob)
{
    char path[PATH_MAX];
    path_of(b, path, &blob->root, blob->whole);
    unlink(path);
    assert(b->used_bytes >= blob->size);
    b->used_bytes -= blob->size;
    *blob = b->entries[--b->count];
}

/* A part's final size is not known after a restart: it is counted by what is there and grows with
 * the first chunk that names the size. Files of other names are left alone. */
static void take_file(struct blobs *b, const char *name)
{
    size_t length = strlen(name);
    bool whole = length == 64;
    if (!whole && (length != 69 || strcmp(name + 64, ".part") != 0)) return;
    char text[67];
    snprintf(text, sizeof text, "0x%.64s", name);
    struct hash root;
    struct stat info;
    char path[PATH_MAX];
    if (hash_from_text(&root, bytes_of_text(text)) != OK) return;
    path_of(b, path, &root, whole);
    if (stat(path, &info) != 0 || b->count == BLOBS_MAX) return;
    struct blob *blob = &b->entries[b->count++];
    uint64_t size = (uint64_t)info.st_size;
    *blob = (struct blob){.root = root, .size = size, .held = size, .whole = whole};
    b->used_bytes += size;
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

uint64_t blobs_held(struct blobs *b, const struct hash *root, bool *out_whole)
{
    pthread_mutex_lock(&b->lock);
    const struct blob *blob = find(b, root);
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
static struct blob *part_for(struct blobs *b, const struct hash *root, uint64_t size)
{
    struct blob *blob = find(b, root);
    if (!blob) return add(b, root, size);
    if (blob->whole || blob->size == size) return blob;
    if (blob->held > size) {
        drop(b, blob);
        return add(b, root, size);
    }
    uint64_t others = b->used_bytes - blob->size;
    if (size > b->quota_bytes || others > b->quota_bytes - size) return NULL;
    b->used_bytes = others + size;
    blob->size = size;
    return blob;
}

static enum status append_locked(struct blobs *b, const struct hash *root, uint64_t size,
                                 uint64_t offset, struct bytes chunk)
{
    struct blob *blob = part_for(b, root, size);
    if (!blob) return E_LIMIT;
    if (blob->whole || offset != blob->held) return E_RANGE;
    if (chunk.size > blob->size - blob->held) return E_LIMIT;
    char path[PATH_MAX];
    path_of(b, path, root, false);
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

static enum status publish(struct blobs *b, struct blob *blob, const char *from)
{
    char to[PATH_MAX];
    path_of(b, to, &blob->root, true);
    enum status status = sync_file(from);
    if (status == OK && rename(from, to) != 0) status = E_IO;
    if (status == OK) status = sync_file(b->folder);
    if (status == OK) {
        blob->whole = true;
        blob->held = blob->size;
    }
    return status;
}

/* All bytes are here: hash them without the lock, then give the content its name or drop it. */
static enum status complete(struct blobs *b, const struct hash *root)
{
    char path[PATH_MAX];
    path_of(b, path, root, false);
    struct hash found;
    enum status status = merkle_root_of_path(&found, NULL, path);
    pthread_mutex_lock(&b->lock);
    struct blob *blob = find(b, root);
    if (!blob || blob->whole) {
        status = blob ? OK : E_NOT_FOUND; /* another thread was faster */
    } else if (status == OK && !hash_equal(&found, root)) {
        drop(b, blob);
        status = E_MALFORMED;
    } else if (status == OK) {
        status = publish(b, blob, path);
    }
    pthread_mutex_unlock(&b->lock);
    return status;
}

enum status blobs_append(struct blobs *b, const struct hash *root, uint64_t size, uint64_t offset,
                         struct bytes chunk)
{
    assert(chunk.size > 0);
    pthread_mutex_lock(&b->lock);
    enum status status = append_locked(b, root, size, offset, chunk);
    const struct blob *blob = find(b, root);
    bool all_here = status == OK && blob && blob->held == blob->size;
    pthread_mutex_unlock(&b->lock);
    return all_here ? complete(b, root) : status;
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
    const struct blob *blob = find(b, root);
    bool there = blob && blob->whole;
    uint64_t size = there ? blob->size : 0;
    path_of(b, path, root, true);
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
    struct blob *blob = find(b, root);
    enum status status = OK;
    if (blob && blob->whole) {
        unlink(path);
    } else {
        if (blob) drop(b, blob);
        blob = add(b, root, (uint64_t)info.st_size);
        status = blob ? publish(b, blob, path) : E_LIMIT;
        if (blob && status != OK) drop(b, blob);
    }
    pthread_mutex_unlock(&b->lock);
    return status;
}

enum status blobs_path(struct blobs *b, char out[PATH_MAX], const struct hash *root)
{
    bool whole;
    (void)blobs_held(b, root, &whole);
    if (!whole) return E_NOT_FOUND;
    path_of(b, out, root, true);
    return OK;
}

void blobs_remove(struct blobs *b, const struct hash *root)
{
    pthread_mutex_lock(&b->lock);
    struct blob *blob = find(b, root);
    if (blob) drop(b, blob);
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
