#include "vm/translate_ops.h"

#include "vm/word.h"

#include <assert.h>

/* ---- constants ---- */

typedef void fold_function(struct u256 *r, const struct u256 *x, const struct u256 *y);

/* What compilers leave to be computed: masks such as (1 << 160) - 1, offsets, flags. */
static fold_function *const folds[R_COUNT] = {
    [R_ADD] = word_add, [R_SUB] = word_sub,   [R_MUL] = word_mul,   [R_AND] = word_and,
    [R_OR] = word_or,   [R_XOR] = word_xor,   [R_LT] = set_lt,      [R_EQ] = set_eq,
    [R_SHL] = word_shl, [R_SHR] = word_shr,   [R_SAR] = word_sar,   [R_DIV] = word_div,
    [R_MOD] = word_mod, [R_BYTE] = word_byte, [R_SDIV] = word_sdiv, [R_SMOD] = word_smod,
};

static void push_constant(struct translator *t, const struct u256 *word)
{
    symbols_push(&t->symbols, &(struct value){.is_constant = true, .word = *word});
}

static void push_number(struct translator *t, uint64_t number)
{
    struct u256 word = word_u64(number);
    push_constant(t, &word);
}

int slot_of(struct translator *t, const struct value *v)
{
    if (!v->is_constant) return v->slot;
    for (size_t i = 0; i < t->loaded_count; i++)
        if (word_equal(&t->loaded[i].word, &v->word)) return t->loaded[i].slot;
    int slot = symbols_temp(&t->symbols, 1);
    emit_word(&t->list, slot, &v->word);
    if (t->loaded_count < LOADED_MAX)
        t->loaded[t->loaded_count++] = (struct loaded){.word = v->word, .slot = slot};
    return slot;
}

/* ---- arithmetic ---- */

static void emit_binary(struct translator *t, enum register_op op, const struct value *x,
                        const struct value *y)
{
    struct u256 folded;
    if (x->is_constant && y->is_constant && folds[op] != NULL) {
        folds[op](&folded, &x->word, &y->word);
        push_constant(t, &folded);
        return;
    }
    int a = x->is_constant && y->is_constant ? slot_of(t, x) : x->slot;
    int dst = symbols_push_new(&t->symbols, x, y);
    if (y->is_constant)
        emit(&t->list, op + 1, dst, a, 0)->imm = emit_constant(&t->list, &y->word);
    else if (x->is_constant)
        emit(&t->list, op + 2, dst, 0, y->slot)->imm = emit_constant(&t->list, &x->word);
    else
        emit(&t->list, op, dst, a, y->slot);
}

static void translate_ordered(struct translator *t, enum register_op op)
{
    struct value x = symbols_pop(&t->symbols);
    struct value y = symbols_pop(&t->symbols);
    emit_binary(t, op, &x, &y);
}

static void translate_swapped(struct translator *t, enum register_op op)
{
    struct value x = symbols_pop(&t->symbols);
    struct value y = symbols_pop(&t->symbols);
    emit_binary(t, op, &y, &x);
}

static void translate_commutative(struct translator *t, enum register_op op)
{
    struct value x = symbols_pop(&t->symbols);
    struct value y = symbols_pop(&t->symbols);
    if (x.is_constant)
        emit_binary(t, op, &y, &x);
    else
        emit_binary(t, op, &x, &y);
}

static void translate_shift(struct translator *t, enum register_op op)
{
    struct value by = symbols_pop(&t->symbols);
    struct value v = symbols_pop(&t->symbols);
    struct u256 folded;
    if (by.is_constant && v.is_constant) {
        folds[op](&folded, &by.word, &v.word);
        push_constant(t, &folded);
        return;
    }
    int a = by.is_constant ? 0 : by.slot;
    int b = slot_of(t, &v);
    int dst = symbols_push_new(&t->symbols, &by, &v);
    struct insn *insn = emit(&t->list, by.is_constant ? op + 1 : op, dst, a, b);
    if (by.is_constant) insn->imm = word_saturated(&by.word) < 256 ? by.word.limb[0] : 256;
}

static void translate_not(struct translator *t, enum register_op op)
{
    struct value v = symbols_pop(&t->symbols);
    if (v.is_constant) {
        struct u256 folded = u256_not(v.word);
        push_constant(t, &folded);
        return;
    }
    int dst = symbols_push_new(&t->symbols, &v, NULL);
    emit(&t->list, op, dst, v.slot, 0);
}

/* ISZERO of a comparison that nobody else wants is the opposite comparison. */
static bool invert_last(struct translator *t, const struct value *v)
{
    if (t->list.count == t->list.block_first || !symbols_is_free(&t->symbols, v->slot))
        return false;
    struct insn *last = &t->list.insns[t->list.count - 1];
    enum register_op inverse = comparison_inverse(last->op);
    if (inverse == 0 || last->dst != v->slot * SLOT_BYTES) return false;
    last->op = (uint16_t)inverse;
    symbols_push(&t->symbols, v);
    return true;
}

static void translate_iszero(struct translator *t, enum register_op op)
{
    struct value v = symbols_pop(&t->symbols);
    if (v.is_constant) {
        push_number(t, word_is_zero(&v.word));
        return;
    }
    if (invert_last(t, &v)) return;
    int dst = symbols_push_new(&t->symbols, &v, NULL);
    emit(&t->list, op, dst, v.slot, 0);
}

static void translate_modular(struct translator *t, enum register_op op)
{
    struct value x = symbols_pop(&t->symbols);
    struct value y = symbols_pop(&t->symbols);
    struct value m = symbols_pop(&t->symbols);
    int a = slot_of(t, &x);
    int b = slot_of(t, &y);
    int dst = symbols_push_new(&t->symbols, &x, &y);
    if (m.is_constant)
        emit(&t->list, op + 1, dst, a, b)->imm = emit_constant(&t->list, &m.word);
    else
        emit(&t->list, op, dst, a, b)->imm = (uint64_t)(int64_t)(m.slot * SLOT_BYTES);
}

/* ---- memory, facts, operations ---- */

static bool is_number(const struct value *v, uint64_t max)
{
    return v->is_constant && word_saturated(&v->word) <= max;
}

static void translate_calldataload(struct translator *t)
{
    struct value offset = symbols_pop(&t->symbols);
    bool is_at = is_number(&offset, UINT64_MAX - 1);
    int a = is_at ? 0 : slot_of(t, &offset);
    int dst = symbols_push_new(&t->symbols, &offset, NULL);
    struct insn *insn = emit(&t->list, is_at ? R_CALLDATALOAD_AT : R_CALLDATALOAD, dst, a, 0);
    if (is_at) insn->imm = offset.word.limb[0];
}

static void set_memory_at(struct translator *t, struct insn *insn, const struct value *offset)
{
    insn->gas = t->gas;
    insn->offset = (uint32_t)offset->word.limb[0];
}

static void translate_mload(struct translator *t)
{
    struct value offset = symbols_pop(&t->symbols);
    if (is_number(&offset, UINT32_MAX)) {
        int dst = symbols_push_new(&t->symbols, NULL, NULL);
        set_memory_at(t, emit(&t->list, R_MLOAD_AT, dst, 0, 0), &offset);
    } else {
        int a = slot_of(t, &offset);
        int dst = symbols_push_new(&t->symbols, &offset, NULL);
        emit(&t->list, R_MLOAD, dst, a, 0)->imm = t->gas;
    }
}

static void translate_mstore(struct translator *t, enum register_op op)
{
    struct value offset = symbols_pop(&t->symbols);
    struct value v = symbols_pop(&t->symbols);
    int b = slot_of(t, &v);
    if (op == R_MSTORE && is_number(&offset, UINT32_MAX)) {
        set_memory_at(t, emit(&t->list, R_MSTORE_AT, 0, 0, b), &offset);
    } else {
        int a = slot_of(t, &offset);
        emit(&t->list, op, 0, a, b)->imm = t->gas;
    }
}

static void translate_mcopy(struct translator *t)
{
    struct value to = symbols_pop(&t->symbols);
    struct value from = symbols_pop(&t->symbols);
    struct value size = symbols_pop(&t->symbols);
    int a = slot_of(t, &to);
    int b = slot_of(t, &from);
    emit(&t->list, R_MCOPY, slot_of(t, &size), a, b)->imm = t->gas;
}

static void translate_fact(struct translator *t, enum register_op op)
{
    int dst = symbols_push_new(&t->symbols, NULL, NULL);
    emit(&t->list, op, dst, 0, 0)->imm = t->gas; /* for GAS: see set_prepaid */
}

static void translate_row(struct translator *t, enum register_op op, int in, int out)
{
    int top = in == 0 ? 0 : symbols_pop_row(&t->symbols, &t->list, in);
    if (out == 1 && in > 0)
        symbols_push(&t->symbols, &(struct value){.slot = (int16_t)(top - in + 1)});
    if (out == 1 && in == 0) top = symbols_push_new(&t->symbols, NULL, NULL) - 1;
    emit(&t->list, op, 0, top, 0)->imm = t->gas; /* see set_prepaid */
}

static void translate_keccak256(struct translator *t)
{
    struct value offset = symbols_at(&t->symbols, 0);
    struct value size = symbols_at(&t->symbols, 1);
    if (!is_number(&offset, UINT32_MAX) || !is_number(&size, UINT32_MAX)) {
        translate_row(t, R_KECCAK256, 2, 1);
        return;
    }
    (void)symbols_pop(&t->symbols);
    (void)symbols_pop(&t->symbols);
    int dst = symbols_push_new(&t->symbols, NULL, NULL);
    struct insn *insn = emit(&t->list, R_KECCAK256_AT, dst, 0, 0);
    insn->imm = offset.word.limb[0] | size.word.limb[0] << 32;
    insn->refund = t->gas;
}

static void translate_enter(struct translator *t, enum register_op op)
{
    symbols_flush(&t->symbols, &t->list);
    emit(&t->list, op, 0, t->symbols.top, 0)->imm = t->offset;
    t->is_ended = true;
}

static void translate_end(struct translator *t, enum register_op op, int in)
{
    int top = in == 0 ? 0 : symbols_pop_row(&t->symbols, &t->list, in);
    emit(&t->list, op, 0, top, 0);
    t->is_ended = true;
}

static void translate_push(struct translator *t, uint8_t opcode, size_t offset)
{
    const uint8_t *data = t->program->code + offset + 1; /* the padding allows it */
    struct u256 word = u256_from_be(bytes_of(data, (size_t)(opcode - OP_PUSH0)));
    push_constant(t, &word);
}

/* ---- the table ---- */

enum rule_kind {
    RULE_BAD, /* no opcode */
    RULE_ORDERED,
    RULE_SWAPPED,
    RULE_COMMUTATIVE,
    RULE_SHIFT,
    RULE_NOT,
    RULE_ISZERO,
    RULE_MODULAR,
    RULE_MLOAD,
    RULE_CALLDATALOAD,
    RULE_MSTORE,
    RULE_MCOPY,
    RULE_FACT,
    RULE_KECCAK256,
    RULE_ROW,
    RULE_ENTER,
    RULE_END,
    RULE_JUMP,
    RULE_JUMPI,
    RULE_JUMPDEST,
    RULE_POP,
    RULE_PC,
    RULE_CODESIZE,
};

struct rule {
    uint8_t kind;
    uint8_t in, out; /* of RULE_ROW and RULE_END */
    uint16_t op;
};

#define RULE(name, kind, op)  [OP_##name] = {kind, IN_##name, OUT_##name, op}
#define SAME(kind, name)      RULE(name, kind, R_##name),
#define FACT(name, flags)     SAME(RULE_FACT, name)
#define ROW(name, function)   SAME(RULE_ROW, name)
#define ENTER(name, function) SAME(RULE_ENTER, name)

/* clang-format off */
static const struct rule rules[256] = {
    REGISTER_FACTS(FACT) REGISTER_OPERATIONS(ROW) REGISTER_LOGS(ROW) REGISTER_ENTERS(ENTER)
    RULE(KECCAK256, RULE_KECCAK256, R_KECCAK256),
    SAME(RULE_COMMUTATIVE, ADD) SAME(RULE_COMMUTATIVE, MUL) SAME(RULE_COMMUTATIVE, AND)
    SAME(RULE_COMMUTATIVE, OR) SAME(RULE_COMMUTATIVE, XOR) SAME(RULE_COMMUTATIVE, EQ)
    SAME(RULE_ORDERED, SUB) SAME(RULE_ORDERED, DIV) SAME(RULE_ORDERED, SDIV)
    SAME(RULE_ORDERED, MOD) SAME(RULE_ORDERED, SMOD) SAME(RULE_ORDERED, SIGNEXTEND)
    SAME(RULE_ORDERED, BYTE) SAME(RULE_ORDERED, LT) SAME(RULE_ORDERED, SLT)
    RULE(GT, RULE_SWAPPED, R_LT), RULE(SGT, RULE_SWAPPED, R_SLT),
    SAME(RULE_SHIFT, SHL) SAME(RULE_SHIFT, SHR) SAME(RULE_SHIFT, SAR)
    SAME(RULE_NOT, NOT) SAME(RULE_ISZERO, ISZERO)
    SAME(RULE_MODULAR, ADDMOD) SAME(RULE_MODULAR, MULMOD)
    SAME(RULE_MLOAD, MLOAD) SAME(RULE_CALLDATALOAD, CALLDATALOAD)
    SAME(RULE_MSTORE, MSTORE) SAME(RULE_MSTORE, MSTORE8) SAME(RULE_MCOPY, MCOPY)
    SAME(RULE_FACT, GAS) SAME(RULE_ROW, SSTORE)
    SAME(RULE_END, RETURN) SAME(RULE_END, REVERT) SAME(RULE_END, SELFDESTRUCT) SAME(RULE_END, STOP)
    RULE(JUMP, RULE_JUMP, 0), RULE(JUMPI, RULE_JUMPI, 0), RULE(JUMPDEST, RULE_JUMPDEST, 0),
    RULE(POP, RULE_POP, 0),
    RULE(PC, RULE_PC, 0), RULE(CODESIZE, RULE_CODESIZE, 0),
};
/* clang-format on */

static void translate_dup(struct translator *t, int depth)
{
    struct value v = symbols_at(&t->symbols, depth);
    symbols_push(&t->symbols, &v);
}

static void translate_by_rule(struct translator *t, uint8_t opcode, size_t offset)
{
    const struct rule *rule = &rules[opcode];
    switch ((enum rule_kind)rule->kind) {
    case RULE_BAD: translate_end(t, R_BAD_OPCODE, 0); break;
    case RULE_ORDERED: translate_ordered(t, rule->op); break;
    case RULE_SWAPPED: translate_swapped(t, rule->op); break;
    case RULE_COMMUTATIVE: translate_commutative(t, rule->op); break;
    case RULE_SHIFT: translate_shift(t, rule->op); break;
    case RULE_NOT: translate_not(t, rule->op); break;
    case RULE_ISZERO: translate_iszero(t, rule->op); break;
    case RULE_MODULAR: translate_modular(t, rule->op); break;
    case RULE_MLOAD: translate_mload(t); break;
    case RULE_CALLDATALOAD: translate_calldataload(t); break;
    case RULE_MSTORE: translate_mstore(t, rule->op); break;
    case RULE_MCOPY: translate_mcopy(t); break;
    case RULE_FACT: translate_fact(t, rule->op); break;
    case RULE_KECCAK256: translate_keccak256(t); break;
    case RULE_ROW: translate_row(t, rule->op, rule->in, rule->out); break;
    case RULE_ENTER: translate_enter(t, rule->op); break;
    case RULE_END: translate_end(t, rule->op, rule->in); break;
    case RULE_JUMP: translate_jump(t); break;
    case RULE_JUMPI: translate_jumpi(t); break;
    case RULE_JUMPDEST: break;
    case RULE_POP: (void)symbols_pop(&t->symbols); break;
    case RULE_PC: push_number(t, offset); break;
    case RULE_CODESIZE: push_number(t, t->program->size); break;
    }
}

void translate_opcode(struct translator *t, uint8_t opcode, size_t offset)
{
    assert(!t->is_ended);
    if (opcode >= OP_PUSH0 && opcode <= OP_PUSH32)
        translate_push(t, opcode, offset);
    else if (opcode >= OP_DUP1 && opcode <= OP_DUP16)
        translate_dup(t, opcode - OP_DUP1);
    else if (opcode >= OP_SWAP1 && opcode <= OP_SWAP16)
        symbols_swap(&t->symbols, opcode - OP_SWAP1 + 1);
    else
        translate_by_rule(t, opcode, offset);
}
