/* vm/curve/carry.h - sums and differences mod p where carries run through the limbs.
 *
 * gcc 12 moves every carry out of the flag and back, which made these half of a pairing's time; so
 * on x86-64 they are written out. Elsewhere the portable text below them does the same. */
#ifndef LEASEHOLD_VM_CURVE_CARRY_H
#define LEASEHOLD_VM_CURVE_CARRY_H

#include "vm/curve/types.h"

__extension__ typedef unsigned __int128 u128;
__extension__ typedef __int128 i128;

static inline uint64_t limb_add(uint64_t *carry, uint64_t a, uint64_t b)
{
    u128 t = (u128)a + b + *carry;
    *carry = (uint64_t)(t >> 64);
    return (uint64_t)t;
}

static inline uint64_t limb_sub(uint64_t *borrow, uint64_t a, uint64_t b)
{
    u128 t = (u128)a - b - *borrow;
    *borrow = (uint64_t)(t >> 64) & 1;
    return (uint64_t)t;
}

#if defined(__x86_64__) && !defined(CURVE_PORTABLE)

/* Operands: %0.. the limbs that are worked on, then scratch, then the other number in memory. */
#define CHAIN4(op, with, prefix, to)                                                               \
#op " %[" prefix "0], %[" to "0]\n\t" #with " %[" prefix "1], %[" to "1]\n\t" #with            \
        " %[" prefix "2], %[" to "2]\n\t" #with " %[" prefix "3], %[" to "3]\n\t"
#if FP_LIMBS == 6
#define CHAIN(op, with, prefix, to)                                                                \
    CHAIN4(op, with, prefix, to)                                                                   \
#with " %[" prefix "4], %[" to "4]\n\t" #with " %[" prefix "5], %[" to "5]\n\t"
#define MOVES(op, from, to)                                                                        \
    CHAIN4(op, op, from, to)                                                                       \
#op " %[" from "4], %[" to "4]\n\t" #op " %[" from "5], %[" to "5]"                            \
        "\n\t"
#define OPERANDS(kind, name, of)                                                                   \
    [name##0] kind(of.limb[0]), [name##1] kind(of.limb[1]), [name##2] kind(of.limb[2]),            \
        [name##3] kind(of.limb[3]), [name##4] kind(of.limb[4]), [name##5] kind(of.limb[5])
#else
#define CHAIN(op, with, prefix, to) CHAIN4(op, with, prefix, to)
#define MOVES(op, from, to)         CHAIN4(op, op, from, to)
#define OPERANDS(kind, name, of)                                                                   \
    [name##0] kind(of.limb[0]), [name##1] kind(of.limb[1]), [name##2] kind(of.limb[2]),            \
        [name##3] kind(of.limb[3])
#endif

/* From [0, 2p) to [0, p): subtract p, and take the difference unless it borrowed. */
static inline void fp_reduce_once(struct fp *out, const struct fp *a)
{
    struct fp r = *a, t;
    __asm__(MOVES(movq, "r", "t") CHAIN(subq, sbbq, "p", "t") MOVES(cmovncq, "t", "r")
            : OPERANDS("+&r", r, r), OPERANDS("=&r", t, t)
            : OPERANDS("m", p, FP_MODULUS)
            : "cc");
    *out = r;
}

static inline void fp_add(struct fp *out, const struct fp *a, const struct fp *b)
{
    struct fp r = *a;
    __asm__(CHAIN(addq, adcq, "b", "r") : OPERANDS("+&r", r, r) : OPERANDS("m", b, (*b)) : "cc");
    fp_reduce_once(out, &r);
}

/* Subtract, and add p if it borrowed. */
static inline void fp_sub(struct fp *out, const struct fp *a, const struct fp *b)
{
    static const struct fp zero = {{0}};
    const struct fp *back;
    struct fp r = *a;
    uint64_t borrow = 0;
    __asm__(CHAIN(subq, sbbq, "b", "r") "sbbq %[borrow], %[borrow]\n\t"
            : OPERANDS("+&r", r, r), [borrow] "+&r"(borrow)
            : OPERANDS("m", b, (*b))
            : "cc");
    back = borrow ? &FP_MODULUS : &zero;
    __asm__(CHAIN(addq, adcq, "p", "r") : OPERANDS("+&r", r, r) : OPERANDS("m", p, (*back)) : "cc");
    *out = r;
}

#undef CHAIN4
#undef CHAIN
#undef MOVES
#undef OPERANDS

#else

/* From [0, 2p) to [0, p). */
static inline void fp_reduce_once(struct fp *out, const struct fp *a)
{
    struct fp t;
    uint64_t borrow = 0;
    UNROLL for (int i = 0; i < FP_LIMBS; i++) t.limb[i] =
        limb_sub(&borrow, a->limb[i], FP_MODULUS.limb[i]);
    UNROLL for (int i = 0; i < FP_LIMBS; i++) out->limb[i] = borrow ? a->limb[i] : t.limb[i];
}

static inline void fp_add(struct fp *out, const struct fp *a, const struct fp *b)
{
    struct fp sum;
    uint64_t carry = 0;
    UNROLL for (int i = 0; i < FP_LIMBS; i++) sum.limb[i] =
        limb_add(&carry, a->limb[i], b->limb[i]);
    fp_reduce_once(out, &sum);
}

static inline void fp_sub(struct fp *out, const struct fp *a, const struct fp *b)
{
    uint64_t borrow = 0, carry = 0;
    struct fp t;
    UNROLL for (int i = 0; i < FP_LIMBS; i++) t.limb[i] = limb_sub(&borrow, a->limb[i], b->limb[i]);
    uint64_t mask = 0 - borrow;
    UNROLL for (int i = 0; i < FP_LIMBS; i++) out->limb[i] =
        limb_add(&carry, t.limb[i], FP_MODULUS.limb[i] & mask);
}

#endif

#endif
