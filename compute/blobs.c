#include "compute/blobs.h"

#include "base/fatal.h"
#include "base/file.h"
#include "compute/blob_files.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITE_BACK_BYTES (8u << 20) /* how much may gather before the disk is told to begin */

struct blob {
    struct blob_key key;
    struct address owner;
    uint64_t number; /* none has it twice: tells it from a later one of the same key */
    uint64_t size;   /* of the content: what counts against the quota */
    uint64_t offered;
    enum blob_stage stage;
    bool checked;        /* arriving: `map` is true; whole: the tree is there */
    bool busy;           /* a thread works on its files without the lock */
    bool doomed;         /* to be dropped when that thread is done */
    struct leaf_map map; /* arriving and checked */
};

struct blobs {
    pthread_mutex_t lock;
    pthread_cond_t idle; /* some blob is not busy any more */
    char folder[PATH_MAX - 160];
    uint64_t quota_bytes;
    uint64_t used_bytes; /* sum of sizes */
    uint64_t numbers;
    struct blob *entries[BLOBS_MAX];
    size_t count;
};

/* ---- the table; all under the lock ---- */

static bool same_key(const struct blob_key *a, const struct blob_key *b)
{
    return a->job == b->job && hash_equal(&a->root, &b->root);
}

static struct blob *find(struct blobs *b, const struct blob_key *key)
{
    for (size_t i = 0; i < b->count; i++)
        if (same_key(&b->entries[i]->key, key)) return b->entries[i];
    return NULL;
}

static struct blob *find_idle(struct blobs *b, const struct blob_key *key)
{
    for (;;) {
        struct blob *blob = find(b, key);
        if (!blob || !blob->busy) return blob;
        pthread_cond_wait(&b->idle, &b->lock);
    }
}

static struct blob *find_number(struct blobs *b, uint64_t number)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->entries[i]->number == number) return b->entries[i];
    return NULL;
}

static void drop(struct blobs *b, struct blob *blob)
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

static void begin_work(struct blobs *b, struct blob *blob)
{
    assert(!blob->busy);
    blob->busy = true;
    pthread_mutex_unlock(&b->lock);
}

/* NULL when it was removed meanwhile. */
static struct blob *end_work(struct blobs *b, struct blob *blob)
{
    pthread_mutex_lock(&b->lock);
    assert(blob->busy);
    blob->busy = false;
    pthread_cond_broadcast(&b->idle);
    if (!blob->doomed) return blob;
    drop(b, blob);
    return NULL;
}

/* What a new size for a blob of this job and owner would come to. */
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

static bool set_size(struct blobs *b, struct blob *blob, uint64_t size)
{
    if (!has_room(b, blob, size)) return false;
    b->used_bytes += size - blob->size;
    blob->size = size;
    return true;
}

static struct blob *add(struct blobs *b, const struct blob_key *key, const struct address *owner)
{
    if (b->count == BLOBS_MAX) return NULL;
    struct blob *blob = must_alloc(sizeof *blob);
    blob->key = *key;
    if (owner) blob->owner = *owner;
    blob->number = b->numbers++;
    b->entries[b->count++] = blob;
    return blob;
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
    struct blob *blob = find(b, &key);
    if (!blob) blob = add(b, &key, NULL);
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

/* ---- an arriving content ---- */

/* After a restart: which leaves are right? NULL: it was no good and is gone. */
static struct blob *check_part(struct blobs *b, struct blob *blob)
{
    if (blob->stage != BLOB_ARRIVING || blob->checked) return blob;
    struct leaf_map map = {0};
    begin_work(b, blob);
    enum status status = blob_check_part(&map, b->folder, &blob->key, blob->size);
    blob = end_work(b, blob);
    if (!blob || status != OK) {
        leaf_map_finish(&map);
        if (blob) drop(b, blob);
        return NULL;
    }
    blob->map = map;
    blob->checked = true;
    return blob;
}

/* All leaves are here: it gets its name. */
static enum status publish(struct blobs *b, struct blob *blob)
{
    char part[PATH_MAX];
    blob_path(part, b->folder, &blob->key, BLOB_FILE_PART);
    begin_work(b, blob);
    enum status status = blob_publish(b->folder, &blob->key, part);
    blob = end_work(b, blob);
    if (!blob) return E_NOT_FOUND;
    if (status != OK) return status;
    blob->stage = BLOB_WHOLE;
    leaf_map_finish(&blob->map);
    return OK;
}

/* The found blob, checked and not busy, or NULL. Also finishes one whose last leaf came just before
 * a crash. */
static struct blob *find_checked(struct blobs *b, const struct blob_key *key)
{
    struct blob *blob = find_idle(b, key);
    if (blob) blob = check_part(b, blob);
    if (!blob || blob->stage != BLOB_ARRIVING || blob->map.set < blob->map.count) return blob;
    return publish(b, blob) == OK ? find_idle(b, key) : find(b, key);
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

static struct blob_state state_of(const struct blob *blob)
{
    return (struct blob_state){.size = blob->size,
                               .held = held_bytes(blob),
                               .offered = blob->stage == BLOB_OFFERED ? blob->offered
                                                                      : leaf_count(blob->size),
                               .whole = blob->stage == BLOB_WHOLE};
}

struct blob_state blobs_state(struct blobs *b, const struct blob_key *key)
{
    struct blob_state state = {0};
    pthread_mutex_lock(&b->lock);
    const struct blob *blob = find_checked(b, key);
    if (blob) state = state_of(blob);
    pthread_mutex_unlock(&b->lock);
    return state;
}

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
    begin_work(b, blob);
    enum status status = blob_begin(b->folder, &blob->key, blob->size);
    blob = end_work(b, blob);
    if (!blob) return E_NOT_FOUND;
    if (status != OK) {
        drop(b, blob);
        return status;
    }
    blob->stage = BLOB_ARRIVING;
    leaf_map_init(&blob->map, leaf_count(blob->size));
    blob->checked = true;
    return blob->map.count == 0 ? publish(b, blob) : OK;
}

static enum status offer_locked(struct blobs *b, struct blob *blob, uint64_t size, uint64_t first,
                                struct bytes hashes)
{
    if (first != blob->offered) return E_RANGE;
    if (blob->size != size && !set_size(b, blob, size)) return E_LIMIT;
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
    struct blob *blob = find_checked(b, key);
    bool fresh = !blob;
    enum status status = OK;
    if (fresh) blob = add(b, key, owner);
    if (blob && blob->stage == BLOB_OFFERED) status = offer_locked(b, blob, size, first, hashes);
    if (!blob) status = E_LIMIT;
    if (blob && fresh && (status == E_LIMIT || status == E_RANGE)) drop(b, blob);
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
    struct blob *blob = find_number(b, a->number);
    if (!blob || blob->doomed) return E_NOT_FOUND;
    if (blob->stage != BLOB_ARRIVING) return OK;
    leaf_map_add(&blob->map, first, count);
    if (blob->map.set < blob->map.count || blob->busy) return OK;
    return publish(b, blob);
}

/* OK with *out_done when there is nothing to write. */
static enum status admit(struct blobs *b, struct arrival *a, bool *out_done,
                         const struct blob_key *key, uint64_t offset, size_t size)
{
    const struct blob *blob = find_checked(b, key);
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

/* ---- reading ---- */

static int open_file(const struct blobs *b, const struct blob_key *key, enum blob_file kind)
{
    char path[PATH_MAX];
    blob_path(path, b->folder, key, kind);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* Opens what holds these bytes; *length is cut at the end. */
static enum status open_for_read(struct blobs *b, int *out_fd, const struct blob_key *key,
                                 uint64_t offset, size_t *length)
{
    const struct blob *blob = find_checked(b, key);
    if (!blob) return E_NOT_FOUND;
    if (blob->stage == BLOB_OFFERED) return E_STATE;
    if (offset > blob->size) return E_RANGE;
    if (*length > blob->size - offset) *length = (size_t)(blob->size - offset);
    uint64_t first = offset / MERKLE_LEAF_BYTES, end = leaf_count(offset + *length);
    bool whole = blob->stage == BLOB_WHOLE;
    if (!whole && !leaf_map_has(&blob->map, first, end - first)) return E_STATE;
    *out_fd = open_file(b, key, whole ? BLOB_FILE_WHOLE : BLOB_FILE_PART);
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
    struct blob *blob = find_checked(b, key);
    if (!blob) return E_NOT_FOUND;
    if (blob->stage == BLOB_OFFERED) return E_STATE;
    *out = blob;
    if (blob->stage == BLOB_ARRIVING || blob->checked) return OK;
    begin_work(b, blob);
    enum status status = blob_make_tree(b->folder, &blob->key, blob->size);
    blob = end_work(b, blob);
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
        if (status == OK) fd = open_file(b, key, BLOB_FILE_TREE);
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
    const struct blob *blob = find_checked(b, key);
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
    struct blob *old = find_idle(b, key);
    if (old) drop(b, old); /* it was arriving: of no use now */
    if (stat(path, &info) != 0) return E_IO;
    struct blob *blob = add(b, key, owner);
    if (!blob) return E_LIMIT;
    if (!set_size(b, blob, (uint64_t)info.st_size)) {
        drop(b, blob);
        return E_LIMIT;
    }
    begin_work(b, blob);
    enum status status = blob_publish(b->folder, key, path);
    blob = end_work(b, blob);
    if (!blob) return E_NOT_FOUND;
    blob->stage = BLOB_WHOLE;
    if (status != OK) drop(b, blob);
    return status;
}

enum status blobs_adopt(struct blobs *b, const struct blob_key *key, const struct address *owner,
                        const char *path)
{
    pthread_mutex_lock(&b->lock);
    const struct blob *blob = find_checked(b, key);
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
    struct blob *blob = find(b, key);
    if (blob) drop(b, blob);
    pthread_mutex_unlock(&b->lock);
}

void blobs_remove_job(struct blobs *b, uint64_t job)
{
    pthread_mutex_lock(&b->lock);
    for (size_t i = b->count; i > 0; i--)
        if (b->entries[i - 1]->key.job == job) drop(b, b->entries[i - 1]);
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
        out[i] = (struct blob_info){blob->key, blob->owner, state_of(blob)};
    }
    pthread_mutex_unlock(&b->lock);
    return count;
}
