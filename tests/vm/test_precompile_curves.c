#include "tests/vm/precompile_fixture.h"

#include "tests/vm/curve_vectors.h"

#define VECTOR_COUNT (sizeof(curve_vectors) / sizeof(curve_vectors[0]))
#define PLENTY       INT64_C(100000000)

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

static const struct curve_vector *vector_of(uint8_t number)
{
    size_t i = 0;
    while (i + 1 < VECTOR_COUNT && curve_vectors[i].number != number)
        i++;
    assert_int_equal(curve_vectors[i].number, number);
    return &curve_vectors[i];
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

static void each_precompile_gives_one_published_answer(void **state)
{
    (void)state;
    assert_int_equal(VECTOR_COUNT, 11);
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        const struct curve_vector *v = &curve_vectors[i];
        check(v->number, v->name, v->input, v->output, v->gas);
    }
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

/* Flips each byte of a vector's input in turn, a few bits each: the answer may not stay. */
static void no_changed_input_gives_the_same_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        const struct curve_vector *v = &curve_vectors[i];
        struct buffer input = code_from(v->input), want = code_from(v->output);
        for (size_t k = 0; k < input.size; k += 13) {
            input.data[k] ^= (uint8_t)(1 << k % 8);
            struct answer got = ask(v->number, buffer_bytes(&input), PLENTY);
            if (got.result == EVM_SUCCESS &&
                bytes_equal(buffer_bytes(&got.output), buffer_bytes(&want)))
                fail_msg("%s: byte %zu can be changed", v->name, k);
            buffer_finish(&got.output);
            input.data[k] ^= (uint8_t)(1 << k % 8);
        }
        buffer_finish(&input);
        buffer_finish(&want);
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

static void published_vectors_hold(void **state)
{
    (void)state;
    skip_without_published_vectors();
    check_published(0x06, "precompile-vectors/geth/bn256Add.json");
    check_published(0x07, "precompile-vectors/geth/bn256ScalarMul.json");
    check_published(0x08, "precompile-vectors/geth/bn256Pairing.json");
    check_published(0x0a, "precompile-vectors/geth/pointEvaluation.json");
    check_published(0x0b, "precompile-vectors/geth/blsG1Add.json");
    check_published(0x0c, "precompile-vectors/geth/blsG1Mul.json");
    check_published(0x0c, "precompile-vectors/geth/blsG1MultiExp.json");
    check_published(0x0d, "precompile-vectors/geth/blsG2Add.json");
    check_published(0x0e, "precompile-vectors/geth/blsG2Mul.json");
    check_published(0x0e, "precompile-vectors/geth/blsG2MultiExp.json");
    check_published(0x0f, "precompile-vectors/geth/blsPairing.json");
    check_published(0x10, "precompile-vectors/geth/blsMapG1.json");
    check_published(0x11, "precompile-vectors/geth/blsMapG2.json");
}

static void check_published_failures(uint8_t number, const char *member)
{
    json_t *vectors = published(member);
    size_t i;
    json_t *v;
    assert_true(json_array_size(vectors) > 0);
    json_array_foreach(vectors, i, v)
    {
        check_refused(number, json_string_value(json_object_get(v, "Name")),
                      json_string_value(json_object_get(v, "Input")));
    }
    json_decref(vectors);
}

static void published_failures_fail(void **state)
{
    (void)state;
    static const struct {
        uint8_t number;
        const char *members[3];
    } files[] = {
        {0x0b, {"eip2537/fail-add_G1_bls", "geth/fail-blsG1Add"}},
        {0x0c, {"eip2537/fail-mul_G1_bls", "geth/fail-blsG1Mul", "geth/fail-blsG1MultiExp"}},
        {0x0c, {"eip2537/fail-msm_G1_bls"}},
        {0x0d, {"eip2537/fail-add_G2_bls", "geth/fail-blsG2Add"}},
        {0x0e, {"eip2537/fail-mul_G2_bls", "geth/fail-blsG2Mul", "geth/fail-blsG2MultiExp"}},
        {0x0e, {"eip2537/fail-msm_G2_bls"}},
        {0x0f, {"eip2537/fail-pairing_check_bls", "geth/fail-blsPairing"}},
        {0x10, {"eip2537/fail-map_fp_to_G1_bls", "geth/fail-blsMapG1"}},
        {0x11, {"eip2537/fail-map_fp2_to_G2_bls", "geth/fail-blsMapG2"}},
    };
    skip_without_published_vectors();
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        for (size_t k = 0; k < 3 && files[i].members[k] != NULL; k++) {
            char member[100];
            snprintf(member, sizeof(member), "precompile-vectors/%s.json", files[i].members[k]);
            check_published_failures(files[i].number, member);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_precompile_gives_one_published_answer),
        cmocka_unit_test(bn254_takes_short_input_as_padded_and_cuts_off_long),
        cmocka_unit_test(bn254_refuses_what_is_no_point),
        cmocka_unit_test(no_changed_input_gives_the_same_answer),
        cmocka_unit_test(bls_refuses_sizes_that_are_not_its_own),
        cmocka_unit_test(bls_refuses_elements_out_of_range),
        cmocka_unit_test(bls_addition_asks_for_the_curve_but_not_for_the_group),
        cmocka_unit_test(bls_multiples_wrap_at_the_order),
        cmocka_unit_test(sums_of_multiples_cost_what_the_discounts_say),
        cmocka_unit_test(point_evaluation_refuses_what_does_not_hold),
        cmocka_unit_test(published_vectors_hold),
        cmocka_unit_test(published_failures_fail),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
