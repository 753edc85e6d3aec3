/* tests/vm/pairing_suite.h - the tests of the pairing, for whichever curve the including file has
 * chosen. */
#include "tests/vm/curve_random.h"
#include "vm/curve/pairing.h"

static void pair_of(struct pair *out, const struct g1 *p, const struct g2 *q)
{
    g1_to_affine(&out->p, p);
    g2_to_affine(&out->q, q);
}

static struct fp12 paired(const struct g1 *p, const struct g2 *q)
{
    struct pairing m = pairing_begin();
    struct pair pair;
    struct fp12 r;
    pair_of(&pair, p, q);
    pairing_put(&m, &pair);
    pairing_finish(&r, &m);
    return r;
}

/* x^e, e of any length. */
static struct fp12 power(const struct fp12 *x, const mpz_t e)
{
    struct fp12 r = fp12_one();
    for (size_t i = mpz_sizeinbase(e, 2); i-- > 0;) {
        fp12_square(&r, &r);
        if (mpz_tstbit(e, i)) fp12_mul(&r, &r, x);
    }
    return r;
}

static void generators_pair_to_an_element_of_the_order(void **state)
{
    (void)state;
    mpz_t r;
    struct g1 p = g1_from_affine(&G1_GENERATOR);
    struct g2 q = g2_from_affine(&G2_GENERATOR);
    struct fp12 e = paired(&p, &q);
    mpz_init(r);
    limbs_to_mpz(r, GROUP_ORDER.limb, SCALAR_LIMBS);
    assert_false(fp12_is_one(&e));
    e = power(&e, r);
    assert_true(fp12_is_one(&e));
    mpz_clear(r);
}

static void the_pairing_is_bilinear(void **state)
{
    (void)state;
    mpz_t n;
    mpz_init(n);
    for (int i = 0; i < 4; i++) {
        struct g1 p = random_g1(), p2 = random_g1(), ap, sum1;
        struct g2 q = random_g2(), q2 = random_g2(), aq, sum2;
        struct scalar a = random_scalar();
        struct fp12 e = paired(&p, &q), left, right, t;
        g1_mul(&ap, &p, &a);
        g2_mul(&aq, &q, &a);
        limbs_to_mpz(n, a.limb, SCALAR_LIMBS);
        t = power(&e, n);
        left = paired(&ap, &q);
        right = paired(&p, &aq);
        assert_true(fp12_equal(&left, &t)); /* e(aP, Q) = e(P, Q)^a */
        assert_true(fp12_equal(&right, &t));
        g1_add(&sum1, &p, &p2);
        left = paired(&sum1, &q);
        t = paired(&p2, &q);
        fp12_mul(&right, &e, &t);
        assert_true(fp12_equal(&left, &right)); /* e(P + P', Q) = e(P, Q) e(P', Q) */
        g2_add(&sum2, &q, &q2);
        left = paired(&p, &sum2);
        t = paired(&p, &q2);
        fp12_mul(&right, &e, &t);
        assert_true(fp12_equal(&left, &right));
    }
    mpz_clear(n);
}

/* f^(k (p^12 - 1) / r) by plain squaring, with the k that pairing.h names. */
static void the_final_exponentiation_is_the_power_that_it_says(void **state)
{
    (void)state;
    mpz_t p, r, e, k;
    struct fp12 f = fp12_one(), fast, plain;
    mpz_inits(p, r, e, k, NULL);
    limbs_to_mpz(p, FP_MODULUS.limb, FP_LIMBS);
    limbs_to_mpz(r, GROUP_ORDER.limb, SCALAR_LIMBS);
    mpz_pow_ui(e, p, 12);
    mpz_sub_ui(e, e, 1);
    assert_true(mpz_divisible_p(e, r));
    mpz_divexact(e, e, r);
#ifdef CURVE_BLS12_381
    mpz_set_ui(k, 3);
#else
    mpz_t x;
    mpz_init_set_ui(x, 4965661367192848881);
    mpz_mul_ui(k, x, 6);
    mpz_add_ui(k, k, 3);
    mpz_mul(k, k, x);
    mpz_add_ui(k, k, 1);
    mpz_mul(k, k, x);
    mpz_mul_ui(k, k, 2); /* 2x (6x^2 + 3x + 1) */
    mpz_clear(x);
#endif
    mpz_mul(e, e, k);
    for (int i = 0; i < 6; i++)
        f.c[i / 3].c[i % 3] = random_fp2();
    final_exponentiation(&fast, &f);
    plain = power(&f, e);
    assert_true(fp12_equal(&fast, &plain));
    mpz_gcd(k, k, r);
    assert_int_equal(mpz_cmp_ui(k, 1), 0); /* so no pairing becomes 1 that was not */
    mpz_clears(p, r, e, k, NULL);
}

/* count pairs (a_i P, Q) and then (-sum a_i P, Q): more than one chunk's worth, too. */
static void check_cancelling(size_t count)
{
    struct pairing m = pairing_begin();
    struct g1 sum = g1_infinity();
    struct g2 q = random_g2();
    struct pair pair;
    for (size_t i = 0; i < count; i++) {
        struct g1 p = random_g1();
        g1_add(&sum, &sum, &p);
        pair_of(&pair, &p, &q);
        pairing_put(&m, &pair);
    }
    struct pairing without = m;
    assert_false(pairing_is_one(&without));
    g1_neg(&sum, &sum);
    pair_of(&pair, &sum, &q);
    pairing_put(&m, &pair);
    assert_true(pairing_is_one(&m));
}

static void products_that_cancel_are_one_however_many(void **state)
{
    (void)state;
    check_cancelling(1);
    check_cancelling(2);
    check_cancelling(PAIRS_AT_ONCE - 1);
    check_cancelling(PAIRS_AT_ONCE);
    check_cancelling(2 * PAIRS_AT_ONCE);
}

static void pairs_with_infinity_count_as_one(void **state)
{
    (void)state;
    struct pairing m = pairing_begin();
    struct g1 p = random_g1(), no_p = g1_infinity();
    struct g2 q = random_g2(), no_q = g2_infinity();
    struct pair pair;
    assert_true(pairing_is_one(&m)); /* and so does nothing at all */
    for (int i = 0; i < 2 * PAIRS_AT_ONCE; i++) {
        pair_of(&pair, i % 3 == 0 ? &p : &no_p, i % 3 == 1 ? &q : &no_q);
        pairing_put(&m, &pair);
    }
    assert_true(pairing_is_one(&m));
    pair_of(&pair, &p, &q);
    pairing_put(&m, &pair);
    assert_false(pairing_is_one(&m));
}

static void powers_of_x_are_the_curves_parameter(void **state)
{
    (void)state;
    mpz_t x;
    struct g1 p = g1_from_affine(&G1_GENERATOR);
    struct g2 q = g2_from_affine(&G2_GENERATOR);
    struct fp12 e = paired(&p, &q), fast, plain;
#ifdef CURVE_BLS12_381
    mpz_init_set_ui(x, 0xd201000000010000);
#else
    mpz_init_set_ui(x, 4965661367192848881);
#endif
    fp12_pow_x(&fast, &e);
    plain = power(&e, x);
    assert_true(fp12_equal(&fast, &plain));
    mpz_clear(x);
}

static int run_pairing_suite(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generators_pair_to_an_element_of_the_order),
        cmocka_unit_test(the_pairing_is_bilinear),
        cmocka_unit_test(the_final_exponentiation_is_the_power_that_it_says),
        cmocka_unit_test(products_that_cancel_are_one_however_many),
        cmocka_unit_test(pairs_with_infinity_count_as_one),
        cmocka_unit_test(powers_of_x_are_the_curves_parameter),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
