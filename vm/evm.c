#include "vm/evm.h"

#include "base/fatal.h"
#include "base/key.h"
#include "vm/frame.h"
#include "vm/precompile.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *evm_result_text(enum evm_result result)
{
    switch (result) {
    case EVM_SUCCESS: return "success";
    case EVM_REVERT: return "execution reverted";
    case EVM_OUT_OF_GAS: return "out of gas";
    case EVM_STACK_UNDERFLOW: return "stack underflow";
    case EVM_STACK_OVERFLOW: return "stack limit reached";
    case EVM_BAD_JUMP: return "invalid jump destination";
    case EVM_BAD_OPCODE: return "invalid opcode";
    case EVM_STATIC_VIOLATION: return "write protection";
    case EVM_RETURN_DATA_RANGE: return "return data out of bounds";
    case EVM_CALL_DEPTH: return "max call depth exceeded";
    case EVM_BALANCE: return "insufficient balance for transfer";
    case EVM_NONCE_OVERFLOW: return "nonce uint64 overflow";
    case EVM_COLLISION: return "contract address collision";
    case EVM_CODE_SIZE: return "max code size exceeded";
    case EVM_INIT_CODE_SIZE: return "max initcode size exceeded";
    case EVM_CODE_PREFIX: return "invalid code: must not begin with 0xef";
    case EVM_PRECOMPILE: return "precompile failed";
    }
    return "unknown result";
}

const char *opcode_name(unsigned char byte)
{
    static const char *const names[256] = {
#define X(byte, name, in, out, gas) [byte] = #name,
        OPCODES(X)
#undef X
    };
    return names[byte];
}

struct evm *evm_create(enum evm_revision revision)
{
    struct evm *e = must_alloc(sizeof(*e));
    e->revision = revision;
    return e;
}

enum evm_revision evm_revision_of(const struct evm *e)
{
    return e->revision;
}

const char *evm_revision_name(enum evm_revision revision)
{
    switch (revision) {
    case EVM_CANCUN: return "Cancun";
    case EVM_PRAGUE: return "Prague";
    }
    return "unknown";
}

void evm_destroy(struct evm *e)
{
    if (e == NULL) return;
    program_cache_finish(&e->programs);
    buffer_finish(&e->return_data);
    free(e->stack);
    free(e->memory);
    free(e->trace);
    free(e);
}

const char *evm_tier_name(enum evm_tier tier)
{
    switch (tier) {
    case EVM_TIER_AUTO: return "auto";
    case EVM_TIER_PLAIN: return "plain";
    case EVM_TIER_FAST: return "fast";
    }
    return "unknown tier";
}

bool evm_tier_of(enum evm_tier *out, const char *name)
{
    for (int i = 0; i < EVM_TIER_COUNT; i++) {
        if (strcmp(name, evm_tier_name((enum evm_tier)i)) != 0) continue;
        *out = (enum evm_tier)i;
        return true;
    }
    return false;
}

void evm_set_tier(struct evm *e, enum evm_tier tier)
{
    e->tier = tier;
}

void evm_set_stop_flag(struct evm *e, const volatile int *stop)
{
    e->stop = stop;
}

static void read_context(struct evm *e)
{
    const struct evm_context *c = e->table->context(e->host);
    e->context = c;
    e->words.origin = word_of_address(&c->origin);
    e->words.gas_price = c->gas_price;
    e->words.coinbase = word_of_address(&c->coinbase);
    e->words.prev_randao = word_of_hash(&c->prev_randao);
    e->words.base_fee = c->base_fee;
    e->words.blob_base_fee = c->blob_base_fee;
}

static struct call call_of_message(const struct evm_message *m)
{
    struct call c = {.kind = m->kind, .sender = m->sender, .recipient = m->recipient};
    if (m->kind == EVM_CREATE) c.recipient = address_of_create(&m->sender, m->create_nonce);
    c.code_address = c.recipient;
    c.value = m->value;
    c.input = m->input;
    c.moves_value = !m->is_static;
    c.is_static = m->is_static;
    c.gas = m->gas;
    return c;
}

static enum evm_result refusal(struct evm *e, const struct call *c)
{
    if (c->gas < 0) return EVM_OUT_OF_GAS;
    if (c->kind == EVM_CREATE && c->is_static) return EVM_STATIC_VIOLATION;
    if (c->kind == EVM_CREATE && c->input.size > INIT_CODE_BYTES_MAX) return EVM_INIT_CODE_SIZE;
    if (word_is_zero(&c->value)) return EVM_SUCCESS;
    if (c->is_static) return EVM_STATIC_VIOLATION;
    const struct u256 *balance = &e->table->account(e->host, &c->sender)->balance;
    return word_less(balance, &c->value) ? EVM_BALANCE : EVM_SUCCESS;
}

/* The topmost frame has ended: whoever waits for it goes on. */
static void leave(struct evm *e)
{
    struct frame *f = frame_top(e);
    if (f->gas < 0) assert(f->result != EVM_SUCCESS && f->result != EVM_REVERT);
    if (e->trace != NULL) trace_close(e, f->gas);
    if (f->kind == EVM_CREATE && f->result == EVM_SUCCESS) create_finish(e, f);
    f = frame_pop(e);
    if (e->frame_count == 0) return;
    if (f->kind == EVM_CREATE)
        create_reply(e, frame_top(e), &f->self);
    else
        call_reply(e, frame_top(e));
}

static void run(struct evm *e)
{
    while (e->frame_count > 0) {
        struct frame *f = frame_top(e);
        if (e->stop != NULL && *e->stop != 0)
            f->result = EVM_OUT_OF_GAS;
        else if ((f->is_fast ? interpret_fast(e, f) : interpret(e, f)) != STEP_END)
            continue;
        leave(e);
    }
}

void evm_execute(struct evm *e, struct evm_outcome *out, const struct host_table *table,
                 struct host *host, const struct evm_message *message)
{
    assert(e->frame_count == 0);
    e->table = table;
    e->host = host;
    e->refund = 0;
    read_context(e);
    struct call c = call_of_message(message);
    enum evm_result refused = refusal(e, &c);
    if (refused != EVM_SUCCESS)
        call_done(e, refused, c.gas < 0 ? 0 : c.gas);
    else if ((c.kind == EVM_CREATE ? create_begin(e, &c) : call_outermost(e, &c)) == STEP_ENTER)
        run(e);
    assert(e->frame_count == 0 && e->done_gas >= 0);
    *out = (struct evm_outcome){.result = e->done_result, .gas_left = e->done_gas};
    out->output = buffer_bytes(&e->return_data);
    if (out->result != EVM_SUCCESS) return;
    assert(e->refund >= 0);
    out->gas_refund = e->refund;
    if (c.kind == EVM_CREATE) out->created = c.recipient;
}
