/* proposal.h - a leader's block with what justifies it.
 *
 * The leader's own notarize vote names block, view and parent. With it go N or F of the parent
 * (none when the parent is the epoch's starting block) and X of the views between parent and own
 * view, ascending. When there are more of those than fit, the newest go, and receivers fetch the
 * rest. Wire form, integers big-endian:
 *   vote 124 | count 1 | count * (size 4 | certificate) | block size 4 | block bytes
 * The block may be absent (size 0) where the epoch's boundary block is proposed again. Its bytes
 * mean nothing here. Pure; any thread. */
#ifndef LEASEHOLD_CHAIN_CONSENSUS_PROPOSAL_H
#define LEASEHOLD_CHAIN_CONSENSUS_PROPOSAL_H

#include "chain/consensus/certificate.h"

#define PROPOSAL_BLOCK_BYTES_MAX (4u << 20)

/* About 140 KiB: keep it on the heap. */
struct proposal {
    struct vote vote; /* notarize, by the leader of the view */
    uint32_t certificate_count;
    struct certificate certificates[PROPOSAL_CERTIFICATES_MAX];
};

/* Appends; `block` are the block's bytes, at most PROPOSAL_BLOCK_BYTES_MAX (asserted). */
void proposal_encode(struct buffer *out, const struct proposal *p, struct bytes block);
/* *out_block points into input. E_MALFORMED, E_LIMIT. Signatures are not checked. */
MUST_CHECK enum status proposal_decode(struct proposal *out, struct bytes *out_block,
                                       struct bytes input);

#endif
