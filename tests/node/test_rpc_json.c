#include "node/rpc_json.h"

#include "node/rpc_filters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct rpc_reply reply;

static void forget(void)
{
    json_decref(reply.result);
    json_decref(reply.data);
    reply = (struct rpc_reply){0};
}

static bool tag_fails(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    read_tag(&reply, value);
    bool failed = rpc_failed(&reply);
    forget();
    json_decref(value);
    return failed;
}

static struct block_tag tag_of(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    struct block_tag tag = read_tag(&reply, value);
    assert_false(rpc_failed(&reply));
    json_decref(value);
    return tag;
}

static void reads_every_form_of_block_tag(void **state)
{
    (void)state;
    assert_int_equal(read_tag(&reply, NULL).kind, TAG_LATEST);
    assert_int_equal(tag_of("\"latest\"").kind, TAG_LATEST);
    assert_int_equal(tag_of("\"safe\"").kind, TAG_LATEST);
    assert_int_equal(tag_of("\"finalized\"").kind, TAG_LATEST);
    assert_int_equal(tag_of("\"pending\"").kind, TAG_PENDING);
    assert_int_equal(tag_of("\"earliest\"").kind, TAG_EARLIEST);
    assert_int_equal(tag_of("\"0x10\"").number, 16);
    assert_int_equal(tag_of("{\"blockNumber\":\"0x11\"}").number, 17);
    struct block_tag tag = tag_of("{\"blockHash\":\"0x11111111111111111111111111111111111111111111"
                                  "11111111111111111111\"}");
    assert_int_equal(tag.kind, TAG_HASH);
    assert_int_equal(tag.hash.b[31], 0x11);
}

static void refuses_every_other_block_tag(void **state)
{
    const char *bad[] = {"\"\"",
                         "\"newest\"",
                         "\"0x\"",
                         "\"0x01\"",
                         "\"16\"",
                         "16",
                         "true",
                         "[]",
                         "{}",
                         "{\"blockHash\":\"0x12\"}",
                         "{\"blockNumber\":{\"blockNumber\":\"0x1\"}}",
                         "{\"blockNumber\":\"0x1\",\"blockHash\":\"0x1\"}",
                         "\"0x10000000000000000\"",
                         "\"0x1111111111111111111111111111111111111111111111111111111111111111\""};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!tag_fails(bad[i])) fail_msg("took %s", bad[i]);
}

static void names_what_is_wrong(void **state)
{
    json_t *value = json_string("0x12zz");
    (void)state;
    read_address(&reply, value, "to");
    assert_int_equal(reply.code, RPC_INVALID_PARAMS);
    assert_non_null(strstr(reply.message, "to must be an address"));
    assert_non_null(strstr(reply.message, "0x12zz"));
    forget();
    json_decref(value);
}

static void reads_short_and_long_slots(void **state)
{
    json_t *one = json_string("0x1");
    json_t *word =
        json_string("0x0000000000000000000000000000000000000000000000000000000000000001");
    json_t *bad = json_string("0x");
    (void)state;
    assert_true(u256_equal(read_slot(&reply, one), u256_from_u64(1)));
    assert_true(u256_equal(read_slot(&reply, word), u256_from_u64(1)));
    assert_false(rpc_failed(&reply));
    read_slot(&reply, bad);
    assert_true(rpc_failed(&reply));
    forget();
    json_decref(one);
    json_decref(word);
    json_decref(bad);
}

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "(none)";
}

static struct tx signed_tx(enum tx_type type)
{
    uint8_t secret[32] = {[31] = 3};
    struct key key;
    struct tx t = {.type = type,
                   .has_chain_id = true,
                   .chain_id = 7117,
                   .nonce = 5,
                   .gas_limit = 21000,
                   .max_fee_per_gas = u256_from_u64(100),
                   .max_priority_fee_per_gas = u256_from_u64(type == TX_DYNAMIC_FEE ? 7 : 100)};
    assert_int_equal(key_from_bytes(&key, bytes_of(secret, sizeof secret)), OK);
    t.to.b[19] = 9;
    tx_sign(&t, &key);
    return t;
}

static void writes_transactions_as_the_execution_api_does(void **state)
{
    struct tx t = signed_tx(TX_DYNAMIC_FEE);
    struct block_ref ref = {{{1}}, 12, 99, u256_from_u64(50)};
    struct hash hash = tx_hash(&t);
    json_t *in_block = json_of_tx(&t, &hash, &ref, 3);
    json_t *waiting = json_of_tx(&t, &hash, NULL, 0);
    (void)state;
    assert_string_equal(text_at(in_block, "type"), "0x2");
    assert_string_equal(text_at(in_block, "gasPrice"), "0x39"); /* 50 + 7 */
    assert_string_equal(text_at(in_block, "maxFeePerGas"), "0x64");
    assert_string_equal(text_at(in_block, "transactionIndex"), "0x3");
    assert_string_equal(text_at(in_block, "to"), "0x0000000000000000000000000000000000000009");
    assert_string_equal(text_at(in_block, "v"), text_at(in_block, "yParity"));
    assert_true(json_is_null(json_object_get(waiting, "blockHash")));
    assert_string_equal(text_at(waiting, "gasPrice"), "0x64");
    json_decref(in_block);
    json_decref(waiting);

    t = signed_tx(TX_LEGACY);
    json_t *legacy = json_of_tx(&t, &hash, NULL, 0);
    uint64_t v = strtoull(text_at(legacy, "v"), NULL, 16);
    assert_int_equal(v, 35 + 2 * 7117 + t.signature.b[64]); /* EIP-155 */
    assert_null(json_object_get(legacy, "accessList"));
    assert_null(json_object_get(legacy, "yParity"));
    json_decref(legacy);
}

static void writes_authorizations_as_they_were_signed(void **state)
{
    struct authorization a = {.chain_id = u256_from_u64(7117), .nonce = 17};
    a.delegate.b[0] = 0xcc;
    a.signature.b[31] = 5;
    a.signature.b[63] = 6;
    a.signature.b[64] = 27; /* a bad one is shown as it is */
    struct tx t = signed_tx(TX_SET_CODE);
    t.authorizations = &a;
    t.authorization_count = 1;
    struct hash hash = {{1}};
    json_t *out = json_of_tx(&t, &hash, NULL, 0);
    json_t *item = json_array_get(json_object_get(out, "authorizationList"), 0);
    (void)state;
    assert_string_equal(text_at(out, "type"), "0x4");
    assert_string_equal(text_at(out, "maxFeePerGas"), "0x64");
    assert_int_equal(json_array_size(json_object_get(out, "authorizationList")), 1);
    assert_string_equal(text_at(item, "chainId"), "0x1bcd");
    assert_string_equal(text_at(item, "address"), "0xcc00000000000000000000000000000000000000");
    assert_string_equal(text_at(item, "nonce"), "0x11");
    assert_string_equal(text_at(item, "yParity"), "0x1b");
    assert_string_equal(text_at(item, "r"), "0x5");
    assert_string_equal(text_at(item, "s"), "0x6");
    json_decref(out);
}

static void writes_receipts_with_their_own_gas_and_created_contract(void **state)
{
    struct tx t = signed_tx(TX_DYNAMIC_FEE);
    struct block_ref ref = {{{1}}, 12, 99, u256_from_u64(50)};
    struct log_entry logs[2] = {{.topic_count = 1}, {.topic_count = 0}};
    struct receipt r = {.type = TX_DYNAMIC_FEE,
                        .succeeded = true,
                        .cumulative_gas_used = 50000,
                        .logs = logs,
                        .log_count = 2};
    struct log_place place = {.block = &ref, .tx_index = 1, .log_index = 4};
    (void)state;
    t.is_create = true;
    struct key key;
    uint8_t secret[32] = {[31] = 3};
    assert_int_equal(key_from_bytes(&key, bytes_of(secret, sizeof secret)), OK);
    memset(&t.to, 0, sizeof t.to);
    tx_sign(&t, &key);
    json_t *out = json_of_receipt(&r, &t, &place, 20000);
    assert_string_equal(text_at(out, "gasUsed"), "0x7530");
    assert_string_equal(text_at(out, "cumulativeGasUsed"), "0xc350");
    assert_string_equal(text_at(out, "effectiveGasPrice"), "0x39");
    assert_string_equal(text_at(out, "status"), "0x1");
    assert_true(json_is_null(json_object_get(out, "to")));
    struct address sender = key_address(&key);
    struct address created = address_of_create(&sender, 5);
    json_t *want = json_address(&created);
    assert_string_equal(text_at(out, "contractAddress"), json_string_value(want));
    const json_t *second = json_array_get(json_object_get(out, "logs"), 1);
    assert_string_equal(text_at(second, "logIndex"), "0x5");
    json_decref(want);
    json_decref(out);
}

static void forgets_the_oldest_filter_when_all_are_in_use(void **state)
{
    struct filters *f = filters_create();
    struct filter found;
    uint64_t first = filters_add(f, FILTER_LOGS, 7, "{}");
    (void)state;
    assert_true(filters_find(f, &found, first));
    assert_string_equal(found.criteria, "{}");
    assert_int_equal(found.position, 7);
    free(found.criteria);
    filters_move(f, first, 9);
    assert_true(filters_find(f, &found, first));
    assert_int_equal(found.position, 9);
    free(found.criteria);
    uint64_t last = 0;
    for (int i = 0; i < 2 * FILTERS_MAX; i++)
        last = filters_add(f, FILTER_BLOCKS, 0, NULL);
    assert_false(filters_find(f, &found, first));
    assert_true(filters_find(f, &found, last));
    assert_true(filters_remove(f, last));
    assert_false(filters_remove(f, last));
    assert_false(filters_find(f, &found, 0));
    filters_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_form_of_block_tag),
        cmocka_unit_test(refuses_every_other_block_tag),
        cmocka_unit_test(names_what_is_wrong),
        cmocka_unit_test(reads_short_and_long_slots),
        cmocka_unit_test(writes_transactions_as_the_execution_api_does),
        cmocka_unit_test(writes_authorizations_as_they_were_signed),
        cmocka_unit_test(writes_receipts_with_their_own_gas_and_created_contract),
        cmocka_unit_test(forgets_the_oldest_filter_when_all_are_in_use),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
