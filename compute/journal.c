#include "compute/journal.h"

#include "base/cursor.h"
#include "base/fatal.h"
#include "base/file.h"
#include "base/keccak.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC          "LHJ2"
#define TAG_BYTES      8
#define HEADER_BYTES   8
#define PAYLOAD_BYTES  (8 + 1 + 1 + 1 + 4 + 8 + 32 + 32 + 32 + 8)
#define RECORD_BYTES   (HEADER_BYTES + PAYLOAD_BYTES + TAG_BYTES)
#define FILE_BYTES_MAX (64u << 20)
#define SLACK_RECORDS  256 /* the file is rewritten when it holds twice what counts, and so many */

struct journal {
    pthread_mutex_t lock;
    char *path;
    int fd;
    size_t records;                                 /* in the file */
    struct journal_entry entries[JOURNAL_JOBS_MAX]; /* by job number, then seat */
    size_t count;
};

static void put_u64(struct buffer *out, uint64_t value)
{
    store_be64(buffer_extend(out, 8), value);
}

static void put_u32(struct buffer *out, uint32_t value)
{
    store_be32(buffer_extend(out, 4), value);
}

void journal_encode(struct buffer *out, const struct journal_entry *entry)
{
    buffer_append(out, bytes_of(MAGIC, 4));
    put_u32(out, PAYLOAD_BYTES);
    size_t start = out->size;
    put_u64(out, entry->job);
    buffer_append_byte(out, entry->seat);
    buffer_append_byte(out, (uint8_t)entry->stage);
    buffer_append_byte(out, entry->exit_reason);
    put_u32(out, entry->seconds);
    put_u64(out, entry->output_size);
    buffer_append(out, hash_bytes(&entry->root));
    buffer_append(out, hash_bytes(&entry->trace));
    buffer_append(out, hash_bytes(&entry->salt));
    put_u64(out, entry->ended_at_s);
    assert(out->size - start == PAYLOAD_BYTES);
    struct hash tag = keccak256(bytes_of(out->data + start, PAYLOAD_BYTES));
    buffer_append(out, bytes_of(tag.b, TAG_BYTES));
}

static enum status decode_payload(struct journal_entry *out, struct bytes payload)
{
    struct cursor c = cursor_over(payload);
    struct journal_entry e = {0};
    e.job = cursor_u64(&c);
    e.seat = cursor_u8(&c);
    uint8_t stage = cursor_u8(&c);
    e.exit_reason = cursor_u8(&c);
    e.seconds = cursor_u32(&c);
    e.output_size = cursor_u64(&c);
    e.root = cursor_hash(&c);
    e.trace = cursor_hash(&c);
    e.salt = cursor_hash(&c);
    e.ended_at_s = cursor_u64(&c);
    enum status status = cursor_end(&c);
    if (status != OK) return status;
    if (stage >= JOURNAL_STAGE_COUNT) return E_MALFORMED;
    e.stage = (enum journal_stage)stage;
    *out = e;
    return OK;
}

enum status journal_decode(struct journal_entry *out, size_t *out_size, struct bytes input)
{
    size_t known = input.size < 4 ? input.size : 4;
    if (known > 0 && memcmp(input.data, MAGIC, known) != 0) return E_MALFORMED;
    if (input.size < RECORD_BYTES) return E_LIMIT;
    if (load_be32(input.data + 4) != PAYLOAD_BYTES) return E_MALFORMED;
    struct bytes payload = bytes_slice(input, HEADER_BYTES, PAYLOAD_BYTES);
    struct hash tag = keccak256(payload);
    if (memcmp(tag.b, input.data + HEADER_BYTES + PAYLOAD_BYTES, TAG_BYTES) != 0)
        return E_MALFORMED;
    enum status status = decode_payload(out, payload);
    if (status == OK) *out_size = RECORD_BYTES;
    return status;
}

static bool is_before(const struct journal_entry *e, uint64_t job, uint8_t seat)
{
    return e->job < job || (e->job == job && e->seat < seat);
}

/* The first index that is not before that job and seat. */
static size_t place_of(const struct journal *j, uint64_t job, uint8_t seat)
{
    size_t low = 0;
    size_t high = j->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (is_before(&j->entries[middle], job, seat))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool knows(const struct journal *j, uint64_t job, uint8_t seat)
{
    size_t at = place_of(j, job, seat);
    return at < j->count && j->entries[at].job == job && j->entries[at].seat == seat;
}

/* Forgets the job that ended first. False: none has ended. */
static bool make_room(struct journal *j)
{
    size_t first = j->count;
    for (size_t i = 0; i < j->count; i++) {
        if (j->entries[i].stage != JOURNAL_ENDED) continue;
        if (first < j->count && j->entries[i].ended_at_s >= j->entries[first].ended_at_s) continue;
        first = i;
    }
    if (first == j->count) return false;
    j->count--;
    memmove(&j->entries[first], &j->entries[first + 1], (j->count - first) * sizeof *j->entries);
    return true;
}

static enum status remember(struct journal *j, const struct journal_entry *entry)
{
    bool known = knows(j, entry->job, entry->seat);
    if (!known && j->count == JOURNAL_JOBS_MAX && !make_room(j)) return E_LIMIT;
    size_t at = place_of(j, entry->job, entry->seat);
    if (!known) {
        memmove(&j->entries[at + 1], &j->entries[at], (j->count - at) * sizeof *j->entries);
        j->count++;
    }
    j->entries[at] = *entry;
    return OK;
}

/* A crash can leave a part of the last record, or a last record whose bytes never got to disk. */
static enum status replay(struct journal *j, struct bytes content, bool *out_torn)
{
    while (content.size > 0) {
        struct journal_entry entry;
        size_t size = 0;
        enum status status = journal_decode(&entry, &size, content);
        bool last = content.size <= RECORD_BYTES;
        if (status != OK && last) {
            *out_torn = true;
            return OK;
        }
        if (status == OK) status = remember(j, &entry);
        if (status != OK) return status;
        content = bytes_slice(content, size, content.size - size);
    }
    return OK;
}

/* One record for each job that counts; from then on it is the new file that grows. */
static enum status rewrite(struct journal *j)
{
    struct buffer all = {0};
    for (size_t i = 0; i < j->count; i++)
        journal_encode(&all, &j->entries[i]);
    enum status status = file_write_atomic(j->path, buffer_bytes(&all), 0600);
    buffer_finish(&all);
    if (status != OK) return status;
    if (j->fd >= 0) close(j->fd);
    j->fd = open(j->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    j->records = j->count;
    return j->fd >= 0 ? OK : E_IO;
}

enum status journal_open(struct journal **out, const char *path, bool *out_torn)
{
    struct journal *j = must_alloc(sizeof *j);
    pthread_mutex_init(&j->lock, NULL);
    j->path = must_strdup(path);
    j->fd = -1;
    *out_torn = false;
    struct buffer content = {0};
    enum status status = file_read(&content, path, FILE_BYTES_MAX);
    if (status == E_NOT_FOUND) status = OK;
    if (status == OK) status = replay(j, buffer_bytes(&content), out_torn);
    buffer_finish(&content);
    if (status == OK) status = rewrite(j);
    if (status != OK) {
        journal_close(j);
        return status;
    }
    *out = j;
    return OK;
}

void journal_close(struct journal *j)
{
    if (!j) return;
    if (j->fd >= 0) close(j->fd);
    pthread_mutex_destroy(&j->lock);
    free(j->path);
    free(j);
}

static void append_record(int fd, const struct journal_entry *entry)
{
    struct buffer record = {0};
    journal_encode(&record, entry);
    ssize_t put = write(fd, record.data, record.size);
    if (put != (ssize_t)record.size || fsync(fd) != 0)
        fatal("the worker's journal cannot be written: %s", strerror(errno));
    buffer_finish(&record);
}

void journal_put(struct journal *j, const struct journal_entry *entry)
{
    assert(entry->stage < JOURNAL_STAGE_COUNT);
    pthread_mutex_lock(&j->lock);
    if (remember(j, entry) != OK)
        fatal("the worker's journal holds %d jobs, its limit", JOURNAL_JOBS_MAX);
    append_record(j->fd, entry);
    j->records++;
    if (j->records > 2 * j->count + SLACK_RECORDS && rewrite(j) != OK)
        fatal("the worker's journal cannot be written: %s", strerror(errno));
    pthread_mutex_unlock(&j->lock);
}

enum status journal_find(struct journal *j, struct journal_entry *out, uint64_t job, uint8_t seat)
{
    pthread_mutex_lock(&j->lock);
    bool known = knows(j, job, seat);
    if (known) *out = j->entries[place_of(j, job, seat)];
    pthread_mutex_unlock(&j->lock);
    return known ? OK : E_NOT_FOUND;
}

size_t journal_list(struct journal *j, struct journal_entry *out, size_t max)
{
    pthread_mutex_lock(&j->lock);
    size_t count = j->count;
    memcpy(out, j->entries, (count < max ? count : max) * sizeof *out);
    pthread_mutex_unlock(&j->lock);
    return count;
}

void journal_forget_ended(struct journal *j, uint64_t before_s)
{
    pthread_mutex_lock(&j->lock);
    size_t kept = 0;
    for (size_t i = 0; i < j->count; i++) {
        const struct journal_entry *e = &j->entries[i];
        bool old = e->stage == JOURNAL_ENDED && e->ended_at_s < before_s;
        if (!old) j->entries[kept++] = *e;
    }
    j->count = kept;
    pthread_mutex_unlock(&j->lock);
}
