/* The ways to divide, by the divisor's limbs:
 *   one limb                   two limbs by one, from the top; by a reciprocal from three limbs on
 *   as many as the dividend    the quotient is one limb: guessed from the top, then corrected
 *   fewer than the dividend    limb by limb, guessed from three limbs by two (Knuth's algorithm D
 *                              with the reciprocals of Moeller and Granlund, "Improved division by
 *                              invariant integers", 2011)
 *
 * A modular product is one step of the same kind, with limbs of 256 bits: two of them divided by
 * the modulus with its 256-bit reciprocal. That reciprocal costs more than the step, and programs
 * multiply modulo the same number again and again, so each thread keeps the last. */
#include "base/u256_division.h"

#include "base/limb.h"

#include <assert.h>

#define ALWAYS_INLINE inline __attribute__((always_inline))

static inline void set_zero(struct u256 *r)
{
    limbs_set(r->limb, 0, 0, 0, 0);
}

static inline void copy_limbs(struct u256 *r, const struct u256 *a)
{
    limbs_set(r->limb, a->limb[0], a->limb[1], a->limb[2], a->limb[3]);
}

static inline bool is_zero(const struct u256 *a)
{
    return (a->limb[0] | a->limb[1] | a->limb[2] | a->limb[3]) == 0;
}

static inline unsigned limbs_used(const struct u256 *a)
{
    if (a->limb[3] != 0) return 4;
    if (a->limb[2] != 0) return 3;
    return a->limb[1] != 0 ? 2 : 1;
}

/* The reciprocal of (d1:d0), d1 with its top bit set: floor((2^192 - 1) / d) - 2^64 (algorithm
 * 6). */
static inline uint64_t reciprocal_of_two(uint64_t d1, uint64_t d0)
{
    uint64_t v = limb_reciprocal(d1);
    uint64_t p = d1 * v + d0;
    if (p < d0) {
        v--;
        if (p >= d1) {
            v--;
            p -= d1;
        }
        p -= d1;
    }
    u128 t = (u128)v * d0;
    p += high_limb(t);
    if (p < high_limb(t)) {
        v--;
        if (((u128)p << 64 | (uint64_t)t) >= ((u128)d1 << 64 | d0)) v--;
    }
    return v;
}

/* u[2..0] / d for (u[2]:u[1]) < d; the rest goes to u[1..0] (algorithm 5). */
static inline uint64_t divide_three_by_two(uint64_t u[3], uint64_t d1, uint64_t d0, uint64_t v)
{
    u128 d = (u128)d1 << 64 | d0;
    u128 guess = (u128)v * u[2] + ((u128)u[2] << 64 | u[1]);
    uint64_t q = high_limb(guess);
    u128 r = ((u128)(u[1] - q * d1) << 64 | u[0]) - (u128)d0 * q - d;
    q++;
    if (high_limb(r) >= (uint64_t)guess) {
        q--;
        r += d;
    }
    if (__builtin_expect(r >= d, 0)) {
        q++;
        r -= d;
    }
    u[1] = high_limb(r);
    u[0] = (uint64_t)r;
    return q;
}

/* u -= q * v over n limbs; returns what is to be subtracted from the limb above. */
static ALWAYS_INLINE uint64_t subtract_product(uint64_t *u, const uint64_t *v, size_t n, uint64_t q)
{
    uint64_t above = 0;
#pragma GCC unroll 5
    for (size_t i = 0; i < n; i++) {
        u128 product = (u128)q * v[i] + above;
        unsigned char borrow = 0;
        u[i] = sub_borrow(&borrow, u[i], (uint64_t)product);
        above = high_limb(product) + borrow;
    }
    return above;
}

/* u += v over n limbs; returns the carry. */
static ALWAYS_INLINE unsigned char add_back(uint64_t *u, const uint64_t *v, size_t n)
{
    unsigned char carry = 0;
#pragma GCC unroll 5
    for (size_t i = 0; i < n; i++)
        u[i] = add_carry(&carry, u[i], v[i]);
    return carry;
}

/* u[n..0] / v[n-1..0], a digit; the rest goes to u[n-1..0]. `reciprocal` is v's two top limbs'. */
static ALWAYS_INLINE uint64_t quotient_digit(uint64_t *u, const uint64_t *v, size_t n,
                                             uint64_t reciprocal)
{
    if (__builtin_expect(u[n] == v[n - 1] && u[n - 1] == v[n - 2], 0)) {
        /* The guess would not fit. It is the largest: what v's lower limbs take is less than v. */
        uint64_t above = subtract_product(u, v, n, UINT64_MAX);
        assert(above == u[n]);
        return UINT64_MAX;
    }
    uint64_t q = divide_three_by_two(u + n - 2, v[n - 1], v[n - 2], reciprocal);
    if (n == 2) return q;
    uint64_t above = subtract_product(u, v, n - 2, q);
    unsigned char borrow = 0;
    u[n - 2] = sub_borrow(&borrow, u[n - 2], above);
    u[n - 1] = sub_borrow(&borrow, u[n - 1], 0);
    if (__builtin_expect(borrow != 0, 0)) {
        q--;
        (void)add_back(u, v, n);
    }
    return q;
}

/* Divides u, m + 1 limbs of which the top one is less than v's, by v, n >= 2 limbs with the top
 * bit set: m - n + 1 digits to q, the rest to u[n-1..0]. */
static ALWAYS_INLINE void divide_normalized(uint64_t *q, uint64_t *u, size_t m, const uint64_t *v,
                                            size_t n)
{
    uint64_t reciprocal = reciprocal_of_two(v[n - 1], v[n - 2]);
#pragma GCC unroll 5
    for (size_t j = m - n + 1; j-- > 0;)
        q[j] = quotient_digit(u + j, v, n, reciprocal);
}

/* 4 limbs by n of 2 or 3. */
static ALWAYS_INLINE void divide_by_some(struct u256 *quotient, struct u256 *rest,
                                         const struct u256 *a, const struct u256 *b, size_t n)
{
    unsigned shift = (unsigned)__builtin_clzll(b->limb[n - 1]);
    uint64_t v[3];
    uint64_t u[5];
    v[0] = b->limb[0] << shift;
#pragma GCC unroll 5
    for (size_t i = 1; i < n; i++)
        v[i] = shift_limbs(b->limb[i], b->limb[i - 1], shift);
    u[0] = a->limb[0] << shift;
#pragma GCC unroll 5
    for (size_t i = 1; i < 4; i++)
        u[i] = shift_limbs(a->limb[i], a->limb[i - 1], shift);
    u[4] = shift_limbs(0, a->limb[3], shift);
    bool is_long = a->limb[3] != 0;
    set_zero(quotient);
    set_zero(rest);
    if (is_long)
        divide_normalized(quotient->limb, u, 4, v, n);
    else
        divide_normalized(quotient->limb, u, 3, v, n);
#pragma GCC unroll 5
    for (size_t i = 0; i < n; i++)
        rest->limb[i] = u[i] >> shift | (i + 1 < n ? u[i + 1] << 1 << (63 - shift) : 0);
}

/* For a >= b of the same n limbs, 2 to 4. The guess from the top is at most 2 too large. */
static ALWAYS_INLINE void divide_to_limb(struct u256 *quotient, struct u256 *rest,
                                         const struct u256 *a, const struct u256 *b, size_t n)
{
    unsigned shift = (unsigned)__builtin_clzll(b->limb[n - 1]);
    uint64_t unused;
    uint64_t q = limb_divide(&unused, shift_limbs(0, a->limb[n - 1], shift),
                             shift_limbs(a->limb[n - 1], a->limb[n - 2], shift),
                             shift_limbs(b->limb[n - 1], b->limb[n - 2], shift));
    uint64_t r[4] = {a->limb[0], a->limb[1], a->limb[2], a->limb[3]};
    uint64_t above = subtract_product(r, b->limb, n, q);
    while (above != 0) {
        above -= add_back(r, b->limb, n);
        q--;
    }
    limbs_set(rest->limb, r[0], r[1], r[2], r[3]);
    limbs_set(quotient->limb, q, 0, 0, 0);
}

static ALWAYS_INLINE void divide_by_limb(struct u256 *quotient, struct u256 *rest,
                                         const struct u256 *a, uint64_t d)
{
    unsigned shift = (unsigned)__builtin_clzll(d);
    uint64_t normalized = d << shift;
    uint64_t v = limb_reciprocal(normalized);
    uint64_t r = shift_limbs(a->limb[3], a->limb[2], shift);
    uint64_t q3 = 0;
    if (a->limb[3] != 0)
        q3 = limb_divide_by(&r, shift_limbs(0, a->limb[3], shift), r, normalized, v);
    uint64_t q2 = limb_divide_by(&r, r, shift_limbs(a->limb[2], a->limb[1], shift), normalized, v);
    uint64_t q1 = limb_divide_by(&r, r, shift_limbs(a->limb[1], a->limb[0], shift), normalized, v);
    uint64_t q0 = limb_divide_by(&r, r, a->limb[0] << shift, normalized, v);
    limbs_set(rest->limb, r >> shift, 0, 0, 0);
    limbs_set(quotient->limb, q0, q1, q2, q3);
}

/* For an `a` of one or two limbs. */
static ALWAYS_INLINE void divide_pair_by_limb(struct u256 *quotient, struct u256 *rest,
                                              const struct u256 *a, uint64_t d)
{
    uint64_t high = a->limb[1];
    uint64_t q1 = 0;
    uint64_t r;
    if (high >= d) {
        q1 = high / d;
        high -= q1 * d;
    }
    uint64_t q0 = limb_divide(&r, high, a->limb[0], d);
    limbs_set(rest->limb, r, 0, 0, 0);
    limbs_set(quotient->limb, q0, q1, 0, 0);
}

/* Each output may be one of the inputs, but not both the same; b is not zero. */
static void divide(struct u256 *quotient, struct u256 *rest, const struct u256 *a,
                   const struct u256 *b)
{
    unsigned n = limbs_used(b);
    if (n == 1 && (a->limb[2] | a->limb[3]) == 0) {
        divide_pair_by_limb(quotient, rest, a, b->limb[0]);
    } else if (n == 1) {
        divide_by_limb(quotient, rest, a, b->limb[0]);
    } else if (limbs_less(a->limb, b->limb)) {
        copy_limbs(rest, a);
        set_zero(quotient);
    } else if (n == limbs_used(a)) {
        if (n == 4)
            divide_to_limb(quotient, rest, a, b, 4);
        else if (n == 3)
            divide_to_limb(quotient, rest, a, b, 3);
        else
            divide_to_limb(quotient, rest, a, b, 2);
    } else if (n == 2) {
        divide_by_some(quotient, rest, a, b, 2);
    } else {
        divide_by_some(quotient, rest, a, b, 3);
    }
}

void u256_quotient(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    struct u256 unused;
    if (is_zero(b))
        set_zero(r);
    else
        divide(r, &unused, a, b);
}

void u256_remainder(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    struct u256 unused;
    if (is_zero(b))
        set_zero(r);
    else
        divide(&unused, r, a, b);
}

/* r = -a if `sign` is all ones, a if it is 0. */
static inline void set_sign(struct u256 *r, const struct u256 *a, uint64_t sign)
{
    const uint64_t flipped[4] = {a->limb[0] ^ sign, a->limb[1] ^ sign, a->limb[2] ^ sign,
                                 a->limb[3] ^ sign};
    const uint64_t minus_one[4] = {sign, sign, sign, sign};
    (void)limbs_sub(r->limb, flipped, minus_one);
}

static inline uint64_t sign_of(const struct u256 *a)
{
    return 0 - (a->limb[3] >> 63);
}

void u256_quotient_signed(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    uint64_t sign = sign_of(a) ^ sign_of(b);
    struct u256 x;
    struct u256 y;
    set_sign(&x, a, sign_of(a));
    set_sign(&y, b, sign_of(b));
    u256_quotient(&x, &x, &y);
    set_sign(r, &x, sign);
}

void u256_remainder_signed(struct u256 *r, const struct u256 *a, const struct u256 *b)
{
    uint64_t sign = sign_of(a);
    struct u256 x;
    struct u256 y;
    set_sign(&x, a, sign);
    set_sign(&y, b, sign_of(b));
    u256_remainder(&x, &x, &y);
    set_sign(r, &x, sign);
}

/* a if it is less than m, else the remainder in `room`. */
static inline const struct u256 *reduced(struct u256 *room, const struct u256 *a,
                                         const struct u256 *m)
{
    if (limbs_less(a->limb, m->limb)) return a;
    u256_remainder(room, a, m);
    return room;
}

void u256_sum_modulo(struct u256 *r, const struct u256 *a, const struct u256 *b,
                     const struct u256 *m)
{
    struct u256 rooms[2];
    uint64_t sum[4];
    uint64_t less[4];
    if (is_zero(m)) {
        set_zero(r);
        return;
    }
    const struct u256 *x = reduced(&rooms[0], a, m);
    const struct u256 *y = reduced(&rooms[1], b, m);
    unsigned char carry = limbs_add(sum, x->limb, y->limb);
    unsigned char borrow = limbs_sub(less, sum, m->limb);
    uint64_t keep = (uint64_t)carry - borrow; /* all ones only if the sum is below the modulus */
    limbs_set(r->limb, less[0] ^ ((less[0] ^ sum[0]) & keep), less[1] ^ ((less[1] ^ sum[1]) & keep),
              less[2] ^ ((less[2] ^ sum[2]) & keep), less[3] ^ ((less[3] ^ sum[3]) & keep));
}

/* A modulus that is ready to divide by. */
struct modulus {
    struct u256 value;
    struct u256 normalized; /* value << shift: the top bit is set */
    struct u256 reciprocal; /* floor((2^512 - 1) / normalized) - 2^256 */
    unsigned shift;
};

static void modulus_prepare(struct modulus *k, const struct u256 *m)
{
    unsigned used = limbs_used(m);
    uint64_t u[9];
    uint64_t q[5];
    copy_limbs(&k->value, m);
    k->shift = 64 * (4 - used) + (unsigned)__builtin_clzll(m->limb[used - 1]);
    limbs_shift_left(k->normalized.limb, m->limb, k->shift);
    for (int i = 0; i < 4; i++) {
        u[i] = UINT64_MAX;
        u[i + 4] = ~k->normalized.limb[i]; /* (2^512 - 1) - 2^256 * normalized */
    }
    u[8] = 0;
    divide_normalized(q, u, 8, k->normalized.limb, 4);
    assert(q[4] == 0);
    limbs_set(k->reciprocal.limb, q[0], q[1], q[2], q[3]);
}

static const struct modulus *modulus_of(const struct u256 *m)
{
    static _Thread_local struct modulus last; /* of zero at first, which nobody asks for */
    uint64_t differs = (last.value.limb[0] ^ m->limb[0]) | (last.value.limb[1] ^ m->limb[1]) |
                       (last.value.limb[2] ^ m->limb[2]) | (last.value.limb[3] ^ m->limb[3]);
    if (__builtin_expect(differs != 0, 0)) modulus_prepare(&last, m);
    return &last;
}

/* r = x mod k->normalized, for an x whose upper half is less than that: algorithm 4 with limbs of
 * 256 bits. Only the remainder is wanted, so the quotient's 1 more is the modulus once less. */
static inline void reduce(uint64_t r[4], const uint64_t x[8], const struct modulus *k)
{
    uint64_t guess[8];
    uint64_t q[4];
    limbs_multiply(guess, x + 4, k->reciprocal.limb);
    unsigned char carry = limbs_add(guess, guess, x);
    (void)limbs_add_with(carry, q, guess + 4, x + 4);
    limbs_multiply_low(q, q, k->normalized.limb);
    (void)limbs_sub(r, x, k->normalized.limb);
    (void)limbs_sub(r, r, q);
    /* Taken every other time: by a mask, for no branch could be foretold. */
    uint64_t mask = limbs_less(guess, r) ? UINT64_MAX : 0;
    limbs_set(q, k->normalized.limb[0] & mask, k->normalized.limb[1] & mask,
              k->normalized.limb[2] & mask, k->normalized.limb[3] & mask);
    (void)limbs_add(r, r, q);
    if (__builtin_expect(!limbs_less(r, k->normalized.limb), 0))
        (void)limbs_sub(r, r, k->normalized.limb);
}

void u256_product_modulo(struct u256 *r, const struct u256 *a, const struct u256 *b,
                         const struct u256 *m)
{
    struct u256 room;
    uint64_t x[4];
    uint64_t product[8];
    if (is_zero(m)) {
        set_zero(r);
        return;
    }
    const struct modulus *k = modulus_of(m);
    /* (a << shift) * b mod (m << shift) is the product's remainder, shifted. */
    limbs_shift_left(x, reduced(&room, a, m)->limb, k->shift);
    limbs_multiply(product, x, b->limb);
    reduce(x, product, k);
    limbs_shift_right(r->limb, x, k->shift, 0);
}
