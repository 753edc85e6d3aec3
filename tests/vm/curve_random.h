/* tests/vm/curve_random.h - seeded random elements and points, and GMP as the referee of Fp. */
#ifndef LEASEHOLD_TESTS_VM_CURVE_RANDOM_H
#define LEASEHOLD_TESTS_VM_CURVE_RANDOM_H

#include "vm/curve/group.h"

#include <gmp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define BATCH 64

/* Splitmix64 (Steele, Lea, Flood, 2014). */
static inline uint64_t random_u64(void)
{
    static uint64_t state = 0x1ea5e401d;
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static inline struct fp random_fp(void)
{
    struct fp r;
    do {
        for (int i = 0; i < FP_LIMBS; i++)
            r.limb[i] = random_u64();
        r.limb[FP_LIMBS - 1] &= FP_MODULUS.limb[FP_LIMBS - 1] | 0x0fffffffffffffff;
    } while (!fp_less(&r, &FP_MODULUS));
    return r;
}

static inline struct fp small_fp(uint64_t n)
{
    struct fp r = {{n}};
    fp_from_integer(&r, &r);
    return r;
}

/* 0, 1, 2, -1, -2, 1/2 and numbers of few bits come first, then random ones. */
static inline struct fp sample_fp(int index)
{
    struct fp r;
    if (index < 3) return small_fp((uint64_t)index);
    if (index < 5) {
        r = small_fp((uint64_t)index - 2);
        fp_neg(&r, &r);
        return r;
    }
    if (index == 5) return FP_HALF;
    if (index < 16) {
        r = FP_ZERO;
        r.limb[index % FP_LIMBS] = UINT64_MAX << (5 * (index - 6));
        if (fp_less(&r, &FP_MODULUS)) return r;
    }
    return random_fp();
}

static inline struct fp2 random_fp2(void)
{
    struct fp2 r;
    r.a = random_fp();
    r.b = random_fp();
    return r;
}

static inline struct scalar random_scalar(void)
{
    struct scalar s;
    for (int i = 0; i < SCALAR_LIMBS; i++)
        s.limb[i] = random_u64();
    return s;
}

/* Points of the curve, most of them not in the group where there is a cofactor. */
static inline struct g1_affine random_g1_of_curve(void)
{
    struct g1_affine p = {.infinity = false};
    do {
        p.x = random_fp();
        fp_square(&p.y, &p.x);
        fp_mul(&p.y, &p.y, &p.x);
        fp_add(&p.y, &p.y, &G1_B);
    } while (!fp_sqrt(&p.y, &p.y));
    return p;
}

static inline struct g2_affine random_g2_of_curve(void)
{
    struct g2_affine p = {.infinity = false};
    do {
        p.x = random_fp2();
        fp2_square(&p.y, &p.x);
        fp2_mul(&p.y, &p.y, &p.x);
        fp2_add(&p.y, &p.y, &G2_B);
    } while (!fp2_sqrt(&p.y, &p.y));
    return p;
}

static inline struct g1 random_g1(void)
{
    struct g1 p = g1_from_affine(&G1_GENERATOR);
    struct scalar s = random_scalar();
    g1_mul(&p, &p, &s);
    return p;
}

static inline struct g2 random_g2(void)
{
    struct g2 p = g2_from_affine(&G2_GENERATOR);
    struct scalar s = random_scalar();
    g2_mul(&p, &p, &s);
    return p;
}

/* To GMP: limbs as they are, elements through their encoding. */
static inline void limbs_to_mpz(mpz_t out, const uint64_t *limbs, size_t count)
{
    mpz_import(out, count, -1, 8, 0, 0, limbs);
}

static inline void fp_to_mpz(mpz_t out, const struct fp *a)
{
    uint8_t bytes[FP_BYTES];
    fp_to_bytes(bytes, a);
    mpz_import(out, FP_BYTES, 1, 1, 0, 0, bytes);
}

static inline struct scalar scalar_from_mpz(const mpz_t from)
{
    struct scalar s = {{0}};
    assert_true(mpz_sizeinbase(from, 2) <= 256 && mpz_sgn(from) >= 0);
    mpz_export(s.limb, NULL, -1, 8, 0, 0, from);
    return s;
}

#endif
