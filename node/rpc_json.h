/* rpc_json.h - chain objects as the Ethereum execution API writes them, and its parameters read.
 *
 * Every function that makes JSON returns a new reference. Readers put an RPC_INVALID_PARAMS error
 * that names the value into the reply and return a zero value; ask rpc_failed afterwards. Pure; any
 * thread. */
#ifndef LEASEHOLD_NODE_RPC_JSON_H
#define LEASEHOLD_NODE_RPC_JSON_H

#include "chain/block.h"
#include "chain/receipt.h"
#include "net/rpc.h"

json_t *json_quantity(uint64_t value);
json_t *json_quantity_u256(struct u256 value);
json_t *json_data(struct bytes data);
json_t *json_hash(const struct hash *h);
json_t *json_address(const struct address *a); /* lower case, as other nodes answer */

/* A block's place for what lies in it; NULL where a transaction still waits. */
struct block_ref {
    struct hash hash;
    uint64_t number;
    uint64_t timestamp_s;
    struct u256 base_fee;
};

json_t *json_of_header(const struct header *h, const struct hash *hash);
/* With transactions, whole or as hashes. Every transaction must decode (asserted: it is ours). */
json_t *json_of_block(const struct block *b, struct arena *arena, bool full);
json_t *json_of_tx(const struct tx *t, const struct hash *hash, const struct block_ref *block,
                   size_t index);
/* Where a log stands; tx_hash is zero for logs of system calls. */
struct log_place {
    const struct block_ref *block;
    struct hash tx_hash;
    size_t tx_index;
    size_t log_index;
};
json_t *json_of_log(const struct log_entry *entry, const struct log_place *place);
/* `previous_gas` is the cumulative gas of the receipt before; first_log its first log's index. */
json_t *json_of_receipt(const struct receipt *r, const struct tx *t, const struct log_place *place,
                        uint64_t previous_gas);

/* Parameters; `what` names them in errors. A JSON value that is NULL is a bug, but for tags. */
uint64_t read_quantity(struct rpc_reply *reply, const json_t *value, const char *what);
struct u256 read_u256(struct rpc_reply *reply, const json_t *value, const char *what);
struct address read_address(struct rpc_reply *reply, const json_t *value, const char *what);
struct hash read_hash(struct rpc_reply *reply, const json_t *value, const char *what);
struct u256 read_slot(struct rpc_reply *reply, const json_t *value); /* up to 32 bytes */
struct bytes read_data(struct rpc_reply *reply, struct arena *arena, const json_t *value,
                       const char *what);
bool read_bool(struct rpc_reply *reply, const json_t *value, const char *what);

enum tag_kind { TAG_LATEST, TAG_EARLIEST, TAG_PENDING, TAG_NUMBER, TAG_HASH };
struct block_tag {
    enum tag_kind kind;
    uint64_t number;
    struct hash hash;
};
/* A tag, a quantity, or EIP-1898's object; NULL is latest. safe and finalized are latest here. */
struct block_tag read_tag(struct rpc_reply *reply, const json_t *value);

#endif
