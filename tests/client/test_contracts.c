#include "client/contracts.h"

#include "base/hex.h"
#include "base/keccak.h"
#include "base/rlp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void embeds_every_contract_s_abi(void **state)
{
    (void)state;
    static const char *const sample[CONTRACT_COUNT] = {
        [CONTRACT_STAKING] = "join",         [CONTRACT_PROVIDERS] = "setOffer",
        [CONTRACT_JOBS] = "submit",          [CONTRACT_SCHEDULER] = "tick",
        [CONTRACT_DISPUTES] = "sealVerdict", [CONTRACT_CUSTODY] = "answer",
    };
    for (int i = 0; i < CONTRACT_COUNT; i++) {
        uint8_t selector[4];
        assert_int_equal(abi_selector(selector, contract_abi((enum contract_id)i), sample[i]), OK);
    }
    struct address jobs = contract_address(CONTRACT_JOBS);
    char text[43];
    address_to_text(text, &jobs);
    assert_string_equal(text, "0x0000000000000000000000000000000000001003");
    enum contract_id id;
    assert_true(contract_at(&id, &jobs));
    assert_int_equal(id, CONTRACT_JOBS);
    jobs.b[0] = 1;
    assert_false(contract_at(&id, &jobs));
}

/* seal(uint256,bytes32): the selector counted by hand from the interface. */
static void encodes_a_seal_as_the_interface_says(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct hash commitment = {{[0] = 0xaa, [31] = 0xbb}};
    char error[JSON_ERROR_SIZE] = "";
    json_t *args = json_pack("[o,o]", abi_u64(7), abi_hash(&commitment));
    assert_int_equal(abi_encode_call(&out, error, contract_abi(CONTRACT_JOBS), "seal", args), OK);
    struct hash id = keccak256(bytes_of_text("seal(uint256,bytes32)"));
    assert_int_equal(out.size, 68);
    assert_memory_equal(out.data, id.b, 4);
    assert_int_equal(out.data[35], 7);
    assert_memory_equal(out.data + 36, commitment.b, 32);
    json_decref(args);
    buffer_finish(&out);
}

static void signs_a_transaction_that_recovers_to_its_sender(void **state)
{
    (void)state;
    struct key key = {{[31] = 7}};
    struct buffer raw = {0};
    struct hash hash;
    struct tx tx = {.chain_id = 7117,
                    .nonce = 3,
                    .max_priority_fee = u256_from_u64(1000000000),
                    .max_fee = u256_from_u64(3000000000),
                    .gas_limit = 21000,
                    .to = {{[19] = 9}},
                    .value = u256_from_u64(1000000000000000000)};
    tx_sign(&raw, &hash, &tx, &key);
    struct hash expected = keccak256(buffer_bytes(&raw));
    assert_true(hash_equal(&hash, &expected));
    assert_int_equal(raw.data[0], 2);
    struct rlp_reader all = rlp_reader_over(bytes_of(raw.data + 1, raw.size - 1));
    struct rlp_reader r = rlp_list(&all);
    assert_int_equal(rlp_u64(&r), 7117);
    assert_int_equal(rlp_u64(&r), 3);
    for (int i = 0; i < 7; i++)
        rlp_item(&r); /* fees, gas, to, value, data, access list */
    struct signature s;
    s.b[64] = (uint8_t)rlp_u64(&r);
    u256_to_be(s.b, rlp_u256(&r));
    u256_to_be(s.b + 32, rlp_u256(&r));
    assert_int_equal(rlp_end(&r), OK);
    struct hash digest = tx_digest(&tx);
    struct address signer;
    struct address expected_signer = key_address(&key);
    assert_int_equal(signature_recover(&signer, &s, &digest, true), OK);
    assert_true(address_equal(&signer, &expected_signer));
    buffer_finish(&raw);
}

static void reads_the_contracts_events_from_a_receipt(void **state)
{
    (void)state;
    struct hash topic;
    assert_int_equal(abi_event_topic(&topic, contract_abi(CONTRACT_JOBS), "Withdrawn"), OK);
    char topic_text[67];
    hash_to_text(topic_text, &topic);
    struct tx_receipt receipt = {0};
    receipt.logs =
        json_pack("[{s:s,s:[s,s],s:s,s:s,s:s,s:s},{s:s,s:[s,s],s:s}]", "address",
                  "0x0000000000000000000000000000000000001003", "topics", topic_text,
                  "0x0000000000000000000000005aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "data",
                  "0x0000000000000000000000000000000000000000000000000000000000000005",
                  "blockNumber", "0x10", "logIndex", "0x1", "transactionHash",
                  "0x0000000000000000000000000000000000000000000000000000000000000001", "address",
                  "0x00000000000000000000000000000000000000ff", "topics", topic_text, topic_text,
                  "data", "0x");
    assert_non_null(receipt.logs);
    json_t *events = contract_receipt_events(&receipt);
    assert_int_equal(json_array_size(events), 1);
    const json_t *args = contract_event_args(events, "Withdrawn");
    assert_int_equal(abi_get_u64(args, "amount"), 5);
    assert_string_equal(abi_get_text(args, "account"),
                        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
    assert_int_equal(abi_get_u64(json_array_get(events, 0), "blockNumber"), 16);
    assert_null(contract_event_args(events, "JobSubmitted"));
    json_decref(events);
    tx_receipt_finish(&receipt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(embeds_every_contract_s_abi),
        cmocka_unit_test(encodes_a_seal_as_the_interface_says),
        cmocka_unit_test(signs_a_transaction_that_recovers_to_its_sender),
        cmocka_unit_test(reads_the_contracts_events_from_a_receipt),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
