/* u256 against GMP over random and edge operands, and its text forms. */
#include "base/u256.h"

#include "base/key.h"
#include "base/u256_division.h"

#include <gmp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS 20000

static mpz_t modulus_2_256;

static void to_mpz(mpz_t out, struct u256 a)
{
    mpz_import(out, 4, -1, 8, 0, 0, a.limb);
}

static void assert_same(mpz_t expected, struct u256 actual)
{
    mpz_t got;
    mpz_init(got);
    mpz_mod(expected, expected, modulus_2_256);
    to_mpz(got, actual);
    assert_int_equal(mpz_cmp(expected, got), 0);
    mpz_clear(got);
}

/* Sparse limbs make carries, borrows and short divisors common. */
static struct u256 random_operand(uint64_t *seed)
{
    struct u256 a;
    for (int i = 0; i < 4; i++) {
        *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
        uint64_t high = *seed >> 33;
        *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
        uint64_t word = high << 32 ^ *seed >> 31;
        switch (high & 7) {
        case 0: word = 0; break;
        case 1: word = UINT64_MAX; break;
        case 2: word = 1; break;
        case 3: word &= 0xff; break;
        case 4: word = 1ull << 63; break;
        }
        a.limb[i] = word;
    }
    return a;
}

static void agrees_with_gmp_on_unsigned_arithmetic(void **state)
{
    (void)state;
    uint64_t seed = 1;
    mpz_t a, b, m, r;
    mpz_inits(a, b, m, r, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        struct u256 x = random_operand(&seed);
        struct u256 y = random_operand(&seed);
        struct u256 z = random_operand(&seed);
        struct u256 w;
        to_mpz(a, x);
        to_mpz(b, y);
        to_mpz(m, z);
        mpz_add(r, a, b);
        assert_same(r, u256_add(x, y));
        mpz_sub(r, a, b);
        assert_same(r, u256_sub(x, y));
        mpz_mul(r, a, b);
        assert_same(r, u256_mul(x, y));
        assert_int_equal(mpz_cmp(a, b) < 0, u256_compare(x, y) < 0);
        if (mpz_sgn(b)) {
            mpz_fdiv_q(r, a, b);
            assert_same(r, u256_div(x, y));
            mpz_fdiv_r(r, a, b);
            assert_same(r, u256_mod(x, y));
        }
        if (mpz_sgn(m)) {
            mpz_add(r, a, b);
            mpz_fdiv_r(r, r, m);
            u256_sum_modulo(&w, &x, &y, &z);
            assert_same(r, w);
            mpz_mul(r, a, b);
            mpz_fdiv_r(r, r, m);
            u256_product_modulo(&w, &x, &y, &z);
            assert_same(r, w);
        }
    }
    mpz_clears(a, b, m, r, NULL);
}

static void checked_arithmetic_refuses_exactly_what_does_not_fit(void **state)
{
    (void)state;
    uint64_t seed = 7;
    mpz_t a, b, r;
    mpz_inits(a, b, r, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        struct u256 x = random_operand(&seed);
        struct u256 y = u256_shr(random_operand(&seed), (unsigned)(seed >> 40) & 255);
        struct u256 out;
        to_mpz(a, x);
        to_mpz(b, y);
        mpz_add(r, a, b);
        assert_int_equal(u256_add_checked(&out, x, y), mpz_cmp(r, modulus_2_256) < 0);
        mpz_mul(r, a, b);
        assert_int_equal(u256_mul_checked(&out, x, y), mpz_cmp(r, modulus_2_256) < 0);
        assert_int_equal(u256_sub_checked(&out, x, y), mpz_cmp(a, b) >= 0);
    }
    mpz_clears(a, b, r, NULL);
}

static void shifts_move_bits_as_gmp_does(void **state)
{
    (void)state;
    uint64_t seed = 3;
    mpz_t a, r;
    mpz_inits(a, r, NULL);
    for (unsigned shift = 0; shift <= 300; shift++) {
        struct u256 x = random_operand(&seed);
        to_mpz(a, x);
        mpz_mul_2exp(r, a, shift);
        assert_same(r, u256_shl(x, shift));
        mpz_fdiv_q_2exp(r, a, shift);
        assert_same(r, u256_shr(x, shift));
        if (x.limb[3] >> 63) mpz_sub(a, a, modulus_2_256);
        mpz_fdiv_q_2exp(r, a, shift);
        assert_same(r, u256_sar(x, shift));
    }
    mpz_clears(a, r, NULL);
}

static struct u256 minus(uint64_t value)
{
    return u256_sub(u256_from_u64(0), u256_from_u64(value));
}

static struct u256 divided(struct u256 a, struct u256 b)
{
    u256_quotient_signed(&a, &a, &b);
    return a;
}

static struct u256 rest_of(struct u256 a, struct u256 b)
{
    u256_remainder_signed(&a, &a, &b);
    return a;
}

static void signed_operations_truncate_towards_zero(void **state)
{
    (void)state;
    assert_true(u256_equal(divided(minus(7), u256_from_u64(2)), minus(3)));
    assert_true(u256_equal(rest_of(minus(7), u256_from_u64(2)), minus(1)));
    assert_true(u256_equal(rest_of(u256_from_u64(7), minus(2)), u256_from_u64(1)));
    struct u256 lowest = u256_shl(u256_from_u64(1), 255);
    assert_true(u256_equal(divided(lowest, minus(1)), lowest));
    assert_true(u256_is_zero(divided(lowest, u256_from_u64(0))));
    assert_true(u256_compare_signed(minus(1), u256_from_u64(0)) < 0);
    assert_true(u256_compare_signed(lowest, minus(1)) < 0);
}

static void exponent_bytes_and_sign_extension_follow_the_yellow_paper(void **state)
{
    (void)state;
    struct u256 three_to_200 = u256_exp(u256_from_u64(3), u256_from_u64(200));
    mpz_t r;
    mpz_init(r);
    mpz_ui_pow_ui(r, 3, 200);
    assert_same(r, three_to_200);
    mpz_clear(r);
    assert_true(u256_equal(u256_exp(u256_from_u64(0), u256_from_u64(0)), u256_from_u64(1)));
    assert_true(u256_equal(u256_sign_extend(u256_from_u64(0), u256_from_u64(0xff)), minus(1)));
    assert_true(
        u256_equal(u256_sign_extend(u256_from_u64(0), u256_from_u64(0x17f)), u256_from_u64(0x7f)));
    struct u256 x = u256_from_u64(0x1234);
    assert_true(u256_equal(u256_byte(u256_from_u64(31), x), u256_from_u64(0x34)));
    assert_true(u256_equal(u256_byte(u256_from_u64(30), x), u256_from_u64(0x12)));
    assert_true(u256_is_zero(u256_byte(u256_from_u64(32), x)));
}

static void text_forms_round_trip_and_refuse_the_rest(void **state)
{
    (void)state;
    uint64_t seed = 9;
    for (int i = 0; i < 1000; i++) {
        struct u256 x = u256_shr(random_operand(&seed), (unsigned)i & 255);
        struct u256 back;
        char decimal[79];
        char quantity[67];
        u256_to_decimal(decimal, x);
        u256_to_quantity(quantity, x);
        assert_int_equal(u256_from_decimal(&back, bytes_of_text(decimal)), OK);
        assert_true(u256_equal(back, x));
        assert_int_equal(u256_from_quantity(&back, bytes_of_text(quantity)), OK);
        assert_true(u256_equal(back, x));
    }
    struct u256 out;
    const char *bad[] = {"", "-1", "1.5", "0x10", " 1", "1e3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(u256_from_decimal(&out, bytes_of_text(bad[i])), E_MALFORMED);
    const char *bad_quantities[] = {"", "0x", "0x01", "01", "0xg", "0X1"};
    for (size_t i = 0; i < sizeof bad_quantities / sizeof *bad_quantities; i++)
        assert_int_equal(u256_from_quantity(&out, bytes_of_text(bad_quantities[i])), E_MALFORMED);
    const char *too_big =
        "115792089237316195423570985008687907853269984665640564039457584007913129639936";
    assert_int_equal(u256_from_decimal(&out, bytes_of_text(too_big)), E_RANGE);
}

static void big_endian_forms_round_trip(void **state)
{
    (void)state;
    uint8_t be[32];
    struct u256 x = {{4, 3, 2, 1}};
    u256_to_be(be, x);
    assert_int_equal(be[7], 1);
    assert_int_equal(be[31], 4);
    assert_true(u256_equal(u256_from_be(bytes_of(be, 32)), x));
    assert_int_equal(u256_to_be_short(be, u256_from_u64(0x1234)), 2);
    assert_int_equal(be[0], 0x12);
    assert_int_equal(u256_to_be_short(be, u256_from_u64(0)), 0);
}

int main(void)
{
    mpz_init(modulus_2_256);
    mpz_ui_pow_ui(modulus_2_256, 2, 256);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_gmp_on_unsigned_arithmetic),
        cmocka_unit_test(checked_arithmetic_refuses_exactly_what_does_not_fit),
        cmocka_unit_test(shifts_move_bits_as_gmp_does),
        cmocka_unit_test(signed_operations_truncate_towards_zero),
        cmocka_unit_test(exponent_bytes_and_sign_extension_follow_the_yellow_paper),
        cmocka_unit_test(text_forms_round_trip_and_refuse_the_rest),
        cmocka_unit_test(big_endian_forms_round_trip),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mpz_clear(modulus_2_256);
    return failed;
}
