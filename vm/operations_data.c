#include "vm/operations.h"

#include "base/keccak.h"
#include "vm/gas.h"

#include <assert.h>
#include <string.h>

OPERATION(op_exp)
{
    (void)e;
    (void)f;
    gas -= GAS_EXP_BYTE * (int64_t)word_byte_length(&top[-1]);
    if (gas < 0) return gas;
    word_exp(&top[-1], &top[0], &top[-1]);
    return gas;
}

OPERATION(op_keccak256)
{
    gas = memory_reserve(e, f, gas, &top[0], &top[-1]);
    if (gas < 0) return gas;
    uint64_t size = top[-1].limb[0];
    gas -= GAS_KECCAK_WORD * (int64_t)words_of(size);
    if (gas < 0) return gas;
    const uint8_t *data = size == 0 ? NULL : f->memory + top[0].limb[0];
    struct hash h = keccak256(bytes_of(data, (size_t)size));
    top[-1] = word_of_hash(&h);
    return gas;
}

OPERATION(op_calldataload)
{
    (void)e;
    uint8_t padded[32] = {0};
    uint64_t offset = word_saturated(&top[0]);
    if (offset < f->input.size) {
        size_t there = f->input.size - (size_t)offset;
        memcpy(padded, f->input.data + offset, there < 32 ? there : 32);
    }
    top[0] = word_load(padded);
    return gas;
}

void copy_padded(struct frame *f, const struct u256 *to, struct bytes source,
                 const struct u256 *from, const struct u256 *size)
{
    size_t count = (size_t)size->limb[0];
    if (count == 0) return;
    assert(to->limb[0] + count <= f->memory_size);
    uint8_t *out = f->memory + to->limb[0];
    uint64_t offset = word_saturated(from);
    size_t there = offset < source.size ? source.size - (size_t)offset : 0;
    if (there > count) there = count;
    if (there > 0) memcpy(out, source.data + offset, there);
    if (there < count) memset(out + there, 0, count - there);
}

/* The memory and the words of a copy to (to, size). */
static int64_t charge_copy(struct evm *e, struct frame *f, int64_t gas, const struct u256 *to,
                           const struct u256 *size)
{
    gas = memory_reserve(e, f, gas, to, size);
    return gas < 0 ? gas : gas - GAS_COPY_WORD * (int64_t)words_of(size->limb[0]);
}

OPERATION(op_calldatacopy)
{
    gas = charge_copy(e, f, gas, &top[0], &top[-2]);
    if (gas >= 0) copy_padded(f, &top[0], f->input, &top[-1], &top[-2]);
    return gas;
}

OPERATION(op_codecopy)
{
    gas = charge_copy(e, f, gas, &top[0], &top[-2]);
    if (gas < 0) return gas;
    copy_padded(f, &top[0], bytes_of(f->program->code, f->program->size), &top[-1], &top[-2]);
    return gas;
}

/* EIP-211: reading behind the end is a failure, even of no bytes. */
OPERATION(op_returndatacopy)
{
    uint64_t from = word_saturated(&top[-1]);
    uint64_t size = word_saturated(&top[-2]);
    size_t there = e->return_data.size;
    if (from > there || size > there - from) return frame_fail(f, EVM_RETURN_DATA_RANGE);
    gas = charge_copy(e, f, gas, &top[0], &top[-2]);
    if (gas >= 0) copy_padded(f, &top[0], buffer_bytes(&e->return_data), &top[-1], &top[-2]);
    return gas;
}

OPERATION(op_mcopy)
{
    const struct u256 *further = word_less(&top[0], &top[-1]) ? &top[-1] : &top[0];
    gas = charge_copy(e, f, gas, further, &top[-2]);
    if (gas < 0 || word_is_zero(&top[-2])) return gas;
    memmove(f->memory + top[0].limb[0], f->memory + top[-1].limb[0], (size_t)top[-2].limb[0]);
    return gas;
}

OPERATION(op_return)
{
    gas = memory_reserve(e, f, gas, &top[0], &top[-1]);
    if (gas < 0) return gas;
    f->output_size = (size_t)top[-1].limb[0];
    f->output_at = f->output_size == 0 ? 0 : (size_t)top[0].limb[0];
    return gas;
}

int64_t op_log(struct evm *e, struct frame *f, struct u256 *top, int64_t gas, size_t topics)
{
    if (f->is_static) return frame_fail(f, EVM_STATIC_VIOLATION);
    gas = memory_reserve(e, f, gas, &top[0], &top[-1]);
    if (gas < 0) return gas;
    uint64_t size = top[-1].limb[0];
    gas -= GAS_LOG_BYTE * (int64_t)size;
    if (gas < 0) return gas;
    struct log_entry entry = {.address = f->self, .topic_count = topics};
    for (size_t i = 0; i < topics; i++)
        entry.topics[i] = word_to_hash(top - 2 - i);
    if (size > 0) entry.data = bytes_of(f->memory + top[0].limb[0], (size_t)size);
    e->table->log(e->host, &entry);
    return gas;
}
