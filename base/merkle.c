#include "base/merkle.h"

#include "base/fatal.h"
#include "base/sha256.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum domain { DOMAIN_LEAF = 0, DOMAIN_NODE = 1, DOMAIN_ROOT = 2 };

static struct hash hash_with_domain(enum domain domain, struct bytes a, struct bytes b)
{
    uint8_t tag = (uint8_t)domain;
    struct bytes parts[3] = {{&tag, 1}, a, b};
    return sha256_parts(parts, 3);
}

static struct hash leaf_hash(struct bytes leaf)
{
    return hash_with_domain(DOMAIN_LEAF, leaf, (struct bytes){0});
}

static struct hash node_hash(const struct hash *left, const struct hash *right)
{
    return hash_with_domain(DOMAIN_NODE, hash_bytes(left), hash_bytes(right));
}

static struct hash root_hash(uint64_t size_bytes, const struct hash *top)
{
    uint8_t size[8];
    store_be64(size, size_bytes);
    return hash_with_domain(DOMAIN_ROOT, bytes_of(size, sizeof size), hash_bytes(top));
}

void merkle_init(struct merkle *m)
{
    memset(m, 0, sizeof *m);
}

/* Adding a leaf is adding one to a binary counter: each carry joins two equal subtrees. */
static void push_leaf(struct merkle *m, struct bytes leaf)
{
    struct hash carry = leaf_hash(leaf);
    size_t level = 0;
    for (uint64_t count = m->leaf_count; count & 1; count >>= 1, level++) {
        assert(level < MERKLE_DEPTH_MAX);
        carry = node_hash(&m->pending[level], &carry);
    }
    assert(level < MERKLE_DEPTH_MAX);
    m->pending[level] = carry;
    m->leaf_count++;
}

void merkle_update(struct merkle *m, struct bytes more)
{
    m->size_bytes += more.size;
    while (more.size > 0) {
        size_t room = MERKLE_LEAF_BYTES - m->leaf_used;
        size_t take = more.size < room ? more.size : room;
        memcpy(m->leaf + m->leaf_used, more.data, take);
        m->leaf_used += take;
        more = bytes_slice(more, take, more.size - take);
        if (m->leaf_used < MERKLE_LEAF_BYTES) continue;
        push_leaf(m, bytes_of(m->leaf, m->leaf_used));
        m->leaf_used = 0;
    }
}

struct hash merkle_finish(struct merkle *m)
{
    if (m->leaf_used > 0) push_leaf(m, bytes_of(m->leaf, m->leaf_used));
    m->leaf_used = 0;
    struct hash top = {{0}};
    bool have = false;
    for (size_t level = 0; level < MERKLE_DEPTH_MAX; level++) {
        if (!(m->leaf_count >> level & 1)) continue;
        top = have ? node_hash(&m->pending[level], &top) : m->pending[level];
        have = true;
    }
    return root_hash(m->size_bytes, &top);
}

struct hash merkle_root(struct bytes content)
{
    struct merkle m;
    merkle_init(&m);
    merkle_update(&m, content);
    return merkle_finish(&m);
}

enum status merkle_root_of_path(struct hash *out, uint64_t *out_size, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) return errno == ENOENT ? E_NOT_FOUND : E_IO;
    struct merkle m;
    merkle_init(&m);
    uint8_t chunk[16 * MERKLE_LEAF_BYTES];
    size_t got;
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0)
        merkle_update(&m, bytes_of(chunk, got));
    bool bad = ferror(file);
    fclose(file);
    if (bad) return E_IO;
    *out = merkle_finish(&m);
    if (out_size) *out_size = m.size_bytes;
    return OK;
}

static uint64_t leaves_of(uint64_t size_bytes)
{
    return size_bytes / MERKLE_LEAF_BYTES + (size_bytes % MERKLE_LEAF_BYTES != 0);
}

static struct bytes leaf_of(struct bytes content, uint64_t index)
{
    size_t offset = index * MERKLE_LEAF_BYTES;
    size_t left = content.size - offset;
    return bytes_slice(content, offset, left < MERKLE_LEAF_BYTES ? left : MERKLE_LEAF_BYTES);
}

struct merkle_tree {
    uint64_t size_bytes;
    struct hash nodes[]; /* the leaves, then each level above */
};

struct merkle_tree *merkle_tree_create(struct bytes content)
{
    uint64_t width = leaves_of(content.size);
    assert(width > 0);
    size_t room = (2 * width + MERKLE_DEPTH_MAX) * sizeof(struct hash);
    struct merkle_tree *tree = must_alloc(sizeof *tree + room);
    struct hash *level = tree->nodes;
    tree->size_bytes = content.size;
    for (uint64_t i = 0; i < width; i++)
        level[i] = leaf_hash(leaf_of(content, i));
    for (; width > 1; width = (width + 1) / 2) {
        struct hash *above = level + width;
        for (uint64_t i = 0; i < width / 2; i++)
            above[i] = node_hash(&level[2 * i], &level[2 * i + 1]);
        if (width % 2) above[width / 2] = level[width - 1];
        level = above;
    }
    return tree;
}

void merkle_tree_destroy(struct merkle_tree *tree)
{
    free(tree);
}

struct hash merkle_tree_root(const struct merkle_tree *tree)
{
    const struct hash *top = tree->nodes;
    for (uint64_t width = leaves_of(tree->size_bytes); width > 1; width = (width + 1) / 2)
        top += width;
    return root_hash(tree->size_bytes, top);
}

void merkle_tree_prove(struct merkle_proof *out, const struct merkle_tree *tree,
                       uint64_t leaf_index)
{
    uint64_t width = leaves_of(tree->size_bytes);
    const struct hash *level = tree->nodes;
    assert(leaf_index < width);
    *out = (struct merkle_proof){.leaf_index = leaf_index, .size_bytes = tree->size_bytes};
    for (uint64_t at = leaf_index; width > 1; at /= 2, width = (width + 1) / 2) {
        if ((at ^ 1) < width) out->siblings[out->count++] = level[at ^ 1];
        level += width;
    }
}

void merkle_prove(struct merkle_proof *out, struct bytes content, uint64_t leaf_index)
{
    struct merkle_tree *tree = merkle_tree_create(content);
    merkle_tree_prove(out, tree, leaf_index);
    merkle_tree_destroy(tree);
}

bool merkle_verify(const struct hash *root, const struct merkle_proof *proof, struct bytes leaf)
{
    uint64_t width = leaves_of(proof->size_bytes);
    if (proof->leaf_index >= width || proof->count > MERKLE_DEPTH_MAX) return false;
    uint64_t before = proof->leaf_index * MERKLE_LEAF_BYTES;
    uint64_t left = proof->size_bytes - before;
    if (leaf.size != (left < MERKLE_LEAF_BYTES ? left : MERKLE_LEAF_BYTES)) return false;
    struct hash top = leaf_hash(leaf);
    size_t used = 0;
    for (uint64_t at = proof->leaf_index; width > 1; at /= 2, width = (width + 1) / 2) {
        if ((at ^ 1) >= width) continue;
        if (used == proof->count) return false;
        const struct hash *sibling = &proof->siblings[used++];
        top = at & 1 ? node_hash(sibling, &top) : node_hash(&top, sibling);
    }
    struct hash computed = root_hash(proof->size_bytes, &top);
    return used == proof->count && hash_equal(&computed, root);
}
