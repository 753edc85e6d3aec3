/* leaf_tree.h - every level of a content's Merkle tree (base/merkle.h), for checking it piece by
 * piece: whoever has the leaf level and knows that it makes the root can tell a right chunk from a
 * wrong one at once.
 *
 * Levels are laid out one after the other, leaves first, in memory as in a file of 32-byte hashes.
 * Level 0 has one node a leaf; each further one half as many, rounded up; the last has one. A tree
 * takes a 64th of its content. Owns its nodes. Any thread, one at a time a tree. */
#ifndef LEASEHOLD_CLIENT_LEAF_TREE_H
#define LEASEHOLD_CLIENT_LEAF_TREE_H

#include "base/merkle.h"
#include "client/leaf_map.h"

/* Shapes; they depend on the size alone. */
uint64_t leaf_count(uint64_t size_bytes);
unsigned leaf_levels(uint64_t size_bytes); /* 0 of no bytes, else 1 and more */
uint64_t leaf_width(uint64_t size_bytes, unsigned level);
/* Where a level starts in the layout; of `leaf_levels`: how many nodes there are in all. */
uint64_t leaf_level_start(uint64_t size_bytes, unsigned level);

struct leaf_tree {
    uint64_t size_bytes; /* of the content */
    uint64_t leaf_count;
    struct hash *nodes; /* leaf_level_start(size, levels) of them; NULL of no bytes */
};

void leaf_tree_init(struct leaf_tree *t, uint64_t size_bytes); /* all zeros */
void leaf_tree_finish(struct leaf_tree *t);                    /* takes zeroed ones too */
/* Hashes a whole file of that size into the leaf level. E_IO: it is shorter, or cannot be read. */
MUST_CHECK enum status leaf_tree_hash_file(struct leaf_tree *t, int fd);
/* Makes the other levels of the leaf level; the root that they have. */
struct hash leaf_tree_join(struct leaf_tree *t);

/* Adds to the map the leaves of the file that have the hashes of this (true) leaf level. Holes are
 * passed over: what was never written need not be read. */
void leaf_tree_scan(const struct leaf_tree *t, struct leaf_map *map, int fd);
/* The node, `levels` above, over `count` nodes that begin at a multiple of 2^levels (or end with
 * the level); all of a level: the top. `nodes` is scratch. */
struct hash leaf_fold(struct hash *nodes, uint64_t count, unsigned levels);
/* The root over the tree's top; any top of no bytes. */
struct hash leaf_root(uint64_t size_bytes, const struct hash *top);

/* Hashes of the leaves of a run of bytes that starts at a leaf; the last one may be short. */
void leaf_hashes(struct hash *out, struct bytes run);
/* True if the run's leaves have these hashes. Asserts not more than LEAF_RUN_BYTES_MAX. */
#define LEAF_RUN_BYTES_MAX (256u << 10)
bool leaf_hashes_match(const struct hash *expected, struct bytes run);

#endif
