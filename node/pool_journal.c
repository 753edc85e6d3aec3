#include "node/pool_journal.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/keccak.h"
#include "base/log.h"
#include "chain/limits.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JOURNAL_BYTES_MAX (4ull * MEMPOOL_BYTES_MAX)

struct pool_journal {
    char *path;
    int fd;
    size_t size;
};

static void put_entry(struct buffer *out, struct bytes wire)
{
    uint8_t size[4];
    struct hash check = keccak256(wire);
    assert(wire.size > 0 && wire.size <= TX_SIZE_MAX);
    store_be32(size, (uint32_t)wire.size);
    buffer_append(out, bytes_of(size, sizeof size));
    buffer_append(out, wire);
    buffer_append(out, bytes_of(check.b, 4));
}

/* The entry at the front of *rest, which moves on; false at the end or at damage. */
static bool take_entry(struct bytes *out, struct bytes *rest)
{
    if (rest->size < 8) return false;
    size_t size = load_be32(rest->data);
    if (size == 0 || size > TX_SIZE_MAX || rest->size - 8 < size) return false;
    struct bytes wire = bytes_slice(*rest, 4, size);
    struct hash check = keccak256(wire);
    if (memcmp(check.b, rest->data + 4 + size, 4) != 0) return false;
    *out = wire;
    *rest = bytes_slice(*rest, size + 8, rest->size - size - 8);
    return true;
}

static int open_end(const char *path, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return -1;
    if (ftruncate(fd, (off_t)size) == 0 && lseek(fd, (off_t)size, SEEK_SET) == (off_t)size)
        return fd;
    close(fd);
    return -1;
}

enum status pool_journal_open(struct pool_journal **out, const char *path,
                              void (*each)(void *context, struct bytes wire), void *context)
{
    struct buffer content = {0};
    enum status status = file_read(&content, path, JOURNAL_BYTES_MAX);
    struct bytes wire;
    struct bytes rest = buffer_bytes(&content);
    if (status == E_NOT_FOUND) status = OK;
    while (status == OK && take_entry(&wire, &rest))
        each(context, wire);
    size_t whole = content.size - rest.size;
    int fd = status == OK ? open_end(path, whole) : -1;
    buffer_finish(&content);
    if (status != OK) return status;
    if (fd < 0) return E_IO;
    struct pool_journal *j = must_alloc(sizeof *j);
    *j = (struct pool_journal){must_strdup(path), fd, whole};
    *out = j;
    return OK;
}

void pool_journal_close(struct pool_journal *j)
{
    if (j == NULL) return;
    close(j->fd);
    free(j->path);
    free(j);
}

/* The pool works without its journal: say so and go on. */
static void complain(const struct pool_journal *j)
{
    log_limited(LOG_ERROR, "pool", "cannot write the journal path=%s reason=%s", j->path,
                strerror(errno));
}

/* A part of an entry would hide those after it: nothing is kept of one that does not fit. */
static void write_all(struct pool_journal *j, struct bytes data)
{
    size_t start = j->size;
    while (data.size > 0) {
        ssize_t done = write(j->fd, data.data, data.size);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) {
            complain(j);
            j->size = start;
            if (ftruncate(j->fd, (off_t)start) != 0) complain(j);
            if (lseek(j->fd, (off_t)start, SEEK_SET) < 0) complain(j);
            return;
        }
        j->size += (size_t)done;
        data = bytes_slice(data, (size_t)done, data.size - (size_t)done);
    }
}

void pool_journal_append(struct pool_journal *j, struct bytes wire)
{
    struct buffer entry = {0};
    put_entry(&entry, wire);
    write_all(j, buffer_bytes(&entry));
    buffer_finish(&entry);
}

size_t pool_journal_size(const struct pool_journal *j)
{
    return j->size;
}

void pool_journal_rewrite(struct pool_journal *j, const struct bytes *wires, size_t count)
{
    struct buffer content = {0};
    for (size_t i = 0; i < count; i++)
        put_entry(&content, wires[i]);
    enum status status = file_write_atomic(j->path, buffer_bytes(&content), 0600);
    int fd = status == OK ? open_end(j->path, content.size) : -1;
    if (fd >= 0) {
        close(j->fd);
        j->fd = fd;
        j->size = content.size;
    } else {
        complain(j);
    }
    buffer_finish(&content);
}
