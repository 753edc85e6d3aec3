/* The compression function F of BLAKE2b (RFC 7693, section 3.2) as a precompile (EIP-152). */
#include "base/bytes.h"
#include "vm/precompile.h"

#include <string.h>

#define INPUT_BYTES 213 /* rounds 4 | h 64 | m 128 | t 16 | final 1 */

static const uint64_t initial[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

static const uint8_t schedule[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static uint64_t load_le64(const uint8_t *from)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++)
        v |= (uint64_t)from[i] << (8 * i);
    return v;
}

static void store_le64(uint8_t *to, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        to[i] = (uint8_t)(v >> (8 * i));
}

static inline uint64_t rotate(uint64_t v, unsigned bits)
{
    return v >> bits | v << (64 - bits);
}

static inline void mix(uint64_t *a, uint64_t *b, uint64_t *c, uint64_t *d, uint64_t x, uint64_t y)
{
    *a += *b + x;
    *d = rotate(*d ^ *a, 32);
    *c += *d;
    *b = rotate(*b ^ *c, 24);
    *a += *b + y;
    *d = rotate(*d ^ *a, 16);
    *c += *d;
    *b = rotate(*b ^ *c, 63);
}

static inline __attribute__((always_inline)) void round_of(uint64_t v[16], const uint64_t m[16],
                                                           const uint8_t s[16])
{
    mix(&v[0], &v[4], &v[8], &v[12], m[s[0]], m[s[1]]);
    mix(&v[1], &v[5], &v[9], &v[13], m[s[2]], m[s[3]]);
    mix(&v[2], &v[6], &v[10], &v[14], m[s[4]], m[s[5]]);
    mix(&v[3], &v[7], &v[11], &v[15], m[s[6]], m[s[7]]);
    mix(&v[0], &v[5], &v[10], &v[15], m[s[8]], m[s[9]]);
    mix(&v[1], &v[6], &v[11], &v[12], m[s[10]], m[s[11]]);
    mix(&v[2], &v[7], &v[8], &v[13], m[s[12]], m[s[13]]);
    mix(&v[3], &v[4], &v[9], &v[14], m[s[14]], m[s[15]]);
}

/* A whole turn of the schedule: its entries are constants here, so v stays in registers and m is
 * read without detours, which is nearly twice as fast. */
static void ten_rounds(uint64_t v[16], const uint64_t m[16])
{
    round_of(v, m, schedule[0]);
    round_of(v, m, schedule[1]);
    round_of(v, m, schedule[2]);
    round_of(v, m, schedule[3]);
    round_of(v, m, schedule[4]);
    round_of(v, m, schedule[5]);
    round_of(v, m, schedule[6]);
    round_of(v, m, schedule[7]);
    round_of(v, m, schedule[8]);
    round_of(v, m, schedule[9]);
}

static void compress(uint64_t h[8], uint32_t rounds, const uint64_t m[16], const uint64_t t[2],
                     bool is_final)
{
    uint64_t v[16];
    memcpy(v, h, 64);
    memcpy(v + 8, initial, 64);
    v[12] ^= t[0];
    v[13] ^= t[1];
    if (is_final) v[14] = ~v[14];
    for (uint32_t turns = rounds / 10; turns > 0; turns--)
        ten_rounds(v, m);
    for (uint32_t i = 0; i < rounds % 10; i++)
        round_of(v, m, schedule[i]);
    for (size_t i = 0; i < 8; i++)
        h[i] ^= v[i] ^ v[i + 8];
}

enum evm_result blake2f_run(int64_t *gas, struct buffer *out, struct bytes input)
{
    if (input.size != INPUT_BYTES || input.data[212] > 1) return EVM_PRECOMPILE;
    uint32_t rounds = load_be32(input.data);
    *gas -= rounds;
    if (*gas < 0) return EVM_OUT_OF_GAS;
    uint64_t h[8], m[16], t[2];
    for (size_t i = 0; i < 8; i++)
        h[i] = load_le64(input.data + 4 + 8 * i);
    for (size_t i = 0; i < 16; i++)
        m[i] = load_le64(input.data + 68 + 8 * i);
    for (size_t i = 0; i < 2; i++)
        t[i] = load_le64(input.data + 196 + 8 * i);
    compress(h, rounds, m, t, input.data[212] == 1);
    uint8_t *result = buffer_extend(out, 64);
    for (size_t i = 0; i < 8; i++)
        store_le64(result + 8 * i, h[i]);
    return EVM_SUCCESS;
}
