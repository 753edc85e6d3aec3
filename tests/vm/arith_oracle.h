/* tests/vm/arith_oracle.h - each operation of vm/arith.h beside what GMP says of it, for the tests
 * and the fuzzer. The including file may define U256_PORTABLE first. */
#ifndef LEASEHOLD_TESTS_VM_ARITH_ORACLE_H
#define LEASEHOLD_TESTS_VM_ARITH_ORACLE_H

#include "vm/arith.h"

#include <gmp.h>

struct operands {
    mpz_t want, got, a, b, m;
    mpz_t word; /* 2^256 */
    mpz_t half; /* 2^255 */
};

static inline void operands_init(struct operands *o)
{
    mpz_inits(o->want, o->got, o->a, o->b, o->m, o->word, o->half, NULL);
    mpz_ui_pow_ui(o->word, 2, 256);
    mpz_ui_pow_ui(o->half, 2, 255);
}

static inline void operands_finish(struct operands *o)
{
    mpz_clears(o->want, o->got, o->a, o->b, o->m, o->word, o->half, NULL);
}

static void word_to_mpz(mpz_t out, const struct u256 *a)
{
    mpz_import(out, 4, -1, sizeof(a->limb[0]), 0, 0, a->limb);
}

/* a and b as two's complement. */
static void read_signed(struct operands *o)
{
    if (mpz_cmp(o->a, o->half) >= 0) mpz_sub(o->a, o->a, o->word);
    if (mpz_cmp(o->b, o->half) >= 0) mpz_sub(o->b, o->b, o->word);
}

static void expect_add(struct operands *o)
{
    mpz_add(o->want, o->a, o->b);
}

static void expect_sub(struct operands *o)
{
    mpz_sub(o->want, o->a, o->b);
}

static void expect_mul(struct operands *o)
{
    mpz_mul(o->want, o->a, o->b);
}

static void expect_div(struct operands *o)
{
    if (mpz_sgn(o->b) != 0) mpz_tdiv_q(o->want, o->a, o->b);
}

static void expect_mod(struct operands *o)
{
    if (mpz_sgn(o->b) != 0) mpz_tdiv_r(o->want, o->a, o->b);
}

static void expect_sdiv(struct operands *o)
{
    read_signed(o);
    expect_div(o);
}

static void expect_smod(struct operands *o)
{
    read_signed(o);
    expect_mod(o);
}

static void expect_addmod(struct operands *o)
{
    if (mpz_sgn(o->m) == 0) return;
    mpz_add(o->want, o->a, o->b);
    mpz_tdiv_r(o->want, o->want, o->m);
}

static void expect_mulmod(struct operands *o)
{
    if (mpz_sgn(o->m) == 0) return;
    mpz_mul(o->want, o->a, o->b);
    mpz_tdiv_r(o->want, o->want, o->m);
}

static void expect_exp(struct operands *o)
{
    mpz_powm(o->want, o->a, o->b, o->word);
}

static void expect_less(struct operands *o)
{
    mpz_set_ui(o->want, mpz_cmp(o->a, o->b) < 0);
}

static void expect_less_signed(struct operands *o)
{
    read_signed(o);
    expect_less(o);
}

static void expect_equal(struct operands *o)
{
    mpz_set_ui(o->want, mpz_cmp(o->a, o->b) == 0);
}

/* The first operand says how far, for shifts, and which byte. */
static void expect_shl(struct operands *o)
{
    if (mpz_cmp_ui(o->a, 256) < 0) mpz_mul_2exp(o->want, o->b, mpz_get_ui(o->a));
}

static void expect_shr(struct operands *o)
{
    if (mpz_cmp_ui(o->a, 256) < 0) mpz_tdiv_q_2exp(o->want, o->b, mpz_get_ui(o->a));
}

static void expect_sar(struct operands *o)
{
    mp_bitcnt_t bits = mpz_cmp_ui(o->a, 256) < 0 ? mpz_get_ui(o->a) : 256;
    read_signed(o);
    mpz_fdiv_q_2exp(o->want, o->b, bits);
}

static void expect_byte(struct operands *o)
{
    if (mpz_cmp_ui(o->a, 32) >= 0) return;
    mpz_tdiv_q_2exp(o->want, o->b, 8 * (31 - mpz_get_ui(o->a)));
    mpz_tdiv_r_2exp(o->want, o->want, 8);
}

static void expect_signextend(struct operands *o)
{
    mp_bitcnt_t bits = mpz_cmp_ui(o->a, 31) < 0 ? 8 * (mpz_get_ui(o->a) + 1) : 256;
    mpz_tdiv_r_2exp(o->want, o->b, bits);
    if (mpz_tstbit(o->want, bits - 1) == 0) return;
    mpz_ui_pow_ui(o->got, 2, bits);
    mpz_sub(o->want, o->want, o->got);
}

#define OPERATIONS(X)                                                                              \
    X(add, word_add(r, a, b))                                                                      \
    X(sub, word_sub(r, a, b))                                                                      \
    X(mul, word_mul(r, a, b))                                                                      \
    X(div, word_div(r, a, b))                                                                      \
    X(mod, word_mod(r, a, b))                                                                      \
    X(sdiv, word_sdiv(r, a, b))                                                                    \
    X(smod, word_smod(r, a, b))                                                                    \
    X(addmod, word_addmod(r, a, b, m))                                                             \
    X(mulmod, word_mulmod(r, a, b, m))                                                             \
    X(exp, word_exp(r, a, b))                                                                      \
    X(less, *r = word_u64(word_less(a, b)))                                                        \
    X(less_signed, *r = word_u64(word_less_signed(a, b)))                                          \
    X(equal, *r = word_u64(word_equal(a, b)))                                                      \
    X(shl, word_shl(r, a, b))                                                                      \
    X(shr, word_shr(r, a, b))                                                                      \
    X(sar, word_sar(r, a, b))                                                                      \
    X(byte, word_byte(r, a, b))                                                                    \
    X(signextend, word_signextend(r, a, b))

#define COMPUTE(name, call)                                                                        \
    static void compute_##name(struct u256 *r, const struct u256 *a, const struct u256 *b,         \
                               const struct u256 *m)                                               \
    {                                                                                              \
        (void)m;                                                                                   \
        call;                                                                                      \
    }
OPERATIONS(COMPUTE)
#undef COMPUTE

struct operation {
    const char *name;
    void (*compute)(struct u256 *r, const struct u256 *a, const struct u256 *b,
                    const struct u256 *m);
    void (*expect)(struct operands *o);
};

#define ROW(name, call) {#name, compute_##name, expect_##name},
static const struct operation operations[] = {OPERATIONS(ROW)};
#undef ROW
#define OPERATION_COUNT (sizeof(operations) / sizeof(operations[0]))

/* Where the result goes: to a word of its own, or over an operand. */
enum place { PLACE_OWN, PLACE_A, PLACE_B, PLACE_M, PLACE_COUNT };

/* words are a, b, m. Whether GMP agrees wherever the result is put; else o->want has its answer. */
static bool operation_agrees(struct operands *o, const struct operation *op,
                             const struct u256 words[3])
{
    word_to_mpz(o->a, &words[0]);
    word_to_mpz(o->b, &words[1]);
    word_to_mpz(o->m, &words[2]);
    mpz_set_ui(o->want, 0);
    op->expect(o);
    mpz_fdiv_r(o->want, o->want, o->word);
    for (int place = PLACE_OWN; place < PLACE_COUNT; place++) {
        struct u256 room[4] = {{{1, 2, 3, 4}}, words[0], words[1], words[2]};
        op->compute(&room[place], &room[1], &room[2], &room[3]);
        word_to_mpz(o->got, &room[place]);
        if (mpz_cmp(o->got, o->want) != 0) return false;
    }
    return true;
}

#endif
