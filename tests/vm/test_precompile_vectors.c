/* Each precompile against vectors: our own always, the published ones where they are. */
#include "tests/official.h"
#include "tests/vm/precompile_fixture.h"
#include "tests/vm/precompile_vectors.h"

#define VECTOR_COUNT (sizeof(precompile_vectors) / sizeof(precompile_vectors[0]))
#define PLENTY       INT64_C(1000000000)

static void our_own_vectors_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        const struct precompile_vector *v = &precompile_vectors[i];
        check(v->number, v->name, v->input, v->output, v->gas);
    }
}

static void each_precompile_of_prague_has_vectors_of_our_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < evm_precompile_count(EVM_PRAGUE); i++) {
        struct address a;
        size_t count = 0;
        evm_precompile_address(EVM_PRAGUE, i, &a);
        for (size_t k = 0; k < VECTOR_COUNT; k++)
            count += precompile_vectors[k].number == a.b[19];
        if (count < 2) fail_msg("precompile 0x%02x has %zu vectors", a.b[19], count);
    }
}

/* ---- published ---- */

enum use {
    HOLDS,       /* output and gas */
    OUTPUT_ONLY, /* the gas is that of another revision */
    REFUSED,
    NOT_HERE, /* a precompile of a later revision */
};

static const struct {
    const char *file;
    uint8_t number;
    enum use use;
} published[] = {
    {"geth/ecRecover.json", 0x01, HOLDS},
    {"geth/modexp.json", 0x05, OUTPUT_ONLY},
    {"geth/modexp_eip2565.json", 0x05, HOLDS},
    {"geth/modexp_eip7883.json", 0x05, OUTPUT_ONLY},
    {"geth/bn256Add.json", 0x06, HOLDS},
    {"geth/bn256ScalarMul.json", 0x07, HOLDS},
    {"geth/bn256Pairing.json", 0x08, HOLDS},
    {"geth/blake2F.json", 0x09, HOLDS},
    {"geth/fail-blake2f.json", 0x09, REFUSED},
    {"geth/pointEvaluation.json", 0x0a, HOLDS},
    {"geth/blsG1Add.json", 0x0b, HOLDS},
    {"geth/fail-blsG1Add.json", 0x0b, REFUSED},
    {"eip2537/fail-add_G1_bls.json", 0x0b, REFUSED},
    {"geth/blsG1Mul.json", 0x0c, HOLDS},
    {"geth/blsG1MultiExp.json", 0x0c, HOLDS},
    {"geth/fail-blsG1Mul.json", 0x0c, REFUSED},
    {"geth/fail-blsG1MultiExp.json", 0x0c, REFUSED},
    {"eip2537/fail-mul_G1_bls.json", 0x0c, REFUSED},
    {"eip2537/fail-msm_G1_bls.json", 0x0c, REFUSED},
    {"geth/blsG2Add.json", 0x0d, HOLDS},
    {"geth/fail-blsG2Add.json", 0x0d, REFUSED},
    {"eip2537/fail-add_G2_bls.json", 0x0d, REFUSED},
    {"geth/blsG2Mul.json", 0x0e, HOLDS},
    {"geth/blsG2MultiExp.json", 0x0e, HOLDS},
    {"geth/fail-blsG2Mul.json", 0x0e, REFUSED},
    {"geth/fail-blsG2MultiExp.json", 0x0e, REFUSED},
    {"eip2537/fail-mul_G2_bls.json", 0x0e, REFUSED},
    {"eip2537/fail-msm_G2_bls.json", 0x0e, REFUSED},
    {"geth/blsPairing.json", 0x0f, HOLDS},
    {"geth/fail-blsPairing.json", 0x0f, REFUSED},
    {"eip2537/fail-pairing_check_bls.json", 0x0f, REFUSED},
    {"geth/blsMapG1.json", 0x10, HOLDS},
    {"geth/fail-blsMapG1.json", 0x10, REFUSED},
    {"eip2537/fail-map_fp_to_G1_bls.json", 0x10, REFUSED},
    {"geth/blsMapG2.json", 0x11, HOLDS},
    {"geth/fail-blsMapG2.json", 0x11, REFUSED},
    {"eip2537/fail-map_fp2_to_G2_bls.json", 0x11, REFUSED},
    {"geth/p256Verify.json", 0x00, NOT_HERE},
};
#define PUBLISHED_COUNT (sizeof(published) / sizeof(published[0]))

static size_t vectors_checked;

static void check_answer(size_t row, const json_t *v)
{
    struct buffer input = code_from(official_text(v, "Input"));
    struct answer got = ask(published[row].number, buffer_bytes(&input), PLENTY);
    const char *name = official_text(v, "Name");
    if (published[row].use == REFUSED) {
        if (got.result != EVM_PRECOMPILE) fail_msg("%s: %s", published[row].file, name);
    } else {
        struct buffer want = code_from(official_text(v, "Expected"));
        if (got.result != EVM_SUCCESS ||
            !bytes_equal(buffer_bytes(&got.output), buffer_bytes(&want)))
            fail_msg("%s: %s: %s", published[row].file, name, evm_result_text(got.result));
        buffer_finish(&want);
    }
    buffer_finish(&got.output);
    buffer_finish(&input);
}

static void check_vector(size_t row, const json_t *v)
{
    if (published[row].use == HOLDS)
        check(published[row].number, official_text(v, "Name"), official_text(v, "Input"),
              official_text(v, "Expected"), json_integer_value(json_object_get(v, "Gas")));
    else
        check_answer(row, v);
    vectors_checked++;
}

static void check_file(const char *path, const json_t *root)
{
    size_t row = 0, i;
    const json_t *v;
    while (row < PUBLISHED_COUNT && strstr(path, published[row].file) == NULL)
        row++;
    if (row == PUBLISHED_COUNT) fail_msg("%s: no row says what these vectors are of", path);
    if (published[row].use == NOT_HERE) return;
    assert_true(json_array_size(root) > 0);
    json_array_foreach(root, i, v) check_vector(row, v);
}

static void published_vectors_hold(void **state)
{
    (void)state;
    assert_int_equal(official_each_file(OFFICIAL_PRECOMPILES, "", check_file), PUBLISHED_COUNT);
    print_message("# %zu published vectors\n", vectors_checked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_own_vectors_hold),
        cmocka_unit_test(each_precompile_of_prague_has_vectors_of_our_own),
        cmocka_unit_test(published_vectors_hold),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
