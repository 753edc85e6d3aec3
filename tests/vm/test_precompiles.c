#include "tests/vm/precompile_fixture.h"

static void hashes_of_known_texts(void **state)
{
    (void)state;
    check(2, "empty", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 60);
    check(2, "abc (FIPS 180-4)", "616263",
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 72);
    check(3, "empty", "", "0000000000000000000000009c1185a5c5e9fc54612808977ee8f548b2258d31", 600);
    check(3, "abc (the paper's)", "616263",
          "0000000000000000000000008eb208f7e05d987a9b044a8e98c6b087f15a0bfc", 720);
    check(4, "empty", "", "", 15);
    check(4, "three bytes", "616263", "616263", 18);
}

#define MODEXP_ONE "0000000000000000000000000000000000000000000000000000000000000001"
#define MODEXP_32  "0000000000000000000000000000000000000000000000000000000000000020"
#define ZEROS_32   "0000000000000000000000000000000000000000000000000000000000000000"
#define ONES_32    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static void modexp_of_small_and_odd_sizes(void **state)
{
    (void)state;
    check(5, "EIP-198's first example",
          MODEXP_ONE MODEXP_32 MODEXP_32
          "03"
          "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2e"
          "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
          MODEXP_ONE, 1360);
    check(5, "nothing at all", "", "", 200);
    check(5, "modulus zero", MODEXP_ONE MODEXP_ONE MODEXP_ONE "030200", "00", 200);
    check(5, "modulus one", MODEXP_ONE MODEXP_ONE MODEXP_ONE "030201", "00", 200);
    check(5, "zero to the zero", MODEXP_ONE MODEXP_ONE MODEXP_ONE "000005", "01", 200);
    check(5, "input cut off", MODEXP_ONE MODEXP_ONE MODEXP_ONE "03", "00", 200);
    check(5, "no modulus, endless exponent", ZEROS_32 ONES_32 ZEROS_32, "", 200);
    check(5, "3^2 mod 5", MODEXP_ONE MODEXP_ONE MODEXP_ONE "030205", "04", 200);
}

static void modexp_of_absurd_sizes_is_out_of_gas_and_allocates_nothing(void **state)
{
    (void)state;
    static const char *const inputs[] = {
        ONES_32 ZEROS_32 ZEROS_32,
        ZEROS_32 ZEROS_32 ONES_32,
        ONES_32 ONES_32 ONES_32,
        MODEXP_ONE ONES_32 MODEXP_ONE "ffffff",
        "0000000000000000000000000000000000000000000000000000000100000000" MODEXP_ONE MODEXP_ONE,
    };
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
        struct buffer input = code_from(inputs[i]);
        struct answer got = ask(5, buffer_bytes(&input), INT64_C(30000000));
        assert_int_equal(got.result, EVM_OUT_OF_GAS);
        assert_int_equal(got.output.capacity, 0);
        buffer_finish(&got.output);
        buffer_finish(&input);
    }
}

static void ecrecover_answers_nothing_for_what_is_no_signature(void **state)
{
    (void)state;
    check(1, "empty", "", "", 3000);
    check(1, "v of 29",
          ONES_32
          "000000000000000000000000000000000000000000000000000000000000001d" MODEXP_ONE MODEXP_ONE,
          "", 3000);
    check(1, "r of zero",
          ONES_32
          "000000000000000000000000000000000000000000000000000000000000001b" ZEROS_32 MODEXP_ONE,
          "", 3000);
    check(1, "v with a high byte set",
          ONES_32
          "010000000000000000000000000000000000000000000000000000000000001b" MODEXP_ONE MODEXP_ONE,
          "", 3000);
}

#define BLAKE_STATE                                                                                \
    "48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5"                             \
    "d182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b"
#define BLAKE_BLOCK                                                                                \
    "6162630000000000000000000000000000000000000000000000000000000000" ZEROS_32 ZEROS_32 ZEROS_32
#define BLAKE_OFFSET "03000000000000000000000000000000"

static void blake2f_as_in_eip_152(void **state)
{
    (void)state;
    check(9, "test vector 5", "0000000c" BLAKE_STATE BLAKE_BLOCK BLAKE_OFFSET "01",
          "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
          "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
          12);
    check(9, "test vector 6, not final", "0000000c" BLAKE_STATE BLAKE_BLOCK BLAKE_OFFSET "00",
          "75ab69d3190a562c51aef8d88f1c2775876944407270c42c9844252c26d28752"
          "98743e7f6d5ea2f2d3e8d226039cd31b4e426ac4f2d3d666a610c2116fde4735",
          12);
    check(9, "test vector 4, no rounds", "00000000" BLAKE_STATE BLAKE_BLOCK BLAKE_OFFSET "01",
          "08c9bcf367e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5"
          "d282e6ad7f520e511f6c3e2b8c68059b9442be0454267ce079217e1319cde05b",
          0);
    static const char *const bad[] = {
        "",
        "0000000c" BLAKE_STATE BLAKE_BLOCK BLAKE_OFFSET,
        "0000000c" BLAKE_STATE BLAKE_BLOCK BLAKE_OFFSET "0101",
        "0000000c" BLAKE_STATE BLAKE_BLOCK BLAKE_OFFSET "02",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct buffer input = code_from(bad[i]);
        struct answer got = ask(9, buffer_bytes(&input), 1000);
        assert_int_equal(got.result, EVM_PRECOMPILE);
        buffer_finish(&got.output);
        buffer_finish(&input);
    }
}

static void check_list(enum evm_revision revision, uint8_t last)
{
    for (int i = 0; i < 256; i++) {
        struct address a = precompile((uint8_t)i);
        assert_int_equal(evm_is_precompile(revision, &a), i >= 1 && i <= last);
        a.b[0] = 1;
        assert_false(evm_is_precompile(revision, &a));
    }
    assert_int_equal(evm_precompile_count(revision), last);
    for (size_t i = 0; i < last; i++) {
        struct address a;
        evm_precompile_address(revision, i, &a);
        assert_true(evm_is_precompile(revision, &a));
    }
}

static void each_revision_lists_the_precompiles_that_it_answers(void **state)
{
    (void)state;
    check_list(EVM_CANCUN, 0x0a);
    check_list(EVM_PRAGUE, 0x11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_of_known_texts),
        cmocka_unit_test(modexp_of_small_and_odd_sizes),
        cmocka_unit_test(modexp_of_absurd_sizes_is_out_of_gas_and_allocates_nothing),
        cmocka_unit_test(ecrecover_answers_nothing_for_what_is_no_signature),
        cmocka_unit_test(blake2f_as_in_eip_152),
        cmocka_unit_test(each_revision_lists_the_precompiles_that_it_answers),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
