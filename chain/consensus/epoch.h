/* epoch.h - one epoch's fixed validator set, its quorum, its leaders.
 *
 * quorum = floor(2W/3) + 1 by weight, W the set's total. Pure; any thread. */
#ifndef LEASEHOLD_CHAIN_CONSENSUS_EPOCH_H
#define LEASEHOLD_CHAIN_CONSENSUS_EPOCH_H

#include "base/bytes.h"
#include "chain/consensus/limits.h"

struct validator {
    struct address operator_address;  /* who it is on-chain */
    struct address consensus_address; /* of the key that signs votes */
    uint64_t weight;                  /* stake in gwei; never 0 */
};

struct epoch {
    uint64_t chain_id;
    uint64_t number;         /* 0, 1, 2 ... */
    struct hash seed;        /* of the leader draw */
    struct hash start_block; /* final; what view 1 builds upon: genesis or the last boundary */
    uint64_t start_number;   /* its height */
    uint64_t last_number;    /* height of this epoch's boundary block; above start_number */
    uint64_t total_weight;
    uint32_t validator_count;
    struct validator validators[VALIDATORS_MAX];
};

/* Sums the weights into total_weight. E_LIMIT: none or too many validators; E_RANGE: a weight of
 * 0, a total above WEIGHT_TOTAL_MAX, last_number not above start_number; E_EXISTS: a consensus
 * address twice. */
MUST_CHECK enum status epoch_seal(struct epoch *e);
uint64_t epoch_quorum(const struct epoch *e);
/* The index of the validator that signs with this address, or validator_count. */
uint32_t epoch_index_of(const struct epoch *e, const struct address *consensus_address);

/* The leader of a view (view >= 1): h = keccak256(seed | view as 8 bytes big-endian); x = the
 * first 8 bytes of h as a number; while x >= W * floor(2^64 / W): h = keccak256(h) and x again;
 * the leader is the first validator whose prefix sum of weights exceeds x mod W. */
uint32_t epoch_leader(const struct epoch *e, uint64_t view);

/* keccak256 of, for each validator in order, three 32-byte big-endian words: operator address,
 * consensus address, weight. The header's validatorsHash and nextValidatorsHash. */
struct hash validators_hash(const struct validator *validators, size_t count);

#endif
