/* A log of eight votes is damaged as the input says: it opens with a prefix of them, or is refused.
 * The input is also read as one record's payload. */
#include "node/vote_log.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64];
static char lock_path[80];
static struct buffer original;

static void forget(void)
{
    unlink(path);
    unlink(lock_path);
    buffer_finish(&original);
}

static enum status expect_next(void *context, const struct record *record, struct bytes body)
{
    uint64_t *count = context;
    if (record->kind != RECORD_VOTE || record->vote.view != ++*count || body.size != 0) abort();
    return OK;
}

static void write_original(void)
{
    struct vote_log *log;
    bool created;
    uint64_t count = 0;
    snprintf(path, sizeof(path), "/tmp/fuzz_vote_log.%ld", (long)getpid());
    snprintf(lock_path, sizeof(lock_path), "%s.lock", path);
    if (vote_log_open(&log, &created, path, expect_next, &count) != OK) abort();
    for (uint64_t view = 1; view <= 8; view++) {
        struct record r = {.kind = RECORD_VOTE, .vote = {.view = view, .kind = VOTE_NULLIFY}};
        vote_log_append(log, &r, bytes_of(NULL, 0));
        if (view % 3 == 0) vote_log_sync(log);
    }
    vote_log_sync(log);
    vote_log_close(log);
    if (file_read(&original, path, 1 << 16) != OK) abort();
    atexit(forget);
}

static void write_damaged(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(original.size);
    if (!copy) abort();
    memcpy(copy, original.data, original.size);
    size_t cut = size > 1 ? (size_t)(data[0] << 8 | data[1]) % (original.size + 1) : original.size;
    for (size_t i = 2; i + 2 < size; i += 3)
        copy[(size_t)(data[i] << 8 | data[i + 1]) % original.size] ^= data[i + 2];
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(copy, 1, cut, f) != cut || fclose(f) != 0) abort();
    free(copy);
}

static void read_record(const uint8_t *data, size_t size)
{
    static struct certificate room;
    struct record r;
    struct bytes body;
    struct buffer again = {0};
    if (size == 0 || data[0] >= RECORD_KIND_COUNT) return;
    struct bytes payload = bytes_of(data + 1, size - 1);
    if (record_decode(&r, &room, &body, (enum record_kind)data[0], payload) != OK) return;
    record_encode(&again, &r, body);
    if (!bytes_equal(buffer_bytes(&again), payload)) abort();
    buffer_finish(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vote_log *log = NULL;
    bool created;
    uint64_t count = 0;
    if (original.size == 0) write_original();
    read_record(data, size);
    write_damaged(data, size);
    enum status status = vote_log_open(&log, &created, path, expect_next, &count);
    if (status != OK && status != E_MALFORMED) abort();
    if (status == OK && (created || count > 8)) abort();
    vote_log_close(log);
    return 0;
}
