/* vm/curve/bn254.h - the curve bn254 (alt_bn128) on encoded points, as EIP-196 and EIP-197 have it.
 *
 * A G1 point is x | y, 32 bytes each, big-endian; a G2 point is x | y with the imaginary part of
 * each first; all zeros is infinity. Coordinates must be below p, points on their curve, G2 points
 * in the group. Pure functions; any thread. */
#ifndef LEASEHOLD_VM_CURVE_BN254_H
#define LEASEHOLD_VM_CURVE_BN254_H

#include "base/bytes.h"

#define BN254_POINT_BYTES 64
#define BN254_PAIR_BYTES  192

/* E_RANGE: a coordinate of p or more; E_MALFORMED: not on the curve, or not in the group. */
MUST_CHECK enum status bn254_add(uint8_t out[BN254_POINT_BYTES],
                                 const uint8_t points[2 * BN254_POINT_BYTES]);
/* A point, then a scalar of 32 bytes: any value. */
MUST_CHECK enum status bn254_mul(uint8_t out[BN254_POINT_BYTES],
                                 const uint8_t input[BN254_POINT_BYTES + 32]);
/* Whether the product of e(P, Q) over the pairs (P of G1, Q of G2) is 1; the empty product is.
 * The size must be a multiple of BN254_PAIR_BYTES. */
MUST_CHECK enum status bn254_pairing(bool *is_one, struct bytes pairs);

#endif
