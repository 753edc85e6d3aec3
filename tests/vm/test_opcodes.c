#include "tests/vm/evm_fixture.h"
#include "tests/vm/opcode_vectors.h"

#include "vm/opcodes.h"

static void each_arithmetic_opcode_gives_value_and_gas(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(opcode_vectors) / sizeof(opcode_vectors[0]); i++) {
        struct fixture x;
        struct buffer code = {.size = 0};
        char top[67];
        fixture_open(&x);
        buffer_print(&code, "%s%s", opcode_vectors[i].code, RETURN_TOP);
        fixture_run_code(&x, buffer_text(&code));
        u256_to_quantity(top, returned_word(&x));
        if (strcmp(top, opcode_vectors[i].top) != 0 ||
            gas_used(&x) != opcode_vectors[i].gas + RETURN_TOP_GAS)
            fail_msg("%s %s: got %s for %lld gas", opcode_vectors[i].name, opcode_vectors[i].code,
                     top, (long long)gas_used(&x) - RETURN_TOP_GAS);
        buffer_finish(&code);
        fixture_close(&x);
    }
}

/* One row a question about the surroundings: the code leaves a word that fits 64 bits. */
static void environment_opcodes_tell_the_facts(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        uint64_t top;
        int64_t gas;
    } rows[] = {
        {"3060981c", 0xaa, 8}, /* the first of 20 bytes */
        {"3060ff16", 2, 8},
        {"3260ff16", 1, 8},
        {"3360ff16", 1, 8},
        {"34", 5, 2},
        {"36", 3, 2},
        {"5f35 60e01c", 0x11223300, 2 + 3 + 6},
        {"600135 60f01c", 0x2233, 3 + 3 + 6},
        {"600335", 0, 6},
        {"7f80000000000000000000000000000000000000000000000000000000000000ff35", 0, 6},
        {"38", 7, 2},
        {"3a", 11, 2},
        {"3d", 0, 2},
        {"4160ff16", 0xcb, 8},
        {"42", 1750000000, 2},
        {"43", 1000, 2},
        {"4460f81c", 0x77, 8},
        {"45", 30000000, 2},
        {"46", 7117, 2},
        {"47", 5, 5},
        {"48", 7, 2},
        {"5f4960f81c", 0xb1, 2 + 3 + 6},
        {"600149", 0, 6},
        {"4a", 9, 2},
        {"59", 0, 2},
        {"6103e74060f81c", 0x99, 3 + 20 + 6}, /* 999, the parent */
        {"6103e840", 0, 23},                  /* the block itself */
        {"6102e84060f81c", 0x99, 29},         /* 744 = 1000 - 256 */
        {"6102e740", 0, 23},                  /* one further */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        static const uint8_t input[3] = {0x11, 0x22, 0x33};
        static const struct hash blob = {{0xb1}};
        struct fixture x;
        char code[200];
        fixture_open(&x);
        x.message.input = bytes_of(input, sizeof(input));
        x.message.value = u256_from_u64(5);
        x.host.context.blob_hashes = &blob;
        x.host.context.blob_hash_count = 1;
        x.host.block_hash_answer.b[0] = 0x99;
        snprintf(code, sizeof(code), "%s%s", rows[i].code, RETURN_TOP);
        fixture_run_code(&x, code);
        if (returned_u64(&x) != rows[i].top || gas_used(&x) != rows[i].gas + RETURN_TOP_GAS)
            fail_msg("%s: got 0x%llx for %lld gas", rows[i].code,
                     (unsigned long long)returned_u64(&x),
                     (long long)gas_used(&x) - RETURN_TOP_GAS);
        fixture_close(&x);
    }
}

struct outcome_row {
    const char *code;
    enum evm_result result;
    int64_t gas; /* used, of FIXTURE_GAS; -1: all of it */
};

static void check_outcomes(const struct outcome_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fixture x;
        fixture_open(&x);
        fixture_run_code(&x, rows[i].code);
        int64_t want = rows[i].gas < 0 ? FIXTURE_GAS : rows[i].gas;
        if (x.out.result != rows[i].result || gas_used(&x) != want)
            fail_msg("%s: %s, %lld gas", rows[i].code, evm_result_text(x.out.result),
                     (long long)gas_used(&x));
        fixture_close(&x);
    }
}

#define CHECK(rows) check_outcomes(rows, sizeof(rows) / sizeof((rows)[0]))

static void memory_costs_three_a_word_and_then_the_square(void **state)
{
    (void)state;
    static const struct outcome_row rows[] = {
        {"5f51", EVM_SUCCESS, 2 + 3 + 3},
        {"600151", EVM_SUCCESS, 3 + 3 + 6},
        {"60015f53", EVM_SUCCESS, 3 + 2 + 3 + 3},
        {"6001601f53", EVM_SUCCESS, 3 + 3 + 3 + 3},
        {"6001602053", EVM_SUCCESS, 3 + 3 + 3 + 6},
        {"6103e051", EVM_SUCCESS, 3 + 3 + 32 * 3 + 2},      /* 32 words: 32^2 / 512 = 2 */
        {"61ffe051", EVM_SUCCESS, 3 + 3 + 2048 * 3 + 8192}, /* 2048 words */
        {"5f516103e051", EVM_SUCCESS, 5 + 3 + 6 + 32 * 3 + 2 - 3},
        {"6401000000005f53", EVM_SUCCESS, 3 + 2 + 3 + 3},
        {"60016401000000005351", EVM_OUT_OF_GAS, -1},
        {"7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff51", EVM_OUT_OF_GAS,
         -1},
        {"67ffffffffffffffff51", EVM_OUT_OF_GAS, -1},
        {"5f67ffffffffffffffff20", EVM_SUCCESS, 2 + 3 + 30}, /* no bytes, wherever they are */
        {"5f67fffffffffffffffff3", EVM_SUCCESS, 5},
    };
    CHECK(rows);
}

static void copies_and_hashes_cost_by_the_word(void **state)
{
    (void)state;
    static const struct outcome_row rows[] = {
        {"60215f5f37", EVM_SUCCESS, 3 + 2 + 2 + 3 + 2 * 3 + 6},
        {"60215f5f39", EVM_SUCCESS, 3 + 2 + 2 + 3 + 2 * 3 + 6},
        {"5f5f5f37", EVM_SUCCESS, 2 * 3 + 3},
        {"602060205f5e", EVM_SUCCESS, 3 + 3 + 2 + 3 + 3 + 6},
        {"60205f60205e", EVM_SUCCESS, 3 + 2 + 3 + 3 + 3 + 6},
        {"60215f20", EVM_SUCCESS, 3 + 2 + 30 + 2 * 6 + 6},
        {"60215f5f303c", EVM_SUCCESS, 3 + 2 + 2 + 2 + 100 + 6 + 6}, /* EXTCODECOPY of itself */
        {"60105f5f61aaaa3c", EVM_SUCCESS, 3 + 2 + 2 + 3 + 2600 + 3 + 3},
        {"5f5f5f3e", EVM_SUCCESS, 9},
        {"60015f5f3e", EVM_RETURN_DATA_RANGE, -1},
        {"5f60015f3e", EVM_RETURN_DATA_RANGE, -1},
        {"5f5fa0", EVM_SUCCESS, 2 + 2 + 375},
        {"60205fa0", EVM_SUCCESS, 3 + 2 + 375 + 8 * 32 + 3},
        {"5f5f5f5f5f5fa4", EVM_SUCCESS, 12 + 375 * 5},
    };
    CHECK(rows);
}

static void accounts_are_cold_once(void **state)
{
    (void)state;
    static const struct outcome_row rows[] = {
        {"61aaaa31", EVM_SUCCESS, 3 + 2600},
        {"61aaaa3161aaaa31", EVM_SUCCESS, 6 + 2600 + 100},
        {"61aaaa3b61aaaa3f", EVM_SUCCESS, 6 + 2600 + 100},
        {"3031", EVM_SUCCESS, 2 + 100},
        {"5f545f54", EVM_SUCCESS, 4 + 2100 + 100},
        {"5f5c60015f5d5f5c", EVM_SUCCESS, 2 + 100 + 5 + 100 + 2 + 100},
    };
    CHECK(rows);
}

static void exceptional_halts_take_all_gas(void **state)
{
    (void)state;
    static const struct outcome_row rows[] = {
        {"01", EVM_STACK_UNDERFLOW, -1},
        {"5f01", EVM_STACK_UNDERFLOW, -1},
        {"5f8e", EVM_STACK_UNDERFLOW, -1},
        {"5f90", EVM_STACK_UNDERFLOW, -1},
        {"5f56", EVM_BAD_JUMP, -1},
        {"600556605b", EVM_BAD_JUMP, -1},                /* behind the end */
        {"600456605b00", EVM_BAD_JUMP, -1},              /* the JUMPDEST is push data */
        {"6801000000000000000656 5b", EVM_BAD_JUMP, -1}, /* low 64 bits would fit */
        {"fe", EVM_BAD_OPCODE, -1},
        {"0c", EVM_BAD_OPCODE, -1},
        {"f6", EVM_BAD_OPCODE, -1},
        {"5b5f56", EVM_OUT_OF_GAS, -1}, /* for ever */
        {"5b5f5f56", EVM_STACK_OVERFLOW, -1},
        {"5f5ffd", EVM_REVERT, 4},
        {"7f01", EVM_SUCCESS, 3}, /* a PUSH cut off by the end */
        {"6005565b5b", EVM_BAD_JUMP, -1},
    };
    CHECK(rows);
}

static void the_stack_holds_1024_items_and_no_more(void **state)
{
    (void)state;
    char code[2 * 1026 + 1];
    for (int count = 1023; count <= 1025; count++) {
        struct fixture x;
        memset(code, 0, sizeof(code));
        for (int i = 0; i < count; i++)
            memcpy(code + 2 * i, "5f", 2);
        fixture_open(&x);
        fixture_run_code(&x, code);
        assert_int_equal(x.out.result, count <= 1024 ? EVM_SUCCESS : EVM_STACK_OVERFLOW);
        fixture_close(&x);
    }
}

static void gas_shows_what_is_left_after_itself(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    fixture_run_code(&x, "5a" RETURN_TOP);
    assert_int_equal(returned_u64(&x), FIXTURE_GAS - 2);
    fixture_close(&x);
}

static void mcopy_copies_as_if_through_a_buffer(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    /* memory 0..32 = 0102..20; copy 0..31 to 1; read back at 0 */
    fixture_run_code(&x, "7f0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
                         "5f52 601f 5f 6001 5e 60205ff3");
    static const uint8_t want[] = {1,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                   16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
    assert_memory_equal(x.out.output.data, want, 32);
    fixture_close(&x);
}

static void a_log_carries_topics_and_data(void **state)
{
    (void)state;
    struct fixture x;
    fixture_open(&x);
    fixture_run_code(&x, "60ab5f53 60076006 60015f a2");
    assert_int_equal(x.out.result, EVM_SUCCESS);
    assert_int_equal(x.host.log_count, 1);
    const struct log_entry *log = &x.host.logs[0];
    struct address contract = CONTRACT;
    assert_true(address_equal(&log->address, &contract));
    assert_int_equal(log->topic_count, 2);
    assert_int_equal(log->topics[0].b[31], 6);
    assert_int_equal(log->topics[1].b[31], 7);
    assert_int_equal(log->data.size, 1);
    assert_int_equal(log->data.data[0], 0xab);
    fixture_close(&x);
}

static void every_opcode_of_cancun_has_a_name(void **state)
{
    (void)state;
    int count = 0;
    for (int i = 0; i < 256; i++)
        count += opcode_name((unsigned char)i) != NULL;
    assert_int_equal(count, 149); /* 148 opcodes that do something, and INVALID */
    assert_string_equal(opcode_name(0x5e), "MCOPY");
    assert_null(opcode_name(0x0c));
}

static void the_stop_flag_ends_an_endless_loop(void **state)
{
    (void)state;
    struct fixture x;
    volatile int stop = 1;
    fixture_open(&x);
    x.message.gas = INT64_MAX;
    evm_set_stop_flag(x.evm, &stop);
    fixture_run_code(&x, "5b5f56");
    assert_int_equal(x.out.result, EVM_OUT_OF_GAS);
    stop = 0;
    x.message.gas = 1000;
    fixture_run(&x);
    assert_int_equal(x.out.result, EVM_OUT_OF_GAS); /* this time it used its gas up */
    fixture_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_arithmetic_opcode_gives_value_and_gas),
        cmocka_unit_test(environment_opcodes_tell_the_facts),
        cmocka_unit_test(memory_costs_three_a_word_and_then_the_square),
        cmocka_unit_test(copies_and_hashes_cost_by_the_word),
        cmocka_unit_test(accounts_are_cold_once),
        cmocka_unit_test(exceptional_halts_take_all_gas),
        cmocka_unit_test(the_stack_holds_1024_items_and_no_more),
        cmocka_unit_test(gas_shows_what_is_left_after_itself),
        cmocka_unit_test(mcopy_copies_as_if_through_a_buffer),
        cmocka_unit_test(a_log_carries_topics_and_data),
        cmocka_unit_test(every_opcode_of_cancun_has_a_name),
        cmocka_unit_test(the_stop_flag_ends_an_endless_loop),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
