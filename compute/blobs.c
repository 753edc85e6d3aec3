#include "compute/blobs.h"

#include "compute/blob_table.h"

#include <assert.h>
#include <sys/stat.h>
#include <unistd.h>

struct blob_state blobs_state(struct blobs *b, const struct blob_key *key)
{
    struct blob_state state = {0};
    pthread_mutex_lock(&b->lock);
    const struct blob *blob = blob_table_find_checked(b, key);
    if (blob) state = blob_table_state(blob);
    pthread_mutex_unlock(&b->lock);
    return state;
}

/* ---- reading ---- */

/* Opens what holds these bytes; *length is cut at the end. */
static enum status open_for_read(struct blobs *b, int *out_fd, const struct blob_key *key,
                                 uint64_t offset, size_t *length)
{
    const struct blob *blob = blob_table_find_checked(b, key);
    if (!blob) return E_NOT_FOUND;
    if (blob->stage == BLOB_OFFERED) return E_STATE;
    if (offset > blob->size) return E_RANGE;
    if (*length > blob->size - offset) *length = (size_t)(blob->size - offset);
    uint64_t first = offset / MERKLE_LEAF_BYTES, end = leaf_count(offset + *length);
    bool whole = blob->stage == BLOB_WHOLE;
    if (!whole && !leaf_map_has(&blob->map, first, end - first)) return E_STATE;
    *out_fd = blob_table_open_file(b, key, whole ? BLOB_FILE_WHOLE : BLOB_FILE_PART);
    return *out_fd >= 0 ? OK : E_IO;
}

static enum status read_and_close(int fd, struct buffer *out, uint64_t offset, size_t length)
{
    size_t before = out->size;
    bool good = file_read_at(fd, buffer_extend(out, length), length, offset);
    close(fd);
    if (!good) out->size = before;
    return good ? OK : E_IO;
}

enum status blobs_read(struct blobs *b, struct buffer *out, const struct blob_key *key,
                       uint64_t offset, size_t length)
{
    int fd = -1;
    pthread_mutex_lock(&b->lock);
    enum status status = open_for_read(b, &fd, key, offset, &length);
    pthread_mutex_unlock(&b->lock);
    return status == OK ? read_and_close(fd, out, offset, length) : status;
}

/* A blob whose tree is on disk and right, or why not. */
static enum status find_tree(struct blobs *b, struct blob **out, const struct blob_key *key)
{
    struct blob *blob = blob_table_find_checked(b, key);
    if (!blob) return E_NOT_FOUND;
    if (blob->stage == BLOB_OFFERED) return E_STATE;
    *out = blob;
    if (blob->stage == BLOB_ARRIVING || blob->checked) return OK;
    blob_table_begin_work(b, blob);
    enum status status = blob_make_tree(b->folder, &blob->key, blob->size);
    blob = blob_table_end_work(b, blob);
    if (!blob) return E_NOT_FOUND;
    blob->checked = status == OK;
    return status == OK ? OK : E_IO;
}

enum status blobs_nodes(struct blobs *b, struct buffer *out, const struct blob_key *key,
                        unsigned level, uint64_t first, uint64_t count)
{
    struct blob *blob;
    int fd = -1;
    uint64_t start = 0;
    pthread_mutex_lock(&b->lock);
    enum status status = find_tree(b, &blob, key);
    if (status == OK && level >= leaf_levels(blob->size)) status = E_RANGE;
    if (status == OK) {
        uint64_t width = leaf_width(blob->size, level);
        start = leaf_level_start(blob->size, level) + first;
        if (first >= width) status = E_RANGE;
        if (status == OK && count > width - first) count = width - first;
        if (status == OK) fd = blob_table_open_file(b, key, BLOB_FILE_TREE);
        if (status == OK && fd < 0) status = E_IO;
    }
    pthread_mutex_unlock(&b->lock);
    if (status != OK) return status;
    return read_and_close(fd, out, start * sizeof(struct hash),
                          (size_t)count * sizeof(struct hash));
}

enum status blobs_map(struct blobs *b, struct buffer *out, const struct blob_key *key,
                      uint64_t first, uint64_t *count)
{
    assert(first % 8 == 0);
    pthread_mutex_lock(&b->lock);
    const struct blob *blob = blob_table_find_checked(b, key);
    enum status status = blob ? OK : E_NOT_FOUND;
    if (blob && blob->stage == BLOB_OFFERED) status = E_STATE;
    uint64_t leaves = blob ? leaf_count(blob->size) : 0;
    if (status == OK && first >= leaves) status = E_RANGE;
    if (status == OK) {
        if (*count > leaves - first) *count = leaves - first;
        struct leaf_map all = {0};
        if (blob->stage == BLOB_WHOLE) {
            leaf_map_init(&all, leaves);
            leaf_map_add(&all, 0, leaves);
        }
        leaf_map_encode(all.bits ? &all : &blob->map, out, first, *count);
        leaf_map_finish(&all);
    }
    pthread_mutex_unlock(&b->lock);
    return status;
}

/* ---- the worker's own ---- */

static enum status adopt_new(struct blobs *b, const struct blob_key *key,
                             const struct address *owner, const char *path)
{
    struct stat info;
    struct blob *old = blob_table_find_idle(b, key);
    if (old) blob_table_drop(b, old); /* it was arriving: of no use now */
    if (stat(path, &info) != 0) return E_IO;
    struct blob *blob = blob_table_add(b, key, owner);
    if (!blob) return E_LIMIT;
    if (!blob_table_set_size(b, blob, (uint64_t)info.st_size)) {
        blob_table_drop(b, blob);
        return E_LIMIT;
    }
    blob_table_begin_work(b, blob);
    enum status status = blob_publish(b->folder, key, path);
    blob = blob_table_end_work(b, blob);
    if (!blob) return E_NOT_FOUND;
    blob->stage = BLOB_WHOLE;
    if (status != OK) blob_table_drop(b, blob);
    return status;
}

enum status blobs_adopt(struct blobs *b, const struct blob_key *key, const struct address *owner,
                        const char *path)
{
    pthread_mutex_lock(&b->lock);
    const struct blob *blob = blob_table_find_checked(b, key);
    bool there = blob && blob->stage == BLOB_WHOLE;
    if (there) unlink(path);
    enum status status = there ? OK : adopt_new(b, key, owner, path);
    pthread_mutex_unlock(&b->lock);
    return status;
}

enum status blobs_path(struct blobs *b, char out[PATH_MAX], const struct blob_key *key)
{
    struct blob_state state = blobs_state(b, key);
    if (!state.whole) return E_NOT_FOUND;
    blob_path(out, b->folder, key, BLOB_FILE_WHOLE);
    return OK;
}

void blobs_own(struct blobs *b, uint64_t job, const struct address *owner)
{
    pthread_mutex_lock(&b->lock);
    for (size_t i = 0; i < b->count; i++)
        if (b->entries[i]->key.job == job) b->entries[i]->owner = *owner;
    pthread_mutex_unlock(&b->lock);
}

void blobs_remove(struct blobs *b, const struct blob_key *key)
{
    pthread_mutex_lock(&b->lock);
    struct blob *blob = blob_table_find(b, key);
    if (blob) blob_table_drop(b, blob);
    pthread_mutex_unlock(&b->lock);
}

void blobs_remove_job(struct blobs *b, uint64_t job)
{
    pthread_mutex_lock(&b->lock);
    for (size_t i = b->count; i > 0; i--)
        if (b->entries[i - 1]->key.job == job) blob_table_drop(b, b->entries[i - 1]);
    pthread_mutex_unlock(&b->lock);
}

uint64_t blobs_used(struct blobs *b)
{
    pthread_mutex_lock(&b->lock);
    uint64_t used = b->used_bytes;
    pthread_mutex_unlock(&b->lock);
    return used;
}

uint64_t blobs_used_by(struct blobs *b, const struct address *owner)
{
    uint64_t used = 0;
    pthread_mutex_lock(&b->lock);
    for (size_t i = 0; i < b->count; i++)
        if (address_equal(&b->entries[i]->owner, owner)) used += b->entries[i]->size;
    pthread_mutex_unlock(&b->lock);
    return used;
}

uint64_t blobs_quota(const struct blobs *b)
{
    return b->quota_bytes;
}

size_t blobs_list(struct blobs *b, struct blob_info *out, size_t max)
{
    pthread_mutex_lock(&b->lock);
    size_t count = b->count;
    for (size_t i = 0; i < count && i < max; i++) {
        const struct blob *blob = b->entries[i];
        out[i] = (struct blob_info){blob->key, blob->owner, blob_table_state(blob)};
    }
    pthread_mutex_unlock(&b->lock);
    return count;
}
