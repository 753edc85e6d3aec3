/* tests/vm/program_parts.h - the smaller half of the program generator: its state, single
 * operations that keep count of the stack, and operands that make operations mean something.
 *
 * The maker knows at each point how many items are on the stack (`height`). Items below `base`
 * belong to what surrounds the statement that is being made: it may copy them, and exchange those
 * that are not `held`, but each statement ends with at least `base` items. */
#ifndef LEASEHOLD_TESTS_VM_PROGRAM_PARTS_H
#define LEASEHOLD_TESTS_VM_PROGRAM_PARTS_H

#include "tests/vm/choices.h"
#include "tests/vm/program_text.h"
#include "vm/limits.h"

#define MAKER_CONTRACTS     4
#define MAKER_DELEGATING    2
#define MAKER_PRECOMPILES   0x11
#define MAKER_FUNCTIONS_MAX 4
#define MAKER_STATEMENTS    32 /* room for the kinds of statements */
#define MAKER_NESTING_MAX   4
#define MAKER_SLOTS         6 /* storage slots that programs share */

struct maker_function {
    uint16_t label;
    int arg_count;
    int return_count;
};

struct maker {
    void (*make_block)(struct maker *m, uint32_t statements); /* program_maker.h's */
    struct choices *c;
    struct program_text *t;
    int budget; /* items that may still be added, about */
    int nesting;
    int height;
    int base;
    bool held[STACK_ITEMS_MAX + 64]; /* below base: loop counters, return addresses */
    uint8_t weight[MAKER_STATEMENTS];
    struct maker_function functions[MAKER_FUNCTIONS_MAX];
    int function_count;
    int function_now; /* -1 in the main program */
    int level;        /* 0 a contract, 1 init code, 2 what init code leaves */
    bool without_kzg; /* 0x0a is not called */
    bool is_callee;
    bool breaks;   /* broken operations are allowed */
    bool has_data; /* init code stands behind the program ... */
    uint16_t data_label;
    struct buffer data; /* ... this one; owned */
};

/* ---- single operations ---- */

static inline int opcode_taken(uint8_t byte)
{
    switch (byte) {
#define X(byte, name, in, out, gas)                                                                \
    case byte: return in;
        OPCODES(X)
#undef X
    }
    return 0;
}

static inline int opcode_left(uint8_t byte)
{
    switch (byte) {
#define X(byte, name, in, out, gas)                                                                \
    case byte: return out;
        OPCODES(X)
#undef X
    }
    return 0;
}

static inline void emit(struct maker *m, uint8_t opcode)
{
    assert(m->height >= opcode_taken(opcode));
    text_byte(m->t, opcode);
    m->height += opcode_left(opcode) - opcode_taken(opcode);
    m->budget--;
}

static inline void emit_push(struct maker *m, struct u256 value)
{
    uint8_t width = text_width_of(value);
    if (width < 32 && choose_rarely(m->c, 12)) width++;
    text_push(m->t, value, width);
    m->height++;
    m->budget--;
}

static inline void emit_u64(struct maker *m, uint64_t value)
{
    emit_push(m, u256_from_u64(value));
}

static inline void emit_label(struct maker *m, uint16_t label)
{
    text_push_label(m->t, label, 0);
    m->height++;
    m->budget--;
}

static inline void emit_jumpdest(struct maker *m, uint16_t label)
{
    text_jumpdest(m->t, label);
    m->budget--;
}

static inline void emit_jump(struct maker *m, uint16_t label)
{
    emit_label(m, label);
    emit(m, OP_JUMP);
}

/* Takes the condition from the stack. */
static inline void emit_jump_if(struct maker *m, uint16_t label)
{
    emit_label(m, label);
    emit(m, OP_JUMPI);
}

/* The item `depth` below the top (0 is the top) may be moved. */
static inline bool is_free(const struct maker *m, int depth)
{
    int position = m->height - 1 - depth;
    return position >= 0 && (position >= m->base || !m->held[position]);
}

static inline void emit_dup(struct maker *m)
{
    int reach = m->height < 16 ? m->height : 16;
    if (reach == 0 || m->height > STACK_ITEMS_MAX - 30)
        emit_u64(m, 1);
    else
        emit(m, (uint8_t)(OP_DUP1 + choose(m->c, (uint32_t)reach)));
}

/* Nothing if the chosen two may not change places. */
static inline void emit_swap(struct maker *m)
{
    int reach = m->height - 1 < 16 ? m->height - 1 : 16;
    if (reach < 1) return;
    int n = (int)choose_between(m->c, 1, (uint32_t)reach);
    if (is_free(m, 0) && is_free(m, n)) emit(m, (uint8_t)(OP_SWAP1 + n - 1));
}

static inline void emit_pop(struct maker *m)
{
    if (m->height > m->base) emit(m, OP_POP);
}

/* ---- operands ---- */

static inline struct u256 choose_power(struct choices *c)
{
    return u256_shl(u256_from_u64(1), choose(c, 256));
}

static inline struct u256 choose_bytes(struct choices *c, uint32_t size)
{
    uint8_t raw[32];
    for (uint32_t i = 0; i < size; i++)
        raw[i] = choose_byte(c);
    return u256_from_be(bytes_of(raw, size));
}

static inline struct u256 choose_constant(struct choices *c)
{
    struct u256 one = u256_from_u64(1);
    switch (choose(c, 10)) {
    case 0: return u256_from_u64(choose(c, 4));
    case 1: return u256_from_u64(choose(c, 256));
    case 2: return u256_from_u64(32 * (uint64_t)choose(c, 8));
    case 3: return choose_power(c);
    case 4: return u256_sub(choose_power(c), one);
    case 5: return u256_sub(u256_from_u64(0), u256_from_u64(choose(c, 4)));
    case 6: return u256_add(choose_power(c), u256_from_u64(choose(c, 3)));
    case 7: return choose_bytes(c, 32);
    case 8: return choose_bytes(c, choose_between(c, 1, 32));
    default: return choose_bytes(c, 4);
    }
}

/* What solc writes for (1 << n) - 1. */
static inline void emit_folded_mask(struct maker *m)
{
    emit_u64(m, 1);
    emit_u64(m, 1);
    emit_u64(m, choose_rarely(m->c, 3) ? choose(m->c, 256) : 0xa0);
    emit(m, OP_SHL);
    emit(m, OP_SUB);
}

static inline struct address contract_address(uint32_t index)
{
    struct address a = {{0xc0, 0xde}};
    a.b[19] = (uint8_t)(0x11 * (index + 1));
    return a;
}

/* Accounts without code of their own: EIP-7702. */
static inline struct address delegating_address(uint32_t index)
{
    struct address a = {{0xde, 0x1e}};
    a.b[19] = (uint8_t)(index + 1);
    return a;
}

/* 0 .. mask, made from whatever is known on the stack. */
static inline void emit_masked(struct maker *m, uint64_t mask)
{
    emit_dup(m);
    emit_u64(m, mask);
    emit(m, OP_AND);
}

static inline void emit_huge(struct maker *m)
{
    static const uint8_t bits[] = {20, 24, 32, 33, 63, 64, 128, 255};
    unsigned shift = bits[choose(m->c, sizeof(bits))];
    struct u256 value = u256_shl(u256_from_u64(1), shift);
    emit_push(m, u256_sub(value, u256_from_u64(choose(m->c, 40))));
}

static inline void emit_offset(struct maker *m)
{
    switch (choose(m->c, 10)) {
    case 0: emit_u64(m, 0); break;
    case 1: emit_u64(m, 0x40); break;
    case 2:
    case 3:
    case 4:
    case 5: emit_u64(m, 32 * (uint64_t)choose(m->c, 16)); break;
    case 6: emit_u64(m, choose(m->c, 200)); break;
    case 7: emit_u64(m, choose(m->c, 3000)); break;
    default:
        if (m->breaks && choose_rarely(m->c, 20))
            emit_huge(m);
        else
            emit_masked(m, 0x1ff);
    }
}

static inline void emit_size(struct maker *m)
{
    switch (choose(m->c, 10)) {
    case 0: emit_u64(m, 0); break;
    case 1:
    case 2:
    case 3: emit_u64(m, 32); break;
    case 4:
    case 5: emit_u64(m, 32 * (uint64_t)choose(m->c, 6)); break;
    case 6:
    case 7: emit_u64(m, choose(m->c, 150)); break;
    default:
        if (m->breaks && choose_rarely(m->c, 20))
            emit_huge(m);
        else
            emit_masked(m, 0x7f);
    }
}

static inline void emit_slot(struct maker *m)
{
    if (choose_rarely(m->c, 4))
        emit_masked(m, 3);
    else
        emit_u64(m, choose(m->c, MAKER_SLOTS));
}

static inline struct address choose_address(struct maker *m)
{
    struct address a = {{0}};
    switch (choose(m->c, 10)) {
    case 9: return delegating_address(choose(m->c, MAKER_DELEGATING));
    case 6:
        a.b[19] = (uint8_t)choose_between(m->c, 1, MAKER_PRECOMPILES);
        if (m->without_kzg && a.b[19] == 0x0a) a.b[19] = 0x02;
        return a;
    case 7: a.b[0] = 0xee; return a; /* nobody */
    default: return contract_address(choose(m->c, MAKER_CONTRACTS));
    }
}

static inline void emit_address(struct maker *m)
{
    struct address a = choose_address(m);
    struct u256 word = u256_from_be(address_bytes(&a));
    switch (choose(m->c, 12)) {
    case 9: emit(m, OP_ADDRESS); break;
    case 10: emit(m, OP_CALLER); break;
    case 11: emit_push(m, u256_or(word, u256_shl(u256_from_u64(0xd1), 200))); break;
    default:
        text_push(m->t, word, 20);
        m->height++;
        m->budget--;
        break;
    }
}

static inline void emit_environment(struct maker *m)
{
    static const uint8_t opcodes[] = {
        OP_ADDRESS,     OP_ORIGIN, OP_CALLER,      OP_CALLVALUE,      OP_CALLDATASIZE, OP_CODESIZE,
        OP_GASPRICE,    OP_PC,     OP_COINBASE,    OP_RETURNDATASIZE, OP_TIMESTAMP,    OP_NUMBER,
        OP_PREVRANDAO,  OP_MSIZE,  OP_GASLIMIT,    OP_CHAINID,        OP_SELFBALANCE,  OP_BASEFEE,
        OP_BLOBBASEFEE, OP_GAS,    OP_CALLDATASIZE};
    emit(m, opcodes[choose(m->c, sizeof(opcodes))]);
}

/* One item from an operand of its own: calldata, memory, storage, another account. */
static inline void emit_read(struct maker *m)
{
    switch (choose(m->c, 9)) {
    case 0:
    case 1:
        emit_u64(m, 4 * (uint64_t)choose(m->c, 20));
        emit(m, OP_CALLDATALOAD);
        break;
    case 2:
    case 3:
        emit_offset(m);
        emit(m, OP_MLOAD);
        break;
    case 4:
        emit_slot(m);
        emit(m, OP_SLOAD);
        break;
    case 5:
        emit_slot(m);
        emit(m, OP_TLOAD);
        break;
    case 6: {
        static const uint8_t opcodes[] = {OP_BALANCE, OP_EXTCODESIZE, OP_EXTCODEHASH};
        emit_address(m);
        emit(m, opcodes[choose(m->c, sizeof(opcodes))]);
        break;
    }
    case 7:
        emit_offset(m);
        emit_size(m); /* the two are the other way round as often as not: both are small */
        emit(m, OP_KECCAK256);
        break;
    default:
        emit_u64(m, 990 + choose(m->c, 20));
        emit(m, choose_rarely(m->c, 2) ? OP_BLOCKHASH : OP_BLOBHASH);
        break;
    }
}

static inline void emit_value(struct maker *m)
{
    if (m->height > STACK_ITEMS_MAX - 30) {
        emit_u64(m, 7);
        return;
    }
    switch (choose(m->c, 8)) {
    case 0:
    case 1:
    case 2: emit_push(m, choose_constant(m->c)); break;
    case 3:
    case 4: emit_dup(m); break;
    case 5: emit_environment(m); break;
    case 6: emit_read(m); break;
    default: emit_folded_mask(m); break;
    }
}

/* At least `count` items above base. */
static inline void want_items(struct maker *m, int count)
{
    while (m->height - m->base < count)
        emit_value(m);
}

/* Brings the stack to `height` in one of the ways in which compilers do. */
static inline void level_stack(struct maker *m, int height)
{
    assert(height >= m->base && height <= STACK_ITEMS_MAX);
    while (m->height < height)
        emit_value(m);
    while (m->height > height) {
        int extra = m->height - height;
        if (m->height - m->base >= 2 && choose_rarely(m->c, 4))
            emit(m, choose_rarely(m->c, 2) ? OP_XOR : OP_ADD);
        else if (extra <= 16 && m->height > extra && is_free(m, extra) && choose_rarely(m->c, 2)) {
            emit(m, (uint8_t)(OP_SWAP1 + extra - 1)); /* keeps the top */
            emit(m, OP_POP);
        } else
            emit(m, OP_POP);
    }
}

#endif
