#include "chain/consensus/vote.h"

#include "base/hex.h"
#include "base/keccak.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

/* after setjmp.h and stdarg.h, which it needs */
#include <cmocka.h>

static struct vote sample(void)
{
    struct vote v = {.epoch = 5,
                     .view = 258,
                     .parent_view = 257,
                     .kind = VOTE_NOTARIZE,
                     .signer = 3,
                     .block = {{0xab}}};
    memset(v.signature.b, 0x21, 64);
    v.signature.b[64] = 1;
    return v;
}

static void domain_is_the_hash_of_its_text(void **state)
{
    struct vote v = sample();
    uint8_t preimage[VOTE_PREIMAGE_SIZE];
    uint8_t from_hex[32];
    struct hash domain = keccak256(bytes_of_text(VOTE_DOMAIN_TEXT));
    (void)state;
    vote_preimage(preimage, 7117, &v);
    assert_memory_equal(preimage, domain.b, 32);
    assert_int_equal(hex_decode_exact(from_hex, 32, bytes_of_text(VOTE_DOMAIN_HEX)), OK);
    assert_memory_equal(from_hex, domain.b, 32);
}

static void preimage_is_seven_abi_words(void **state)
{
    struct vote v = sample();
    uint8_t expected[VOTE_PREIMAGE_SIZE] = {0};
    uint8_t preimage[VOTE_PREIMAGE_SIZE];
    struct hash domain = keccak256(bytes_of_text(VOTE_DOMAIN_TEXT));
    (void)state;
    memcpy(expected, domain.b, 32);
    expected[32 + 30] = 0x1b; /* 7117 = 0x1bcd */
    expected[32 + 31] = 0xcd;
    expected[64 + 31] = 5;
    expected[96 + 30] = 1; /* 258 */
    expected[96 + 31] = 2;
    expected[128 + 31] = 2;
    expected[192] = 0xab;
    v.kind = VOTE_FINALIZE;
    v.parent_view = 0;
    vote_preimage(preimage, 7117, &v);
    assert_memory_equal(preimage, expected, sizeof(expected));
    struct hash digest = vote_digest(7117, &v);
    struct hash by_hand = keccak256(bytes_of(expected, sizeof(expected)));
    assert_memory_equal(digest.b, by_hand.b, 32);
}

static void digest_depends_on_every_signed_field(void **state)
{
    struct vote v = sample();
    struct vote w[6] = {v, v, v, v, v, v};
    struct hash before = vote_digest(1, &v);
    (void)state;
    w[0].epoch++;
    w[1].view++;
    w[2].parent_view--;
    w[3].kind = VOTE_FINALIZE;
    w[4].block.b[31] = 1;
    for (int i = 0; i < 5; i++) {
        struct hash h = vote_digest(1, &w[i]);
        assert_memory_not_equal(h.b, before.b, 32);
    }
    struct hash h = vote_digest(2, &v);
    assert_memory_not_equal(h.b, before.b, 32);
    w[5].signer++; /* an index is not signed */
    h = vote_digest(1, &w[5]);
    assert_memory_equal(h.b, before.b, 32);
}

static void comes_back_from_its_encoding(void **state)
{
    struct buffer bytes = {0};
    struct vote v = sample(), w;
    (void)state;
    vote_encode(&bytes, &v);
    assert_int_equal(bytes.size, VOTE_SIZE);
    assert_int_equal(vote_decode(&w, buffer_bytes(&bytes)), OK);
    assert_true(vote_same(&v, &w));
    assert_memory_equal(v.signature.b, w.signature.b, 65);
    buffer_finish(&bytes);
}

static void decodes_no_prefix_of_a_vote(void **state)
{
    struct buffer bytes = {0};
    struct vote v = sample(), w;
    (void)state;
    vote_encode(&bytes, &v);
    for (size_t size = 0; size < bytes.size; size++)
        assert_int_equal(vote_decode(&w, bytes_of(bytes.data, size)), E_MALFORMED);
    buffer_append_byte(&bytes, 0);
    assert_int_equal(vote_decode(&w, buffer_bytes(&bytes)), E_MALFORMED);
    buffer_finish(&bytes);
}

static enum status decode_changed(size_t at, uint8_t value)
{
    struct buffer bytes = {0};
    struct vote v = sample(), w;
    vote_encode(&bytes, &v);
    bytes.data[at] = value;
    enum status status = vote_decode(&w, buffer_bytes(&bytes));
    buffer_finish(&bytes);
    return status;
}

static void refuses_fields_that_the_kind_does_not_have(void **state)
{
    (void)state;
    assert_int_equal(decode_changed(16, 3), E_MALFORMED);  /* no such kind */
    assert_int_equal(decode_changed(16, 1), E_MALFORMED);  /* nullify names no block */
    assert_int_equal(decode_changed(16, 2), E_MALFORMED);  /* finalize names no parent */
    assert_int_equal(decode_changed(24, 2), E_MALFORMED);  /* parent not below the view */
    assert_int_equal(decode_changed(25, 0), E_MALFORMED);  /* no block */
    assert_int_equal(decode_changed(58, 128), E_LIMIT);    /* signer */
    assert_int_equal(decode_changed(123, 2), E_MALFORMED); /* parity */
    assert_int_equal(decode_changed(123, 0), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(domain_is_the_hash_of_its_text),
        cmocka_unit_test(preimage_is_seven_abi_words),
        cmocka_unit_test(digest_depends_on_every_signed_field),
        cmocka_unit_test(comes_back_from_its_encoding),
        cmocka_unit_test(decodes_no_prefix_of_a_vote),
        cmocka_unit_test(refuses_fields_that_the_kind_does_not_have),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
