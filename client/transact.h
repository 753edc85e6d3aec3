/* transact.h - building, signing, sending and following transactions.
 *
 * Everything sent is EIP-1559 (type 2). A sender is one account on one chain; it asks the node for
 * its nonce, fees and gas, signs, sends, and waits until the receipt stands in a finalized block. A
 * node that dies may have told nobody: while waiting, and as soon as another node is asked than the
 * one it was sent to, the same signed bytes are sent again, so a transaction is lost only if
 * another of the same nonce takes its place (E_STATE). Fees are raised (by 1/8) when a transaction
 * stays out because of its price.
 *
 * One sender a thread. The caller sees to it that one account has one sender at a time, or serves
 * nonces itself. */
#ifndef LEASEHOLD_CLIENT_TRANSACT_H
#define LEASEHOLD_CLIENT_TRANSACT_H

#include "base/key.h"
#include "client/rpc.h"

struct tx {
    uint64_t chain_id;
    uint64_t nonce;
    struct u256 max_priority_fee;
    struct u256 max_fee;
    uint64_t gas_limit;
    struct address to;
    bool creates; /* no `to`: data is init code */
    struct u256 value;
    struct bytes data; /* borrowed */
};

/* The signed raw bytes (0x02 | rlp) are appended to out; *out_hash is the transaction's hash. */
void tx_sign(struct buffer *out, struct hash *out_hash, const struct tx *tx, const struct key *key);
/* What tx_sign signs: keccak256(0x02 | rlp without the signature). */
struct hash tx_digest(const struct tx *tx);

struct tx_receipt {
    struct hash hash;
    struct hash block_hash;
    uint64_t block_number;
    uint64_t gas_used;
    struct u256 gas_price; /* effective */
    bool success;
    json_t *logs; /* array as the node gave it; NULL when there is no receipt */
};
void tx_receipt_finish(struct tx_receipt *r); /* takes zeroed ones too */

struct sender {
    struct rpc *rpc; /* borrowed */
    struct key key;
    struct address address;
    uint64_t chain_id;
    uint64_t next_nonce; /* the lowest that may be used, from what was sent already */
    uint32_t wait_ms;    /* how long to wait for finality; 0: 120 s */
    /* Added to estimates, for calls whose path depends on who else gets into the same block. */
    uint64_t gas_extra;
    /* Told as soon as a transaction is sent, before it is final; may be NULL. */
    void (*on_sent)(void *context, const struct hash *hash);
    void *context;
};

/* Asks the node for the chain id; copies the key. */
MUST_CHECK enum status sender_init(struct sender *s, struct rpc *rpc, const struct key *key);
void sender_finish(struct sender *s); /* wipes the key */

struct tx_request {
    struct address to;
    bool creates;
    struct u256 value;
    struct bytes data;   /* borrowed */
    uint64_t gas_limit;  /* 0: estimated, plus a quarter */
    struct u256 max_fee; /* 0: twice the base fee plus the tip */
};

/* Estimate, sign, send, wait for finality. E_DENIED: would revert or did (rpc_problem says why),
 * or the node refused it (funds, nonce, gas). E_TIMEOUT: not final in time, though it still may
 * become so (out->hash is set). E_STATE: replaced by another transaction of the same nonce. */
MUST_CHECK enum status sender_send(struct sender *s, struct tx_receipt *out,
                                   const struct tx_request *request);
/* E_NOT_FOUND: no finalized block holds it (yet). */
MUST_CHECK enum status tx_find_receipt(struct rpc *r, struct tx_receipt *out,
                                       const struct hash *hash);

#endif
