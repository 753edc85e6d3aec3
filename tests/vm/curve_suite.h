/* tests/vm/curve_suite.h - the tests of G1 and G2, for whichever curve the including file has
 * chosen. What holds for both groups is written once and made twice. */
#include "tests/vm/curve_random.h"

#define ROUNDS 8

static struct scalar small_scalar(uint64_t n)
{
    return (struct scalar){{n}};
}

/* G is g1 or g2, GENERATOR its generator, F its field. */
#define GROUP_TESTS(G, F, GENERATOR)                                                               \
    static void G##_generator_has_the_groups_order(void **state)                                   \
    {                                                                                              \
        (void)state;                                                                               \
        struct G g = G##_from_affine(&GENERATOR), r, minus;                                        \
        struct scalar less = GROUP_ORDER;                                                          \
        less.limb[0]--;                                                                            \
        assert_true(G##_is_on_curve(&GENERATOR));                                                  \
        assert_true(G##_is_in_group(&GENERATOR));                                                  \
        G##_mul(&r, &g, &GROUP_ORDER);                                                             \
        assert_true(G##_is_infinity(&r));                                                          \
        G##_mul(&r, &g, &less);                                                                    \
        G##_neg(&minus, &g);                                                                       \
        assert_true(G##_equal(&r, &minus));                                                        \
    }                                                                                              \
    static void G##_addition_is_a_groups(void **state)                                             \
    {                                                                                              \
        (void)state;                                                                               \
        struct G zero = G##_infinity();                                                            \
        for (int i = 0; i < ROUNDS; i++) {                                                         \
            struct G a = random_##G(), b = random_##G(), c = random_##G(), l, r;                   \
            G##_add(&l, &a, &b);                                                                   \
            G##_add(&r, &b, &a);                                                                   \
            assert_true(G##_equal(&l, &r));                                                        \
            G##_add(&l, &l, &c);                                                                   \
            G##_add(&r, &b, &c);                                                                   \
            G##_add(&r, &a, &r);                                                                   \
            assert_true(G##_equal(&l, &r));                                                        \
            G##_add(&r, &a, &zero);                                                                \
            assert_true(G##_equal(&r, &a));                                                        \
            G##_add(&r, &zero, &a);                                                                \
            assert_true(G##_equal(&r, &a));                                                        \
            G##_neg(&l, &a);                                                                       \
            G##_add(&r, &a, &l);                                                                   \
            assert_true(G##_is_infinity(&r));                                                      \
            G##_add(&l, &a, &a);                                                                   \
            G##_double(&r, &a);                                                                    \
            assert_true(G##_equal(&l, &r));                                                        \
            assert_false(G##_equal(&l, &a));                                                       \
        }                                                                                          \
    }                                                                                              \
    static void check_affine_##G(const struct G *a, const struct G *b)                             \
    {                                                                                              \
        struct G##_affine affine;                                                                  \
        struct G l, r;                                                                             \
        G##_to_affine(&affine, b);                                                                 \
        assert_true(G##_is_on_curve(&affine));                                                     \
        G##_add(&l, a, b);                                                                         \
        G##_add_affine(&r, a, &affine);                                                            \
        assert_true(G##_equal(&l, &r));                                                            \
        r = G##_from_affine(&affine);                                                              \
        assert_true(G##_equal(&r, b));                                                             \
    }                                                                                              \
    static void G##_affine_points_add_like_others(void **state)                                    \
    {                                                                                              \
        (void)state;                                                                               \
        struct G zero = G##_infinity(), minus;                                                     \
        for (int i = 0; i < ROUNDS; i++) {                                                         \
            struct G a = random_##G(), b = random_##G();                                           \
            G##_neg(&minus, &a);                                                                   \
            check_affine_##G(&a, &b);                                                              \
            check_affine_##G(&a, &a);                                                              \
            check_affine_##G(&a, &minus);                                                          \
            check_affine_##G(&a, &zero);                                                           \
            check_affine_##G(&zero, &a);                                                           \
            check_affine_##G(&zero, &zero);                                                        \
        }                                                                                          \
    }                                                                                              \
    static void plain_mul_##G(struct G *out, const struct G *p, const struct scalar *s)            \
    {                                                                                              \
        struct G r = G##_infinity();                                                               \
        for (int i = SCALAR_BITS - 1; i >= 0; i--) {                                               \
            G##_double(&r, &r);                                                                    \
            if (s->limb[i / 64] >> (i % 64) & 1) G##_add(&r, &r, p);                               \
        }                                                                                          \
        *out = r;                                                                                  \
    }                                                                                              \
    static void G##_multiples_are_repeated_sums(void **state)                                      \
    {                                                                                              \
        (void)state;                                                                               \
        struct G p = random_##G(), sum = G##_infinity(), r, zero = G##_infinity();                 \
        for (uint64_t n = 0; n < 70; n++) {                                                        \
            struct scalar s = small_scalar(n);                                                     \
            G##_mul(&r, &p, &s);                                                                   \
            assert_true(G##_equal(&r, &sum));                                                      \
            G##_add(&sum, &sum, &p);                                                               \
        }                                                                                          \
        for (int i = 0; i < ROUNDS; i++) {                                                         \
            struct scalar s = random_scalar();                                                     \
            if (i < 3) s.limb[3] = UINT64_MAX << (i * 30);                                         \
            if (i == 3) s = (struct scalar){{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};     \
            G##_mul(&r, &p, &s);                                                                   \
            plain_mul_##G(&sum, &p, &s);                                                           \
            assert_true(G##_equal(&r, &sum));                                                      \
        }                                                                                          \
        struct scalar any = random_scalar();                                                       \
        G##_mul(&r, &zero, &any);                                                                  \
        assert_true(G##_is_infinity(&r));                                                          \
    }                                                                                              \
    static void check_msm_##G(size_t count)                                                        \
    {                                                                                              \
        struct G##_affine *points = must_alloc(count * sizeof(*points));                           \
        struct scalar *scalars = must_alloc(count * sizeof(*scalars));                             \
        struct G want = G##_infinity(), got, p, part;                                              \
        for (size_t i = 0; i < count; i++) {                                                       \
            p = i % 5 == 4 ? G##_infinity() : random_##G();                                        \
            G##_to_affine(&points[i], &p);                                                         \
            scalars[i] = i % 7 == 6 ? small_scalar(i % 2) : random_scalar();                       \
            if (i % 6 == 3) { /* an equal and an opposite point, to meet in one bucket */          \
                points[i] = points[i - 1];                                                         \
                points[i - 2] = points[i - 1];                                                     \
                scalars[i] = scalars[i - 1];                                                       \
                F##_neg(&points[i - 2].y, &points[i - 2].y);                                       \
            }                                                                                      \
        }                                                                                          \
        for (size_t i = 0; i < count; i++) {                                                       \
            p = G##_from_affine(&points[i]);                                                       \
            G##_mul(&part, &p, &scalars[i]);                                                       \
            G##_add(&want, &want, &part);                                                          \
        }                                                                                          \
        G##_msm(&got, points, scalars, count);                                                     \
        assert_true(G##_equal(&got, &want));                                                       \
        free(points);                                                                              \
        free(scalars);                                                                             \
    }                                                                                              \
    static void G##_sums_of_multiples_are_sums_of_multiples(void **state)                          \
    {                                                                                              \
        (void)state;                                                                               \
        static const size_t counts[] = {1, 2, 3, 8, 24, 25, 150};                                  \
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)                            \
            check_msm_##G(counts[i]);                                                              \
    }                                                                                              \
    static bool killed_by_order_##G(const struct G##_affine *a)                                    \
    {                                                                                              \
        struct G p = G##_from_affine(a);                                                           \
        G##_mul(&p, &p, &GROUP_ORDER);                                                             \
        return G##_is_infinity(&p);                                                                \
    }                                                                                              \
    /* Points of the curve, of the group, of the cofactor's order, and sums of the last two. */    \
    static void G##_membership_is_what_the_order_says(void **state)                                \
    {                                                                                              \
        (void)state;                                                                               \
        for (int i = 0; i < ROUNDS; i++) {                                                         \
            struct G##_affine of_curve = random_##G##_of_curve(), a;                               \
            struct G member = random_##G(), torsion = G##_from_affine(&of_curve), sum;             \
            assert_true(G##_is_on_curve(&of_curve));                                               \
            assert_int_equal(G##_is_in_group(&of_curve), killed_by_order_##G(&of_curve));          \
            G##_to_affine(&a, &member);                                                            \
            assert_true(G##_is_in_group(&a) && killed_by_order_##G(&a));                           \
            G##_mul(&torsion, &torsion, &GROUP_ORDER);                                             \
            G##_to_affine(&a, &torsion);                                                           \
            assert_int_equal(G##_is_in_group(&a), G##_is_infinity(&torsion));                      \
            G##_add(&sum, &member, &torsion);                                                      \
            G##_to_affine(&a, &sum);                                                               \
            assert_int_equal(G##_is_in_group(&a), killed_by_order_##G(&a));                        \
        }                                                                                          \
        struct G##_affine zero = {.infinity = true};                                               \
        assert_true(G##_is_on_curve(&zero) && G##_is_in_group(&zero));                             \
    }                                                                                              \
    static void G##_points_beside_the_curve_are_told(void **state)                                 \
    {                                                                                              \
        (void)state;                                                                               \
        for (int i = 0; i < ROUNDS; i++) {                                                         \
            struct G##_affine a = random_##G##_of_curve();                                         \
            F##_add(&a.x, &a.x, &a.y);                                                             \
            assert_false(G##_is_on_curve(&a));                                                     \
        }                                                                                          \
    }

GROUP_TESTS(g1, fp, G1_GENERATOR)
GROUP_TESTS(g2, fp2, G2_GENERATOR)

static void psi_multiplies_g2_by_p(void **state)
{
    (void)state;
    mpz_t p, r;
    struct g2 q = random_g2(), fast, slow;
    mpz_inits(p, r, NULL);
    limbs_to_mpz(p, FP_MODULUS.limb, FP_LIMBS);
    limbs_to_mpz(r, GROUP_ORDER.limb, SCALAR_LIMBS);
    mpz_mod(p, p, r);
    struct scalar s = scalar_from_mpz(p);
    g2_psi(&fast, &q);
    g2_mul(&slow, &q, &s);
    assert_true(g2_equal(&fast, &slow));
    mpz_clears(p, r, NULL);
}

static void scalars_are_below_the_order_or_not(void **state)
{
    (void)state;
    struct scalar s = GROUP_ORDER;
    assert_false(scalar_is_below_order(&s));
    s.limb[0]--;
    assert_true(scalar_is_below_order(&s));
    s.limb[0] += 2;
    assert_false(scalar_is_below_order(&s));
    s = (struct scalar){{0, 0, 0, UINT64_MAX}};
    assert_false(scalar_is_below_order(&s));
    s.limb[3] = 0;
    assert_true(scalar_is_below_order(&s));
}

static void digits_add_up_to_the_scalar(void **state)
{
    (void)state;
    mpz_t sum, want;
    mpz_inits(sum, want, NULL);
    for (int i = 0; i < BATCH; i++) {
        struct scalar s = random_scalar();
        if (i < 4) s.limb[3] = UINT64_MAX << (i * 20);
        if (i == 5) s = (struct scalar){{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
        limbs_to_mpz(want, s.limb, SCALAR_LIMBS);
        for (int window = 2; window <= MSM_WINDOW_MAX; window++) {
            mpz_set_ui(sum, 0);
            for (int w = msm_windows(window) - 1; w >= 0; w--) {
                int digit = scalar_window(&s, w, window);
                assert_in_range(digit + (1 << (window - 1)), 0, 1 << window);
                mpz_mul_2exp(sum, sum, (unsigned)window);
                if (digit < 0) mpz_sub_ui(sum, sum, (unsigned)-digit);
                if (digit > 0) mpz_add_ui(sum, sum, (unsigned)digit);
            }
            assert_int_equal(mpz_cmp(sum, want), 0);
        }
    }
    mpz_clears(sum, want, NULL);
}

#define OF_GROUP(G)                                                                                \
    cmocka_unit_test(G##_generator_has_the_groups_order),                                          \
        cmocka_unit_test(G##_addition_is_a_groups),                                                \
        cmocka_unit_test(G##_affine_points_add_like_others),                                       \
        cmocka_unit_test(G##_multiples_are_repeated_sums),                                         \
        cmocka_unit_test(G##_sums_of_multiples_are_sums_of_multiples),                             \
        cmocka_unit_test(G##_membership_is_what_the_order_says),                                   \
        cmocka_unit_test(G##_points_beside_the_curve_are_told)

static int run_curve_suite(void)
{
    const struct CMUnitTest tests[] = {
        OF_GROUP(g1),
        OF_GROUP(g2),
        cmocka_unit_test(psi_multiplies_g2_by_p),
        cmocka_unit_test(scalars_are_below_the_order_or_not),
        cmocka_unit_test(digits_add_up_to_the_scalar),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
