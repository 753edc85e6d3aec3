/* tests/vm/program_flow.h - statements that jump: branches, loops and subroutines. */
#ifndef LEASEHOLD_TESTS_VM_PROGRAM_FLOW_H
#define LEASEHOLD_TESTS_VM_PROGRAM_FLOW_H

#include "tests/vm/program_straight.h"

/* ---- branches ---- */

static inline void emit_comparison(struct maker *m)
{
    static const uint8_t opcodes[] = {OP_LT, OP_GT, OP_SLT, OP_SGT, OP_EQ, OP_SUB, OP_XOR, OP_AND};
    emit_value(m);
    if (choose_rarely(m->c, 2))
        emit_u64(m, choose(m->c, 40));
    else
        emit_dup(m);
    emit(m, opcodes[choose(m->c, sizeof(opcodes))]);
}

static inline void emit_shuffle(struct maker *m, uint32_t most)
{
    uint32_t count = choose_between(m->c, 1, most);
    for (uint32_t i = 0; i < count; i++) {
        if (choose_rarely(m->c, 4))
            emit_dup(m);
        else
            emit_swap(m);
    }
}

/* The topmost item, whatever it is after some exchanges: the stack must be put in order for the
 * jump's target without losing what the jump itself looks at. */
static inline void emit_shuffled_condition(struct maker *m)
{
    want_items(m, 2);
    if (choose_rarely(m->c, 2)) emit_comparison(m);
    emit_shuffle(m, 6);
    if (choose_rarely(m->c, 4)) emit(m, OP_ISZERO);
}

/* One item that a JUMPI takes as its condition. */
static inline void emit_condition(struct maker *m)
{
    switch (choose(m->c, 8)) {
    case 0: emit_dup(m); break;
    case 1: emit_value(m); break;
    case 2: emit_masked(m, 1); break;
    case 3: emit(m, OP_CALLVALUE); break;
    case 4:
    case 5: emit_shuffled_condition(m); return;
    default: emit_comparison(m); break;
    }
    while (choose_rarely(m->c, 2) && m->budget > 0)
        emit(m, OP_ISZERO);
}

/* The statements of an arm, then the stack at the height where the arms meet. */
static inline void make_arm(struct maker *m, int height)
{
    m->make_block(m, choose(m->c, 4));
    level_stack(m, height);
}

static inline int choose_join(struct maker *m)
{
    int low = m->height - m->base < 2 ? m->base : m->height - 2;
    int high = m->height + 3 < STACK_ITEMS_MAX - 40 ? m->height + 3 : m->height;
    return low + (int)choose(m->c, (uint32_t)(high - low + 1));
}

static inline void make_if(struct maker *m)
{
    uint16_t end = text_new_label(m->t);
    emit_condition(m);
    if (choose_rarely(m->c, 2)) emit(m, OP_ISZERO);
    emit_jump_if(m, end);
    make_arm(m, m->height);
    emit_jumpdest(m, end);
}

static inline void make_if_else(struct maker *m)
{
    uint16_t otherwise = text_new_label(m->t);
    uint16_t end = text_new_label(m->t);
    int join = choose_join(m);
    emit_condition(m);
    emit_jump_if(m, otherwise);
    int start = m->height;
    make_arm(m, join);
    emit_jump(m, end);
    m->height = start;
    emit_jumpdest(m, otherwise);
    make_arm(m, join);
    emit_jumpdest(m, end);
}

/* The arm stands before its condition, so that both its ends are jumps backwards or over it. */
static inline void make_if_behind(struct maker *m)
{
    uint16_t over = text_new_label(m->t);
    uint16_t arm = text_new_label(m->t);
    uint16_t back = text_new_label(m->t);
    emit_jump(m, over);
    emit_jumpdest(m, arm);
    make_arm(m, m->height);
    emit_jump(m, back);
    emit_jumpdest(m, over);
    emit_comparison(m);
    emit_jump_if(m, arm);
    emit_jumpdest(m, back);
}

/* A dispatcher: compares one item with constants and jumps to the case. */
static inline void make_switch(struct maker *m)
{
    uint16_t cases[5];
    uint32_t count = choose_between(m->c, 2, 5);
    uint16_t end = text_new_label(m->t);
    emit_masked(m, 7);
    for (uint32_t i = 0; i < count; i++) {
        cases[i] = text_new_label(m->t);
        emit(m, OP_DUP1);
        emit_u64(m, i);
        emit(m, OP_EQ);
        emit_jump_if(m, cases[i]);
    }
    int start = m->height;
    int join = m->base + (int)choose(m->c, 2) + (start - m->base) / 2;
    make_arm(m, join);
    for (uint32_t i = 0; i < count; i++) {
        emit_jump(m, end);
        m->height = start;
        emit_jumpdest(m, cases[i]);
        make_arm(m, join);
    }
    emit_jumpdest(m, end);
}

/* A JUMPDEST that is reached by falling into it; now and then also jumped to. */
static inline void make_fall_into(struct maker *m)
{
    uint16_t label = text_new_label(m->t);
    if (choose_rarely(m->c, 2)) {
        emit_condition(m);
        emit_jump_if(m, label);
    }
    emit_jumpdest(m, label);
}

/* The target comes from memory: no look at the code tells where this goes. */
static inline void make_pointer_jump(struct maker *m)
{
    uint16_t first = text_new_label(m->t);
    uint16_t second = text_new_label(m->t);
    uint32_t at = 32 * choose(m->c, 16);
    uint16_t end = text_new_label(m->t);
    emit_label(m, first);
    emit_u64(m, at);
    emit(m, OP_MSTORE);
    emit_condition(m);
    emit_jump_if(m, second);
    emit_u64(m, at);
    emit(m, OP_MLOAD);
    if (choose_rarely(m->c, 2)) {
        emit(m, OP_JUMP);
    } else {
        emit_comparison(m);
        emit(m, OP_SWAP1);
        emit(m, OP_JUMPI);
    }
    emit_jumpdest(m, second);
    make_arm(m, m->height);
    emit_jump(m, end);
    emit_jumpdest(m, first);
    make_arm(m, m->height);
    emit_jumpdest(m, end);
}

/* The target lies under other items, which change places above it, and comes up last. */
static inline void make_buried_jump(struct maker *m)
{
    uint16_t label = text_new_label(m->t);
    int base = m->base;
    int at = m->height;
    uint32_t above = choose_between(m->c, 1, 15);
    emit_label(m, label);
    m->held[at] = true;
    m->base = at + 1;
    for (uint32_t i = 0; i < above; i++)
        emit_value(m);
    emit_shuffle(m, 8);
    level_stack(m, at + 1 + (int)above);
    m->held[at] = false;
    m->base = base;
    emit(m, (uint8_t)(OP_SWAP1 + above - 1));
    emit(m, choose_rarely(m->c, 2) ? OP_JUMPI : OP_JUMP);
    emit_jumpdest(m, label);
}

/* A comparison is made, another jump comes first, whose target wants it too, and then decides. */
static inline void make_two_jumps(struct maker *m)
{
    uint16_t first = text_new_label(m->t);
    uint16_t second = text_new_label(m->t);
    emit_comparison(m);
    if (choose_rarely(m->c, 2))
        emit_dup(m);
    else
        emit_comparison(m);
    emit_jump_if(m, first);
    if (choose_rarely(m->c, 2)) emit(m, OP_ISZERO);
    emit_jump_if(m, second);
    emit_value(m);
    emit_jumpdest(m, first);
    emit_u64(m, 32 * (uint64_t)choose(m->c, 16));
    emit(m, OP_MSTORE);
    emit_jumpdest(m, second);
}

/* ---- loops ---- */

static inline uint32_t choose_rounds(struct maker *m)
{
    if (m->nesting <= 2 && choose_rarely(m->c, 6)) return choose_between(m->c, 20, 200);
    return choose_between(m->c, 1, 9);
}

/* Counter on the stack, counted down, tested at the end. */
static inline void emit_loop_down(struct maker *m, int counter)
{
    uint16_t head = text_new_label(m->t);
    emit_jumpdest(m, head);
    make_arm(m, counter + 1);
    if (choose_rarely(m->c, 2)) {
        emit_u64(m, 1);
        emit(m, OP_SWAP1);
        emit(m, OP_SUB);
    } else {
        emit(m, OP_PUSH0);
        emit(m, OP_NOT);
        emit(m, OP_ADD);
    }
    emit(m, OP_DUP1);
    emit_jump_if(m, head);
}

/* Counter on the stack, counted up, tested at the head, as solc writes `for`. */
static inline void emit_loop_up(struct maker *m, int counter, uint32_t rounds)
{
    uint16_t head = text_new_label(m->t);
    uint16_t end = text_new_label(m->t);
    emit_jumpdest(m, head);
    emit_u64(m, rounds);
    emit(m, OP_DUP2);
    emit(m, OP_LT);
    emit(m, OP_ISZERO);
    emit_jump_if(m, end);
    make_arm(m, counter + 1);
    emit_u64(m, 1);
    emit(m, OP_ADD);
    emit_jump(m, head);
    emit_jumpdest(m, end);
}

static inline void make_loop(struct maker *m)
{
    uint32_t rounds = choose_rounds(m);
    bool up = choose_rarely(m->c, 2);
    int base = m->base;
    int counter = m->height;
    emit_u64(m, up ? 0 : rounds);
    m->held[counter] = true;
    m->base = counter + 1;
    if (up)
        emit_loop_up(m, counter, rounds);
    else
        emit_loop_down(m, counter);
    m->held[counter] = false;
    m->base = base;
    if (choose_rarely(m->c, 2)) emit(m, OP_POP);
}

/* A counter in memory, one to a nesting level; programs seldom write so high. */
static inline uint64_t memory_counter(const struct maker *m)
{
    return 0xc00 + 32 * (uint64_t)m->nesting;
}

/* Leaves the topmost item also in the place of another one. */
static inline void emit_swap_under_copy(struct maker *m)
{
    uint32_t reach = m->height - m->base < 16 ? (uint32_t)(m->height - m->base) : 16;
    if (reach < 2 || choose_rarely(m->c, 2)) return;
    emit(m, OP_SWAP1);
    emit(m, OP_POP);
    uint32_t n = choose(m->c, reach - 1);
    if (n > 0) emit(m, (uint8_t)(OP_SWAP1 + n - 1));
    emit(m, (uint8_t)(OP_DUP1 + n));
}

/* Back to the head while more than `last` rounds are left. */
static inline void emit_count_in_memory(struct maker *m, uint16_t head, uint32_t last)
{
    bool reads_again = last > 0 || choose_rarely(m->c, 2);
    emit_u64(m, 1);
    emit_u64(m, memory_counter(m));
    emit(m, OP_MLOAD);
    emit(m, OP_SUB);
    if (!reads_again) emit(m, OP_DUP1);
    emit_u64(m, memory_counter(m));
    emit(m, OP_MSTORE);
    if (reads_again) {
        emit_u64(m, memory_counter(m));
        emit(m, OP_MLOAD);
        emit_u64(m, last);
        emit(m, OP_LT);
    }
    emit_swap_under_copy(m);
    emit_jump_if(m, head);
}

/* Counter in memory: each round may permute the whole stack. */
static inline void make_stack_loop(struct maker *m)
{
    uint16_t head = text_new_label(m->t);
    want_items(m, (int)choose(m->c, 6));
    int height = m->height;
    emit_u64(m, choose_rounds(m));
    emit_u64(m, memory_counter(m));
    emit(m, OP_MSTORE);
    emit_jumpdest(m, head);
    uint32_t swaps = choose(m->c, 6);
    for (uint32_t i = 0; i < swaps; i++)
        emit_swap(m);
    make_arm(m, height);
    emit_count_in_memory(m, head, choose(m->c, 3));
}

/* Each round leaves more on the stack; many rounds end the frame at the stack's limit. */
static inline void make_growing_loop(struct maker *m)
{
    uint16_t head = text_new_label(m->t);
    int grows = (int)choose_between(m->c, 1, 3);
    bool bursts = m->breaks && choose_rarely(m->c, 8);
    int room = (STACK_ITEMS_MAX - 60 - m->height) / grows;
    if (room < 1) return;
    uint32_t most = choose_rarely(m->c, 4) ? (uint32_t)room : 8;
    if (most > (uint32_t)room) most = (uint32_t)room;
    uint32_t rounds = bursts ? 1200 : choose_between(m->c, 1, most);
    int start = m->height;
    emit_u64(m, rounds);
    emit_u64(m, memory_counter(m));
    emit(m, OP_MSTORE);
    emit_jumpdest(m, head);
    make_arm(m, start + grows);
    emit_count_in_memory(m, head, 0);
    m->height = start + grows * (int)(bursts ? 1 : rounds);
}

/* ---- subroutines ---- */

static inline void make_function_call(struct maker *m)
{
    int first = m->function_now + 1;
    if (m->breaks && choose_rarely(m->c, 10)) first = 0; /* recursion, ended by gas or stack */
    if (first >= m->function_count || m->height > STACK_ITEMS_MAX - 100) return;
    const struct maker_function *f =
        &m->functions[first + (int)choose(m->c, (uint32_t)(m->function_count - first))];
    uint16_t back = text_new_label(m->t);
    int start = m->height;
    emit_label(m, back);
    for (int i = 0; i < f->arg_count; i++)
        emit_value(m);
    emit_jump(m, f->label);
    emit_jumpdest(m, back);
    m->height = start + f->return_count;
}

static inline void make_function_body(struct maker *m, int index)
{
    const struct maker_function *f = &m->functions[index];
    m->function_now = index;
    m->height = 1 + f->arg_count;
    m->base = 1;
    memset(m->held, 0, sizeof(m->held));
    m->held[0] = true; /* the return address */
    emit_jumpdest(m, f->label);
    m->make_block(m, choose_between(m->c, 1, 4));
    level_stack(m, 1 + f->return_count);
    if (f->return_count > 0) emit(m, (uint8_t)(OP_SWAP1 + f->return_count - 1));
    emit(m, OP_JUMP);
}

#endif
