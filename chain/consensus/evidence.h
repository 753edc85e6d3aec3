/* evidence.h - two votes of one signer that no honest validator signs both of.
 *
 *   E1  notarize(a), notarize(b), a != b       E2  finalize(a), finalize(b), a != b
 *   E3  finalize(a), nullify                   E4  notarize(b), finalize(a), a != b
 * all with the same signer, chain, epoch and view. notarize with nullify is lawful. Pure. */
#ifndef LEASEHOLD_CHAIN_CONSENSUS_EVIDENCE_H
#define LEASEHOLD_CHAIN_CONSENSUS_EVIDENCE_H

#include "chain/consensus/vote.h"

enum evidence_kind { EVIDENCE_NONE, EVIDENCE_E1, EVIDENCE_E2, EVIDENCE_E3, EVIDENCE_E4 };

struct evidence {
    enum evidence_kind kind;
    struct vote first;
    struct vote second;
};

/* EVIDENCE_NONE if the two votes can be an honest validator's. Order does not matter; signatures
 * are taken as verified. */
enum evidence_kind evidence_between(const struct vote *a, const struct vote *b);

#endif
