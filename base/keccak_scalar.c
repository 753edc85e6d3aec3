/* One text, two ways: portable C, and on x86-64 once more for processors with ANDN and RORX, which
 * save chi's complements and the copies before rotations. Two rounds a step, from one set of 25
 * locals to another, so that nothing is moved. */
#include "base/keccak_permute.h"

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 25")

/* Spelled out, since compilers make one load of this and none of a loop. */
INLINE uint64_t load_le64(const uint8_t *from)
{
    return (uint64_t)from[0] | (uint64_t)from[1] << 8 | (uint64_t)from[2] << 16 |
           (uint64_t)from[3] << 24 | (uint64_t)from[4] << 32 | (uint64_t)from[5] << 40 |
           (uint64_t)from[6] << 48 | (uint64_t)from[7] << 56;
}

INLINE void store_le64(uint8_t *to, uint64_t value)
{
    UNROLL for (unsigned i = 0; i < 8; i++) to[i] = (uint8_t)(value >> 8 * i);
}

INLINE uint64_t rotl(uint64_t value, unsigned count)
{
    return value << count | value >> (64 - count);
}

INLINE void chi(uint64_t row[5], uint64_t b0, uint64_t b1, uint64_t b2, uint64_t b3, uint64_t b4)
{
    row[0] = b0 ^ (~b1 & b2);
    row[1] = b1 ^ (~b2 & b3);
    row[2] = b2 ^ (~b3 & b4);
    row[3] = b3 ^ (~b4 & b0);
    row[4] = b4 ^ (~b0 & b1);
}

/* All five steps at once: theta's two XORs (d), rho's rotation and pi's move happen to each lane on
 * its way into the row where chi wants it. */
INLINE void keccak_round(uint64_t e[25], const uint64_t a[25], uint64_t constant)
{
    uint64_t c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20];
    uint64_t c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21];
    uint64_t c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22];
    uint64_t c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23];
    uint64_t c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24];
    uint64_t d0 = c4 ^ rotl(c1, 1), d1 = c0 ^ rotl(c2, 1), d2 = c1 ^ rotl(c3, 1);
    uint64_t d3 = c2 ^ rotl(c4, 1), d4 = c3 ^ rotl(c0, 1);
    chi(e, a[0] ^ d0, rotl(a[6] ^ d1, 44), rotl(a[12] ^ d2, 43), rotl(a[18] ^ d3, 21),
        rotl(a[24] ^ d4, 14));
    chi(e + 5, rotl(a[3] ^ d3, 28), rotl(a[9] ^ d4, 20), rotl(a[10] ^ d0, 3), rotl(a[16] ^ d1, 45),
        rotl(a[22] ^ d2, 61));
    chi(e + 10, rotl(a[1] ^ d1, 1), rotl(a[7] ^ d2, 6), rotl(a[13] ^ d3, 25), rotl(a[19] ^ d4, 8),
        rotl(a[20] ^ d0, 18));
    chi(e + 15, rotl(a[4] ^ d4, 27), rotl(a[5] ^ d0, 36), rotl(a[11] ^ d1, 10),
        rotl(a[17] ^ d2, 15), rotl(a[23] ^ d3, 56));
    chi(e + 20, rotl(a[2] ^ d2, 62), rotl(a[8] ^ d3, 55), rotl(a[14] ^ d4, 39),
        rotl(a[15] ^ d0, 41), rotl(a[21] ^ d1, 2));
    e[0] ^= constant;
}

INLINE void permute(uint64_t state[KECCAK_LANES])
{
    uint64_t a[KECCAK_LANES], e[KECCAK_LANES];
    UNROLL for (unsigned i = 0; i < KECCAK_LANES; i++) a[i] = state[i];
    for (unsigned i = 0; i < KECCAK_ROUNDS; i += 2) {
        keccak_round(e, a, KECCAK_ROUND_CONSTANTS[i + 1]);
        keccak_round(a, e, KECCAK_ROUND_CONSTANTS[i + 2]);
    }
    UNROLL for (unsigned i = 0; i < KECCAK_LANES; i++) state[i] = a[i];
}

typedef void permutation(uint64_t state[KECCAK_LANES]);

INLINE void absorb(permutation *f, uint64_t state[KECCAK_LANES], const uint8_t *blocks,
                   size_t block_count)
{
    for (; block_count > 0; block_count--, blocks += KECCAK_RATE_BYTES) {
        for (size_t i = 0; i < KECCAK_RATE_BYTES / 8; i++)
            state[i] ^= load_le64(blocks + 8 * i);
        f(state);
    }
}

/* The padding (0x01, zeros, 0x80) goes straight into the lanes. */
INLINE void absorb_end(permutation *f, uint64_t state[KECCAK_LANES], const uint8_t *data,
                       size_t size)
{
    size_t lane = 0;
    for (; size >= 8; size -= 8, data += 8)
        state[lane++] ^= load_le64(data);
    uint64_t last = UINT64_C(1) << 8 * size;
    for (size_t i = 0; i < size; i++)
        last |= (uint64_t)data[i] << 8 * i;
    state[lane] ^= last;
    state[KECCAK_RATE_BYTES / 8 - 1] ^= UINT64_C(0x80) << 56;
    f(state);
}

INLINE struct hash hash_with(permutation *f, struct bytes input)
{
    uint64_t state[KECCAK_LANES];
    UNROLL for (size_t i = 0; i < KECCAK_LANES; i++) state[i] = 0; /* gcc's "= {0}" is slower */
    size_t blocks = input.size / KECCAK_RATE_BYTES;
    absorb(f, state, input.data, blocks);
    absorb_end(f, state, input.data + blocks * KECCAK_RATE_BYTES, input.size % KECCAK_RATE_BYTES);
    struct hash out = {{0}};
    for (size_t i = 0; i < sizeof out.b / 8; i++)
        store_le64(out.b + 8 * i, state[i]);
    return out;
}

static void permute_portable(uint64_t state[KECCAK_LANES])
{
    permute(state);
}

static void absorb_portable(uint64_t state[KECCAK_LANES], const uint8_t *blocks, size_t block_count)
{
    absorb(permute_portable, state, blocks, block_count);
}

static struct hash hash_portable(struct bytes input)
{
    return hash_with(permute_portable, input);
}

static bool always(void)
{
    return true;
}

const struct keccak_way keccak_portable = {"portable", always, absorb_portable, hash_portable};

#if defined(__x86_64__)

#define BMI __attribute__((target("bmi,bmi2")))

BMI static void permute_bmi(uint64_t state[KECCAK_LANES])
{
    permute(state);
}

BMI static void absorb_bmi(uint64_t state[KECCAK_LANES], const uint8_t *blocks, size_t block_count)
{
    absorb(permute_bmi, state, blocks, block_count);
}

BMI static struct hash hash_bmi(struct bytes input)
{
    return hash_with(permute_bmi, input);
}

static bool has_bmi(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}

const struct keccak_way keccak_bmi = {"bmi", has_bmi, absorb_bmi, hash_bmi};

#endif
