#include "chain/receipt.h"

#include "tests/chain/vectors.h"

#include "chain/trie.h"

#include <string.h>

static const uint8_t DATA[] = {0xde, 0xad, 0xbe, 0xef};

/* The logs and receipts behind VECTOR_RECEIPTS_ROOT. */
struct sample {
    struct log_entry logs[2];
    struct receipt receipts[3];
};

static void setup(struct sample *s)
{
    *s = (struct sample){0};
    memset(s->logs[0].address.b, 0x11, 20);
    s->logs[0].topics[0].b[31] = 1;
    memset(s->logs[0].topics[1].b, 0xff, 32);
    s->logs[0].topic_count = 2;
    s->logs[0].data = bytes_of(DATA, sizeof DATA);
    memset(s->logs[1].address.b, 0x22, 20);
    s->receipts[0] =
        (struct receipt){.type = TX_LEGACY, .succeeded = true, .cumulative_gas_used = 21000};
    s->receipts[1] = (struct receipt){.type = TX_DYNAMIC_FEE,
                                      .succeeded = true,
                                      .cumulative_gas_used = 80000,
                                      .logs = s->logs,
                                      .log_count = 2};
    s->receipts[2] = (struct receipt){.type = TX_ACCESS_LIST, .cumulative_gas_used = 130000};
    for (size_t i = 0; i < 3; i++)
        receipt_set_bloom(&s->receipts[i]);
}

static void encodes_receipts_as_other_libraries_do(void **state)
{
    (void)state;
    struct sample s;
    struct buffer found = {0};
    struct buffer wanted = {0};
    setup(&s);
    receipt_encode(&found, &s.receipts[1]);
    assert_true(bytes_equal(buffer_bytes(&found), unhex(&wanted, VECTOR_RECEIPT)));
    struct hash root = receipts_root(s.receipts, 3);
    assert_hash(&root, VECTOR_RECEIPTS_ROOT);
    root = receipts_root(NULL, 0);
    assert_true(hash_equal(&root, &EMPTY_TRIE_ROOT));
    buffer_finish(&found);
    buffer_finish(&wanted);
}

static void decodes_what_it_encodes(void **state)
{
    (void)state;
    struct sample s;
    struct arena arena = {0};
    struct buffer bytes = {0};
    struct buffer again = {0};
    setup(&s);
    for (size_t i = 0; i < 3; i++) {
        struct receipt r;
        buffer_clear(&bytes);
        buffer_clear(&again);
        receipt_encode(&bytes, &s.receipts[i]);
        assert_int_equal(receipt_decode(&r, &arena, buffer_bytes(&bytes)), OK);
        assert_int_equal(r.type, s.receipts[i].type);
        assert_int_equal(r.succeeded, s.receipts[i].succeeded);
        assert_int_equal(r.cumulative_gas_used, s.receipts[i].cumulative_gas_used);
        assert_int_equal(r.log_count, s.receipts[i].log_count);
        receipt_encode(&again, &r);
        assert_true(bytes_equal(buffer_bytes(&again), buffer_bytes(&bytes)));
    }
    buffer_finish(&bytes);
    buffer_finish(&again);
    arena_finish(&arena);
}

static void decodes_no_prefix_of_a_receipt(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct buffer bytes = {0};
    struct receipt r;
    struct bytes whole = unhex(&bytes, VECTOR_RECEIPT);
    for (size_t size = 0; size < whole.size; size++)
        assert_int_not_equal(receipt_decode(&r, &arena, bytes_slice(whole, 0, size)), OK);
    assert_int_equal(receipt_decode(&r, &arena, whole), OK);
    buffer_finish(&bytes);
    arena_finish(&arena);
}

static void refuses_a_bloom_that_is_not_of_the_logs(void **state)
{
    (void)state;
    struct sample s;
    struct arena arena = {0};
    struct buffer bytes = {0};
    struct receipt r;
    setup(&s);
    s.receipts[1].bloom.b[0] ^= 1;
    receipt_encode(&bytes, &s.receipts[1]);
    assert_int_equal(receipt_decode(&r, &arena, buffer_bytes(&bytes)), E_MALFORMED);
    buffer_finish(&bytes);
    arena_finish(&arena);
}

static void finds_in_a_bloom_what_was_added(void **state)
{
    (void)state;
    struct sample s;
    struct bloom all = {{0}};
    struct address absent = {{0x33}};
    setup(&s);
    for (size_t i = 0; i < 3; i++)
        bloom_merge(&all, &s.receipts[i].bloom);
    assert_memory_equal(&all, &s.receipts[1].bloom, sizeof all);
    assert_true(bloom_may_hold(&all, address_bytes(&s.logs[0].address)));
    assert_true(bloom_may_hold(&all, address_bytes(&s.logs[1].address)));
    assert_true(bloom_may_hold(&all, hash_bytes(&s.logs[0].topics[1])));
    assert_false(bloom_may_hold(&all, address_bytes(&absent)));
    assert_false(bloom_may_hold(&s.receipts[0].bloom, address_bytes(&s.logs[0].address)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_receipts_as_other_libraries_do),
        cmocka_unit_test(decodes_what_it_encodes),
        cmocka_unit_test(decodes_no_prefix_of_a_receipt),
        cmocka_unit_test(refuses_a_bloom_that_is_not_of_the_logs),
        cmocka_unit_test(finds_in_a_bloom_what_was_added),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
