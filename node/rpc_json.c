#include "node/rpc_json.h"

#include "base/fatal.h"
#include "base/hex.h"
#include "chain/trie.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0) fatal("no memory for an RPC answer");
}

json_t *json_quantity(uint64_t value)
{
    return json_sprintf("0x%" PRIx64, value);
}

json_t *json_quantity_u256(struct u256 value)
{
    char text[67];
    u256_to_quantity(text, value);
    return json_string(text);
}

json_t *json_data(struct bytes data)
{
    char *text = must_alloc(2 * data.size + 3);
    hex_encode(text, data);
    json_t *value = json_stringn_nocheck(text, 2 * data.size + 2);
    free(text);
    return value;
}

json_t *json_hash(const struct hash *h)
{
    char text[67];
    hash_to_text(text, h);
    return json_string(text);
}

json_t *json_address(const struct address *a)
{
    return json_data(address_bytes(a));
}

static struct bytes bloom_bytes(const struct bloom *bloom)
{
    return bytes_of(bloom->b, sizeof bloom->b);
}

static void set_extra(json_t *object, const struct header_extra *extra)
{
    struct buffer encoded = {0};
    header_extra_encode(&encoded, extra);
    set(object, "extraData", json_data(buffer_bytes(&encoded)));
    buffer_finish(&encoded);
}

json_t *json_of_header(const struct header *h, const struct hash *hash)
{
    static const struct hash zero = {{0}};
    json_t *out = json_object();
    set(out, "number", json_quantity(h->number));
    set(out, "hash", json_hash(hash));
    set(out, "parentHash", json_hash(&h->parent_hash));
    set(out, "nonce", json_string("0x0000000000000000"));
    set(out, "sha3Uncles", json_hash(&EMPTY_OMMERS_HASH));
    set(out, "logsBloom", json_data(bloom_bytes(&h->logs_bloom)));
    set(out, "transactionsRoot", json_hash(&h->tx_root));
    set(out, "stateRoot", json_hash(&h->state_root));
    set(out, "receiptsRoot", json_hash(&h->receipts_root));
    set(out, "miner", json_address(&h->coinbase));
    set(out, "difficulty", json_string("0x0"));
    set(out, "totalDifficulty", json_string("0x0"));
    set_extra(out, &h->extra);
    set(out, "gasLimit", json_quantity(h->gas_limit));
    set(out, "gasUsed", json_quantity(h->gas_used));
    set(out, "timestamp", json_quantity(h->timestamp_s));
    set(out, "mixHash", json_hash(&h->mix_hash));
    set(out, "baseFeePerGas", json_quantity_u256(h->base_fee));
    set(out, "withdrawalsRoot", json_hash(&EMPTY_TRIE_ROOT));
    set(out, "blobGasUsed", json_string("0x0"));
    set(out, "excessBlobGas", json_string("0x0"));
    set(out, "parentBeaconBlockRoot", json_hash(&zero));
    set(out, "uncles", json_array());
    set(out, "withdrawals", json_array());
    return out;
}

static json_t *json_of_wire(struct bytes wire, struct arena *arena, const struct block_ref *ref,
                            size_t index, bool full)
{
    struct hash hash = tx_hash_of_wire(wire);
    struct tx t;
    if (!full) return json_hash(&hash);
    enum status decoded = tx_decode(&t, arena, wire);
    assert(decoded == OK);
    return json_of_tx(&t, &hash, ref, index);
}

json_t *json_of_block(const struct block *b, struct arena *arena, bool full)
{
    struct hash hash = block_hash(b);
    struct block_ref ref = {hash, b->header.number, b->header.timestamp_s, b->header.base_fee};
    json_t *out = json_of_header(&b->header, &hash);
    json_t *txs = json_array();
    struct buffer encoded = {0};
    for (size_t i = 0; i < b->tx_count; i++)
        json_array_append_new(txs, json_of_wire(b->txs[i], arena, &ref, i, full));
    set(out, "transactions", txs);
    block_encode(&encoded, b);
    set(out, "size", json_quantity(encoded.size));
    buffer_finish(&encoded);
    return out;
}

static json_t *json_of_access(const struct tx *t)
{
    json_t *list = json_array();
    for (size_t i = 0; i < t->access_count; i++) {
        const struct access_entry *entry = &t->access[i];
        json_t *item = json_object();
        json_t *slots = json_array();
        for (size_t s = 0; s < entry->slot_count; s++)
            json_array_append_new(slots, json_hash(&entry->slots[s]));
        set(item, "address", json_address(&entry->address));
        set(item, "storageKeys", slots);
        json_array_append_new(list, item);
    }
    return list;
}

static void set_point(json_t *out, const struct signature *s)
{
    set(out, "r", json_quantity_u256(u256_from_be(bytes_of(s->b, 32))));
    set(out, "s", json_quantity_u256(u256_from_be(bytes_of(s->b + 32, 32))));
}

static json_t *json_of_authorizations(const struct tx *t)
{
    json_t *list = json_array();
    for (size_t i = 0; i < t->authorization_count; i++) {
        const struct authorization *a = &t->authorizations[i];
        json_t *item = json_object();
        set(item, "chainId", json_quantity_u256(a->chain_id));
        set(item, "address", json_address(&a->delegate));
        set(item, "nonce", json_quantity(a->nonce));
        set(item, "yParity", json_quantity(a->signature.b[64]));
        set_point(item, &a->signature);
        json_array_append_new(list, item);
    }
    return list;
}

static void set_signature(json_t *out, const struct tx *t)
{
    uint64_t parity = t->signature.b[64];
    uint64_t v = parity;
    if (t->type == TX_LEGACY) v = t->has_chain_id ? 35 + 2 * t->chain_id + parity : 27 + parity;
    set(out, "v", json_quantity(v));
    set_point(out, &t->signature);
    if (t->type != TX_LEGACY) set(out, "yParity", json_quantity(parity));
}

static void set_fees(json_t *out, const struct tx *t, const struct block_ref *block)
{
    if (tx_has_tip(t)) {
        set(out, "maxFeePerGas", json_quantity_u256(t->max_fee_per_gas));
        set(out, "maxPriorityFeePerGas", json_quantity_u256(t->max_priority_fee_per_gas));
    }
    set(out, "gasPrice",
        json_quantity_u256(block ? tx_gas_price(t, block->base_fee) : t->max_fee_per_gas));
}

static struct address sender_of(const struct tx *t)
{
    struct address sender = {{0}};
    enum status status = tx_sender(&sender, t);
    assert(status == OK); /* it was executed or admitted */
    return sender;
}

json_t *json_of_tx(const struct tx *t, const struct hash *hash, const struct block_ref *block,
                   size_t index)
{
    json_t *out = json_object();
    struct address sender = sender_of(t);
    set(out, "hash", json_hash(hash));
    set(out, "type", json_quantity((uint64_t)t->type));
    set(out, "from", json_address(&sender));
    set(out, "to", t->is_create ? json_null() : json_address(&t->to));
    set(out, "nonce", json_quantity(t->nonce));
    set(out, "gas", json_quantity(t->gas_limit));
    set(out, "value", json_quantity_u256(t->value));
    set(out, "input", json_data(t->data));
    set_fees(out, t, block);
    if (t->has_chain_id) set(out, "chainId", json_quantity(t->chain_id));
    if (t->type != TX_LEGACY) set(out, "accessList", json_of_access(t));
    if (t->type == TX_SET_CODE) set(out, "authorizationList", json_of_authorizations(t));
    set_signature(out, t);
    set(out, "blockHash", block ? json_hash(&block->hash) : json_null());
    set(out, "blockNumber", block ? json_quantity(block->number) : json_null());
    set(out, "transactionIndex", block ? json_quantity(index) : json_null());
    return out;
}

json_t *json_of_log(const struct log_entry *entry, const struct log_place *place)
{
    json_t *out = json_object();
    json_t *topics = json_array();
    for (size_t i = 0; i < entry->topic_count; i++)
        json_array_append_new(topics, json_hash(&entry->topics[i]));
    set(out, "address", json_address(&entry->address));
    set(out, "topics", topics);
    set(out, "data", json_data(entry->data));
    set(out, "blockNumber", json_quantity(place->block->number));
    set(out, "blockHash", json_hash(&place->block->hash));
    set(out, "blockTimestamp", json_quantity(place->block->timestamp_s));
    set(out, "transactionHash", json_hash(&place->tx_hash));
    set(out, "transactionIndex", json_quantity(place->tx_index));
    set(out, "logIndex", json_quantity(place->log_index));
    set(out, "removed", json_false());
    return out;
}

static json_t *json_of_logs(const struct receipt *r, const struct log_place *first)
{
    json_t *logs = json_array();
    struct log_place place = *first;
    for (size_t i = 0; i < r->log_count; i++, place.log_index++)
        json_array_append_new(logs, json_of_log(&r->logs[i], &place));
    return logs;
}

json_t *json_of_receipt(const struct receipt *r, const struct tx *t, const struct log_place *place,
                        uint64_t previous_gas)
{
    json_t *out = json_object();
    struct address sender = sender_of(t);
    struct address created = address_of_create(&sender, t->nonce);
    bool has_contract = t->is_create && r->succeeded;
    set(out, "transactionHash", json_hash(&place->tx_hash));
    set(out, "transactionIndex", json_quantity(place->tx_index));
    set(out, "blockHash", json_hash(&place->block->hash));
    set(out, "blockNumber", json_quantity(place->block->number));
    set(out, "from", json_address(&sender));
    set(out, "to", t->is_create ? json_null() : json_address(&t->to));
    set(out, "contractAddress", has_contract ? json_address(&created) : json_null());
    set(out, "type", json_quantity((uint64_t)r->type));
    set(out, "status", json_quantity(r->succeeded ? 1 : 0));
    set(out, "cumulativeGasUsed", json_quantity(r->cumulative_gas_used));
    set(out, "gasUsed", json_quantity(r->cumulative_gas_used - previous_gas));
    set(out, "effectiveGasPrice", json_quantity_u256(tx_gas_price(t, place->block->base_fee)));
    set(out, "logsBloom", json_data(bloom_bytes(&r->bloom)));
    set(out, "logs", json_of_logs(r, place));
    return out;
}

static struct bytes text_of(const json_t *value)
{
    if (!json_is_string(value)) return (struct bytes){0};
    return bytes_of(json_string_value(value), json_string_length(value));
}

static void bad(struct rpc_reply *reply, const json_t *value, const char *what, const char *want)
{
    if (json_is_string(value))
        rpc_error(reply, RPC_INVALID_PARAMS, "invalid argument: %s must be %s, got \"%.80s\"", what,
                  want, json_string_value(value));
    else
        rpc_error(reply, RPC_INVALID_PARAMS, "invalid argument: %s must be %s", what, want);
}

struct u256 read_u256(struct rpc_reply *reply, const json_t *value, const char *what)
{
    struct u256 number = {{0}};
    if (u256_from_quantity(&number, text_of(value)) != OK)
        bad(reply, value, what, "a 0x quantity without leading zeros");
    return number;
}

uint64_t read_quantity(struct rpc_reply *reply, const json_t *value, const char *what)
{
    struct u256 number = read_u256(reply, value, what);
    if (!u256_fits_u64(number)) {
        bad(reply, value, what, "a quantity of at most 64 bits");
        return 0;
    }
    return u256_to_u64(number);
}

struct address read_address(struct rpc_reply *reply, const json_t *value, const char *what)
{
    struct address a = {{0}};
    if (hex_decode_exact(a.b, sizeof a.b, text_of(value)) != OK)
        bad(reply, value, what, "an address: 0x and 40 hex digits");
    return a;
}

struct hash read_hash(struct rpc_reply *reply, const json_t *value, const char *what)
{
    struct hash h = {{0}};
    if (hex_decode_exact(h.b, sizeof h.b, text_of(value)) != OK)
        bad(reply, value, what, "a hash: 0x and 64 hex digits");
    return h;
}

struct u256 read_slot(struct rpc_reply *reply, const json_t *value)
{
    struct bytes text = text_of(value);
    char padded[67] = "0x";
    struct u256 slot = {{0}};
    uint8_t bytes[32];
    if (text.size < 3 || text.size > 66 || memcmp(text.data, "0x", 2) != 0) {
        bad(reply, value, "storage slot", "0x and up to 64 hex digits");
        return slot;
    }
    memset(padded + 2, '0', 64);
    memcpy(padded + 66 - (text.size - 2), text.data + 2, text.size - 2);
    if (hex_decode_exact(bytes, sizeof bytes, bytes_of(padded, 66)) != OK) {
        bad(reply, value, "storage slot", "0x and up to 64 hex digits");
        return slot;
    }
    return u256_from_be(bytes_of(bytes, sizeof bytes));
}

struct bytes read_data(struct rpc_reply *reply, struct arena *arena, const json_t *value,
                       const char *what)
{
    struct buffer decoded = {0};
    struct bytes data = {0};
    if (hex_decode(&decoded, text_of(value)) != OK)
        bad(reply, value, what, "0x and an even number of hex digits");
    else
        data = arena_copy(arena, buffer_bytes(&decoded));
    buffer_finish(&decoded);
    return data;
}

bool read_bool(struct rpc_reply *reply, const json_t *value, const char *what)
{
    if (!json_is_boolean(value)) bad(reply, value, what, "true or false");
    return json_is_true(value);
}

static struct block_tag read_tag_object(struct rpc_reply *reply, const json_t *value)
{
    const json_t *hash = json_object_get(value, "blockHash");
    const json_t *number = json_object_get(value, "blockNumber");
    if (hash != NULL && number == NULL)
        return (struct block_tag){TAG_HASH, 0, read_hash(reply, hash, "blockHash")};
    if (number != NULL && hash == NULL && !json_is_object(number)) return read_tag(reply, number);
    bad(reply, value, "block", "an object with either blockHash or blockNumber");
    return (struct block_tag){0};
}

struct block_tag read_tag(struct rpc_reply *reply, const json_t *value)
{
    static const struct {
        const char *name;
        enum tag_kind kind;
    } names[] = {{"latest", TAG_LATEST},
                 {"safe", TAG_LATEST},
                 {"finalized", TAG_LATEST},
                 {"earliest", TAG_EARLIEST},
                 {"pending", TAG_PENDING}};
    struct block_tag tag = {.kind = TAG_LATEST};
    if (value == NULL) return tag;
    if (json_is_object(value)) return read_tag_object(reply, value);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!bytes_equal(text_of(value), bytes_of_text(names[i].name))) continue;
        tag.kind = names[i].kind;
        return tag;
    }
    tag.kind = TAG_NUMBER;
    tag.number = read_quantity(reply, value, "block");
    if (text_of(value).size == 66 && hex_decode_exact(tag.hash.b, 32, text_of(value)) == OK) {
        rpc_error(reply, RPC_INVALID_PARAMS,
                  "hex string has length 64, want a block number or tag");
    }
    return tag;
}
