/* CREATE and CREATE2: the new account, its init code, and the code that it leaves. */
#include "base/keccak.h"
#include "base/key.h"
#include "vm/frame.h"
#include "vm/gas.h"

#include <assert.h>

struct create_operands {
    struct u256 value, offset, size, salt;
};

static void pop_operands(struct evm *e, struct frame *f, enum opcode op, struct create_operands *o)
{
    const struct u256 *top = frame_stack(e, f);
    o->value = *top--;
    o->offset = *top--;
    o->size = *top--;
    o->salt = word_u64(0);
    if (op == OP_CREATE2) o->salt = *top--;
    f->stack_count = (size_t)(top - &e->stack[f->stack_base]);
}

static int64_t charge(struct evm *e, struct frame *f, enum opcode op,
                      const struct create_operands *o)
{
    if (f->is_static) return frame_fail(f, EVM_STATIC_VIOLATION);
    int64_t gas = memory_reserve(e, f, f->gas, &o->offset, &o->size);
    if (gas < 0) return gas;
    uint64_t size = word_saturated(&o->size);
    if (size > INIT_CODE_BYTES_MAX) return frame_fail(f, EVM_INIT_CODE_SIZE);
    int64_t word_gas = GAS_INIT_CODE_WORD + (op == OP_CREATE2 ? GAS_KECCAK_WORD : 0);
    return gas - word_gas * (int64_t)words_of(size);
}

/* Why the create does not even begin; SUCCESS if it does. */
static enum evm_result refusal(struct evm *e, const struct frame *f, const struct u256 *value,
                               uint64_t nonce)
{
    if (e->frame_count > CALL_DEPTH_MAX) return EVM_CALL_DEPTH;
    if (nonce == UINT64_MAX) return EVM_NONCE_OVERFLOW;
    if (word_is_zero(value)) return EVM_SUCCESS;
    const struct u256 *balance = &e->table->account(e->host, &f->self)->balance;
    return word_less(balance, value) ? EVM_BALANCE : EVM_SUCCESS;
}

static struct address new_address(const struct frame *f, const struct call *c, enum opcode op,
                                  const struct u256 *salt, uint64_t nonce)
{
    if (op == OP_CREATE) return address_of_create(&f->self, nonce);
    struct hash salt_hash = word_to_hash(salt);
    struct hash code_hash = keccak256(c->input);
    return address_of_create2(&f->self, &salt_hash, &code_hash);
}

static struct call call_from_operands(struct evm *e, struct frame *f,
                                      const struct create_operands *o)
{
    struct call c = {.kind = EVM_CREATE, .sender = f->self, .value = o->value};
    c.moves_value = true;
    size_t size = (size_t)o->size.limb[0];
    if (size > 0) c.input = bytes_of(f->memory + o->offset.limb[0], size);
    c.gas = f->gas - f->gas / 64;
    f->gas -= c.gas;
    assert(e->frame_count > 0 && c.gas >= 0);
    return c;
}

enum step op_create(struct evm *e, struct frame *f, enum opcode op)
{
    struct create_operands o;
    pop_operands(e, f, op, &o);
    f->gas = charge(e, f, op, &o);
    if (f->gas < 0) return STEP_END;
    struct call c = call_from_operands(e, f, &o);
    if (e->trace != NULL) trace_close(e, f->gas);
    uint64_t nonce = e->table->account(e->host, &f->self)->nonce;
    enum evm_result refused = refusal(e, f, &o.value, nonce);
    if (refused != EVM_SUCCESS) {
        call_done(e, refused, c.gas);
    } else {
        e->table->set_nonce(e->host, &f->self, nonce + 1);
        c.recipient = new_address(f, &c, op, &o.salt, nonce);
        if (create_begin(e, &c) == STEP_ENTER) return STEP_ENTER;
    }
    create_reply(e, f, &c.recipient);
    return STEP_NEXT;
}

/* EIP-684 and EIP-7610. */
static bool is_taken(struct evm *e, const struct address *a)
{
    const struct host_account *account = e->table->account(e->host, a);
    return account->nonce != 0 || !hash_equal(&account->code_hash, &KECCAK_EMPTY) ||
           e->table->has_storage(e->host, a);
}

enum step create_begin(struct evm *e, const struct call *c)
{
    (void)e->table->touch_account(e->host, &c->recipient); /* stays warm if the create fails */
    if (is_taken(e, &c->recipient)) {
        call_done(e, EVM_COLLISION, 0);
        return STEP_NEXT;
    }
    size_t snapshot = e->table->snapshot(e->host);
    e->table->mark_created(e->host, &c->recipient);
    e->table->set_nonce(e->host, &c->recipient, 1);
    if (!word_is_zero(&c->value)) e->table->transfer(e->host, &c->sender, &c->recipient, c->value);
    struct program *program = program_create(c->input);
    struct call without_input = *c; /* init code is code; its calldata is empty */
    without_input.input = bytes_of(NULL, 0);
    frame_push(e, &without_input, program, snapshot, e->refund);
    return STEP_ENTER;
}

void create_finish(struct evm *e, struct frame *f)
{
    assert(f->kind == EVM_CREATE && f->result == EVM_SUCCESS);
    struct bytes code = bytes_of(f->memory + f->output_at, f->output_size);
    if (code.size > CODE_BYTES_MAX) {
        f->result = EVM_CODE_SIZE;
        return;
    }
    if (code.size > 0 && code.data[0] == 0xef) { /* EIP-3541 */
        f->result = EVM_CODE_PREFIX;
        return;
    }
    f->gas -= GAS_CODE_DEPOSIT_BYTE * (int64_t)code.size;
    if (f->gas < 0)
        f->result = EVM_OUT_OF_GAS;
    else if (code.size > 0)
        e->table->set_code(e->host, &f->self, code);
}

void create_reply(struct evm *e, struct frame *waiting, const struct address *created)
{
    waiting->gas += e->done_gas;
    waiting->stack_count++;
    *frame_stack(e, waiting) = word_u64(0);
    if (e->done_result == EVM_SUCCESS) *frame_stack(e, waiting) = word_of_address(created);
    /* Return data survives only a revert. */
    if (e->done_result != EVM_REVERT) buffer_clear(&e->return_data);
}
