/* vote.h - what a validator signs, and how it looks on the wire.
 *
 * Signed digest: keccak256 of exactly seven 32-byte big-endian words, which is what Solidity's
 *     keccak256(abi.encode(VOTE_DOMAIN, chainId, epoch, view, kind, parentView, blockHash))
 * hashes for (bytes32, uint256, uint64, uint64, uint8, uint64, bytes32); any contract checks a
 * vote by ecrecover(digest, 27 + parity, r, s) with s <= n/2.
 *
 *   word 0  VOTE_DOMAIN = keccak256("Leasehold vote v1") =
 *           0x53f390fe03fc425045d3ad8f2ed2fd1ac0a920a8f549294572b792691fb1f9c7
 *   word 1  chainId
 *   word 2  epoch
 *   word 3  view         1, 2, 3 ... within the epoch
 *   word 4  kind         notarize 0, nullify 1, finalize 2
 *   word 5  parentView   notarize: the parent's view (0: the block the epoch starts from);
 *                        nullify, finalize: 0
 *   word 6  blockHash    notarize, finalize: the block; nullify: 0
 *
 * Wire form, VOTE_SIZE bytes, integers big-endian:
 *   epoch 8 | view 8 | kind 1 | parentView 8 | block 32 | signer 2 | signature 65 (r, s, parity)
 * `signer` is an index into the epoch's set and is not signed. Pure; any thread. */
#ifndef LEASEHOLD_CHAIN_CONSENSUS_VOTE_H
#define LEASEHOLD_CHAIN_CONSENSUS_VOTE_H

#include "base/key.h"
#include "chain/consensus/limits.h"

#define VOTE_DOMAIN_TEXT   "Leasehold vote v1"
#define VOTE_DOMAIN_HEX    "0x53f390fe03fc425045d3ad8f2ed2fd1ac0a920a8f549294572b792691fb1f9c7"
#define VOTE_PREIMAGE_SIZE 224 /* 7 * 32 */
#define VOTE_SIZE          124

enum vote_kind { VOTE_NOTARIZE, VOTE_NULLIFY, VOTE_FINALIZE, VOTE_KIND_COUNT };

struct vote {
    uint64_t epoch;
    uint64_t view; /* never 0 */
    uint64_t parent_view;
    enum vote_kind kind;
    uint16_t signer; /* index into the epoch's set */
    struct hash block;
    struct signature signature;
};

/* The 7 * 32 bytes that are hashed, and their hash. The signer and the signature are not read. */
void vote_preimage(uint8_t out[VOTE_PREIMAGE_SIZE], uint64_t chain_id, const struct vote *v);
struct hash vote_digest(uint64_t chain_id, const struct vote *v);

void vote_encode(struct buffer *out, const struct vote *v);
/* E_MALFORMED: wrong size, unknown kind, fields that the kind must leave zero, view 0, parent not
 * below the view; E_LIMIT: signer out of range. The signature is not checked. */
MUST_CHECK enum status vote_decode(struct vote *out, struct bytes input);
/* The field rules of vote_decode, for a vote that was built by hand. */
MUST_CHECK enum status vote_check_form(const struct vote *v);
/* True if both say the same thing (epoch, view, kind, parent, block, signer). */
bool vote_same(const struct vote *a, const struct vote *b);

#endif
