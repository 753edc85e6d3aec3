/* tests/vm/program_straight.h - statements without a jump: stack, arithmetic, memory, storage,
 * logs. */
#ifndef LEASEHOLD_TESTS_VM_PROGRAM_STRAIGHT_H
#define LEASEHOLD_TESTS_VM_PROGRAM_STRAIGHT_H

#include "tests/vm/program_parts.h"

/* ---- straight code ---- */

static inline uint8_t choose_binary(struct choices *c)
{
    static const uint8_t opcodes[] = {OP_ADD,  OP_SUB,  OP_ADD,  OP_SUB,       OP_MUL, OP_DIV,
                                      OP_MOD,  OP_AND,  OP_OR,   OP_XOR,       OP_LT,  OP_GT,
                                      OP_SLT,  OP_SGT,  OP_EQ,   OP_SHL,       OP_SHR, OP_SAR,
                                      OP_BYTE, OP_SDIV, OP_SMOD, OP_SIGNEXTEND};
    return opcodes[choose(c, sizeof(opcodes))];
}

/* An operation whose right operand should be small, with one that is. */
static inline void emit_small_operand(struct maker *m)
{
    static const uint8_t opcodes[] = {OP_SHL, OP_SHR, OP_SAR, OP_BYTE, OP_SIGNEXTEND, OP_SHL};
    want_items(m, 1);
    uint32_t which = choose(m->c, sizeof(opcodes));
    bool is_byte = opcodes[which] == OP_BYTE || opcodes[which] == OP_SIGNEXTEND;
    if (choose_rarely(m->c, 4))
        emit_masked(m, is_byte ? 0x1f : 0xff);
    else
        emit_u64(m, is_byte ? choose(m->c, 34) : choose(m->c, 260));
    emit(m, opcodes[which]);
}

static inline void emit_constant_operand(struct maker *m)
{
    static const uint8_t opcodes[] = {OP_ADD, OP_SUB, OP_AND, OP_MUL, OP_EQ, OP_LT,
                                      OP_GT,  OP_DIV, OP_MOD, OP_SLT, OP_XOR};
    want_items(m, 1);
    emit_push(m, choose_constant(m->c));
    if (choose_rarely(m->c, 3)) emit(m, OP_SWAP1);
    emit(m, opcodes[choose(m->c, sizeof(opcodes))]);
}

/* An operation with operands of its own: of both signs, near each other or far apart. */
static inline void emit_fresh_binary(struct maker *m)
{
    if (m->height > STACK_ITEMS_MAX - 30) return;
    emit_push(m, choose_constant(m->c));
    if (choose_rarely(m->c, 2)) emit(m, OP_NOT);
    if (choose_rarely(m->c, 2))
        emit_dup(m);
    else
        emit_push(m, choose_constant(m->c));
    if (choose_rarely(m->c, 4)) emit(m, OP_NOT);
    emit(m, choose_binary(m->c));
}

/* Operands that are also wanted afterwards, as solc copies them. */
static inline void emit_copies(struct maker *m, int count)
{
    want_items(m, 1);
    for (int i = 0; i < count; i++)
        emit_dup(m);
}

static inline void emit_wide(struct maker *m)
{
    if (choose_rarely(m->c, 2)) emit_copies(m, 3);
    want_items(m, 3);
    if (choose_rarely(m->c, 8)) {
        emit_u64(m, choose(m->c, 300));
        emit(m, OP_SWAP1);
        emit(m, OP_EXP);
    } else
        emit(m, choose_rarely(m->c, 2) ? OP_MULMOD : OP_ADDMOD);
}

static inline void emit_step(struct maker *m)
{
    switch (choose(m->c, 19)) {
    case 0:
    case 1:
    case 2: emit_dup(m); break;
    case 3:
    case 4:
    case 5: emit_swap(m); break;
    case 6: emit_pop(m); break;
    case 7: emit_value(m); break;
    case 8:
    case 9:
    case 10:
        if (choose_rarely(m->c, 3)) emit_copies(m, 2);
        want_items(m, 2);
        emit(m, choose_binary(m->c));
        break;
    case 11: emit_constant_operand(m); break;
    case 12: emit_small_operand(m); break;
    case 13:
        want_items(m, 1);
        emit(m, choose_rarely(m->c, 3) ? OP_NOT : OP_ISZERO);
        break;
    case 14: emit_wide(m); break;
    case 15:
    case 16: emit_fresh_binary(m); break;
    case 17: emit_environment(m); break;
    default: emit_push(m, choose_constant(m->c)); break;
    }
}

static inline void make_straight(struct maker *m)
{
    uint32_t count = choose_between(m->c, 1, 12);
    for (uint32_t i = 0; i < count; i++)
        emit_step(m);
}

/* More operations than any bound on a block's length that an interpreter might have. */
static inline void make_long(struct maker *m)
{
    uint32_t count = choose_between(m->c, 100, 500);
    for (uint32_t i = 0; i < count && m->budget > 0; i++)
        emit_step(m);
}

/* Items that are copies of each other or not, then many exchanges: parallel moves with cycles. */
static inline void make_permutation(struct maker *m)
{
    uint32_t items = choose_between(m->c, 2, 17);
    bool copies = choose_rarely(m->c, 2);
    for (uint32_t i = 0; i < items; i++) {
        if (copies)
            emit_dup(m);
        else
            emit_value(m);
    }
    uint32_t swaps = choose_between(m->c, 1, 20);
    for (uint32_t i = 0; i < swaps; i++)
        emit_swap(m);
}

/* ---- memory, storage, logs ---- */

static inline void make_store(struct maker *m)
{
    uint32_t count = choose_between(m->c, 1, 4);
    for (uint32_t i = 0; i < count; i++) {
        if (choose_rarely(m->c, 3))
            emit_push(m, choose_constant(m->c));
        else
            want_items(m, 1);
        emit_offset(m);
        emit(m, choose_rarely(m->c, 6) ? OP_MSTORE8 : OP_MSTORE);
    }
}

static inline void make_copy(struct maker *m)
{
    uint32_t which = choose(m->c, 6);
    if (choose_rarely(m->c, 2)) {
        emit_masked(m, 0x7f); /* a size that is wanted afterwards */
        emit(m, OP_DUP1);
    } else
        emit_size(m);
    if (which == 3 && !choose_rarely(m->c, 6)) {
        emit(m, OP_POP); /* all of it, as solc does; other ranges mostly fail */
        emit(m, OP_RETURNDATASIZE);
        emit_u64(m, 0);
    } else
        emit_offset(m);
    emit_offset(m);
    switch (which) {
    case 0: emit(m, OP_CALLDATACOPY); break;
    case 1: emit(m, OP_CODECOPY); break;
    case 2: emit(m, OP_MCOPY); break;
    case 3: emit(m, OP_RETURNDATACOPY); break;
    case 4:
        emit_address(m);
        emit(m, OP_EXTCODECOPY);
        break;
    default: emit(m, OP_MCOPY); break;
    }
}

/* keccak256(key, slot): where solc keeps a mapping's value. */
static inline void emit_mapping_slot(struct maker *m)
{
    emit_masked(m, 1);
    emit_u64(m, 0);
    emit(m, OP_MSTORE);
    emit_u64(m, choose(m->c, 3));
    emit_u64(m, 0x20);
    emit(m, OP_MSTORE);
    emit_u64(m, 0x40);
    emit_u64(m, 0);
    emit(m, OP_KECCAK256);
}

static inline void make_set(struct maker *m)
{
    bool transient = choose_rarely(m->c, 4);
    if (choose_rarely(m->c, 3))
        emit_u64(m, choose(m->c, 3));
    else
        emit_value(m);
    if (choose_rarely(m->c, 6))
        emit_mapping_slot(m);
    else
        emit_slot(m);
    emit(m, transient ? OP_TSTORE : OP_SSTORE);
}

static inline void make_log(struct maker *m)
{
    uint32_t topics = choose(m->c, 5);
    want_items(m, (int)topics);
    emit_size(m);
    emit_offset(m);
    emit(m, (uint8_t)(OP_LOG0 + topics));
}

static inline void make_read(struct maker *m)
{
    emit_read(m);
}

#endif
