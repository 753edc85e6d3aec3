/* Fetching: the leaf level, checked against the root; then chunks, each checked against it. */
#include "client/gateway_state.h"

#include "base/fatal.h"
#include "client/leaf_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- hashes ---- */

/* One page of nodes, `count` of them or up to the level's end. */
static enum status fetch_nodes(struct gateway *g, struct hash *out, const struct gateway_content *c,
                               const struct gateway_nodes *page)
{
    struct bytes body;
    struct gateway_hashes got;
    uint64_t left = leaf_width(c->size, page->level) - page->first;
    size_t count = page->count < left ? page->count : (size_t)left;
    gateway_put_nodes(&g->out, page);
    enum status status = gateway_ask(g, GATEWAY_HASHES, &body);
    if (status != OK) return status;
    if (gateway_read_hashes(&got, body) != OK || got.first != page->first ||
        got.level != page->level || got.hashes.size != count * sizeof *out)
        return gateway_complain(g, E_MALFORMED, "answered with other hashes than asked for");
    memcpy(out, got.hashes.data, got.hashes.size);
    return OK;
}

static enum status fetch_level(struct gateway *g, struct hash *out, const struct gateway_content *c,
                               unsigned level)
{
    struct gateway_nodes page = {
        .name = gateway_name_of(c), .level = (uint8_t)level, .count = GATEWAY_HASHES_MAX};
    uint64_t width = leaf_width(c->size, level);
    enum status status = OK;
    for (; status == OK && page.first < width; page.first += GATEWAY_HASHES_MAX)
        status = fetch_nodes(g, out + page.first, c, &page);
    return status;
}

static enum status check_root(struct gateway *g, const struct gateway_content *c,
                              const struct hash *root)
{
    if (hash_equal(root, &c->root)) return OK;
    return gateway_complain(g, E_MALFORMED, "its leaf hashes do not make the root");
}

enum status gateway_leaves(struct gateway *g, struct leaf_tree *out,
                           const struct gateway_content *content)
{
    struct leaf_tree tree;
    if (content->size > GATEWAY_CONTENT_MAX)
        return gateway_complain(g, E_LIMIT, "the content is too large");
    leaf_tree_init(&tree, content->size);
    enum status status = content->size > 0 ? fetch_level(g, tree.nodes, content, 0) : OK;
    if (status == OK) {
        struct hash root = leaf_tree_join(&tree);
        status = check_root(g, content, &root);
    }
    if (status == OK)
        *out = tree;
    else
        leaf_tree_finish(&tree);
    return status;
}

enum status gateway_held(struct gateway *g, struct leaf_map *out,
                         const struct gateway_content *content)
{
    struct leaf_map map;
    enum status status = OK;
    leaf_map_init(&map, leaf_count(content->size));
    for (uint64_t first = 0; first < map.count && status == OK; first += GATEWAY_BITS_MAX) {
        struct bytes body;
        struct gateway_bits bits;
        gateway_put_map(&g->out,
                        &(struct gateway_map){gateway_name_of(content), first, GATEWAY_BITS_MAX});
        status = gateway_ask(g, GATEWAY_BITS, &body);
        if (status != OK) break;
        if (gateway_read_bits(&bits, body) == OK && bits.first == first)
            leaf_map_merge(&map, first, bits.bits);
        else
            status = gateway_complain(g, E_MALFORMED, "answered with another map than asked for");
    }
    if (status == OK)
        *out = map;
    else
        leaf_map_finish(&map);
    return status;
}

/* ---- chunks ---- */

static void ask_for(struct gateway *g, const struct gateway_content *c, uint64_t offset,
                    uint32_t length)
{
    gateway_put_get(&g->out, &(struct gateway_get){gateway_name_of(c), offset, length});
}

/* The chunk that was asked for; borrowed until the next answer. */
static enum status take_chunk(struct gateway *g, struct bytes *out, uint64_t offset, size_t size)
{
    struct bytes body;
    struct gateway_piece piece;
    enum status status = gateway_receive(g, GATEWAY_CHUNK, &body, NULL);
    if (status != OK) return status;
    if (gateway_read_chunk(&piece, body) != OK || piece.offset != offset || piece.size != size)
        return gateway_complain(g, E_MALFORMED, "answered with another range than asked for");
    if (chunk_unpack(&g->coder, out, &piece) == OK) return OK;
    return gateway_complain(g, E_MALFORMED, "sent a chunk that does not unpack");
}

enum status gateway_pull(struct gateway *g, const struct gateway_content *content,
                         const struct leaf_map *have, gateway_keep *keep, void *context)
{
    uint64_t under_way[GATEWAY_WINDOW_MAX] = {0};
    uint64_t asked = 0, answered = 0, size = content->size;
    uint64_t next = gateway_next_chunk(have, size, 0);
    enum status status = OK;
    pace_start(&g->pace, size, gateway_now_ns());
    while (status == OK && (next < size || answered < asked)) {
        while (next < size && asked - answered < g->pace.window) {
            ask_for(g, content, next, GATEWAY_CHUNK_MAX);
            under_way[asked++ % GATEWAY_WINDOW_MAX] = next;
            next = gateway_next_chunk(have, size, next + gateway_chunk_size(size, next));
        }
        if (g->out.size > 0) status = gateway_send(g);
        if (status != OK) break;
        struct bytes chunk = {0};
        uint64_t offset = under_way[answered++ % GATEWAY_WINDOW_MAX];
        status = take_chunk(g, &chunk, offset, gateway_chunk_size(size, offset));
        if (status == OK) pace_note_answer(&g->pace, chunk.size, gateway_now_ns());
        if (status == OK) status = keep(context, offset, chunk);
    }
    return status;
}

/* ---- a whole content into a file ---- */

struct download {
    struct gateway *gateway;
    const struct gateway_content *content;
    const struct gateway_progress *progress;
    struct leaf_tree tree; /* makes the root */
    uint64_t done;
    const char *path;
    int fd; /* of the .part file */
};

static enum status write_chunk(struct download *d, uint64_t offset, struct bytes chunk)
{
    for (size_t done = 0; done < chunk.size;) {
        ssize_t n = pwrite(d->fd, chunk.data + done, chunk.size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0)
            return gateway_complain(d->gateway, E_IO, "writing failed: %s", strerror(errno));
        done += (size_t)n;
    }
    return OK;
}

static enum status keep_chunk(void *context, uint64_t offset, struct bytes chunk)
{
    struct download *d = context;
    if (!leaf_hashes_match(&d->tree.nodes[offset / MERKLE_LEAF_BYTES], chunk))
        return gateway_complain(d->gateway, E_MALFORMED, "sent bytes that are not the content");
    enum status status = write_chunk(d, offset, chunk);
    if (status != OK) return status;
    d->done += chunk.size;
    if (d->done > d->content->size) d->done = d->content->size;
    return gateway_tell(d->gateway, d->progress, d->done, d->content->size);
}

/* From an earlier try, or from the worker. */
static enum status find_leaves(struct download *d)
{
    leaf_tree_init(&d->tree, d->content->size);
    if (leaf_file_load(&d->tree, d->path, &d->content->root)) return OK;
    leaf_tree_finish(&d->tree);
    enum status status = gateway_leaves(d->gateway, &d->tree, d->content);
    if (status == OK) leaf_file_save(&d->tree, d->path);
    return status;
}

static enum status download(struct download *d)
{
    struct leaf_map have;
    const struct gateway_content *c = d->content;
    enum status status = find_leaves(d);
    if (status != OK) return status;
    leaf_map_init(&have, leaf_count(c->size));
    leaf_tree_scan(&d->tree, &have, d->fd);
    d->done = have.set * MERKLE_LEAF_BYTES;
    if (d->done > c->size) d->done = c->size;
    status = gateway_tell(d->gateway, d->progress, d->done, c->size);
    if (status == OK) status = gateway_pull(d->gateway, c, &have, keep_chunk, d);
    leaf_map_finish(&have);
    if (status == OK && ftruncate(d->fd, (off_t)c->size) != 0)
        status = gateway_complain(d->gateway, E_IO, "writing failed: %s", strerror(errno));
    return status;
}

enum status gateway_get(struct gateway *g, const struct gateway_content *content, const char *path,
                        const struct gateway_progress *progress)
{
    char part[PATH_MAX];
    if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
        return gateway_complain(g, E_LIMIT, "the path is too long");
    if (content->size > GATEWAY_CONTENT_MAX)
        return gateway_complain(g, E_LIMIT, "the content is too large");
    struct download d = {.gateway = g, .content = content, .progress = progress, .path = path};
    d.fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (d.fd < 0)
        return gateway_complain(g, E_IO, "cannot write %.100s: %s", part, strerror(errno));
    enum status status = download(&d);
    leaf_tree_finish(&d.tree);
    close(d.fd);
    if (status == OK && rename(part, path) != 0)
        status = gateway_complain(g, E_IO, "cannot rename %.100s: %s", part, strerror(errno));
    if (status == OK) leaf_file_remove(path);
    return status;
}

/* ---- here and there ---- */

/* A level narrow enough to fetch whole. */
static unsigned short_level(uint64_t size)
{
    unsigned level = 0;
    while (leaf_width(size, level) > GATEWAY_HASHES_MAX)
        level++;
    return level;
}

static enum status fetch_short_level(struct gateway *g, struct hash *out,
                                     const struct gateway_content *c, unsigned level)
{
    uint64_t width = leaf_width(c->size, level);
    struct hash *scratch = must_alloc((size_t)width * sizeof *scratch);
    enum status status = fetch_level(g, out, c, level);
    if (status == OK) {
        memcpy(scratch, out, (size_t)width * sizeof *scratch);
        struct hash top = leaf_fold(scratch, width, leaf_levels(c->size) - 1 - level);
        struct hash root = leaf_root(c->size, &top);
        status = check_root(g, c, &root);
    }
    free(scratch);
    return status;
}

/* The leaf hashes under one node of a level that is known to be right. */
static enum status fetch_under(struct gateway *g, struct hash *out, const struct gateway_content *c,
                               unsigned level, uint64_t index, const struct hash *node)
{
    struct hash scratch[GATEWAY_HASHES_MAX];
    uint64_t first = index << level, left = leaf_count(c->size) - first;
    uint64_t count = left < 1ull << level ? left : 1ull << level;
    assert(count <= GATEWAY_HASHES_MAX);
    struct gateway_nodes page = {
        .name = gateway_name_of(c), .first = first, .count = (uint32_t)count};
    enum status status = fetch_nodes(g, out, c, &page);
    if (status != OK) return status;
    memcpy(scratch, out, (size_t)count * sizeof *scratch);
    struct hash found = leaf_fold(scratch, count, level);
    if (hash_equal(&found, node)) return OK;
    return gateway_complain(g, E_MALFORMED, "its leaf hashes do not make the root");
}

/* Hashes of the leaves first .. end - 1, at most those of a chunk, with what proves them. */
static enum status fetch_proved(struct gateway *g, struct hash *out,
                                const struct gateway_content *c, uint64_t first, uint64_t end)
{
    unsigned level = short_level(c->size);
    uint64_t width = leaf_width(c->size, level);
    struct hash *nodes = must_alloc((size_t)width * sizeof *nodes);
    struct hash *under = must_alloc(GATEWAY_HASHES_MAX * sizeof *under);
    enum status status = fetch_short_level(g, nodes, c, level);
    for (uint64_t i = first >> level; status == OK && i <= (end - 1) >> level; i++) {
        status = fetch_under(g, under, c, level, i, &nodes[i]);
        for (uint64_t leaf = first; status == OK && leaf < end; leaf++)
            if (leaf >> level == i) out[leaf - first] = under[leaf - (i << level)];
    }
    free(under);
    free(nodes);
    return status;
}

enum status gateway_read(struct gateway *g, struct buffer *out,
                         const struct gateway_content *content, uint64_t offset, uint32_t length)
{
    struct hash expected[GATEWAY_CHUNK_MAX / MERKLE_LEAF_BYTES];
    struct bytes chunk = {0};
    assert(offset % MERKLE_LEAF_BYTES == 0 && length % MERKLE_LEAF_BYTES == 0);
    assert(length > 0 && length <= GATEWAY_CHUNK_MAX);
    if (offset >= content->size || content->size > GATEWAY_CONTENT_MAX)
        return gateway_complain(g, E_RANGE, "not asked: beyond the content's end");
    uint64_t left = content->size - offset;
    size_t size = length < left ? length : (size_t)left;
    uint64_t first = offset / MERKLE_LEAF_BYTES;
    enum status status = fetch_proved(g, expected, content, first, first + leaf_count(size));
    if (status != OK) return status;
    ask_for(g, content, offset, length);
    status = gateway_send(g);
    if (status == OK) status = take_chunk(g, &chunk, offset, size);
    if (status != OK) return status;
    if (!leaf_hashes_match(expected, chunk))
        return gateway_complain(g, E_MALFORMED, "sent bytes that are not the content");
    buffer_append(out, chunk);
    return OK;
}
