/* The two vectors are those of "Web3 Secret Storage Definition" (ethereum wiki), version 3. */
#include "client/keystore.h"

#include "base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char pbkdf2_file[] =
    "{\"crypto\":{\"cipher\":\"aes-128-ctr\",\"cipherparams\":{\"iv\":"
    "\"6087dab2f9fdbbfaddc31a909735c1e6\"},\"ciphertext\":"
    "\"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46\",\"kdf\":\"pbkdf2\","
    "\"kdfparams\":{\"c\":262144,\"dklen\":32,\"prf\":\"hmac-sha256\",\"salt\":"
    "\"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd\"},\"mac\":"
    "\"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2\"},"
    "\"id\":\"3198bc9c-6672-5ab3-d995-4942343ae5b6\",\"version\":3}";

static const char scrypt_file[] =
    "{\"crypto\":{\"cipher\":\"aes-128-ctr\",\"cipherparams\":{\"iv\":"
    "\"83dbcc02d8ccb40e466191a123791e0e\"},\"ciphertext\":"
    "\"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c\",\"kdf\":\"scrypt\","
    "\"kdfparams\":{\"dklen\":32,\"n\":262144,\"p\":8,\"r\":1,\"salt\":"
    "\"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19\"},\"mac\":"
    "\"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097\"},"
    "\"id\":\"3198bc9c-6672-5ab3-d995-4942343ae5b6\",\"version\":3}";

static const char vector_secret[] =
    "0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";

static json_t *json(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);
    assert_non_null(value);
    return value;
}

static void check_opens(const char *text)
{
    struct key key = {0};
    char error[JSON_ERROR_SIZE] = "";
    char hex[67];
    json_t *file = json(text);
    assert_int_equal(keystore_decrypt(&key, error, file, "testpassword"), OK);
    hex_encode(hex, bytes_of(key.secret, 32));
    assert_string_equal(hex, vector_secret);
    json_decref(file);
}

static void opens_the_standard_s_pbkdf2_file(void **state)
{
    (void)state;
    check_opens(pbkdf2_file);
}

static void opens_the_standard_s_scrypt_file(void **state)
{
    (void)state;
    check_opens(scrypt_file);
}

static struct key sample_key(void)
{
    struct key key = {0};
    memset(key.secret, 0x42, 32);
    return key;
}

static void opens_what_it_wrote_and_nothing_with_another_password(void **state)
{
    (void)state;
    struct key key = sample_key();
    struct key back = {0};
    struct key untouched = {0};
    json_t *file = NULL;
    char error[JSON_ERROR_SIZE] = "";
    keystore_encrypt(&file, &key, "correct horse", "alice", KEYSTORE_LIGHT);
    assert_int_equal(keystore_decrypt(&back, error, file, "correct horse"), OK);
    assert_memory_equal(back.secret, key.secret, 32);
    assert_int_equal(keystore_decrypt(&untouched, error, file, "battery staple"), E_DENIED);
    assert_string_equal(error, "wrong password");
    for (size_t i = 0; i < 32; i++)
        assert_int_equal(untouched.secret[i], 0);
    json_decref(file);
}

/* `value` put at `path` of a copy of a good file must be refused. */
static void check_broken(const json_t *good, const char *path, json_t *value, enum status expected)
{
    json_t *file = json_deep_copy(good);
    char error[JSON_ERROR_SIZE] = "";
    char copy[128];
    json_t *object = file;
    char *save = NULL;
    snprintf(copy, sizeof copy, "%s", path);
    char *part = strtok_r(copy, ".", &save);
    for (char *next = strtok_r(NULL, ".", &save); next != NULL; next = strtok_r(NULL, ".", &save)) {
        object = json_object_get(object, part);
        part = next;
    }
    json_object_set_new(object, part, value);
    struct key out = {0};
    assert_int_equal(keystore_decrypt(&out, error, file, "p"), expected);
    assert_true(strlen(error) > 0);
    json_decref(file);
}

static void refuses_files_that_are_damaged_or_ask_too_much(void **state)
{
    (void)state;
    struct key key = sample_key();
    json_t *file = NULL;
    keystore_encrypt(&file, &key, "p", NULL, KEYSTORE_LIGHT);
    check_broken(file, "version", json_integer(1), E_MALFORMED);
    check_broken(file, "crypto", json_string("x"), E_MALFORMED);
    check_broken(file, "crypto.cipher", json_string("aes-256-gcm"), E_UNSUPPORTED);
    check_broken(file, "crypto.kdf", json_string("argon2"), E_UNSUPPORTED);
    check_broken(file, "crypto.kdf", json_string("pbkdf2"), E_UNSUPPORTED);
    check_broken(file, "crypto.ciphertext", json_string("00"), E_MALFORMED);
    check_broken(file, "crypto.cipherparams.iv", json_string("zz"), E_MALFORMED);
    check_broken(file, "crypto.kdfparams.n", json_integer(3), E_MALFORMED);
    check_broken(file, "crypto.kdfparams.n", json_integer(1 << 24), E_LIMIT);
    check_broken(file, "crypto.kdfparams.p", json_integer(1000000), E_LIMIT);
    check_broken(file, "crypto.kdfparams.r", json_integer(0), E_MALFORMED);
    check_broken(file, "crypto.kdfparams.dklen", json_integer(64), E_MALFORMED);
    check_broken(file, "address", json_string("0000000000000000000000000000000000000001"),
                 E_MALFORMED);
    check_broken(file, "crypto.mac",
                 json_string("0000000000000000000000000000000000000000000000000000000000000000"),
                 E_DENIED);
    json_decref(file);
}

static void finds_accounts_by_name_and_by_address(void **state)
{
    (void)state;
    char dir[] = "/tmp/leasehold-keystore-XXXXXX";
    char path[PATH_MAX];
    char again[PATH_MAX];
    char error[JSON_ERROR_SIZE] = "";
    assert_non_null(mkdtemp(dir));
    struct key key = sample_key();
    struct address address = key_address(&key);
    struct keystore_account found;
    char text[43];
    json_t *file = NULL;
    keystore_encrypt(&file, &key, "p", "alice", KEYSTORE_LIGHT);
    assert_int_equal(keystore_save(path, error, dir, file), OK);
    assert_int_equal(keystore_save(again, error, dir, file), E_EXISTS);
    assert_int_equal(keystore_find(&found, error, dir, "alice"), OK);
    assert_true(address_equal(&found.address, &address));
    address_to_text(text, &address);
    assert_int_equal(keystore_find(&found, error, dir, text), OK);
    assert_string_equal(found.path, path);
    assert_int_equal(keystore_find(&found, error, dir, "bob"), E_NOT_FOUND);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    struct key loaded = {0};
    assert_int_equal(keystore_load(&loaded, error, path, "p"), OK);
    assert_memory_equal(loaded.secret, key.secret, 32);
    json_decref(file);
    unlink(path);
    rmdir(dir);
}

static void takes_plain_names_only(void **state)
{
    (void)state;
    assert_true(keystore_name_ok("alice-2.test_x"));
    assert_false(keystore_name_ok(""));
    assert_false(keystore_name_ok("../alice"));
    assert_false(keystore_name_ok("-x"));
    assert_false(keystore_name_ok("a b"));
    assert_false(keystore_name_ok("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_the_standard_s_pbkdf2_file),
        cmocka_unit_test(opens_the_standard_s_scrypt_file),
        cmocka_unit_test(opens_what_it_wrote_and_nothing_with_another_password),
        cmocka_unit_test(refuses_files_that_are_damaged_or_ask_too_much),
        cmocka_unit_test(finds_accounts_by_name_and_by_address),
        cmocka_unit_test(takes_plain_names_only),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
