/* tests/vm/arith_suite.h - the interpreter's arithmetic against GMP, over operands of the shapes
 * that carries, short divisors and wrong guesses of quotient digits are made of. */
#include "tests/vm/arith_oracle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ROUNDS 20000

static uint64_t seed;

static uint64_t random_limb(void)
{
    uint64_t upper;
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    upper = seed >> 32;
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return upper << 32 | seed >> 32;
}

static unsigned below(unsigned limit)
{
    return (unsigned)(random_limb() >> 32) % limit;
}

static uint64_t edge_limb(void)
{
    switch (below(8)) {
    case 0: return 0;
    case 1: return 1;
    case 2: return UINT64_MAX;
    case 3: return UINT64_C(1) << 63;
    case 4: return (UINT64_C(1) << 63) - 1;
    case 5: return UINT64_MAX - below(4);
    case 6: return UINT64_C(1) << below(64);
    }
    return random_limb();
}

/* 2^k - 1, 2^k or 2^k + 1. */
static struct u256 near_power_of_two(void)
{
    struct u256 r = {{0, 0, 0, 0}};
    struct u256 one = word_u64(1);
    unsigned k = below(256);
    unsigned side = below(3);
    r.limb[k / 64] = UINT64_C(1) << k % 64;
    if (side == 0) word_sub(&r, &r, &one);
    if (side == 1) word_add(&r, &r, &one);
    return r;
}

static struct u256 random_word(void)
{
    unsigned shape = below(8);
    unsigned used = 1 + below(4);
    struct u256 r = {{0, 0, 0, 0}};
    if (shape == 0) return near_power_of_two();
    if (shape == 1) return word_u64(below(300));
    for (unsigned i = 0; i < used; i++)
        r.limb[i] = shape < 6 ? edge_limb() : random_limb();
    return r;
}

/* A multiple of b, one less or one more: where a guess that is one off shows. */
static struct u256 near_multiple(const struct u256 *b)
{
    struct u256 r = random_word();
    struct u256 off = word_u64(below(3));
    struct u256 one = word_u64(1);
    word_mul(&r, &r, b);
    word_add(&r, &r, &off);
    word_sub(&r, &r, &one);
    return r;
}

static void fail_with(const struct operation *op, struct operands *o, const struct u256 words[3])
{
    char want[80];
    const struct u256 *a = &words[0];
    const struct u256 *b = &words[1];
    const struct u256 *m = &words[2];
    mpz_get_str(want, 16, o->want);
    fail_msg("%s of %016lx%016lx%016lx%016lx, %016lx%016lx%016lx%016lx, %016lx%016lx%016lx%016lx "
             "is %s",
             op->name, a->limb[3], a->limb[2], a->limb[1], a->limb[0], b->limb[3], b->limb[2],
             b->limb[1], b->limb[0], m->limb[3], m->limb[2], m->limb[1], m->limb[0], want);
}

static void check_all(struct operands *o, const struct u256 words[3])
{
    for (size_t i = 0; i < OPERATION_COUNT; i++)
        if (!operation_agrees(o, &operations[i], words)) fail_with(&operations[i], o, words);
}

static void every_operation_agrees_with_gmp_on_edges(void **state)
{
    (void)state;
    struct operands o;
    operands_init(&o);
    seed = 1;
    for (int i = 0; i < ROUNDS; i++) {
        struct u256 words[3] = {random_word(), random_word(), random_word()};
        if (i % 4 == 0) words[0] = near_multiple(&words[1]);
        if (i % 4 == 1) word_mod(&words[0], &words[0], &words[2]);
        check_all(&o, words);
    }
    operands_finish(&o);
}

static void shifts_bytes_and_signs_agree_with_gmp_at_every_distance(void **state)
{
    (void)state;
    struct operands o;
    operands_init(&o);
    seed = 2;
    for (uint64_t distance = 0; distance < 300; distance++) {
        struct u256 words[3] = {word_u64(distance), random_word(), random_word()};
        check_all(&o, words);
        words[0].limb[1 + distance % 3] = 1; /* far beyond, with an upper limb */
        check_all(&o, words);
    }
    operands_finish(&o);
}

static const struct operation *operation_named(const char *name)
{
    for (size_t i = 0; i < OPERATION_COUNT; i++)
        if (strcmp(operations[i].name, name) == 0) return &operations[i];
    fail_msg("no operation %s", name);
    return NULL;
}

/* What is kept of a modulus serves that one only. */
static void products_by_turns_of_two_moduli_agree_with_gmp(void **state)
{
    (void)state;
    struct operands o;
    const struct operation *op = operation_named("mulmod");
    operands_init(&o);
    seed = 3;
    for (int i = 0; i < ROUNDS; i++) {
        struct u256 moduli[2] = {random_word(), random_word()};
        moduli[1].limb[below(4)] = moduli[0].limb[0];
        for (int turn = 0; turn < 6; turn++) {
            struct u256 words[3] = {random_word(), random_word(), moduli[turn / 2 % 2]};
            if (!operation_agrees(&o, op, words)) fail_with(op, &o, words);
        }
    }
    operands_finish(&o);
}

static uint64_t reciprocal_by_definition(uint64_t d)
{
    return (uint64_t)(((u128)~d << 64 | UINT64_MAX) / d);
}

static void the_reciprocal_of_a_limb_is_exact(void **state)
{
    (void)state;
    seed = 4;
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t top = UINT64_C(1) << 63;
        uint64_t candidates[] = {top + i,           UINT64_MAX - i, top | random_limb(),
                                 top | edge_limb(), top | i << 55,  (top | i << 55) - 1};
        for (size_t j = 0; j < sizeof(candidates) / sizeof(candidates[0]); j++) {
            uint64_t d = candidates[j] | top;
            assert_int_equal(limb_reciprocal(d), reciprocal_by_definition(d));
        }
    }
}

static void two_limbs_divide_by_one_exactly(void **state)
{
    (void)state;
    seed = 5;
    for (int i = 0; i < 100000; i++) {
        uint64_t d = i % 2 == 0 ? edge_limb() : random_limb() >> below(64);
        if (d == 0) d = 1;
        uint64_t high = i % 3 == 0 ? d - 1 : edge_limb() % d;
        uint64_t low = i % 5 < 3 ? edge_limb() : random_limb();
        u128 whole = (u128)high << 64 | low;
        uint64_t rest;
        assert_int_equal(limb_divide(&rest, high, low, d), (uint64_t)(whole / d));
        assert_int_equal(rest, (uint64_t)(whole % d));
    }
}

static int run_arith_suite(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_agrees_with_gmp_on_edges),
        cmocka_unit_test(shifts_bytes_and_signs_agree_with_gmp_at_every_distance),
        cmocka_unit_test(products_by_turns_of_two_moduli_agree_with_gmp),
        cmocka_unit_test(the_reciprocal_of_a_limb_is_exact),
        cmocka_unit_test(two_limbs_divide_by_one_exactly),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
