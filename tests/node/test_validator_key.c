#include "node/validator_key.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/keccak.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SECRET "0x0101010101010101010101010101010101010101010101010101010101010101"

static char path[] = "/tmp/leasehold-key-XXXXXX";

static int make_path(void **state)
{
    (void)state;
    return mkdtemp(path) == NULL;
}

static int remove_path(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", path);
    return system(command);
}

static const char *file(const char *name, const char *content, unsigned mode)
{
    static char full[128];
    snprintf(full, sizeof full, "%s/%s", path, name);
    if (content != NULL) {
        assert_int_equal(file_write_atomic(full, bytes_of_text(content), mode), OK);
        assert_int_equal(chmod(full, mode), 0);
    }
    return full;
}

static void reads_hex_and_json(void **state)
{
    const char *good[] = {SECRET, SECRET "\n", SECRET "\r\n", "{\"secretKey\": \"" SECRET "\"}\n"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct key key;
        char error[VALIDATOR_ERROR_SIZE];
        assert_int_equal(validator_key_load(&key, error, file("good", good[i], 0600)), OK);
        assert_int_equal(key.secret[0], 1);
        assert_int_equal(key.secret[31], 1);
    }
}

static void refuses_what_others_may_read(void **state)
{
    struct key key;
    char error[VALIDATOR_ERROR_SIZE];
    const unsigned modes[] = {0644, 0640, 0604, 0610};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(validator_key_load(&key, error, file("open", SECRET, modes[i])), E_DENIED);
        assert_non_null(strstr(error, "chmod 600"));
    }
}

static void refuses_everything_that_is_no_key(void **state)
{
    const char *bad[] = {"",
                         "\n",
                         "0x",
                         "01",
                         SECRET "01",
                         SECRET " x",
                         "{",
                         "{}",
                         "{\"secretKey\": 5}",
                         "{\"secretKey\": \"0x01\"}",
                         "0x0000000000000000000000000000000000000000000000000000000000000000",
                         "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};
    struct key key;
    char error[VALIDATOR_ERROR_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        enum status status = validator_key_load(&key, error, file("bad", bad[i], 0600));
        if (status == OK) fail_msg("took \"%s\"", bad[i]);
        assert_non_null(strstr(error, "holds no validator key"));
    }
    assert_int_equal(validator_key_load(&key, error, file("nothing", NULL, 0)), E_NOT_FOUND);
}

static struct key test_key(uint8_t number)
{
    struct key key;
    uint8_t secret[32] = {[31] = number};
    assert_int_equal(key_from_bytes(&key, bytes_of(secret, sizeof secret)), OK);
    return key;
}

/* Opens `links` links one after the other and checks that each hashes to the one before. */
static struct hash open_links(struct hash_chain *c, size_t links)
{
    struct hash at = hash_chain_end(c);
    for (size_t i = 0; i < links; i++) {
        struct hash before;
        assert_true(hash_chain_before(c, &before, &at));
        struct hash again = keccak256(hash_bytes(&before));
        assert_true(hash_equal(&again, &at));
        at = before;
    }
    return at;
}

static void opens_its_chain_link_by_link_also_from_a_file(void **state)
{
    struct key key = test_key(5), other = test_key(6);
    struct hash stranger = {{1}}, before;
    struct buffer content = {0};
    const char *name = file("chain", NULL, 0);
    (void)state;
    struct hash_chain *c = hash_chain_open(&key, name); /* makes the file */
    struct hash deep = open_links(c, 2 * HASH_CHAIN_STRIDE + 10);
    struct hash end = hash_chain_end(c);
    assert_false(hash_chain_before(c, &before, &stranger));
    hash_chain_destroy(c);

    c = hash_chain_open(&key, name); /* reads it, and finds a place far from the end */
    struct hash end_again = hash_chain_end(c);
    assert_true(hash_equal(&end, &end_again));
    assert_true(hash_chain_before(c, &before, &deep));
    hash_chain_destroy(c);

    c = hash_chain_open(&other, name); /* another key's file is of no use */
    struct hash other_end = hash_chain_end(c);
    assert_false(hash_equal(&end, &other_end));
    hash_chain_destroy(c);

    assert_int_equal(file_read(&content, name, 1 << 20), OK);
    content.data[content.size / 2] ^= 1;
    assert_int_equal(file_write_atomic(name, buffer_bytes(&content), 0600), OK);
    c = hash_chain_open(&other, name); /* nor is a damaged one */
    end_again = hash_chain_end(c);
    assert_true(hash_equal(&other_end, &end_again));
    open_links(c, 3);
    hash_chain_destroy(c);
    buffer_finish(&content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_hex_and_json),
        cmocka_unit_test(refuses_what_others_may_read),
        cmocka_unit_test(refuses_everything_that_is_no_key),
        cmocka_unit_test(opens_its_chain_link_by_link_also_from_a_file),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
