/* mempool.h - transactions that wait for a block: per-sender nonce queues, bounded, price ordered.
 *
 * A pure data structure: no thread, no clock (the time is an argument), no I/O. Account state comes
 * in through a callback. The same calls in the same order leave the same pool, whatever the seed of
 * its hash tables. One thread at a time.
 *
 * Rules. A sender holds at most MEMPOOL_SENDER_MAX transactions, none with a nonce that many or
 * more ahead of the account's; gaps are allowed inside that. All of a sender's transactions
 * together must be covered by its balance. Replacing one (same sender and nonce) needs at least 10
 * % more on both max fee and max tip. When the pool is full the least valuable last-in-queue
 * transaction goes: those behind a gap first, then the lowest tip at the current base fee, then the
 * lowest max fee, then the newest; a newcomer that is no better is refused.
 *
 * Delegation (EIP-7702): anybody who calls a delegated account can move its money and, by letting
 * it create, its nonce. So a sender that is delegated, or whose authorization waits here inside
 * some transaction, may have one transaction waiting, with the account's own nonce; and an
 * authorization is refused of one who has more than one waiting. Thus nobody can make many waiting
 * transactions impossible with one of his own. One transaction carries at most
 * MEMPOOL_AUTHORIZATIONS_MAX of them here; in a block TX_AUTHORIZATIONS_MAX. */
#ifndef LEASEHOLD_CHAIN_MEMPOOL_H
#define LEASEHOLD_CHAIN_MEMPOOL_H

#include "chain/tx.h"

struct mempool_limits {
    size_t count_max;
    size_t size_bytes_max; /* of what mempool_tx.size_bytes counts */
    uint64_t lifetime_ms;  /* see mempool_expire */
};
extern const struct mempool_limits MEMPOOL_DEFAULT_LIMITS;

struct mempool_account {
    uint64_t nonce;
    struct u256 balance_wei;
    bool has_code;     /* a contract's: EIP-3607, no sender then */
    bool is_delegated; /* EIP-7702 */
};

/* The chain as the pool needs to see it; the next block's rules. */
struct mempool_world {
    void *context;
    struct mempool_account (*account)(void *context, const struct address *a);
    uint64_t chain_id;
    uint64_t block_gas_limit;
    struct u256 base_fee;
};

/* One waiting transaction; valid until the next call that changes the pool. */
struct mempool_tx {
    struct hash hash;
    struct address sender;
    uint64_t nonce;
    uint64_t gas_limit;
    struct u256 max_fee_per_gas;
    struct u256 max_priority_fee_per_gas;
    struct u256 cost_max_wei; /* tx_cost_max */
    struct bytes wire;
    size_t size_bytes; /* wire bytes, and what its authorizations take in the pool */
    uint64_t sequence; /* order of arrival in this pool */
    uint64_t arrived_ms;
};

struct mempool;

/* seed: 16 random bytes, so that nobody can aim at the hash tables. */
struct mempool *mempool_create(const struct mempool_limits *limits, const uint8_t seed[16]);
void mempool_destroy(struct mempool *m);

/* Checks everything and takes a copy of the wire bytes. *out_hash is set whenever the bytes decode,
 * also with TX_KNOWN. Anything but TX_FINE leaves the pool as it was. */
enum tx_reason mempool_add(struct mempool *m, struct hash *out_hash, struct bytes wire,
                           const struct mempool_world *world, uint64_t now_ms);
/* The same, by a caller who knows who signed it, as tx_sender says. NULL: nobody knows. */
enum tx_reason mempool_add_from(struct mempool *m, struct hash *out_hash, struct bytes wire,
                                const struct address *sender, const struct mempool_world *world,
                                uint64_t now_ms);

/* After a block became part of the chain. `spenders`: whose nonce rose or balance fell
 * (layer_spenders); count 0 with NULL re-checks every sender. Drops transactions with used
 * nonces and from the first that the balance no longer covers; takes over the new base fee. */
void mempool_on_block(struct mempool *m, const struct mempool_world *world,
                      const struct address *spenders, size_t count);
/* Drops what has waited longer than lifetime_ms. */
void mempool_expire(struct mempool *m, uint64_t now_ms);
/* Drops one transaction (the builder found it impossible). False if it is not there. */
bool mempool_remove(struct mempool *m, const struct hash *hash);

const struct mempool_tx *mempool_find(const struct mempool *m, const struct hash *hash);
size_t mempool_count(const struct mempool *m);
size_t mempool_size_bytes(const struct mempool *m);
/* The nonce after the sender's gapless run that starts at account_nonce. */
uint64_t mempool_next_nonce(const struct mempool *m, const struct address *sender,
                            uint64_t account_nonce);
/* Transactions with sequence above `after` in order of arrival, at most count_max: for gossip,
 * filters and txpool listings. Returns how many. */
size_t mempool_list(const struct mempool *m, const struct mempool_tx **out, size_t count_max,
                    uint64_t after);

/* Best first for building on the state that `world` shows: by tip at world->base_fee, then by
 * arrival; each sender's in nonce order from the account's nonce. The pool must not change while a
 * pick lives. */
struct mempool_pick;

struct mempool_pick *mempool_pick_create(const struct mempool *m,
                                         const struct mempool_world *world);
void mempool_pick_destroy(struct mempool_pick *p);
const struct mempool_tx *mempool_pick_next(struct mempool_pick *p); /* NULL at the end */
/* The last transaction handed out was not used: leave out the rest of its sender's too. */
void mempool_pick_skip_sender(struct mempool_pick *p);

#endif
