/* receipt.h - what a transaction did: status, gas, logs; in Ethereum's encoding (EIP-658, 2718).
 *
 * Pure functions; any thread. A decoded receipt's logs lie in the arena, their data in the input.
 */
#ifndef LEASEHOLD_CHAIN_RECEIPT_H
#define LEASEHOLD_CHAIN_RECEIPT_H

#include "base/arena.h"
#include "chain/bloom.h"
#include "chain/tx.h"

struct receipt {
    enum tx_type type;
    bool succeeded;
    uint64_t cumulative_gas_used; /* of the block, this one included */
    struct bloom bloom;           /* of the logs: receipt_set_bloom */
    const struct log_entry *logs;
    size_t log_count;
};

void receipt_set_bloom(struct receipt *r); /* from r->logs */
/* Type byte (but for legacy) and rlp([status, cumulativeGas, bloom, logs]). */
void receipt_encode(struct buffer *out, const struct receipt *r);
/* E_MALFORMED also when the bloom is not that of the logs; E_LIMIT over RECEIPT_SIZE_MAX. */
MUST_CHECK enum status receipt_decode(struct receipt *out, struct arena *arena, struct bytes input);
/* The root of the receipt trie, keyed by rlp(index). */
struct hash receipts_root(const struct receipt *receipts, size_t count);

#endif
