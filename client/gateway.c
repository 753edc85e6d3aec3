#include "client/gateway.h"

#include "base/fatal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_MS 15000u
#define WINDOW             8 /* requests sent ahead of their answers */
#define RESTARTS_MAX       4 /* of one upload whose worker lost or refused what it had */

struct gateway {
    SSL_CTX *context;
    struct frame_stream stream;
    struct buffer out;
    char endpoint[300];
    char problem[JSON_ERROR_SIZE];
};

static enum status complain(struct gateway *g, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum status complain(struct gateway *g, enum status status, const char *format, ...)
{
    char text[160];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    snprintf(g->problem, sizeof g->problem, "worker %.80s: %s", g->endpoint, text);
    return status;
}

const char *gateway_problem(const struct gateway *g)
{
    return g->problem;
}

static enum status send_out(struct gateway *g)
{
    enum status status = frame_stream_write(&g->stream, buffer_bytes(&g->out));
    buffer_clear(&g->out);
    if (status != OK) return complain(g, status, "the connection broke (%s)", status_text(status));
    return OK;
}

static enum status status_of_result(enum gateway_result code)
{
    switch (code) {
    case GATEWAY_RESULT_OK: return OK;
    case GATEWAY_RESULT_DENIED:
    case GATEWAY_RESULT_SIGNATURE: return E_DENIED;
    case GATEWAY_RESULT_NOT_FOUND: return E_NOT_FOUND;
    case GATEWAY_RESULT_NOT_YET:
    case GATEWAY_RESULT_BUSY: return E_STATE;
    case GATEWAY_RESULT_OFFSET: return E_RANGE;
    case GATEWAY_RESULT_ROOT: return E_SIGNATURE;
    case GATEWAY_RESULT_LIMIT:
    case GATEWAY_RESULT_SIZE: return E_LIMIT;
    case GATEWAY_RESULT_MALFORMED: return E_MALFORMED;
    case GATEWAY_RESULT_VERSION: return E_UNSUPPORTED;
    case GATEWAY_RESULT_FAILED: return E_IO;
    }
    return E_MALFORMED;
}

/* Reads one answer of type `wanted`. A RESULT in its place is its status, and *out_value its value
 * (when not NULL). */
static enum status receive(struct gateway *g, enum gateway_frame wanted, struct bytes *body,
                           uint64_t *out_value)
{
    uint8_t type = 0;
    enum status status = frame_stream_read(&g->stream, &type, body);
    if (status != OK) return complain(g, status, "the connection broke (%s)", status_text(status));
    struct gateway_answer answer = {0};
    if (type == GATEWAY_RESULT && gateway_read_answer(&answer, *body) == OK) {
        if (out_value != NULL) *out_value = answer.value;
        status = status_of_result(answer.code);
        if (status != OK) return complain(g, status, "%s", answer.text);
        if (wanted == GATEWAY_RESULT) return OK;
    }
    if (type == (uint8_t)wanted && wanted != GATEWAY_RESULT) return OK;
    return complain(g, E_MALFORMED, "answered with a frame that does not belong there");
}

static enum status say_hello(struct gateway *g, const struct hash *tls_key_hash,
                             const struct key *identity)
{
    struct gateway_hello hello = {.version = GATEWAY_VERSION, .address = key_address(identity)};
    uint8_t exporter[GATEWAY_EXPORTER_BYTES];
    struct bytes body;
    enum status status = tls_exporter(exporter, &g->stream);
    if (status != OK) return complain(g, status, "no TLS exporter");
    struct hash digest = gateway_hello_digest(tls_key_hash, exporter);
    hello.signature = key_sign(identity, &digest);
    gateway_put_hello(&g->out, &hello);
    status = send_out(g);
    return status == OK ? receive(g, GATEWAY_RESULT, &body, NULL) : status;
}

static enum status connect_to(struct gateway *g, const struct gateway_peer *peer,
                              uint32_t timeout_ms)
{
    int fd = -1;
    enum status status = socket_connect(&fd, peer->endpoint, timeout_ms);
    if (status == E_MALFORMED) return complain(g, status, "not HOST:PORT");
    if (status == E_NOT_FOUND) return complain(g, status, "no such host");
    if (status == E_TIMEOUT) return complain(g, status, "no connection in %u ms", timeout_ms);
    if (status != OK) return complain(g, status, "cannot connect: %s", strerror(errno));
    status = frame_stream_open(&g->stream, g->context, fd, false, timeout_ms);
    if (status != OK) return complain(g, status, "no TLS handshake (%s)", status_text(status));
    struct hash shown = tls_peer_key_hash(&g->stream);
    if (!hash_equal(&shown, &peer->tls_key_hash))
        return complain(g, E_DENIED, "its TLS key is not the one that the chain names");
    return OK;
}

enum status gateway_open(struct gateway **out, char error[JSON_ERROR_SIZE],
                         const struct gateway_peer *peer, const struct key *identity)
{
    uint32_t timeout_ms = peer->timeout_ms != 0 ? peer->timeout_ms : DEFAULT_TIMEOUT_MS;
    struct gateway *g = must_alloc(sizeof *g);
    snprintf(g->endpoint, sizeof g->endpoint, "%s", peer->endpoint);
    g->context = tls_context_create(false);
    if (g->context == NULL) fatal("making a TLS context");
    enum status status = connect_to(g, peer, timeout_ms);
    if (status == OK) status = say_hello(g, &peer->tls_key_hash, identity);
    if (status != OK) {
        memcpy(error, g->problem, JSON_ERROR_SIZE);
        gateway_close(g);
        return status;
    }
    *out = g;
    return OK;
}

void gateway_close(struct gateway *g)
{
    if (g == NULL) return;
    frame_stream_close(&g->stream);
    SSL_CTX_free(g->context);
    buffer_finish(&g->out);
    free(g);
}

enum status gateway_stat(struct gateway *g, struct gateway_sizes *out,
                         const struct gateway_content *content)
{
    struct bytes body;
    gateway_put_stat(&g->out, &(struct gateway_stat){content->job, content->root});
    enum status status = send_out(g);
    if (status == OK) status = receive(g, GATEWAY_SIZES, &body, NULL);
    if (status != OK) return status;
    if (gateway_read_sizes(out, body) != OK)
        return complain(g, E_MALFORMED, "answered with sizes that make no sense");
    return OK;
}

static void tell(const struct gateway_progress *p, uint64_t done, uint64_t size)
{
    if (p != NULL && p->step != NULL) p->step(p->context, done, size);
}

/* ---- upload ---- */

static enum status read_chunk(struct gateway *g, int fd, uint8_t *out, size_t size, uint64_t offset)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(fd, out + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return complain(g, E_IO, "reading the content to send failed");
        done += (size_t)got;
    }
    return OK;
}

static size_t chunk_size(uint64_t size, uint64_t offset)
{
    return size - offset < GATEWAY_CHUNK_MAX ? (size_t)(size - offset) : GATEWAY_CHUNK_MAX;
}

/* Sends up to WINDOW chunks from *offset on and reads their answers. *offset follows what was
 * taken. E_RANGE: the worker wants another offset, which *offset is then. */
static enum status send_window(struct gateway *g, const struct gateway_content *c, int fd,
                               uint64_t *offset)
{
    static_assert(GATEWAY_CHUNK_MAX % MERKLE_LEAF_BYTES == 0, "chunks are whole leaves");
    uint8_t *chunk = must_alloc(GATEWAY_CHUNK_MAX);
    uint64_t sent = *offset;
    size_t count = 0;
    enum status status = OK;
    while (status == OK && count < WINDOW && (sent < c->size || (c->size == 0 && count == 0))) {
        size_t size = chunk_size(c->size, sent);
        status = read_chunk(g, fd, chunk, size, sent);
        if (status != OK) break;
        gateway_put_put(
            &g->out, &(struct gateway_put){c->job, c->root, c->size, sent, bytes_of(chunk, size)});
        status = send_out(g);
        sent += size;
        count++;
    }
    free(chunk);
    if (status != OK) return status;
    for (size_t i = 0; i < count; i++) {
        struct bytes body;
        uint64_t value = 0;
        enum status answer = receive(g, GATEWAY_RESULT, &body, &value);
        if (answer == E_IO || answer == E_TIMEOUT) return answer;
        if (status != OK) continue; /* the first refusal counts; the rest follow from it */
        status = answer;
        if (answer == E_RANGE) *offset = value < c->size ? value : 0;
    }
    if (status == OK) *offset = sent;
    return status;
}

static enum status upload(struct gateway *g, const struct gateway_content *c, int fd,
                          const struct gateway_progress *progress)
{
    struct gateway_sizes held;
    enum status status = gateway_stat(g, &held, c);
    if (status != OK && status != E_NOT_FOUND) return status;
    if (status == OK && held.size == c->size && held.held == c->size && c->size > 0) return OK;
    uint64_t offset = status == OK ? held.held / MERKLE_LEAF_BYTES * MERKLE_LEAF_BYTES : 0;
    int restarts = 0;
    do {
        tell(progress, offset, c->size);
        status = send_window(g, c, fd, &offset);
        bool again = status == E_RANGE || status == E_SIGNATURE;
        if (status == E_SIGNATURE) offset = 0; /* the content arrived damaged: from the start */
        if (status != OK && !again) return status;
        if (again && ++restarts > RESTARTS_MAX) return status == E_RANGE ? E_STATE : E_MALFORMED;
        if (again && offset % MERKLE_LEAF_BYTES != 0) offset = 0;
    } while (status != OK || offset < c->size);
    tell(progress, c->size, c->size);
    return OK;
}

enum status gateway_put(struct gateway *g, const struct gateway_content *content, const char *path,
                        const struct gateway_progress *progress)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return complain(g, E_IO, "cannot open %.100s: %s", path, strerror(errno));
    enum status status = OK;
    if (fstat(fd, &info) != 0 || (uint64_t)info.st_size != content->size ||
        content->size > GATEWAY_CONTENT_MAX)
        status = complain(g, E_LIMIT, "%.100s does not have the size that was announced", path);
    if (status == OK) status = upload(g, content, fd, progress);
    close(fd);
    return status;
}

/* ---- download ---- */

struct download {
    struct gateway *gateway;
    const struct gateway_content *content;
    struct hash *leaves; /* verified against the root */
    uint64_t leaf_count;
    int fd; /* of the .part file */
};

static enum status fetch_hashes(struct download *d, uint64_t first)
{
    struct gateway *g = d->gateway;
    const struct gateway_content *c = d->content;
    uint64_t left = d->leaf_count - first;
    uint32_t count = left < GATEWAY_LEAVES_MAX ? (uint32_t)left : GATEWAY_LEAVES_MAX;
    struct bytes body;
    gateway_put_leaves(&g->out, &(struct gateway_leaves){c->job, c->root, first, count});
    enum status status = send_out(g);
    if (status == OK) status = receive(g, GATEWAY_HASHES, &body, NULL);
    if (status != OK) return status;
    struct gateway_hashes page;
    if (gateway_read_hashes(&page, body) != OK || page.first != first ||
        page.hashes.size != (size_t)count * 32)
        return complain(g, E_MALFORMED, "answered with other leaf hashes than asked for");
    memcpy(d->leaves + first, page.hashes.data, page.hashes.size);
    return OK;
}

static enum status fetch_leaf_level(struct download *d)
{
    for (uint64_t first = 0; first < d->leaf_count; first += GATEWAY_LEAVES_MAX) {
        enum status status = fetch_hashes(d, first);
        if (status != OK) return status;
    }
    struct hash *scratch = must_alloc((size_t)(d->leaf_count + 1) * sizeof *scratch);
    memcpy(scratch, d->leaves, (size_t)d->leaf_count * sizeof *scratch);
    struct hash root = gateway_root_of_leaves(scratch, d->leaf_count, d->content->size);
    free(scratch);
    if (!hash_equal(&root, &d->content->root))
        return complain(d->gateway, E_MALFORMED, "its leaf hashes do not make the root");
    return OK;
}

static bool leaves_match(const struct download *d, uint64_t offset, struct bytes chunk)
{
    for (size_t at = 0; at < chunk.size; at += MERKLE_LEAF_BYTES) {
        size_t size = chunk.size - at;
        struct hash h = gateway_leaf_hash(
            bytes_slice(chunk, at, size < MERKLE_LEAF_BYTES ? size : MERKLE_LEAF_BYTES));
        if (!hash_equal(&h, &d->leaves[(offset + at) / MERKLE_LEAF_BYTES])) return false;
    }
    return true;
}

/* How much of an earlier try is there and right, in whole leaves. */
static uint64_t verified_prefix(const struct download *d)
{
    uint8_t leaf[MERKLE_LEAF_BYTES];
    uint64_t offset = 0;
    while (offset < d->content->size) {
        uint64_t left = d->content->size - offset;
        size_t size = left < sizeof leaf ? (size_t)left : sizeof leaf;
        if (pread(d->fd, leaf, size, (off_t)offset) != (ssize_t)size) break;
        if (!leaves_match(d, offset, bytes_of(leaf, size))) break;
        offset += size;
    }
    return offset;
}

static enum status keep_chunk(struct download *d, uint64_t offset, struct bytes body)
{
    struct gateway_chunk chunk;
    size_t size = chunk_size(d->content->size, offset);
    if (gateway_read_chunk(&chunk, body) != OK || chunk.offset != offset ||
        chunk.bytes.size != size)
        return complain(d->gateway, E_MALFORMED, "answered with another range than asked for");
    if (!leaves_match(d, offset, chunk.bytes))
        return complain(d->gateway, E_MALFORMED, "sent bytes that are not the content");
    for (size_t done = 0; done < size;) {
        ssize_t n = pwrite(d->fd, chunk.bytes.data + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return complain(d->gateway, E_IO, "writing failed: %s", strerror(errno));
        done += (size_t)n;
    }
    return OK;
}

static enum status fetch_window(struct download *d, uint64_t *offset)
{
    struct gateway *g = d->gateway;
    const struct gateway_content *c = d->content;
    uint64_t end = *offset;
    size_t count = 0;
    for (; count < WINDOW && end < c->size; count++) {
        gateway_put_get(&g->out, &(struct gateway_get){c->job, c->root, end, GATEWAY_CHUNK_MAX});
        end += chunk_size(c->size, end);
    }
    enum status status = send_out(g);
    for (size_t i = 0; i < count && status == OK; i++) {
        struct bytes body;
        status = receive(g, GATEWAY_CHUNK, &body, NULL);
        if (status == OK) status = keep_chunk(d, *offset, body);
        if (status == OK) *offset += chunk_size(c->size, *offset);
    }
    return status;
}

static enum status download(struct download *d, const struct gateway_progress *progress)
{
    enum status status = fetch_leaf_level(d);
    if (status != OK) return status;
    uint64_t offset = verified_prefix(d);
    while (status == OK && offset < d->content->size) {
        tell(progress, offset, d->content->size);
        status = fetch_window(d, &offset);
    }
    if (status != OK) return status;
    if (ftruncate(d->fd, (off_t)d->content->size) != 0 || fsync(d->fd) != 0)
        return complain(d->gateway, E_IO, "writing failed: %s", strerror(errno));
    tell(progress, offset, d->content->size);
    return OK;
}

enum status gateway_get(struct gateway *g, const struct gateway_content *content, const char *path,
                        const struct gateway_progress *progress)
{
    char part[PATH_MAX];
    if (content->size > GATEWAY_CONTENT_MAX)
        return complain(g, E_LIMIT, "the content is too large");
    if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
        return complain(g, E_LIMIT, "the path is too long");
    struct download d = {.gateway = g, .content = content};
    d.leaf_count = gateway_leaf_count(content->size);
    d.fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (d.fd < 0) return complain(g, E_IO, "cannot write %.100s: %s", part, strerror(errno));
    d.leaves = must_alloc((size_t)(d.leaf_count + 1) * sizeof *d.leaves);
    enum status status = download(&d, progress);
    free(d.leaves);
    close(d.fd);
    if (status == OK && rename(part, path) != 0)
        status = complain(g, E_IO, "cannot rename %.100s: %s", part, strerror(errno));
    return status;
}
