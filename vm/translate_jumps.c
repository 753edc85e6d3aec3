/* Jumps. Where both the target and what is likely are known the superblock goes on there; else it
 * ends: the stack is put in order first, without losing what the jump itself reads. A comparison
 * that only decides a jump becomes part of it. */
#include "vm/arith.h"
#include "vm/translate_ops.h"

#include <assert.h>
#include <string.h>

/* How far back from a jump its deciding comparison may stand. */
#define COMPARISON_WINDOW 4
/* How far ahead a failure is looked for. */
#define FAILURE_WINDOW 24
/* How many jumps to the same target a superblock goes along. */
#define SAME_FOLLOWED_MAX 12

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

static enum register_op comparison_branch(enum register_op op)
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

/* ---- known targets ---- */

static void emit_exit(struct code_list *list, const struct translator *t, size_t offset)
{
    if (offset == SIZE_MAX) { /* no destination */
        emit(list, R_BAD_JUMP, 0, 0, 0);
        return;
    }
    assert(offset <= t->program->size);
    struct insn *exit = emit(list, R_EXIT, t->symbols.top, 0, 0);
    exit->refund = t->gas; /* see set_prepaid in translate.c */
    exit->imm = offset;
}

void end_with_exit(struct translator *t, size_t offset)
{
    symbols_flush(&t->symbols, &t->list);
    emit_exit(&t->list, t, offset);
    t->is_ended = true;
}

/* Beyond all code if the word is no jump destination. */
static size_t destination(const struct translator *t, const struct u256 *word)
{
    uint64_t offset = word_saturated(word);
    return program_is_jump(t->program, offset) ? (size_t)offset : SIZE_MAX;
}

/* A function may be called several times on the way; a loop need not be unrolled for long. */
static bool was_followed_enough(const struct translator *t, size_t target)
{
    size_t times = target == t->start ? SAME_FOLLOWED_MAX : 0;
    for (size_t i = 0; i < t->followed_count; i++)
        if (t->followed[i] == target) times++;
    return times >= SAME_FOLLOWED_MAX;
}

/* The superblock goes on at the target, or ends. */
static void follow(struct translator *t, size_t target)
{
    if (target == SIZE_MAX || t->followed_count == FOLLOWED_MAX || was_followed_enough(t, target)) {
        end_with_exit(t, target);
        return;
    }
    t->followed[t->followed_count++] = target;
    t->offset = target;
}

/* Whether the code at `offset` plainly goes to a REVERT or worse, as panics do. */
static bool leads_to_failure(const struct program *p, size_t offset)
{
    size_t pushed = SIZE_MAX; /* by the operation before */
    for (int i = 0; i < FAILURE_WINDOW && offset < p->size; i++) {
        uint8_t opcode = p->code[offset++];
        size_t push = opcode >= OP_PUSH1 && opcode <= OP_PUSH32 ? (size_t)(opcode - OP_PUSH0) : 0;
        if (opcode == OP_REVERT || opcode == OP_INVALID) return true;
        if (opcode == OP_STOP || opcode == OP_RETURN || opcode == OP_JUMPI) return false;
        if (opcode == OP_JUMP) {
            if (!program_is_jump(p, pushed)) return false;
            offset = pushed;
        }
        pushed = SIZE_MAX;
        if (push == 1) pushed = p->code[offset];
        if (push == 2) pushed = (size_t)p->code[offset] << 8 | p->code[offset + 1];
        offset += push;
    }
    return false;
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
    t->is_ended = true;
}

void translate_jump(struct translator *t)
{
    struct value target = symbols_pop(&t->symbols);
    if (target.is_constant)
        follow(t, destination(t, &target.word));
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
        unsigned flags = register_op_flags[insn->op];
        if ((flags & WRITES) != 0 && insn->dst == slot * SLOT_BYTES)
            return comparison_branch(insn->op) == 0 ? 0 : i;
        if ((flags & TARGET) != 0 || insn_touches(insn, slot)) return 0; /* an exit may need it */
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

/* To the exit that is emitted next if the word in `slot` is not zero (or is, if inverted). */
static void emit_branch(struct translator *t, int slot, size_t index, bool is_inverted)
{
    struct code_list *list = &t->list;
    uint64_t exit = t->exits.count;
    if (index == 0) {
        emit(list, is_inverted ? R_JUMP_ISZERO : R_JUMP_NONZERO, 0, slot, 0)->imm = exit;
        return;
    }
    struct insn comparison = list->insns[index];
    enum register_op op = is_inverted ? comparison_inverse(comparison.op) : comparison.op;
    memmove(&list->insns[index], &list->insns[index + 1],
            (list->count - index - 1) * sizeof(*list->insns));
    list->count--;
    struct insn *branch = emit(list, comparison_branch(op), 0, 0, 0);
    branch->a = comparison.a;
    branch->b = comparison.b;
    branch->imm = exit;
    if ((register_op_flags[comparison.op] & CONSTANT) != 0)
        emit(list, R_DATA, 0, 0, 0)->imm = comparison.imm;
}

/* The bottom of a loop: it is most often taken, and the order of the stack is made once for both
 * ways, so that what was computed last can be written to its place at once. */
static void loop_back(struct translator *t, int slot, size_t target)
{
    size_t index = deciding_comparison(t, slot);
    flush_keeping(t, slot, KEPT_NONE);
    bool can_fuse = index != 0 && can_sink(&t->list, index);
    if (!can_fuse) slot = saved(t, slot);
    emit_branch(t, slot, can_fuse ? index : 0, false);
    emit_exit(&t->exits, t, target);
    emit_exit(&t->list, t, t->offset);
    t->is_ended = true;
}

/* Leaves for one side and goes on at the other: at the target if the way past it is a failure. */
static void branch(struct translator *t, int slot, size_t target, bool is_inverted)
{
    size_t next = t->offset;
    size_t index = deciding_comparison(t, slot);
    bool can_fuse = index != 0 && can_sink(&t->list, index);
    emit_branch(t, slot, can_fuse ? index : 0, is_inverted);
    symbols_flush_aside(&t->symbols, &t->exits);
    t->work += (size_t)(t->symbols.top - t->symbols.lowest + 1);
    emit_exit(&t->exits, t, is_inverted ? next : target);
    if (is_inverted) follow(t, target);
}

/* Both the condition and the target may be on the stack: rare. */
static void jumpi_to_slot(struct translator *t, int condition, int target)
{
    flush_keeping(t, condition, target);
    int b = saved(t, target);
    int a = saved(t, condition);
    emit(&t->list, R_JUMPI_TO, t->symbols.top, a, b);
    emit_exit(&t->list, t, t->offset);
    t->is_ended = true;
}

void translate_jumpi(struct translator *t)
{
    struct value target = symbols_pop(&t->symbols);
    struct value condition = symbols_pop(&t->symbols);
    if (condition.is_constant && word_is_zero(&condition.word)) return;
    if (condition.is_constant && target.is_constant) {
        follow(t, destination(t, &target.word));
        return;
    }
    int slot = slot_of(t, &condition);
    if (!target.is_constant) {
        jumpi_to_slot(t, slot, target.slot);
        return;
    }
    size_t offset = destination(t, &target.word);
    bool is_check = offset != SIZE_MAX && leads_to_failure(t->program, t->offset);
    if (offset < t->offset && !is_check)
        loop_back(t, slot, offset);
    else
        branch(t, slot, offset, is_check);
}
