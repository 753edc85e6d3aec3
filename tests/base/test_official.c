/* ethereum/tests: RLP both ways, RLP that must be refused, and keys with their addresses. */
#include "tests/official.h"

#include "base/hex.h"
#include "base/keccak.h"
#include "base/key.h"
#include "base/rlp.h"

#include <gmp.h>

/* Hex with or without 0x. */
static struct buffer bytes_from(const char *text)
{
    struct buffer digits = {0}, out = {0};
    buffer_print(&digits, "0x%s", strncmp(text, "0x", 2) == 0 ? text + 2 : text);
    assert_int_equal(hex_decode(&out, buffer_bytes(&digits)), OK);
    buffer_finish(&digits);
    return out;
}

/* "#" and decimal digits, of any size, as big-endian bytes. */
static struct buffer big_from(const char *text)
{
    struct buffer out = {0};
    mpz_t number;
    assert_int_equal(text[0], '#');
    assert_int_equal(mpz_init_set_str(number, text + 1, 10), 0);
    size_t size = (mpz_sizeinbase(number, 2) + 7) / 8;
    mpz_export(buffer_extend(&out, size), NULL, 1, 1, 1, 0, number);
    mpz_clear(number);
    return out;
}

static void put_text(struct buffer *out, const char *text)
{
    if (text[0] != '#') {
        rlp_put_bytes(out, bytes_of_text(text));
        return;
    }
    struct buffer big = big_from(text);
    if (big.size <= 32)
        rlp_put_u256(out, u256_from_be(buffer_bytes(&big)));
    else
        rlp_put_bytes(out, buffer_bytes(&big));
    buffer_finish(&big);
}

static void put(struct buffer *out, const json_t *value)
{
    size_t i;
    const json_t *item;
    if (json_is_integer(value)) {
        rlp_put_u64(out, (uint64_t)json_integer_value(value));
    } else if (json_is_string(value)) {
        /* One vector's text is a zero byte. */
        if (json_string_length(value) == 1 && json_string_value(value)[0] == 0)
            rlp_put_bytes(out, bytes_of("", 1));
        else
            put_text(out, json_string_value(value));
    } else {
        size_t list = rlp_list_open(out);
        assert_true(json_is_array(value));
        json_array_foreach(value, i, item) put(out, item);
        rlp_list_close(out, list);
    }
}

static bool matches_text(struct rlp_reader *r, const json_t *value)
{
    const char *text = json_string_value(value);
    if (text[0] != '#') return bytes_equal(rlp_bytes(r), bytes_of(text, json_string_length(value)));
    struct buffer big = big_from(text);
    struct bytes got = bytes_of(NULL, 0);
    uint8_t number[32];
    if (big.size <= 32) {
        u256_to_be(number, rlp_u256(r));
        got = bytes_of(number + 32 - big.size, big.size);
    } else {
        got = rlp_bytes(r);
    }
    bool equal = bytes_equal(got, buffer_bytes(&big));
    buffer_finish(&big);
    return equal;
}

/* The reader's next item says what the JSON says. */
static bool matches(struct rlp_reader *r, const json_t *value)
{
    size_t i;
    const json_t *item;
    if (json_is_integer(value)) return rlp_u64(r) == (uint64_t)json_integer_value(value);
    if (json_is_string(value)) return matches_text(r, value);
    struct rlp_reader list = rlp_list(r);
    json_array_foreach(value, i, item)
    {
        if (!matches(&list, item)) return false;
    }
    return rlp_end(&list) == OK;
}

static void check_rlp(const char *name, const json_t *test)
{
    const json_t *value = json_object_get(test, "in");
    struct buffer want = bytes_from(official_text(test, "out")), got = {0};
    struct rlp_reader reader = rlp_reader_over(buffer_bytes(&want));
    put(&got, value);
    if (!bytes_equal(buffer_bytes(&got), buffer_bytes(&want))) fail_msg("%s: encoded", name);
    if (!matches(&reader, value) || rlp_end(&reader) != OK) fail_msg("%s: decoded", name);
    buffer_finish(&want);
    buffer_finish(&got);
}

static void rlp_of_the_official_tests_reads_and_writes(void **state)
{
    (void)state;
    assert_true(official_each("RLPTests/rlptest.json", check_rlp) >= 28);
}

/* Reads whatever comes; the reader's state says whether it was RLP to the last byte. */
static void walk(struct rlp_reader *r)
{
    while (!rlp_at_end(r)) {
        if (!rlp_next_is_list(r)) {
            (void)rlp_bytes(r);
            continue;
        }
        struct rlp_reader list = rlp_list(r);
        walk(&list);
        if (rlp_end(&list) != OK) rlp_fail(r);
    }
}

static bool is_rlp(const char *hex)
{
    struct buffer input = bytes_from(hex);
    struct rlp_reader r = rlp_reader_over(buffer_bytes(&input));
    (void)rlp_item(&r); /* one item, and nothing behind it */
    bool whole = rlp_end(&r) == OK;
    r = rlp_reader_over(buffer_bytes(&input));
    walk(&r);
    bool good = whole && rlp_end(&r) == OK;
    buffer_finish(&input);
    return good;
}

static void check_validity(const char *name, const json_t *test)
{
    bool valid = strcmp(official_text(test, "in"), "VALID") == 0;
    if (is_rlp(official_text(test, "out")) != valid)
        fail_msg("%s: %s", name, valid ? "refused" : "accepted");
}

static void what_the_official_tests_call_no_rlp_is_refused(void **state)
{
    (void)state;
    assert_true(official_each("RLPTests/invalidRLPTest.json", check_validity) >= 26);
    assert_true(official_each("RLPTests/RandomRLPTests/", check_validity) >= 1);
}

/* Their sig_of_emptystring fits no message that one could mean (Keccak-256, SHA-256 or SHA3-256 of
 * nothing, zeros), so only keys and addresses are compared. */
static void check_key(const char *name, const json_t *test)
{
    struct buffer secret = bytes_from(official_text(test, "key"));
    struct buffer want = bytes_from(official_text(test, "addr"));
    struct hash seed = keccak256(bytes_of_text(official_text(test, "seed")));
    struct key key;
    struct address got;
    (void)name;
    assert_true(bytes_equal(hash_bytes(&seed), buffer_bytes(&secret)));
    assert_int_equal(key_from_bytes(&key, buffer_bytes(&secret)), OK);
    got = key_address(&key);
    assert_true(bytes_equal(address_bytes(&got), buffer_bytes(&want)));
    struct signature s = key_sign(&key, &seed);
    assert_int_equal(signature_recover(&got, &s, &seed, true), OK);
    assert_true(bytes_equal(address_bytes(&got), buffer_bytes(&want)));
    key_finish(&key);
    buffer_finish(&secret);
    buffer_finish(&want);
}

static void keys_of_the_official_tests_have_their_addresses(void **state)
{
    (void)state;
    assert_true(official_each("BasicTests/keyaddrtest.json", check_key) >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rlp_of_the_official_tests_reads_and_writes),
        cmocka_unit_test(what_the_official_tests_call_no_rlp_is_refused),
        cmocka_unit_test(keys_of_the_official_tests_have_their_addresses),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
