/* trie_node.h - trie nodes in memory, and their RLP. Only the trie's own files include it.
 *
 * A link is a parent's hold on a child: `ref` as it stands in the parent's RLP (0xa0 and the hash,
 * or the child's RLP itself when that has under 32 bytes), `node` once it is loaded.
 *   neither           no child
 *   ref only          not loaded yet
 *   ref and node      loaded, unchanged
 *   node only         changed; its ref is made when the trie is committed
 * Everything lies in the trie's arena. */
#ifndef LEASEHOLD_CHAIN_TRIE_NODE_H
#define LEASEHOLD_CHAIN_TRIE_NODE_H

#include "chain/trie.h"

#define TRIE_FANOUT       16
#define TRIE_REF_HASHED   33 /* size of a ref that holds a hash */
#define TRIE_EMBEDDED_MAX 31 /* largest node that lies inside its parent */

enum node_kind { NODE_LEAF, NODE_EXTENSION, NODE_BRANCH };

struct link {
    struct bytes ref;
    struct node *node;
    bool stored; /* before this update, the store held a node at this place */
};

struct node {
    enum node_kind kind;
    uint8_t nibble_count;           /* leaf, extension */
    uint8_t nibbles[TRIE_PATH_MAX]; /* leaf, extension */
    struct bytes value;             /* leaf; branch: empty if none */
    struct link *children;          /* branch: 16; extension: 1; leaf: NULL */
    struct bytes rlp;               /* as it was loaded */
};

bool trie_link_is_empty(const struct link *l);
struct link trie_link_of_root(struct arena *arena, const struct hash *root);

/* A leaf or extension with these nibbles; an extension's child link is empty yet. */
struct node *trie_node_create(struct arena *arena, enum node_kind kind, const uint8_t *nibbles,
                              size_t nibble_count);
struct node *trie_branch_create(struct arena *arena);

/* NULL if it is no node. The input must lie in the arena. */
struct node *trie_node_decode(struct arena *arena, struct bytes rlp);
/* Appends the RLP. The children's refs must be made. */
void trie_node_encode(struct buffer *out, const struct node *n);

/* The link's node, read from the store at `place` if need be; fatal if it is not there. The link
 * is not empty. `scratch` is overwritten. */
struct node *trie_link_load(const struct trie *t, struct link *l, const struct trie_place *place,
                            struct buffer *scratch);

void trie_place_push(struct trie_place *place, const uint8_t *nibbles, size_t count);
void trie_place_pop(struct trie_place *place, size_t count);
uint8_t trie_key_nibble(struct bytes key, size_t index);
size_t trie_key_nibble_count(struct bytes key);
/* How many of the key's nibbles from `from` on equal the given ones. */
size_t trie_key_match(struct bytes key, size_t from, const uint8_t *nibbles, size_t count);

#endif
