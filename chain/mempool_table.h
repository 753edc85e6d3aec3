/* mempool_table.h - the pool's inside, shared by the mempool's own files only.
 *
 * Three hash tables, keyed by a seed that no outsider knows: transactions by hash, senders by
 * address, and the authorities of waiting authorizations by address. All are walked in order of
 * insertion, never in order of hash, so the seed decides nothing. A sender's queue is sorted by
 * nonce and holds no nonce below the account's. */
#ifndef LEASEHOLD_CHAIN_MEMPOOL_TABLE_H
#define LEASEHOLD_CHAIN_MEMPOOL_TABLE_H

#include "base/fatal.h"
#include "chain/mempool.h"

#include <stdlib.h>

unsigned mempool_hash_key(const struct mempool *m, const void *key, size_t size_bytes);

/* Every function that uses a table has its pool in a variable named `m`. */
#define HASH_FUNCTION(key, size_bytes, result) ((result) = mempool_hash_key(m, (key), (size_bytes)))
#define uthash_fatal(message)                  fatal("mempool: %s", message)
#include <uthash.h>

struct entry {
    struct mempool_tx tx;
    const struct address *authorities; /* of its authorizations that have a signer; behind wire */
    size_t authority_count;
    struct entry *older; /* order of arrival */
    struct entry *newer;
    UT_hash_handle by_hash;
    uint8_t wire[]; /* what tx.wire views */
};

/* One who has signed authorizations that wait. */
struct authority {
    struct address address;
    size_t count;
    UT_hash_handle by_authority;
};

/* A transaction on its way in. */
struct newcomer {
    struct mempool_tx tx;
    const struct address *authorities; /* in the pool's arena */
    size_t authority_count;
};

struct sender {
    struct address address;
    uint64_t nonce; /* the account's, as last seen */
    struct entry *queue[MEMPOOL_SENDER_MAX];
    size_t count;
    size_t doomed; /* how many at the end are chosen as victims; 0 between calls */
    UT_hash_handle by_address;
};

struct mempool {
    struct mempool_limits limits;
    uint64_t seed[2];
    struct u256 base_fee;          /* as last seen; ranks the victims */
    struct entry *entries;         /* by_hash */
    struct sender *senders;        /* by_address */
    struct authority *authorities; /* by_authority */
    struct entry *oldest;
    struct entry *newest;
    size_t size_bytes;
    uint64_t next_sequence;
    const struct entry *cheapest; /* first victim of a full pool; NULL: not known */
    struct arena arena;           /* while one transaction is decoded */
};

/* --- mempool_table.c --- */

struct sender *mempool_sender_find(const struct mempool *m,
                                   const struct address *a);                   /* NULL: none */
struct sender *mempool_sender_get(struct mempool *m, const struct address *a); /* made if need be */
void mempool_sender_drop_if_empty(struct mempool *m, struct sender *s);
size_t mempool_queue_position(const struct sender *s,
                              uint64_t nonce); /* where it is, or would be */
struct entry *mempool_queue_find(const struct sender *s, uint64_t nonce); /* s may be NULL */
struct entry *mempool_entry_find(const struct mempool *m, const struct hash *hash);
void mempool_entry_insert(struct mempool *m, struct sender *s, struct entry *e);
/* Frees the entry; the sender stays, even if empty. */
void mempool_entry_remove(struct mempool *m, struct sender *s, struct entry *e);
void mempool_queue_cut(struct mempool *m, struct sender *s,
                       size_t from); /* all from that position on */

bool mempool_is_authority(const struct mempool *m, const struct address *a);

/* --- mempool_delegation.c --- */

/* Finds the signers of the authorizations of `t`, and what they count for. */
void mempool_find_authorities(struct mempool *m, struct newcomer *n, const struct tx *t,
                              uint64_t chain_id);
/* The sender's own limit, and that of the authorities, as mempool.h has them. `queued`: how many of
 * the sender's others wait; `old` as for mempool_make_room. */
enum tx_reason mempool_check_sender_delegation(const struct mempool *m, const struct mempool_tx *tx,
                                               const struct mempool_account *account,
                                               const struct entry *old, size_t queued);
enum tx_reason mempool_check_authorities(const struct mempool *m, const struct newcomer *n);

/* --- mempool_evict.c --- */

/* Makes room for `tx` in place of `old` (or NULL); `own` is its sender, if known, and spared.
 * False: refused, nothing changed. */
bool mempool_make_room(struct mempool *m, const struct mempool_tx *tx, bool ready,
                       const struct sender *own, const struct entry *old);

#endif
