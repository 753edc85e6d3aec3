/* A step is opened before its operation runs and told once its cost is known: at the next step of
 * the same frame, when the frame ends, or when the operation begins a call. The stack is copied,
 * since the operation overwrites it. */
#include "vm/trace.h"

#include "base/fatal.h"
#include "base/hex.h"
#include "vm/frame.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void evm_set_trace(struct evm *e, void (*step)(void *context, const struct evm_step *s),
                   void *context)
{
    assert(e->frame_count == 0);
    free(e->trace);
    e->trace = NULL;
    if (step == NULL) return;
    e->trace = must_alloc(sizeof(*e->trace));
    e->trace->tell = step;
    e->trace->context = context;
}

void trace_open(struct evm *e, const struct frame *f, const uint8_t *pc, int64_t gas, size_t count)
{
    trace_close(e, gas);
    struct trace *t = e->trace;
    assert(!t->is_open && count <= STACK_ITEMS_MAX);
    memcpy(t->stack, &e->stack[f->stack_base + 1], count * sizeof(t->stack[0]));
    t->step = (struct evm_step){.pc = (uint64_t)(pc - f->program->code), .opcode = *pc, .gas = gas};
    t->step.refund = e->refund;
    t->step.depth = e->frame_count;
    t->step.stack = t->stack;
    t->step.stack_count = count;
    t->step.memory_bytes = f->memory_size;
    t->is_open = true;
}

static int64_t base_gas(uint8_t opcode)
{
    static const uint16_t prices[256] = {
#define X(byte, name, in, out, gas) [byte] = gas,
        OPCODES(X)
#undef X
    };
    return prices[opcode];
}

void trace_close(struct evm *e, int64_t gas_left)
{
    struct trace *t = e->trace;
    if (!t->is_open) return;
    t->step.gas_cost = gas_left < 0 ? base_gas(t->step.opcode) : t->step.gas - gas_left;
    assert(t->step.gas_cost >= 0);
    t->is_open = false;
    t->tell(t->context, &t->step);
}

void step_to_json(struct buffer *out, const struct evm_step *s)
{
    char word[67];
    const char *name = opcode_name(s->opcode);
    buffer_print(out, "{\"pc\":%llu,\"op\":%u,", (unsigned long long)s->pc, s->opcode);
    buffer_print(out, "\"gas\":\"0x%llx\",\"gasCost\":\"0x%llx\",", (unsigned long long)s->gas,
                 (unsigned long long)s->gas_cost);
    buffer_print(out, "\"memSize\":%zu,\"stack\":[", s->memory_bytes);
    for (size_t i = 0; i < s->stack_count; i++) {
        u256_to_quantity(word, s->stack[i]);
        buffer_print(out, "%s\"%s\"", i == 0 ? "" : ",", word);
    }
    buffer_print(out, "],\"depth\":%zu,\"refund\":%lld,\"opName\":\"%s\"}", s->depth,
                 (long long)s->refund, name == NULL ? "UNDEFINED" : name);
}

void summary_to_json(struct buffer *out, const struct trace_summary *s)
{
    char root[67];
    hash_to_text(root, &s->root);
    buffer_print(out, "{\"stateRoot\":\"%s\",\"output\":\"", root);
    hex_append(out, s->output);
    buffer_print(out, "\",\"gasUsed\":\"0x%llx\",\"pass\":%s,\"fork\":\"%s\"}",
                 (unsigned long long)s->gas_used, s->pass ? "true" : "false", s->fork);
}
