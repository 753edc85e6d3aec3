/* trie.h - the Merkle Patricia trie (Yellow Paper, appendix D), stored by path.
 *
 * A node is stored under (owner, path), not under its hash: an update overwrites what it replaces
 * and deletes what falls away, so only the current version exists and nothing is left to collect.
 * `owner` tells tries of one store apart: zero for the account trie, keccak256(address) for an
 * account's storage. `path` is the nibbles from the root, one a byte, 0 to 64 of them.
 *
 * What is stored: the root node (at the empty path, whatever its size) and every node whose RLP has
 * 32 bytes or more. A smaller node lies inside its parent's RLP, as the hash rule demands, and is
 * not stored on its own. An empty trie stores nothing.
 *
 * Keys are up to 32 bytes. An update reads, decodes and hashes each node that it touches once.
 * A node that should be there and is not, or does not decode, is a corrupt store: fatal. Nothing
 * here verifies the hash of a node read. Reads of one store may run in several threads if its
 * callbacks allow it; a `struct trie` belongs to one thread. */
#ifndef LEASEHOLD_CHAIN_TRIE_H
#define LEASEHOLD_CHAIN_TRIE_H

#include "base/arena.h"
#include "chain/limits.h"

extern const struct hash EMPTY_TRIE_ROOT; /* 0x56e8...b421 */

/* Where a node is stored. Nibbles beyond nibble_count are zero, so that a place may be hashed and
 * compared whole (it has no padding). */
struct trie_place {
    struct hash owner;
    uint8_t nibble_count;
    uint8_t nibbles[TRIE_PATH_MAX]; /* one a byte, from the root */
};

struct trie_store {
    void *context;
    /* Appends the node's RLP to out. False if there is none. */
    bool (*get)(void *context, const struct trie_place *place, struct buffer *out);
    /* Only trie_update calls it; `node` empty means delete. Both are borrowed for the call. Never
     * twice for one place in one update. get need not see what this update has put. */
    void (*put)(void *context, const struct trie_place *place, struct bytes node);
};

struct trie {
    const struct trie_store *store;
    struct arena *arena; /* for nodes while a call runs, and for results */
    struct hash owner;
    struct hash root;
};

struct trie_item {
    struct bytes key;
    struct bytes value; /* empty: delete */
};

/* Applies the items (keys ascending and distinct, asserted) and sets trie->root. Puts every node
 * that changed. Deleting an absent key changes nothing. */
void trie_update(struct trie *t, const struct trie_item *items, size_t count);

/* False when the key is absent. The value lies in the arena. */
bool trie_get(const struct trie *t, struct bytes *out_value, struct bytes key);

struct trie_proof {
    struct bytes nodes[TRIE_PROOF_MAX]; /* RLP, root first; as eth_getProof lists them */
    size_t count;                       /* 0 for an empty trie */
};
/* Nodes on the way to the key, to where it is or would be. True if the key is there. */
bool trie_prove(const struct trie *t, struct trie_proof *out, struct bytes key);

/* Root of a trie with keys rlp(0), rlp(1) ... and no store behind it (transactions, receipts).
 * No value may be empty (asserted). */
struct hash trie_root_of_list(const struct bytes *values, size_t count);

#endif
