#include "compute/page_hash.h"

#include <assert.h>
#include <stdatomic.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

#define BLOCK_BYTES 64

/* FIPS 180-4, section 4.2.2. */
static const uint32_t K[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static const uint32_t START[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

typedef void compress(uint32_t state[8], const uint8_t *blocks, size_t count);

static uint32_t load32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static void store32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t turn(uint32_t x, int by)
{
    return x >> by | x << (32 - by);
}

/* Section 6.2.2; the schedule is a ring of 16 words. */
static void compress_block(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[16], s[8];
    memcpy(s, state, sizeof s);
    for (int t = 0; t < 64; t++) {
        uint32_t *at = &w[t & 15];
        if (t < 16) {
            *at = load32(block + (size_t)t * 4);
        } else {
            uint32_t far = w[(t + 1) & 15], near = w[(t + 14) & 15];
            *at += w[(t + 9) & 15] + (turn(far, 7) ^ turn(far, 18) ^ far >> 3) +
                   (turn(near, 17) ^ turn(near, 19) ^ near >> 10);
        }
        uint32_t one = s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) +
                       ((s[4] & s[5]) ^ (~s[4] & s[6])) + K[t] + *at;
        uint32_t two = (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) +
                       ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += one;
        s[0] = one + two;
    }
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

static void compress_plain(uint32_t state[8], const uint8_t *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        compress_block(state, blocks + i * BLOCK_BYTES);
}

#if defined(__x86_64__)

#define WITH_SHA __attribute__((target("sha,sse4.1")))

/* Four rounds of the schedule's next four words. */
WITH_SHA static inline __m128i next_words(const __m128i w[4], int i)
{
    __m128i sum = _mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]);
    sum = _mm_add_epi32(sum, _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4));
    return _mm_sha256msg2_epu32(sum, w[(i + 3) & 3]);
}

/* The instructions keep the state as (a b e f) and (c d g h): Intel's "SHA Extensions", 2013. */
WITH_SHA static void compress_sha(uint32_t state[8], const uint8_t *blocks, size_t count)
{
    const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0bll, 0x0405060700010203ll);
    __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const void *)state), 0xb1);
    __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const void *)(state + 4)), 0x1b);
    __m128i abef = _mm_alignr_epi8(low, high, 8);
    __m128i cdgh = _mm_blend_epi16(high, low, 0xf0);
    for (; count > 0; count--, blocks += BLOCK_BYTES) {
        __m128i w[4], abef_before = abef, cdgh_before = cdgh;
        for (int i = 0; i < 4; i++) {
            w[i] = _mm_loadu_si128((const void *)(blocks + (size_t)i * 16));
            w[i] = _mm_shuffle_epi8(w[i], order);
        }
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            if (i >= 4) w[i & 3] = next_words(w, i);
            __m128i sum =
                _mm_add_epi32(w[i & 3], _mm_load_si128((const void *)(K + (size_t)i * 4)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    low = _mm_shuffle_epi32(abef, 0x1b);
    high = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((void *)state, _mm_blend_epi16(low, high, 0xf0));
    _mm_storeu_si128((void *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

static bool have_sha(void)
{
    unsigned a, b, c, d;
    bool sse41 = __get_cpuid(1, &a, &b, &c, &d) != 0 && (c >> 19 & 1) != 0;
    return sse41 && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b >> 29 & 1) != 0;
}

#else

static void compress_sha(uint32_t state[8], const uint8_t *blocks, size_t count)
{
    compress_plain(state, blocks, count);
}

static bool have_sha(void)
{
    return false;
}

#endif

static _Atomic(compress *) chosen; /* NULL until somebody asked */

void page_hash_force_plain(bool plain)
{
    atomic_store(&chosen, !plain && have_sha() ? compress_sha : compress_plain);
}

static compress *best(void)
{
    compress *known = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (known != NULL) return known;
    page_hash_force_plain(false);
    return atomic_load(&chosen);
}

/* SHA-256 of one byte and `size` more, which need not lie in one piece with it. */
static void hash_behind_tag(struct hash *out, uint8_t tag, const uint8_t *data, size_t size)
{
    compress *run = best();
    uint32_t state[8];
    uint8_t edge[2 * BLOCK_BYTES] = {tag};
    size_t first = size < BLOCK_BYTES - 1 ? size : BLOCK_BYTES - 1;
    size_t used = first + 1;
    uint64_t bits = ((uint64_t)size + 1) * 8;
    memcpy(state, START, sizeof state);
    memcpy(edge + 1, data, first);
    if (used == BLOCK_BYTES) {
        size_t whole = (size - first) / BLOCK_BYTES;
        run(state, edge, 1);
        run(state, data + first, whole);
        data += first + whole * BLOCK_BYTES;
        used = size - first - whole * BLOCK_BYTES;
        memset(edge, 0, sizeof edge);
        if (used > 0) memcpy(edge, data, used);
    }
    assert(used < BLOCK_BYTES);
    size_t blocks = used + 9 > BLOCK_BYTES ? 2 : 1;
    edge[used] = 0x80;
    for (size_t i = 0; i < 8; i++)
        edge[blocks * BLOCK_BYTES - 1 - i] = (uint8_t)(bits >> (8 * i));
    run(state, edge, blocks);
    for (size_t i = 0; i < 8; i++)
        store32(out->b + i * 4, state[i]);
}

void page_hash_leaf(struct hash *out, const void *leaf, size_t size)
{
    hash_behind_tag(out, 0, leaf, size);
}

void page_hash_node(struct hash *out, const struct hash *left, const struct hash *right)
{
    uint8_t both[64];
    memcpy(both, left->b, 32);
    memcpy(both + 32, right->b, 32);
    hash_behind_tag(out, 1, both, sizeof both);
}

void page_hash_root(struct hash *out, uint64_t size_bytes, const struct hash *top)
{
    uint8_t both[40];
    for (size_t i = 0; i < 8; i++)
        both[i] = (uint8_t)(size_bytes >> (56 - 8 * i));
    memcpy(both + 8, top->b, 32);
    hash_behind_tag(out, 2, both, sizeof both);
}
