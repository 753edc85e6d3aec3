/* The CALL family: what a call costs, how it begins and what its caller gets back. */
#include "vm/delegation.h"
#include "vm/frame.h"
#include "vm/gas.h"
#include "vm/precompile.h"

#include <assert.h>
#include <string.h>

/* Where the operands lie on the stack. They stay there, popped, until a frame is pushed. */
struct call_operands {
    const struct u256 *gas;
    const struct u256 *value;
    const struct u256 *input_offset, *input_size;
    const struct u256 *reply_offset, *reply_size;
    struct address target;
};

static bool has_value_operand(enum opcode op)
{
    return op == OP_CALL || op == OP_CALLCODE;
}

/* Leaves the popped items' count in the frame as it will be without the reply. */
static void pop_operands(struct evm *e, struct frame *f, enum opcode op, struct call_operands *o)
{
    static const struct u256 nothing = {{0}};
    const struct u256 *top = frame_stack(e, f);
    size_t count = has_value_operand(op) ? 7 : 6;
    o->gas = top;
    o->target = word_to_address(&top[-1]);
    o->value = has_value_operand(op) ? &top[-2] : &nothing;
    top -= count;
    o->input_offset = &top[4];
    o->input_size = &top[3];
    o->reply_offset = &top[2];
    o->reply_size = &top[1];
    f->stack_count -= count;
}

static int64_t charge_access(int64_t gas, const struct host_account *touched)
{
    return gas - (touched->was == ACCESS_COLD ? GAS_COLD_ACCOUNT : GAS_WARM_ACCESS);
}

static int64_t charge_value(struct frame *f, int64_t gas, enum opcode op,
                            const struct call_operands *o, const struct host_account *target)
{
    if (word_is_zero(o->value)) return gas;
    if (op == OP_CALL && f->is_static) return frame_fail(f, EVM_STATIC_VIOLATION);
    gas -= GAS_CALL_VALUE;
    return op == OP_CALL && !host_account_exists(target) ? gas - GAS_NEW_ACCOUNT : gas;
}

/* What runs at `a`, the account as the host has just shown it: with one use for the caller, NULL
 * when there is no code. */
static struct program *program_at(struct evm *e, const struct address *a,
                                  const struct host_account *account)
{
    struct hash code_hash = account->code_hash;
    struct program *p = program_cache_find(&e->programs, &code_hash);
    if (p != NULL || hash_equal(&code_hash, &KECCAK_EMPTY)) return p;
    p = program_create(e->table->code(e->host, a));
    program_cache_put(&e->programs, p, &code_hash);
    return p;
}

/* Finds what a call to `a` runs, with one use in *out. EIP-7702: true if that is the code of
 * another account, which goes into *delegate, and *out is then NULL. */
static bool find_code(struct evm *e, struct program **out, struct address *delegate,
                      const struct address *a, const struct host_account *account)
{
    *out = NULL;
    if (evm_is_precompile(e->revision, a)) return false;
    *out = program_at(e, a, account);
    if (*out == NULL || e->revision < EVM_PRAGUE) return false;
    if (!delegation_decode(delegate, bytes_of((*out)->code, (*out)->size))) return false;
    program_release(*out);
    *out = NULL;
    return true;
}

/* All but the gas that goes along, with the program that will run in *out (find_code): a delegate's
 * code runs whatever it is, a precompile's being none and a delegation's a bad opcode. */
static int64_t charge(struct evm *e, struct frame *f, struct program **out, enum opcode op,
                      const struct call_operands *o)
{
    struct address delegate;
    int64_t gas = memory_reserve(e, f, f->gas, o->input_offset, o->input_size);
    if (gas >= 0) gas = memory_reserve(e, f, gas, o->reply_offset, o->reply_size);
    if (gas < 0) return gas;
    const struct host_account *target = e->table->touch_account(e->host, &o->target);
    gas = charge_access(gas, target);
    if (gas >= 0) gas = charge_value(f, gas, op, o, target);
    if (gas < 0 || !find_code(e, out, &delegate, &o->target, target)) return gas;
    target = e->table->touch_account(e->host, &delegate);
    gas = charge_access(gas, target);
    if (gas >= 0) *out = program_at(e, &delegate, target);
    return gas;
}

/* EIP-150: at most all but a 64th goes along; the stipend comes on top. */
static int64_t take_call_gas(struct frame *f, const struct call_operands *o)
{
    int64_t most = f->gas - f->gas / 64;
    uint64_t wanted = word_saturated(o->gas);
    int64_t gas = wanted < (uint64_t)most ? (int64_t)wanted : most;
    f->gas -= gas;
    return word_is_zero(o->value) ? gas : gas + GAS_CALL_STIPEND;
}

static void call_from_operands(struct call *c, struct evm *e, struct frame *f, enum opcode op,
                               const struct call_operands *o)
{
    bool here = op == OP_CALLCODE || op == OP_DELEGATECALL;
    c->kind = EVM_CALL;
    c->sender = op == OP_DELEGATECALL ? word_to_address(&f->sender_word) : f->self;
    c->recipient = here ? f->self : o->target;
    c->code_address = o->target;
    c->value = op == OP_DELEGATECALL ? f->value : *o->value;
    c->moves_value = op == OP_CALL;
    c->is_static = f->is_static || op == OP_STATICCALL;
    c->input_in_memory = !word_is_zero(o->input_size);
    c->input_at = c->input_in_memory ? f->memory_base + (size_t)o->input_offset->limb[0] : 0;
    c->input = bytes_of(NULL, 0);
    if (c->input_in_memory)
        c->input = bytes_of(e->memory + c->input_at, (size_t)o->input_size->limb[0]);
}

static enum evm_result refusal(struct evm *e, const struct frame *f, const struct u256 *value)
{
    if (e->frame_count > CALL_DEPTH_MAX) return EVM_CALL_DEPTH;
    if (word_is_zero(value)) return EVM_SUCCESS;
    const struct u256 *balance = &e->table->account(e->host, &f->self)->balance;
    return word_less(balance, value) ? EVM_BALANCE : EVM_SUCCESS;
}

void call_done(struct evm *e, enum evm_result result, int64_t gas)
{
    e->done_result = result;
    e->done_gas = gas;
    buffer_clear(&e->return_data);
}

void call_reply(struct evm *e, struct frame *waiting)
{
    size_t size = e->return_data.size;
    if (size > waiting->reply_size) size = waiting->reply_size;
    assert(size == 0 || waiting->reply_at + size <= waiting->memory_size);
    if (size > 0) memcpy(waiting->memory + waiting->reply_at, e->return_data.data, size);
    waiting->gas += e->done_gas;
    waiting->stack_count++;
    *frame_stack(e, waiting) = word_u64(e->done_result == EVM_SUCCESS);
}

static void run_precompile(struct evm *e, const struct call *c, size_t snapshot)
{
    e->done_gas = c->gas;
    buffer_clear(&e->return_data);
    e->done_result = precompile_run(&c->code_address, &e->done_gas, &e->return_data, c->input);
    if (e->done_result == EVM_SUCCESS) return;
    e->table->revert(e->host, snapshot);
    call_done(e, e->done_result, 0);
}

/* Begins a call whose gas is paid and whose depth and balance are checked; takes its program. */
static enum step call_begin(struct evm *e, const struct call *c)
{
    size_t snapshot = e->table->snapshot(e->host);
    if (c->moves_value && !word_is_zero(&c->value))
        e->table->transfer(e->host, &c->sender, &c->recipient, c->value);
    if (c->program != NULL) {
        frame_push(e, c, c->program, snapshot, e->refund);
        return STEP_ENTER;
    }
    if (evm_is_precompile(e->revision, &c->code_address))
        run_precompile(e, c, snapshot);
    else
        call_done(e, EVM_SUCCESS, c->gas);
    return STEP_NEXT;
}

enum step call_outermost(struct evm *e, struct call *c)
{
    struct address delegate;
    const struct host_account *account = e->table->account(e->host, &c->code_address);
    if (find_code(e, &c->program, &delegate, &c->code_address, account))
        c->program = program_at(e, &delegate, e->table->account(e->host, &delegate));
    return call_begin(e, c);
}

enum step op_call(struct evm *e, struct frame *f, enum opcode op)
{
    struct call_operands o;
    struct program *program = NULL;
    pop_operands(e, f, op, &o);
    f->gas = charge(e, f, &program, op, &o);
    if (f->gas < 0) return STEP_END;
    f->reply_size = (size_t)word_saturated(o.reply_size);
    f->reply_at = f->reply_size == 0 ? 0 : (size_t)o.reply_offset->limb[0];

    struct call c;
    call_from_operands(&c, e, f, op, &o);
    c.program = program;
    c.gas = take_call_gas(f, &o);
    if (e->trace != NULL) trace_close(e, f->gas);
    enum evm_result refused = refusal(e, f, o.value);
    if (refused == EVM_SUCCESS && call_begin(e, &c) == STEP_ENTER) return STEP_ENTER;
    if (refused != EVM_SUCCESS) {
        if (program != NULL) program_release(program);
        call_done(e, refused, c.gas);
    }
    call_reply(e, f);
    return STEP_NEXT;
}
