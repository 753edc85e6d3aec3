/* merkle.h - the root of a run of bytes: a SHA-256 Merkle tree over 4 KiB leaves.
 *
 * leaf  = SHA-256(0x00 | bytes of the leaf)          the last leaf may be short
 * node  = SHA-256(0x01 | left | right)               an odd node at a level's end moves up as it is
 * root  = SHA-256(0x02 | size as u64 big-endian | top node)   no leaves: top is 32 zero bytes
 *
 * The domain bytes keep a leaf from posing as a node; binding the size keeps trees of different
 * shapes apart. Any thread. */
#ifndef LEASEHOLD_BASE_MERKLE_H
#define LEASEHOLD_BASE_MERKLE_H

#include "base/bytes.h"

#define MERKLE_LEAF_BYTES 4096
#define MERKLE_DEPTH_MAX  48

struct hash merkle_root(struct bytes content);

/* Incremental, for content that does not fit in memory: O(depth) state. */
struct merkle {
    struct hash pending[MERKLE_DEPTH_MAX]; /* a finished left subtree of 2^i leaves, if bit i set */
    uint64_t leaf_count;
    uint64_t size_bytes;
    uint8_t leaf[MERKLE_LEAF_BYTES];
    size_t leaf_used;
};
void merkle_init(struct merkle *m);
void merkle_update(struct merkle *m, struct bytes more);
struct hash merkle_finish(struct merkle *m);

/* Whole file by path. E_IO, E_NOT_FOUND; *out_size may be NULL. */
MUST_CHECK enum status merkle_root_of_path(struct hash *out, uint64_t *out_size, const char *path);

/* The path from one leaf to the top, bottom first. */
struct merkle_proof {
    uint64_t leaf_index;
    uint64_t size_bytes; /* of the whole content */
    size_t count;
    struct hash siblings[MERKLE_DEPTH_MAX];
};
/* Builds the proof of leaf `leaf_index` over content in memory (asserts that it exists). */
void merkle_prove(struct merkle_proof *out, struct bytes content, uint64_t leaf_index);
/* All nodes over a content of at least one byte, for many proofs of it; the content is not kept. */
struct merkle_tree;
struct merkle_tree *merkle_tree_create(struct bytes content);
void merkle_tree_destroy(struct merkle_tree *tree);
struct hash merkle_tree_root(const struct merkle_tree *tree);
void merkle_tree_prove(struct merkle_proof *out, const struct merkle_tree *tree,
                       uint64_t leaf_index);
/* True if `leaf` stands at proof->leaf_index of the content whose root is given. */
bool merkle_verify(const struct hash *root, const struct merkle_proof *proof, struct bytes leaf);

#endif
