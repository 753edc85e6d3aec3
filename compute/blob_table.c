#include "compute/blob_table.h"

#include "base/fatal.h"
#include "base/file.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool same_key(const struct blob_key *a, const struct blob_key *b)
{
    return a->job == b->job && hash_equal(&a->root, &b->root);
}

struct blob *blob_table_find(struct blobs *b, const struct blob_key *key)
{
    for (size_t i = 0; i < b->count; i++)
        if (same_key(&b->entries[i]->key, key)) return b->entries[i];
    return NULL;
}

struct blob *blob_table_find_idle(struct blobs *b, const struct blob_key *key)
{
    for (;;) {
        struct blob *blob = blob_table_find(b, key);
        if (!blob || !blob->busy) return blob;
        pthread_cond_wait(&b->idle, &b->lock);
    }
}

struct blob *blob_table_find_number(struct blobs *b, uint64_t number)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->entries[i]->number == number) return b->entries[i];
    return NULL;
}

void blob_table_drop(struct blobs *b, struct blob *blob)
{
    blob->doomed = true;
    if (blob->busy) return;
    size_t i = 0;
    while (b->entries[i] != blob)
        i++;
    blob_unlink_all(b->folder, &blob->key);
    b->used_bytes -= blob->size;
    b->entries[i] = b->entries[--b->count];
    leaf_map_finish(&blob->map);
    free(blob);
}

void blob_table_begin_work(struct blobs *b, struct blob *blob)
{
    assert(!blob->busy);
    blob->busy = true;
    pthread_mutex_unlock(&b->lock);
}

/* NULL when it was removed meanwhile. */
struct blob *blob_table_end_work(struct blobs *b, struct blob *blob)
{
    pthread_mutex_lock(&b->lock);
    assert(blob->busy);
    blob->busy = false;
    pthread_cond_broadcast(&b->idle);
    if (!blob->doomed) return blob;
    blob_table_drop(b, blob);
    return NULL;
}

static bool has_room(struct blobs *b, const struct blob *blob, uint64_t size)
{
    uint64_t quota = b->quota_bytes, of_job = 0, of_owner = 0, blobs_of_job = 0;
    for (size_t i = 0; i < b->count; i++) {
        const struct blob *other = b->entries[i];
        if (other == blob) continue;
        bool same_job = other->key.job == blob->key.job;
        if (same_job) of_job += other->size;
        if (same_job) blobs_of_job++;
        if (same_job || address_equal(&other->owner, &blob->owner)) of_owner += other->size;
    }
    uint64_t others = b->used_bytes - blob->size;
    if (size > quota || others > quota - size || blobs_of_job >= BLOBS_PER_JOB) return false;
    if (of_job + size > quota / 2) return false;
    return address_is_zero(&blob->owner) || of_owner + size <= quota - quota / 4;
}

bool blob_table_set_size(struct blobs *b, struct blob *blob, uint64_t size)
{
    if (!has_room(b, blob, size)) return false;
    b->used_bytes += size - blob->size;
    blob->size = size;
    return true;
}

struct blob *blob_table_add(struct blobs *b, const struct blob_key *key,
                            const struct address *owner)
{
    if (b->count == BLOBS_MAX) return NULL;
    struct blob *blob = must_alloc(sizeof *blob);
    blob->key = *key;
    if (owner) blob->owner = *owner;
    blob->number = b->numbers++;
    b->entries[b->count++] = blob;
    return blob;
}

int blob_table_open_file(const struct blobs *b, const struct blob_key *key, enum blob_file kind)
{
    char path[PATH_MAX];
    blob_path(path, b->folder, key, kind);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* ---- what the disk says ---- */

/* After a restart: which leaves are right? NULL: it was no good and is gone. */
static struct blob *check_part(struct blobs *b, struct blob *blob)
{
    if (blob->stage != BLOB_ARRIVING || blob->checked) return blob;
    struct leaf_map map = {0};
    blob_table_begin_work(b, blob);
    enum status status = blob_check_part(&map, b->folder, &blob->key, blob->size);
    blob = blob_table_end_work(b, blob);
    if (!blob || status != OK) {
        leaf_map_finish(&map);
        if (blob) blob_table_drop(b, blob);
        return NULL;
    }
    blob->map = map;
    blob->checked = true;
    return blob;
}

/* All leaves are here: it gets its name. */
enum status blob_table_publish(struct blobs *b, struct blob *blob)
{
    char part[PATH_MAX];
    blob_path(part, b->folder, &blob->key, BLOB_FILE_PART);
    blob_table_begin_work(b, blob);
    enum status status = blob_publish(b->folder, &blob->key, part);
    blob = blob_table_end_work(b, blob);
    if (!blob) return E_NOT_FOUND;
    if (status != OK) return status;
    blob->stage = BLOB_WHOLE;
    leaf_map_finish(&blob->map);
    return OK;
}

/* The found blob, checked and not busy, or NULL. Also finishes one whose last leaf came just before
 * a crash. */
struct blob *blob_table_find_checked(struct blobs *b, const struct blob_key *key)
{
    struct blob *blob = blob_table_find_idle(b, key);
    if (blob) blob = check_part(b, blob);
    if (!blob || blob->stage != BLOB_ARRIVING || blob->map.set < blob->map.count) return blob;
    return blob_table_publish(b, blob) == OK ? blob_table_find_idle(b, key)
                                             : blob_table_find(b, key);
}

static uint64_t held_bytes(const struct blob *blob)
{
    if (blob->stage == BLOB_WHOLE) return blob->size;
    if (blob->stage == BLOB_OFFERED || !blob->checked) return 0;
    uint64_t held = blob->map.set * MERKLE_LEAF_BYTES;
    if (blob->map.count > 0 && leaf_map_has(&blob->map, blob->map.count - 1, 1))
        held -= blob->map.count * MERKLE_LEAF_BYTES - blob->size; /* the last leaf is short */
    return held;
}

struct blob_state blob_table_state(const struct blob *blob)
{
    return (struct blob_state){.size = blob->size,
                               .held = held_bytes(blob),
                               .offered = blob->stage == BLOB_OFFERED ? blob->offered
                                                                      : leaf_count(blob->size),
                               .whole = blob->stage == BLOB_WHOLE};
}

/* ---- start and end ---- */

static uint64_t size_of_file(const struct blobs *b, const struct blob_key *key, enum blob_file kind)
{
    char path[PATH_MAX];
    struct stat info;
    blob_path(path, b->folder, key, kind);
    return stat(path, &info) == 0 && info.st_size > 0 ? (uint64_t)info.st_size : 0;
}

/* How much of it is right is seen at first use. Files of other names are left alone. */
static void take_file(struct blobs *b, const char *name)
{
    struct blob_key key;
    enum blob_file kind;
    if (!blob_name_read(&key, &kind, name) || kind == BLOB_FILE_TREE) return;
    struct blob *blob = blob_table_find(b, &key);
    if (!blob) blob = blob_table_add(b, &key, NULL);
    if (!blob) return;
    uint64_t size = size_of_file(b, &key, kind);
    if (kind == BLOB_FILE_LEAVES) { /* the content's size comes with the next page */
        if (blob->stage == BLOB_OFFERED) blob->offered = size / sizeof(struct hash);
        return;
    }
    enum blob_stage stage = kind == BLOB_FILE_WHOLE ? BLOB_WHOLE : BLOB_ARRIVING;
    if (stage < blob->stage) return;
    b->used_bytes += size - blob->size;
    blob->stage = stage;
    blob->size = size;
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
    pthread_cond_init(&b->idle, NULL);
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
    for (size_t i = 0; i < b->count; i++) {
        leaf_map_finish(&b->entries[i]->map);
        free(b->entries[i]);
    }
    pthread_cond_destroy(&b->idle);
    pthread_mutex_destroy(&b->lock);
    free(b);
}
