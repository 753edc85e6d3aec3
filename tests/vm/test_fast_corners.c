/* Corners where the fast interpreter could part from the plain one: the ends of code and of
 * superblocks, the stack's bounds, gas that runs out between checks, jumps to odd places. Each
 * program runs in both, with many gas limits, and again when it has become hot. */
#include "tests/vm/evm_fixture.h"
#include "tests/vm/tier_check.h"

#define CORNER_GAS      INT64_C(300000)
#define LIMITS          160
#define TIMES_TO_BE_HOT 200

struct corner {
    struct fixture x;
    struct buffer hex;
    struct evm *fast, *mixed;
};

static void corner_open(struct corner *c)
{
    *c = (struct corner){.hex = {.size = 0}};
    fixture_open(&c->x);
    c->fast = evm_create(EVM_PRAGUE);
    c->mixed = evm_create(EVM_PRAGUE);
    evm_set_tier(c->x.evm, EVM_TIER_PLAIN);
    evm_set_tier(c->fast, EVM_TIER_FAST);
}

static void corner_close(struct corner *c)
{
    evm_destroy(c->fast);
    evm_destroy(c->mixed);
    buffer_finish(&c->hex);
    fixture_close(&c->x);
}

static void add(struct corner *c, const char *hex, int times)
{
    for (int i = 0; i < times; i++)
        buffer_append(&c->hex, bytes_of_text(hex));
}

static void put(struct corner *c)
{
    buffer_append_byte(&c->hex, 0);
    put_code(&c->x, CONTRACT, (const char *)c->hex.data);
    c->x.host.undo_count = 0;
}

static struct observation observed(struct corner *c, struct evm *evm)
{
    struct observation o;
    evm_execute(evm, &c->x.out, &memory_host_table, &c->x.host, &c->x.message);
    observe(&o, &c->x.out, &c->x.host);
    memory_host_rewind(&c->x.host);
    return o;
}

static struct observation agree_at(struct corner *c, int64_t gas)
{
    c->x.message.gas = gas;
    struct observation plain = observed(c, c->x.evm);
    struct evm *others[] = {c->fast, c->mixed};
    for (size_t i = 0; i < 2; i++) {
        struct observation seen = observed(c, others[i]);
        const char *what = observation_difference(&plain, &seen);
        if (what != NULL) fail_msg("gas %lld, evm %zu: another %s", (long long)gas, i, what);
    }
    return plain;
}

/* All agree with much gas, hot or not, and with limits up to what is needed. */
static enum evm_result agree(struct corner *c)
{
    put(c);
    struct observation whole = agree_at(c, CORNER_GAS);
    int64_t used = took_all_gas(whole.result) ? CORNER_GAS : CORNER_GAS - whole.gas_left;
    for (int i = 0; i < TIMES_TO_BE_HOT; i++)
        (void)observed(c, c->mixed);
    for (int64_t i = 0; i <= LIMITS; i++)
        (void)agree_at(c, used * i / LIMITS);
    for (int64_t i = 1; i <= LIMITS && used >= i; i++)
        (void)agree_at(c, used - i);
    enum evm_result again = agree_at(c, CORNER_GAS).result;
    assert_int_equal(again, whole.result);
    return again;
}

static enum evm_result agree_on(const char *hex)
{
    struct corner c;
    corner_open(&c);
    add(&c, hex, 1);
    enum evm_result r = agree(&c);
    corner_close(&c);
    return r;
}

/* ---- the ends of code and of superblocks ---- */

static void a_push_cut_off_behind_a_full_superblock_is_followed_by_a_stop(void **state)
{
    (void)state;
    static const char *const pushes[] = {"60", "61", "7f", "7f00"};
    for (size_t i = 0; i < sizeof(pushes) / sizeof(pushes[0]); i++) {
        for (int items = 50; items < 62; items++) {
            struct corner c;
            corner_open(&c);
            add(&c, "5b", 1);
            add(&c, "5f", items);
            add(&c, pushes[i], 1);
            assert_int_equal(agree(&c), EVM_SUCCESS);
            corner_close(&c);
        }
    }
}

static void long_straight_code_may_end_anywhere(void **state)
{
    (void)state;
    for (int pairs = 380; pairs < 388; pairs++) {
        struct corner c;
        corner_open(&c);
        add(&c, "5b", 1);
        add(&c, "5f50", pairs);
        add(&c, "63", 1);
        assert_int_equal(agree(&c), EVM_SUCCESS);
        corner_close(&c);
    }
}

static void a_jumpdest_may_be_the_last_byte(void **state)
{
    (void)state;
    assert_int_equal(agree_on("6003565b"), EVM_SUCCESS);
    assert_int_equal(agree_on("36600456 5b"), EVM_SUCCESS);
    assert_int_equal(agree_on("5860055790 5b"), EVM_STACK_UNDERFLOW);
    assert_int_equal(agree_on("306005575f5b"), EVM_SUCCESS);
}

static void a_conditional_jump_may_be_the_last_byte(void **state)
{
    (void)state;
    assert_int_equal(agree_on("36600057"), EVM_SUCCESS);
    assert_int_equal(agree_on("5b366000 57"), EVM_SUCCESS);
    assert_int_equal(agree_on("30600057"), EVM_BAD_JUMP);
}

/* ---- jumps ---- */

static void no_jump_goes_into_pushed_data(void **state)
{
    (void)state;
    assert_int_equal(agree_on("600456605b00"), EVM_BAD_JUMP);
    assert_int_equal(agree_on("306007576000 605b00"), EVM_BAD_JUMP);
    assert_int_equal(agree_on("38600303 56 605b"), EVM_BAD_JUMP); /* by CODESIZE: computed */
}

/* Offset 4 is behind a JUMPI: a superblock may begin there, but nothing can jump to it. */
static void no_jump_goes_to_a_superblock_without_a_jumpdest(void **state)
{
    (void)state;
    assert_int_equal(agree_on("36 600c 57"            /* 0: not taken */
                              "5f 54 50"              /* 4 */
                              "6004 38 38 03 01 56"), /* jumps to 4, computed */
                     EVM_BAD_JUMP);
}

static void offsets_beyond_64_bits_are_no_destinations(void **state)
{
    (void)state;
    assert_int_equal(agree_on("680100000000000000035b56"), EVM_BAD_JUMP);
    assert_int_equal(agree_on("5b 36 6801 0000000000000000 17 56"), EVM_BAD_JUMP);
    assert_int_equal(agree_on("5b 36 6801 0000000000000000 17 30 90 57"), EVM_BAD_JUMP);
}

/* What a jump reads survives that the stack is put in order in front of it. */
static void jumps_read_what_was_there_before_the_stack_is_put_in_order(void **state)
{
    (void)state;
    assert_int_equal(agree_on("6000 32 90 81 6000 57"), EVM_BAD_JUMP);
    assert_int_equal(agree_on("6071 610140 600e20 80 82 91 610000 57"), EVM_BAD_JUMP);
    assert_int_equal(agree_on("30 32 33 34 92 90 91 80 6000 57"), EVM_BAD_JUMP);
    assert_int_equal(agree_on("6007 36 36 90 91 56 5b 01 00"), EVM_SUCCESS);
    assert_int_equal(agree_on("600b 30 36 10 80 15 91 57 00 00 5b 00"), EVM_SUCCESS);
}

/* Words go round in a circle at each turn; the sum tells where they ended. */
static void circles_of_words_come_home(void **state)
{
    (void)state;
    struct corner c;
    corner_open(&c);
    add(&c, "6001600260036004600560066007 6014", 1); /* seven words and a counter */
    add(&c, "5b", 1);                                /* 16 */
    add(&c, "97 90 96 92 95 93 97", 1);
    add(&c, "96 91 95 90 94", 1);
    add(&c, "97 97 6001 90 03 80 6010 57", 1);
    add(&c, "6003 02 01 6005 02 01 6007 02 01 600b 02 01 600d 02 01 02 01", 1);
    add(&c, RETURN_TOP, 1);
    (void)agree(&c);
    corner_close(&c);
}

/* ---- the stack's bounds ---- */

static void the_stack_holds_1024_words_and_no_more(void **state)
{
    (void)state;
    for (int items = 1020; items <= 1026; items++) {
        struct corner c;
        corner_open(&c);
        add(&c, "58", items);
        assert_int_equal(agree(&c), items <= 1024 ? EVM_SUCCESS : EVM_STACK_OVERFLOW);
        corner_close(&c);
    }
}

static void operations_on_a_full_stack_have_room_to_compute(void **state)
{
    (void)state;
    struct corner c;
    corner_open(&c);
    add(&c, "58", 1016);
    add(&c, "8f 8e 8d 8c 8b 8a 89 88", 1);
    add(&c, "20 9f 0a 9e 09 9d 08 5d 8f 8f 8f 8f 20 5e", 1);
    add(&c, "01", 900);
    add(&c, RETURN_TOP, 1);
    (void)agree(&c);
    corner_close(&c);
}

static void a_thousand_words_can_be_dropped_at_once(void **state)
{
    (void)state;
    for (int dropped = 1015; dropped <= 1018; dropped++) {
        struct corner c;
        corner_open(&c);
        add(&c, "58", 1016);
        add(&c, "5b", 1);
        add(&c, "50", dropped);
        add(&c, "5f3503 5f5f", dropped < 1016 ? 1 : 0);
        (void)agree(&c);
        corner_close(&c);
    }
}

static void an_exit_may_need_less_of_the_stack_than_its_superblock(void **state)
{
    (void)state;
    /* leaves at once; what is behind would underflow */
    assert_int_equal(agree_on("5b 30 6009 57 5050505050 5b 00"), EVM_BAD_JUMP);
    assert_int_equal(agree_on("5b 30 600a 57 5050505050 5b 00"), EVM_SUCCESS);
}

/* ---- gas and memory ---- */

static void gas_that_a_spared_part_would_need_can_be_used_before_it(void **state)
{
    (void)state;
    struct corner c;
    corner_open(&c);
    add(&c, "6103e8 5b", 1);           /* 1000 times; 3: the loop */
    add(&c, "80 6020 02 5f 90 52", 1); /* memory grows by what is on the stack */
    add(&c, "5a 5f 52 59 6020 52", 1); /* GAS and MSIZE are remembered */
    add(&c, "36 6050 57", 1);          /* never taken */
    add(&c, "30 603a 57", 1);          /* leaves ... */
    add(&c, "5f5f20 50", 6);           /* ... before this is hashed */
    add(&c, "00", 64);
    (void)agree(&c);
    corner_close(&c);
    (void)agree_on("5b 5a 80 5f 52 6020 5f 20 6020 52 6040 5f 20 6040 52 61ffff 51 5f 55 60605ff3");
    (void)agree_on("5b 6001 5f 55 5a 6001 55 5f 5f 55 5a 5a 03 54 5a 6020 53 60205ff3");
}

static void memory_far_away_costs_too_much_wherever_its_offset_comes_from(void **state)
{
    (void)state;
    static const char *const programs[] = {
        "63ffffffff51",
        "64010000000051",
        "5f19 51",
        "30 63ffffffff 52",
        "30 5f19 53",
        "6001 63ffffffff 20",
        "63ffffffff 63ffffffff 20",
        "63ffffffff 5f 20",
        "5f19 5f 20",
        "6001 5f 63ffffffff 5e",
        "6001 63ffffffff 5f 5e",
        "36 63ffffffff 17 51",
        "5f 19 63ffffffff 5f 5e",
        "6001 5f19 5f 5e",
        "5f19 5f19 f3",
        "6001 5f19 fd",
    };
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
        assert_int_equal(agree_on(programs[i]), EVM_OUT_OF_GAS);
    /* A range of no bytes is nowhere. */
    assert_int_equal(agree_on("5f 5f19 20 5f 5f19 5f19 5e 5f 5f19 f3"), EVM_SUCCESS);
    assert_int_equal(agree_on("36 5f19 20 36 5f19 5f19 5e 36 5f19 f3"), EVM_SUCCESS);
}

/* ---- calls ---- */

/* Each level calls itself with two thirds of its gas, and goes on afterwards elsewhere: the code is
 * translated while frames of it wait. */
static void a_program_may_be_translated_while_frames_of_it_wait(void **state)
{
    (void)state;
    (void)agree_on("6001 5f 54 01 5f 55"                 /* one more frame */
                   "5f5f5f5f5f 30 6003 5a 04 6002 02 f1" /* calls itself */
                   "5f 52 3d 6020 52"                    /* what came of it */
                   "5f 54 6007 06 80 6032 57 5f 55 00"   /* differs with the count */
                   "0000000000 00"
                   "5b 6001 01 5f 55 60405ff3");
    (void)agree_on("6001 5f 54 01 5f 55 36 5f5f 5f5f 30 6002 5a 04 f4 5f 54 01 5f 52 60205ffd");
}

static void init_code_runs_the_same(void **state)
{
    (void)state;
    /* Its init code is all of itself: it creates until it has little gas. */
    (void)agree_on("5b 38 5f 5f 39 5a 6103e8 10 6012 57 5f5ff3 00 5b 38 5f 5f f0 5f 52 60205ff3");
}

/* ---- the stop flag ---- */

static volatile int stopped;

static struct hash stop_now(struct host *h, uint64_t number)
{
    (void)number;
    stopped = 1;
    return h->block_hash_answer;
}

static void a_stop_flag_that_rises_on_the_way_ends_an_endless_loop(void **state)
{
    (void)state;
    struct host_table table = memory_host_table;
    table.block_hash = stop_now;
    for (int tier = 0; tier < 3; tier++) {
        struct fixture x;
        fixture_open(&x);
        evm_set_tier(x.evm, (enum evm_tier)tier);
        evm_set_stop_flag(x.evm, &stopped);
        put_code(&x, CONTRACT,
                 "611000 5b 6001 90 03 80 6003 57" /* for a while */
                 "6001 43 03 40 50"                /* asks the host, which stops us */
                 "5b 6012 56");                    /* for good */
        x.message.gas = INT64_C(1) << 40;
        stopped = 0;
        evm_execute(x.evm, &x.out, &table, &x.host, &x.message);
        assert_int_equal(x.out.result, EVM_OUT_OF_GAS);
        assert_int_equal(x.out.gas_left, 0);
        fixture_close(&x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_push_cut_off_behind_a_full_superblock_is_followed_by_a_stop),
        cmocka_unit_test(long_straight_code_may_end_anywhere),
        cmocka_unit_test(a_jumpdest_may_be_the_last_byte),
        cmocka_unit_test(a_conditional_jump_may_be_the_last_byte),
        cmocka_unit_test(no_jump_goes_into_pushed_data),
        cmocka_unit_test(no_jump_goes_to_a_superblock_without_a_jumpdest),
        cmocka_unit_test(offsets_beyond_64_bits_are_no_destinations),
        cmocka_unit_test(jumps_read_what_was_there_before_the_stack_is_put_in_order),
        cmocka_unit_test(circles_of_words_come_home),
        cmocka_unit_test(the_stack_holds_1024_words_and_no_more),
        cmocka_unit_test(operations_on_a_full_stack_have_room_to_compute),
        cmocka_unit_test(a_thousand_words_can_be_dropped_at_once),
        cmocka_unit_test(an_exit_may_need_less_of_the_stack_than_its_superblock),
        cmocka_unit_test(gas_that_a_spared_part_would_need_can_be_used_before_it),
        cmocka_unit_test(memory_far_away_costs_too_much_wherever_its_offset_comes_from),
        cmocka_unit_test(a_program_may_be_translated_while_frames_of_it_wait),
        cmocka_unit_test(init_code_runs_the_same),
        cmocka_unit_test(a_stop_flag_that_rises_on_the_way_ends_an_endless_loop),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
