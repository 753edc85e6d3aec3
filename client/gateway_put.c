/* Sending: the leaf hashes first, then the chunks that the worker lacks. */
#include "client/gateway_state.h"

#include "base/fatal.h"
#include "client/leaf_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGES_AHEAD  4 /* of leaf hashes: 1 MiB */
#define RESTARTS_MAX 4 /* of one upload whose worker lost what it had */

struct upload {
    struct gateway *gateway;
    const struct gateway_content *content;
    const struct gateway_progress *progress;
    const char *path;
    int fd;
    struct leaf_tree tree; /* hashed when it is asked for */
    struct leaf_map held;  /* by the worker */
    uint8_t *chunk;
};

static enum status hash_file(struct upload *u)
{
    struct gateway *g = u->gateway;
    if (u->tree.nodes != NULL || u->content->size == 0) return OK;
    leaf_tree_init(&u->tree, u->content->size);
    if (leaf_file_load(&u->tree, u->path, &u->content->root)) return OK;
    if (leaf_tree_hash_file(&u->tree, u->fd) != OK)
        return gateway_complain(g, E_IO, "reading the content to send failed");
    struct hash root = leaf_tree_join(&u->tree);
    if (hash_equal(&root, &u->content->root)) {
        leaf_file_save(&u->tree, u->path);
        return OK;
    }
    return gateway_complain(g, E_MALFORMED, "not asked: the file to send does not have that root");
}

static enum status send_page(struct upload *u, uint64_t *first)
{
    const struct gateway_content *c = u->content;
    uint64_t left = leaf_count(c->size) - *first;
    uint64_t count = left < GATEWAY_HASHES_MAX ? left : GATEWAY_HASHES_MAX;
    struct gateway_offer page = {.name = gateway_name_of(c), .size = c->size, .first = *first};
    if (count > 0)
        page.hashes = bytes_of(&u->tree.nodes[*first], (size_t)count * sizeof(struct hash));
    gateway_put_offer(&u->gateway->out, &page);
    *first += count;
    return gateway_send(u->gateway);
}

/* A content of no bytes is one page of no hashes. */
static enum status offer(struct upload *u, uint64_t first)
{
    uint64_t count = leaf_count(u->content->size);
    unsigned ahead = 0;
    bool any = count == 0;
    enum status status = hash_file(u);
    while (status == OK && (any || first < count || ahead > 0)) {
        bool more = any || first < count;
        any = false;
        if (more) status = send_page(u, &first);
        if (status != OK) return status;
        if (more && ++ahead < PAGES_AHEAD && first < count) continue;
        struct bytes body;
        status = gateway_receive(u->gateway, GATEWAY_RESULT, &body, NULL);
        ahead--;
    }
    return status;
}

static enum status send_chunk(struct upload *u, uint64_t offset)
{
    struct gateway *g = u->gateway;
    size_t size = gateway_chunk_size(u->content->size, offset);
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(u->fd, u->chunk + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return gateway_complain(g, E_IO, "reading the content to send failed");
        done += (size_t)got;
    }
    chunk_coder_note(&g->coder, g->stream.sent_bytes, g->stream.waited_ns);
    struct gateway_put put = {.name = gateway_name_of(u->content), .piece = {.offset = offset}};
    chunk_pack(&g->coder, &put.piece, bytes_of(u->chunk, size));
    gateway_put_put(&g->out, &put);
    return gateway_send(g);
}

static uint64_t held_bytes(const struct upload *u)
{
    uint64_t held = u->held.set * MERKLE_LEAF_BYTES;
    return held < u->content->size ? held : u->content->size;
}

static enum status take_answer(struct upload *u)
{
    struct gateway *g = u->gateway;
    struct bytes body;
    uint64_t offset = 0;
    enum status status = gateway_receive(g, GATEWAY_RESULT, &body, &offset);
    if (status != OK) return status;
    if (offset >= u->content->size || offset % MERKLE_LEAF_BYTES != 0)
        return gateway_complain(g, E_MALFORMED, "acknowledged what was not sent");
    size_t size = gateway_chunk_size(u->content->size, offset);
    leaf_map_add(&u->held, offset / MERKLE_LEAF_BYTES, leaf_count(size));
    pace_note_answer(&g->pace, size, gateway_now_ns());
    return gateway_tell(g, u->progress, held_bytes(u), u->content->size);
}

static enum status send_missing(struct upload *u)
{
    struct gateway *g = u->gateway;
    const struct gateway_content *c = u->content;
    unsigned ahead = 0;
    uint64_t next = gateway_next_chunk(&u->held, c->size, 0);
    enum status status = gateway_tell(g, u->progress, held_bytes(u), c->size);
    pace_start(&g->pace, c->size, gateway_now_ns());
    while (status == OK && (next < c->size || ahead > 0)) {
        bool more = next < c->size && ahead < g->pace.window;
        status = more ? send_chunk(u, next) : take_answer(u);
        ahead = more ? ahead + 1 : ahead - 1;
        if (more)
            next = gateway_next_chunk(&u->held, c->size, next + gateway_chunk_size(c->size, next));
    }
    return status;
}

static enum status upload_once(struct upload *u)
{
    struct gateway_sizes sizes;
    const struct gateway_content *c = u->content;
    enum status status = gateway_stat(u->gateway, &sizes, c);
    if (status != OK) return status;
    if (sizes.held == c->size && c->size > 0) return OK;
    if (sizes.offered < leaf_count(c->size) || c->size == 0) status = offer(u, sizes.offered);
    if (status != OK || c->size == 0) return status;
    leaf_map_finish(&u->held);
    status = gateway_held(u->gateway, &u->held, c);
    if (status == OK) status = send_missing(u);
    if (status == OK) status = gateway_stat(u->gateway, &sizes, c);
    if (status == OK && sizes.held < c->size)
        status = gateway_complain(u->gateway, E_RANGE, "lost some of what was sent");
    return status;
}

/* E_RANGE: the worker holds another number of hashes than it said; it may have started again. */
static enum status upload(struct upload *u)
{
    enum status status = E_RANGE;
    for (int i = 0; i < RESTARTS_MAX && status == E_RANGE; i++)
        status = upload_once(u);
    if (status == OK)
        status = gateway_tell(u->gateway, u->progress, u->content->size, u->content->size);
    return status == E_RANGE ? E_STATE : status;
}

enum status gateway_put(struct gateway *g, const struct gateway_content *content, const char *path,
                        const struct gateway_progress *progress)
{
    struct stat info;
    struct upload u = {.gateway = g, .content = content, .progress = progress, .path = path};
    u.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (u.fd < 0) return gateway_complain(g, E_IO, "cannot open %.100s: %s", path, strerror(errno));
    enum status status = OK;
    if (fstat(u.fd, &info) != 0 || (uint64_t)info.st_size != content->size ||
        content->size > GATEWAY_CONTENT_MAX)
        status =
            gateway_complain(g, E_LIMIT, "%.100s does not have the size that was announced", path);
    u.chunk = must_alloc(GATEWAY_CHUNK_MAX);
    if (status == OK) status = upload(&u);
    free(u.chunk);
    leaf_tree_finish(&u.tree);
    leaf_map_finish(&u.held);
    close(u.fd);
    return status;
}
