/* Keys, signatures and derived addresses. */
#include "base/hex.h"
#include "base/keccak.h"
#include "base/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct address address_of(const char *text)
{
    struct address a;
    assert_int_equal(address_from_text(&a, bytes_of_text(text)), OK);
    return a;
}

static void a_known_secret_has_its_known_address(void **state)
{
    (void)state;
    uint8_t secret[32] = {[31] = 1};
    struct key k;
    assert_int_equal(key_from_bytes(&k, bytes_of(secret, 32)), OK);
    struct address a = key_address(&k);
    struct address expected = address_of("0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
    assert_true(address_equal(&a, &expected));
}

static void secrets_outside_the_group_are_refused(void **state)
{
    (void)state;
    uint8_t secret[32] = {0};
    struct key k;
    assert_int_equal(key_from_bytes(&k, bytes_of(secret, 32)), E_RANGE);
    memset(secret, 0xff, sizeof secret);
    assert_int_equal(key_from_bytes(&k, bytes_of(secret, 32)), E_RANGE);
    assert_int_equal(key_from_bytes(&k, bytes_of(secret, 31)), E_MALFORMED);
}

static void a_signature_recovers_its_signer_and_is_low_s(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < 50; i++) {
        struct key k;
        key_generate(&k);
        struct hash digest = keccak256(bytes_of(&i, 1));
        struct signature s = key_sign(&k, &digest);
        struct signature again = key_sign(&k, &digest);
        assert_memory_equal(s.b, again.b, sizeof s.b); /* RFC 6979: no randomness */
        struct address signer;
        assert_int_equal(signature_recover(&signer, &s, &digest, true), OK);
        struct address expected = key_address(&k);
        assert_true(address_equal(&signer, &expected));
    }
}

/* n - s with the other parity is as good a signature, and must be refused where low s is law. */
static void the_high_s_twin_is_refused_where_low_s_is_law(void **state)
{
    (void)state;
    struct key k;
    key_generate(&k);
    struct hash digest = keccak256(bytes_of_text("x"));
    struct signature s = key_sign(&k, &digest);
    struct hash order;
    assert_int_equal(hash_from_text(&order, bytes_of_text("0xfffffffffffffffffffffffffffffffebaaed"
                                                          "ce6af48a03bbfd25e8cd0364141")),
                     OK);
    struct u256 high =
        u256_sub(u256_from_be(hash_bytes(&order)), u256_from_be(bytes_of(s.b + 32, 32)));
    u256_to_be(s.b + 32, high);
    s.b[64] ^= 1;
    struct address signer;
    struct address expected = key_address(&k);
    assert_int_equal(signature_recover(&signer, &s, &digest, true), E_SIGNATURE);
    assert_int_equal(signature_recover(&signer, &s, &digest, false), OK);
    assert_true(address_equal(&signer, &expected));
}

static void broken_signatures_are_refused(void **state)
{
    (void)state;
    struct hash digest = keccak256(bytes_of_text("x"));
    struct signature s = {{0}};
    struct address signer;
    assert_int_equal(signature_recover(&signer, &s, &digest, false), E_SIGNATURE);
    struct key k;
    key_generate(&k);
    s = key_sign(&k, &digest);
    s.b[64] = 2;
    assert_int_equal(signature_recover(&signer, &s, &digest, false), E_SIGNATURE);
    memset(s.b, 0xff, 64);
    s.b[64] = 0;
    assert_int_equal(signature_recover(&signer, &s, &digest, false), E_SIGNATURE);
}

static void created_addresses_match_known_ones(void **state)
{
    (void)state;
    struct address sender = address_of("0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0");
    struct address made = address_of_create(&sender, 1);
    struct address expected = address_of("0x343c43a37d37dff08ae8c4a11544c718abb4fcf8");
    assert_true(address_equal(&made, &expected));
    struct address zero = {{0}};
    struct hash salt = {{0}};
    struct hash code = keccak256(bytes_of("\0", 1));
    made = address_of_create2(&zero, &salt, &code); /* EIP-1014, example 0 */
    expected = address_of("0x4D1A2e2bB4F88F0250f26Ffff098B0b30B26BF38");
    assert_true(address_equal(&made, &expected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_secret_has_its_known_address),
        cmocka_unit_test(secrets_outside_the_group_are_refused),
        cmocka_unit_test(a_signature_recovers_its_signer_and_is_low_s),
        cmocka_unit_test(the_high_s_twin_is_refused_where_low_s_is_law),
        cmocka_unit_test(broken_signatures_are_refused),
        cmocka_unit_test(created_addresses_match_known_ones),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
