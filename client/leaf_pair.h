/* leaf_pair.h - hashes two whole leaves at once, with the processor's own SHA instructions.
 *
 * One leaf is a chain of rounds that each wait for the one before; two chains side by side keep the
 * unit busy and take little longer than one. Same hashes as base/merkle.h. Any thread. */
#ifndef LEASEHOLD_CLIENT_LEAF_PAIR_H
#define LEASEHOLD_CLIENT_LEAF_PAIR_H

#include "base/merkle.h"

bool leaf_pair_is_there(void); /* on this processor */
/* `leaves` are two of MERKLE_LEAF_BYTES, one after the other. */
void leaf_pair_hash(struct hash out[2], const uint8_t *leaves);

#endif
