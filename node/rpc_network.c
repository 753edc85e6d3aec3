/* Methods about the node itself, its peers and how far it has caught up. */
#include "node/rpc_methods.h"

#include "node/network.h"
#include "node/version.h"

/* A copy; all zero when this process has no network (tools, tests). */
static struct network_view *look(struct session *s)
{
    struct network_view *view = arena_alloc(session_arena(s), sizeof *view);
    struct network *network = session_shared(s)->network;
    memset(view, 0, sizeof *view);
    if (network != NULL) network_look(network, view);
    return view;
}

void rpc_net_listening(void *context, struct rpc_reply *reply, json_t *const *params)
{
    (void)params;
    if (!session_begin(context, reply)) return;
    rpc_result(reply, json_boolean(look(context)->port != 0));
}

void rpc_peer_count(void *context, struct rpc_reply *reply, json_t *const *params)
{
    (void)params;
    if (!session_begin(context, reply)) return;
    rpc_result(reply, json_quantity(look(context)->peer_count));
}

static json_t *json_of_sync(const struct sync_progress *p)
{
    if (!p->active) return json_false();
    json_t *out = json_object();
    json_object_set_new(out, "startingBlock", json_quantity(p->start));
    json_object_set_new(out, "currentBlock", json_quantity(p->current));
    json_object_set_new(out, "highestBlock", json_quantity(p->target));
    return out;
}

void rpc_syncing(void *context, struct rpc_reply *reply, json_t *const *params)
{
    (void)params;
    if (!session_begin(context, reply)) return;
    rpc_result(reply, json_of_sync(&look(context)->sync));
}

static void put_network(json_t *out, const struct network_view *v)
{
    json_object_set_new(out, "nodeId", json_hash(&v->id));
    json_object_set_new(out, "p2pPort", json_quantity(v->port));
    json_object_set_new(out, "peers", json_quantity(v->peer_count));
    json_object_set_new(out, "syncing", json_of_sync(&v->sync));
    json_object_set_new(out, "view", json_quantity(v->view));
    json_object_set_new(out, "leader", json_address(&v->leader));
    json_object_set_new(out, "refusingPeers", json_boolean(v->refusing));
}

void rpc_status(void *context, struct rpc_reply *reply, json_t *const *params)
{
    struct session *s = context;
    (void)params;
    if (!session_begin(s, reply)) return;
    const struct chain_config *c = session_shared(s)->config;
    json_t *out = json_object();
    json_object_set_new(out, "network", json_string(c->name));
    json_object_set_new(out, "devnet", json_boolean(c->devnet));
    json_object_set_new(out, "chainId", json_quantity(c->chain_id));
    json_object_set_new(out, "finalizedNumber", json_quantity(session_head(s)->number));
    json_object_set_new(out, "finalizedHash", json_hash(session_head_hash(s)));
    json_object_set_new(out, "epoch", json_quantity(session_head(s)->extra.epoch));
    json_object_set_new(out, "epochBlocks", json_quantity(c->epoch_blocks));
    json_object_set_new(out, "epochRewardWei", json_quantity_u256(c->epoch_reward_wei));
    json_object_set_new(out, "blockIntervalMs", json_quantity(c->block_interval_ms));
    json_object_set_new(out, "idleIntervalMs", json_quantity(c->idle_interval_ms));
    json_object_set_new(out, "waitingTransactions",
                        json_quantity(pool_count(session_shared(s)->pool)));
    json_object_set_new(out, "version", json_string(NODE_VERSION));
    put_network(out, look(s));
    rpc_result(reply, out);
}

static json_t *json_of_peer(const struct peer_info *p)
{
    char address[64];
    json_t *out = json_object();
    net_address_to_text(address, &p->remote);
    json_object_set_new(out, "nodeId", json_hash(&p->id));
    json_object_set_new(out, "address", json_string(address));
    json_object_set_new(out, "outgoing", json_boolean(p->outgoing));
    json_object_set_new(out, "validator",
                        p->is_validator ? json_address(&p->validator) : json_null());
    json_object_set_new(out, "bytesIn", json_quantity(p->bytes_in));
    json_object_set_new(out, "bytesOut", json_quantity(p->bytes_out));
    json_object_set_new(out, "messagesIn", json_quantity(p->messages_in));
    json_object_set_new(out, "messagesOut", json_quantity(p->messages_out));
    json_object_set_new(out, "queuedBytes", json_quantity(p->queued_bytes));
    json_object_set_new(out, "shed", json_quantity(p->shed));
    json_object_set_new(out, "roundTripMs", json_quantity(p->round_trip_ms));
    json_object_set_new(out, "score", json_quantity(p->score));
    return out;
}

void rpc_peers(void *context, struct rpc_reply *reply, json_t *const *params)
{
    (void)params;
    if (!session_begin(context, reply)) return;
    const struct network_view *v = look(context);
    json_t *out = json_array();
    for (size_t i = 0; i < v->peer_count; i++)
        json_array_append_new(out, json_of_peer(&v->peers[i]));
    rpc_result(reply, out);
}

static json_t *json_of_evidence(const struct evidence *e)
{
    static const char *const kinds[] = {"none", "E1", "E2", "E3", "E4"};
    struct buffer first = {0}, second = {0};
    json_t *out = json_object();
    vote_encode(&first, &e->first);
    vote_encode(&second, &e->second);
    json_object_set_new(out, "kind", json_string(kinds[e->kind]));
    json_object_set_new(out, "epoch", json_quantity(e->first.epoch));
    json_object_set_new(out, "view", json_quantity(e->first.view));
    json_object_set_new(out, "signer", json_quantity(e->first.signer));
    json_object_set_new(out, "first", json_data(buffer_bytes(&first)));
    json_object_set_new(out, "second", json_data(buffer_bytes(&second)));
    buffer_finish(&first);
    buffer_finish(&second);
    return out;
}

void rpc_evidence(void *context, struct rpc_reply *reply, json_t *const *params)
{
    struct session *s = context;
    (void)params;
    if (!session_begin(s, reply)) return;
    struct evidence *all = arena_alloc(session_arena(s), NETWORK_EVIDENCE_MAX * sizeof *all);
    struct network *network = session_shared(s)->network;
    size_t count = network != NULL ? network_evidence(network, all) : 0;
    json_t *out = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(out, json_of_evidence(&all[i]));
    rpc_result(reply, out);
}

/* true: everybody; false: nobody; else an array of node ids. */
void rpc_refuse_peers(void *context, struct rpc_reply *reply, json_t *const *params)
{
    struct session *s = context;
    struct hash ids[NETWORK_PEERS_MAX];
    struct network *network = session_shared(s)->network;
    size_t count = json_array_size(params[0]);
    if (network == NULL || !session_shared(s)->options->rpc_control) {
        rpc_error(reply, RPC_METHOD_NOT_FOUND,
                  "the method leasehold_refusePeers is only served with --rpc-control");
    } else if (!json_is_boolean(params[0]) && !json_is_array(params[0])) {
        rpc_error(reply, RPC_INVALID_PARAMS, "want true, false or an array of node ids");
    } else if (count > NETWORK_PEERS_MAX) {
        rpc_error(reply, RPC_INVALID_PARAMS, "at most %d node ids", NETWORK_PEERS_MAX);
    } else {
        for (size_t i = 0; i < count && !rpc_failed(reply); i++)
            ids[i] = read_hash(reply, json_array_get(params[0], i), "node id");
        if (rpc_failed(reply)) return;
        network_refuse(network, ids, count, json_is_true(params[0]));
        rpc_result(reply, json_true());
    }
}
