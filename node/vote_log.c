#include "node/vote_log.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/keccak.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SALT_SIZE     16
#define CHECKSUM_SIZE 8
#define HEADER_SIZE   (8 + SALT_SIZE + CHECKSUM_SIZE)
#define HEAD_SIZE     17 /* magic, kind, payload size, synced */
#define FRAME_SIZE    (HEAD_SIZE + 2 * CHECKSUM_SIZE)
#define PAYLOAD_MAX   (PROPOSAL_BLOCK_BYTES_MAX + 56)

static const uint8_t FILE_MAGIC[8] = {'L', 'H', 'V', 'O', 'T', 'E', 'S', '1'};
static const uint8_t RECORD_MAGIC[4] = {'L', 'H', 'R', 'C'};

struct vote_log {
    char *path;
    int fd;
    int lock_fd;
    uint8_t salt[SALT_SIZE];
    uint64_t synced_size; /* bytes of the file that are durable */
    bool rewriting;       /* `pending` is a whole new file */
    struct buffer pending;
};

static void header_checksum(uint8_t out[CHECKSUM_SIZE], const uint8_t *header)
{
    struct hash h = keccak256(bytes_of(header, 8 + SALT_SIZE));
    memcpy(out, h.b, CHECKSUM_SIZE);
}

static void salted_checksum(uint8_t out[CHECKSUM_SIZE], const uint8_t salt[SALT_SIZE],
                            uint64_t offset, struct bytes content)
{
    struct keccak k;
    uint8_t place[8];
    store_be64(place, offset);
    keccak_init(&k);
    keccak_update(&k, bytes_of(salt, SALT_SIZE));
    keccak_update(&k, bytes_of(place, sizeof(place)));
    keccak_update(&k, content);
    struct hash h = keccak_finish(&k);
    memcpy(out, h.b, CHECKSUM_SIZE);
}

/* ---- reading ---- */

struct frame {
    enum record_kind kind;
    uint64_t synced_size;
    struct bytes payload;
    uint64_t end; /* offset behind it */
};

static bool checksum_fits(const uint8_t *at, const uint8_t salt[SALT_SIZE], uint64_t offset,
                          struct bytes content)
{
    uint8_t expected[CHECKSUM_SIZE];
    salted_checksum(expected, salt, offset, content);
    return memcmp(at, expected, CHECKSUM_SIZE) == 0;
}

/* True if a whole, genuine record stands at the offset. */
static bool read_frame(struct frame *out, const uint8_t salt[SALT_SIZE], struct bytes file,
                       uint64_t offset)
{
    if (file.size - offset < FRAME_SIZE) return false;
    const uint8_t *p = file.data + offset;
    if (memcmp(p, RECORD_MAGIC, sizeof RECORD_MAGIC) != 0) return false;
    if (!checksum_fits(p + HEAD_SIZE, salt, offset, bytes_of(p, HEAD_SIZE))) return false;
    uint64_t payload_size = load_be32(p + 5);
    if (payload_size > file.size - offset - FRAME_SIZE) return false;
    size_t checked_size = HEAD_SIZE + CHECKSUM_SIZE + payload_size;
    if (!checksum_fits(p + checked_size, salt, offset, bytes_of(p, checked_size))) return false;
    out->kind = (enum record_kind)p[4];
    out->synced_size = load_be64(p + 9);
    out->payload = bytes_of(p + HEAD_SIZE + CHECKSUM_SIZE, payload_size);
    out->end = offset + FRAME_SIZE + payload_size;
    return true;
}

static uint64_t end_of_records(const uint8_t salt[SALT_SIZE], struct bytes file)
{
    struct frame frame;
    uint64_t offset = HEADER_SIZE;
    while (offset < file.size && read_frame(&frame, salt, file, offset))
        offset = frame.end;
    return offset;
}

/* True if some record behind `end` was written when bytes behind `end` were durable already. */
static bool durable_bytes_damaged(const uint8_t salt[SALT_SIZE], struct bytes file, uint64_t end)
{
    struct frame frame;
    for (uint64_t offset = end + 1; offset < file.size; offset++)
        if (read_frame(&frame, salt, file, offset) && frame.synced_size > end) return true;
    return false;
}

static enum status replay_all(const uint8_t salt[SALT_SIZE], struct bytes file, uint64_t end,
                              vote_log_replay replay, void *context)
{
    struct certificate *room = must_alloc(sizeof(*room));
    struct frame frame;
    enum status status = OK;
    for (uint64_t offset = HEADER_SIZE; offset < end && status == OK; offset = frame.end) {
        struct record record;
        struct bytes body;
        bool whole = read_frame(&frame, salt, file, offset);
        assert(whole);
        (void)whole;
        status = frame.kind < RECORD_KIND_COUNT ? OK : E_MALFORMED;
        if (status == OK) status = record_decode(&record, room, &body, frame.kind, frame.payload);
        if (status == OK) status = replay(context, &record, body);
    }
    free(room);
    return status;
}

static enum status check_header(uint8_t out_salt[SALT_SIZE], struct bytes file)
{
    uint8_t expected[CHECKSUM_SIZE];
    if (file.size < HEADER_SIZE || memcmp(file.data, FILE_MAGIC, sizeof FILE_MAGIC) != 0)
        return E_MALFORMED;
    header_checksum(expected, file.data);
    if (memcmp(file.data + 8 + SALT_SIZE, expected, CHECKSUM_SIZE) != 0) return E_MALFORMED;
    memcpy(out_salt, file.data + 8, SALT_SIZE);
    return OK;
}

/* ---- writing ---- */

static void start_file(struct vote_log *log)
{
    assert(log->pending.size == 0);
    random_bytes(log->salt, SALT_SIZE);
    uint8_t *p = buffer_extend(&log->pending, HEADER_SIZE);
    memcpy(p, FILE_MAGIC, sizeof FILE_MAGIC);
    memcpy(p + 8, log->salt, SALT_SIZE);
    header_checksum(p + 8 + SALT_SIZE, p);
}

/* The pending bytes become the file, whole or not at all. */
static void replace_file(struct vote_log *log)
{
    if (log->fd >= 0) close(log->fd);
    if (file_write_atomic(log->path, buffer_bytes(&log->pending), 0600) != OK)
        fatal("writing the vote log %s: %s", log->path, strerror(errno));
    log->fd = open(log->path, O_WRONLY | O_CLOEXEC);
    if (log->fd < 0) fatal("opening the vote log %s: %s", log->path, strerror(errno));
    log->synced_size = log->pending.size;
    buffer_clear(&log->pending);
}

static void cut_tail(struct vote_log *log, uint64_t size)
{
    if (ftruncate(log->fd, (off_t)size) != 0 || fsync(log->fd) != 0)
        fatal("cutting the vote log %s at %llu bytes: %s", log->path, (unsigned long long)size,
              strerror(errno));
}

static enum status open_existing(struct vote_log *log, struct bytes file, vote_log_replay replay,
                                 void *context)
{
    enum status status = check_header(log->salt, file);
    if (status != OK) return status;
    uint64_t end = end_of_records(log->salt, file);
    if (durable_bytes_damaged(log->salt, file, end)) return E_MALFORMED;
    status = replay_all(log->salt, file, end, replay, context);
    if (status != OK) return status;
    log->fd = open(log->path, O_WRONLY | O_CLOEXEC);
    if (log->fd < 0) return E_IO;
    if (end < file.size) cut_tail(log, end);
    if (fsync(log->fd) != 0) fatal("syncing the vote log %s: %s", log->path, strerror(errno));
    log->synced_size = end;
    return OK;
}

static enum status lock(struct vote_log *log)
{
    struct buffer path = {0};
    buffer_print(&path, "%s.lock", log->path);
    enum status status = file_lock(&log->lock_fd, buffer_text(&path));
    buffer_finish(&path);
    return status;
}

enum status vote_log_open(struct vote_log **out, bool *out_created, const char *path,
                          vote_log_replay replay, void *context)
{
    struct buffer file = {0};
    struct vote_log *log = must_alloc(sizeof(*log));
    log->path = must_strdup(path);
    log->fd = log->lock_fd = -1;
    enum status status = lock(log);
    if (status != OK) goto fail;
    status = file_read(&file, path, VOTE_LOG_SIZE_MAX);
    bool created = status == E_NOT_FOUND;
    if (created) {
        start_file(log);
        replace_file(log);
    } else if (status == OK) {
        status = open_existing(log, buffer_bytes(&file), replay, context);
    }
    if (status != OK && !created) goto fail;
    buffer_finish(&file);
    *out = log;
    *out_created = created;
    return OK;
fail:
    buffer_finish(&file);
    vote_log_close(log);
    return status;
}

void vote_log_close(struct vote_log *log)
{
    if (!log) return;
    if (log->fd >= 0) close(log->fd);
    if (log->lock_fd >= 0) close(log->lock_fd);
    buffer_finish(&log->pending);
    free(log->path);
    free(log);
}

void vote_log_append(struct vote_log *log, const struct record *record, struct bytes block_bytes)
{
    struct buffer *out = &log->pending;
    size_t start = out->size;
    uint64_t offset = (log->rewriting ? 0 : log->synced_size) + start;
    buffer_extend(out, HEAD_SIZE + CHECKSUM_SIZE);
    record_encode(out, record, block_bytes);
    uint8_t *head = out->data + start;
    size_t payload_size = out->size - start - HEAD_SIZE - CHECKSUM_SIZE;
    assert(payload_size <= PAYLOAD_MAX);
    memcpy(head, RECORD_MAGIC, sizeof RECORD_MAGIC);
    head[4] = (uint8_t)record->kind;
    store_be32(head + 5, (uint32_t)payload_size);
    store_be64(head + 9, log->rewriting ? 0 : log->synced_size);
    salted_checksum(head + HEAD_SIZE, log->salt, offset, bytes_of(head, HEAD_SIZE));
    size_t checked_size = out->size - start;
    buffer_extend(out, CHECKSUM_SIZE);
    head = out->data + start;
    salted_checksum(head + checked_size, log->salt, offset, bytes_of(head, checked_size));
}

void vote_log_sync(struct vote_log *log)
{
    size_t done = 0;
    assert(!log->rewriting);
    while (done < log->pending.size) {
        ssize_t n = pwrite(log->fd, log->pending.data + done, log->pending.size - done,
                           (off_t)(log->synced_size + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) fatal("writing the vote log %s: %s", log->path, strerror(errno));
        done += (size_t)n;
    }
    if (done == 0) return;
    if (fdatasync(log->fd) != 0) fatal("syncing the vote log %s: %s", log->path, strerror(errno));
    log->synced_size += done;
    buffer_clear(&log->pending);
}

uint64_t vote_log_size(const struct vote_log *log)
{
    return (log->rewriting ? 0 : log->synced_size) + log->pending.size;
}

void vote_log_rewrite_begin(struct vote_log *log)
{
    assert(!log->rewriting && log->pending.size == 0);
    log->rewriting = true;
    start_file(log);
}

void vote_log_rewrite_commit(struct vote_log *log)
{
    assert(log->rewriting);
    replace_file(log);
    log->rewriting = false;
}
