/* What a trace tells: the state before each step, its cost, and the order of steps over calls. */
#include "tests/vm/evm_fixture.h"
#include "vm/opcodes.h"
#include "vm/trace.h"

#define STEPS_MAX 64

struct steps {
    size_t count;
    struct evm_step step[STEPS_MAX]; /* `stack` is stale */
    struct buffer json;
};

static void remember(void *context, const struct evm_step *s)
{
    struct steps *steps = context;
    assert_true(steps->count < STEPS_MAX);
    steps->step[steps->count++] = *s;
    step_to_json(&steps->json, s);
    buffer_append_byte(&steps->json, '\n');
}

static void open_traced(struct fixture *x, struct steps *steps)
{
    fixture_open(x);
    *steps = (struct steps){.count = 0};
    evm_set_trace(x->evm, remember, steps);
}

static void close_traced(struct fixture *x, struct steps *steps)
{
    buffer_finish(&steps->json);
    fixture_close(x);
}

static int64_t sum_of_costs(const struct steps *steps, size_t depth)
{
    int64_t sum = 0;
    for (size_t i = 0; i < steps->count; i++)
        if (steps->step[i].depth == depth) sum += steps->step[i].gas_cost;
    return sum;
}

static void a_step_shows_the_state_before_it(void **state)
{
    (void)state;
    struct fixture x;
    struct steps steps;
    open_traced(&x, &steps);
    fixture_run_code(&x, "6001600201");
    assert_int_equal(steps.count, 4);
    const uint8_t opcodes[] = {OP_PUSH1, OP_PUSH1, OP_ADD, OP_STOP};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(steps.step[i].opcode, opcodes[i]);
    assert_int_equal(steps.step[0].gas, FIXTURE_GAS);
    assert_int_equal(steps.step[3].gas, FIXTURE_GAS - 9);
    assert_int_equal(steps.step[2].stack_count, 2);
    assert_int_equal(steps.step[2].pc, 4);
    close_traced(&x, &steps);
}

static void a_step_is_one_line_of_json(void **state)
{
    (void)state;
    struct fixture x;
    struct steps steps;
    open_traced(&x, &steps);
    x.message.gas = 1000;
    fixture_run_code(&x, "61ffff5f520c");
    assert_string_equal(
        buffer_text(&steps.json),
        "{\"pc\":0,\"op\":97,\"gas\":\"0x3e8\",\"gasCost\":\"0x3\",\"memSize\":0,\"stack\":[],"
        "\"depth\":1,\"refund\":0,\"opName\":\"PUSH2\"}\n"
        "{\"pc\":3,\"op\":95,\"gas\":\"0x3e5\",\"gasCost\":\"0x2\",\"memSize\":0,"
        "\"stack\":[\"0xffff\"],\"depth\":1,\"refund\":0,\"opName\":\"PUSH0\"}\n"
        "{\"pc\":4,\"op\":82,\"gas\":\"0x3e3\",\"gasCost\":\"0x6\",\"memSize\":0,"
        "\"stack\":[\"0xffff\",\"0x0\"],\"depth\":1,\"refund\":0,\"opName\":\"MSTORE\"}\n"
        "{\"pc\":5,\"op\":12,\"gas\":\"0x3dd\",\"gasCost\":\"0x0\",\"memSize\":32,\"stack\":[],"
        "\"depth\":1,\"refund\":0,\"opName\":\"UNDEFINED\"}\n");
    close_traced(&x, &steps);
}

static void the_costs_of_a_frame_add_up_to_its_gas(void **state)
{
    (void)state;
    struct fixture x;
    struct steps steps;
    open_traced(&x, &steps);
    /* Cold and warm storage, a hash, a log, memory, a return. */
    fixture_run_code(&x, "60015f55 5f54 60405f20 60205fa0 60ff60c052 60205ff3");
    assert_int_equal(x.out.result, EVM_SUCCESS);
    assert_int_equal(sum_of_costs(&steps, 1), gas_used(&x));
    close_traced(&x, &steps);
}

/* CALL of OTHER with 5,000 gas and no value; then STOP. */
#define CALL_OTHER "5f5f5f5f5f 73aa00000000000000000000000000000000000003 611388 f1 00"

static void a_call_is_told_before_its_callee_and_with_the_gas_it_gives(void **state)
{
    (void)state;
    struct fixture x;
    struct steps steps;
    open_traced(&x, &steps);
    put_code(&x, OTHER, "5f5000");
    fixture_run_code(&x, CALL_OTHER);
    assert_int_equal(steps.count, 12);
    assert_int_equal(steps.step[7].opcode, OP_CALL);
    assert_int_equal(steps.step[7].gas_cost, 2600 + 5000);
    assert_int_equal(steps.step[8].depth, 2);
    assert_int_equal(steps.step[8].gas, 5000);
    assert_int_equal(sum_of_costs(&steps, 2), 4);
    assert_int_equal(steps.step[11].depth, 1);
    assert_int_equal(steps.step[11].gas, steps.step[7].gas - 2600 - 4);
    close_traced(&x, &steps);
}

static void a_call_of_no_code_costs_what_it_gives_and_gets_it_back(void **state)
{
    (void)state;
    struct fixture x;
    struct steps steps;
    open_traced(&x, &steps);
    fixture_run_code(&x, CALL_OTHER);
    assert_int_equal(steps.count, 9);
    assert_int_equal(steps.step[7].gas_cost, 2600 + 5000);
    assert_int_equal(steps.step[8].gas, steps.step[7].gas - 2600);
    close_traced(&x, &steps);
}

static void a_create_is_told_before_its_init_code(void **state)
{
    (void)state;
    struct fixture x;
    struct steps steps;
    open_traced(&x, &steps);
    fixture_run_code(&x, "60015f5f f0 00"); /* init code of one zero byte: STOP */
    assert_int_equal(steps.count, 6);
    assert_int_equal(steps.step[3].opcode, OP_CREATE);
    assert_int_equal(steps.step[4].depth, 2);
    assert_int_equal(steps.step[3].gas - steps.step[3].gas_cost,
                     (steps.step[3].gas - 32000 - 3 - 2) / 64);
    close_traced(&x, &steps);
}

static void a_step_that_fails_shows_its_base_gas(void **state)
{
    (void)state;
    struct fixture x;
    struct steps steps;
    open_traced(&x, &steps);
    x.message.gas = 12;
    fixture_run_code(&x, "64ffffffffff 51"); /* MLOAD beyond what gas could buy */
    assert_int_equal(x.out.result, EVM_OUT_OF_GAS);
    assert_int_equal(steps.count, 2);
    assert_int_equal(steps.step[1].gas, 9);
    assert_int_equal(steps.step[1].gas_cost, 3);
    x.message.gas = 1;
    fixture_run(&x); /* nor is the first step told late, or twice */
    assert_int_equal(steps.count, 3);
    assert_int_equal(steps.step[2].gas_cost, 3);
    close_traced(&x, &steps);
}

static void refunds_show_from_the_next_step_on(void **state)
{
    (void)state;
    struct fixture x;
    struct steps steps;
    struct address a = CONTRACT;
    open_traced(&x, &steps);
    memory_host_put_slot(&x.host, &a, u256_from_u64(0), u256_from_u64(1));
    fixture_run_code(&x, "5f5f5500");
    assert_int_equal(steps.step[2].refund, 0);
    assert_int_equal(steps.step[3].refund, 4800);
    assert_int_equal(x.out.gas_refund, 4800);
    close_traced(&x, &steps);
}

static void a_trace_that_is_turned_off_tells_nothing_more(void **state)
{
    (void)state;
    struct fixture x;
    struct steps steps;
    open_traced(&x, &steps);
    fixture_run_code(&x, "00");
    assert_int_equal(steps.count, 1);
    evm_set_trace(x.evm, NULL, NULL);
    fixture_run(&x);
    assert_int_equal(steps.count, 1);
    close_traced(&x, &steps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_shows_the_state_before_it),
        cmocka_unit_test(a_step_is_one_line_of_json),
        cmocka_unit_test(the_costs_of_a_frame_add_up_to_its_gas),
        cmocka_unit_test(a_call_is_told_before_its_callee_and_with_the_gas_it_gives),
        cmocka_unit_test(a_call_of_no_code_costs_what_it_gives_and_gets_it_back),
        cmocka_unit_test(a_create_is_told_before_its_init_code),
        cmocka_unit_test(a_step_that_fails_shows_its_base_gas),
        cmocka_unit_test(refunds_show_from_the_next_step_on),
        cmocka_unit_test(a_trace_that_is_turned_off_tells_nothing_more),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
