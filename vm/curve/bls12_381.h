/* vm/curve/bls12_381.h - the curve BLS12-381 on encoded points, as EIP-2537 has it.
 *
 * A field element is 64 bytes, big-endian: 16 zeros, then 48 bytes below p. An element a + b u of
 * Fp2 is a | b. A point is x | y; all zeros is infinity. Points must be on their curve, and in
 * their group wherever this says so. Pure functions; any thread. */
#ifndef LEASEHOLD_VM_CURVE_BLS12_381_H
#define LEASEHOLD_VM_CURVE_BLS12_381_H

#include "base/bytes.h"

#define BLS_FP_BYTES     64
#define BLS_G1_BYTES     128
#define BLS_G2_BYTES     256
#define BLS_SCALAR_BYTES 32
#define BLS_PAIR_BYTES   (BLS_G1_BYTES + BLS_G2_BYTES)

/* All: E_RANGE for an element of p or more (or with its 16 bytes not zero); E_MALFORMED for a
 * point not on the curve or not in the group. */

/* Any two points of the curve; the group is not asked for. */
MUST_CHECK enum status bls_g1_add(uint8_t out[BLS_G1_BYTES], const uint8_t in[2 * BLS_G1_BYTES]);
MUST_CHECK enum status bls_g2_add(uint8_t out[BLS_G2_BYTES], const uint8_t in[2 * BLS_G2_BYTES]);
/* The sum of scalar times point over items of point | scalar (any 32 bytes); points in the group.
 * The size must be a multiple of an item's, and not 0. */
MUST_CHECK enum status bls_g1_msm(uint8_t out[BLS_G1_BYTES], struct bytes items);
MUST_CHECK enum status bls_g2_msm(uint8_t out[BLS_G2_BYTES], struct bytes items);
/* Whether the product of e(P, Q) over items of P | Q is 1; points in the group. */
MUST_CHECK enum status bls_pairing(bool *is_one, struct bytes pairs);
/* map_to_curve and clear_cofactor of RFC 9380, suites BLS12381G1 and BLS12381G2 (no hashing). */
MUST_CHECK enum status bls_map_to_g1(uint8_t out[BLS_G1_BYTES], const uint8_t in[BLS_FP_BYTES]);
MUST_CHECK enum status bls_map_to_g2(uint8_t out[BLS_G2_BYTES], const uint8_t in[2 * BLS_FP_BYTES]);

#endif
