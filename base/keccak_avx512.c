/* Keccak-f[1600] on five 512-bit registers. All arithmetic on coordinates is modulo 5.
 *
 * Five lanes lie in the first five positions of each register; the other three stay zero. What a
 * round wants:
 *
 *   theta  the five lanes of a column at one position of the five registers: then the parities are
 *          four XORs.
 *   chi    the three lanes that meet at one position of three registers.
 *   pi     lane (x, y) becomes lane (y, 2x + 3y). Nothing is moved for it: it is a change of names.
 *
 * So a round needs only turns (cyclic moves within a register), one into theta's position and one
 * into chi's. A register's lanes are a line of the plane of x and y, and pi turns such lines
 * through all six slopes before the first comes again. In four of the six rounds turns meet both
 * conditions (`round_oblique`). When the registers become rows chi happens inside each of them
 * (`round_rows`); when they are columns theta does (`round_columns`). After six rounds row y lies
 * in register 2y; renamed, the next six begin as the first did.
 *
 * What counts is the chain of dependent instructions, and a turn is its longest link (5 cycles on
 * Zen 5, the others 2). Hence an oblique round does not turn the state twice: a register as it came
 * from chi is rotated and turned right into its next place, off the chain, while the chain goes
 * through the parities alone (a turn, two XORs, a turn, a rotation, an XOR, chi). And a round's
 * constant is not added at its end but before the next theta, beside the chain. */
#include "base/keccak_permute.h"

#if defined(__x86_64__)

#include <immintrin.h>

/* The text below stands in the order in which it runs best; gcc's own order costs 5 % on Zen 5. */
#if !defined(__clang__)
#pragma GCC optimize("no-schedule-insns2")
#endif

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,bmi2")))
#define INLINE static inline __attribute__((always_inline)) AVX512
#define UNROLL _Pragma("GCC unroll 5")

typedef __m512i reg;

#define MOD5(n) (((n) % 5 + 5) % 5)

/* rho's rotations, those of a column in one number: 6 bits each, y = 0 lowest. */
#define COLUMN_OF(y0, y1, y2, y3, y4) ((y0) | (y1) << 6 | (y2) << 12 | (y3) << 18 | (y4) << 24)
#define RHO_COLUMN(x)                                                                              \
    ((x) == 0   ? COLUMN_OF(0, 36, 3, 41, 18)                                                      \
     : (x) == 1 ? COLUMN_OF(1, 44, 10, 45, 2)                                                      \
     : (x) == 2 ? COLUMN_OF(62, 6, 43, 15, 61)                                                     \
     : (x) == 3 ? COLUMN_OF(28, 55, 25, 21, 56)                                                    \
                : COLUMN_OF(27, 20, 39, 8, 14))
#define RHO(x, y, more) (((RHO_COLUMN(MOD5(x)) >> 6 * MOD5(y)) + (more)) & 63)

/* The rotations of register r when its position p holds lane (x0 r + x1 p, y0 r + y1 p). */
#define LANE_RHO(x0, x1, y0, y1, more, r, p)                                                       \
    RHO((x0) * (r) + (x1) * (p), (y0) * (r) + (y1) * (p), more)
#define REGISTER_RHO(x0, x1, y0, y1, more, r)                                                      \
    {                                                                                              \
        LANE_RHO(x0, x1, y0, y1, more, r, 0), LANE_RHO(x0, x1, y0, y1, more, r, 1),                \
            LANE_RHO(x0, x1, y0, y1, more, r, 2), LANE_RHO(x0, x1, y0, y1, more, r, 3),            \
            LANE_RHO(x0, x1, y0, y1, more, r, 4)                                                   \
    }
#define PLACE_RHO(x0, x1, y0, y1, more)                                                            \
    {                                                                                              \
        REGISTER_RHO(x0, x1, y0, y1, more, 0), REGISTER_RHO(x0, x1, y0, y1, more, 1),              \
            REGISTER_RHO(x0, x1, y0, y1, more, 2), REGISTER_RHO(x0, x1, y0, y1, more, 3),          \
            REGISTER_RHO(x0, x1, y0, y1, more, 4)                                                  \
    }

/* Where rho rotates: a register's own lanes as they come, and at the place where chi wants them the
 * parity of the column to the left, and that of the column to the right, which theta rotates by one
 * more. */
struct rotations {
    _Alignas(64) uint64_t own[5][8];
    _Alignas(64) uint64_t left[5][8];
    _Alignas(64) uint64_t right[5][8];
};
static const struct rotations ROTATIONS[6] = {
    {PLACE_RHO(0, 1, 1, 0, 0), PLACE_RHO(1, 1, 1, 0, 0), PLACE_RHO(1, 1, 1, 0, 1)},
    {PLACE_RHO(1, 0, 0, 2, 0), PLACE_RHO(1, 0, 1, 4, 0), PLACE_RHO(1, 0, 1, 4, 1)},
    {PLACE_RHO(1, 4, 0, 2, 0), PLACE_RHO(4, 4, 4, 2, 0), PLACE_RHO(4, 4, 4, 2, 1)},
    {PLACE_RHO(4, 2, 0, 4, 0), PLACE_RHO(3, 2, 3, 4, 0), PLACE_RHO(3, 2, 3, 4, 1)},
    {PLACE_RHO(3, 4, 0, 1, 0), PLACE_RHO(4, 4, 4, 1, 0), PLACE_RHO(4, 4, 4, 1, 1)},
    {PLACE_RHO(0, 1, 1, 1, 0), PLACE_RHO(0, 1, 1, 1, 0), PLACE_RHO(0, 1, 1, 1, 1)},
};

/* TURNS[n]: what was at position p goes to p + n. */
static const _Alignas(64) uint64_t TURNS[5][8] = {{0, 1, 2, 3, 4, 5, 6, 7},
                                                  {4, 0, 1, 2, 3, 5, 6, 7},
                                                  {3, 4, 0, 1, 2, 5, 6, 7},
                                                  {2, 3, 4, 0, 1, 5, 6, 7},
                                                  {1, 2, 3, 4, 0, 5, 6, 7}};

/* SPREADS[r]: position p takes what was at 2p + 3r. */
static const _Alignas(64) uint64_t SPREADS[5][8] = {{0, 2, 4, 1, 3, 5, 6, 7},
                                                    {3, 0, 2, 4, 1, 5, 6, 7},
                                                    {1, 3, 0, 2, 4, 5, 6, 7},
                                                    {4, 1, 3, 0, 2, 5, 6, 7},
                                                    {2, 4, 1, 3, 0, 5, 6, 7}};

INLINE reg move(reg a, const uint64_t from[8])
{
    return _mm512_permutexvar_epi64(_mm512_load_si512(from), a);
}

INLINE reg turn(reg a, int by)
{
    return MOD5(by) == 0 ? a : move(a, TURNS[MOD5(by)]);
}

INLINE reg rotate(reg a, const uint64_t counts[8])
{
    return _mm512_rolv_epi64(a, _mm512_load_si512(counts));
}

INLINE reg xor3(reg a, reg b, reg c)
{
    return _mm512_ternarylogic_epi64(a, b, c, 0x96);
}

INLINE reg chi(reg a, reg b, reg c)
{
    return _mm512_ternarylogic_epi64(a, b, c, 0xd2);
}

/* In lane (0, 0), which never leaves position 0 of register 0. */
INLINE reg round_constant(const uint64_t *constant)
{
    return _mm512_zextsi128_si512(_mm_loadl_epi64((const __m128i *)(const void *)constant));
}

/* Lane x + 1 lies `next` registers on. */
INLINE void chi_across(reg a[5], int next)
{
    reg b[5];
    UNROLL for (int r = 0; r < 5; r++) b[r] = a[r];
    UNROLL for (int r = 0; r < 5; r++) a[r] = chi(b[r], b[MOD5(r + next)], b[MOD5(r + 2 * next)]);
}

struct geometry { /* of an oblique round */
    int align;    /* register r is turned by align * r for theta, */
    int spread;   /* then by spread * r for chi; 1 or 4, which are their own inverses */
    int column;   /* for theta: column x + 1 stands so many positions on */
    int next;     /* for chi: lane x + 1 lies so many registers on */
};

INLINE void round_oblique(reg a[5], const uint64_t *constant, const struct rotations *rho,
                          struct geometry g)
{
    reg aligned[5], own[5], parity[5], left[5], right[5];
    UNROLL for (int r = 1; r < 5; r++) aligned[r] = turn(a[r], g.align * r);
    a[0] = _mm512_xor_si512(a[0], round_constant(constant));
    UNROLL for (int r = 0; r < 5; r++) own[r] =
        turn(rotate(a[r], rho->own[r]), (g.align + g.spread) * r);
    parity[0] = xor3(xor3(a[0], aligned[1], aligned[2]), aligned[3], aligned[4]);
    UNROLL for (int n = 1; n < 5; n++) parity[n] = turn(parity[0], n);
    UNROLL for (int n = 0; n < 5; n++)
    {
        int to_left = MOD5((n - g.column) * g.spread), to_right = MOD5((n + g.column) * g.spread);
        left[to_left] = rotate(parity[n], rho->left[to_left]);
        right[to_right] = rotate(parity[n], rho->right[to_right]);
    }
    UNROLL for (int r = 0; r < 5; r++) a[r] = xor3(own[r], left[r], right[r]);
    chi_across(a, g.next);
}

/* Register x is column x. Summed by turns, its parity stands at every position, so that no turn
 * follows. */
INLINE void round_columns(reg a[5], const uint64_t *constant, const struct rotations *rho)
{
    reg pair[5], fifth[5], parity[5];
    UNROLL for (int r = 0; r < 5; r++) pair[r] = _mm512_xor_si512(a[r], turn(a[r], 1));
    UNROLL for (int r = 0; r < 5; r++) fifth[r] = turn(a[r], 4);
    fifth[0] = _mm512_xor_si512(fifth[0], _mm512_set1_epi64((long long)*constant));
    a[0] = _mm512_xor_si512(a[0], round_constant(constant));
    UNROLL for (int r = 0; r < 5; r++) parity[r] = xor3(pair[r], turn(pair[r], 2), fifth[r]);
    UNROLL for (int r = 0; r < 5; r++) a[r] = move(rotate(a[r], rho->own[r]), SPREADS[r]);
    UNROLL for (int r = 0; r < 5; r++) a[r] = xor3(a[r], rotate(parity[MOD5(r + 4)], rho->left[r]),
                                                   rotate(parity[MOD5(r + 1)], rho->right[r]));
    chi_across(a, 1);
}

/* After pi the registers are rows: chi takes three turns of one register, and these also bring x to
 * position x, where the next theta wants it. */
INLINE void round_rows(reg a[5], const uint64_t *constant, const struct rotations *rho)
{
    UNROLL for (int r = 0; r < 5; r++) a[r] = turn(a[r], 4 * r);
    a[0] = _mm512_xor_si512(a[0], round_constant(constant));
    reg parity = xor3(xor3(a[1], a[2], a[3]), a[0], a[4]);
    reg left = turn(parity, 1), right = turn(parity, -1);
    UNROLL for (int r = 0; r < 5; r++) a[r] =
        xor3(rotate(a[r], rho->own[r]), rotate(left, rho->left[r]), rotate(right, rho->right[r]));
    UNROLL for (int r = 0; r < 5; r++) a[r] =
        chi(turn(a[r], r), turn(a[r], r - 1), turn(a[r], r - 2));
}

/* Row y in register y, x at position x. */
INLINE void permute(reg a[5])
{
    static const struct geometry first = {0, 4, 1, 1}, third = {4, 4, 4, 4};
    static const struct geometry fourth = {2, 1, 3, 2}, fifth = {2, 4, 4, 4};
    const uint64_t *c = KECCAK_ROUND_CONSTANTS; /* each is that of the round before */
    for (; c < KECCAK_ROUND_CONSTANTS + KECCAK_ROUNDS; c += 6) {
        round_oblique(a, c, &ROTATIONS[0], first);
        round_columns(a, c + 1, &ROTATIONS[1]);
        round_oblique(a, c + 2, &ROTATIONS[2], third);
        round_oblique(a, c + 3, &ROTATIONS[3], fourth);
        round_oblique(a, c + 4, &ROTATIONS[4], fifth);
        round_rows(a, c + 5, &ROTATIONS[5]);
        reg row[5];
        UNROLL for (int y = 0; y < 5; y++) row[y] = a[MOD5(2 * y)];
        UNROLL for (int y = 0; y < 5; y++) a[y] = row[y];
    }
    a[0] = _mm512_xor_si512(a[0], round_constant(c));
}

#define ROW_BYTES  40
#define ROW_LANES  0x1f
#define LAST_LANES 0x03 /* of the rate, in row 3 */

INLINE void xor_block(reg a[5], const uint8_t *block)
{
    UNROLL for (int y = 0; y < 4; y++)
    {
        __mmask8 lanes = y < 3 ? ROW_LANES : LAST_LANES;
        a[y] = _mm512_xor_si512(a[y], _mm512_maskz_loadu_epi64(lanes, block + ROW_BYTES * y));
    }
}

/* Fewer bytes than a block, and the padding (0x01, zeros, 0x80): masked loads read no byte beyond
 * the end and need no copy. */
INLINE void xor_end(reg a[5], const uint8_t *data, size_t size)
{
    const __m512i one = _mm512_set1_epi8(0x01);
    const uint64_t row_mask = (UINT64_C(1) << ROW_BYTES) - 1;
    UNROLL for (size_t y = 0; y < 4; y++)
    {
        size_t before = size < ROW_BYTES * y ? size : ROW_BYTES * y;
        size_t here = size - before;
        uint64_t bytes = here < ROW_BYTES ? (UINT64_C(1) << here) - 1 : row_mask;
        uint64_t end = before == ROW_BYTES * y && here < ROW_BYTES ? bytes + 1 : 0;
        reg row = _mm512_maskz_loadu_epi8(bytes, data + before);
        a[y] = _mm512_xor_si512(a[y], _mm512_mask_mov_epi8(row, end, one));
    }
    a[3] = _mm512_xor_si512(a[3], _mm512_set_epi64(0, 0, 0, 0, 0, 0, INT64_MIN, 0));
}

AVX512 static void absorb_avx512(uint64_t state[KECCAK_LANES], const uint8_t *blocks,
                                 size_t block_count)
{
    reg a[5];
    UNROLL for (int y = 0; y < 5; y++) a[y] = _mm512_maskz_loadu_epi64(ROW_LANES, state + 5 * y);
    for (; block_count > 0; block_count--, blocks += KECCAK_RATE_BYTES) {
        xor_block(a, blocks);
        permute(a);
    }
    UNROLL for (int y = 0; y < 5; y++) _mm512_mask_storeu_epi64(state + 5 * y, ROW_LANES, a[y]);
}

AVX512 static struct hash hash_avx512(struct bytes input)
{
    reg a[5];
    struct hash out;
    UNROLL for (int y = 0; y < 5; y++) a[y] = _mm512_setzero_si512();
    for (bool ended = false; !ended; input.data += KECCAK_RATE_BYTES) {
        ended = input.size < KECCAK_RATE_BYTES;
        if (ended)
            xor_end(a, input.data, input.size);
        else
            xor_block(a, input.data);
        permute(a);
        input.size -= KECCAK_RATE_BYTES;
    }
    _mm256_storeu_si256((__m256i *)(void *)out.b, _mm512_castsi512_si256(a[0]));
    return out;
}

static bool has_avx512(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi2") &&
           __builtin_cpu_supports("bmi2");
}

const struct keccak_way keccak_avx512 = {"avx512", has_avx512, absorb_avx512, hash_avx512};

#endif
