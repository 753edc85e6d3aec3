/* vm/curve/types.h - which curve this translation unit is about, and what its values look like.
 *
 * The module serves two pairing curves with the same code. A .c file (or a test) defines
 * CURVE_BLS12_381 before its first include to get BLS12-381 (6 limbs); without it the curve is
 * bn254 (4 limbs). Everything in field.h, field2.h, tower.h, group.h and pairing.h is `static`, so
 * two files with different curves live in one library.
 *
 *   Fp    integers mod p, in Montgomery form: a is kept as a * 2^(64 FP_LIMBS) mod p, below p
 *   Fp2   Fp[u] / (u^2 + 1)                    xi = 9 + u (bn254), 1 + u (BLS12-381)
 *   Fp6   Fp2[v] / (v^3 - xi)
 *   Fp12  Fp6[w] / (w^2 - v)
 *   G1    y^2 = x^3 + b over Fp                b = 3 (bn254), 4 (BLS12-381)
 *   G2    y^2 = x^3 + b' over Fp2              b' = b / xi (bn254, a D twist), b xi (an M twist)
 *
 * All inputs are public (the chain's own data), so nothing here is constant-time. */
#ifndef LEASEHOLD_VM_CURVE_TYPES_H
#define LEASEHOLD_VM_CURVE_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#ifdef CURVE_BLS12_381
#define FP_LIMBS 6
#else
#define FP_LIMBS 4
#endif
#define FP_BYTES     (8 * FP_LIMBS)
#define SCALAR_LIMBS 4

/* Functions worth a call, which a translation unit may leave unused. */
#define OUTLINE static __attribute__((noinline, unused))
/* Loops over limbs must unroll: the limbs live in registers then. */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

struct fp {
    uint64_t limb[FP_LIMBS]; /* lowest first */
};

/* A multiplier: any 256-bit number. */
struct scalar {
    uint64_t limb[SCALAR_LIMBS];
};

struct fp2 {
    struct fp a, b; /* a + b u */
};

struct fp6 {
    struct fp2 c[3]; /* c0 + c1 v + c2 v^2 */
};

struct fp12 {
    struct fp6 c[2]; /* c0 + c1 w */
};

struct g1_affine {
    struct fp x, y;
    bool infinity; /* then x and y mean nothing */
};

struct g2_affine {
    struct fp2 x, y;
    bool infinity;
};

/* Jacobian: (x / z^2, y / z^3); infinity is z = 0. */
struct g1 {
    struct fp x, y, z;
};

struct g2 {
    struct fp2 x, y, z;
};

#ifdef CURVE_BLS12_381
#include "vm/curve/bls12_381_constants.h"
#else
#include "vm/curve/bn254_constants.h"
#endif

#endif
