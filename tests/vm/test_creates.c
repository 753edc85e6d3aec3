#include "tests/vm/evm_fixture.h"

#include "base/key.h"

/* Stores the init code (n bytes of hex, n < 32) at the end of word 0 and creates with value 0. */
#define CREATE_OF(push, size, offset) push "5f52 60" size "60" offset "5ff0"

static struct address created_by_contract(uint64_t nonce)
{
    struct address a = CONTRACT;
    return address_of_create(&a, nonce);
}

static struct bytes code_of(struct fixture *x, struct address a)
{
    return memory_code(&x->host, &a);
}

static uint64_t nonce_of(struct fixture *x, struct address a)
{
    return memory_nonce(&x->host, &a);
}

static void run_as(struct fixture *x, uint64_t contract_nonce, const char *code)
{
    struct address a = CONTRACT;
    memory_account_get(&x->host, &a)->seen.nonce = contract_nonce;
    fixture_run_code(x, code);
}

/* Init code 60015ff3 (6 gas, 3 of memory) leaves one zero byte. */
#define ONE_BYTE_CREATE CREATE_OF("6360015ff3", "04", "1c")
#define ONE_BYTE_GAS    (3 + 2 + 3 + 3 + 3 + 3 + 2 + 32000 + 2 + (3 + 2 + 3) + 200)

static void create_makes_an_account_with_nonce_one_and_its_code(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    run_as(&x, 1, ONE_BYTE_CREATE "5f5260205ff3");
    struct address created = created_by_contract(1);
    assert_int_equal(x.out.result, EVM_SUCCESS);
    assert_memory_equal(x.out.output.data + 12, created.b, 20);
    assert_int_equal(gas_used(&x), ONE_BYTE_GAS + 2 + 3 + 3 + 2);
    assert_int_equal(nonce_of(&x, created), 1);
    assert_int_equal(nonce_of(&x, CONTRACT), 2);
    assert_int_equal(code_of(&x, created).size, 1);
    assert_int_equal(memory_touch_account(&x.host, &created)->was, ACCESS_WARM);
    fixture_close(&x);
}

/* EIP-1014's examples 1 (address 0, salt 0, init code 00) and 5. */
static void create2_addresses_follow_eip_1014(void **state)
{
    (void)state;
    struct fixture x;
    struct address zero = {{0}};
    struct buffer want = code_from("4d1a2e2bb4f88f0250f26ffff098b0b30b26bf38");
    fixture_open(&x);
    x.message.recipient = zero;
    memory_account_get(&x.host, &zero)->seen.nonce = 1;
    put_code(&x, zero, "5f60015f5f f5" RETURN_TOP); /* one byte of empty memory */
    fixture_run(&x);
    assert_int_equal(x.out.output.size, 32);
    assert_memory_equal(x.out.output.data + 12, want.data, 20);
    assert_int_equal(gas_used(&x), 2 + 3 + 2 + 2 + 32000 + 3 + 2 + 6 + RETURN_TOP_GAS - 3);
    buffer_finish(&want);
    fixture_close(&x);
}

struct create_row {
    const char *what;
    const char *code;
    int64_t child_gas_lost; /* 1: all that went along; 0: not */
};

static void init_code_can_fail_in_many_ways(void **state)
{
    (void)state;
    static const struct create_row rows[] = {
        {"revert", CREATE_OF("635f5ffd00", "04", "1c"), 0},
        {"invalid", CREATE_OF("60fe", "01", "1f"), 1},
        {"code of 24577 bytes", CREATE_OF("646160015ff3", "05", "1b"), 1},
        {"code that begins with ef", CREATE_OF("6760ef5f5360015ff3", "08", "18"), 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture x;
        char code[200];
        fixture_open(&x);
        snprintf(code, sizeof(code), "%s5f5260205ff3", rows[i].code);
        run_as(&x, 1, code);
        struct address created = created_by_contract(1);
        int64_t most = FIXTURE_GAS - FIXTURE_GAS / 32;
        if (x.out.result != EVM_SUCCESS || returned_u64(&x) != 0 ||
            code_of(&x, created).size != 0 || nonce_of(&x, created) != 0 ||
            nonce_of(&x, CONTRACT) != 2 || (gas_used(&x) > most) != (rows[i].child_gas_lost == 1))
            fail_msg("%s: %s, %lld gas", rows[i].what, evm_result_text(x.out.result),
                     (long long)gas_used(&x));
        fixture_close(&x);
    }
}

static void code_that_cannot_be_paid_fails_the_create(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    x.message.gas = 32000 + 21 + 8 + 200; /* 63/64 of what is left for the child: under 208 */
    run_as(&x, 1, ONE_BYTE_CREATE "5f5260205ff3");
    struct address created = created_by_contract(1);
    assert_int_equal(nonce_of(&x, created), 0);
    assert_int_equal(code_of(&x, created).size, 0);
    fixture_close(&x);
}

static void return_data_of_a_create_stays_only_after_a_revert(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    run_as(&x, 1, CREATE_OF("6360405ffd", "04", "1c") "3d5f5260205ff3");
    assert_int_equal(returned_u64(&x), 64);
    fixture_close(&x);
    fixture_open(&x);
    run_as(&x, 1, ONE_BYTE_CREATE "3d5f5260205ff3");
    assert_int_equal(returned_u64(&x), 0);
    fixture_close(&x);
}

static void a_taken_address_is_a_collision_and_costs_the_gas(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        struct fixture x;
        struct address there = created_by_contract(1);
        fixture_open(&x);
        struct memory_account *a = memory_account_get(&x.host, &there);
        if (kind == 0) a->seen.nonce = 1;
        if (kind == 1) put_code(&x, there, "00");
        if (kind == 2) memory_host_put_slot(&x.host, &there, u256_from_u64(1), u256_from_u64(1));
        if (kind == 3) a->seen.balance = u256_from_u64(9); /* money alone does not take it */
        run_as(&x, 1, ONE_BYTE_CREATE "5f5260205ff3");
        struct u256 answer = returned_word(&x);
        assert_int_equal(u256_is_zero(answer), kind != 3);
        assert_int_equal(gas_used(&x) > FIXTURE_GAS / 2, kind != 3);
        assert_int_equal(nonce_of(&x, CONTRACT), 2);
        fixture_close(&x);
    }
}

static void the_highest_nonce_creates_nothing(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    run_as(&x, UINT64_MAX, ONE_BYTE_CREATE "5f5260205ff3");
    assert_int_equal(returned_u64(&x), 0);
    assert_true(gas_used(&x) < 33000);
    assert_true(nonce_of(&x, CONTRACT) == UINT64_MAX);
    fixture_close(&x);
}

static void value_that_is_not_there_creates_nothing(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    run_as(&x, 1, "5f5f6001f0" RETURN_TOP);
    assert_int_equal(returned_u64(&x), 0);
    assert_int_equal(nonce_of(&x, CONTRACT), 1);
    fixture_close(&x);
}

static void init_code_is_bounded(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    run_as(&x, 1, "61c0005f5ff0" RETURN_TOP); /* 49152 zero bytes: an empty contract */
    assert_int_equal(x.out.result, EVM_SUCCESS);
    assert_false(u256_is_zero(returned_word(&x)));
    fixture_close(&x);
    fixture_open(&x);
    run_as(&x, 1, "61c0015f5ff0" RETURN_TOP);
    assert_int_equal(x.out.result, EVM_INIT_CODE_SIZE);
    fixture_close(&x);
}

/* Creates, then calls what was created: it self-destructs, in the same transaction. */
static void a_fresh_contract_that_self_destructs_is_marked_to_go(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    put_balance(&x, CONTRACT, 7);
    /* init 6130ff5f526002601ef3: returns code 30ff; value 7 */
    run_as(&x, 1, "69 6130ff5f526002601ef3 5f52 600a60166007f0 5f5f5f5f5f 85 5af1 5f5260205ff3");
    struct address created = created_by_contract(1);
    assert_int_equal(returned_u64(&x), 1);
    assert_true(memory_account_get(&x.host, &created)->destructed);
    assert_int_equal(u256_to_u64(memory_balance(&x.host, &created)), 0); /* burned */
    fixture_close(&x);
}

static void a_create_message_returns_address_and_code(void **state)
{
    (void)state;
    struct fixture x;
    struct buffer init = code_from("60fe5f5360015ff3"); /* leaves the code fe */
    struct address caller = CALLER;
    fixture_open(&x);
    x.message.kind = EVM_CREATE;
    x.message.input = buffer_bytes(&init);
    x.message.create_nonce = 4;
    x.message.value = u256_from_u64(3);
    fixture_run(&x);
    struct address want = address_of_create(&caller, 4);
    assert_int_equal(x.out.result, EVM_SUCCESS);
    assert_true(address_equal(&x.out.created, &want));
    assert_int_equal(code_of(&x, want).data[0], 0xfe);
    assert_int_equal(u256_to_u64(memory_balance(&x.host, &want)), 3);
    assert_int_equal(gas_used(&x), 3 + 2 + 3 + 3 + 3 + 2 + 200);
    fixture_close(&x);
    buffer_finish(&init);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_makes_an_account_with_nonce_one_and_its_code),
        cmocka_unit_test(create2_addresses_follow_eip_1014),
        cmocka_unit_test(init_code_can_fail_in_many_ways),
        cmocka_unit_test(code_that_cannot_be_paid_fails_the_create),
        cmocka_unit_test(return_data_of_a_create_stays_only_after_a_revert),
        cmocka_unit_test(a_taken_address_is_a_collision_and_costs_the_gas),
        cmocka_unit_test(the_highest_nonce_creates_nothing),
        cmocka_unit_test(value_that_is_not_there_creates_nothing),
        cmocka_unit_test(init_code_is_bounded),
        cmocka_unit_test(a_fresh_contract_that_self_destructs_is_marked_to_go),
        cmocka_unit_test(a_create_message_returns_address_and_code),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
