#include "compute/checkpoint.h"

#include "base/sha256.h"
#include "compute/image.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES (64u * 1024u)

static const char MAGIC[8] = {'L', 'H', 'S', 'T', 'A', 'T', 'E', '1'};

/* ---- the header ------------------------------------------------------------------------------ */

void checkpoint_encode(uint8_t out[CHECKPOINT_HEADER_BYTES], const struct checkpoint *c)
{
    memcpy(out, MAGIC, 8);
    memcpy(out + 8, c->bundle.b, 32);
    store_be64(out + 40, c->step);
    store_be64(out + 48, c->row_bytes);
    store_be64(out + 56, c->image_bytes);
    memcpy(out + 64, c->root.b, 32);
    struct hash check = sha256(bytes_of(out, CHECKPOINT_HEADER_BYTES - 32));
    memcpy(out + CHECKPOINT_HEADER_BYTES - 32, check.b, 32);
}

enum status checkpoint_decode(struct checkpoint *out, struct bytes header)
{
    struct checkpoint c;
    uint8_t again[CHECKPOINT_HEADER_BYTES];
    if (header.size != CHECKPOINT_HEADER_BYTES) return E_MALFORMED;
    memcpy(c.bundle.b, header.data + 8, 32);
    c.step = load_be64(header.data + 40);
    c.row_bytes = load_be64(header.data + 48);
    c.image_bytes = load_be64(header.data + 56);
    memcpy(c.root.b, header.data + 64, 32);
    checkpoint_encode(again, &c);
    if (memcmp(again, header.data, sizeof again) != 0) return E_MALFORMED;
    *out = c;
    return OK;
}

/* ---- reading --------------------------------------------------------------------------------- */

static enum status say(char *error, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static enum status say(char *error, enum status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error, CHECKPOINT_ERROR_SIZE, format, args);
    va_end(args);
    return status;
}

static enum status read_all(int fd, void *out, uint64_t size)
{
    uint8_t *at = out;
    while (size > 0) {
        ssize_t got = read(fd, at, size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return E_IO;
        if (got == 0) return E_MALFORMED;
        at += got;
        size -= (uint64_t)got;
    }
    return OK;
}

static enum status read_header(int *out_fd, struct checkpoint *out, const char *path)
{
    uint8_t header[CHECKPOINT_HEADER_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return errno == ENOENT ? E_NOT_FOUND : E_IO;
    enum status status = read_all(fd, header, sizeof header);
    if (status == OK) status = checkpoint_decode(out, bytes_of(header, sizeof header));
    if (status != OK) {
        close(fd);
        return status;
    }
    *out_fd = fd;
    return OK;
}

enum status checkpoint_look(struct checkpoint *out, const char *path)
{
    int fd;
    enum status status = read_header(&fd, out, path);
    if (status == OK) close(fd);
    return status;
}

static enum status check_sizes(char *error, const struct checkpoint *c, int fd,
                               const struct plan *plan, const struct hash *bundle)
{
    struct stat s;
    uint64_t row = plan->trace ? plan->buffer_count * sizeof(struct hash) : 0;
    if (fstat(fd, &s) != 0) return say(error, E_IO, "%s", strerror(errno));
    if (!hash_equal(&c->bundle, bundle)) {
        return say(error, E_MALFORMED, "the checkpoint is another job's");
    }
    if (c->step == 0 || c->step > image_steps(plan)) {
        return say(error, E_MALFORMED, "the checkpoint is after %llu launches, the job has %llu",
                   (unsigned long long)c->step, (unsigned long long)image_steps(plan));
    }
    uint64_t rows = row * (c->step + 1);
    uint64_t image = image_pages(plan) * IMAGE_PAGE_BYTES;
    if (c->row_bytes != rows || c->image_bytes != image ||
        (uint64_t)s.st_size != CHECKPOINT_HEADER_BYTES + rows + image) {
        return say(error, E_MALFORMED, "the checkpoint has not the size that the job's memory has");
    }
    return OK;
}

/* One buffer's pages: into the whole file's root, and into its own. */
static enum status read_buffer(struct merkle *whole, struct hash *out, int fd, uint64_t size)
{
    uint8_t chunk[CHUNK_BYTES];
    struct merkle own;
    merkle_init(&own);
    while (size > 0) {
        size_t take = size < sizeof chunk ? (size_t)size : sizeof chunk;
        enum status status = read_all(fd, chunk, take);
        if (status != OK) return status;
        merkle_update(whole, bytes_of(chunk, take));
        merkle_update(&own, bytes_of(chunk, take));
        size -= take;
    }
    *out = merkle_finish(&own);
    return OK;
}

static enum status check_content(char *error, const struct checkpoint *c, int fd,
                                 const struct plan *plan, const struct buffer *rows)
{
    struct merkle whole;
    bool same = true;
    size_t row = plan->trace ? plan->buffer_count * sizeof(struct hash) : 0;
    merkle_init(&whole);
    merkle_update(&whole, buffer_bytes(rows));
    for (uint32_t i = 0; i < plan->buffer_count; i++) {
        struct hash root;
        uint64_t size = image_pages_of(&plan->buffers[i]) * IMAGE_PAGE_BYTES;
        enum status status = read_buffer(&whole, &root, fd, size);
        if (status != OK) return say(error, status, "the checkpoint cannot be read to its end");
        if (!plan->trace) continue;
        const uint8_t *said = rows->data + c->row_bytes - row + i * sizeof root;
        same = same && memcmp(said, &root, sizeof root) == 0;
    }
    struct hash root = merkle_finish(&whole);
    if (!hash_equal(&root, &c->root)) return say(error, E_MALFORMED, "the checkpoint is damaged");
    if (!same) return say(error, E_MALFORMED, "the checkpoint's memory is not that of its trace");
    return OK;
}

enum status checkpoint_open(int *out_fd, struct checkpoint *out, struct buffer *rows,
                            char error[CHECKPOINT_ERROR_SIZE], const struct checkpoint_source *from)
{
    struct checkpoint c;
    struct buffer kept = {0};
    int fd;
    enum status status = read_header(&fd, &c, from->path);
    if (status != OK) {
        return say(error, status, "%.160s: %s", from->path,
                   status == E_MALFORMED ? "is no checkpoint" : status_text(status));
    }
    status = check_sizes(error, &c, fd, from->plan, from->bundle);
    if (status == OK && c.row_bytes > 0) {
        status = read_all(fd, buffer_extend(&kept, c.row_bytes), c.row_bytes);
        if (status != OK) (void)say(error, status, "the checkpoint's trace cannot be read");
    }
    if (status == OK) status = check_content(error, &c, fd, from->plan, &kept);
    off_t image = (off_t)(CHECKPOINT_HEADER_BYTES + c.row_bytes);
    if (status == OK && lseek(fd, image, SEEK_SET) != image) {
        status = say(error, E_IO, "%s", strerror(errno));
    }
    if (status != OK) {
        close(fd);
        buffer_finish(&kept);
        return status;
    }
    buffer_append(rows, buffer_bytes(&kept));
    buffer_finish(&kept);
    *out = c;
    *out_fd = fd;
    return OK;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void path_beside(const struct checkpoint_writer *w, char out[PATH_MAX + 8])
{
    snprintf(out, PATH_MAX + 8, "%s.tmp", w->path);
}

void checkpoint_abandon(struct checkpoint_writer *w)
{
    char path[PATH_MAX + 8];
    int saved = errno;
    if (!w->open) return;
    path_beside(w, path);
    close(w->fd);
    unlink(path);
    w->open = false;
    errno = saved;
}

static enum status write_at(int fd, off_t offset, struct bytes what)
{
    while (what.size > 0) {
        ssize_t put = pwrite(fd, what.data, what.size, offset);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return E_IO;
        what = bytes_slice(what, (size_t)put, what.size - (size_t)put);
        offset += put;
    }
    return OK;
}

enum status checkpoint_begin(struct checkpoint_writer *w, const char *path,
                             const struct hash *bundle, uint64_t step, uint64_t image_bytes,
                             struct bytes rows)
{
    char beside[PATH_MAX + 8];
    assert(!w->open);
    if (strlen(path) >= sizeof w->path) return E_IO;
    memcpy(w->path, path, strlen(path) + 1);
    w->head = (struct checkpoint){
        .bundle = *bundle, .step = step, .row_bytes = rows.size, .image_bytes = image_bytes};
    path_beside(w, beside);
    w->fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (w->fd < 0) return E_IO;
    w->open = true;
    merkle_init(&w->merkle);
    return rows.size == 0 ? OK : checkpoint_add(w, rows);
}

enum status checkpoint_add(struct checkpoint_writer *w, struct bytes more)
{
    assert(w->open);
    off_t offset = (off_t)(CHECKPOINT_HEADER_BYTES + w->merkle.size_bytes);
    enum status status = write_at(w->fd, offset, more);
    if (status != OK) checkpoint_abandon(w);
    if (status == OK) merkle_update(&w->merkle, more);
    return status;
}

enum status checkpoint_commit(struct checkpoint_writer *w)
{
    uint8_t header[CHECKPOINT_HEADER_BYTES];
    char beside[PATH_MAX + 8];
    assert(w->open && w->merkle.size_bytes == w->head.row_bytes + w->head.image_bytes);
    w->head.root = merkle_finish(&w->merkle);
    checkpoint_encode(header, &w->head);
    path_beside(w, beside);
    if (write_at(w->fd, 0, bytes_of(header, sizeof header)) != OK || fsync(w->fd) != 0 ||
        rename(beside, w->path) != 0) {
        checkpoint_abandon(w);
        return E_IO;
    }
    w->open = false;
    return close(w->fd) == 0 ? OK : E_IO;
}
