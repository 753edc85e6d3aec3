/* vm/curve/field.h - Fp: arithmetic modulo the curve's prime, and its big-endian encoding.
 *
 * Every value is below p on entry and on exit; outputs may be inputs. */
#ifndef LEASEHOLD_VM_CURVE_FIELD_H
#define LEASEHOLD_VM_CURVE_FIELD_H

#include "base/bytes.h"
#include "vm/curve/product.h"

#include <string.h>

static const struct fp FP_ZERO __attribute__((unused)) = {{0}};

static inline bool fp_is_zero(const struct fp *a)
{
    uint64_t any = 0;
    UNROLL for (int i = 0; i < FP_LIMBS; i++) any |= a->limb[i];
    return any == 0;
}

static inline bool fp_equal(const struct fp *a, const struct fp *b)
{
    uint64_t different = 0;
    UNROLL for (int i = 0; i < FP_LIMBS; i++) different |= a->limb[i] ^ b->limb[i];
    return different == 0;
}

/* As integers, whatever form they are in. */
static inline bool fp_less(const struct fp *a, const struct fp *b)
{
    uint64_t borrow = 0;
    UNROLL for (int i = 0; i < FP_LIMBS; i++) limb_sub(&borrow, a->limb[i], b->limb[i]);
    return borrow != 0;
}

static inline void fp_double(struct fp *out, const struct fp *a)
{
    fp_add(out, a, a);
}

static inline void fp_neg(struct fp *out, const struct fp *a)
{
    fp_sub(out, &FP_ZERO, a);
}

static inline void fp_square(struct fp *out, const struct fp *a)
{
    fp_mul(out, a, a);
}

/* a^e for an integer e below 2^(64 FP_LIMBS); four bits at a time. */
OUTLINE void fp_pow(struct fp *out, const struct fp *a, const struct fp *e)
{
    struct fp powers[16];
    powers[0] = FP_ONE;
    for (int i = 1; i < 16; i++)
        fp_mul(&powers[i], &powers[i - 1], a);
    struct fp r = FP_ONE;
    for (int i = 64 * FP_LIMBS - 4; i >= 0; i -= 4) {
        for (int k = 0; k < 4; k++)
            fp_square(&r, &r);
        fp_mul(&r, &r, &powers[e->limb[i / 64] >> (i % 64) & 15]);
    }
    *out = r;
}

/* p = 3 mod 4, so a^((p+1)/4) squares to a if anything does. False: a is no square. */
OUTLINE bool fp_sqrt(struct fp *out, const struct fp *a)
{
    struct fp r, check;
    fp_pow(&r, a, &FP_SQRT_EXPONENT);
    fp_square(&check, &r);
    if (!fp_equal(&check, a)) return false;
    *out = r;
    return true;
}

/* The integer that stands behind the Montgomery form, and back. */
static inline void fp_to_integer(struct fp *out, const struct fp *a)
{
    static const struct fp one = {{1}};
    fp_mul(out, a, &one);
}

static inline void fp_from_integer(struct fp *out, const struct fp *a)
{
    fp_mul(out, a, &FP_R2);
}

/* FP_BYTES bytes, big-endian. False (and out untouched) for p or more. */
OUTLINE bool fp_from_bytes(struct fp *out, const uint8_t *in)
{
    struct fp t;
    for (int i = 0; i < FP_LIMBS; i++)
        t.limb[FP_LIMBS - 1 - i] = load_be64(in + 8 * i);
    if (!fp_less(&t, &FP_MODULUS)) return false;
    fp_from_integer(out, &t);
    return true;
}

OUTLINE void fp_to_bytes(uint8_t *out, const struct fp *a)
{
    struct fp t;
    fp_to_integer(&t, a);
    for (int i = 0; i < FP_LIMBS; i++)
        store_be64(out + 8 * i, t.limb[FP_LIMBS - 1 - i]);
}

/* Whether the integer is above (p - 1) / 2: the sign bit of compressed points. */
static inline bool fp_is_upper_half(const struct fp *a)
{
    struct fp t;
    fp_to_integer(&t, a);
    return fp_less(&FP_HALF_MODULUS, &t);
}

static inline bool fp_is_odd(const struct fp *a)
{
    struct fp t;
    fp_to_integer(&t, a);
    return t.limb[0] & 1;
}

#endif
