/* signer.h - how votes are signed and signers recovered; a table, so that simulations can use
 * signatures that cost nothing. The functions must be pure. */
#ifndef LEASEHOLD_CHAIN_CONSENSUS_SIGNER_H
#define LEASEHOLD_CHAIN_CONSENSUS_SIGNER_H

#include "base/key.h"

struct signer {
    struct signature (*sign)(const struct key *key, const struct hash *digest);
    /* The signer's address; any status but OK means a bad signature. */
    enum status (*recover)(struct address *out, const struct signature *signature,
                           const struct hash *digest);
};

extern const struct signer SIGNER_SECP256K1; /* base/key.h, low-s enforced */

#endif
