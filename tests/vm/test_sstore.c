#include "tests/vm/evm_fixture.h"

/* EIP-3529's table of cases (EIP-2200's with EIP-2929's prices), the slot warm from the start. */
static const struct {
    const char *code;
    uint64_t original;
    int64_t gas;
    int64_t refund;
} rows[] = {
    {"60006000556000600055", 0, 212, 0},
    {"60006000556001600055", 0, 20112, 0},
    {"60016000556000600055", 0, 20112, 19900},
    {"60016000556002600055", 0, 20112, 0},
    {"60016000556001600055", 0, 20112, 0},
    {"60006000556000600055", 1, 3012, 4800},
    {"60006000556001600055", 1, 3012, 2800},
    {"60006000556002600055", 1, 3012, 0},
    {"60026000556000600055", 1, 3012, 4800},
    {"60026000556003600055", 1, 3012, 0},
    {"60026000556001600055", 1, 3012, 2800},
    {"60026000556002600055", 1, 3012, 0},
    {"60016000556000600055", 1, 3012, 4800},
    {"60016000556002600055", 1, 3012, 0},
    {"60016000556001600055", 1, 212, 0},
    {"600160005560006000556001600055", 0, 40118, 19900},
    {"600060005560016000556000600055", 1, 5918, 7600},
};

static void put_contract_slot(struct fixture *x, uint64_t slot, uint64_t value)
{
    struct address a = CONTRACT;
    memory_host_put_slot(&x->host, &a, u256_from_u64(slot), u256_from_u64(value));
}

static uint64_t contract_slot(struct fixture *x, uint64_t slot)
{
    struct address a = CONTRACT;
    return u256_to_u64(memory_storage(&x->host, &a, u256_from_u64(slot)));
}

static void warm_contract_slot(struct fixture *x, uint64_t slot)
{
    struct address a = CONTRACT;
    struct u256 key = u256_from_u64(slot);
    (void)memory_touch_slot(&x->host, &a, &key);
}

static void storing_costs_and_refunds_as_eip_3529_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture x;
        fixture_open(&x);
        put_contract_slot(&x, 0, rows[i].original);
        warm_contract_slot(&x, 0);
        fixture_run_code(&x, rows[i].code);
        assert_int_equal(x.out.result, EVM_SUCCESS);
        if (gas_used(&x) != rows[i].gas || x.out.gas_refund != rows[i].refund)
            fail_msg("%s from %d: %lld gas, %lld refund", rows[i].code, (int)rows[i].original,
                     (long long)gas_used(&x), (long long)x.out.gas_refund);
        fixture_close(&x);
    }
}

static void a_cold_slot_costs_2100_more(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    fixture_run_code(&x, "60015f55");
    assert_int_equal(gas_used(&x), 3 + 2 + 2100 + 20000);
    assert_int_equal(contract_slot(&x, 0), 1);
    fixture_close(&x);
}

static void storing_is_refused_with_2300_gas_or_less(void **state)
{
    (void)state;
    for (int64_t left = 2300; left <= 2301; left++) {
        struct fixture x;
        fixture_open(&x);
        warm_contract_slot(&x, 0);
        x.message.gas = left + 4;
        fixture_run_code(&x, "5f5f55"); /* writes what is there: 100 gas */
        assert_int_equal(x.out.result, left == 2300 ? EVM_OUT_OF_GAS : EVM_SUCCESS);
        fixture_close(&x);
    }
}

static void a_revert_takes_back_storage_and_refund(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    put_contract_slot(&x, 0, 1);
    fixture_run_code(&x, "5f5f555f5ffd");
    assert_int_equal(x.out.result, EVM_REVERT);
    assert_int_equal(x.out.gas_refund, 0);
    assert_int_equal(contract_slot(&x, 0), 1);
    fixture_close(&x);
}

/* The caller clears its slot, then the callee clears its own and reverts: one refund stays. */
static void a_failed_callee_loses_only_its_own_refund(void **state)
{
    (void)state;
    struct fixture x;
    struct address other = OTHER;
    fixture_open(&x);
    put_contract_slot(&x, 0, 1);
    memory_host_put_slot(&x.host, &other, u256_from_u64(0), u256_from_u64(1));
    put_code(&x, OTHER, "5f5f555f5ffd");
    fixture_run_code(&x, "5f5f55 5f5f5f5f5f 73aa00000000000000000000000000000000000003 5a f1");
    assert_int_equal(x.out.result, EVM_SUCCESS);
    assert_int_equal(x.out.gas_refund, 4800);
    assert_int_equal(contract_slot(&x, 0), 0);
    assert_int_equal(u256_to_u64(memory_storage(&x.host, &other, u256_from_u64(0))), 1);
    fixture_close(&x);
}

static void transient_storage_is_not_storage_and_reverts_too(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    put_code(&x, OTHER, "60075f5d5f5ffd");
    /* store 5, delegate to what stores 7 and reverts, load: 5; nothing persistent */
    fixture_run_code(&x, "60055f5d 5f5f5f5f 73aa00000000000000000000000000000000000003 5a f4"
                         "5f5c" RETURN_TOP);
    assert_int_equal(returned_u64(&x), 5);
    assert_int_equal(contract_slot(&x, 0), 0);
    fixture_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(storing_costs_and_refunds_as_eip_3529_says),
        cmocka_unit_test(a_cold_slot_costs_2100_more),
        cmocka_unit_test(storing_is_refused_with_2300_gas_or_less),
        cmocka_unit_test(a_revert_takes_back_storage_and_refund),
        cmocka_unit_test(a_failed_callee_loses_only_its_own_refund),
        cmocka_unit_test(transient_storage_is_not_storage_and_reverts_too),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
