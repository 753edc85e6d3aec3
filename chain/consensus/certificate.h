/* certificate.h - a quorum of votes that say the same: N (notarize), X (nullify), F (finalize).
 *
 * Signatures are 64 bytes (EIP-2098: r, then s with the parity in its highest bit), in ascending
 * order of signer. Wire form, integers big-endian:
 *   epoch 8 | view 8 | kind 1 | parentView 8 | block 32 | bitmap 16 | 64 * popcount(bitmap)
 * Signer i is bit (i mod 8), counted from the least, of bitmap byte (i / 8). Pure; any thread. */
#ifndef LEASEHOLD_CHAIN_CONSENSUS_CERTIFICATE_H
#define LEASEHOLD_CHAIN_CONSENSUS_CERTIFICATE_H

#include "chain/consensus/epoch.h"
#include "chain/consensus/signer.h"
#include "chain/consensus/vote.h"

#define COMPACT_SIGNATURE_SIZE 64
#define CERTIFICATE_SIZE_MIN   73
#define CERTIFICATE_SIZE_MAX   (CERTIFICATE_SIZE_MIN + COMPACT_SIGNATURE_SIZE * VALIDATORS_MAX)

struct certificate {
    uint64_t epoch;
    uint64_t view;
    uint64_t parent_view; /* notarize only */
    enum vote_kind kind;
    struct hash block; /* zero for nullify */
    uint8_t signers[SIGNER_BITMAP_BYTES];
    uint32_t signature_count; /* equals the bits set in signers */
    uint8_t signatures[VALIDATORS_MAX][COMPACT_SIGNATURE_SIZE];
};

bool certificate_has_signer(const struct certificate *c, uint32_t index);
/* An empty certificate for what the vote says; then votes in ascending order of signer. */
void certificate_start(struct certificate *c, const struct vote *subject);
void certificate_add(struct certificate *c, const struct vote *v); /* asserts order and sameness */
/* The vote of the nth signature (n < signature_count), whole, signer included. */
struct vote certificate_vote(const struct certificate *c, uint32_t n);

/* Copies what is there: most certificates have far fewer than VALIDATORS_MAX signatures. */
void certificate_copy(struct certificate *to, const struct certificate *from);

void certificate_encode(struct buffer *out, const struct certificate *c);
/* E_MALFORMED, E_LIMIT as vote_decode. Signatures are not checked. */
MUST_CHECK enum status certificate_decode(struct certificate *out, struct bytes input);
/* How many bytes the certificate at the front of input takes; 0 if even its head is cut off. */
size_t certificate_size_in(struct bytes input);
/* OK: of this epoch, every signature by its signer, at least a quorum of weight. E_STATE: another
 * epoch; E_LIMIT: a signer that is not in the set, or below the quorum; E_SIGNATURE. */
MUST_CHECK enum status certificate_verify(const struct certificate *c, const struct epoch *epoch,
                                          const struct signer *signer);

#endif
