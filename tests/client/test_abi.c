/* The four encodings are the worked examples of Solidity's "Contract ABI Specification". */
#include "client/abi.h"

#include "base/hex.h"
#include "base/keccak.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char sample_abi[] =
    "[{\"type\":\"function\",\"name\":\"baz\",\"inputs\":[{\"name\":\"x\",\"type\":\"uint32\"},"
    "{\"name\":\"y\",\"type\":\"bool\"}],\"outputs\":[{\"name\":\"r\",\"type\":\"bool\"}]},"
    "{\"type\":\"function\",\"name\":\"bar\",\"inputs\":[{\"name\":\"\",\"type\":\"bytes3[2]\"}],"
    "\"outputs\":[]},"
    "{\"type\":\"function\",\"name\":\"sam\",\"inputs\":[{\"name\":\"\",\"type\":\"bytes\"},"
    "{\"name\":\"\",\"type\":\"bool\"},{\"name\":\"\",\"type\":\"uint256[]\"}],\"outputs\":[]},"
    "{\"type\":\"function\",\"name\":\"f\",\"inputs\":[{\"name\":\"a\",\"type\":\"uint256\"},"
    "{\"name\":\"b\",\"type\":\"uint32[]\"},{\"name\":\"c\",\"type\":\"bytes10\"},"
    "{\"name\":\"d\",\"type\":\"bytes\"}],\"outputs\":[]},"
    "{\"type\":\"function\",\"name\":\"g\",\"inputs\":[{\"name\":\"a\",\"type\":\"uint256[][]\"},"
    "{\"name\":\"b\",\"type\":\"string[]\"}],\"outputs\":[{\"name\":\"a\",\"type\":\"uint256[][]\"}"
    ","
    "{\"name\":\"b\",\"type\":\"string[]\"}]},"
    "{\"type\":\"function\",\"name\":\"get\",\"inputs\":[{\"name\":\"id\",\"type\":\"uint256\"}],"
    "\"outputs\":[{\"name\":\"\",\"type\":\"tuple\",\"components\":["
    "{\"name\":\"who\",\"type\":\"address\"},{\"name\":\"state\",\"type\":\"uint8\"},"
    "{\"name\":\"small\",\"type\":\"int16\"},{\"name\":\"big\",\"type\":\"int256\"},"
    "{\"name\":\"inner\",\"type\":\"tuple\",\"components\":[{\"name\":\"n\",\"type\":\"uint64\"},"
    "{\"name\":\"names\",\"type\":\"string[]\"}]}]}]},"
    "{\"type\":\"event\",\"name\":\"Moved\",\"inputs\":["
    "{\"name\":\"from\",\"type\":\"address\",\"indexed\":true},"
    "{\"name\":\"job\",\"type\":\"uint256\",\"indexed\":true},"
    "{\"name\":\"what\",\"type\":\"string\",\"indexed\":false}]},"
    "{\"type\":\"error\",\"name\":\"InsufficientStake\",\"inputs\":["
    "{\"name\":\"have\",\"type\":\"uint256\"},{\"name\":\"need\",\"type\":\"uint256\"}]},"
    "{\"type\":\"error\",\"name\":\"UnknownJob\",\"inputs\":["
    "{\"name\":\"job\",\"type\":\"uint256\"}]},"
    "{\"type\":\"constructor\",\"inputs\":[]}]";

static struct abi *parse(void)
{
    struct abi *a = NULL;
    char error[JSON_ERROR_SIZE];
    assert_int_equal(abi_parse(&a, error, bytes_of_text(sample_abi)), OK);
    return a;
}

static json_t *json(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    return value;
}

static void check_call(const char *function, const char *args, const char *expected)
{
    struct abi *a = parse();
    json_t *list = json(args);
    struct buffer out = {0};
    struct buffer hex = {0};
    char error[JSON_ERROR_SIZE] = "";
    assert_int_equal(abi_encode_call(&out, error, a, function, list), OK);
    hex_append(&hex, buffer_bytes(&out));
    assert_string_equal(buffer_text(&hex), expected);
    json_t *decoded = NULL;
    assert_int_equal(abi_decode_call(&decoded, a, buffer_bytes(&out)), OK);
    assert_string_equal(abi_get_text(decoded, "name"), function);
    assert_int_equal(json_object_size(abi_get(decoded, "args")), json_array_size(list));
    json_decref(decoded);
    json_decref(list);
    buffer_finish(&out);
    buffer_finish(&hex);
    abi_destroy(a);
}

static void encodes_the_examples_of_the_specification(void **state)
{
    (void)state;
    check_call("baz", "[69, true]",
               "0xcdcd77c0"
               "0000000000000000000000000000000000000000000000000000000000000045"
               "0000000000000000000000000000000000000000000000000000000000000001");
    check_call("bar", "[[\"0x616263\", \"0x646566\"]]",
               "0xfce353f6"
               "6162630000000000000000000000000000000000000000000000000000000000"
               "6465660000000000000000000000000000000000000000000000000000000000");
    check_call("sam", "[\"0x64617665\", true, [1, \"2\", \"0x3\"]]",
               "0xa5643bf2"
               "0000000000000000000000000000000000000000000000000000000000000060"
               "0000000000000000000000000000000000000000000000000000000000000001"
               "00000000000000000000000000000000000000000000000000000000000000a0"
               "0000000000000000000000000000000000000000000000000000000000000004"
               "6461766500000000000000000000000000000000000000000000000000000000"
               "0000000000000000000000000000000000000000000000000000000000000003"
               "0000000000000000000000000000000000000000000000000000000000000001"
               "0000000000000000000000000000000000000000000000000000000000000002"
               "0000000000000000000000000000000000000000000000000000000000000003");
    check_call("f",
               "[\"0x123\", [1110, 1929], \"0x31323334353637383930\","
               " \"0x48656c6c6f2c20776f726c6421\"]",
               "0x8be65246"
               "0000000000000000000000000000000000000000000000000000000000000123"
               "0000000000000000000000000000000000000000000000000000000000000080"
               "3132333435363738393000000000000000000000000000000000000000000000"
               "00000000000000000000000000000000000000000000000000000000000000e0"
               "0000000000000000000000000000000000000000000000000000000000000002"
               "0000000000000000000000000000000000000000000000000000000000000456"
               "0000000000000000000000000000000000000000000000000000000000000789"
               "000000000000000000000000000000000000000000000000000000000000000d"
               "48656c6c6f2c20776f726c642100000000000000000000000000000000000000");
    check_call("g", "[[[1, 2], [3]], [\"one\", \"two\", \"three\"]]",
               "0x2289b18c"
               "0000000000000000000000000000000000000000000000000000000000000040"
               "0000000000000000000000000000000000000000000000000000000000000140"
               "0000000000000000000000000000000000000000000000000000000000000002"
               "0000000000000000000000000000000000000000000000000000000000000040"
               "00000000000000000000000000000000000000000000000000000000000000a0"
               "0000000000000000000000000000000000000000000000000000000000000002"
               "0000000000000000000000000000000000000000000000000000000000000001"
               "0000000000000000000000000000000000000000000000000000000000000002"
               "0000000000000000000000000000000000000000000000000000000000000001"
               "0000000000000000000000000000000000000000000000000000000000000003"
               "0000000000000000000000000000000000000000000000000000000000000003"
               "0000000000000000000000000000000000000000000000000000000000000060"
               "00000000000000000000000000000000000000000000000000000000000000a0"
               "00000000000000000000000000000000000000000000000000000000000000e0"
               "0000000000000000000000000000000000000000000000000000000000000003"
               "6f6e650000000000000000000000000000000000000000000000000000000000"
               "0000000000000000000000000000000000000000000000000000000000000003"
               "74776f0000000000000000000000000000000000000000000000000000000000"
               "0000000000000000000000000000000000000000000000000000000000000005"
               "7468726565000000000000000000000000000000000000000000000000000000");
}

/* Return data of get(): made by hand from the specification's rules. */
static const char get_data[] = "0x0000000000000000000000000000000000000000000000000000000000000020"
                               "0000000000000000000000005aaeb6053f3e94c9b9a09f33669435e7ef1beaed"
                               "0000000000000000000000000000000000000000000000000000000000000003"
                               "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe"
                               "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
                               "00000000000000000000000000000000000000000000000000000000000000a0"
                               "000000000000000000000000000000000000000000000000ffffffffffffffff"
                               "0000000000000000000000000000000000000000000000000000000000000040"
                               "0000000000000000000000000000000000000000000000000000000000000001"
                               "0000000000000000000000000000000000000000000000000000000000000020"
                               "0000000000000000000000000000000000000000000000000000000000000002"
                               "6869000000000000000000000000000000000000000000000000000000000000";

static void decodes_a_struct_into_an_object(void **state)
{
    (void)state;
    struct abi *a = parse();
    struct buffer data = {0};
    json_t *out = NULL;
    assert_int_equal(hex_decode(&data, bytes_of_text(get_data)), OK);
    assert_int_equal(abi_decode_return(&out, a, "get", buffer_bytes(&data)), OK);
    assert_string_equal(abi_get_text(out, "who"), "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
    assert_int_equal(abi_get_u64(out, "state"), 3);
    assert_int_equal(json_integer_value(abi_get(out, "small")), -2);
    assert_string_equal(abi_get_text(out, "big"), "-1");
    const json_t *inner = abi_get(out, "inner");
    assert_true(abi_get_u64(inner, "n") == UINT64_MAX);
    assert_string_equal(json_string_value(json_array_get(abi_get(inner, "names"), 0)), "hi");
    json_decref(out);
    buffer_finish(&data);
    abi_destroy(a);
}

static void decodes_no_prefix_of_a_struct(void **state)
{
    (void)state;
    struct abi *a = parse();
    struct buffer data = {0};
    assert_int_equal(hex_decode(&data, bytes_of_text(get_data)), OK);
    for (size_t size = 0; size + 30 < data.size; size++) { /* 30: the padding of "hi" */
        uint8_t *exact = malloc(size + 1);
        json_t *out = NULL;
        memcpy(exact, data.data, size);
        assert_int_not_equal(abi_decode_return(&out, a, "get", bytes_of(exact, size)), OK);
        assert_null(out);
        free(exact);
    }
    buffer_finish(&data);
    abi_destroy(a);
}

static void check_refused(const char *function, const char *data_text)
{
    struct abi *a = parse();
    struct buffer data = {0};
    json_t *out = NULL;
    assert_int_equal(hex_decode(&data, bytes_of_text(data_text)), OK);
    assert_int_not_equal(abi_decode_return(&out, a, function, buffer_bytes(&data)), OK);
    assert_null(out);
    buffer_finish(&data);
    abi_destroy(a);
}

static void refuses_values_out_of_their_type(void **state)
{
    (void)state;
    check_refused("baz", "0x0000000000000000000000000000000000000000000000000000000000000002");
    check_refused("g", "0x0000000000000000000000000000000000000000000000000000000000000040"
                       "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
}

/* Every element's offset is 1024, and the word there says that 1024 numbers follow. */
static void bounds_what_overlapping_offsets_can_make(void **state)
{
    (void)state;
    struct abi *a = parse();
    size_t words = 4096;
    uint8_t *data = calloc(words + 3, 32);
    store_be64(data + 24, 64);
    store_be64(data + 32 + 24, 64);
    store_be64(data + 64 + 24, words);
    for (size_t i = 0; i < words; i++)
        store_be64(data + 96 + 32 * i + 24, 1024);
    json_t *out = NULL;
    assert_int_equal(abi_decode_return(&out, a, "g", bytes_of(data, (words + 3) * 32)), E_LIMIT);
    assert_null(out);
    free(data);
    abi_destroy(a);
}

static void refuses_arguments_that_do_not_fit_and_names_them(void **state)
{
    (void)state;
    static const struct {
        const char *function, *args, *error;
        enum status status;
    } cases[] = {
        {"baz", "[4294967296, true]", "x: does not fit uint32", E_RANGE},
        {"baz", "[-1, true]", "x: does not fit uint32", E_RANGE},
        {"baz", "[1, 1]", "y: not true or false", E_MALFORMED},
        {"baz", "[\"one\", true]", "x: not a number", E_MALFORMED},
        {"bar", "[[\"0x616263\"]]", "0: 1 values where 2 belong", E_RANGE},
        {"bar", "[[\"0x6162\", \"0x616263\"]]", "0[0]: not 3 bytes as 0x text", E_MALFORMED},
        {"baz", "[1]", "the contract has no function baz with 1 arguments", E_NOT_FOUND},
        {"nope", "[]", "the contract has no function nope with 0 arguments", E_NOT_FOUND},
    };
    struct abi *a = parse();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char error[JSON_ERROR_SIZE] = "";
        struct buffer out = {0};
        json_t *args = json(cases[i].args);
        assert_int_equal(abi_encode_call(&out, error, a, cases[i].function, args), cases[i].status);
        assert_string_equal(error, cases[i].error);
        assert_int_equal(out.size, 0);
        json_decref(args);
    }
    abi_destroy(a);
}

static void shows_a_custom_error_by_name_with_amounts(void **state)
{
    (void)state;
    struct abi *a = parse();
    uint8_t data[68] = {0};
    char line[ABI_PROBLEM_SIZE];
    json_t *out = NULL;
    struct hash id = keccak256(bytes_of_text("InsufficientStake(uint256,uint256)"));
    memcpy(data, id.b, 4);
    store_be64(data + 4 + 24, 1000000000000000000);
    store_be64(data + 36 + 24, 2000000000000000000);
    assert_int_equal(abi_decode_error(&out, a, bytes_of(data, sizeof data)), OK);
    abi_describe(line, out);
    assert_string_equal(line, "InsufficientStake(have 1 LSH, need 2 LSH)");
    json_decref(out);
    id = keccak256(bytes_of_text("UnknownJob(uint256)"));
    memcpy(data, id.b, 4);
    store_be64(data + 4 + 24, 7);
    assert_int_equal(abi_decode_error(&out, a, bytes_of(data, 36)), OK);
    abi_describe(line, out);
    assert_string_equal(line, "UnknownJob(job 7)");
    json_decref(out);
    abi_destroy(a);
}

static void shows_solidity_s_own_errors(void **state)
{
    (void)state;
    struct abi *a = parse();
    struct buffer data = {0};
    char line[ABI_PROBLEM_SIZE];
    json_t *out = NULL;
    assert_int_equal(
        hex_decode(&data, bytes_of_text(
                              "0x08c379a0"
                              "0000000000000000000000000000000000000000000000000000000000000020"
                              "0000000000000000000000000000000000000000000000000000000000000003"
                              "6e6f210000000000000000000000000000000000000000000000000000000000")),
        OK);
    assert_int_equal(abi_decode_error(&out, a, buffer_bytes(&data)), OK);
    abi_describe(line, out);
    assert_string_equal(line, "Error(no!)");
    json_decref(out);
    buffer_clear(&data);
    assert_int_equal(
        hex_decode(&data, bytes_of_text(
                              "0x4e487b71"
                              "0000000000000000000000000000000000000000000000000000000000000011")),
        OK);
    assert_int_equal(abi_decode_error(&out, a, buffer_bytes(&data)), OK);
    abi_describe(line, out);
    assert_string_equal(line, "Panic(code 17)");
    json_decref(out);
    buffer_finish(&data);
    abi_destroy(a);
}

static void decodes_an_event_with_indexed_arguments(void **state)
{
    (void)state;
    struct abi *a = parse();
    struct hash topics[3] = {0};
    struct buffer data = {0};
    json_t *out = NULL;
    struct address from;
    assert_int_equal(abi_event_topic(&topics[0], a, "Moved"), OK);
    struct hash expected = keccak256(bytes_of_text("Moved(address,uint256,string)"));
    assert_true(hash_equal(&topics[0], &expected));
    memset(topics[1].b + 12, 0x11, 20);
    topics[2].b[31] = 9;
    assert_int_equal(
        hex_decode(&data, bytes_of_text(
                              "0x0000000000000000000000000000000000000000000000000000000000000020"
                              "0000000000000000000000000000000000000000000000000000000000000002"
                              "6869000000000000000000000000000000000000000000000000000000000000")),
        OK);
    assert_int_equal(abi_decode_event(&out, a, topics, 3, buffer_bytes(&data)), OK);
    const json_t *args = abi_get(out, "args");
    from = abi_get_address(args, "from");
    assert_memory_equal(from.b, topics[1].b + 12, 20);
    assert_int_equal(abi_get_u64(args, "job"), 9);
    assert_string_equal(abi_get_text(args, "what"), "hi");
    json_decref(out);
    out = NULL;
    assert_int_equal(abi_decode_event(&out, a, topics, 2, buffer_bytes(&data)), E_NOT_FOUND);
    topics[0].b[0] ^= 1;
    assert_int_equal(abi_decode_event(&out, a, topics, 3, buffer_bytes(&data)), E_NOT_FOUND);
    assert_null(out);
    buffer_finish(&data);
    abi_destroy(a);
}

static void refuses_abis_that_make_no_sense(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "{}",
        "[{\"type\":\"function\",\"name\":\"f\",\"inputs\":[{\"type\":\"uint7\"}]}]",
        "[{\"type\":\"function\",\"name\":\"f\",\"inputs\":[{\"type\":\"bytes33\"}]}]",
        "[{\"type\":\"function\",\"name\":\"f\",\"inputs\":[{\"type\":\"uint8[\"}]}]",
        "[{\"type\":\"function\",\"name\":\"f\",\"inputs\":[{\"type\":\"uint8[x]\"}]}]",
        "[{\"type\":\"function\",\"name\":\"f\",\"inputs\":[{\"type\":\"tuple\"}]}]",
        "[{\"type\":\"function\",\"name\":\"f\",\"inputs\":[{\"type\":\"uint8[99999999]\"}]}]",
        "[{\"type\":\"function\",\"inputs\":[]}]",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct abi *a = NULL;
        char error[JSON_ERROR_SIZE] = "";
        assert_int_equal(abi_parse(&a, error, bytes_of_text(cases[i])), E_MALFORMED);
        assert_null(a);
        assert_true(strlen(error) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_the_examples_of_the_specification),
        cmocka_unit_test(decodes_a_struct_into_an_object),
        cmocka_unit_test(decodes_no_prefix_of_a_struct),
        cmocka_unit_test(refuses_values_out_of_their_type),
        cmocka_unit_test(bounds_what_overlapping_offsets_can_make),
        cmocka_unit_test(refuses_arguments_that_do_not_fit_and_names_them),
        cmocka_unit_test(shows_a_custom_error_by_name_with_amounts),
        cmocka_unit_test(shows_solidity_s_own_errors),
        cmocka_unit_test(decodes_an_event_with_indexed_arguments),
        cmocka_unit_test(refuses_abis_that_make_no_sense),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
