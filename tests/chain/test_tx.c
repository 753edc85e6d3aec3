#include "chain/tx.h"

#include "tests/chain/vectors.h"
#include "tests/official.h"

static void decodes_transactions_of_other_libraries(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct buffer wire = {0};
    struct buffer again = {0};
    for (size_t i = 0; i < TX_VECTOR_COUNT; i++) {
        struct tx t;
        struct address sender;
        char sender_text[43];
        struct bytes bytes = unhex(&wire, TX_VECTORS[i].wire);
        assert_int_equal(tx_decode(&t, &arena, bytes), OK);
        struct hash hash = tx_hash(&t);
        struct hash signing_hash = tx_signing_hash(&t);
        assert_hash(&hash, TX_VECTORS[i].hash);
        assert_hash(&signing_hash, TX_VECTORS[i].signing_hash);
        assert_int_equal(tx_sender(&sender, &t), OK);
        address_to_text(sender_text, &sender);
        assert_string_equal(sender_text, VECTOR_SENDER);
        buffer_clear(&again);
        tx_encode(&again, &t);
        assert_true(bytes_equal(buffer_bytes(&again), bytes));
    }
    buffer_finish(&wire);
    buffer_finish(&again);
    arena_finish(&arena);
}

static void reads_every_field_of_an_access_list_transaction(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct buffer wire = {0};
    struct tx t;
    assert_int_equal(tx_decode(&t, &arena, unhex(&wire, TX_VECTORS[1].wire)), OK);
    assert_int_equal(t.type, TX_ACCESS_LIST);
    assert_int_equal(t.chain_id, 7117);
    assert_int_equal(t.nonce, 1);
    assert_int_equal(t.gas_limit, 100000);
    assert_int_equal(u256_to_u64(t.max_fee_per_gas), 3000000000u);
    assert_int_equal(u256_to_u64(t.max_priority_fee_per_gas), 3000000000u);
    assert_int_equal(u256_to_u64(t.value), 5);
    assert_int_equal(t.data.size, 3);
    assert_false(t.is_create);
    assert_int_equal(t.access_count, 2);
    assert_int_equal(t.access[0].slot_count, 2);
    assert_int_equal(t.access[0].slots[0].b[31], 1);
    assert_int_equal(t.access[0].slots[1].b[0], 0xff);
    assert_int_equal(t.access[1].address.b[0], 0x22);
    assert_int_equal(t.access[1].slot_count, 0);
    /* 21000, one byte of 16 and two of 4, two addresses, two slots */
    assert_int_equal(tx_intrinsic_gas(&t), 21000 + 16 + 8 + 2 * 2400 + 2 * 1900);
    buffer_finish(&wire);
    arena_finish(&arena);
}

static void counts_the_gas_of_a_create(void **state)
{
    (void)state;
    uint8_t code[33];
    memset(code, 0x60, sizeof code);
    struct tx t = {.type = TX_DYNAMIC_FEE, .is_create = true, .data = bytes_of(code, sizeof code)};
    assert_int_equal(tx_intrinsic_gas(&t), 21000 + 32000 + 33 * 16 + 2 * 2);
}

static void decodes_no_prefix_of_a_transaction(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct buffer wire = {0};
    for (size_t i = 0; i < TX_VECTOR_COUNT; i++) {
        struct bytes whole = unhex(&wire, TX_VECTORS[i].wire);
        struct tx t;
        for (size_t size = 0; size < whole.size; size++)
            assert_int_not_equal(tx_decode(&t, &arena, bytes_slice(whole, 0, size)), OK);
        buffer_append_byte(&wire, 0);
        assert_int_equal(tx_decode(&t, &arena, buffer_bytes(&wire)), E_MALFORMED);
    }
    buffer_finish(&wire);
    arena_finish(&arena);
}

static void refuses_other_types_and_oversized_transactions(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct buffer wire = {0};
    struct tx t;
    for (unsigned type = 0; type < 0x80; type++) {
        unhex(&wire, TX_VECTORS[2].wire);
        wire.data[0] = (uint8_t)type;
        bool known = type == 1 || type == 4;
        enum status wanted = type == 2 ? OK : known ? E_MALFORMED : E_UNSUPPORTED;
        assert_int_equal(tx_decode(&t, &arena, buffer_bytes(&wire)), wanted);
    }
    buffer_clear(&wire);
    buffer_extend(&wire, TX_SIZE_MAX + 1)[0] = 0xf8;
    assert_int_equal(tx_decode(&t, &arena, buffer_bytes(&wire)), E_LIMIT);
    buffer_finish(&wire);
    arena_finish(&arena);
}

static struct tx sample(struct key *key)
{
    uint8_t secret[32];
    memset(secret, 0x46, sizeof secret);
    assert_int_equal(key_from_bytes(key, bytes_of(secret, sizeof secret)), OK);
    return (struct tx){.type = TX_DYNAMIC_FEE,
                       .has_chain_id = true,
                       .chain_id = 7117,
                       .nonce = 7,
                       .gas_limit = 21000,
                       .max_fee_per_gas = u256_from_u64(100),
                       .max_priority_fee_per_gas = u256_from_u64(3),
                       .value = u256_from_u64(1)};
}

static void signs_what_it_recovers_for_every_type(void **state)
{
    (void)state;
    struct key key;
    struct tx t = sample(&key);
    struct address wanted = key_address(&key);
    for (int type = TX_LEGACY; type <= TX_SET_CODE; type++) {
        struct address found;
        if (type == TX_BLOB) continue;
        t.type = (enum tx_type)type;
        tx_sign(&t, &key);
        assert_int_equal(tx_sender(&found, &t), OK);
        assert_true(address_equal(&found, &wanted));
    }
    /* without EIP-155 the chain id is neither signed nor sent */
    struct arena arena = {0};
    struct buffer wire = {0};
    struct tx read;
    struct address found;
    t.type = TX_LEGACY;
    t.has_chain_id = false;
    tx_sign(&t, &key);
    tx_encode(&wire, &t);
    assert_int_equal(tx_decode(&read, &arena, buffer_bytes(&wire)), OK);
    assert_false(read.has_chain_id);
    assert_int_equal(read.chain_id, 0);
    assert_int_equal(tx_sender(&found, &read), OK);
    assert_true(address_equal(&found, &wanted));
    buffer_finish(&wire);
    arena_finish(&arena);
}

static void refuses_the_other_s_of_a_signature(void **state)
{
    (void)state;
    struct key key;
    struct address sender;
    struct tx t = sample(&key);
    struct u256 order;
    uint8_t order_be[32];
    assert_int_equal(
        hex_decode_exact(
            order_be, 32,
            bytes_of_text("0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")),
        OK);
    order = u256_from_be(bytes_of(order_be, 32));
    tx_sign(&t, &key);
    struct u256 s = u256_from_be(bytes_of(t.signature.b + 32, 32));
    u256_to_be(t.signature.b + 32, u256_sub(order, s));
    t.signature.b[64] ^= 1;
    assert_int_equal(tx_sender(&sender, &t), E_SIGNATURE);
}

static void keeps_the_largest_chain_id_of_a_legacy_transaction(void **state)
{
    (void)state;
    struct key key;
    struct tx t = sample(&key);
    struct tx read;
    struct arena arena = {0};
    struct buffer wire = {0};
    t.type = TX_LEGACY;
    t.chain_id = UINT64_MAX;
    tx_sign(&t, &key);
    tx_encode(&wire, &t);
    assert_int_equal(tx_decode(&read, &arena, buffer_bytes(&wire)), OK);
    assert_int_equal(read.chain_id, UINT64_MAX);
    assert_int_equal(read.signature.b[64], t.signature.b[64]);
    buffer_finish(&wire);
    arena_finish(&arena);
}

static void says_why_a_transaction_is_refused(void **state)
{
    (void)state;
    struct key key;
    const struct tx good = sample(&key);
    uint8_t *big = calloc(1, INIT_CODE_SIZE_MAX + 1);
    struct tx t = good;
    assert_int_equal(tx_check_static(&t, EVM_PRAGUE, 7117, 30000000), TX_FINE);
    assert_int_equal(tx_check_static(&t, EVM_PRAGUE, 1, 30000000), TX_WRONG_CHAIN);
    assert_int_equal(tx_check_static(&t, EVM_PRAGUE, 7117, 20999), TX_ABOVE_BLOCK_GAS);
    t.gas_limit = 20999;
    assert_int_equal(tx_check_static(&t, EVM_PRAGUE, 7117, 30000000), TX_INTRINSIC_GAS);
    t = good;
    t.max_priority_fee_per_gas = u256_from_u64(101);
    assert_int_equal(tx_check_static(&t, EVM_PRAGUE, 7117, 30000000), TX_TIP_ABOVE_FEE);
    t = good;
    t.nonce = UINT64_MAX;
    assert_int_equal(tx_check_static(&t, EVM_PRAGUE, 7117, 30000000), TX_NONCE_MAX);
    t = good;
    t.max_fee_per_gas = u256_not(u256_from_u64(0));
    assert_int_equal(tx_check_static(&t, EVM_PRAGUE, 7117, 30000000), TX_FEE_OVERFLOW);
    t = good;
    t.is_create = true;
    t.gas_limit = 30000000;
    t.data = bytes_of(big, INIT_CODE_SIZE_MAX);
    assert_int_equal(tx_check_static(&t, EVM_PRAGUE, 7117, 30000000), TX_FINE);
    t.data.size++;
    assert_int_equal(tx_check_static(&t, EVM_PRAGUE, 7117, 30000000), TX_INIT_CODE_SIZE);
    free(big);
}

static void compares_a_transaction_with_its_account(void **state)
{
    (void)state;
    struct key key;
    const struct tx t = sample(&key);
    struct u256 cost = u256_from_u64(21000 * 100 + 1);
    assert_int_equal(tx_check_account(&t, 7, cost), TX_FINE);
    assert_int_equal(tx_check_account(&t, 8, cost), TX_NONCE_TOO_LOW);
    assert_int_equal(tx_check_account(&t, 6, cost), TX_NONCE_TOO_HIGH);
    assert_int_equal(tx_check_account(&t, 7, u256_from_u64(21000 * 100)), TX_FUNDS);
    assert_string_equal(tx_reason_text(TX_FUNDS), "insufficient funds for gas * price + value");
    assert_string_equal(tx_reason_text(TX_INTRINSIC_GAS), "intrinsic gas too low");
}

static void pays_base_fee_and_at_most_the_tip(void **state)
{
    (void)state;
    struct key key;
    const struct tx t = sample(&key);
    assert_int_equal(u256_to_u64(tx_gas_price(&t, u256_from_u64(50))), 53);
    assert_int_equal(u256_to_u64(tx_gas_price(&t, u256_from_u64(98))), 100);
    assert_int_equal(u256_to_u64(tx_tip(&t, u256_from_u64(99))), 1);
    assert_int_equal(u256_to_u64(tx_tip(&t, u256_from_u64(101))), 0);
}

/* --- ethereum/tests, TransactionTests --- */

static bool accept_official(struct hash *hash, struct address *sender, uint64_t *gas,
                            struct bytes wire)
{
    struct arena arena = {0};
    struct tx t;
    bool good = tx_decode(&t, &arena, wire) == OK && tx_sender(sender, &t) == OK &&
                tx_check_static(&t, EVM_CANCUN, 1, UINT64_MAX) == TX_FINE;
    if (good) {
        *hash = tx_hash(&t);
        *gas = tx_intrinsic_gas(&t);
    }
    arena_finish(&arena);
    return good;
}

static const json_t *latest_result(const json_t *test)
{
    static const char *const forks[] = {"Cancun", "Shanghai", "London"};
    const json_t *results = json_object_get(test, "result");
    for (size_t i = 0; i < 3; i++)
        if (json_object_get(results, forks[i])) return json_object_get(results, forks[i]);
    return NULL;
}

static void check_official(const char *name, const json_t *test)
{
    const json_t *result = latest_result(test);
    if (!result) return;
    struct buffer wire = {0};
    struct hash hash;
    struct address sender;
    uint64_t gas;
    struct bytes text = bytes_of_text(json_string_value(json_object_get(test, "txbytes")));
    bool decodes = hex_decode(&wire, text) == OK;
    bool accepted = decodes && accept_official(&hash, &sender, &gas, buffer_bytes(&wire));
    const char *wanted_hash = json_string_value(json_object_get(result, "hash"));
    if (accepted != (wanted_hash != NULL))
        fail_msg("%s: %s, wanted the opposite", name, accepted ? "accepted" : "refused");
    if (accepted) {
        char found[43];
        assert_hash(&hash, wanted_hash);
        hex_encode(found, address_bytes(&sender));
        assert_string_equal(found, json_string_value(json_object_get(result, "sender")));
        const char *gas_text = json_string_value(json_object_get(result, "intrinsicGas"));
        assert_int_equal(gas, strtoull(gas_text, NULL, 16));
    }
    buffer_finish(&wire);
}

static void agrees_with_the_official_transaction_tests(void **state)
{
    (void)state;
    size_t count = official_each("TransactionTests/", check_official);
    assert_true(count > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_transactions_of_other_libraries),
        cmocka_unit_test(reads_every_field_of_an_access_list_transaction),
        cmocka_unit_test(counts_the_gas_of_a_create),
        cmocka_unit_test(decodes_no_prefix_of_a_transaction),
        cmocka_unit_test(refuses_other_types_and_oversized_transactions),
        cmocka_unit_test(signs_what_it_recovers_for_every_type),
        cmocka_unit_test(refuses_the_other_s_of_a_signature),
        cmocka_unit_test(keeps_the_largest_chain_id_of_a_legacy_transaction),
        cmocka_unit_test(says_why_a_transaction_is_refused),
        cmocka_unit_test(compares_a_transaction_with_its_account),
        cmocka_unit_test(pays_base_fee_and_at_most_the_tip),
        cmocka_unit_test(agrees_with_the_official_transaction_tests),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
