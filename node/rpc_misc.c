#include "node/rpc_methods.h"

#include "base/keccak.h"
#include "node/version.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct rpc_method METHODS[] = {
#define X(name, handler, min, max) {name, handler, min, max},
    RPC_METHODS(X)
#undef X
};
const struct rpc_table NODE_METHODS = {METHODS, sizeof METHODS / sizeof *METHODS};

void rpc_client_version(void *context, struct rpc_reply *reply, json_t *const *params)
{
    (void)context;
    (void)params;
    rpc_result(reply, json_string(NODE_CLIENT));
}

void rpc_sha3(void *context, struct rpc_reply *reply, json_t *const *params)
{
    if (!session_begin(context, reply)) return;
    struct bytes data = read_data(reply, session_arena(context), params[0], "data");
    struct hash hash = keccak256(data);
    if (!rpc_failed(reply)) rpc_result(reply, json_hash(&hash));
}

void rpc_net_version(void *context, struct rpc_reply *reply, json_t *const *params)
{
    (void)params;
    rpc_result(reply, json_sprintf("%" PRIu64, session_shared(context)->config->chain_id));
}

void rpc_chain_id(void *context, struct rpc_reply *reply, json_t *const *params)
{
    (void)params;
    rpc_result(reply, json_quantity(session_shared(context)->config->chain_id));
}

void rpc_accounts(void *context, struct rpc_reply *reply, json_t *const *params)
{
    (void)context;
    (void)params;
    rpc_result(reply, json_array());
}

void rpc_block_number(void *context, struct rpc_reply *reply, json_t *const *params)
{
    (void)params;
    if (!session_begin(context, reply)) return;
    rpc_result(reply, json_quantity(session_head(context)->number));
}

/* ---- leasehold_ ---- */

static json_t *json_of_epoch(const struct epoch_record *r, bool running)
{
    json_t *out = json_object();
    json_t *list = json_array();
    const struct epoch *e = &r->epoch;
    for (uint32_t i = 0; i < e->validator_count; i++) {
        json_t *v = json_object();
        json_object_set_new(v, "operator", json_address(&e->validators[i].operator_address));
        json_object_set_new(v, "consensusAddress",
                            json_address(&e->validators[i].consensus_address));
        json_object_set_new(v, "weightGwei", json_quantity(e->validators[i].weight));
        if (running) {
            json_object_set_new(v, "proposed", json_quantity(r->duties[i].proposed));
            json_object_set_new(v, "missed", json_quantity(r->duties[i].missed));
        }
        json_array_append_new(list, v);
    }
    json_object_set_new(out, "epoch", json_quantity(e->number));
    json_object_set_new(out, "startNumber", json_quantity(e->start_number));
    json_object_set_new(out, "startHash", json_hash(&e->start_block));
    json_object_set_new(out, "lastNumber", json_quantity(e->last_number));
    json_object_set_new(out, "seed", json_hash(&e->seed));
    json_object_set_new(out, "quorumGwei", json_quantity(epoch_quorum(e)));
    json_object_set_new(out, "validators", list);
    return out;
}

/* The set of an epoch; without a parameter that of the next block. */
void rpc_validators(void *context, struct rpc_reply *reply, json_t *const *params)
{
    struct session *s = context;
    struct buffer encoded = {0};
    if (!session_begin(s, reply)) return;
    uint64_t number = params[0] != NULL ? read_quantity(reply, params[0], "epoch") : 0;
    if (rpc_failed(reply)) return;
    bool found = params[0] != NULL ? store_set(session_snapshot(s), number, &encoded)
                                   : store_epoch_record(session_snapshot(s), &encoded);
    struct epoch_record *record = arena_alloc(session_arena(s), sizeof *record);
    if (found && epoch_record_decode(record, buffer_bytes(&encoded)) == OK)
        rpc_result(reply, json_of_epoch(record, params[0] == NULL));
    else
        rpc_result(reply, json_null());
    buffer_finish(&encoded);
}

/* The finality certificate kept with a block; null if there is none (a later one covers it). */
void rpc_certificate(void *context, struct rpc_reply *reply, json_t *const *params)
{
    struct session *s = context;
    struct buffer encoded = {0};
    uint64_t number = 0;
    struct hash hash;
    if (!session_begin(s, reply)) return;
    struct block_tag tag = read_tag(reply, params[0]);
    if (rpc_failed(reply)) return;
    bool found = session_find(s, &number, &tag) &&
                 store_hash_of_number(session_snapshot(s), number, &hash) &&
                 store_certificate(session_snapshot(s), number, &encoded) && encoded.size > 0;
    json_t *out = found ? json_object() : json_null();
    if (found) {
        json_object_set_new(out, "number", json_quantity(number));
        json_object_set_new(out, "hash", json_hash(&hash));
        json_object_set_new(out, "certificate", json_data(buffer_bytes(&encoded)));
    }
    rpc_result(reply, out);
    buffer_finish(&encoded);
}
