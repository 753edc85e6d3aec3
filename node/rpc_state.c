/* Reading the state: accounts, code, storage, and proofs of them. */
#include "node/rpc_methods.h"

#include "base/keccak.h"
#include "chain/trie.h"

#define PROOF_SLOTS_MAX 1024

/* ---- plain reads ---- */

static struct account account_at(struct session *s, const struct address *a)
{
    return layer_account(session_layer(s), a);
}

void rpc_get_balance(void *context, struct rpc_reply *reply, json_t *const *params)
{
    if (!session_begin(context, reply)) return;
    struct address a = read_address(reply, params[0], "address");
    if (!session_state_at(context, reply, params[1]) || rpc_failed(reply)) return;
    rpc_result(reply, json_quantity_u256(account_at(context, &a).balance));
}

void rpc_get_transaction_count(void *context, struct rpc_reply *reply, json_t *const *params)
{
    struct session *s = context;
    if (!session_begin(s, reply)) return;
    struct address a = read_address(reply, params[0], "address");
    struct block_tag tag = read_tag(reply, params[1]);
    if (!session_state_at(s, reply, params[1]) || rpc_failed(reply)) return;
    uint64_t nonce = account_at(s, &a).nonce;
    if (tag.kind == TAG_PENDING) nonce = pool_next_nonce(session_shared(s)->pool, &a, nonce);
    rpc_result(reply, json_quantity(nonce));
}

void rpc_get_code(void *context, struct rpc_reply *reply, json_t *const *params)
{
    if (!session_begin(context, reply)) return;
    struct address a = read_address(reply, params[0], "address");
    if (!session_state_at(context, reply, params[1]) || rpc_failed(reply)) return;
    rpc_result(reply, json_data(layer_code(session_layer(context), &a)));
}

static json_t *json_word(struct u256 value)
{
    struct hash word;
    u256_to_be(word.b, value);
    return json_hash(&word);
}

void rpc_get_storage_at(void *context, struct rpc_reply *reply, json_t *const *params)
{
    if (!session_begin(context, reply)) return;
    struct address a = read_address(reply, params[0], "address");
    struct u256 slot = read_slot(reply, params[1]);
    if (!session_state_at(context, reply, params[2]) || rpc_failed(reply)) return;
    rpc_result(reply, json_word(layer_storage(session_layer(context), &a, slot)));
}

/* ---- proofs ---- */

static bool get_node(void *context, const struct trie_place *place, struct buffer *out)
{
    const struct state_base *base = context;
    return base->node(base->context, place, out);
}

static json_t *proof_of(struct session *s, const struct hash *owner, const struct hash *root,
                        const struct hash *key)
{
    const struct state_base *base = store_snapshot_base(session_snapshot(s));
    struct trie_store store = {(void *)(uintptr_t)base, get_node, NULL};
    struct trie trie = {&store, session_arena(s), *owner, *root};
    struct trie_proof *proof = arena_alloc(session_arena(s), sizeof *proof);
    json_t *nodes = json_array();
    trie_prove(&trie, proof, hash_bytes(key));
    for (size_t i = 0; i < proof->count; i++)
        json_array_append_new(nodes, json_data(proof->nodes[i]));
    return nodes;
}

static json_t *storage_proof(struct session *s, const struct address *a, const struct hash *root,
                             struct u256 slot)
{
    struct hash owner = keccak256(address_bytes(a));
    struct hash word;
    json_t *out = json_object();
    u256_to_be(word.b, slot);
    struct hash key = keccak256(hash_bytes(&word));
    json_object_set_new(out, "key", json_hash(&word));
    json_object_set_new(out, "value", json_quantity_u256(layer_storage(session_layer(s), a, slot)));
    json_object_set_new(out, "proof", proof_of(s, &owner, root, &key));
    return out;
}

static json_t *account_proof(struct session *s, const struct address *a)
{
    static const struct hash no_owner = {{0}};
    struct account account = account_at(s, a);
    struct hash key = keccak256(address_bytes(a));
    json_t *out = json_object();
    json_object_set_new(out, "address", json_address(a));
    json_object_set_new(out, "balance", json_quantity_u256(account.balance));
    json_object_set_new(out, "nonce", json_quantity(account.nonce));
    json_object_set_new(out, "codeHash", json_hash(&account.code_hash));
    json_object_set_new(out, "storageHash", json_hash(&account.storage_root));
    json_object_set_new(out, "accountProof",
                        proof_of(s, &no_owner, &session_head(s)->state_root, &key));
    return out;
}

void rpc_get_proof(void *context, struct rpc_reply *reply, json_t *const *params)
{
    struct session *s = context;
    if (!session_begin(s, reply)) return;
    struct address a = read_address(reply, params[0], "address");
    if (!json_is_array(params[1]) || json_array_size(params[1]) > PROOF_SLOTS_MAX)
        rpc_error(reply, RPC_INVALID_PARAMS, "want an array of at most %d storage keys",
                  PROOF_SLOTS_MAX);
    if (!session_state_at(s, reply, params[2]) || rpc_failed(reply)) return;
    struct hash root = account_at(s, &a).storage_root;
    json_t *slots = json_array();
    for (size_t i = 0; i < json_array_size(params[1]) && !rpc_failed(reply); i++) {
        struct u256 slot = read_slot(reply, json_array_get(params[1], i));
        json_array_append_new(slots, storage_proof(s, &a, &root, slot));
    }
    json_t *out = account_proof(s, &a);
    json_object_set_new(out, "storageProof", slots);
    if (rpc_failed(reply))
        json_decref(out);
    else
        rpc_result(reply, out);
}
