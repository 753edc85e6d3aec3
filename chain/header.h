/* header.h - block headers: Ethereum's Cancun fields in Ethereum's RLP order.
 *
 * The block hash is keccak256 of the encoding, so any Ethereum library can check it. Fields that
 * are constant on this chain (no ommers, difficulty 0, nonce 0, no withdrawals, no blobs, no beacon
 * root) are not kept in the struct; the decoder refuses any other value. Prague's requestsHash is
 * left out, since there are no requests (docs/decisions.md). extraData holds
 * rlp([version, epoch, view, parentView, validatorsHash, nextValidatorsHash, reveal]). Pure
 * functions; any thread. */
#ifndef LEASEHOLD_CHAIN_HEADER_H
#define LEASEHOLD_CHAIN_HEADER_H

#include "base/u256.h"
#include "chain/bloom.h"
#include "chain/limits.h"

#define HEADER_VERSION 1

extern const struct hash EMPTY_OMMERS_HASH; /* keccak256(rlp([])) */

struct header_extra {
    uint64_t version; /* HEADER_VERSION */
    uint64_t epoch;
    uint64_t view;
    uint64_t parent_view;
    struct hash validators_hash;
    struct hash next_validators_hash; /* zero but in an epoch's last block */
    struct hash reveal;               /* the proposer's next preimage */
};

struct header {
    struct hash parent_hash;
    struct address coinbase;
    struct hash state_root;
    struct hash tx_root;
    struct hash receipts_root;
    struct bloom logs_bloom;
    uint64_t number;
    uint64_t gas_limit;
    uint64_t gas_used;
    uint64_t timestamp_s;
    struct header_extra extra;
    struct hash mix_hash; /* randomness: keccak256(parent's mix_hash | reveal) */
    struct u256 base_fee; /* wei */
};

/* E_LIMIT over HEADER_SIZE_MAX, E_UNSUPPORTED for another extra version, else E_MALFORMED. */
MUST_CHECK enum status header_decode(struct header *out, struct bytes input);
void header_encode(struct buffer *out, const struct header *h);
struct hash header_hash(const struct header *h);

MUST_CHECK enum status header_extra_decode(struct header_extra *out, struct bytes input);
void header_extra_encode(struct buffer *out, const struct header_extra *e);

/* The base fee of a child (EIP-1559, elasticity 2) with a given denominator:
 * 8 * 12000 / block interval in ms keeps Ethereum's pace by the clock. denominator > 0. */
struct u256 header_next_base_fee(const struct header *parent, uint64_t denominator);

#endif
