#include "tests/vm/precompile_fixture.h"

#include "tests/vm/precompile_vectors.h"

#define PLENTY INT64_C(100000000)

/* p of BLS12-381 and of bn254, and the order of BLS12-381's groups. */
#define BLS_P                                                                                      \
    "000000000000000000000000000000001a0111ea397fe69a4b1ba7b6434bacd7"                             \
    "64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab"
#define BN254_P "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47"
#define BLS_R   "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001"
#define ZERO_32 "0000000000000000000000000000000000000000000000000000000000000000"
#define ONE_32  "0000000000000000000000000000000000000000000000000000000000000001"
#define TWO_32  "0000000000000000000000000000000000000000000000000000000000000002"
#define ZERO_64 ZERO_32 ZERO_32
#define ONE_64  ZERO_32 ONE_32
#define TWO_64  ZERO_32 TWO_32

/* The first vector of a precompile: each bit of its input counts. */
static const struct precompile_vector *vector_of(uint8_t number)
{
    size_t count = sizeof(precompile_vectors) / sizeof(precompile_vectors[0]), i = 0;
    while (i + 1 < count && precompile_vectors[i].number != number)
        i++;
    assert_int_equal(precompile_vectors[i].number, number);
    return &precompile_vectors[i];
}

static void check_refused_bytes(uint8_t number, const char *name, struct bytes input)
{
    struct answer got = ask(number, input, PLENTY);
    if (got.result != EVM_PRECOMPILE)
        fail_msg("precompile %d, %s: %s", number, name, evm_result_text(got.result));
    buffer_finish(&got.output);
}

static void check_refused(uint8_t number, const char *name, const char *input_hex)
{
    struct buffer input = code_from(input_hex);
    check_refused_bytes(number, name, buffer_bytes(&input));
    buffer_finish(&input);
}

static void bn254_takes_short_input_as_padded_and_cuts_off_long(void **state)
{
    (void)state;
    check(6, "nothing", "", ZERO_64, 150);
    check(6, "one point", ONE_32 TWO_32, ONE_32 TWO_32, 150);
    check(6, "two points and more", ONE_32 TWO_32 ZERO_64 "ff", ONE_32 TWO_32, 150);
    check(7, "nothing", "", ZERO_64, 6000);
    check(7, "one point and no scalar", ONE_32 TWO_32, ZERO_64, 6000);
    check(7, "a scalar of one and more", ONE_32 TWO_32 ONE_32 "ff", ONE_32 TWO_32, 6000);
    check(8, "no pairs", "", ONE_32, 45000);
    check(8, "infinities", ZERO_64 ZERO_64 ZERO_64, ONE_32, 79000);
}

static void bn254_refuses_what_is_no_point(void **state)
{
    (void)state;
    check_refused(6, "not on the curve", ONE_32 ONE_32);
    check_refused(6, "x of p", BN254_P TWO_32);
    check_refused(6, "p, p for infinity", ZERO_64 BN254_P BN254_P);
    check_refused(7, "not on the curve", TWO_32 TWO_32 ONE_32);
    check_refused(8, "a byte too many", "00");
    check_refused(8, "G2 not on the twist", ONE_32 TWO_32 ONE_32 ONE_32 ONE_32 ONE_32);
}

/* Flips each 13th byte of the input in turn, a bit each: the answer may not stay. */
static void check_each_bit_counts(uint8_t number)
{
    const struct precompile_vector *v = vector_of(number);
    struct buffer input = code_from(v->input), want = code_from(v->output);
    for (size_t k = 0; k < input.size; k += 13) {
        input.data[k] ^= (uint8_t)(1 << k % 8);
        struct answer got = ask(number, buffer_bytes(&input), PLENTY);
        if (got.result == EVM_SUCCESS &&
            bytes_equal(buffer_bytes(&got.output), buffer_bytes(&want)))
            fail_msg("%s: byte %zu can be changed", v->name, k);
        buffer_finish(&got.output);
        input.data[k] ^= (uint8_t)(1 << k % 8);
    }
    buffer_finish(&input);
    buffer_finish(&want);
}

static void no_changed_input_gives_the_same_answer(void **state)
{
    (void)state;
    for (uint8_t number = 0x06; number <= 0x11; number++) {
        if (number != 0x09) check_each_bit_counts(number);
    }
}

static void bls_refuses_sizes_that_are_not_its_own(void **state)
{
    (void)state;
    for (uint8_t number = 0x0a; number <= 0x11; number++) {
        struct buffer input = code_from(vector_of(number)->input);
        check_refused(number, "empty", "");
        check_refused_bytes(number, "cut", bytes_of(input.data, input.size - 1));
        buffer_append_byte(&input, 0);
        check_refused_bytes(number, "a byte too many", buffer_bytes(&input));
        buffer_finish(&input);
    }
}

static void bls_refuses_elements_out_of_range(void **state)
{
    (void)state;
    check_refused(0x0b, "x of p", BLS_P ZERO_64 ZERO_64 ZERO_64);
    check_refused(0x10, "p", BLS_P);
    check_refused(0x11, "p in the real part", BLS_P ZERO_64);
    check_refused(0x11, "p in the imaginary part", ZERO_64 BLS_P);
    check_refused(0x10, "padding not zero",
                  "00000000000000000000000000000001"
                  "00000000000000000000000000000000" ZERO_32);
}

static void bls_addition_asks_for_the_curve_but_not_for_the_group(void **state)
{
    (void)state;
    /* (0, 2) is on y^2 = x^3 + 4, of order 3: twice the point is (0, -2), three times infinity. */
    static const char minus_two[] =
        "000000000000000000000000000000001a0111ea397fe69a4b1ba7b6434bacd7"
        "64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaa9";
    char want[257];
    snprintf(want, sizeof(want), ZERO_64 "%s", minus_two);
    check(0x0b, "(0, 2) doubled", ZERO_64 TWO_64 ZERO_64 TWO_64, want, 375);
    check_refused(0x0c, "(0, 2) is not in the group", ZERO_64 TWO_64 ONE_32);
    check_refused(0x0b, "(1, 1) is not on the curve", ONE_64 ONE_64 ZERO_64 ZERO_64);
}

static void bls_multiples_wrap_at_the_order(void **state)
{
    (void)state;
    struct buffer item = code_from(vector_of(0x0c)->input), zero = {.size = 0};
    struct buffer r = code_from(BLS_R);
    memcpy(item.data + 128, r.data, 32);
    struct answer got = ask(0x0c, buffer_bytes(&item), PLENTY);
    assert_int_equal(got.result, EVM_SUCCESS);
    buffer_extend(&zero, 128);
    assert_true(bytes_equal(buffer_bytes(&got.output), buffer_bytes(&zero)));
    buffer_finish(&got.output);
    buffer_finish(&item);
    buffer_finish(&zero);
    buffer_finish(&r);
}

/* What an item more costs follows the table of EIP-2537: a few entries of it, and its end. */
static void sums_of_multiples_cost_what_the_discounts_say(void **state)
{
    (void)state;
    static const struct {
        size_t count;
        int64_t g1, g2;
    } prices[] = {
        {1, 12000, 22500},    {2, 22776, 45000},      {3, 30528, 62302},
        {16, 129984, 258120}, {128, 797184, 1509120}, {129, 803412, 1520910},
    };
    for (size_t i = 0; i < sizeof(prices) / sizeof(prices[0]); i++) {
        struct buffer input = {.size = 0};
        buffer_extend(&input, prices[i].count * 160);
        struct answer got = ask(0x0c, buffer_bytes(&input), PLENTY);
        assert_int_equal(got.result, EVM_SUCCESS);
        assert_int_equal(got.gas_used, prices[i].g1);
        buffer_finish(&got.output);
        buffer_extend(&input, prices[i].count * 128);
        got = ask(0x0e, buffer_bytes(&input), PLENTY);
        assert_int_equal(got.result, EVM_SUCCESS);
        assert_int_equal(got.gas_used, prices[i].g2);
        buffer_finish(&got.output);
        buffer_finish(&input);
    }
}

static void point_evaluation_refuses_what_does_not_hold(void **state)
{
    (void)state;
    struct buffer input = code_from(vector_of(0x0a)->input), r = code_from(BLS_R);
    input.data[95] ^= 1;
    check_refused_bytes(0x0a, "another value", buffer_bytes(&input));
    input.data[95] ^= 1;
    input.data[0] = 2;
    check_refused_bytes(0x0a, "another version", buffer_bytes(&input));
    input.data[0] = 1;
    memcpy(input.data + 32, r.data, 32);
    check_refused_bytes(0x0a, "a place of r", buffer_bytes(&input));
    buffer_finish(&input);
    buffer_finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bn254_takes_short_input_as_padded_and_cuts_off_long),
        cmocka_unit_test(bn254_refuses_what_is_no_point),
        cmocka_unit_test(no_changed_input_gives_the_same_answer),
        cmocka_unit_test(bls_refuses_sizes_that_are_not_its_own),
        cmocka_unit_test(bls_refuses_elements_out_of_range),
        cmocka_unit_test(bls_addition_asks_for_the_curve_but_not_for_the_group),
        cmocka_unit_test(bls_multiples_wrap_at_the_order),
        cmocka_unit_test(sums_of_multiples_cost_what_the_discounts_say),
        cmocka_unit_test(point_evaluation_refuses_what_does_not_hold),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
