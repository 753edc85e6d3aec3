/* What bytecode becomes, superblock by superblock. That it does the same is what test_tiers asks;
 * this asks that it is worth it, and that nobody can make it grow without end. */
#include "base/hex.h"
#include "vm/limits.h"
#include "vm/opcodes.h"
#include "vm/translate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct bench {
    struct program *program;
    struct translator *translator;
    size_t bytes;
    const struct insn *header;
};

static void open_code(struct bench *b, const char *hex)
{
    struct buffer code = {.size = 0};
    assert_int_equal(hex_decode(&code, bytes_of_text(hex)), OK);
    b->program = program_create(buffer_bytes(&code));
    b->bytes = 0;
    b->program->fast = register_code_create(b->program, &b->bytes);
    b->translator = translator_create();
    buffer_finish(&code);
}

static void close_code(struct bench *b)
{
    translator_destroy(b->translator);
    program_release(b->program);
}

/* The superblock at `offset` is made of just these. */
static void expect(struct bench *b, size_t offset, const enum register_op *ops, size_t count)
{
    struct register_code *r = b->program->fast;
    assert_true(translate(b->translator, b->program, offset));
    assert_true(entry_has_header(r->entries[offset]));
    b->header = &r->insns[entry_header(r->entries[offset])];
    for (size_t i = 0; i < count; i++)
        assert_int_equal(b->header[i].op, ops[i]);
}

#define EXPECT(b, offset, ...)                                                                     \
    expect(b, offset, (const enum register_op[]){R_BLOCK, __VA_ARGS__},                            \
           sizeof((enum register_op[]){R_BLOCK, __VA_ARGS__}) / sizeof(enum register_op))

static void shuffling_of_words_leaves_nothing(void **state)
{
    (void)state;
    struct bench b;
    open_code(&b, "0x5f35"   /* CALLDATALOAD(0) */
                  "80908150" /* DUP1 SWAP1 DUP2 POP */
                  "5f52600060205200" /* MSTORE(0), MSTORE(32, 0), STOP: one word is left */);
    EXPECT(&b, 0, R_CALLDATALOAD_AT, R_MSTORE_AT, R_LOAD_U64, R_MSTORE_AT, R_STOP);
    close_code(&b);
}

static void masks_that_compilers_spell_out_are_one_constant(void **state)
{
    (void)state;
    struct bench b;
    open_code(&b, "0x5f35600160016" /* CALLDATALOAD(0) & ((1 << 160) - 1) */
                  "0a01b03165f5200");
    EXPECT(&b, 0, R_CALLDATALOAD_AT, R_AND_SC, R_MSTORE_AT, R_STOP);
    const struct u256 *mask = CONSTANT_OF(&b.header[2]);
    assert_int_equal(mask->limb[0], UINT64_MAX);
    assert_int_equal(mask->limb[1], UINT64_MAX);
    assert_int_equal(mask->limb[2], UINT32_MAX);
    assert_int_equal(mask->limb[3], 0);
    close_code(&b);
}

static void a_call_of_an_internal_function_vanishes(void **state)
{
    (void)state;
    struct bench b;
    open_code(&b, "0x6005600756" /* 0: call 7, come back to 5 */
                  "5b00"         /* 5: STOP */
                  "5b5f355f5256" /* 7: MSTORE(0, CALLDATALOAD(0)), return */);
    EXPECT(&b, 0, R_CALLDATALOAD_AT, R_MSTORE_AT, R_STOP);
    assert_int_equal(b.header->gas, 3 + 3 + 8 + 1 + 2 + 3 + 2 + 3 + 8 + 1);
    close_code(&b);
}

static void a_check_costs_one_branch_and_its_failure_lies_aside(void **state)
{
    (void)state;
    struct bench b;
    open_code(&b, "0x5f3515600957" /* 0: if CALLDATALOAD(0) is zero go to 9 */
                  "5f5ffd"         /* 6: REVERT */
                  "5b00" /* 9: STOP */);
    EXPECT(&b, 0, R_CALLDATALOAD_AT, R_JUMP_NONZERO, R_STOP, R_EXIT);
    assert_int_equal(b.header[2].imm, 2); /* to the exit */
    assert_int_equal(b.header[4].imm, 6); /* at offset 6 */
    assert_int_equal(b.header->gas, 2 + 3 + 3 + 3 + 10 + 1);
    assert_int_equal(b.header[4].refund, 1); /* the JUMPDEST */
    close_code(&b);
}

static void a_loop_counter_is_written_where_it_belongs(void **state)
{
    (void)state;
    struct bench b;
    open_code(&b, "0x600a5b6001900380600257" /* 2: counter - 1, again unless zero */
                  "00");
    EXPECT(&b, 2, R_SUB_SC, R_JUMP_NONZERO, R_EXIT, R_EXIT);
    assert_int_equal(b.header[1].dst, 0);
    assert_int_equal(b.header[1].a, 0);
    assert_int_equal(b.header[4].imm, 2);
    close_code(&b);
}

static void a_push_cut_off_where_a_superblock_is_full_runs_off_the_end(void **state)
{
    (void)state;
    struct bench b;
    char hex[2 * 56 + 3] = "0x";
    for (size_t i = 0; i < 56; i++)
        memcpy(&hex[2 + 2 * i], i < 55 ? "5f" : "61", 3); /* 55 PUSH0, PUSH2 without data */
    open_code(&b, hex);
    assert_true(translate(b.translator, b.program, 0) > 0);
    const struct insn *last = &b.program->fast->insns[b.program->fast->count - 1];
    assert_int_equal(last->op, R_EXIT);
    assert_int_equal(last->imm, 56);
    close_code(&b);
}

static void headers_ask_for_the_stack_that_is_needed(void **state)
{
    (void)state;
    struct bench b;
    open_code(&b, "0x5080808001010101600055" /* POP DUP1 DUP1 DUP1 ADD... SSTORE(0) */);
    assert_true(translate(b.translator, b.program, 0));
    const struct insn *header = &b.program->fast->insns[0];
    assert_int_equal(header->need, 3 * SLOT_BYTES);
    assert_int_equal(header->range, (STACK_ITEMS_MAX - 2 - 3) * SLOT_BYTES);
    close_code(&b);
}

static void what_no_stack_can_satisfy_is_never_entered(void **state)
{
    (void)state;
    struct bench b;
    char hex[2 * 1100 + 3] = "0x";
    for (size_t i = 0; i < 1100; i++)
        memcpy(&hex[2 + 2 * i], i < 1030 ? "50" : "58", 3); /* 1030 POPs */
    open_code(&b, hex);
    size_t offset = 0;
    for (int blocks = 0; offset < 1030; blocks++) {
        assert_true(blocks < 10); /* each takes at most 256 operations */
        assert_true(translate(b.translator, b.program, offset));
        const struct register_code *r = b.program->fast;
        const struct insn *header = &r->insns[entry_header(r->entries[offset])];
        assert_true(header->need > 0);
        size_t last = (size_t)(r->insns + r->count - header) - 1;
        offset = header[last].op == R_EXIT ? (size_t)header[last].imm : 1100;
    }
    close_code(&b);
}

/* JUMPDEST CALLDATASIZE POP, again and again: each offset's superblock is as long as can be. */
static struct bytes long_code(struct buffer *code, size_t repeats, uint8_t first)
{
    buffer_append(code, bytes_of(&first, 1));
    for (size_t i = 0; i < repeats; i++)
        buffer_append(code, bytes_of((const uint8_t[]){0x5b, 0x36, 0x50}, 3));
    return buffer_bytes(code);
}

static void a_programs_register_code_has_an_end(void **state)
{
    (void)state;
    struct buffer code = {.size = 0};
    struct program *p = program_create(long_code(&code, 1000, 0x5b));
    struct translator *t = translator_create();
    size_t bytes = 0;
    p->fast = register_code_create(p, &bytes);
    size_t offset = 1;
    while (offset < p->size && translate(t, p, offset))
        offset += 3;
    assert_true(offset < p->size);
    assert_true(bytes == p->fast->bytes && bytes < p->size * 1000);
    translator_destroy(t);
    program_release(p);
    assert_int_equal(bytes, 0);
    buffer_finish(&code);
}

static void the_caches_register_code_has_an_end(void **state)
{
    (void)state;
    struct program_cache *c = calloc(1, sizeof(*c));
    size_t translated = 0;
    for (uint8_t i = 1; i <= 16; i++) {
        struct buffer code = {.size = 0};
        struct hash h = {{0, 0, 0, 0, 0, 0, 0, i}};
        struct program *p = program_create(long_code(&code, 8000, i));
        program_cache_put(c, p, &h);
        for (size_t at = 1; at < p->size && program_visit(c, p, at, true); at += 3)
            assert_true(c->fast_bytes <= PROGRAM_FAST_BYTES_MAX + PROGRAM_FAST_BYTES_MAX / 4);
        translated += p->fast->bytes;
        program_release(p);
        buffer_finish(&code);
    }
    assert_true(translated > PROGRAM_FAST_BYTES_MAX);
    struct hash first = {{0, 0, 0, 0, 0, 0, 0, 1}};
    assert_null(program_cache_find(c, &first));
    program_cache_finish(c);
    free(c);
}

/* Branches out of a deep stack cost a flush each; what that costs must have been earned. */
static void work_is_paid_for_before_it_is_done(void **state)
{
    (void)state;
    struct program_cache *c = calloc(1, sizeof(*c));
    struct buffer code = {.size = 0};
    for (int i = 0; i < 30; i++)
        buffer_append(&code, bytes_of((const uint8_t[]){0x5b}, 1));
    for (int i = 0; i < 400; i++)
        buffer_append(&code, bytes_of((const uint8_t[]){i < 200 ? 0x50 : 0x5f}, 1));
    for (int i = 0; i < 300; i++)
        buffer_append(&code, bytes_of((const uint8_t[]){0x30, 0x5f, 0x57}, 3));
    struct program *p = program_create(buffer_bytes(&code));
    size_t earned = 0;
    size_t limit = 20000;
    for (size_t at = 0; at < 30; at++)
        while (earned < limit && !program_visit(c, p, at, false))
            p->heat = ++earned;
    assert_int_equal(earned, limit); /* some 4096 units of work each */
    assert_true(p->fast->count < limit);
    program_release(p);
    program_cache_finish(c);
    free(c);
    buffer_finish(&code);
}

static void only_what_is_come_to_often_is_translated(void **state)
{
    (void)state;
    struct program_cache *c = calloc(1, sizeof(*c));
    struct buffer code = {.size = 0};
    struct program *p = program_create(long_code(&code, 100, 0x5b));
    int visits = 0;
    p->heat = 1000000;
    while (!program_visit(c, p, 1, false))
        visits++;
    assert_in_range(visits, 30, 40);
    assert_false(entry_has_header(p->fast->entries[4]));
    program_release(p);
    program_cache_finish(c);
    free(c);
    buffer_finish(&code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shuffling_of_words_leaves_nothing),
        cmocka_unit_test(masks_that_compilers_spell_out_are_one_constant),
        cmocka_unit_test(a_call_of_an_internal_function_vanishes),
        cmocka_unit_test(a_check_costs_one_branch_and_its_failure_lies_aside),
        cmocka_unit_test(a_loop_counter_is_written_where_it_belongs),
        cmocka_unit_test(a_push_cut_off_where_a_superblock_is_full_runs_off_the_end),
        cmocka_unit_test(headers_ask_for_the_stack_that_is_needed),
        cmocka_unit_test(what_no_stack_can_satisfy_is_never_entered),
        cmocka_unit_test(a_programs_register_code_has_an_end),
        cmocka_unit_test(the_caches_register_code_has_an_end),
        cmocka_unit_test(work_is_paid_for_before_it_is_done),
        cmocka_unit_test(only_what_is_come_to_often_is_translated),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
