/* Superblocks: where they begin and end, their headers, and how they become part of a program's
 * register code. What single operations become is in translate_ops.c, jumps in
 * translate_jumps.c. */
#include "vm/translate.h"

#include "base/fatal.h"
#include "vm/limits.h"
#include "vm/translate_ops.h"

#include <stdlib.h>
#include <string.h>

/* A superblock ends by itself before it could run out of positions or temporaries. */
#define OPERATIONS_MAX 768
#define TOP_MAX        (TEMP_FIRST - 8)
#define TOP_MIN        (POSITION_MIN + 48)
#define TEMPS_MAX      (TEMP_COUNT - 32)

/* How much register code a program may have, in instructions. */
#define INSNS_PER_BYTE 8
#define INSNS_BASE     8192

const uint8_t register_op_flags[R_COUNT] = {
#define X(name, flags)            [R_##name] = (flags),
#define OPAQUE_OP(name, anything) [R_##name] = OPAQUE | PREPAID,
    REGISTER_OPS(X) REGISTER_FACTS(X) REGISTER_OPERATIONS(OPAQUE_OP) REGISTER_LOGS(OPAQUE_OP)
#undef OPAQUE_OP
#define OPAQUE_OP(name, anything) [R_##name] = OPAQUE,
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

struct translator *translator_create(void)
{
    struct translator *t = must_alloc(sizeof(*t));
    t->list.kept[0] = KEPT_NONE;
    t->list.kept[1] = KEPT_NONE;
    t->exits.kept[0] = KEPT_NONE;
    t->exits.kept[1] = KEPT_NONE;
    symbols_init(&t->symbols);
    return t;
}

void translator_destroy(struct translator *t)
{
    if (t == NULL) return;
    code_list_finish(&t->list);
    code_list_finish(&t->exits);
    free(t);
}

/* ---- a superblock ---- */

static void begin(struct translator *t, const struct program *p, size_t offset)
{
    t->program = p;
    t->start = offset;
    t->offset = offset;
    t->list.count = 0;
    t->list.constant_count = 0;
    t->exits.count = 0;
    t->exits.constant_count = 0;
    emit(&t->list, R_BLOCK, 0, 0, 0);
    t->list.block_first = 1;
    t->list.flush_first = 1;
    symbols_reset(&t->symbols);
    t->gas = 0;
    t->need = 0;
    t->growth = 0;
    t->operation_count = 0;
    t->work = 0;
    t->loaded_count = 0;
    t->followed_count = 0;
    t->is_ended = false;
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
    t->work += WORK_OF_OPERATION;
}

static bool is_full(const struct translator *t)
{
    const struct symbols *s = &t->symbols;
    return t->operation_count >= OPERATIONS_MAX || t->work >= TRANSLATE_WORK_MAX ||
           s->top >= TOP_MAX || s->top <= TOP_MIN || s->temp_count >= TEMPS_MAX;
}

static void translate_operation(struct translator *t)
{
    const struct program *p = t->program;
    uint8_t opcode = t->offset < p->size ? p->code[t->offset] : OP_STOP;
    if (is_full(t)) {
        end_with_exit(t, t->offset);
        return;
    }
    count_operation(t, opcode);
    size_t offset = t->offset++;
    if (opcode >= OP_PUSH1 && opcode <= OP_PUSH32) t->offset += (size_t)(opcode - OP_PUSH0);
    if (t->offset > p->size) t->offset = p->size; /* behind the data that the end cut off */
    translate_opcode(t, opcode, offset);
}

/* Where instructions hold the gas up to themselves comes what was prepaid behind them. */
static void set_prepaid(struct code_list *list, uint32_t gas)
{
    for (size_t i = 0; i < list->count; i++) {
        struct insn *insn = &list->insns[i];
        if ((register_op_flags[insn->op] & PREPAID) != 0) insn->imm = gas - insn->imm;
        if (insn->op == R_MLOAD_AT || insn->op == R_MSTORE_AT) insn->gas = gas - insn->gas;
        if (insn->op == R_EXIT || insn->op == R_KECCAK256_AT) insn->refund = gas - insn->refund;
    }
}

/* Now that the sums are known. */
static void finish(struct translator *t)
{
    assert(t->need >= 0 && t->growth >= 0);
    bool is_possible = t->need + t->growth <= STACK_ITEMS_MAX;
    int range = STACK_ITEMS_MAX - t->growth - t->need;
    struct insn *header = &t->list.insns[0];
    header->need = is_possible ? (uint16_t)(t->need * SLOT_BYTES) : NEED_NEVER;
    header->range = is_possible ? (uint16_t)(range * SLOT_BYTES) : 0;
    header->gas = t->gas;
    header->offset = (uint32_t)t->start;
    set_prepaid(&t->list, t->gas);
    set_prepaid(&t->exits, t->gas);
}

/* ---- a program's register code ---- */

struct register_code *register_code_create(const struct program *p, size_t *total_bytes)
{
    struct register_code *r = must_alloc(sizeof(*r));
    size_t entry_bytes = (p->size + 1) * sizeof(*r->entries); /* running off the end is one too */
    r->entries = must_alloc(entry_bytes);
    r->total_bytes = total_bytes;
    r->bytes = sizeof(*r) + entry_bytes;
    *total_bytes += r->bytes;
    for (size_t i = 0; i < p->size; i += 64)
        for (uint64_t bits = p->jumps[i / 64]; bits != 0; bits &= bits - 1)
            r->entries[i + (size_t)__builtin_ctzll(bits)] = ENTRY_JUMPDEST;
    return r;
}

void register_code_destroy(struct register_code *r)
{
    if (r == NULL) return;
    assert(*r->total_bytes >= r->bytes);
    *r->total_bytes -= r->bytes;
    free(r->insns);
    free(r->entries);
    free(r);
}

static void reserve(struct register_code *r, size_t count)
{
    if (r->count + count <= r->capacity) return;
    size_t capacity = r->capacity == 0 ? 256 : r->capacity;
    while (capacity < r->count + count)
        capacity *= 2;
    size_t more_bytes = (capacity - r->capacity) * sizeof(*r->insns);
    r->insns = must_realloc(r->insns, capacity * sizeof(*r->insns));
    r->capacity = capacity;
    r->bytes += more_bytes;
    *r->total_bytes += more_bytes;
}

/* Copies a list to `at`, its constants to `constants_at`, where their indices become distances and
 * so do those of the exits, which begin at `exits_at`. */
static void place(struct insn *insns, const struct code_list *list, size_t at, size_t constants_at,
                  size_t exits_at)
{
    if (list->count > 0) memcpy(&insns[at], list->insns, list->count * sizeof(*insns));
    if (list->constant_count > 0)
        memcpy(&insns[constants_at], list->constants, list->constant_count * sizeof(struct u256));
    for (size_t i = at; i < at + list->count; i++) {
        unsigned flags = register_op_flags[insns[i].op];
        if ((flags & TARGET) != 0) insns[i].imm += exits_at - i;
        if ((flags & CONSTANT) != 0)
            insns[i].imm = (constants_at - i) * sizeof(*insns) + insns[i].imm * sizeof(struct u256);
    }
}

#define INSNS_PER_CONSTANT (sizeof(struct u256) / sizeof(struct insn))
static_assert(sizeof(struct u256) % sizeof(struct insn) == 0, "constants stand among instructions");

/* The superblock, its exits, and the constants of both. */
static void append(struct register_code *r, const struct translator *t)
{
    size_t exits_at = t->list.count;
    size_t constants_at = exits_at + t->exits.count;
    size_t more_at = constants_at + t->list.constant_count * INSNS_PER_CONSTANT;
    size_t count = more_at + t->exits.constant_count * INSNS_PER_CONSTANT;
    reserve(r, count);
    struct insn *insns = &r->insns[r->count];
    place(insns, &t->list, 0, constants_at, exits_at);
    place(insns, &t->exits, exits_at, more_at, exits_at);
    r->entries[t->start] &= ENTRY_JUMPDEST;
    r->entries[t->start] |= ENTRY_FIRST + (uint32_t)r->count;
    r->count += count;
}

size_t translate(struct translator *t, struct program *p, size_t offset)
{
    struct register_code *r = p->fast;
    assert(offset <= p->size && !entry_has_header(r->entries[offset]));
    if (r->count > INSNS_BASE + p->size * INSNS_PER_BYTE) return 0;
    begin(t, p, offset);
    while (!t->is_ended)
        translate_operation(t);
    finish(t);
    append(r, t);
    return t->work;
}
