#include "net/identity.h"

#include "base/file.h"
#include "base/sha256.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* after setjmp.h and stdarg.h, which it needs */
#include <cmocka.h>

static char directory[64];
static char path[96];
static char error[IDENTITY_ERROR_SIZE];

static int fresh_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/identity_XXXXXX");
    if (mkdtemp(directory) == NULL) return 1;
    snprintf(path, sizeof path, "%s/peer.pem", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

static void a_missing_key_is_made_private_and_read_back(void **state)
{
    struct identity *made = NULL;
    struct identity *read = NULL;
    struct stat info;
    (void)state;
    assert_int_equal(identity_open(&made, error, path), OK);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(identity_open(&read, error, path), OK);
    struct hash a = identity_id(made);
    struct hash b = identity_id(read);
    assert_true(hash_equal(&a, &b));
    assert_false(hash_is_zero(&a));
    identity_destroy(made);
    identity_destroy(read);
    identity_destroy(NULL);
}

/* RFC 8410 section 10.3 gives this key and its public key. */
static void the_id_is_the_hash_of_the_subject_public_key_info(void **state)
{
    static const char PEM[] = "-----BEGIN PRIVATE KEY-----\n"
                              "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
                              "-----END PRIVATE KEY-----\n";
    static const uint8_t PUBLIC[] = {
        0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00, 0x19, 0xbf, 0x44,
        0x09, 0x69, 0x84, 0xcd, 0xfe, 0x85, 0x41, 0xba, 0xc1, 0x67, 0xdc, 0x3b, 0x96, 0xc8, 0x50,
        0x86, 0xaa, 0x30, 0xb6, 0xb6, 0xcb, 0x0c, 0x5c, 0x38, 0xad, 0x70, 0x31, 0x66, 0xe1};
    struct identity *i = NULL;
    (void)state;
    assert_int_equal(file_write_atomic(path, bytes_of_text(PEM), 0600), OK);
    assert_int_equal(identity_open(&i, error, path), OK);
    struct hash id = identity_id(i);
    struct hash want = sha256(bytes_of(PUBLIC, sizeof PUBLIC));
    assert_true(hash_equal(&id, &want));
    identity_destroy(i);
}

static void a_key_that_others_may_read_is_refused(void **state)
{
    struct identity *i = NULL;
    (void)state;
    assert_int_equal(identity_open(&i, error, path), OK);
    identity_destroy(i);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(identity_open(&i, error, path), E_DENIED);
    assert_non_null(strstr(error, "chmod 600"));
    assert_non_null(strstr(error, "640"));
}

static void expect_malformed(struct bytes content)
{
    struct identity *i = NULL;
    struct buffer before = {0};
    assert_int_equal(file_write_atomic(path, content, 0600), OK);
    assert_int_equal(identity_open(&i, error, path), E_MALFORMED);
    assert_non_null(strstr(error, path));
    assert_int_equal(file_read(&before, path, 1 << 20), OK); /* it is never overwritten */
    assert_true(bytes_equal(buffer_bytes(&before), content));
    buffer_finish(&before);
}

static void expect_malformed_key(const char *kind, unsigned char *passphrase)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, kind);
    const EVP_CIPHER *cipher = passphrase ? EVP_aes_128_cbc() : NULL;
    BIO *text = BIO_new(BIO_s_mem());
    char *data = NULL;
    assert_int_equal(
        PEM_write_bio_PrivateKey(text, key, cipher, passphrase, passphrase ? 4 : 0, NULL, NULL), 1);
    long size = BIO_get_mem_data(text, &data);
    expect_malformed(bytes_of(data, (size_t)size));
    BIO_free(text);
    EVP_PKEY_free(key);
}

static void what_is_no_ed25519_key_is_refused_and_left_alone(void **state)
{
    static const uint8_t LONG[5000] = {'-'};
    unsigned char word[] = "pass";
    (void)state;
    expect_malformed(bytes_of(NULL, 0));
    expect_malformed(bytes_of_text("no key"));
    expect_malformed(bytes_of(LONG, sizeof LONG));
    expect_malformed_key("X25519", NULL);
    expect_malformed_key("ED25519", word); /* and nobody is asked for the word */
}

static void a_directory_that_cannot_be_written_is_told(void **state)
{
    struct identity *i = NULL;
    (void)state;
    assert_int_equal(identity_open(&i, error, "/nowhere/at/all/peer.pem"), E_IO);
    assert_non_null(strstr(error, "/nowhere/at/all/peer.pem"));
}

static void the_context_speaks_tls_1_3_and_keeps_no_sessions(void **state)
{
    struct identity *i = identity_create();
    SSL_CTX *c = identity_context(i);
    (void)state;
    assert_int_equal(SSL_CTX_get_min_proto_version(c), TLS1_3_VERSION);
    assert_int_equal(SSL_CTX_get_max_proto_version(c), TLS1_3_VERSION);
    assert_int_equal(SSL_CTX_get_session_cache_mode(c), SSL_SESS_CACHE_OFF);
    assert_int_equal(SSL_CTX_get_num_tickets(c), 0);
    assert_int_equal(SSL_CTX_get_max_early_data(c), 0);
    assert_int_equal(SSL_CTX_get_verify_mode(c), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
    identity_destroy(i);
}

int main(void)
{
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, fresh_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(a_missing_key_is_made_private_and_read_back),
        IN_DIRECTORY(the_id_is_the_hash_of_the_subject_public_key_info),
        IN_DIRECTORY(a_key_that_others_may_read_is_refused),
        IN_DIRECTORY(what_is_no_ed25519_key_is_refused_and_left_alone),
        cmocka_unit_test(a_directory_that_cannot_be_written_is_told),
        cmocka_unit_test(the_context_speaks_tls_1_3_and_keeps_no_sessions),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
