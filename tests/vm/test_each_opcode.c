/* Each opcode, one by one, in each interpreter and revision: what it leaves and what it costs.
 *
 * Expected values and gas were worked out by hand from the Yellow Paper and the EIPs; a last test
 * makes sure that no opcode of the table was left out. */
#include "tests/vm/evm_fixture.h"
#include "vm/opcodes.h"

#define ALL_GAS     (-1)
#define OTHER_BYTES "aa00000000000000000000000000000000000003"
#define KEEP        "5f5260205ff3" /* return the topmost item: 13 gas, 10 if memory has a word */

struct row {
    enum opcode op;
    const char *code;
    enum evm_result result;
    uint64_t top; /* of the word returned, if one is */
    int64_t gas;
};

/* OTHER returns 7, for 16 gas. What stands behind the call reads the reply. */
#define CALL_OTHER_GAS (2600 + 3 + 16)
#define REPLY          "505f51" KEEP
#define REPLY_GAS      (2 + 2 + 3 + 10)

static const struct row rows[] = {
    {OP_STOP, "00 01", EVM_SUCCESS, 0, 0},
    {OP_ADD, "6002600301" KEEP, EVM_SUCCESS, 5, 9 + 13},
    {OP_MUL, "6002600302" KEEP, EVM_SUCCESS, 6, 11 + 13},
    {OP_SUB, "6002600503" KEEP, EVM_SUCCESS, 3, 9 + 13},
    {OP_DIV, "6002600704" KEEP, EVM_SUCCESS, 3, 11 + 13},
    {OP_SDIV, "600260065f03055f03" KEEP, EVM_SUCCESS, 3, 21 + 13}, /* -(-6 / 2) */
    {OP_MOD, "6003600806" KEEP, EVM_SUCCESS, 2, 11 + 13},
    {OP_SMOD, "600360085f03075f03" KEEP, EVM_SUCCESS, 2, 21 + 13}, /* -(-8 rem 3) */
    {OP_ADDMOD, "60056004600308" KEEP, EVM_SUCCESS, 2, 17 + 13},
    {OP_MULMOD, "60056004600309" KEEP, EVM_SUCCESS, 2, 17 + 13},
    {OP_EXP, "600360020a" KEEP, EVM_SUCCESS, 8, 66 + 13},
    {OP_SIGNEXTEND, "60fe5f0b19" KEEP, EVM_SUCCESS, 1, 13 + 13}, /* not -2 */
    {OP_LT, "6002600110" KEEP, EVM_SUCCESS, 1, 9 + 13},
    {OP_GT, "6001600211" KEEP, EVM_SUCCESS, 1, 9 + 13},
    {OP_SLT, "60015f1912" KEEP, EVM_SUCCESS, 1, 11 + 13}, /* -1 < 1 */
    {OP_SGT, "5f19600113" KEEP, EVM_SUCCESS, 1, 11 + 13},
    {OP_EQ, "6002600214" KEEP, EVM_SUCCESS, 1, 9 + 13},
    {OP_ISZERO, "5f15" KEEP, EVM_SUCCESS, 1, 5 + 13},
    {OP_AND, "600c600a16" KEEP, EVM_SUCCESS, 8, 9 + 13},
    {OP_OR, "600c600a17" KEEP, EVM_SUCCESS, 14, 9 + 13},
    {OP_XOR, "600c600a18" KEEP, EVM_SUCCESS, 6, 9 + 13},
    {OP_NOT, "5f1960c01c" KEEP, EVM_SUCCESS, UINT64_MAX, 11 + 13},
    {OP_BYTE, "61abcd601f1a" KEEP, EVM_SUCCESS, 0xcd, 9 + 13},
    {OP_SHL, "600360041b" KEEP, EVM_SUCCESS, 0x30, 9 + 13},
    {OP_SHR, "603060041c" KEEP, EVM_SUCCESS, 3, 9 + 13},
    {OP_SAR, "60031960011d19" KEEP, EVM_SUCCESS, 1, 15 + 13}, /* not (-4 / 2) */
    {OP_KECCAK256, "5f5f2060c01c" KEEP, EVM_SUCCESS, 0xc5d2460186f7233c, 40 + 13},
    {OP_ADDRESS, "3060ff16" KEEP, EVM_SUCCESS, 2, 8 + 13},
    {OP_BALANCE, "3331" KEEP, EVM_SUCCESS, 999995, 102 + 13},
    {OP_ORIGIN, "3260ff16" KEEP, EVM_SUCCESS, 1, 8 + 13},
    {OP_CALLER, "3360ff16" KEEP, EVM_SUCCESS, 1, 8 + 13},
    {OP_CALLVALUE, "34" KEEP, EVM_SUCCESS, 5, 2 + 13},
    {OP_CALLDATALOAD, "5f3560e81c" KEEP, EVM_SUCCESS, 0x112233, 11 + 13},
    {OP_CALLDATASIZE, "36" KEEP, EVM_SUCCESS, 3, 2 + 13},
    {OP_CALLDATACOPY, "60035f5f375f5160e81c" KEEP, EVM_SUCCESS, 0x112233, 7 + 9 + 11 + 10},
    {OP_CODESIZE, "38" KEEP, EVM_SUCCESS, 7, 2 + 13},
    {OP_CODECOPY, "60025f5f395f5160f01c" KEEP, EVM_SUCCESS, 0x6002, 7 + 9 + 11 + 10},
    {OP_GASPRICE, "3a" KEEP, EVM_SUCCESS, 11, 2 + 13},
    {OP_EXTCODESIZE, "303b" KEEP, EVM_SUCCESS, 8, 102 + 13},
    {OP_EXTCODECOPY, "60025f5f303c5f5160f01c" KEEP, EVM_SUCCESS, 0x6002, 9 + 106 + 11 + 10},
    /* The identity of 32 bytes, 18 gas; then its size, and a copy of its last byte. */
    {OP_RETURNDATASIZE, "5f5f60205f600461fffffa503d" KEEP, EVM_SUCCESS, 32,
     2 + 2 + 3 + 2 + 3 + 3 + 100 + 3 + 18 + 2 + 2 + 10},
    {OP_RETURNDATACOPY, "60ab601f535f5f60205f600461fffffa506001601f5f3e5f5160f81c" KEEP,
     EVM_SUCCESS, 0xab,
     3 + 3 + 6 + 2 + 2 + 3 + 2 + 3 + 3 + 100 + 18 + 2 + 3 + 3 + 2 + 6 + 2 + 3 + 3 + 3 + 10},
    {OP_EXTCODEHASH, "333f60c01c" KEEP, EVM_SUCCESS, 0xc5d2460186f7233c, 108 + 13},
    {OP_BLOCKHASH, "6103e74060f81c" KEEP, EVM_SUCCESS, 0x99, 29 + 13},
    {OP_COINBASE, "4160ff16" KEEP, EVM_SUCCESS, 0xcb, 8 + 13},
    {OP_TIMESTAMP, "42" KEEP, EVM_SUCCESS, 1750000000, 2 + 13},
    {OP_NUMBER, "43" KEEP, EVM_SUCCESS, 1000, 2 + 13},
    {OP_PREVRANDAO, "4460f81c" KEEP, EVM_SUCCESS, 0x77, 8 + 13},
    {OP_GASLIMIT, "45" KEEP, EVM_SUCCESS, 30000000, 2 + 13},
    {OP_CHAINID, "46" KEEP, EVM_SUCCESS, 7117, 2 + 13},
    {OP_SELFBALANCE, "47" KEEP, EVM_SUCCESS, 5, 5 + 13},
    {OP_BASEFEE, "48" KEEP, EVM_SUCCESS, 7, 2 + 13},
    {OP_BLOBHASH, "5f4960f81c" KEEP, EVM_SUCCESS, 0xb1, 11 + 13},
    {OP_BLOBBASEFEE, "4a" KEEP, EVM_SUCCESS, 9, 2 + 13},
    {OP_POP, "6001600250" KEEP, EVM_SUCCESS, 1, 8 + 13},
    {OP_MLOAD, "600151" KEEP, EVM_SUCCESS, 0, 3 + 9 + 10},
    {OP_MSTORE, "60075f525f51" KEEP, EVM_SUCCESS, 7, 5 + 6 + 5 + 10},
    {OP_MSTORE8, "61abcd5f535f5160f81c" KEEP, EVM_SUCCESS, 0xcd, 5 + 6 + 11 + 10},
    {OP_SLOAD, "600154" KEEP, EVM_SUCCESS, 42, 2103 + 13},
    {OP_SSTORE, "60075f555f54" KEEP, EVM_SUCCESS, 7, 5 + 22100 + 102 + 13},
    {OP_JUMP, "600456fe5b6007" KEEP, EVM_SUCCESS, 7, 3 + 8 + 1 + 3 + 13},
    {OP_JUMPI, "6001600657fe5b6007" KEEP, EVM_SUCCESS, 7, 6 + 10 + 1 + 3 + 13},
    {OP_PC, "5f5058" KEEP, EVM_SUCCESS, 2, 6 + 13},
    {OP_MSIZE, "5f515059" KEEP, EVM_SUCCESS, 32, 2 + 6 + 2 + 2 + 10},
    {OP_GAS, "5a" KEEP, EVM_SUCCESS, FIXTURE_GAS - 2, 2 + 13},
    {OP_JUMPDEST, "5b6001" KEEP, EVM_SUCCESS, 1, 4 + 13},
    {OP_TLOAD, "5f5c" KEEP, EVM_SUCCESS, 0, 102 + 13},
    {OP_TSTORE, "60075f5d5f5c" KEEP, EVM_SUCCESS, 7, 5 + 100 + 102 + 13},
    {OP_MCOPY, "60ab5f5360015f60015e5f5160f01c" KEEP, EVM_SUCCESS, 0xabab, 11 + 14 + 11 + 10},
    {OP_PUSH0, "5f" KEEP, EVM_SUCCESS, 0, 2 + 13},
    {OP_CREATE, "5f5f5ff015" KEEP, EVM_SUCCESS, 0, 6 + 32000 + 3 + 13},
    {OP_CREATE2, "5f5f5f5ff515" KEEP, EVM_SUCCESS, 0, 8 + 32000 + 3 + 13},
    {OP_CALL, "60205f5f5f5f73" OTHER_BYTES "61fffff1" REPLY, EVM_SUCCESS, 7,
     3 + 8 + 6 + CALL_OTHER_GAS + REPLY_GAS},
    {OP_CALLCODE, "60205f5f5f5f73" OTHER_BYTES "61fffff2" REPLY, EVM_SUCCESS, 7,
     3 + 8 + 6 + CALL_OTHER_GAS + REPLY_GAS},
    {OP_DELEGATECALL, "60205f5f5f73" OTHER_BYTES "61fffff4" REPLY, EVM_SUCCESS, 7,
     3 + 6 + 6 + CALL_OTHER_GAS + REPLY_GAS},
    {OP_STATICCALL, "60205f5f5f73" OTHER_BYTES "61fffffa" REPLY, EVM_SUCCESS, 7,
     3 + 6 + 6 + CALL_OTHER_GAS + REPLY_GAS},
    {OP_RETURN, "60205ff3", EVM_SUCCESS, 0, 5 + 3},
    {OP_REVERT, "60075f5260205ffd", EVM_REVERT, 7, 5 + 6 + 5},
    {OP_INVALID, "fe", EVM_BAD_OPCODE, 0, ALL_GAS},
    {OP_SELFDESTRUCT, "33ff", EVM_SUCCESS, 0, 5002},
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

/* How a row is run. */
static enum evm_revision revision;
static enum evm_tier tier;
static bool tracing;
static bool seen[256]; /* opcodes, while tracing */

static void mark(void *context, const struct evm_step *s)
{
    (void)context;
    seen[s->opcode] = true;
}

static void open_world(struct fixture *x)
{
    static const uint8_t input[3] = {0x11, 0x22, 0x33};
    static const struct hash blob = {{0xb1}};
    struct address a = CONTRACT;
    fixture_open(x);
    evm_destroy(x->evm);
    x->evm = evm_create(revision);
    evm_set_tier(x->evm, tier);
    x->message.input = bytes_of(input, sizeof(input));
    x->message.value = u256_from_u64(5);
    x->host.context.blob_hashes = &blob;
    x->host.context.blob_hash_count = 1;
    x->host.block_hash_answer.b[0] = 0x99;
    memory_host_put_slot(&x->host, &a, u256_from_u64(1), u256_from_u64(42));
    put_code(x, OTHER, "60075f5260205ff3");
    a = (struct address){.b[19] = 4}; /* the identity is warm, as in a transaction */
    memory_touch_account(&x->host, &a);
    if (tracing) evm_set_trace(x->evm, mark, NULL);
}

static void run_row(const struct row *r)
{
    struct fixture x;
    open_world(&x);
    fixture_run_code(&x, r->code);
    uint64_t top = x.out.output.size == 0 ? 0 : returned_u64(&x);
    int64_t want = r->gas == ALL_GAS ? FIXTURE_GAS : r->gas;
    if (x.out.result != r->result || top != r->top || gas_used(&x) != want)
        fail_msg("%s (%s): %s, 0x%llx, %lld gas", opcode_name((unsigned char)r->op), r->code,
                 evm_result_text(x.out.result), (unsigned long long)top, (long long)gas_used(&x));
    fixture_close(&x);
}

/* ---- the families ---- */

/* `count` items: 1 at the bottom, `count` on top. */
static void push_items(struct buffer *code, int count)
{
    for (int i = 1; i <= count; i++)
        buffer_print(code, "60%02x", (unsigned)i);
}

static void run_code(enum opcode op, struct buffer *code, uint64_t top, int64_t gas)
{
    buffer_print(code, "%s", KEEP);
    const struct row r = {op, buffer_text(code), EVM_SUCCESS, top, gas + 13};
    run_row(&r);
    buffer_clear(code);
}

static void run_push(struct buffer *code, int size)
{
    uint64_t low = 0;
    buffer_print(code, "%02x", (unsigned)(OP_PUSH1 + size - 1));
    for (int i = 1; i <= size; i++) {
        buffer_print(code, "%02x", (unsigned)i);
        low = low << 8 | (unsigned)i;
    }
    buffer_print(code, "67ffffffffffffffff16");
    run_code((enum opcode)(OP_PUSH1 + size - 1), code, low, 9);
}

static void run_dup_and_swap(struct buffer *code, int n)
{
    enum opcode dup = (enum opcode)(OP_DUP1 + n - 1), swap = (enum opcode)(OP_SWAP1 + n - 1);
    push_items(code, n + 1);
    buffer_print(code, "%02x", (unsigned)dup);
    run_code(dup, code, 2, 3 * (n + 2));
    push_items(code, n + 1);
    buffer_print(code, "%02x", (unsigned)swap);
    run_code(swap, code, 1, 3 * (n + 2));
    push_items(code, n + 1); /* and what was on top is at the bottom */
    buffer_print(code, "%02x", (unsigned)swap);
    for (int i = 0; i < n; i++)
        buffer_print(code, "50");
    run_code(swap, code, (uint64_t)n + 1, 3 * (n + 2) + 2 * n);
}

static void run_log(int topic_count)
{
    struct fixture x;
    struct buffer code = {.size = 0};
    open_world(&x);
    push_items(&code, topic_count);
    buffer_print(&code, "60ab5f5360015f%02x", (unsigned)(OP_LOG0 + topic_count));
    fixture_run_code(&x, buffer_text(&code));
    assert_int_equal(x.out.result, EVM_SUCCESS);
    assert_int_equal(gas_used(&x), 3 * topic_count + 11 + 5 + 375 * (topic_count + 1) + 8);
    assert_int_equal(x.host.log_count, 1);
    assert_int_equal(x.host.logs[0].topic_count, topic_count);
    for (int i = 0; i < topic_count; i++)
        assert_int_equal(x.host.logs[0].topics[i].b[31], topic_count - i);
    assert_int_equal(x.host.logs[0].data.size, 1);
    assert_int_equal(x.host.logs[0].data.data[0], 0xab);
    buffer_finish(&code);
    fixture_close(&x);
}

static void run_all(void)
{
    struct buffer code = {.size = 0};
    for (size_t i = 0; i < ROW_COUNT; i++)
        run_row(&rows[i]);
    for (int size = 1; size <= 32; size++)
        run_push(&code, size);
    for (int n = 1; n <= 16; n++)
        run_dup_and_swap(&code, n);
    for (int topic_count = 0; topic_count <= 4; topic_count++)
        run_log(topic_count);
    buffer_finish(&code);
}

static void each_opcode_does_what_it_says_in_the_plain_interpreter(void **state)
{
    (void)state;
    tier = EVM_TIER_PLAIN;
    for (revision = EVM_CANCUN; revision <= EVM_PRAGUE; revision++)
        run_all();
}

static void each_opcode_does_what_it_says_in_the_fast_interpreter(void **state)
{
    (void)state;
    tier = EVM_TIER_FAST;
    for (revision = EVM_CANCUN; revision <= EVM_PRAGUE; revision++)
        run_all();
}

static void no_opcode_is_left_out(void **state)
{
    (void)state;
    tracing = true;
    tier = EVM_TIER_AUTO;
    revision = EVM_PRAGUE;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        memset(seen, 0, sizeof(seen));
        run_row(&rows[i]);
        if (!seen[rows[i].op]) fail_msg("%s does not run what it names", rows[i].code);
    }
    memset(seen, 0, sizeof(seen));
    run_all();
    for (int i = 0; i < 256; i++) {
        if (seen[i] != (opcode_name((unsigned char)i) != NULL)) fail_msg("0x%02x", (unsigned)i);
    }
    tracing = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_opcode_does_what_it_says_in_the_plain_interpreter),
        cmocka_unit_test(each_opcode_does_what_it_says_in_the_fast_interpreter),
        cmocka_unit_test(no_opcode_is_left_out),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
