/* tests/vm/program_calls.h - statements that reach other accounts, end the frame or break it. */
#ifndef LEASEHOLD_TESTS_VM_PROGRAM_CALLS_H
#define LEASEHOLD_TESTS_VM_PROGRAM_CALLS_H

#include "tests/vm/program_flow.h"

/* ---- other accounts ---- */

static inline void emit_call_gas(struct maker *m)
{
    static const uint32_t amounts[] = {0, 700, 2300, 5000, 30000, 100000};
    switch (choose(m->c, 4)) {
    case 0: emit_u64(m, amounts[choose(m->c, 6)]); break;
    case 1: emit_push(m, u256_sub(u256_from_u64(0), u256_from_u64(1))); break;
    default: emit(m, OP_GAS); break;
    }
}

/* What follows a call: nothing, a drop, or solc's check that passes a failure on. */
static inline void emit_after_call(struct maker *m)
{
    uint16_t good = text_new_label(m->t);
    switch (choose(m->c, 4)) {
    case 0: break;
    case 1: emit(m, OP_POP); break;
    case 2:
        emit(m, OP_ISZERO);
        emit(m, OP_ISZERO);
        emit_jump_if(m, good);
        emit(m, OP_RETURNDATASIZE);
        emit(m, OP_PUSH0);
        emit(m, OP_DUP1);
        emit(m, OP_RETURNDATACOPY);
        emit(m, OP_RETURNDATASIZE);
        emit(m, OP_PUSH0);
        emit(m, OP_REVERT);
        emit_jumpdest(m, good);
        break;
    default:
        emit_offset(m);
        emit(m, OP_MLOAD);
        break;
    }
}

static inline void make_call(struct maker *m)
{
    static const uint8_t opcodes[] = {OP_CALL, OP_CALL, OP_STATICCALL, OP_DELEGATECALL,
                                      OP_CALLCODE};
    uint8_t opcode = opcodes[choose(m->c, sizeof(opcodes))];
    if (m->height > STACK_ITEMS_MAX - 40) return;
    emit_size(m);
    emit_offset(m);
    emit_size(m);
    emit_offset(m);
    if (opcode == OP_CALL || opcode == OP_CALLCODE)
        emit_u64(m, choose_rarely(m->c, 4) ? choose(m->c, 2000) : 0);
    emit_address(m);
    emit_call_gas(m);
    emit(m, opcode);
    emit_after_call(m);
}

/* Sets a slot, has another contract's code run, which may set it too and then fail, and looks. */
static inline void make_probe(struct maker *m)
{
    bool transient = choose_rarely(m->c, 2);
    uint32_t slot = choose(m->c, MAKER_SLOTS);
    struct address code = contract_address(choose(m->c, MAKER_CONTRACTS));
    if (m->height > STACK_ITEMS_MAX - 40) return;
    emit_value(m);
    emit_u64(m, slot);
    emit(m, transient ? OP_TSTORE : OP_SSTORE);
    for (int i = 0; i < 4; i++)
        emit(m, OP_PUSH0);
    emit_push(m, u256_from_be(address_bytes(&code)));
    emit_call_gas(m);
    emit(m, OP_DELEGATECALL);
    emit_u64(m, slot);
    emit(m, transient ? OP_TLOAD : OP_SLOAD);
}

static inline void make_create(struct maker *m)
{
    bool salted = choose_rarely(m->c, 2);
    if (!m->has_data || m->height > STACK_ITEMS_MAX - 40) return;
    uint32_t size = choose_rarely(m->c, 10) ? choose(m->c, 300) : (uint32_t)m->data.size;
    uint32_t to = 32 * choose(m->c, 8);
    emit_u64(m, size);
    emit_label(m, m->data_label);
    emit_u64(m, to);
    emit(m, OP_CODECOPY);
    if (salted) emit_u64(m, choose(m->c, 2));
    emit_u64(m, size);
    emit_u64(m, to);
    emit_u64(m, choose_rarely(m->c, 4) ? choose(m->c, 500) : 0);
    emit(m, salted ? OP_CREATE2 : OP_CREATE);
    if (choose_rarely(m->c, 2)) return;
    for (int i = 0; i < 5; i++)
        emit_u64(m, 0);
    emit(m, OP_DUP6); /* calls what it has created */
    emit_call_gas(m);
    emit(m, OP_CALL);
}

/* ---- ends ---- */

/* Ends the frame; the height afterwards is that of no path. */
static inline void emit_end(struct maker *m)
{
    int height = m->height;
    switch (choose(m->c, 8)) {
    case 0:
        make_store(m); /* what memory costs is the last that is paid for */
        emit(m, OP_STOP);
        break;
    case 1:
    case 2:
    case 3:
        emit_size(m);
        emit_offset(m);
        emit(m, OP_RETURN);
        break;
    case 4:
    case 5:
        emit_size(m);
        emit_offset(m);
        emit(m, OP_REVERT);
        break;
    case 6:
        emit_address(m);
        emit(m, OP_SELFDESTRUCT);
        break;
    default: emit(m, OP_INVALID); break;
    }
    m->height = height;
}

static inline void make_early_end(struct maker *m)
{
    uint16_t past = text_new_label(m->t);
    emit_condition(m);
    emit_jump_if(m, past);
    emit_end(m);
    emit_jumpdest(m, past);
}

/* A jump into the data of a PUSH, where the byte of a JUMPDEST stands. */
static inline void emit_jump_into_push(struct maker *m)
{
    uint16_t push = text_new_label(m->t);
    text_mark(m->t, push);
    text_push(m->t, u256_from_u64(0x5b5b5b), 3);
    text_push_label(m->t, push, 2);
    m->height += 2;
    emit(m, OP_JUMP);
    m->height--;
}

static inline void emit_broken(struct maker *m)
{
    static const uint8_t undefined[] = {0x0c, 0x1e, 0x21, 0x4b, 0xa5, 0xb0, 0xef, 0xf6, 0xfb};
    int height = m->height;
    switch (choose(m->c, 6)) {
    case 0:
        for (int i = 0; i <= height && i < 40; i++)
            text_byte(m->t, choose_rarely(m->c, 2) ? OP_POP : OP_ADD);
        break;
    case 1: text_byte(m->t, undefined[choose(m->c, sizeof(undefined))]); break;
    case 2:
        emit_push(m, choose_constant(m->c));
        emit(m, OP_JUMP);
        break;
    case 3: emit_jump_into_push(m); break;
    case 4: text_byte(m->t, (uint8_t)(OP_DUP1 + choose(m->c, 32))); break;
    default: text_byte(m->t, choose_byte(m->c)); break;
    }
    m->height = height;
}

static inline void make_broken(struct maker *m)
{
    if (!m->breaks) return;
    uint16_t past = text_new_label(m->t);
    bool guarded = !choose_rarely(m->c, 8);
    if (guarded) {
        emit_condition(m);
        emit_jump_if(m, past);
    }
    emit_broken(m);
    if (guarded) emit_jumpdest(m, past);
}

/* Up to the stack's limit, or over it, and down again. */
static inline void make_deep(struct maker *m)
{
    bool over = m->breaks && choose_rarely(m->c, 2);
    int to = m->height + (int)choose_between(m->c, 17, 40);
    if (choose_rarely(m->c, 3)) to = STACK_ITEMS_MAX;
    if (to > STACK_ITEMS_MAX || m->budget <= 0) return;
    int start = m->height;
    while (m->height < to)
        emit(m, m->height % 7 == 0 ? OP_PC : OP_MSIZE);
    if (over) text_byte(m->t, OP_PUSH0);
    for (int i = 0; i < 6; i++)
        emit(m, (uint8_t)(OP_SWAP1 + choose(m->c, (uint32_t)(to - start < 16 ? 1 : 16))));
    while (m->height > start)
        emit(m, m->height - start > 1 && choose_rarely(m->c, 3) ? OP_XOR : OP_POP);
}

#endif
