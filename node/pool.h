/* pool.h - the mempool as threads share it: a lock around it, its journal, the next block's fee.
 *
 * Accounts are read through a store snapshot taken inside the lock; whoever makes blocks final does
 * so inside the lock too (pool_lock) and reports it, so the pool and the state agree. */
#ifndef LEASEHOLD_NODE_POOL_H
#define LEASEHOLD_NODE_POOL_H

#include "chain/config.h"
#include "chain/header.h"
#include "chain/mempool.h"
#include "chain/store/store.h"

#define POOL_ERROR_SIZE 256

struct pool;

struct pool_setup {
    struct store *store;               /* kept */
    const struct chain_config *config; /* kept */
    const struct header *head;         /* the last final one */
    const char *journal_path;
    int wake_fd; /* an eventfd that is written to for each new transaction */
};
/* Reads the journal. */
MUST_CHECK enum status pool_open(struct pool **out, char error[POOL_ERROR_SIZE],
                                 const struct pool_setup *setup);
void pool_close(struct pool *p); /* takes NULL */

/* Any thread. */
enum tx_reason pool_submit(struct pool *p, struct hash *out_hash, struct bytes wire);
/* The nonce after the sender's waiting run from account_nonce. */
uint64_t pool_next_nonce(struct pool *p, const struct address *sender, uint64_t account_nonce);
bool pool_has(struct pool *p, const struct hash *hash);
/* Appends the wire bytes of a waiting transaction; false if there is none. */
bool pool_find(struct pool *p, struct buffer *out, const struct hash *hash);
/* The senders of those that wait here, zero for others. */
void pool_senders(struct pool *p, struct address *out, const struct hash *hashes, size_t count);
size_t pool_count(struct pool *p);
size_t pool_size_bytes(struct pool *p);
struct u256 pool_base_fee(struct pool *p); /* of the next block */
/* Hashes (32 bytes each) of what came after `sequence`, at most count_max; returns the newest. */
uint64_t pool_hashes_after(struct pool *p, struct buffer *out, uint64_t sequence, size_t count_max);

/* The main thread: between lock and unlock it may use the mempool itself. */
struct mempool *pool_lock(struct pool *p);
void pool_unlock(struct pool *p);
/* Inside the lock, after blocks became final: `spenders` is what layer_spenders says of them. */
void pool_on_final(struct pool *p, const struct header *head, struct bytes spenders);

#endif
