/* tests/vm/field_suite.h - the tests of the fields and the tower, for whichever curve the including
 * file has chosen. */
#include "tests/vm/curve_random.h"

struct numbers {
    mpz_t p, a, b, want, got;
};

static void numbers_init(struct numbers *n)
{
    mpz_inits(n->p, n->a, n->b, n->want, n->got, NULL);
    limbs_to_mpz(n->p, FP_MODULUS.limb, FP_LIMBS);
}

static void numbers_finish(struct numbers *n)
{
    mpz_clears(n->p, n->a, n->b, n->want, n->got, NULL);
}

static void check_same(struct numbers *n, const struct fp *got, const char *what)
{
    fp_to_mpz(n->got, got);
    mpz_mod(n->want, n->want, n->p);
    if (mpz_cmp(n->got, n->want) != 0) fail_msg("%s differs from GMP's", what);
    assert_true(fp_less(got, &FP_MODULUS));
}

static void arithmetic_agrees_with_gmp(void **state)
{
    (void)state;
    struct numbers n;
    numbers_init(&n);
    for (int i = 0; i < BATCH * BATCH; i++) {
        struct fp a = sample_fp(i / BATCH), b = sample_fp(i % BATCH), r;
        fp_to_mpz(n.a, &a);
        fp_to_mpz(n.b, &b);
        fp_mul(&r, &a, &b);
        mpz_mul(n.want, n.a, n.b);
        check_same(&n, &r, "a product");
        fp_mul_portable(&r, &a, &b);
        check_same(&n, &r, "a portable product");
        fp_square(&r, &a);
        mpz_mul(n.want, n.a, n.a);
        check_same(&n, &r, "a square");
        fp_add(&r, &a, &b);
        mpz_add(n.want, n.a, n.b);
        check_same(&n, &r, "a sum");
        fp_sub(&r, &a, &b);
        mpz_sub(n.want, n.a, n.b);
        check_same(&n, &r, "a difference");
        fp_neg(&r, &a);
        mpz_neg(n.want, n.a);
        check_same(&n, &r, "a negative");
    }
    numbers_finish(&n);
}

static void inverses_agree_with_gmp(void **state)
{
    (void)state;
    struct numbers n;
    numbers_init(&n);
    for (int i = 1; i < 20 * BATCH; i++) {
        struct fp a = sample_fp(i), r;
        if (fp_is_zero(&a)) continue;
        fp_to_mpz(n.a, &a);
        assert_true(mpz_invert(n.want, n.a, n.p));
        fp_inverse(&r, &a);
        check_same(&n, &r, "an inverse");
    }
    numbers_finish(&n);
}

static void roots_are_found_exactly_where_there_are_any(void **state)
{
    (void)state;
    struct numbers n;
    int squares = 0;
    numbers_init(&n);
    for (int i = 0; i < BATCH; i++) {
        struct fp a = sample_fp(i), r, check;
        fp_to_mpz(n.a, &a);
        bool is_square = mpz_legendre(n.a, n.p) >= 0;
        assert_int_equal(fp_sqrt(&r, &a), is_square);
        if (!is_square) continue;
        squares++;
        fp_square(&check, &r);
        assert_true(fp_equal(&check, &a));
    }
    assert_in_range(squares, BATCH / 4, BATCH * 3 / 4);
    numbers_finish(&n);
}

static void encodings_of_p_or_more_are_refused(void **state)
{
    (void)state;
    uint8_t bytes[FP_BYTES], again[FP_BYTES];
    struct fp a;
    for (int i = 0; i < FP_LIMBS; i++)
        store_be64(bytes + 8 * i, FP_MODULUS.limb[FP_LIMBS - 1 - i]);
    assert_false(fp_from_bytes(&a, bytes));
    bytes[FP_BYTES - 1]++;
    assert_false(fp_from_bytes(&a, bytes));
    bytes[FP_BYTES - 1] -= 2;
    assert_true(fp_from_bytes(&a, bytes));
    fp_to_bytes(again, &a);
    assert_memory_equal(bytes, again, FP_BYTES);
    fp_add(&a, &a, &FP_ONE);
    assert_true(fp_is_zero(&a));
    memset(bytes, 0xff, sizeof(bytes));
    assert_false(fp_from_bytes(&a, bytes));
}

static void the_upper_half_begins_after_the_middle(void **state)
{
    (void)state;
    struct fp half;
    fp_from_integer(&half, &FP_HALF_MODULUS); /* (p - 1) / 2 */
    assert_false(fp_is_upper_half(&half));
    fp_add(&half, &half, &FP_ONE);
    assert_true(fp_is_upper_half(&half));
    assert_false(fp_is_upper_half(&FP_ZERO));
    for (int i = 1; i < BATCH; i++) {
        struct fp a = sample_fp(i), b;
        fp_neg(&b, &a);
        if (fp_is_zero(&a)) continue;
        assert_true(fp_is_upper_half(&a) != fp_is_upper_half(&b));
        assert_true(fp_is_odd(&a) != fp_is_odd(&b));
    }
}

static void constants_are_what_they_say(void **state)
{
    (void)state;
    struct numbers n;
    struct fp twice, t;
    numbers_init(&n);
    assert_true(mpz_probab_prime_p(n.p, 40));
    assert_true(FP_MODULUS.limb[0] * FP_NEGATIVE_INVERSE == UINT64_MAX);
    assert_true((FP_MODULUS.limb[0] * FP_INVERSE_62 << 2) == 4);
    mpz_setbit(n.want, 64 * FP_LIMBS);
    mpz_mod(n.want, n.want, n.p);
    limbs_to_mpz(n.got, FP_ONE.limb, FP_LIMBS);
    assert_int_equal(mpz_cmp(n.got, n.want), 0);
    fp_double(&twice, &FP_HALF);
    assert_true(fp_equal(&twice, &FP_ONE));
    fp_mul(&t, &FP_R3, &FP_ONE);
    fp_mul(&twice, &FP_R2, &FP_R2);
    assert_true(fp_equal(&t, &twice));
    limbs_to_mpz(n.got, GROUP_ORDER.limb, SCALAR_LIMBS);
    assert_true(mpz_probab_prime_p(n.got, 40));
    numbers_finish(&n);
}

static void fp2_is_the_field_of_a_plus_b_u(void **state)
{
    (void)state;
    for (int i = 0; i < BATCH; i++) {
        struct fp2 x = random_fp2(), y = random_fp2(), xy, t;
        struct fp r, s;
        fp2_mul(&xy, &x, &y); /* (ac - bd) + (ad + bc) u */
        fp_mul(&r, &x.a, &y.a);
        fp_mul(&s, &x.b, &y.b);
        fp_sub(&r, &r, &s);
        assert_true(fp_equal(&xy.a, &r));
        fp_mul(&r, &x.a, &y.b);
        fp_mul(&s, &x.b, &y.a);
        fp_add(&r, &r, &s);
        assert_true(fp_equal(&xy.b, &r));
        fp2_square(&t, &x);
        fp2_mul(&xy, &x, &x);
        assert_true(fp2_equal(&t, &xy));
        fp2_inverse(&t, &x);
        fp2_mul(&t, &t, &x);
        struct fp2 one = fp2_one();
        assert_true(fp2_equal(&t, &one));
    }
}

/* Exactly one of x and x n is a square, n being none: checks both answers of fp2_sqrt. */
static void fp2_roots_are_found_exactly_where_there_are_any(void **state)
{
    (void)state;
    struct fp2 no_square = fp2_one(), r, t;
    fp2_mul_xi(&no_square, &no_square); /* xi is no square, or Fp12 would be no field */
    assert_false(fp2_sqrt(&r, &no_square));
    for (int i = 0; i < BATCH; i++) {
        struct fp2 x = random_fp2(), square, other;
        if (i % 4 == 1) x.b = FP_ZERO;
        if (i % 4 == 2) x.a = FP_ZERO;
        fp2_square(&square, &x);
        assert_true(fp2_sqrt(&r, &square));
        fp2_square(&t, &r);
        assert_true(fp2_equal(&t, &square));
        fp2_mul(&other, &square, &no_square);
        assert_false(fp2_sqrt(&r, &other));
    }
    assert_true(fp2_sqrt(&r, &FP2_ZERO));
    assert_true(fp2_is_zero(&r));
}

static struct fp6 random_fp6(void)
{
    struct fp6 r;
    for (int i = 0; i < 3; i++)
        r.c[i] = random_fp2();
    return r;
}

static struct fp12 random_fp12(void)
{
    struct fp12 r;
    for (int i = 0; i < 2; i++)
        r.c[i] = random_fp6();
    return r;
}

static void fp12_add(struct fp12 *out, const struct fp12 *x, const struct fp12 *y)
{
    for (int i = 0; i < 2; i++)
        fp6_add(&out->c[i], &x->c[i], &y->c[i]);
}

static void fp12_is_a_field(void **state)
{
    (void)state;
    for (int i = 0; i < BATCH; i++) {
        struct fp12 x = random_fp12(), y = random_fp12(), z = random_fp12(), l, r, t;
        fp12_mul(&l, &x, &y);
        fp12_mul(&l, &l, &z);
        fp12_mul(&r, &y, &z);
        fp12_mul(&r, &x, &r);
        assert_true(fp12_equal(&l, &r)); /* (xy)z = x(yz) */
        fp12_mul(&r, &y, &x);
        fp12_mul(&l, &x, &y);
        assert_true(fp12_equal(&l, &r)); /* xy = yx */
        fp12_add(&t, &y, &z);
        fp12_mul(&r, &x, &t);
        fp12_mul(&t, &x, &z);
        fp12_add(&l, &l, &t);
        assert_true(fp12_equal(&l, &r)); /* x(y + z) = xy + xz */
        fp12_square(&l, &x);
        fp12_mul(&r, &x, &x);
        assert_true(fp12_equal(&l, &r));
        fp12_inverse(&r, &x);
        fp12_mul(&r, &r, &x);
        assert_true(fp12_is_one(&r));
    }
}

static void the_tower_is_built_as_written(void **state)
{
    (void)state;
    struct fp12 w = {.c[1].c[0] = fp2_one()}, v = {.c[0].c[1] = fp2_one()};
    struct fp12 xi = {.c[0].c[0] = fp2_one()}, t;
    struct fp6 a = random_fp6(), b = {.c[1] = fp2_one()}, c, d;
    fp2_mul_xi(&xi.c[0].c[0], &xi.c[0].c[0]);
    fp12_square(&t, &w);
    assert_true(fp12_equal(&t, &v)); /* w^2 = v */
    fp12_square(&t, &v);
    fp12_mul(&t, &t, &v);
    assert_true(fp12_equal(&t, &xi)); /* v^3 = xi */
    fp6_mul_v(&c, &a);
    fp6_mul(&d, &a, &b);
    for (int i = 0; i < 3; i++)
        assert_true(fp2_equal(&c.c[i], &d.c[i]));
    b = random_fp6();
    b.c[2] = FP2_ZERO;
    fp6_mul_01(&c, &a, &b.c[0], &b.c[1]);
    fp6_mul(&d, &a, &b);
    for (int i = 0; i < 3; i++)
        assert_true(fp2_equal(&c.c[i], &d.c[i]));
}

static void frobenius_is_the_power_of_p(void **state)
{
    (void)state;
    struct fp12 x = random_fp12(), power = x, r;
    for (int k = 1; k <= 3; k++) {
        struct fp12 base = power;
        power = fp12_one();
        for (int i = 64 * FP_LIMBS - 1; i >= 0; i--) {
            fp12_square(&power, &power);
            if (FP_MODULUS.limb[i / 64] >> (i % 64) & 1) fp12_mul(&power, &power, &base);
        }
        fp12_frobenius(&r, &x, k);
        assert_true(fp12_equal(&r, &power));
    }
    fp12_frobenius(&r, &power, 3); /* x^(p^6) */
    fp12_conjugate(&power, &x);
    assert_true(fp12_equal(&r, &power));
}

/* x^((p^6 - 1)(p^2 + 1)) lies in the cyclotomic subgroup. */
static struct fp12 random_cyclotomic(void)
{
    struct fp12 x = random_fp12(), inverse, t;
    fp12_inverse(&inverse, &x);
    fp12_conjugate(&t, &x);
    fp12_mul(&t, &t, &inverse);
    fp12_frobenius(&x, &t, 2);
    fp12_mul(&x, &x, &t);
    return x;
}

static void cyclotomic_squares_are_squares(void **state)
{
    (void)state;
    for (int i = 0; i < BATCH; i++) {
        struct fp12 x = random_cyclotomic(), fast, plain;
        fp12_square_cyclotomic(&fast, &x);
        fp12_square(&plain, &x);
        assert_true(fp12_equal(&fast, &plain));
        fp12_conjugate(&plain, &x);
        fp12_mul(&plain, &plain, &x);
        assert_true(fp12_is_one(&plain));
    }
}

static int run_field_suite(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constants_are_what_they_say),
        cmocka_unit_test(arithmetic_agrees_with_gmp),
        cmocka_unit_test(inverses_agree_with_gmp),
        cmocka_unit_test(roots_are_found_exactly_where_there_are_any),
        cmocka_unit_test(encodings_of_p_or_more_are_refused),
        cmocka_unit_test(the_upper_half_begins_after_the_middle),
        cmocka_unit_test(fp2_is_the_field_of_a_plus_b_u),
        cmocka_unit_test(fp2_roots_are_found_exactly_where_there_are_any),
        cmocka_unit_test(fp12_is_a_field),
        cmocka_unit_test(the_tower_is_built_as_written),
        cmocka_unit_test(frobenius_is_the_power_of_p),
        cmocka_unit_test(cyclotomic_squares_are_squares),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
