/* Transactions around the VM: validity, gas, fees, refunds; system calls; read-only calls. Those of
 * type 4 are in test_set_code.c. */
#include "tests/chain/execute_fixture.h"

/* Code at CONTRACT, called with nothing: the gas it takes. */
static uint64_t gas_of(struct bytes code)
{
    struct fixture *f = fixture_create();
    struct tx t = tx_to(CONTRACT, 0);
    place_code(f, code);
    uint64_t gas = run(f, &t).gas_used;
    fixture_destroy(f);
    return gas;
}

static void a_transfer_pays_tip_and_burns_the_base_fee(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    struct tx t = tx_to(OTHER, 12345);
    struct tx_outcome o = run(f, &t);
    assert_int_equal(o.gas_used, 21000);
    assert_int_equal(u256_to_u64(o.gas_price), 3 * GWEI);
    assert_int_equal(balance(f, OTHER), 12345);
    assert_int_equal(balance(f, COINBASE), 21000 * 2 * GWEI);
    assert_int_equal(balance(f, SENDER), 1000000000 * GWEI - 12345 - 21000 * 3 * GWEI);
    struct address sender = addr(SENDER);
    assert_int_equal(layer_account(f->layer, &sender).nonce, 1);
    assert_int_equal(f->x.gas_left, 30000000 - 21000);
    fixture_destroy(f);
}

struct refusal {
    enum tx_reason reason;
    void (*change)(struct fixture *f, struct tx *t);
};

static void nonce_low(struct fixture *f, struct tx *t)
{
    struct address sender = addr(SENDER);
    layer_set_nonce(f->layer, &sender, 1);
    t->nonce = 0;
}
static void nonce_high(struct fixture *f, struct tx *t)
{
    (void)f;
    t->nonce = 1;
}
static void too_poor(struct fixture *f, struct tx *t)
{
    (void)f;
    t->value = num(1000000000 * GWEI - 100000 * 10 * GWEI + 1);
}
static void has_code(struct fixture *f, struct tx *t)
{
    struct address sender = addr(SENDER);
    (void)t;
    layer_set_code(f->layer, &sender, CODE("\x00"));
}
static void low_fee(struct fixture *f, struct tx *t)
{
    (void)f;
    t->max_fee_per_gas = num(GWEI - 1);
    t->max_priority_fee_per_gas = num(1);
}
static void tip_above_fee(struct fixture *f, struct tx *t)
{
    (void)f;
    t->max_priority_fee_per_gas = num(11 * GWEI);
}
static void block_full(struct fixture *f, struct tx *t)
{
    (void)t;
    f->x.gas_left = 99999;
}
static void above_block(struct fixture *f, struct tx *t)
{
    (void)f;
    t->gas_limit = 30000001;
}
static void other_chain(struct fixture *f, struct tx *t)
{
    (void)f;
    t->chain_id = 8;
}
static void little_gas(struct fixture *f, struct tx *t)
{
    (void)f;
    t->gas_limit = 20999;
}
static void last_nonce(struct fixture *f, struct tx *t)
{
    struct address sender = addr(SENDER);
    layer_set_nonce(f->layer, &sender, UINT64_MAX);
    t->nonce = UINT64_MAX;
}

static const struct refusal REFUSALS[] = {
    {TX_NONCE_TOO_LOW, nonce_low},
    {TX_NONCE_TOO_HIGH, nonce_high},
    {TX_FUNDS, too_poor},
    {TX_SENDER_HAS_CODE, has_code},
    {TX_FEE_BELOW_BASE, low_fee},
    {TX_TIP_ABOVE_FEE, tip_above_fee},
    {TX_BLOCK_GAS_USED_UP, block_full},
    {TX_ABOVE_BLOCK_GAS, above_block},
    {TX_WRONG_CHAIN, other_chain},
    {TX_INTRINSIC_GAS, little_gas},
    {TX_NONCE_MAX, last_nonce},
};

static void an_invalid_transaction_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof REFUSALS / sizeof REFUSALS[0]; i++) {
        struct fixture *f = fixture_create();
        struct tx t = tx_to(OTHER, 1);
        struct tx_outcome o;
        struct address sender = addr(SENDER);
        REFUSALS[i].change(f, &t);
        struct account before = layer_account(f->layer, &sender);
        uint64_t gas = f->x.gas_left;
        enum tx_reason reason = execute_transaction(&f->x, &o, &t, &sender);
        assert_string_equal(tx_reason_text(reason), tx_reason_text(REFUSALS[i].reason));
        struct account after = layer_account(f->layer, &sender);
        assert_true(account_equal(&before, &after));
        assert_int_equal(f->x.gas_left, gas);
        assert_int_equal(balance(f, OTHER), 0);
        assert_int_equal(balance(f, COINBASE), 0);
        fixture_destroy(f);
    }
}

/* Init code that returns the six bytes SSTORE(0, 42): PUSH6, MSTORE, RETURN(26, 6). */
#define INIT_OF_STORER "\x65\x60\x2a\x60\x00\x55\x00\x60\x00\x52\x60\x06\x60\x1a\xf3"

static void a_contract_is_deployed_and_called(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    struct tx create = tx_to(0, 77);
    create.is_create = true;
    create.to = (struct address){{0}};
    create.data = CODE(INIT_OF_STORER);
    struct tx_outcome o = run(f, &create);
    assert_int_equal(o.result, EVM_SUCCESS);
    struct address sender = addr(SENDER);
    struct address expected = address_of_create(&sender, 0);
    assert_memory_equal(o.created.b, expected.b, 20);
    struct account made = layer_account(f->layer, &o.created);
    assert_int_equal(made.nonce, 1);
    assert_int_equal(u256_to_u64(made.balance), 77);
    assert_true(bytes_equal(layer_code(f->layer, &o.created), CODE("\x60\x2a\x60\x00\x55\x00")));

    struct tx call = tx_to(0, 0);
    call.to = o.created;
    call.nonce = 1;
    o = run(f, &call);
    assert_int_equal(o.result, EVM_SUCCESS);
    assert_int_equal(u256_to_u64(layer_storage(f->layer, &call.to, num(0))), 42);
    assert_int_equal(o.gas_used, 21000 + 3 + 3 + 22100);
    fixture_destroy(f);
}

static void a_revert_costs_its_gas_and_moves_nothing(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    struct tx t = tx_to(CONTRACT, 500);
    /* LOG0 of nothing, SSTORE(0, 1), REVERT(0, 0) */
    place_code(f, CODE("\x60\x00\x60\x00\xa0\x60\x01\x60\x00\x55\x60\x00\x60\x00\xfd"));
    struct tx_outcome o = run(f, &t);
    assert_int_equal(o.result, EVM_REVERT);
    assert_int_equal(o.gas_used, 21000 + 6 + 375 + 6 + 22100 + 6);
    assert_int_equal(o.log_count, 0);
    struct address a = addr(CONTRACT), sender = addr(SENDER);
    assert_true(u256_is_zero(layer_storage(f->layer, &a, num(0))));
    assert_int_equal(balance(f, CONTRACT), 0);
    assert_int_equal(layer_account(f->layer, &sender).nonce, 1);
    assert_int_equal(balance(f, SENDER), 1000000000 * GWEI - o.gas_used * 3 * GWEI);
    fixture_destroy(f);
}

static void running_out_takes_the_whole_limit(void **state)
{
    (void)state;
    assert_int_equal(gas_of(CODE("\x5b\x60\x00\x56")), 100000); /* a loop */
    assert_int_equal(gas_of(CODE("\xfe")), 100000);
}

static void logs_come_out_in_order(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    struct tx t = tx_to(CONTRACT, 0);
    /* LOG1(0, 0, topic 7), LOG1(0, 32, topic 8) */
    place_code(f, CODE("\x60\x07\x60\x00\x60\x00\xa1\x60\x08\x60\x20\x60\x00\xa1\x00"));
    struct tx_outcome o = run(f, &t);
    assert_int_equal(o.log_count, 2);
    assert_int_equal(o.logs[0].topics[0].b[31], 7);
    assert_int_equal(o.logs[0].data.size, 0);
    assert_int_equal(o.logs[1].topics[0].b[31], 8);
    assert_int_equal(o.logs[1].data.size, 32);
    fixture_destroy(f);
}

static void refunds_stop_at_a_fifth(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    struct tx t = tx_to(CONTRACT, 0);
    struct address a = addr(CONTRACT);
    place_code(f, CODE("\x60\x00\x60\x00\x55\x60\x00\x60\x01\x55\x00")); /* clears slots 0, 1 */
    layer_set_storage(f->layer, &a, num(0), num(1));
    assert_int_equal(run(f, &t).gas_used, 21000 + 5006 + 2206 - 4800);
    layer_set_storage(f->layer, &a, num(0), num(1));
    layer_set_storage(f->layer, &a, num(1), num(1));
    t.nonce = 1;
    assert_int_equal(run(f, &t).gas_used, 31012 - 31012 / 5);
    fixture_destroy(f);
}

static void calldata_has_a_floor_price(void **state)
{
    (void)state;
    uint8_t data[1000] = {0}; /* 500 ones, 500 zeros: 2500 tokens */
    struct fixture *f = fixture_create();
    struct tx t = tx_to(OTHER, 0);
    struct tx_outcome o;
    struct address sender = addr(SENDER), a = addr(CONTRACT);
    memset(data, 1, 500);
    t.data = bytes_of(data, sizeof data);
    t.gas_limit = 21000 + 24999;
    assert_int_equal(execute_transaction(&f->x, &o, &t, &sender), TX_FLOOR_GAS);
    t.gas_limit = 21000 + 25000;
    assert_int_equal(run(f, &t).gas_used, 21000 + 25000);
    assert_int_equal(balance(f, COINBASE), 46000 * 2 * GWEI);

    /* Used more than the floor: it changes nothing, until a refund goes below it. */
    t.gas_limit = 100000;
    t.nonce = 1;
    t.to = a;
    place_code(f, CODE("\x60\x01\x60\x00\x55\x00")); /* SSTORE(0, 1) */
    assert_int_equal(run(f, &t).gas_used, 21000 + 500 * 16 + 500 * 4 + 6 + 22100);
    t.nonce = 2;
    t.gas_limit = 46000;
    layer_set_code(f->layer, &a, CODE("\x60\x00\x60\x00\x55\x00")); /* clears it: 4800 back */
    assert_int_equal(run(f, &t).gas_used, 46000);
    fixture_destroy(f);
}

static void before_prague_calldata_has_no_floor_price(void **state)
{
    (void)state;
    static const uint8_t data[100] = {0};
    struct fixture *f = fixture_create();
    struct tx t = tx_to(OTHER, 0);
    evm_destroy(f->evm);
    f->evm = evm_create(EVM_CANCUN);
    f->x.evm = f->evm;
    t.data = bytes_of(data, sizeof data);
    t.gas_limit = 21400;
    assert_int_equal(run(f, &t).gas_used, 21400);
    fixture_destroy(f);
}

static void the_access_list_warms(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    struct tx t = tx_to(CONTRACT, 0);
    struct hash slot = {{0}};
    struct access_entry entry = {addr(CONTRACT), &slot, 1};
    place_code(f, CODE("\x60\x00\x54\x00")); /* SLOAD(0) */
    assert_int_equal(run(f, &t).gas_used, 21000 + 3 + 2100);
    t.nonce = 1;
    t.access = &entry;
    t.access_count = 1;
    assert_int_equal(run(f, &t).gas_used, 21000 + 2400 + 1900 + 3 + 100);
    fixture_destroy(f);
}

static void sender_coinbase_and_precompiles_are_warm(void **state)
{
    (void)state;
    assert_int_equal(gas_of(CODE("\x33\x31\x00")), 21000 + 2 + 100);     /* BALANCE(CALLER) */
    assert_int_equal(gas_of(CODE("\x41\x31\x00")), 21000 + 2 + 100);     /* BALANCE(COINBASE) */
    assert_int_equal(gas_of(CODE("\x30\x31\x00")), 21000 + 2 + 100);     /* BALANCE(ADDRESS) */
    assert_int_equal(gas_of(CODE("\x60\x04\x31\x00")), 21000 + 3 + 100); /* BALANCE(4) */
    assert_int_equal(gas_of(CODE("\x60\xee\x31\x00")), 21000 + 3 + 2600);
}

static void an_old_contract_survives_its_self_destruct(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    struct tx t = tx_to(CONTRACT, 900);
    struct address a = addr(CONTRACT);
    place_code(f, CODE("\x33\xff")); /* SELFDESTRUCT(CALLER) */
    struct tx_outcome o = run(f, &t);
    assert_int_equal(o.result, EVM_SUCCESS);
    assert_int_equal(balance(f, CONTRACT), 0);
    assert_int_equal(layer_code(f->layer, &a).size, 2);
    /* Deployed and destroyed in one transaction: nothing remains. */
    struct tx create = tx_to(0, 900);
    create.is_create = true;
    create.to = (struct address){{0}};
    create.nonce = 1;
    create.data = CODE("\x33\xff");
    o = run(f, &create);
    assert_int_equal(o.result, EVM_SUCCESS);
    struct address sender = addr(SENDER);
    struct address made = address_of_create(&sender, 1);
    struct account gone = layer_account(f->layer, &made);
    assert_true(account_is_empty(&gone));
    fixture_destroy(f);
}

/* ---- system calls ---- */

static void a_system_call_needs_no_gas_and_brings_its_value(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    struct tx_outcome o;
    struct address a = addr(CONTRACT);
    place_code(f, CODE("\x33\x60\x00\x55\x00")); /* SSTORE(0, CALLER) */
    struct system_message m = {.to = a, .value = num(5)};
    execute_system(&f->x, &o, &m);
    assert_int_equal(o.result, EVM_SUCCESS);
    assert_int_equal(balance(f, CONTRACT), 5);
    struct u256 caller = u256_from_be(address_bytes(&SYSTEM_ADDRESS));
    assert_true(u256_equal(layer_storage(f->layer, &a, num(0)), caller));
    assert_int_equal(f->x.gas_left, 30000000);
    struct account system = layer_account(f->layer, &SYSTEM_ADDRESS);
    assert_true(account_is_empty(&system));
    fixture_destroy(f);
}

static void a_failed_system_call_leaves_nothing(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    struct tx_outcome o;
    place_code(f, CODE("\x60\x00\x60\x00\xfd"));
    struct system_message m = {.to = addr(CONTRACT), .value = num(5)};
    execute_system(&f->x, &o, &m);
    assert_int_equal(o.result, EVM_REVERT);
    assert_int_equal(balance(f, CONTRACT), 0);
    struct account system = layer_account(f->layer, &SYSTEM_ADDRESS);
    assert_true(account_is_empty(&system));
    fixture_destroy(f);
}

/* ---- read-only calls ---- */

static struct call_request call_to(uint8_t to)
{
    return (struct call_request){.from = addr(SENDER), .to = addr(to), .gas_limit = 1000000};
}

static void a_call_answers_and_leaves_no_trace(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    struct call_request r = call_to(CONTRACT);
    struct tx_outcome o;
    struct address a = addr(CONTRACT), sender = addr(SENDER);
    r.value = num(9);
    /* SSTORE(0, 42); RETURN 32 bytes of SLOAD(0) */
    place_code(f, CODE("\x60\x2a\x60\x00\x55\x60\x00\x54\x60\x00\x52\x60\x20\x60\x00\xf3"));
    assert_int_equal(execute_call(&f->x, &o, &r, NULL), TX_FINE);
    assert_int_equal(o.result, EVM_SUCCESS);
    assert_int_equal(o.output.size, 32);
    assert_int_equal(o.output.data[31], 42);
    assert_true(u256_is_zero(layer_storage(f->layer, &a, num(0))));
    assert_int_equal(balance(f, CONTRACT), 0);
    assert_int_equal(layer_account(f->layer, &sender).nonce, 0);
    assert_int_equal(f->x.gas_left, 30000000);
    fixture_destroy(f);
}

static void a_call_needs_funds_for_what_it_sends(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    struct call_request r = call_to(OTHER);
    struct tx_outcome o;
    r.from = addr(OTHER);
    r.value = num(1);
    assert_int_equal(execute_call(&f->x, &o, &r, NULL), TX_FUNDS);
    r.value = num(0);
    r.gas_price = num(1);
    assert_int_equal(execute_call(&f->x, &o, &r, NULL), TX_FUNDS);
    r.gas_price = num(0);
    r.gas_limit = 20999;
    assert_int_equal(execute_call(&f->x, &o, &r, NULL), TX_INTRINSIC_GAS);
    fixture_destroy(f);
}

static void the_estimate_is_the_least_that_works(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    struct call_request r = call_to(CONTRACT);
    struct address a = addr(CONTRACT);
    struct tx_outcome o;
    uint64_t gas;
    place_code(f, CODE("\x60\x00\x60\x00\x55\x60\x00\x60\x01\x55\x00")); /* refunds: uses less */
    layer_set_storage(f->layer, &a, num(0), num(1));
    layer_set_storage(f->layer, &a, num(1), num(1));
    assert_int_equal(execute_estimate(&f->x, &gas, &o, &r, NULL), TX_FINE);
    assert_int_equal(gas, 31012);
    r.gas_limit = gas - 1;
    assert_int_equal(execute_estimate(&f->x, &gas, &o, &r, NULL), TX_FINE);
    assert_int_equal(gas, 0);
    assert_int_equal(o.result, EVM_OUT_OF_GAS);
    r = call_to(OTHER);
    assert_int_equal(execute_estimate(&f->x, &gas, &o, &r, NULL), TX_FINE);
    assert_int_equal(gas, 21000);
    r.data = CODE("12345678"); /* the floor price of 8 bytes */
    assert_int_equal(execute_estimate(&f->x, &gas, &o, &r, NULL), TX_FINE);
    assert_int_equal(gas, 21000 + 320);
    r.gas_limit = 21319;
    assert_int_equal(execute_estimate(&f->x, &gas, &o, &r, NULL), TX_FLOOR_GAS);
    fixture_destroy(f);
}

static void the_stop_flag_ends_a_call(void **state)
{
    (void)state;
    struct fixture *f = fixture_create();
    struct call_request r = call_to(CONTRACT);
    struct tx_outcome o;
    volatile int stop = 1;
    r.gas_limit = 1ull << 50; /* would run for days */
    place_code(f, CODE("\x5b\x60\x00\x56"));
    assert_int_equal(execute_call(&f->x, &o, &r, &stop), TX_FINE);
    assert_int_equal(o.result, EVM_OUT_OF_GAS);
    fixture_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transfer_pays_tip_and_burns_the_base_fee),
        cmocka_unit_test(an_invalid_transaction_changes_nothing),
        cmocka_unit_test(a_contract_is_deployed_and_called),
        cmocka_unit_test(a_revert_costs_its_gas_and_moves_nothing),
        cmocka_unit_test(running_out_takes_the_whole_limit),
        cmocka_unit_test(logs_come_out_in_order),
        cmocka_unit_test(refunds_stop_at_a_fifth),
        cmocka_unit_test(calldata_has_a_floor_price),
        cmocka_unit_test(before_prague_calldata_has_no_floor_price),
        cmocka_unit_test(the_access_list_warms),
        cmocka_unit_test(sender_coinbase_and_precompiles_are_warm),
        cmocka_unit_test(an_old_contract_survives_its_self_destruct),
        cmocka_unit_test(a_system_call_needs_no_gas_and_brings_its_value),
        cmocka_unit_test(a_failed_system_call_leaves_nothing),
        cmocka_unit_test(a_call_answers_and_leaves_no_trace),
        cmocka_unit_test(a_call_needs_funds_for_what_it_sends),
        cmocka_unit_test(the_estimate_is_the_least_that_works),
        cmocka_unit_test(the_stop_flag_ends_a_call),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
