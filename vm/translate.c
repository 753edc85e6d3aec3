/* Basic blocks: where they begin and end, their headers, and what jumps between them. What single
 * operations become is in translate_ops.c. */
#include "vm/translate.h"

#include "base/fatal.h"
#include "vm/limits.h"
#include "vm/translate_ops.h"

#include <stdlib.h>
#include <string.h>

/* A block ends by itself before it could run out of positions or temporaries. */
#define BLOCK_OPERATIONS_MAX 200
#define BLOCK_TOP_MAX        (TEMP_FIRST - 8)
#define BLOCK_TOP_MIN        (POSITION_MIN + 48)
#define BLOCK_TEMPS_MAX      (TEMP_COUNT - 32)

const uint8_t register_op_flags[R_COUNT] = {
#define X(name, flags)            [R_##name] = (flags),
#define OPAQUE_OP(name, anything) [R_##name] = OPAQUE,
    REGISTER_OPS(X) REGISTER_FACTS(X) REGISTER_OPERATIONS(OPAQUE_OP) REGISTER_LOGS(OPAQUE_OP)
        REGISTER_ENTERS(OPAQUE_OP)
#undef OPAQUE_OP
#undef X
};

struct opcode_effect {
    uint8_t in;
    uint8_t out;
    uint16_t gas;
};

static const struct opcode_effect effects[256] = {
#define X(byte, name, in, out, gas) [byte] = {in, out, gas},
    OPCODES(X)
#undef X
};

static bool is_full(const struct translator *t)
{
    const struct symbols *s = &t->symbols;
    return t->operation_count >= BLOCK_OPERATIONS_MAX || s->top >= BLOCK_TOP_MAX ||
           s->top <= BLOCK_TOP_MIN || s->temp_count >= BLOCK_TEMPS_MAX;
}

/* A run of JUMPDESTs is one block with as many headers: each pays for those behind it. */
static size_t run_length(const struct program *p, size_t offset)
{
    size_t count = 0;
    while (offset + count < p->size && p->code[offset + count] == OP_JUMPDEST)
        count++;
    return count;
}

static void emit_header(struct translator *t, size_t offset, int fall_delta)
{
    struct insn *header = emit(&t->list, R_BLOCK, fall_delta, 0, 0);
    header->offset = (uint32_t)offset;
}

/* `fall_delta`: by how many items the stack has grown since what falls into the block began. */
static void begin_block(struct translator *t, int fall_delta)
{
    size_t run = run_length(t->program, t->offset);
    t->headers = t->list.count;
    t->header_count = run == 0 ? 1 : run;
    t->run = run;
    emit_header(t, t->offset, fall_delta);
    for (size_t i = 0; i < run; i++) {
        t->targets[t->offset + i] = (uint32_t)(t->list.count - 1);
        if (i + 1 == run) break;
        emit(&t->list, R_SKIP, 0, 0, 0)->imm = 2 * (run - 1 - i);
        emit_header(t, t->offset + i + 1, 0);
    }
    t->offset += run;
    t->list.block_first = t->list.count;
    t->list.flush_first = t->list.count;
    symbols_reset(&t->symbols);
    t->gas = 0;
    t->need = 0;
    t->growth = 0;
    t->operation_count = 0;
    t->loaded_count = 0;
    t->end = BLOCK_OPEN;
}

static void count_operation(struct translator *t, uint8_t opcode)
{
    const struct opcode_effect *effect = &effects[opcode];
    int need = effect->in - t->symbols.top;
    int growth = t->symbols.top + effect->out - effect->in;
    if (need > t->need) t->need = need;
    if (growth > t->growth) t->growth = growth;
    t->gas += effect->gas;
    t->operation_count++;
}

/* Now that the block's sums are known: its headers, and what was prepaid for each operation. */
static void finish_block(struct translator *t)
{
    assert(t->need >= 0 && t->growth >= 0);
    bool is_possible = t->need + t->growth <= STACK_ITEMS_MAX;
    for (size_t i = 0; i < t->header_count; i++) {
        struct insn *header = &t->list.insns[t->headers + 2 * i];
        assert(header->op == R_BLOCK);
        header->need = is_possible ? (uint16_t)(t->need * SLOT_BYTES) : NEED_NEVER;
        header->range = 0;
        if (is_possible)
            header->range = (uint16_t)((STACK_ITEMS_MAX - t->growth - t->need) * SLOT_BYTES);
        header->gas = t->gas + (t->run == 0 ? 0 : (uint32_t)(t->run - i));
    }
    for (size_t i = t->list.block_first; i < t->list.count; i++) {
        struct insn *insn = &t->list.insns[i];
        if (insn->op == R_GAS || insn->op == R_SSTORE) insn->imm = t->gas - insn->imm;
    }
}

static void translate_operation(struct translator *t)
{
    const struct program *p = t->program;
    uint8_t opcode = t->offset < p->size ? p->code[t->offset] : OP_STOP;
    if (opcode == OP_JUMPDEST || is_full(t)) {
        symbols_flush(&t->symbols, &t->list);
        t->end = BLOCK_FALLS;
        return;
    }
    count_operation(t, opcode);
    translate_opcode(t, opcode);
    t->offset += 1;
    if (opcode >= OP_PUSH1 && opcode <= OP_PUSH32) t->offset += (size_t)(opcode - OP_PUSH0);
}

/* The next offset that can be reached, or the code's size. */
static size_t next_jump(const struct program *p, size_t offset)
{
    while (offset < p->size && !program_is_jump(p, offset))
        offset++;
    return offset;
}

static void translate_blocks(struct translator *t)
{
    int fall_delta = 0;
    do {
        begin_block(t, fall_delta);
        while (t->end == BLOCK_OPEN)
            translate_operation(t);
        finish_block(t);
        fall_delta = t->end == BLOCK_FALLS ? t->symbols.top : 0;
        if (t->end == BLOCK_ENDS) t->offset = next_jump(t->program, t->offset);
    } while (t->end != BLOCK_ENDS || t->offset < t->program->size);
}

/* What jumps to no JUMPDEST comes here. */
static void emit_trap(struct translator *t)
{
    struct insn *header = emit(&t->list, R_BLOCK, 0, 0, 0);
    header->need = 0;
    header->range = STACK_ITEMS_MAX * SLOT_BYTES;
    emit(&t->list, R_BAD_JUMP, 0, 0, 0);
    assert(t->list.count == REGISTER_CODE_ENTRY);
}

static void point(struct insn *insn, const struct register_code *r, size_t code_size)
{
    unsigned flags = register_op_flags[insn->op];
    if ((flags & CONSTANT) != 0) insn->constant = &r->constants[insn->imm];
    if ((flags & TARGET) != 0)
        insn->target = &r->insns[insn->imm < code_size ? r->targets[insn->imm] : 0];
}

/* Puts all into one piece and turns constants' indices and jumps' offsets into pointers. */
static struct register_code *assemble(const struct translator *t)
{
    const struct code_list *list = &t->list;
    size_t code_size = t->program->size;
    size_t insn_bytes = list->count * sizeof(*list->insns);
    size_t constant_bytes = list->constant_count * sizeof(*list->constants);
    size_t target_bytes = code_size * sizeof(*t->targets);
    struct register_code *r = must_alloc(sizeof(*r) + insn_bytes + constant_bytes + target_bytes);
    struct insn *insns = (struct insn *)(r + 1);
    struct u256 *constants = (struct u256 *)(insns + list->count);
    uint32_t *targets = (uint32_t *)(constants + list->constant_count);
    memcpy(insns, list->insns, insn_bytes);
    if (constant_bytes > 0) memcpy(constants, list->constants, constant_bytes);
    if (target_bytes > 0) memcpy(targets, t->targets, target_bytes);
    r->bytes = sizeof(*r) + insn_bytes + constant_bytes + target_bytes;
    r->insns = insns;
    r->constants = constants;
    r->targets = targets;
    for (size_t i = 0; i < list->count; i++)
        point(&insns[i], r, code_size);
    return r;
}

struct register_code *translate(const struct program *p)
{
    struct translator *t = must_alloc(sizeof(*t));
    t->program = p;
    t->targets = must_alloc((p->size + 1) * sizeof(*t->targets));
    t->list.kept[0] = KEPT_NONE;
    t->list.kept[1] = KEPT_NONE;
    symbols_init(&t->symbols);
    emit_trap(t);
    translate_blocks(t);
    struct register_code *r = assemble(t);
    code_list_finish(&t->list);
    free(t->targets);
    free(t);
    return r;
}
