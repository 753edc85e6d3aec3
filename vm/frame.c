#include "vm/frame.h"

#include "base/fatal.h"
#include "vm/gas.h"
#include "vm/register_code.h"

#include <assert.h>
#include <string.h>

#define STACK_FIRST_ITEMS  ((size_t)8 * STACK_ITEMS_MAX)
#define MEMORY_FIRST_BYTES ((size_t)64 << 10)
#define CLEAR_INLINE_BYTES 128

/* Room for a whole stack behind `base`, the unused item 0 included. */
static void stack_ensure(struct evm *e, size_t base)
{
    size_t need = base + STACK_ITEMS_MAX + 1 + STACK_HEADROOM;
    if (need <= e->stack_capacity) return;
    size_t capacity = e->stack_capacity == 0 ? STACK_FIRST_ITEMS : e->stack_capacity;
    while (capacity < need)
        capacity *= 2;
    e->stack = must_realloc(e->stack, capacity * sizeof(*e->stack));
    e->stack_capacity = capacity;
}

static void memory_enlarge(struct evm *e, size_t need)
{
    size_t capacity = e->memory_capacity == 0 ? MEMORY_FIRST_BYTES : e->memory_capacity;
    while (capacity < need)
        capacity *= 2;
    e->memory = must_realloc(e->memory, capacity);
    e->memory_capacity = capacity;
    for (size_t i = 0; i < e->frame_count; i++) {
        struct frame *f = &e->frames[i];
        f->memory = e->memory + f->memory_base;
        if (f->input_in_memory) f->input.data = e->memory + f->input_at;
    }
}

static inline void memory_ensure(struct evm *e, size_t need)
{
    if (need > e->memory_capacity) memory_enlarge(e, need);
}

/* Which interpreter the frame begins in, and whether it may change later. */
static void choose_tier(struct evm *e, struct frame *f)
{
    f->pc = 0;
    f->is_pinned = e->tier == EVM_TIER_PLAIN || e->trace != NULL;
    f->is_fast = frame_can_be_fast(e, f);
}

bool frame_can_be_fast(struct evm *e, struct frame *f)
{
    if (f->is_pinned) return false;
    return program_visit(&e->programs, f->program, f->pc, e->tier == EVM_TIER_FAST);
}

void frame_push(struct evm *e, const struct call *c, struct program *program, size_t snapshot,
                int64_t refund)
{
    assert(e->frame_count <= CALL_DEPTH_MAX);
    size_t stack_base = 0;
    size_t memory_base = 0;
    if (e->frame_count > 0) {
        const struct frame *parent = frame_top(e);
        stack_base = parent->stack_base + parent->stack_count;
        memory_base = parent->memory_base + parent->memory_size;
    }
    stack_ensure(e, stack_base);
    memory_ensure(e, memory_base + 1);
    struct frame *f = &e->frames[e->frame_count++];
    f->program = program;
    choose_tier(e, f);
    f->gas = c->gas;
    f->stack_base = stack_base;
    f->stack_count = 0;
    f->memory_base = memory_base;
    f->memory = e->memory + memory_base;
    f->memory_size = 0;
    f->memory_gas = 0;
    f->input = c->input;
    f->input_at = c->input_at;
    f->input_in_memory = c->input_in_memory;
    if (c->input_in_memory) f->input.data = e->memory + c->input_at;
    f->is_static = c->is_static;
    f->kind = c->kind;
    f->result = EVM_OUT_OF_GAS;
    f->output_size = 0;
    f->snapshot = snapshot;
    f->refund = refund;
    f->self = c->recipient;
    f->self_word = word_of_address(&c->recipient);
    f->sender_word = word_of_address(&c->sender);
    f->value = c->value;
    buffer_clear(&e->return_data);
}

struct frame *frame_pop(struct evm *e)
{
    assert(e->frame_count > 0);
    struct frame *f = frame_top(e);
    e->frame_count--;
    program_release(f->program);
    f->program = NULL;
    buffer_clear(&e->return_data);
    if (f->result == EVM_SUCCESS || f->result == EVM_REVERT) {
        assert(f->gas >= 0);
        if (f->output_size > 0)
            buffer_append(&e->return_data, bytes_of(f->memory + f->output_at, f->output_size));
    } else {
        f->gas = 0;
    }
    if (f->result != EVM_SUCCESS) {
        e->table->revert(e->host, f->snapshot);
        e->refund = f->refund;
    }
    e->done_result = f->result;
    e->done_gas = f->gas;
    return f;
}

/* Most growth is by a word or two, for which a call would cost more than the work. */
static inline void clear_words(uint8_t *from, size_t size_bytes)
{
    static const uint64_t zeros[4] = {0};
    if (size_bytes > CLEAR_INLINE_BYTES) {
        memset(from, 0, size_bytes);
        return;
    }
    for (size_t i = 0; i < size_bytes; i += 32)
        memcpy(from + i, zeros, 32);
}

int64_t memory_expand(struct evm *e, struct frame *f, int64_t gas, uint64_t end)
{
    uint64_t words = words_of(end);
    int64_t cost = (int64_t)(words * GAS_MEMORY_WORD + words * words / 512);
    assert(end > f->memory_size && cost > f->memory_gas);
    gas -= cost - f->memory_gas;
    if (gas < 0) return gas;
    size_t size = (size_t)words * 32;
    memory_ensure(e, f->memory_base + size);
    clear_words(f->memory + f->memory_size, size - f->memory_size);
    f->memory_size = size;
    f->memory_gas = cost;
    return gas;
}

int64_t memory_expand_for(struct evm *e, struct frame *f, int64_t gas, const struct u256 *offset,
                          uint64_t size)
{
    if (!word_is_u64(offset) || offset->limb[0] > MEMORY_BYTES_MAX) return -1;
    return memory_expand(e, f, gas, offset->limb[0] + size);
}
