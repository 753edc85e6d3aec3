/* bench_arith - what an operation of vm/arith.h takes, in nanoseconds of one thread.
 *
 * Each result changes the next call's first operand, as in a program that goes on computing, and
 * no operand comes again, so that no branch is learnt by heart. That and a call through a pointer
 * are counted in: the row "nothing" is they alone. Prints tab-separated: name, and the
 * time that a tenth of many short runs stay below, which other load does not reach. */
#include "vm/arith.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RUNS 300

typedef void operation(struct u256 *r, const struct u256 *a, const struct u256 *b,
                       const struct u256 *m);

#define OPERATION(name, call)                                                                      \
    static void name(struct u256 *r, const struct u256 *a, const struct u256 *b,                   \
                     const struct u256 *m)                                                         \
    {                                                                                              \
        (void)a;                                                                                   \
        (void)b;                                                                                   \
        (void)m;                                                                                   \
        call;                                                                                      \
    }
OPERATION(nothing, r->limb[0] = a->limb[0])
OPERATION(add, word_add(r, a, b))
OPERATION(less, r->limb[0] = word_less(a, b))
OPERATION(mul, word_mul(r, a, b))
OPERATION(power, word_exp(r, b, a))
OPERATION(power_of_ten, *r = word_u64(a->limb[0] & 31); word_exp(r, b, r))
OPERATION(div_, word_div(r, a, b))
OPERATION(mod, word_mod(r, a, b))
OPERATION(sdiv, word_sdiv(r, a, b))
OPERATION(addmod, word_addmod(r, a, b, m))
OPERATION(mulmod, word_mulmod(r, a, b, m))
OPERATION(shl, word_shl(r, b, a))
OPERATION(sar, word_sar(r, b, a))
OPERATION(byte, word_byte(r, b, a))
OPERATION(signextend, word_signextend(r, b, a))

#define LIMB_A   0xfedcba9876543210
#define LIMB_B   0x123456789abcdef1
#define ALL_ONES UINT64_MAX
#define NONE                                                                                       \
    {                                                                                              \
        {                                                                                          \
            0, 0, 0, 0                                                                             \
        }                                                                                          \
    }
#define BIG                                                                                        \
    {                                                                                              \
        {                                                                                          \
            LIMB_A, LIMB_B, LIMB_A, LIMB_B                                                         \
        }                                                                                          \
    }
#define P25519                                                                                     \
    {                                                                                              \
        {                                                                                          \
            ALL_ONES - 18, ALL_ONES, ALL_ONES, ALL_ONES >> 1                                       \
        }                                                                                          \
    }
#define BN254_R                                                                                    \
    {                                                                                              \
        {                                                                                          \
            0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029         \
        }                                                                                          \
    }

static const struct row {
    const char *name;
    operation *run;
    struct u256 a, b, m;
    bool turns; /* every other time with another modulus */
} rows[] = {
    {"nothing", nothing, BIG, BIG, NONE, false},
    {"add", add, BIG, BIG, NONE, false},
    {"less", less, BIG, BIG, NONE, false},
    {"mul, 256 bits", mul, BIG, BIG, NONE, false},
    {"mul, 64 bits", mul, {{LIMB_A, 0, 0, 0}}, {{LIMB_B, 0, 0, 0}}, NONE, false},
    {"exp, exponent of 253 bits", power, BIG, {{3, 0, 0, 0}}, NONE, false},
    {"exp, exponent of 5 bits", power_of_ten, {{18, 0, 0, 0}}, {{10, 0, 0, 0}}, NONE, false},
    {"div, 256 by 64 bits", div_, BIG, {{LIMB_A, 0, 0, 0}}, NONE, false},
    {"div, 128 by 64 bits", div_, {{LIMB_A, LIMB_B, 0, 0}}, {{LIMB_A, 0, 0, 0}}, NONE, false},
    {"div, 256 by 128 bits", div_, BIG, {{LIMB_A, LIMB_B, 0, 0}}, NONE, false},
    {"div, 256 by 192 bits", div_, BIG, {{LIMB_A, LIMB_B, LIMB_A, 0}}, NONE, false},
    {"div, 256 by 256 bits", div_, BIG, {{LIMB_A, LIMB_A, LIMB_A, LIMB_B >> 20}}, NONE, false},
    {"div, 128 by 256 bits", div_, {{LIMB_A, LIMB_B, 0, 0}}, BIG, NONE, false},
    {"mod, 256 by 64 bits", mod, BIG, {{LIMB_A, 0, 0, 0}}, NONE, false},
    {"mod, 256 by 256 bits", mod, BIG, {{LIMB_A, LIMB_A, LIMB_A, LIMB_B >> 20}}, NONE, false},
    {"sdiv, 256 by 128 bits", sdiv, BIG, {{LIMB_A, LIMB_A, ALL_ONES, ALL_ONES}}, NONE, false},
    {"addmod, operands reduced", addmod, BIG, BIG, P25519, false},
    {"addmod, operands to reduce", addmod, P25519, P25519, BN254_R, false},
    {"mulmod, 2^255 - 19", mulmod, BIG, BIG, P25519, false},
    {"mulmod, bn254's order", mulmod, BIG, BIG, BN254_R, false},
    {"mulmod, two moduli by turns", mulmod, BIG, BIG, BN254_R, true},
    {"shl", shl, BIG, {{77, 0, 0, 0}}, NONE, false},
    {"sar", sar, BIG, {{13, 0, 0, 0}}, NONE, false},
    {"byte", byte, BIG, {{31, 0, 0, 0}}, NONE, false},
    {"signextend", signextend, BIG, {{5, 0, 0, 0}}, NONE, false},
};

static double used_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Limbs that are not zero change below their top byte, so sizes stay. */
static void vary(struct u256 *a, const struct row *row, uint64_t random)
{
    for (int i = 0; i < 4; i++)
        a->limb[i] = row->a.limb[i] == 0 ? 0 : row->a.limb[i] ^ random >> (8 + i);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double tenth_ns(const struct row *row, int calls)
{
    double samples[RUNS];
    uint64_t random = 1;
    struct u256 a = row->a, r = {{0, 0, 0, 0}};
    struct u256 moduli[2] = {row->m, row->m};
    moduli[1].limb[0] ^= row->turns ? 2 : 0;
    for (int i = 0; i < RUNS; i++) {
        double begin = used_ns();
        for (int k = 0; k < calls; k++) {
            row->run(&r, &a, &row->b, &moduli[k & 1]);
            random = random * 6364136223846793005 + (r.limb[0] | 1);
            vary(&a, row, random);
        }
        samples[i] = (used_ns() - begin) / calls;
    }
    qsort(samples, RUNS, sizeof(samples[0]), by_value);
    return samples[RUNS / 10];
}

int main(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        printf("%s\t%.1f\n", rows[i].name, tenth_ns(&rows[i], rows[i].run == power ? 40 : 1000));
    return 0;
}
