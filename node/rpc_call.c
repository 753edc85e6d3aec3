/* Calls that leave nothing behind, what gas they take, and the sending of transactions. */
#include "node/rpc_methods.h"

#include "base/hex.h"

#include <stdio.h>
#include <string.h>

#define REVERT_REASON_MAX 300
#define CALL_ACCESS_MAX   4096 /* addresses and slots together */

/* ---- calls ---- */

static void read_access_entry(struct session *s, struct rpc_reply *reply, struct access_entry *out,
                              const json_t *item)
{
    const json_t *keys = json_object_get(item, "storageKeys");
    size_t count = json_array_size(keys);
    struct hash *slots = arena_alloc(session_arena(s), (count + 1) * sizeof *slots);
    for (size_t i = 0; i < count; i++)
        slots[i] = read_hash(reply, json_array_get(keys, i), "storage key");
    out->address = read_address(reply, json_object_get(item, "address"), "access list address");
    out->slots = slots;
    out->slot_count = count;
}

static void read_access(struct session *s, struct rpc_reply *reply, struct call_request *out,
                        const json_t *list)
{
    size_t count = json_array_size(list), total = count;
    if (list == NULL || json_is_null(list)) return;
    for (size_t i = 0; i < count; i++)
        total += json_array_size(json_object_get(json_array_get(list, i), "storageKeys"));
    if (!json_is_array(list) || total > CALL_ACCESS_MAX) {
        rpc_error(reply, RPC_INVALID_PARAMS, "invalid argument: accessList");
        return;
    }
    struct access_entry *access = arena_alloc(session_arena(s), (count + 1) * sizeof *access);
    for (size_t i = 0; i < count; i++)
        read_access_entry(s, reply, &access[i], json_array_get(list, i));
    out->access = access;
    out->access_count = count;
}

static void read_authorization(struct rpc_reply *reply, struct authorization *out,
                               const json_t *item)
{
    out->chain_id = read_u256(reply, json_object_get(item, "chainId"), "authorization chainId");
    out->delegate = read_address(reply, json_object_get(item, "address"), "authorization address");
    out->nonce = read_quantity(reply, json_object_get(item, "nonce"), "authorization nonce");
    struct u256 x = read_u256(reply, json_object_get(item, "r"), "authorization r");
    struct u256 s = read_u256(reply, json_object_get(item, "s"), "authorization s");
    uint64_t parity = read_quantity(reply, json_object_get(item, "yParity"), "yParity");
    if (parity > UINT8_MAX) rpc_error(reply, RPC_INVALID_PARAMS, "invalid argument: yParity");
    u256_to_be(out->signature.b, x);
    u256_to_be(out->signature.b + 32, s);
    out->signature.b[64] = (uint8_t)parity;
}

static void read_authorizations(struct session *s, struct rpc_reply *reply,
                                struct call_request *out, const json_t *list)
{
    size_t count = json_array_size(list);
    if (list == NULL) return;
    if (!json_is_array(list) || count > TX_AUTHORIZATIONS_MAX) {
        rpc_error(reply, RPC_INVALID_PARAMS, "invalid argument: authorizationList");
        return;
    }
    struct authorization *all = arena_alloc(session_arena(s), (count + 1) * sizeof *all);
    for (size_t i = 0; i < count; i++)
        read_authorization(reply, &all[i], json_array_get(list, i));
    out->authorizations = all;
    out->authorization_count = count;
}

static const json_t *field(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

static void read_price(struct rpc_reply *reply, struct call_request *out, const json_t *object)
{
    const json_t *legacy = field(object, "gasPrice");
    const json_t *dynamic = field(object, "maxFeePerGas");
    if (legacy != NULL && (dynamic != NULL || field(object, "maxPriorityFeePerGas") != NULL))
        rpc_error(reply, RPC_REFUSED,
                  "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified");
    if (legacy != NULL) out->gas_price = read_u256(reply, legacy, "gasPrice");
    if (dynamic != NULL) out->gas_price = read_u256(reply, dynamic, "maxFeePerGas");
}

static void read_call_data(struct session *s, struct rpc_reply *reply, struct call_request *out,
                           const json_t *object)
{
    const json_t *input = field(object, "input");
    const json_t *data = field(object, "data");
    if (input != NULL && data != NULL && !json_equal(input, data))
        rpc_error(reply, RPC_REFUSED,
                  "both \"data\" and \"input\" are set and not equal. Please "
                  "use \"input\" to pass transaction call data");
    if (input == NULL) input = data;
    if (input != NULL) out->data = read_data(reply, session_arena(s), input, "input");
}

static void read_call(struct session *s, struct rpc_reply *reply, struct call_request *out,
                      const json_t *object)
{
    uint64_t cap = session_shared(s)->options->rpc_gas_cap;
    *out = (struct call_request){.gas_limit = cap};
    if (!json_is_object(object)) {
        rpc_error(reply, RPC_INVALID_PARAMS, "want an object that describes the call");
        return;
    }
    const json_t *from = field(object, "from"), *to = field(object, "to");
    const json_t *value = field(object, "value"), *gas = field(object, "gas");
    if (from != NULL) out->from = read_address(reply, from, "from");
    if (to != NULL) out->to = read_address(reply, to, "to");
    out->is_create = to == NULL;
    if (value != NULL) out->value = read_u256(reply, value, "value");
    if (gas != NULL) out->gas_limit = read_quantity(reply, gas, "gas");
    if (out->gas_limit > cap) out->gas_limit = cap;
    read_price(reply, out, object);
    read_call_data(s, reply, out, object);
    read_access(s, reply, out, field(object, "accessList"));
    read_authorizations(s, reply, out, field(object, "authorizationList"));
}

/* Solidity's Error(string): selector, offset 32, length, text. */
static struct bytes revert_reason(struct bytes output)
{
    static const uint8_t selector[4] = {0x08, 0xc3, 0x79, 0xa0};
    if (output.size < 68 || memcmp(output.data, selector, 4) != 0) return (struct bytes){0};
    struct u256 offset = u256_from_be(bytes_slice(output, 4, 32));
    struct u256 size = u256_from_be(bytes_slice(output, 36, 32));
    if (!u256_equal(offset, u256_from_u64(32)) || !u256_fits_u64(size)) return (struct bytes){0};
    if (u256_to_u64(size) > output.size - 68) return (struct bytes){0};
    return bytes_slice(output, 68, (size_t)u256_to_u64(size));
}

static void revert_error(struct rpc_reply *reply, struct bytes output)
{
    struct bytes reason = revert_reason(output);
    char text[REVERT_REASON_MAX];
    snprintf(text, sizeof text, "%.*s",
             (int)(reason.size < sizeof text ? reason.size : sizeof text),
             reason.size > 0 ? (const char *)reason.data : "");
    /* A contract's bytes may be no UTF-8; the data still tells all. */
    json_t *utf8 = json_string(text);
    if (utf8 != NULL && text[0] != 0)
        rpc_error(reply, RPC_REVERTED, "execution reverted: %s", text);
    else
        rpc_error(reply, RPC_REVERTED, "execution reverted");
    json_decref(utf8);
    rpc_error_data(reply, json_data(output));
}

static void not_run_error(struct session *s, struct rpc_reply *reply, enum tx_reason reason,
                          const struct call_request *call)
{
    char from[43], have[79], want[79];
    if (reason != TX_FUNDS) {
        rpc_error(reply, RPC_REFUSED, "%s", tx_reason_text(reason));
        return;
    }
    address_to_text(from, &call->from);
    u256_to_decimal(have, layer_account(session_layer(s), &call->from).balance);
    u256_to_decimal(
        want, u256_add(call->value, u256_mul(call->gas_price, u256_from_u64(call->gas_limit))));
    rpc_error(reply, RPC_REFUSED, "%s: address %s have %s want %s", tx_reason_text(reason), from,
              have, want);
}

/* Puts what went wrong into the reply; nothing if the call succeeded. */
static void call_error(struct session *s, struct rpc_reply *reply, enum tx_reason reason,
                       const struct call_request *call, const struct tx_outcome *outcome)
{
    if (*session_stop(s) != 0)
        rpc_error(reply, RPC_REFUSED, "execution aborted (timeout = %llums)",
                  (unsigned long long)session_shared(s)->options->rpc_call_ms);
    else if (reason != TX_FINE)
        not_run_error(s, reply, reason, call);
    else if (outcome->result == EVM_REVERT)
        revert_error(reply, outcome->output);
    else if (outcome->result != EVM_SUCCESS)
        rpc_error(reply, RPC_REFUSED, "%s", evm_result_text(outcome->result));
}

void rpc_call(void *context, struct rpc_reply *reply, json_t *const *params)
{
    struct session *s = context;
    struct call_request call;
    struct tx_outcome outcome = {0};
    if (!session_begin(s, reply)) return;
    read_call(s, reply, &call, params[0]);
    if (!session_state_at(s, reply, params[1]) || rpc_failed(reply)) return;
    enum tx_reason reason = execute_call(session_execution(s), &outcome, &call, session_stop(s));
    call_error(s, reply, reason, &call, &outcome);
    if (!rpc_failed(reply)) rpc_result(reply, json_data(outcome.output));
}

/* No more gas than the block has and the sender can pay for. */
static void bound_gas(struct session *s, struct rpc_reply *reply, struct call_request *call)
{
    uint64_t block_gas = session_head(s)->gas_limit;
    struct u256 balance = layer_account(session_layer(s), &call->from).balance;
    struct u256 left;
    if (call->gas_limit > block_gas) call->gas_limit = block_gas;
    if (u256_is_zero(call->gas_price)) return;
    if (!u256_sub_checked(&left, balance, call->value)) {
        not_run_error(s, reply, TX_FUNDS, call);
        return;
    }
    uint64_t affordable = u256_to_u64_saturating(u256_div(left, call->gas_price));
    if (call->gas_limit > affordable) call->gas_limit = affordable;
}

void rpc_estimate_gas(void *context, struct rpc_reply *reply, json_t *const *params)
{
    struct session *s = context;
    struct call_request call;
    struct tx_outcome outcome = {0};
    uint64_t gas = 0;
    if (!session_begin(s, reply)) return;
    read_call(s, reply, &call, params[0]);
    if (!session_state_at(s, reply, params[1]) || rpc_failed(reply)) return;
    bound_gas(s, reply, &call);
    if (rpc_failed(reply)) return;
    enum tx_reason reason =
        execute_estimate(session_execution(s), &gas, &outcome, &call, session_stop(s));
    bool too_little = reason == TX_INTRINSIC_GAS || reason == TX_FLOOR_GAS ||
                      (reason == TX_FINE && outcome.result == EVM_OUT_OF_GAS);
    if (too_little && *session_stop(s) == 0)
        rpc_error(reply, RPC_REFUSED, "gas required exceeds allowance (%llu)",
                  (unsigned long long)call.gas_limit);
    call_error(s, reply, reason, &call, &outcome);
    if (!rpc_failed(reply)) rpc_result(reply, json_quantity(gas));
}

/* ---- sending ---- */

static void refuse_tx(struct rpc_reply *reply, struct session *s, enum tx_reason reason,
                      struct bytes wire)
{
    struct tx t;
    if (reason == TX_WRONG_CHAIN && tx_decode(&t, session_arena(s), wire) == OK) {
        rpc_error(reply, RPC_REFUSED, "invalid chain id for signer: have %llu want %llu",
                  (unsigned long long)t.chain_id,
                  (unsigned long long)session_shared(s)->config->chain_id);
        return;
    }
    rpc_error(reply, RPC_REFUSED, "%s", tx_reason_text(reason));
}

void rpc_send_raw(void *context, struct rpc_reply *reply, json_t *const *params)
{
    struct session *s = context;
    struct hash hash = {{0}};
    if (!session_begin(s, reply)) return;
    struct bytes wire = read_data(reply, session_arena(s), params[0], "transaction");
    if (rpc_failed(reply)) return;
    if (wire.size == 0) {
        rpc_error(reply, RPC_REFUSED, "typed transaction too short");
        return;
    }
    enum tx_reason reason = pool_submit(session_shared(s)->pool, &hash, wire);
    if (reason == TX_FINE)
        rpc_result(reply, json_hash(&hash));
    else
        refuse_tx(reply, s, reason, wire);
}
