/* state_base.h - the ground under the layers: one final state, read only.
 *
 * Either the store at its head, a store snapshot (RPC threads), or nothing at all (genesis, tests).
 * Keys are the trie's: account key = keccak(address), slot key = keccak(slot). A reader never
 * fails: a broken disk is fatal below it. */
#ifndef LEASEHOLD_CHAIN_STATE_BASE_H
#define LEASEHOLD_CHAIN_STATE_BASE_H

#include "chain/account.h"
#include "chain/trie.h"

struct state_base {
    void *context;
    /* False: absent, *out untouched. */
    bool (*account)(void *context, const struct hash *account_key, struct account *out);
    bool (*slot)(void *context, const struct hash *account_key, const struct hash *slot_key,
                 struct u256 *out);
    bool (*code)(void *context, const struct hash *code_hash, struct buffer *out); /* appends */
    /* A trie node by place; see trie.h for owner and path. Appends. */
    bool (*node)(void *context, const struct trie_place *place, struct buffer *out);
    struct hash root; /* of the account trie */
    /* Keys the in-memory maps, so that a stranger cannot make their entries collide. From
     * random_bytes in a node; any value gives the same results. */
    uint64_t map_key[2];
};

/* No account at all; root is the empty trie's. */
struct state_base state_base_empty(void);

/* Where a layer's changes go when its block is final. The batch behind it decides when they hold.
 */
struct state_sink {
    void *context;
    void (*account)(void *context, const struct hash *account_key,
                    const struct account *a); /* NULL: gone */
    void (*slot)(void *context, const struct hash *account_key, const struct hash *slot_key,
                 struct u256 value); /* 0: gone */
    void (*code)(void *context, const struct hash *code_hash, struct bytes code);
    void (*node)(void *context, const struct trie_place *place,
                 struct bytes node); /* empty: gone */
};

#endif
