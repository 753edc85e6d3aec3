#include "tests/vm/evm_fixture.h"

#include "base/key.h"

#define OTHER_HEX "73aa00000000000000000000000000000000000003" /* PUSH20 OTHER */
/* PUSH the four empty ranges of a call, without value. */
#define NO_RANGES "5f5f5f5f"

static uint64_t slot_of(struct fixture *x, struct address a, uint64_t slot)
{
    return u256_to_u64(memory_storage(&x->host, &a, u256_from_u64(slot)));
}

static uint64_t balance_of(struct fixture *x, struct address a)
{
    return u256_to_u64(memory_balance(&x->host, &a));
}

struct call_row {
    const char *what;
    const char *callee; /* code of OTHER */
    const char *code;   /* leaves a word that is returned */
    uint64_t top;
    int64_t gas; /* without RETURN_TOP; 0: do not look */
};

static void each_kind_of_call_answers_and_costs_what_it_should(void **state)
{
    (void)state;
    static const struct call_row rows[] = {
        {"no code at all", NULL, NO_RANGES "5f 61aaaa 5f f1", 1, 2 * 6 + 3 + 2600},
        {"success", "00", NO_RANGES "5f" OTHER_HEX "5f f1", 1, 2 * 6 + 3 + 2600},
        {"all given gas is used", "fe", NO_RANGES "5f" OTHER_HEX "6101f4f1", 0,
         2 * 5 + 6 + 2600 + 500},
        {"a revert gives gas back", "5f5ffd", NO_RANGES "5f" OTHER_HEX "6101f4f1", 0,
         2 * 5 + 6 + 2600 + 4},
        {"value to an account that is there", "00", NO_RANGES "6001" OTHER_HEX "5f f1", 1,
         2 * 5 + 6 + 2600 + 9000 - 2300},
        {"value to a new account", NULL, NO_RANGES "6001 61aaaa 5f f1", 1,
         2 * 5 + 6 + 2600 + 9000 + 25000 - 2300},
        {"value that is not there", "00", NO_RANGES "60c8" OTHER_HEX "5f f1", 0,
         2 * 5 + 6 + 2600 + 9000 - 2300},
        {"CALLCODE with value", "00", NO_RANGES "6001" OTHER_HEX "5f f2", 1,
         2 * 5 + 6 + 2600 + 9000 - 2300},
        {"CALLER in CALL", "3360ff165f5260205ff3", "60205f5f5f5f" OTHER_HEX "5af1505f51", 2, 0},
        {"CALLER in DELEGATECALL", "3360ff165f5260205ff3", "60205f5f5f" OTHER_HEX "5af4505f51", 1,
         0},
        {"ADDRESS in CALLCODE", "3060ff165f5260205ff3", "60205f5f5f5f" OTHER_HEX "5af2505f51", 2,
         0},
        {"ADDRESS in STATICCALL", "3060ff165f5260205ff3", "60205f5f5f" OTHER_HEX "5afa505f51", 3,
         0},
        {"CALLVALUE in DELEGATECALL", "345f5260205ff3", "60205f5f5f" OTHER_HEX "5af4505f51", 5, 0},
        {"calldata", "5f355f5260205ff3", "602a5f5260205f60205f5f" OTHER_HEX "5af1505f51", 42, 0},
        {"an answer longer than its place", "60ff5f5260205ff3",
         "601f5f5f5f5f" OTHER_HEX "5af1505f51", 0, 0},
        {"RETURNDATASIZE", "60405ff3", NO_RANGES "5f" OTHER_HEX "5af1503d", 64, 0},
        {"RETURNDATASIZE after a revert", "60405ffd", NO_RANGES "5f" OTHER_HEX "5af1503d", 64, 0},
        {"RETURNDATASIZE after a failure", "fe", NO_RANGES "5f" OTHER_HEX "61ffff f1503d", 0, 0},
        {"return data goes with the next call", "60405ff3",
         NO_RANGES "5f" OTHER_HEX "5af150" NO_RANGES "5f61aaaa5af1503d", 0, 0},
        {"return data goes with a refused call", "60405ff3",
         NO_RANGES "5f" OTHER_HEX "5af150" NO_RANGES "60ff" OTHER_HEX "5af1503d", 0, 0},
        {"RETURNDATACOPY", "60ee5f5260205ff3",
         NO_RANGES "5f" OTHER_HEX "5af15060015f60ff536001601f5f3e5f5160f81c", 0xee, 0},
        {"a static call may not store", "60015f55", NO_RANGES OTHER_HEX "61ffff fa", 0,
         2 * 4 + 6 + 2600 + 0xffff},
        {"nor set transient storage", "60015f5d", NO_RANGES OTHER_HEX "61ffff fa", 0, 0},
        {"nor log", "5f5fa0", NO_RANGES OTHER_HEX "61ffff fa", 0, 0},
        {"nor create", "5f5f5ff0", NO_RANGES OTHER_HEX "61ffff fa", 0, 0},
        {"nor self-destruct", "30ff", NO_RANGES OTHER_HEX "61ffff fa", 0, 0},
        {"nor call with value", NO_RANGES "600130 5af1", NO_RANGES OTHER_HEX "61ffff fa", 0, 0},
        {"but call without", NO_RANGES "5f30 5af100", NO_RANGES OTHER_HEX "61ffff fa", 1, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture x;
        char code[400];
        fixture_open(&x);
        if (rows[i].callee != NULL) put_code(&x, OTHER, rows[i].callee);
        put_balance(&x, CONTRACT, 100);
        x.message.value = u256_from_u64(5);
        snprintf(code, sizeof(code), "%s%s", rows[i].code, RETURN_TOP);
        fixture_run_code(&x, code);
        if (x.out.result != EVM_SUCCESS || returned_u64(&x) != rows[i].top ||
            (rows[i].gas != 0 && gas_used(&x) != rows[i].gas + RETURN_TOP_GAS))
            fail_msg("%s: %s, %lld gas", rows[i].what, evm_result_text(x.out.result),
                     (long long)gas_used(&x) - RETURN_TOP_GAS);
        fixture_close(&x);
    }
}

static void a_failed_call_gives_its_value_back(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    put_code(&x, OTHER, "fe");
    put_balance(&x, CONTRACT, 100);
    fixture_run_code(&x, NO_RANGES "6007" OTHER_HEX "61ffff f1" RETURN_TOP);
    assert_int_equal(returned_u64(&x), 0);
    assert_int_equal(balance_of(&x, CONTRACT), 100);
    assert_int_equal(balance_of(&x, OTHER), 0);
    fixture_close(&x);
}

static void at_most_63_of_64_parts_of_the_gas_go_along(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    put_code(&x, OTHER, "5a" RETURN_TOP);
    x.message.gas = 100000;
    fixture_run_code(&x, "60205f5f5f5f" OTHER_HEX "7f"
                         "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
                         "f1505f5160205ff3");
    assert_int_equal(x.out.result, EVM_SUCCESS);
    int64_t left = 100000 - (3 + 2 * 4 + 3 + 3) - 3 - 2600; /* one word of memory, cold account */
    assert_int_equal(left - left / 64 - 2,
                     u256_to_u64(u256_from_be(bytes_slice(x.out.output, 0, 32))));
    fixture_close(&x);
}

/* Calls itself until it cannot; counts in slot 0. Storing needs gas, so plenty is given. */
static void the_1024th_nested_call_is_the_last(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    x.message.gas = INT64_MAX;
    fixture_run_code(&x, "5f546001015f55" NO_RANGES "5f305af1");
    assert_int_equal(x.out.result, EVM_SUCCESS);
    assert_int_equal(slot_of(&x, CONTRACT, 0), 1025);
    fixture_close(&x);
}

/* Each level grows its memory, so that the region moves under the calldata of all levels. */
static void calldata_survives_the_growth_of_memory_below(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    x.message.gas = INT64_C(1) << 50;
    /* n = calldataload(0); if n == 0x1f return 99; mstore(0, n+1); grow to 128 KiB;
     * call itself; require calldataload(0) == n still; return what came back */
    fixture_run_code(&x, "5f35 80 601f 14 602c 57"        /* n */
                         "80 6001 01 5f52"                /* mem[0] = n + 1 */
                         "6202000051 50"                  /* mload(0x20000) */
                         "60205f60205f5f305af1 50"        /* out at 0, in at 0 */
                         "5f35 14 6027 57 fe 5b 60205ff3" /* still the same n */
                         "5b 60635f5260205ff3");
    assert_int_equal(x.out.result, EVM_SUCCESS);
    assert_int_equal(returned_u64(&x), 99);
    fixture_close(&x);
}

static void self_destruct_moves_the_balance_but_keeps_an_old_account(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    put_balance(&x, CONTRACT, 100);
    fixture_run_code(&x, OTHER_HEX "ff");
    assert_int_equal(x.out.result, EVM_SUCCESS);
    assert_int_equal(gas_used(&x), 3 + 5000 + 2600 + 25000);
    assert_int_equal(balance_of(&x, OTHER), 100);
    assert_int_equal(balance_of(&x, CONTRACT), 0);
    struct address a = CONTRACT;
    assert_false(memory_account_get(&x.host, &a)->destructed);
    fixture_close(&x);
}

static void a_precompile_answers_through_a_call(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    /* identity of 32 bytes 0x2a: 15 + 3 gas and, in the fixture, a cold account */
    fixture_run_code(&x, "602a5f52 6020602060205f600461ffff fa"
                         "503d602051 01"
                         "5f5260205ff3");
    assert_int_equal(x.out.result, EVM_SUCCESS);
    assert_int_equal(returned_u64(&x), 0x2a + 32);
    fixture_close(&x);
}

static void a_top_level_message_checks_its_balance(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    x.message.value = u256_from_u64(1000001);
    fixture_run_code(&x, "00");
    assert_int_equal(x.out.result, EVM_BALANCE);
    assert_int_equal(x.out.gas_left, FIXTURE_GAS);
    x.message.value = u256_from_u64(1000000);
    fixture_run(&x);
    assert_int_equal(x.out.result, EVM_SUCCESS);
    assert_int_equal(balance_of(&x, CONTRACT), 1000000);
    fixture_close(&x);
}

static void a_read_only_message_changes_nothing(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    x.message.is_static = true;
    fixture_run_code(&x, "60015f55");
    assert_int_equal(x.out.result, EVM_STATIC_VIOLATION);
    assert_int_equal(slot_of(&x, CONTRACT, 0), 0);
    fixture_close(&x);
}

/* ---- delegated accounts (EIP-7702) ---- */

#define DELEGATE          address_number(4)
#define TO_DELEGATE       "ef0100aa00000000000000000000000000000000000004"
#define TO_ITSELF         "ef0100aa00000000000000000000000000000000000003"
#define TO_IDENTITY       "ef01000000000000000000000000000000000000000004"
#define DELEGATE_HEX      "73aa00000000000000000000000000000000000004" /* PUSH20 DELEGATE */
#define OTHER_COLD        (2 * 6 + 3 + 2600)                           /* NO_RANGES 5f, CALL */
#define WITHOUT_VALUE(op) NO_RANGES OTHER_HEX "61ffff" op

static void calls_of_all_kinds_run_and_pay_for_the_delegate(void **state)
{
    (void)state;
    static const struct {
        const char *what, *account, *code;
        uint64_t top;
        int64_t gas; /* without RETURN_TOP; 0: do not look */
    } rows[] = {
        {"CALL", TO_DELEGATE, NO_RANGES "5f" OTHER_HEX "61fffff1", 1, OTHER_COLD + 1 + 2600},
        {"CALLCODE", TO_DELEGATE, NO_RANGES "5f" OTHER_HEX "61fffff2", 1, OTHER_COLD + 1 + 2600},
        {"DELEGATECALL", TO_DELEGATE, WITHOUT_VALUE("f4"), 1, OTHER_COLD - 1 + 2600},
        {"STATICCALL", TO_DELEGATE, WITHOUT_VALUE("fa"), 1, OTHER_COLD - 1 + 2600},
        {"a delegate that is warm", TO_DELEGATE, DELEGATE_HEX "3150" WITHOUT_VALUE("fa"), 1,
         3 + 2600 + 2 + OTHER_COLD - 1 + 100},
        {"a second call", TO_DELEGATE, WITHOUT_VALUE("fa50") WITHOUT_VALUE("fa"), 1,
         2 * (OTHER_COLD - 1) + 2 - 2500 + 2600 + 100},
        {"a delegation to itself is no code", TO_ITSELF, WITHOUT_VALUE("fa"), 0,
         OTHER_COLD - 1 + 100 + 0xffff},
        {"a precompile is no code", TO_IDENTITY,
         "5f5f60205f" OTHER_HEX "61fffffa503d" /* no return data */, 0, 0},
        {"the delegate runs as the account", TO_DELEGATE, "60205f5f5f5f" OTHER_HEX "5af1505f51", 3,
         0},
        {"EXTCODESIZE", TO_DELEGATE, OTHER_HEX "3b", 23, 3 + 2600},
        {"EXTCODECOPY", TO_DELEGATE, "60205f5f" OTHER_HEX "3c5f5160e81c", 0xef0100, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture x;
        char code[400];
        bool answers = strstr(rows[i].what, "runs as") != NULL;
        fixture_open(&x);
        put_code(&x, OTHER, rows[i].account);
        put_code(&x, DELEGATE, answers ? "3060ff165f5260205ff3" : "00"); /* ADDRESS & 0xff */
        snprintf(code, sizeof(code), "%s%s", rows[i].code, RETURN_TOP);
        fixture_run_code(&x, code);
        if (x.out.result != EVM_SUCCESS || returned_u64(&x) != rows[i].top ||
            (rows[i].gas != 0 && gas_used(&x) != rows[i].gas + RETURN_TOP_GAS))
            fail_msg("%s: %s, %lld gas", rows[i].what, evm_result_text(x.out.result),
                     (long long)gas_used(&x) - RETURN_TOP_GAS);
        fixture_close(&x);
    }
}

static void the_codehash_of_a_delegated_account_is_its_own(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    put_code(&x, OTHER, TO_DELEGATE);
    put_code(&x, DELEGATE, "00");
    fixture_run_code(&x, OTHER_HEX "3f" RETURN_TOP);
    struct buffer own = code_from(TO_DELEGATE);
    struct hash wanted = keccak256(buffer_bytes(&own));
    assert_memory_equal(x.out.output.data, wanted.b, 32);
    buffer_finish(&own);
    fixture_close(&x);
}

static void a_call_that_cannot_pay_for_the_delegate_fails(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    put_code(&x, OTHER, TO_DELEGATE);
    put_code(&x, DELEGATE, "00");
    x.message.gas = 4 * 2 + 3 + 3 + 2600 + 2599;
    fixture_run_code(&x, WITHOUT_VALUE("fa"));
    assert_int_equal(x.out.result, EVM_OUT_OF_GAS);
    x.message.gas++;
    fixture_run(&x);
    assert_int_equal(x.out.result, EVM_SUCCESS);
    fixture_close(&x);
}

static void a_refused_call_of_a_delegated_account_still_pays_for_the_delegate(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    put_code(&x, OTHER, TO_DELEGATE);
    put_code(&x, DELEGATE, "00");
    put_balance(&x, OTHER, 1);
    fixture_run_code(&x, NO_RANGES "60c8" OTHER_HEX "5ff1" RETURN_TOP); /* 200 wei of 0 */
    assert_int_equal(returned_u64(&x), 0);
    assert_int_equal(gas_used(&x), OTHER_COLD + 1 + 9000 - 2300 + 2600 + RETURN_TOP_GAS);
    fixture_close(&x);
}

static void a_message_to_a_delegated_account_runs_the_delegate(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    put_code(&x, CONTRACT, TO_DELEGATE);
    put_code(&x, DELEGATE, "38" RETURN_TOP); /* CODESIZE */
    fixture_run(&x);
    assert_int_equal(returned_u64(&x), 7);
    assert_int_equal(gas_used(&x), 2 + RETURN_TOP_GAS); /* whoever sends it warms and pays */
    fixture_close(&x);
}

static void before_prague_a_delegation_is_bad_code(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    evm_destroy(x.evm);
    x.evm = evm_create(EVM_CANCUN);
    put_code(&x, CONTRACT, TO_DELEGATE);
    put_code(&x, DELEGATE, "00");
    fixture_run(&x);
    assert_int_equal(x.out.result, EVM_BAD_OPCODE);
    fixture_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_call_answers_and_costs_what_it_should),
        cmocka_unit_test(a_failed_call_gives_its_value_back),
        cmocka_unit_test(at_most_63_of_64_parts_of_the_gas_go_along),
        cmocka_unit_test(the_1024th_nested_call_is_the_last),
        cmocka_unit_test(calldata_survives_the_growth_of_memory_below),
        cmocka_unit_test(self_destruct_moves_the_balance_but_keeps_an_old_account),
        cmocka_unit_test(a_precompile_answers_through_a_call),
        cmocka_unit_test(a_top_level_message_checks_its_balance),
        cmocka_unit_test(a_read_only_message_changes_nothing),
        cmocka_unit_test(calls_of_all_kinds_run_and_pay_for_the_delegate),
        cmocka_unit_test(the_codehash_of_a_delegated_account_is_its_own),
        cmocka_unit_test(a_call_that_cannot_pay_for_the_delegate_fails),
        cmocka_unit_test(a_refused_call_of_a_delegated_account_still_pays_for_the_delegate),
        cmocka_unit_test(a_message_to_a_delegated_account_runs_the_delegate),
        cmocka_unit_test(before_prague_a_delegation_is_bad_code),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
