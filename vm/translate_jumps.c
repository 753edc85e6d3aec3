/* How a block ends in a jump: the stack is put in order first, without losing what the jump reads,
 * and a comparison that only decides the jump becomes part of it. */
#include "vm/arith.h"
#include "vm/translate_ops.h"

#include <assert.h>
#include <string.h>

/* How far back from the end of a block its deciding comparison may stand. */
#define COMPARISON_WINDOW 4

struct comparison {
    uint16_t op, inverse, branch;
};

#define COMPARISON(name, opposite)                                                                 \
    {                                                                                              \
        R_##name, R_##opposite, R_JUMP_##name                                                      \
    }
static const struct comparison comparisons[] = {
    COMPARISON(ISZERO, NONZERO), COMPARISON(NONZERO, ISZERO), COMPARISON(EQ, NE),
    COMPARISON(NE, EQ),          COMPARISON(EQ_SC, NE_SC),    COMPARISON(NE_SC, EQ_SC),
    COMPARISON(LT, GE),          COMPARISON(GE, LT),          COMPARISON(LT_SC, GE_SC),
    COMPARISON(GE_SC, LT_SC),    COMPARISON(LT_CS, GE_CS),    COMPARISON(GE_CS, LT_CS),
    COMPARISON(SLT, SGE),        COMPARISON(SGE, SLT),        COMPARISON(SLT_SC, SGE_SC),
    COMPARISON(SGE_SC, SLT_SC),  COMPARISON(SLT_CS, SGE_CS),  COMPARISON(SGE_CS, SLT_CS),
};

static const struct comparison *comparison_find(enum register_op op)
{
    for (size_t i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++)
        if (comparisons[i].op == op) return &comparisons[i];
    return NULL;
}

enum register_op comparison_inverse(enum register_op op)
{
    const struct comparison *c = comparison_find(op);
    return c == NULL ? 0 : c->inverse;
}

enum register_op comparison_branch(enum register_op op)
{
    const struct comparison *c = comparison_find(op);
    return c == NULL ? 0 : c->branch;
}

/* Of the instructions that symbols_flush emits, and those that it may have retargeted. */
static bool writes(const struct insn *insn, int at)
{
    unsigned flags = register_op_flags[insn->op];
    if ((flags & WRITES) != 0 || insn->op == R_COPY2 || insn->op == R_EXCHANGE) {
        if (insn->dst == at) return true;
    }
    if (insn->op == R_COPY2) return (int64_t)insn->imm == at;
    if (insn->op == R_EXCHANGE) return insn->a == at;
    return false;
}

static bool is_written(const struct code_list *list, size_t first, int slot)
{
    for (size_t i = first; i < list->count; i++)
        if (writes(&list->insns[i], slot * SLOT_BYTES)) return true;
    return false;
}

/* Where the jump finds what was in `slot` before the flush: saved first if the flush needs it. */
static int saved(struct translator *t, int slot)
{
    struct code_list *list = &t->list;
    size_t first = list->flush_first;
    if (!is_written(list, first, slot)) return slot;
    int temp = symbols_temp(&t->symbols, 1);
    emit(list, R_COPY, 0, 0, 0);
    memmove(&list->insns[first + 1], &list->insns[first],
            (list->count - 1 - first) * sizeof(*list->insns));
    list->insns[first] = (struct insn){.op = R_COPY, .dst = (int16_t)(temp * SLOT_BYTES)};
    list->insns[first].a = (int16_t)(slot * SLOT_BYTES);
    return temp;
}

static void flush_keeping(struct translator *t, int slot_a, int slot_b)
{
    t->list.kept[0] = slot_a;
    t->list.kept[1] = slot_b;
    symbols_flush(&t->symbols, &t->list);
    t->list.kept[0] = KEPT_NONE;
    t->list.kept[1] = KEPT_NONE;
}

static void jump_to_offset(struct translator *t, const struct u256 *offset)
{
    symbols_flush(&t->symbols, &t->list);
    emit(&t->list, R_JUMP, t->symbols.top, 0, 0)->imm = word_saturated(offset);
    t->end = BLOCK_ENDS;
}

/* Takes the last copy off the list if it is one of the flush's. */
static bool take_last_copy(struct code_list *list, struct insn *copy)
{
    if (list->count == list->flush_first) return false;
    struct insn *last = &list->insns[list->count - 1];
    *copy = *last;
    if (last->op == R_COPY2) {
        last->op = R_COPY;
        copy->dst = (int16_t)(int64_t)last->imm;
        copy->a = last->b;
        return true;
    }
    if (last->op != R_COPY) return false;
    list->count--;
    return true;
}

/* Returns of internal functions: the offset is on the stack, most often under one result. */
static void jump_to_slot(struct translator *t, int slot)
{
    struct insn copy;
    flush_keeping(t, slot, KEPT_NONE);
    bool has_copy = take_last_copy(&t->list, &copy);
    int from = saved(t, slot);
    struct insn *jump = emit(&t->list, R_JUMP_TO, t->symbols.top, from, 0);
    if (has_copy) {
        jump->op = R_JUMP_TO_COPY;
        jump->imm = (uint64_t)(int64_t)jump->dst;
        jump->dst = copy.dst;
        jump->b = copy.a;
    }
    t->end = BLOCK_ENDS;
}

void translate_jump(struct translator *t)
{
    struct value target = symbols_pop(&t->symbols);
    if (target.is_constant)
        jump_to_offset(t, &target.word);
    else
        jump_to_slot(t, target.slot);
}

/* The index of the comparison that made the word in `slot`, if nothing else used it; or 0. */
static size_t deciding_comparison(struct translator *t, int slot)
{
    const struct code_list *list = &t->list;
    size_t first = list->block_first;
    if (!symbols_is_free(&t->symbols, slot)) return 0;
    if (list->count - first > COMPARISON_WINDOW) first = list->count - COMPARISON_WINDOW;
    for (size_t i = list->count; i-- > first;) {
        const struct insn *insn = &list->insns[i];
        if ((register_op_flags[insn->op] & WRITES) != 0 && insn->dst == slot * SLOT_BYTES)
            return comparison_branch(insn->op) == 0 ? 0 : i;
        if (insn_touches(insn, slot)) return 0;
    }
    return 0;
}

/* Its operands are still what they were. */
static bool can_sink(const struct code_list *list, size_t index)
{
    const struct insn *insn = &list->insns[index];
    unsigned flags = register_op_flags[insn->op];
    for (size_t i = index + 1; i < list->count; i++) {
        if ((flags & READS_A) != 0 && writes(&list->insns[i], insn->a)) return false;
        if ((flags & READS_B) != 0 && writes(&list->insns[i], insn->b)) return false;
    }
    return true;
}

static void emit_branch(struct translator *t, size_t index, uint64_t target)
{
    struct code_list *list = &t->list;
    struct insn comparison = list->insns[index];
    memmove(&list->insns[index], &list->insns[index + 1],
            (list->count - index - 1) * sizeof(*list->insns));
    list->count--;
    struct insn *branch = emit(list, comparison_branch(comparison.op), t->symbols.top, 0, 0);
    branch->a = comparison.a;
    branch->b = comparison.b;
    branch->imm = target;
    if ((register_op_flags[comparison.op] & CONSTANT) != 0)
        emit(list, R_DATA, 0, 0, 0)->imm = comparison.imm;
}

static void branch_to_offset(struct translator *t, int slot, const struct u256 *offset)
{
    size_t index = deciding_comparison(t, slot);
    flush_keeping(t, slot, KEPT_NONE);
    if (index != 0 && can_sink(&t->list, index)) {
        emit_branch(t, index, word_saturated(offset));
    } else {
        int a = saved(t, slot);
        emit(&t->list, R_JUMP_NONZERO, t->symbols.top, a, 0)->imm = word_saturated(offset);
    }
    t->end = BLOCK_RESUMES;
}

void translate_jumpi(struct translator *t)
{
    struct value target = symbols_pop(&t->symbols);
    struct value condition = symbols_pop(&t->symbols);
    if (condition.is_constant && word_is_zero(&condition.word)) return;
    if (condition.is_constant && target.is_constant) {
        jump_to_offset(t, &target.word);
        return;
    }
    int a = slot_of(t, &condition);
    if (target.is_constant) {
        branch_to_offset(t, a, &target.word);
        return;
    }
    flush_keeping(t, a, target.slot);
    int b = saved(t, target.slot);
    a = saved(t, a);
    emit(&t->list, R_JUMPI_TO, t->symbols.top, a, b);
    t->end = BLOCK_RESUMES;
}
