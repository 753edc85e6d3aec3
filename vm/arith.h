/* vm/arith.h - the interpreter's own 256-bit arithmetic: inlined, in place, limb by limb.
 *
 * Same results as base/u256.h, which does the rare cases (wide division, modular products). `r`
 * may be one of the operands everywhere. */
#ifndef LEASEHOLD_VM_ARITH_H
#define LEASEHOLD_VM_ARITH_H

#include "base/u256.h"

#include <string.h>

__extension__ typedef unsigned __int128 word_pair;

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

static inline struct u256 word_of_address(const struct address *a)
{
    uint8_t padded[32] = {0};
    memcpy(padded + 12, a->b, sizeof(a->b));
    return word_load(padded);
}

static inline struct address word_to_address(const struct u256 *a)
{
    uint8_t padded[32];
    struct address out;
    word_store(padded, a);
    memcpy(out.b, padded + 12, sizeof(out.b));
    return out;
}

static inline void word_add(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    unsigned long long carry = 0;
    for (int i = 0; i < 4; i++) {
        word_pair sum = (word_pair)a->limb[i] + b->limb[i] + carry;
        r->limb[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
    }
}

static inline void word_sub(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    uint64_t borrow = 0;
    for (int i = 0; i < 4; i++) {
        word_pair difference = (word_pair)a->limb[i] - b->limb[i] - borrow;
        r->limb[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
}

static inline bool word_less(const struct u256 *a, const struct u256 *b)
{
    uint64_t borrow = 0;
    for (int i = 0; i < 4; i++) {
        word_pair difference = (word_pair)a->limb[i] - b->limb[i] - borrow;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    return borrow != 0;
}

static inline bool word_less_signed(const struct u256 *a, const struct u256 *b)
{
    bool a_negative = (a->limb[3] >> 63) != 0;
    bool b_negative = (b->limb[3] >> 63) != 0;
    return a_negative != b_negative ? a_negative : word_less(a, b);
}

static inline bool word_equal(const struct u256 *a, const struct u256 *b)
{
    return ((a->limb[0] ^ b->limb[0]) | (a->limb[1] ^ b->limb[1]) | (a->limb[2] ^ b->limb[2]) |
            (a->limb[3] ^ b->limb[3])) == 0;
}

/* acc += x * y, with the carry out of 128 bits counted in *top. */
static inline void word_muladd(word_pair *acc, uint64_t *top, uint64_t x, uint64_t y)
{
    word_pair product = (word_pair)x * y;
    *acc += product;
    *top += *acc < product;
}

static inline void word_mul(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    if (word_is_u64(a) && word_is_u64(b)) {
        word_pair p = (word_pair)a->limb[0] * b->limb[0];
        *r = (struct u256){{(uint64_t)p, (uint64_t)(p >> 64), 0, 0}};
        return;
    }
    uint64_t out[4];
    /* Column by column: each holds the sum of its products and what the last one carried. */
    word_pair acc = (word_pair)a->limb[0] * b->limb[0];
    uint64_t top = 0;
    out[0] = (uint64_t)acc;
    acc >>= 64;
    word_muladd(&acc, &top, a->limb[0], b->limb[1]);
    word_muladd(&acc, &top, a->limb[1], b->limb[0]);
    out[1] = (uint64_t)acc;
    acc = acc >> 64 | (word_pair)top << 64;
    top = 0;
    word_muladd(&acc, &top, a->limb[0], b->limb[2]);
    word_muladd(&acc, &top, a->limb[1], b->limb[1]);
    word_muladd(&acc, &top, a->limb[2], b->limb[0]);
    out[2] = (uint64_t)acc;
    out[3] = (uint64_t)(acc >> 64) + a->limb[0] * b->limb[3] + a->limb[1] * b->limb[2] +
             a->limb[2] * b->limb[1] + a->limb[3] * b->limb[0];
    memcpy(r->limb, out, sizeof(out));
}

static inline void word_exp(struct u256 *r, const struct u256 *base, const struct u256 *exponent)
{
    struct u256 power = *base;
    struct u256 left = *exponent;
    struct u256 product = word_u64(1);
    for (int i = 0; i < 4; i++) {
        bool is_last = true;
        for (int j = i + 1; j < 4; j++)
            is_last = is_last && left.limb[j] == 0;
        int bits = is_last ? 64 - (left.limb[i] == 0 ? 64 : __builtin_clzll(left.limb[i])) : 64;
        for (int bit = 0; bit < bits; bit++) {
            if ((left.limb[i] >> bit & 1) != 0) word_mul(&product, &product, &power);
            word_mul(&power, &power, &power);
        }
        if (is_last) break;
    }
    *r = product;
}

static inline void word_div(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    if (word_is_u64(a) && word_is_u64(b))
        *r = word_u64(b->limb[0] == 0 ? 0 : a->limb[0] / b->limb[0]);
    else
        *r = u256_div(*a, *b);
}

static inline void word_mod(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    if (word_is_u64(a) && word_is_u64(b))
        *r = word_u64(b->limb[0] == 0 ? 0 : a->limb[0] % b->limb[0]);
    else
        *r = u256_mod(*a, *b);
}

static inline void word_sdiv(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    *r = u256_div_signed(*a, *b);
}

static inline void word_smod(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    *r = u256_mod_signed(*a, *b);
}

static inline void word_addmod(struct u256 *r, const struct u256 *a, const struct u256 *b,
                               const struct u256 *modulus)
{
    *r = u256_addmod(*a, *b, *modulus);
}

static inline void word_mulmod(struct u256 *r, const struct u256 *a, const struct u256 *b,
                               const struct u256 *modulus)
{
    *r = u256_mulmod(*a, *b, *modulus);
}

static inline void word_shl(struct u256 *r, const struct u256 *shift, const struct u256 *value)
{
    struct u256 v = *value;
    uint64_t bits = word_saturated(shift);
    uint64_t limbs = bits / 64;
    unsigned rest = (unsigned)(bits % 64);
    for (uint64_t i = 4; i-- > 0;) {
        uint64_t high = i >= limbs ? v.limb[i - limbs] : 0;
        uint64_t low = i > limbs ? v.limb[i - limbs - 1] : 0;
        r->limb[i] = rest == 0 ? high : high << rest | low >> (64 - rest);
    }
}

/* Shifts right; the bits that come in are `fill`, 0 or all ones. */
static inline void word_shift_right(struct u256 *r, const struct u256 *shift,
                                    const struct u256 *value, uint64_t fill)
{
    struct u256 v = *value;
    uint64_t bits = word_saturated(shift);
    uint64_t limbs = bits / 64;
    unsigned rest = (unsigned)(bits % 64);
    for (uint64_t i = 0; i < 4; i++) {
        uint64_t low = limbs < 4 - i ? v.limb[i + limbs] : fill;
        uint64_t high = limbs < 3 - i ? v.limb[i + limbs + 1] : fill;
        r->limb[i] = rest == 0 ? low : low >> rest | high << (64 - rest);
    }
}

static inline void word_shr(struct u256 *r, const struct u256 *shift, const struct u256 *value)
{
    word_shift_right(r, shift, value, 0);
}

static inline void word_sar(struct u256 *r, const struct u256 *shift, const struct u256 *value)
{
    word_shift_right(r, shift, value, (uint64_t)0 - (value->limb[3] >> 63));
}

static inline void word_byte(struct u256 *r, const struct u256 *index, const struct u256 *value)
{
    uint64_t from_top = word_saturated(index);
    if (from_top >= 32) {
        *r = word_u64(0);
        return;
    }
    uint64_t from_bottom = 31 - from_top;
    *r = word_u64(value->limb[from_bottom / 8] >> (from_bottom % 8 * 8) & 0xff);
}

/* Spreads the top bit of byte `index` (0 is the lowest) over all above it. */
static inline void word_signextend(struct u256 *r, const struct u256 *index,
                                   const struct u256 *value)
{
    struct u256 v = *value;
    uint64_t from_bottom = word_saturated(index);
    if (from_bottom < 31) {
        uint64_t limb = from_bottom / 8;
        unsigned rest = (unsigned)(from_bottom % 8 * 8 + 7);
        uint64_t sign = (uint64_t)0 - (v.limb[limb] >> rest & 1);
        uint64_t above = ~UINT64_C(0) << rest;
        v.limb[limb] = (v.limb[limb] & ~above) | (sign & above);
        for (uint64_t i = limb + 1; i < 4; i++)
            v.limb[i] = sign;
    }
    *r = v;
}

static inline unsigned word_byte_length(const struct u256 *a)
{
    for (unsigned i = 4; i-- > 0;) {
        if (a->limb[i] == 0) continue;
        return 8 * i + (unsigned)(71 - __builtin_clzll(a->limb[i])) / 8;
    }
    return 0;
}

#endif
