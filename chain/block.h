/* block.h - a header with its transactions as raw wire bytes.
 *
 * Encoded as Ethereum does since Shanghai: rlp([header, transactions, ommers = [], withdrawals =
 * []]), where a legacy transaction is a list and a typed one a byte string. The struct holds wire
 * bytes (chain/tx.h) of each; they are decoded by whoever executes. Pure functions; any thread. */
#ifndef LEASEHOLD_CHAIN_BLOCK_H
#define LEASEHOLD_CHAIN_BLOCK_H

#include "base/arena.h"
#include "chain/header.h"

struct block {
    struct header header;
    const struct bytes *txs; /* wire bytes of each; borrowed */
    size_t tx_count;
};

/* E_LIMIT over BLOCK_SIZE_MAX, BLOCK_TXS_MAX or TX_SIZE_MAX; else E_MALFORMED or the header's
 * status. The txs borrow from the input, their array from the arena. Does not check tx_root. */
MUST_CHECK enum status block_decode(struct block *out, struct arena *arena, struct bytes input);
void block_encode(struct buffer *out, const struct block *b);
struct hash block_hash(const struct block *b); /* of the header */
/* At least the size of the encoding of a block with such transactions: for block building. */
size_t block_size_bound(size_t txs_bytes, size_t tx_count);

/* The root of the transaction trie, keyed by rlp(index). */
struct hash block_tx_root(const struct bytes *txs, size_t tx_count);
/* Whether header.tx_root is the root of the transactions: E_MALFORMED if not. */
MUST_CHECK enum status block_check_body(const struct block *b);

#endif
