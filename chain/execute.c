#include "chain/execute.h"

#include "chain/authorize.h"
#include "vm/delegation.h"

#include <assert.h>

#define REFUND_PART 5 /* EIP-3529: at most a fifth of the gas used */

const struct address SYSTEM_ADDRESS = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                        0xff, 0xff, 0xff, 0xff, 0xff, 0xfe}};

void execution_init(struct execution *x, struct evm *evm, struct layer *layer,
                    const struct chain_config *config, const struct header *header)
{
    *x = (struct execution){.evm = evm, .config = config, .gas_left = header->gas_limit};
    x->host.layer = layer;
    x->host.context = (struct evm_context){
        .chain_id = config->chain_id,
        .number = header->number,
        .timestamp_s = header->timestamp_s,
        .gas_limit = header->gas_limit,
        .coinbase = header->coinbase,
        .prev_randao = header->mix_hash,
        .base_fee = header->base_fee,
        .blob_base_fee = u256_from_u64(1),
    };
}

void execution_set_ancestry(struct execution *x, const struct ancestry *ancestry)
{
    x->host.ancestry = ancestry->context;
    x->host.block_hash = ancestry->hash;
}

/* ---- what all kinds of message share ---- */

struct target {
    bool is_create;
    const struct address *to;
    const struct access_entry *access;
    size_t access_count;
};

/* EIP-7702: whose code the message runs is warm, and not paid for. */
static void warm_delegate(struct execution *x, const struct address *to)
{
    struct address delegate;
    if (evm_revision_of(x->evm) < EVM_PRAGUE) return;
    if (!delegation_decode(&delegate, layer_code(x->host.layer, to))) return;
    layer_warm_account(x->host.layer, &delegate);
}

static void warm_up(struct execution *x, const struct address *sender, const struct target *target)
{
    struct layer *l = x->host.layer;
    layer_warm_account(l, sender);
    if (!target->is_create) {
        layer_warm_account(l, target->to);
        warm_delegate(x, target->to);
    }
    layer_warm_account(l, &x->host.context.coinbase); /* EIP-3651 */
    enum evm_revision revision = evm_revision_of(x->evm);
    for (size_t i = 0; i < evm_precompile_count(revision); i++) {
        struct address a;
        evm_precompile_address(revision, i, &a);
        layer_warm_account(l, &a);
    }
    for (size_t i = 0; i < target->access_count; i++) {
        const struct access_entry *e = &target->access[i];
        layer_warm_account(l, &e->address);
        for (size_t j = 0; j < e->slot_count; j++) {
            layer_warm_slot(l, &e->address, u256_from_be(hash_bytes(&e->slots[j])));
        }
    }
}

/* What a message may use and gets back, beside what the VM itself counts. */
struct gas_terms {
    uint64_t limit;
    uint64_t floor;  /* EIP-7623: used at least, whatever is refunded */
    uint64_t refund; /* of authorizations: stays when the call fails */
};

static uint64_t settle_gas(const struct gas_terms *terms, const struct evm_outcome *o)
{
    assert(o->gas_left >= 0 && (uint64_t)o->gas_left <= terms->limit);
    uint64_t used = terms->limit - (uint64_t)o->gas_left;
    uint64_t refund = terms->refund;
    if (o->result == EVM_SUCCESS && o->gas_refund > 0) refund += (uint64_t)o->gas_refund;
    uint64_t most = used / REFUND_PART;
    used -= refund < most ? refund : most;
    return used < terms->floor ? terms->floor : used;
}

static struct tx_outcome outcome_of(const struct evm_outcome *o, const struct gas_terms *terms)
{
    return (struct tx_outcome){
        .result = o->result,
        .gas_used = settle_gas(terms, o),
        .output = o->output,
        .created = o->created,
    };
}

/* ---- transactions ---- */

/* EIP-3607, and EIP-7702's exception. */
static bool may_send(struct execution *x, const struct account *a, const struct address *sender)
{
    if (!account_has_code(a)) return true;
    return evm_revision_of(x->evm) >= EVM_PRAGUE && layer_is_delegated(x->host.layer, sender);
}

static enum tx_reason check_state(struct execution *x, const struct tx *t,
                                  const struct address *sender)
{
    enum tx_reason reason =
        tx_check_static(t, evm_revision_of(x->evm), x->config->chain_id, x->host.context.gas_limit);
    if (reason != TX_FINE) return reason;
    if (t->gas_limit > x->gas_left) return TX_BLOCK_GAS_USED_UP;
    if (u256_compare(t->max_fee_per_gas, x->host.context.base_fee) < 0) return TX_FEE_BELOW_BASE;
    if (t->type == TX_BLOB &&
        u256_compare(t->max_fee_per_blob_gas, x->host.context.blob_base_fee) < 0) {
        return TX_BLOB_FEE;
    }
    struct account a = layer_account(x->host.layer, sender);
    if (!may_send(x, &a, sender)) return TX_SENDER_HAS_CODE;
    return tx_check_account(t, a.nonce, a.balance);
}

static struct u256 gas_cost(uint64_t gas, struct u256 price)
{
    return u256_mul(u256_from_u64(gas), price);
}

static void buy_gas(struct execution *x, const struct tx *t, const struct address *sender)
{
    struct u256 blob_gas = u256_from_u64((uint64_t)t->blob_hash_count * 131072); /* EIP-4844 */
    layer_sub_balance(x->host.layer, sender, gas_cost(t->gas_limit, x->host.context.gas_price));
    layer_sub_balance(x->host.layer, sender, u256_mul(blob_gas, x->host.context.blob_base_fee));
}

static void pay_fees(struct execution *x, const struct tx *t, const struct address *sender,
                     uint64_t gas_used)
{
    struct layer *l = x->host.layer;
    struct u256 price = x->host.context.gas_price;
    struct u256 tip = u256_sub(price, x->host.context.base_fee); /* the rest is burned */
    layer_add_balance(l, sender, gas_cost(t->gas_limit - gas_used, price));
    layer_add_balance(l, &x->host.context.coinbase, gas_cost(gas_used, tip));
}

static void run_transaction(struct execution *x, struct evm_outcome *out, const struct tx *t,
                            const struct address *sender)
{
    struct evm_message m = {
        .kind = t->is_create ? EVM_CREATE : EVM_CALL,
        .sender = *sender,
        .recipient = t->to,
        .value = t->value,
        .input = t->data,
        .gas = (int64_t)(t->gas_limit - tx_intrinsic_gas(t)),
        .create_nonce = t->nonce,
    };
    evm_execute(x->evm, out, &HOST_OF_LAYER, &x->host, &m);
}

enum tx_reason execute_transaction(struct execution *x, struct tx_outcome *out, const struct tx *t,
                                   const struct address *sender)
{
    enum tx_reason reason = check_state(x, t, sender);
    if (reason != TX_FINE) return reason;
    struct layer *l = x->host.layer;
    struct target target = {t->is_create, &t->to, t->access, t->access_count};
    x->host.context.origin = *sender;
    x->host.context.gas_price = tx_gas_price(t, x->host.context.base_fee);
    x->host.context.blob_hashes = t->blob_hashes;
    x->host.context.blob_hash_count = t->blob_hash_count;
    struct authorizations authorizations = {t->authorizations, t->authorization_count,
                                            x->config->chain_id};
    struct gas_terms terms = {.limit = t->gas_limit,
                              .floor = tx_floor_gas(t, evm_revision_of(x->evm))};
    layer_begin(l);
    buy_gas(x, t, sender);
    layer_set_nonce(l, sender, t->nonce + 1);
    terms.refund = authorize(l, &authorizations);
    warm_up(x, sender, &target);
    struct evm_outcome o = {0};
    run_transaction(x, &o, t, sender);
    *out = outcome_of(&o, &terms);
    out->gas_price = x->host.context.gas_price;
    pay_fees(x, t, sender, out->gas_used);
    layer_end(l);
    out->logs = layer_logs(l, &out->log_count);
    assert(out->gas_used <= x->gas_left);
    x->gas_left -= out->gas_used;
    return TX_FINE;
}

/* ---- system calls ---- */

static void set_caller(struct execution *x, const struct address *origin, struct u256 gas_price)
{
    x->host.context.origin = *origin;
    x->host.context.gas_price = gas_price;
    x->host.context.blob_hashes = NULL;
    x->host.context.blob_hash_count = 0;
}

void execute_system(struct execution *x, struct tx_outcome *out, const struct system_message *s)
{
    struct layer *l = x->host.layer;
    struct target target = {.to = &s->to};
    struct evm_outcome o = {0};
    struct evm_message m = {
        .kind = EVM_CALL,
        .sender = SYSTEM_ADDRESS,
        .recipient = s->to,
        .value = s->value,
        .input = s->input,
        .gas = SYSTEM_CALL_GAS,
        .is_static = s->is_static,
    };
    assert(!s->is_static || u256_is_zero(s->value));
    set_caller(x, &SYSTEM_ADDRESS, (struct u256){0});
    layer_begin(l);
    size_t before = layer_snapshot(l);
    layer_add_balance(l, &SYSTEM_ADDRESS, s->value);
    warm_up(x, &SYSTEM_ADDRESS, &target);
    evm_execute(x->evm, &o, &HOST_OF_LAYER, &x->host, &m);
    if (o.result != EVM_SUCCESS) layer_revert(l, before);
    layer_end(l);
    *out = outcome_of(&o, &(struct gas_terms){.limit = SYSTEM_CALL_GAS});
    out->logs = layer_logs(l, &out->log_count);
}

/* ---- read-only calls ---- */

static struct tx tx_of_call(const struct call_request *r)
{
    return (struct tx){.is_create = r->is_create,
                       .gas_limit = r->gas_limit,
                       .data = r->data,
                       .access = r->access,
                       .access_count = r->access_count,
                       .authorizations = r->authorizations,
                       .authorization_count = r->authorization_count};
}

static enum tx_reason check_call(struct execution *x, const struct call_request *r,
                                 const struct tx *as_tx)
{
    struct account a = layer_account(x->host.layer, &r->from);
    struct u256 fee, cost;
    if (r->is_create && r->data.size > INIT_CODE_SIZE_MAX) return TX_INIT_CODE_SIZE;
    if (r->is_create && r->authorization_count > 0) return TX_SET_CODE_CREATE;
    if (r->gas_limit > INT64_MAX) return TX_INTRINSIC_GAS;
    enum tx_reason reason = tx_check_gas(as_tx, evm_revision_of(x->evm));
    if (reason != TX_FINE) return reason;
    if (!u256_mul_checked(&fee, u256_from_u64(r->gas_limit), r->gas_price)) return TX_FUNDS;
    if (!u256_add_checked(&cost, fee, r->value)) return TX_FUNDS;
    return u256_compare(a.balance, cost) < 0 ? TX_FUNDS : TX_FINE;
}

/* Returns the refund of authorizations. */
static uint64_t run_call(struct execution *x, struct evm_outcome *o, const struct call_request *r,
                         int64_t gas)
{
    struct layer *l = x->host.layer;
    struct target target = {r->is_create, &r->to, r->access, r->access_count};
    struct authorizations authorizations = {r->authorizations, r->authorization_count,
                                            x->config->chain_id};
    uint64_t nonce = layer_account(l, &r->from).nonce;
    struct evm_message m = {
        .kind = r->is_create ? EVM_CREATE : EVM_CALL,
        .sender = r->from,
        .recipient = r->to,
        .value = r->value,
        .input = r->data,
        .gas = gas,
        .create_nonce = nonce,
    };
    if (nonce < UINT64_MAX) layer_set_nonce(l, &r->from, nonce + 1);
    uint64_t refund = authorize(l, &authorizations);
    warm_up(x, &r->from, &target);
    evm_execute(x->evm, o, &HOST_OF_LAYER, &x->host, &m);
    return refund;
}

enum tx_reason execute_call(struct execution *x, struct tx_outcome *out,
                            const struct call_request *request, const volatile int *stop)
{
    struct layer *l = x->host.layer;
    struct tx as_tx = tx_of_call(request);
    enum tx_reason reason = check_call(x, request, &as_tx);
    if (reason != TX_FINE) return reason;
    struct gas_terms terms = {.limit = request->gas_limit,
                              .floor = tx_floor_gas(&as_tx, evm_revision_of(x->evm))};
    struct evm_outcome o = {0};
    set_caller(x, &request->from, request->gas_price);
    evm_set_stop_flag(x->evm, stop);
    layer_begin(l);
    size_t before = layer_snapshot(l);
    int64_t gas = (int64_t)(request->gas_limit - tx_intrinsic_gas(&as_tx));
    terms.refund = run_call(x, &o, request, gas);
    layer_revert(l, before);
    layer_end(l);
    evm_set_stop_flag(x->evm, NULL);
    *out = outcome_of(&o, &terms);
    return TX_FINE;
}

static bool succeeds(struct execution *x, const struct call_request *request, uint64_t gas,
                     const volatile int *stop)
{
    struct tx_outcome out;
    struct call_request r = *request;
    r.gas_limit = gas;
    return execute_call(x, &out, &r, stop) == TX_FINE && out.result == EVM_SUCCESS;
}

static uint64_t least_gas(struct execution *x, const struct call_request *request,
                          uint64_t gas_used, const volatile int *stop)
{
    uint64_t fails = gas_used - 1; /* what is used after refunds: it may need more, never less */
    uint64_t works = request->gas_limit;
    if (succeeds(x, request, gas_used, stop)) return gas_used;
    while (works - fails > 1) {
        uint64_t middle = fails + (works - fails) / 2;
        if (stop != NULL && *stop) return 0;
        if (succeeds(x, request, middle, stop)) {
            works = middle;
        } else {
            fails = middle;
        }
    }
    return works;
}

enum tx_reason execute_estimate(struct execution *x, uint64_t *gas, struct tx_outcome *out,
                                const struct call_request *request, const volatile int *stop)
{
    struct tx_outcome whole = {0};
    enum tx_reason reason = execute_call(x, &whole, request, stop);
    if (reason != TX_FINE) return reason;
    *gas = 0;
    *out = whole;
    if (whole.result != EVM_SUCCESS) return TX_FINE;
    *gas = least_gas(x, request, whole.gas_used, stop);
    out->output = (struct bytes){0}; /* overwritten by the runs since */
    if (*gas == 0) out->result = EVM_OUT_OF_GAS;
    return TX_FINE;
}
