/* vm/curve/kzg.h - checks that a committed polynomial has a value at a point (EIP-4844).
 *
 * A commitment to f is [f(tau)]_1 for a tau that nobody knows; of the ceremony's output the check
 * needs only [tau]_2. f(z) = y exactly if (f - y) / (X - z) is a polynomial, and the proof commits
 * to that quotient. Pure; any thread. */
#ifndef LEASEHOLD_VM_CURVE_KZG_H
#define LEASEHOLD_VM_CURVE_KZG_H

#include "base/bytes.h"

#define KZG_POINT_BYTES  48 /* a compressed G1 point of BLS12-381 */
#define KZG_SCALAR_BYTES 32 /* big-endian */

/* The order r, above every scalar. */
extern const uint8_t KZG_MODULUS[KZG_SCALAR_BYTES];

/* verify_kzg_proof of the consensus specs. E_RANGE: z or y is r or more; E_MALFORMED: commitment
 * or proof is no point of the group in canonical form; E_SIGNATURE: the proof does not hold. */
MUST_CHECK enum status kzg_verify(const uint8_t commitment[KZG_POINT_BYTES],
                                  const uint8_t z[KZG_SCALAR_BYTES],
                                  const uint8_t y[KZG_SCALAR_BYTES],
                                  const uint8_t proof[KZG_POINT_BYTES]);

#endif
