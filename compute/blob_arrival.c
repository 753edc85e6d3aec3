/* Taking in: leaf hashes in order, then chunks in any. */
#include "compute/blob_table.h"

#include <assert.h>
#include <fcntl.h>
#include <unistd.h>

#define WRITE_BACK_BYTES (8u << 20) /* how much may gather before the disk is told to begin */

static enum status append_hashes(const struct blobs *b, struct blob *blob, struct bytes hashes)
{
    char path[PATH_MAX];
    blob_path(path, b->folder, &blob->key, BLOB_FILE_LEAVES);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return E_IO;
    bool good = file_write_at(fd, hashes, blob->offered * sizeof(struct hash));
    if (close(fd) != 0 || !good) return E_IO;
    blob->offered += hashes.size / sizeof(struct hash);
    return OK;
}

/* All hashes are here: do they make the root? */
static enum status begin_arriving(struct blobs *b, struct blob *blob)
{
    blob_table_begin_work(b, blob);
    enum status status = blob_begin(b->folder, &blob->key, blob->size);
    blob = blob_table_end_work(b, blob);
    if (!blob) return E_NOT_FOUND;
    if (status != OK) {
        blob_table_drop(b, blob);
        return status;
    }
    blob->stage = BLOB_ARRIVING;
    leaf_map_init(&blob->map, leaf_count(blob->size));
    blob->checked = true;
    return blob->map.count == 0 ? blob_table_publish(b, blob) : OK;
}

static enum status offer_locked(struct blobs *b, struct blob *blob, uint64_t size, uint64_t first,
                                struct bytes hashes)
{
    if (first != blob->offered) return E_RANGE;
    if (blob->size != size && !blob_table_set_size(b, blob, size)) return E_LIMIT;
    if (blob->offered + hashes.size / 32 > leaf_count(size)) return E_RANGE;
    enum status status = append_hashes(b, blob, hashes);
    if (status == OK && blob->offered == leaf_count(size)) status = begin_arriving(b, blob);
    return status;
}

enum status blobs_offer(struct blobs *b, const struct blob_key *key, const struct address *owner,
                        uint64_t size, uint64_t first, struct bytes hashes)
{
    assert(hashes.size % sizeof(struct hash) == 0);
    pthread_mutex_lock(&b->lock);
    struct blob *blob = blob_table_find_checked(b, key);
    bool fresh = !blob;
    enum status status = OK;
    if (fresh) blob = blob_table_add(b, key, owner);
    if (blob && blob->stage == BLOB_OFFERED) status = offer_locked(b, blob, size, first, hashes);
    if (!blob) status = E_LIMIT;
    if (blob && fresh && (status == E_LIMIT || status == E_RANGE)) blob_table_drop(b, blob);
    pthread_mutex_unlock(&b->lock);
    return status;
}

/* One chunk on its way to the disk: files opened under the lock, so that they are the blob's. */
struct arrival {
    uint64_t number;
    int tree_fd;
    int part_fd;
};

static enum status open_arrival(struct arrival *a, const struct blobs *b, const struct blob *blob)
{
    char path[PATH_MAX];
    blob_path(path, b->folder, &blob->key, BLOB_FILE_TREE);
    *a = (struct arrival){.number = blob->number, .part_fd = -1};
    a->tree_fd = open(path, O_RDONLY | O_CLOEXEC);
    blob_path(path, b->folder, &blob->key, BLOB_FILE_PART);
    if (a->tree_fd >= 0) a->part_fd = open(path, O_WRONLY | O_CLOEXEC);
    return a->part_fd >= 0 ? OK : E_IO;
}

static void close_arrival(struct arrival *a)
{
    if (a->tree_fd >= 0) close(a->tree_fd);
    if (a->part_fd >= 0) close(a->part_fd);
}

static enum status write_checked(const struct arrival *a, uint64_t offset, struct bytes chunk)
{
    struct hash expected[LEAF_RUN_BYTES_MAX / MERKLE_LEAF_BYTES];
    size_t size = (size_t)leaf_count(chunk.size) * sizeof *expected;
    uint64_t from = offset / MERKLE_LEAF_BYTES * sizeof *expected;
    if (!file_read_at(a->tree_fd, expected, size, from)) return E_IO;
    if (!leaf_hashes_match(expected, chunk)) return E_MALFORMED;
    if (!file_write_at(a->part_fd, chunk, offset)) return E_IO;
    uint64_t end = offset + chunk.size;
    if (end % WRITE_BACK_BYTES == 0) /* only a hint: the sync before publishing is what counts */
        (void)sync_file_range(a->part_fd, (off_t)(end - WRITE_BACK_BYTES), WRITE_BACK_BYTES,
                              SYNC_FILE_RANGE_WRITE);
    return OK;
}

static enum status note_arrival(struct blobs *b, const struct arrival *a, uint64_t first,
                                uint64_t count)
{
    struct blob *blob = blob_table_find_number(b, a->number);
    if (!blob || blob->doomed) return E_NOT_FOUND;
    if (blob->stage != BLOB_ARRIVING) return OK;
    leaf_map_add(&blob->map, first, count);
    if (blob->map.set < blob->map.count || blob->busy) return OK;
    return blob_table_publish(b, blob);
}

/* OK with *out_done when there is nothing to write. */
static enum status admit(struct blobs *b, struct arrival *a, bool *out_done,
                         const struct blob_key *key, uint64_t offset, size_t size)
{
    const struct blob *blob = blob_table_find_checked(b, key);
    *out_done = false;
    if (!blob || blob->stage == BLOB_OFFERED) return E_STATE;
    if (offset >= blob->size || size > blob->size - offset) return E_RANGE;
    bool to_end = offset + size == blob->size;
    if (offset % MERKLE_LEAF_BYTES != 0 || (size % MERKLE_LEAF_BYTES != 0 && !to_end))
        return E_RANGE;
    *out_done = blob->stage == BLOB_WHOLE ||
                leaf_map_has(&blob->map, offset / MERKLE_LEAF_BYTES, leaf_count(size));
    return *out_done ? OK : open_arrival(a, b, blob);
}

enum status blobs_put(struct blobs *b, const struct blob_key *key, uint64_t offset,
                      struct bytes chunk)
{
    assert(chunk.size > 0 && chunk.size <= LEAF_RUN_BYTES_MAX);
    struct arrival a = {.tree_fd = -1, .part_fd = -1};
    bool done;
    pthread_mutex_lock(&b->lock);
    enum status status = admit(b, &a, &done, key, offset, chunk.size);
    pthread_mutex_unlock(&b->lock);
    if (status == OK && !done) {
        status = write_checked(&a, offset, chunk);
        pthread_mutex_lock(&b->lock);
        if (status == OK)
            status = note_arrival(b, &a, offset / MERKLE_LEAF_BYTES, leaf_count(chunk.size));
        pthread_mutex_unlock(&b->lock);
    }
    close_arrival(&a);
    return status;
}
