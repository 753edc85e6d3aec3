/* vm/curve/scalar.h - 256-bit multipliers cut into signed digits. */
#ifndef LEASEHOLD_VM_CURVE_SCALAR_H
#define LEASEHOLD_VM_CURVE_SCALAR_H

#include "base/bytes.h"
#include "vm/curve/types.h"

#define SCALAR_BITS       256
#define SCALAR_DIGITS_MAX (SCALAR_BITS + 1)
#define MSM_WINDOW_MAX    12
#define MSM_FEW           24 /* points, up to which buckets do not pay (measured) */

/* 32 bytes, big-endian; any value. */
static inline void scalar_from_bytes(struct scalar *out, const uint8_t in[32])
{
    for (int i = 0; i < SCALAR_LIMBS; i++)
        out->limb[i] = load_be64(in + 8 * (SCALAR_LIMBS - 1 - i));
}

static inline bool scalar_is_below_order(const struct scalar *s)
{
    for (int i = SCALAR_LIMBS - 1; i >= 0; i--) {
        if (s->limb[i] != GROUP_ORDER.limb[i]) return s->limb[i] < GROUP_ORDER.limb[i];
    }
    return false;
}

/* `size` bits from bit `start` up; zeros beyond the top. size is below 32. */
static inline unsigned scalar_bits(const struct scalar *s, int start, int size)
{
    int limb = start / 64, shift = start % 64;
    if (start < 0 || limb >= SCALAR_LIMBS) return 0;
    uint64_t bits = s->limb[limb] >> shift;
    if (shift + size > 64 && limb + 1 < SCALAR_LIMBS) bits |= s->limb[limb + 1] << (64 - shift);
    return (unsigned)(bits & ((UINT64_C(1) << size) - 1));
}

/* Non-adjacent form of width 5: digits are 0 or odd in -15..15, of five in a row at most one is
 * not 0. */
OUTLINE void scalar_odd_digits(int8_t digits[SCALAR_DIGITS_MAX], const struct scalar *s)
{
    int carry = 0;
    for (int i = 0; i < SCALAR_DIGITS_MAX;) {
        int bits = (int)scalar_bits(s, i, 5) + carry;
        if ((bits & 1) == 0) { /* bit and carry cancel out or are both 0; the carry stays */
            digits[i++] = 0;
            continue;
        }
        carry = bits > 16;
        digits[i] = (int8_t)(bits - 32 * carry);
        for (int k = 1; k < 5 && i + k < SCALAR_DIGITS_MAX; k++)
            digits[i + k] = 0;
        i += 5;
    }
}

/* How many windows cover 256 bits and a carry. */
static inline int msm_windows(int window)
{
    return SCALAR_BITS / window + 1;
}

/* The window that costs the fewest additions: each window adds every point once (11 products) and
 * every bucket twice (16 products each). */
static inline int msm_window(size_t count)
{
    int best = 2;
    size_t best_cost = SIZE_MAX;
    for (int window = 2; window <= MSM_WINDOW_MAX; window++) {
        size_t buckets = (size_t)1 << (window - 1);
        size_t cost = (size_t)msm_windows(window) * (11 * count + 32 * buckets);
        if (cost >= best_cost) continue;
        best = window;
        best_cost = cost;
    }
    return best;
}

/* The signed digit of window number `index`, in -2^(window-1) .. 2^(window-1), of the recoding
 * (Booth's) in which the sum of digit 2^(window index) is s: the window's bits plus the bit below
 * it, minus 2^window if its own top bit is set. */
static inline int scalar_window(const struct scalar *s, int index, int window)
{
    int start = index * window;
    int bits = (int)scalar_bits(s, start, window), below = (int)scalar_bits(s, start - 1, 1);
    return bits + below - ((bits >> (window - 1)) << window);
}

#endif
