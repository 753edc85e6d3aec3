/* keys.h - the validators' keys, and signatures that cost nothing.
 *
 * A stub signature is the signer's address beside the digest: nobody in the simulator makes one for
 * another's key unless it means to forge, and what is forged says so (parcel.h). */
#ifndef LEASEHOLD_TESTS_SIM_KEYS_H
#define LEASEHOLD_TESTS_SIM_KEYS_H

#include "chain/consensus/signer.h"

extern const struct signer SIGNER_STUB;

const struct key *sim_key(uint32_t validator);
const struct address *sim_address(uint32_t validator);

#endif
