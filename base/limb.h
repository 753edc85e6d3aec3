/* limb.h - 64-bit limbs and the carries between them: the steps that wide arithmetic is made of.
 *
 * Numbers are arrays of limbs, least significant first; an output may be one of the inputs unless
 * said otherwise. Pure functions, all inlined. On x86-64 carries stay in the processor's flag (gcc
 * moves those of a 128-bit sum out and back) and two limbs are divided by one in hardware; the text
 * beside it needs only a 64x64 product, and U256_PORTABLE chooses it everywhere, for tests. */
#ifndef LEASEHOLD_BASE_LIMB_H
#define LEASEHOLD_BASE_LIMB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) && !defined(U256_PORTABLE)
#define LIMB_X86_64 1
#include <immintrin.h>
#else
#define LIMB_X86_64 0
#endif

__extension__ typedef unsigned __int128 u128;

/* a + b + carry; the carry in and out is 0 or 1. */
static inline uint64_t add_carry(unsigned char *carry, uint64_t a, uint64_t b)
{
#if LIMB_X86_64
    unsigned long long sum;
    *carry = _addcarry_u64(*carry, a, b, &sum);
    return sum;
#else
    u128 sum = (u128)a + b + *carry;
    *carry = (unsigned char)(sum >> 64);
    return (uint64_t)sum;
#endif
}

/* a - b - borrow; the borrow in and out is 0 or 1. */
static inline uint64_t sub_borrow(unsigned char *borrow, uint64_t a, uint64_t b)
{
#if LIMB_X86_64
    unsigned long long difference;
    *borrow = _subborrow_u64(*borrow, a, b, &difference);
    return difference;
#else
    u128 difference = (u128)a - b - *borrow;
    *borrow = (unsigned char)(difference >> 64 & 1);
    return (uint64_t)difference;
#endif
}

static inline uint64_t high_limb(u128 a)
{
    return (uint64_t)(a >> 64);
}

/* The upper limb of (high:low) << shift, for a shift of 0..63. */
static inline uint64_t shift_limbs(uint64_t high, uint64_t low, unsigned shift)
{
    return high << shift | low >> 1 >> (63 - shift);
}

/* One by one, and not as a struct: that would move in vectors, and a vector that is read from limbs
 * which were just written one by one waits until those stores are done. */
static inline void limbs_set(uint64_t r[4], uint64_t l0, uint64_t l1, uint64_t l2, uint64_t l3)
{
    r[0] = l0;
    r[1] = l1;
    r[2] = l2;
    r[3] = l3;
}

/* r = a + b + carry; returns the carry. Written limb by limb, here and below: gcc keeps the carry
 * in the flag only outside of loops. */
static inline unsigned char limbs_add_with(unsigned char carry, uint64_t r[4], const uint64_t a[4],
                                           const uint64_t b[4])
{
    uint64_t r0 = add_carry(&carry, a[0], b[0]);
    uint64_t r1 = add_carry(&carry, a[1], b[1]);
    uint64_t r2 = add_carry(&carry, a[2], b[2]);
    uint64_t r3 = add_carry(&carry, a[3], b[3]);
    limbs_set(r, r0, r1, r2, r3);
    return carry;
}

/* r = a + b; returns the carry. */
static inline unsigned char limbs_add(uint64_t r[4], const uint64_t a[4], const uint64_t b[4])
{
    return limbs_add_with(0, r, a, b);
}

/* r = a - b; returns the borrow. */
static inline unsigned char limbs_sub(uint64_t r[4], const uint64_t a[4], const uint64_t b[4])
{
    unsigned char borrow = 0;
    uint64_t r0 = sub_borrow(&borrow, a[0], b[0]);
    uint64_t r1 = sub_borrow(&borrow, a[1], b[1]);
    uint64_t r2 = sub_borrow(&borrow, a[2], b[2]);
    uint64_t r3 = sub_borrow(&borrow, a[3], b[3]);
    limbs_set(r, r0, r1, r2, r3);
    return borrow;
}

static inline bool limbs_less(const uint64_t a[4], const uint64_t b[4])
{
    unsigned char borrow = 0;
    (void)sub_borrow(&borrow, a[0], b[0]);
    (void)sub_borrow(&borrow, a[1], b[1]);
    (void)sub_borrow(&borrow, a[2], b[2]);
    (void)sub_borrow(&borrow, a[3], b[3]);
    return borrow != 0;
}

/* r = a * b modulo 2^256: row by row, each row's own carries first. */
static inline void limbs_multiply_low(uint64_t r[4], const uint64_t a[4], const uint64_t b[4])
{
    unsigned char carry = 0;
    u128 p0 = (u128)a[0] * b[0];
    u128 p1 = (u128)a[0] * b[1];
    u128 p2 = (u128)a[0] * b[2];
    uint64_t r1 = add_carry(&carry, high_limb(p0), (uint64_t)p1);
    uint64_t r2 = add_carry(&carry, high_limb(p1), (uint64_t)p2);
    uint64_t r3 = add_carry(&carry, high_limb(p2), a[0] * b[3]);
    u128 q0 = (u128)a[1] * b[0];
    u128 q1 = (u128)a[1] * b[1];
    carry = 0;
    uint64_t s2 = add_carry(&carry, high_limb(q0), (uint64_t)q1);
    uint64_t s3 = add_carry(&carry, high_limb(q1), a[1] * b[2]);
    carry = 0;
    r1 = add_carry(&carry, r1, (uint64_t)q0);
    r2 = add_carry(&carry, r2, s2);
    r3 = add_carry(&carry, r3, s3);
    u128 t0 = (u128)a[2] * b[0];
    s3 = high_limb(t0) + a[2] * b[1] + a[3] * b[0];
    carry = 0;
    r2 = add_carry(&carry, r2, (uint64_t)t0);
    r3 = add_carry(&carry, r3, s3);
    limbs_set(r, (uint64_t)p0, r1, r2, r3);
}

/* r = a * a modulo 2^256: the products of different limbs once, doubled. */
static inline void limbs_square_low(uint64_t r[4], const uint64_t a[4])
{
    unsigned char carry = 0;
    u128 p01 = (u128)a[0] * a[1];
    u128 p02 = (u128)a[0] * a[2];
    u128 p00 = (u128)a[0] * a[0];
    u128 p11 = (u128)a[1] * a[1];
    uint64_t d1 = (uint64_t)p01;
    uint64_t d2 = add_carry(&carry, high_limb(p01), (uint64_t)p02);
    uint64_t d3 = add_carry(&carry, high_limb(p02), a[0] * a[3] + a[1] * a[2]);
    d3 = d3 << 1 | d2 >> 63;
    d2 = d2 << 1 | d1 >> 63;
    d1 = d1 << 1;
    carry = 0;
    r[0] = (uint64_t)p00;
    r[1] = add_carry(&carry, high_limb(p00), d1);
    r[2] = add_carry(&carry, (uint64_t)p11, d2);
    r[3] = add_carry(&carry, high_limb(p11), d3);
}

/* out = x * b; out and b are apart. */
static inline void limbs_row(uint64_t out[5], uint64_t x, const uint64_t b[4])
{
    u128 p0 = (u128)x * b[0];
    u128 p1 = (u128)x * b[1];
    u128 p2 = (u128)x * b[2];
    u128 p3 = (u128)x * b[3];
    unsigned char carry = 0;
    out[0] = (uint64_t)p0;
    out[1] = add_carry(&carry, high_limb(p0), (uint64_t)p1);
    out[2] = add_carry(&carry, high_limb(p1), (uint64_t)p2);
    out[3] = add_carry(&carry, high_limb(p2), (uint64_t)p3);
    out[4] = add_carry(&carry, high_limb(p3), 0); /* a product of 1 and 4 limbs fits 5 */
}

/* r[0..4] = r[0..3] + x * b; r and b are apart. */
static inline void limbs_add_row(uint64_t r[5], uint64_t x, const uint64_t b[4])
{
    uint64_t row[5];
    limbs_row(row, x, b);
    unsigned char carry = limbs_add(r, r, row);
    r[4] = add_carry(&carry, row[4], 0);
}

/* The whole product; r is apart from a and b. */
static inline void limbs_multiply(uint64_t r[8], const uint64_t a[4], const uint64_t b[4])
{
    limbs_row(r, a[0], b);
    limbs_add_row(r + 1, a[1], b);
    limbs_add_row(r + 2, a[2], b);
    limbs_add_row(r + 3, a[3], b);
}

/* r = a << bits, for less than 256. Whole limbs are chosen by selects and not by index, so that
 * none lies in memory between. */
static inline void limbs_shift_left(uint64_t r[4], const uint64_t a[4], unsigned bits)
{
    bool by_two = (bits & 128) != 0;
    bool by_one = (bits & 64) != 0;
    unsigned rest = bits & 63;
    uint64_t v3 = by_two ? a[1] : a[3];
    uint64_t v2 = by_two ? a[0] : a[2];
    uint64_t v1 = by_two ? 0 : a[1];
    uint64_t v0 = by_two ? 0 : a[0];
    v3 = by_one ? v2 : v3;
    v2 = by_one ? v1 : v2;
    v1 = by_one ? v0 : v1;
    v0 = by_one ? 0 : v0;
    r[3] = shift_limbs(v3, v2, rest);
    r[2] = shift_limbs(v2, v1, rest);
    r[1] = shift_limbs(v1, v0, rest);
    r[0] = v0 << rest;
}

/* r = a >> bits, for less than 256; the bits that come in are `fill`, 0 or all ones. */
static inline void limbs_shift_right(uint64_t r[4], const uint64_t a[4], unsigned bits,
                                     uint64_t fill)
{
    bool by_two = (bits & 128) != 0;
    bool by_one = (bits & 64) != 0;
    unsigned rest = bits & 63;
    uint64_t v0 = by_two ? a[2] : a[0];
    uint64_t v1 = by_two ? a[3] : a[1];
    uint64_t v2 = by_two ? fill : a[2];
    uint64_t v3 = by_two ? fill : a[3];
    v0 = by_one ? v1 : v0;
    v1 = by_one ? v2 : v1;
    v2 = by_one ? v3 : v2;
    v3 = by_one ? fill : v3;
    r[0] = v0 >> rest | v1 << 1 << (63 - rest);
    r[1] = v1 >> rest | v2 << 1 << (63 - rest);
    r[2] = v2 >> rest | v3 << 1 << (63 - rest);
    r[3] = v3 >> rest | fill << 1 << (63 - rest);
}

/* floor((2^128 - 1) / d) - 2^64 for a d with its top bit set. */
static inline uint64_t limb_reciprocal(uint64_t d)
{
#if LIMB_X86_64
    uint64_t v;
    uint64_t rest;
    __asm__("divq %[d]" : "=a"(v), "=d"(rest) : "0"(UINT64_MAX), "1"(~d), [d] "r"(d) : "cc");
    return v;
#else
    /* Newton's steps of Moeller and Granlund, "Improved division by invariant integers" (2011),
     * algorithm 3; a 32-bit division gives the first digits in place of their table. */
    uint64_t odd = d & 1;
    uint64_t v0 = 0x7fd00 / (uint32_t)(d >> 55);
    uint64_t d40 = (d >> 24) + 1;
    uint64_t v1 = (v0 << 11) - (v0 * v0 * d40 >> 40) - 1;
    uint64_t v2 = (v1 << 13) + (v1 * ((UINT64_C(1) << 60) - v1 * d40) >> 47);
    uint64_t e = (v2 >> 1 & (0 - odd)) - v2 * ((d >> 1) + odd);
    uint64_t v3 = (v2 << 31) + (high_limb((u128)v2 * e) >> 1);
    return v3 - high_limb((u128)v3 * d + d) - d;
#endif
}

/* (high:low) / d for high < d, where d has its top bit set and v is its reciprocal: algorithm 4
 * of the same paper. */
static inline uint64_t limb_divide_by(uint64_t *rest, uint64_t high, uint64_t low, uint64_t d,
                                      uint64_t v)
{
    u128 guess = (u128)v * high + ((u128)high << 64 | low);
    uint64_t q = high_limb(guess) + 1;
    uint64_t r = low - q * d;
    uint64_t mask = r > (uint64_t)guess ? UINT64_MAX : 0; /* often, and no branch foretells it */
    q += mask;
    r += mask & d;
    if (__builtin_expect(r >= d, 0)) {
        q++;
        r -= d;
    }
    *rest = r;
    return q;
}

/* (high:low) / d for high < d. */
static inline uint64_t limb_divide(uint64_t *rest, uint64_t high, uint64_t low, uint64_t d)
{
#if LIMB_X86_64
    uint64_t q;
    __asm__("divq %[d]" : "=a"(q), "=d"(*rest) : "0"(low), "1"(high), [d] "r"(d) : "cc");
    return q;
#else
    unsigned shift = (unsigned)__builtin_clzll(d);
    d <<= shift;
    uint64_t q =
        limb_divide_by(rest, shift_limbs(high, low, shift), low << shift, d, limb_reciprocal(d));
    *rest >>= shift;
    return q;
#endif
}

#endif
