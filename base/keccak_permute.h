/* keccak_permute.h - the ways to compute Keccak-256, and which of them this processor can run.
 *
 * Internal to keccak.c and open to its tests and benchmark; everybody else includes keccak.h. All
 * ways give the same bytes; they differ in the instructions that they use:
 *
 *   avx512    the state in five 512-bit registers (AVX-512 F, BW, VL and VBMI2: Ice Lake, Zen 4 and
 *             later; older ones lower their clock for such registers)
 *   bmi       the portable text, compiled with ANDN and RORX (Haswell, Zen and later)
 *   portable  plain C for any processor and byte order
 *
 * The list stands fastest first and ends with `portable`. It is constant, so any thread may use it.
 * Lane (x, y) of the state, 0 <= x, y < 5, is state[x + 5y], as in FIPS 202. */
#ifndef LEASEHOLD_BASE_KECCAK_PERMUTE_H
#define LEASEHOLD_BASE_KECCAK_PERMUTE_H

#include "base/bytes.h"

#define KECCAK_LANES      25
#define KECCAK_ROUNDS     24
#define KECCAK_RATE_BYTES 136

struct keccak_way {
    const char *name;
    bool (*runs_here)(void);
    /* Each block of KECCAK_RATE_BYTES is XORed into the state and the state permuted. */
    void (*absorb)(uint64_t state[KECCAK_LANES], const uint8_t *blocks, size_t block_count);
    struct hash (*hash)(struct bytes input); /* Keccak-256 in one go; data is not NULL */
};

extern const struct keccak_way keccak_portable;
#if defined(__x86_64__)
extern const struct keccak_way keccak_bmi;
extern const struct keccak_way keccak_avx512;
#define KECCAK_WAY_COUNT 3
#else
#define KECCAK_WAY_COUNT 1
#endif

extern const struct keccak_way *const keccak_ways[KECCAK_WAY_COUNT];

/* iota's, those of rounds 1 to 24; [0] is zero. */
extern const uint64_t KECCAK_ROUND_CONSTANTS[KECCAK_ROUNDS + 1];

#endif
