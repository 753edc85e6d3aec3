/* ethereum/tests: key files and ABI encodings. */
#include "tests/official.h"

#include "base/hex.h"
#include "client/abi.h"
#include "client/keystore.h"

static void check_key_file(const char *name, const json_t *test)
{
    struct key key = {0};
    char error[JSON_ERROR_SIZE] = "", secret[67];
    const json_t *file = json_object_get(test, "json");
    enum status status = keystore_decrypt(&key, error, file, official_text(test, "password"));
    if (status != OK) fail_msg("%s: %s: %s", name, status_text(status), error);
    hex_encode(secret, bytes_of(key.secret, sizeof key.secret));
    assert_string_equal(secret + 2, official_text(test, "priv"));
    key_finish(&key);
    assert_int_equal(keystore_decrypt(&key, error, file, "another password"), E_DENIED);
}

static void key_files_of_the_official_tests_open(void **state)
{
    (void)state;
    assert_true(official_each("KeyStoreTests/", check_key_file) >= 5);
}

/* The vectors have bytes as text; ours come as hex. Returns a new reference. */
static json_t *value_for(const char *type, const json_t *value)
{
    if (strncmp(type, "bytes", 5) != 0) return json_deep_copy(value);
    return abi_bytes(bytes_of_text(json_string_value(value)));
}

/* A contract with one function, f, of these types. */
static struct abi *abi_of(const json_t *types)
{
    struct buffer text = {0};
    struct abi *abi;
    char error[JSON_ERROR_SIZE];
    size_t i;
    const json_t *type;
    buffer_print(&text, "[{\"type\":\"function\",\"name\":\"f\",\"outputs\":[],\"inputs\":[");
    json_array_foreach(types, i, type)
    {
        buffer_print(&text, "%s{\"name\":\"a%zu\",\"type\":\"%s\"}", i == 0 ? "" : ",", i,
                     json_string_value(type));
    }
    buffer_print(&text, "]}]");
    assert_int_equal(abi_parse(&abi, error, buffer_bytes(&text)), OK);
    buffer_finish(&text);
    return abi;
}

/* Numbers come out as integers or as decimal text, by the width of their type. */
static bool same(const json_t *got, const json_t *want)
{
    char text[32];
    size_t i;
    const json_t *item;
    if (json_is_integer(want)) {
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(want));
        return json_is_string(got) ? strcmp(json_string_value(got), text) == 0
                                   : json_equal(got, want) == 1;
    }
    if (json_is_string(want))
        return json_is_string(got) &&
               strcasecmp(json_string_value(got), json_string_value(want)) == 0;
    if (json_array_size(got) != json_array_size(want)) return false;
    json_array_foreach(want, i, item)
    {
        if (!same(json_array_get(got, i), item)) return false;
    }
    return true;
}

static void check_decoded(const char *name, const struct abi *abi, struct bytes data,
                          const json_t *args)
{
    json_t *decoded;
    size_t i;
    const json_t *want;
    assert_int_equal(abi_decode_call(&decoded, abi, data), OK);
    json_array_foreach(args, i, want)
    {
        char key[24];
        snprintf(key, sizeof key, "a%zu", i);
        if (!same(json_object_get(json_object_get(decoded, "args"), key), want))
            fail_msg("%s: argument %zu reads differently", name, i);
    }
    json_decref(decoded);
}

static void check_abi(const char *name, const json_t *test)
{
    const json_t *types = json_object_get(test, "types"), *args = json_object_get(test, "args");
    json_t *values = json_array();
    struct abi *abi = abi_of(types);
    struct buffer got = {0}, text = {0};
    char error[JSON_ERROR_SIZE];
    for (size_t i = 0; i < json_array_size(args); i++) {
        json_t *value =
            value_for(json_string_value(json_array_get(types, i)), json_array_get(args, i));
        json_array_append_new(values, value);
    }
    enum status status = abi_encode_call(&got, error, abi, "f", values);
    if (status != OK) fail_msg("%s: %s", name, error);
    hex_append(&text, bytes_slice(buffer_bytes(&got), 4, got.size - 4));
    assert_string_equal(buffer_text(&text) + 2, official_text(test, "result"));
    check_decoded(name, abi, buffer_bytes(&got), values);
    buffer_finish(&got);
    buffer_finish(&text);
    json_decref(values);
    abi_destroy(abi);
}

static void calls_of_the_official_tests_are_coded_both_ways(void **state)
{
    (void)state;
    assert_true(official_each("ABITests/", check_abi) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_files_of_the_official_tests_open),
        cmocka_unit_test(calls_of_the_official_tests_are_coded_both_ways),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
