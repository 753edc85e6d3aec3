#include "client/leaf_pair.h"

#include <assert.h>

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define BLOCK_BYTES 64
#define INLINE      static inline __attribute__((always_inline, target("sha,sse4.1")))

/* FIPS 180-4, 4.2.2 and 5.3.3. */
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

/* The state as the instructions want it, and sixteen words of the schedule. */
struct chain {
    __m128i abef, cdgh;
    __m128i words[4];
};

INLINE void load_block(struct chain *c, const uint8_t *block)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    for (int i = 0; i < 4; i++) {
        __m128i raw = _mm_loadu_si128((const __m128i *)(const void *)(block + 16 * i));
        c->words[i] = _mm_shuffle_epi8(raw, swap);
    }
}

/* Rounds 4i to 4i + 3, and the four words that are wanted sixteen rounds later. */
INLINE void four_rounds(struct chain *c, int i)
{
    __m128i *w = c->words;
    __m128i k = _mm_load_si128((const __m128i *)(const void *)&K[4 * i]);
    __m128i sum = _mm_add_epi32(w[i % 4], k);
    c->cdgh = _mm_sha256rnds2_epu32(c->cdgh, c->abef, sum);
    c->abef = _mm_sha256rnds2_epu32(c->abef, c->cdgh, _mm_shuffle_epi32(sum, 0x0e));
    if (i >= 12) return;
    __m128i newest = w[(i + 3) % 4];
    __m128i next = _mm_sha256msg1_epu32(w[i % 4], w[(i + 1) % 4]);
    next = _mm_add_epi32(next, _mm_alignr_epi8(newest, w[(i + 2) % 4], 4));
    w[i % 4] = _mm_sha256msg2_epu32(next, newest);
}

INLINE void add_block_pair(struct chain *a, struct chain *b, const uint8_t *block_a,
                           const uint8_t *block_b)
{
    __m128i a_abef = a->abef, a_cdgh = a->cdgh, b_abef = b->abef, b_cdgh = b->cdgh;
    load_block(a, block_a);
    load_block(b, block_b);
    _Pragma("GCC unroll 16") for (int i = 0; i < 16; i++)
    {
        four_rounds(a, i);
        four_rounds(b, i);
    }
    a->abef = _mm_add_epi32(a->abef, a_abef);
    a->cdgh = _mm_add_epi32(a->cdgh, a_cdgh);
    b->abef = _mm_add_epi32(b->abef, b_abef);
    b->cdgh = _mm_add_epi32(b->cdgh, b_cdgh);
}

INLINE void start_chain(struct chain *c)
{
    const uint32_t *h = START;
    c->abef = _mm_set_epi32((int)h[0], (int)h[1], (int)h[4], (int)h[5]);
    c->cdgh = _mm_set_epi32((int)h[2], (int)h[3], (int)h[6], (int)h[7]);
}

INLINE void end_chain(struct hash *out, const struct chain *c)
{
    uint32_t abef[4], cdgh[4]; /* lowest lane first: f e b a */
    _mm_storeu_si128((__m128i *)(void *)abef, c->abef);
    _mm_storeu_si128((__m128i *)(void *)cdgh, c->cdgh);
    for (int i = 0; i < 2; i++) {
        store_be32(out->b + 4 * i, abef[3 - i]);
        store_be32(out->b + 8 + 4 * i, cdgh[3 - i]);
        store_be32(out->b + 16 + 4 * i, abef[1 - i]);
        store_be32(out->b + 24 + 4 * i, cdgh[1 - i]);
    }
}

/* The domain byte shifts a leaf by one: its blocks begin a byte before multiples of 64. */
static void make_first(uint8_t out[BLOCK_BYTES], const uint8_t *leaf)
{
    out[0] = 0;
    memcpy(out + 1, leaf, BLOCK_BYTES - 1);
}

static void make_last(uint8_t out[BLOCK_BYTES], const uint8_t *leaf)
{
    memset(out, 0, BLOCK_BYTES);
    out[0] = leaf[MERKLE_LEAF_BYTES - 1];
    out[1] = 0x80;
    store_be64(out + BLOCK_BYTES - 8, 8 * (MERKLE_LEAF_BYTES + 1));
}

__attribute__((target("sha,sse4.1"))) void leaf_pair_hash(struct hash out[2], const uint8_t *leaves)
{
    const uint8_t *other = leaves + MERKLE_LEAF_BYTES;
    uint8_t block_a[BLOCK_BYTES], block_b[BLOCK_BYTES];
    struct chain a, b;
    start_chain(&a);
    start_chain(&b);
    make_first(block_a, leaves);
    make_first(block_b, other);
    add_block_pair(&a, &b, block_a, block_b);
    for (size_t at = BLOCK_BYTES - 1; at + BLOCK_BYTES <= MERKLE_LEAF_BYTES; at += BLOCK_BYTES)
        add_block_pair(&a, &b, leaves + at, other + at);
    make_last(block_a, leaves);
    make_last(block_b, other);
    add_block_pair(&a, &b, block_a, block_b);
    end_chain(&out[0], &a);
    end_chain(&out[1], &b);
}

bool leaf_pair_is_there(void)
{
    unsigned a, b, c, d;
    bool has_sha = __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
    return has_sha && __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_SSE4_1) != 0;
}

#else

bool leaf_pair_is_there(void)
{
    return false;
}

void leaf_pair_hash(struct hash out[2], const uint8_t *leaves)
{
    (void)out;
    (void)leaves;
    assert(!"leaf_pair_is_there was not asked");
}

#endif
