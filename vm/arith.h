/* vm/arith.h - the interpreter's own 256-bit arithmetic: inlined, in place, limb by limb.
 *
 * Same results as base/u256.h, which does the rare cases (wide division, modular products). `r`
 * may be one of the operands everywhere. */
#ifndef LEASEHOLD_VM_ARITH_H
#define LEASEHOLD_VM_ARITH_H

#include "base/limb.h"
#include "base/u256.h"
#include "base/u256_division.h"

#include <string.h>

static inline uint64_t load_word_be64(const uint8_t *from)
{
    uint64_t v;
    memcpy(&v, from, sizeof(v));
    return __builtin_bswap64(v);
}

static inline void store_word_be64(uint8_t *to, uint64_t value)
{
    value = __builtin_bswap64(value);
    memcpy(to, &value, sizeof(value));
}

static inline struct u256 word_load(const uint8_t *from)
{
    return (struct u256){{load_word_be64(from + 24), load_word_be64(from + 16),
                          load_word_be64(from + 8), load_word_be64(from)}};
}

static inline void word_store(uint8_t *to, const struct u256 *a)
{
    store_word_be64(to, a->limb[3]);
    store_word_be64(to + 8, a->limb[2]);
    store_word_be64(to + 16, a->limb[1]);
    store_word_be64(to + 24, a->limb[0]);
}

/* The operand of PUSHn. Reads 8 bytes at least, which the padding allows. */
static inline struct u256 word_load_push(const uint8_t *from, unsigned size_bytes)
{
    struct u256 r = {{0, 0, 0, 0}};
    for (unsigned i = 0; i < 4; i++) {
        if (size_bytes >= 8 * (i + 1))
            r.limb[i] = load_word_be64(from + size_bytes - 8 * (i + 1));
        else if (size_bytes > 8 * i)
            r.limb[i] = load_word_be64(from) >> (64 - 8 * (size_bytes - 8 * i));
    }
    return r;
}

static inline struct u256 word_u64(uint64_t v)
{
    return (struct u256){{v, 0, 0, 0}};
}

static inline bool word_is_u64(const struct u256 *a)
{
    return (a->limb[1] | a->limb[2] | a->limb[3]) == 0;
}

static inline bool word_is_zero(const struct u256 *a)
{
    return (a->limb[0] | a->limb[1] | a->limb[2] | a->limb[3]) == 0;
}

/* UINT64_MAX when it does not fit. */
static inline uint64_t word_saturated(const struct u256 *a)
{
    return word_is_u64(a) ? a->limb[0] : UINT64_MAX;
}

static inline struct u256 word_of_hash(const struct hash *h)
{
    return word_load(h->b);
}

static inline struct hash word_to_hash(const struct u256 *a)
{
    struct hash h = {{0}};
    word_store(h.b, a);
    return h;
}

/* Addresses are read and written in the pieces in which they are compared, so that no load waits
 * for two stores. */
static inline struct u256 word_of_address(const struct address *a)
{
    uint64_t high = load_word_be64(a->b), middle = load_word_be64(a->b + 8);
    uint32_t low;
    memcpy(&low, a->b + 16, sizeof(low));
    low = __builtin_bswap32(low);
    return (struct u256){{middle << 32 | low, high << 32 | middle >> 32, high >> 32, 0}};
}

static inline struct address word_to_address(const struct u256 *a)
{
    struct address out;
    uint32_t low = __builtin_bswap32((uint32_t)a->limb[0]);
    store_word_be64(out.b, a->limb[2] << 32 | a->limb[1] >> 32);
    store_word_be64(out.b + 8, a->limb[1] << 32 | a->limb[0] >> 32);
    memcpy(out.b + 16, &low, sizeof(low));
    return out;
}

static inline void word_add(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    (void)limbs_add(r->limb, a->limb, b->limb);
}

static inline void word_sub(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    (void)limbs_sub(r->limb, a->limb, b->limb);
}

static inline bool word_less(const struct u256 *a, const struct u256 *b)
{
    return limbs_less(a->limb, b->limb);
}

/* Two's complement: with the top bits flipped it is the order of unsigned words. */
static inline bool word_less_signed(const struct u256 *a, const struct u256 *b)
{
    const uint64_t top = UINT64_C(1) << 63;
    struct u256 x = {{a->limb[0], a->limb[1], a->limb[2], a->limb[3] ^ top}};
    struct u256 y = {{b->limb[0], b->limb[1], b->limb[2], b->limb[3] ^ top}};
    return limbs_less(x.limb, y.limb);
}

static inline bool word_equal(const struct u256 *a, const struct u256 *b)
{
    return ((a->limb[0] ^ b->limb[0]) | (a->limb[1] ^ b->limb[1]) | (a->limb[2] ^ b->limb[2]) |
            (a->limb[3] ^ b->limb[3])) == 0;
}

/* Small numbers are most of what programs multiply, and one product of ten is enough for them. */
static inline void word_mul(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    if (word_is_u64(a) && word_is_u64(b)) {
        u128 product = (u128)a->limb[0] * b->limb[0];
        r->limb[0] = (uint64_t)product;
        r->limb[1] = high_limb(product);
        r->limb[2] = 0;
        r->limb[3] = 0;
    } else {
        limbs_multiply_low(r->limb, a->limb, b->limb);
    }
}

static inline void word_square(struct u256 *r, const struct u256 *a)
{
    if (word_is_u64(a))
        word_mul(r, a, a);
    else
        limbs_square_low(r->limb, a->limb);
}

static inline int word_bit_length(const struct u256 *a)
{
    for (int i = 3; i >= 0; i--)
        if (a->limb[i] != 0) return 64 * i + 64 - __builtin_clzll(a->limb[i]);
    return 0;
}

/* Square and multiply from the lowest bit, so that the two products of a step do not wait for one
 * another. */
static inline void word_exp(struct u256 *r, const struct u256 *base, const struct u256 *exponent)
{
    struct u256 power = {{base->limb[0], base->limb[1], base->limb[2], base->limb[3]}};
    struct u256 product = word_u64(1);
    int bits = word_bit_length(exponent);
    for (int i = 0; i < bits; i++) {
        if ((exponent->limb[i / 64] >> i % 64 & 1) != 0) word_mul(&product, &product, &power);
        if (i + 1 < bits) word_square(&power, &power);
    }
    r->limb[0] = product.limb[0];
    r->limb[1] = product.limb[1];
    r->limb[2] = product.limb[2];
    r->limb[3] = product.limb[3];
}

static inline void word_div(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    if (word_is_u64(a) && word_is_u64(b))
        *r = word_u64(b->limb[0] == 0 ? 0 : a->limb[0] / b->limb[0]);
    else
        u256_quotient(r, a, b);
}

static inline void word_mod(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    if (word_is_u64(a) && word_is_u64(b))
        *r = word_u64(b->limb[0] == 0 ? 0 : a->limb[0] % b->limb[0]);
    else
        u256_remainder(r, a, b);
}

static inline void word_sdiv(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    u256_quotient_signed(r, a, b);
}

static inline void word_smod(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    u256_remainder_signed(r, a, b);
}

static inline void word_addmod(struct u256 *r, const struct u256 *a, const struct u256 *b,
                               const struct u256 *modulus)
{
    u256_sum_modulo(r, a, b, modulus);
}

static inline void word_mulmod(struct u256 *r, const struct u256 *a, const struct u256 *b,
                               const struct u256 *modulus)
{
    u256_product_modulo(r, a, b, modulus);
}

/* r = all of a, or nothing. */
static inline void word_keep(struct u256 *r, const uint64_t a[4], bool kept)
{
    uint64_t mask = kept ? UINT64_MAX : 0;
    r->limb[0] = a[0] & mask;
    r->limb[1] = a[1] & mask;
    r->limb[2] = a[2] & mask;
    r->limb[3] = a[3] & mask;
}

static inline void word_shl(struct u256 *r, const struct u256 *shift, const struct u256 *value)
{
    uint64_t bits = word_saturated(shift);
    uint64_t shifted[4];
    limbs_shift_left(shifted, value->limb, bits & 255);
    word_keep(r, shifted, bits < 256);
}

static inline void word_shr(struct u256 *r, const struct u256 *shift, const struct u256 *value)
{
    uint64_t bits = word_saturated(shift);
    uint64_t shifted[4];
    limbs_shift_right(shifted, value->limb, bits & 255, 0);
    word_keep(r, shifted, bits < 256);
}

/* From 255 on every bit is the sign, so 255 stands for more. */
static inline void word_sar(struct u256 *r, const struct u256 *shift, const struct u256 *value)
{
    uint64_t bits = word_saturated(shift);
    uint64_t sign = (uint64_t)0 - (value->limb[3] >> 63);
    limbs_shift_right(r->limb, value->limb, bits < 256 ? (unsigned)bits : 255, sign);
}

static inline void word_byte(struct u256 *r, const struct u256 *index, const struct u256 *value)
{
    uint64_t from_top = word_saturated(index);
    uint64_t from_bottom = 31 - (from_top & 31);
    uint64_t byte = value->limb[from_bottom / 8] >> (from_bottom % 8 * 8) & 0xff;
    *r = word_u64(from_top < 32 ? byte : 0);
}

/* Spreads the top bit of byte `index` (0 is the lowest) over all above it. */
static inline void word_signextend(struct u256 *r, const struct u256 *index,
                                   const struct u256 *value)
{
    uint64_t from_bottom = word_saturated(index);
    uint64_t limb = from_bottom < 31 ? from_bottom / 8 : 4;
    unsigned above = 56 - (unsigned)(from_bottom % 8 * 8);
    uint64_t edge = (uint64_t)((int64_t)(value->limb[limb & 3] << above) >> above);
    uint64_t sign = (uint64_t)0 - (edge >> 63);
    uint64_t v1 = value->limb[1];
    uint64_t v2 = value->limb[2];
    uint64_t v3 = value->limb[3];
    r->limb[0] = limb == 0 ? edge : value->limb[0];
    r->limb[1] = limb == 1 ? edge : limb < 1 ? sign : v1;
    r->limb[2] = limb == 2 ? edge : limb < 2 ? sign : v2;
    r->limb[3] = limb == 3 ? edge : limb < 3 ? sign : v3;
}

static inline unsigned word_byte_length(const struct u256 *a)
{
    return (unsigned)(word_bit_length(a) + 7) / 8;
}

#endif
