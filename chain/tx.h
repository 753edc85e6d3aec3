/* tx.h - transactions: wire bytes, hashes, senders, and every rule that needs no state.
 *
 * Types 0 (legacy, with and without EIP-155), 1 (EIP-2930) and 2 (EIP-1559). "Wire" bytes are the
 * list itself for type 0 and the type byte followed by a list for the others (EIP-2718): what
 * eth_sendRawTransaction takes and what tx_hash hashes. Pure functions; any thread.
 *
 * A decoded tx borrows its data from the wire bytes and its access list from the arena. */
#ifndef LEASEHOLD_CHAIN_TX_H
#define LEASEHOLD_CHAIN_TX_H

#include "base/arena.h"
#include "base/key.h"
#include "base/u256.h"
#include "chain/limits.h"
#include "chain/tx_reason.h"

enum tx_type { TX_LEGACY, TX_ACCESS_LIST, TX_DYNAMIC_FEE, TX_BLOB };

struct access_entry {
    struct address address;
    const struct hash *slots;
    size_t slot_count;
};

struct tx {
    enum tx_type type;
    bool has_chain_id; /* false only for legacy without EIP-155 */
    bool is_create;    /* `to` is then zero */
    uint64_t chain_id;
    uint64_t nonce;
    uint64_t gas_limit;
    struct u256 max_fee_per_gas;          /* types 0 and 1: the gas price */
    struct u256 max_priority_fee_per_gas; /* types 0 and 1: the gas price */
    struct address to;
    struct u256 value;
    struct bytes data;
    const struct access_entry *access;
    size_t access_count;
    /* Type 3 is never decoded (E_UNSUPPORTED); only tests of the official rules fill these in. */
    struct u256 max_fee_per_blob_gas;
    const struct hash *blob_hashes;
    size_t blob_hash_count;
    struct signature signature; /* parity 0 or 1 whatever the type */
};

/* E_MALFORMED: not canonical, a field out of its range (a legacy v that is neither 27/28 nor
 * 35 and up, a parity above 1, `to` neither empty nor 20 bytes); E_LIMIT: over TX_SIZE_MAX;
 * E_UNSUPPORTED: type 3, 4 and all others. The signature is not checked here: see tx_sender. */
MUST_CHECK enum status tx_decode(struct tx *out, struct arena *arena, struct bytes wire);
/* Appends the wire bytes; the exact inverse of tx_decode. Not for type 3 (asserted). */
void tx_encode(struct buffer *out, const struct tx *t);

struct hash tx_hash_of_wire(struct bytes wire);
struct hash tx_hash(const struct tx *t);
struct hash tx_signing_hash(const struct tx *t);
/* E_SIGNATURE: r or s out of range, s high (EIP-2), or no such point. */
MUST_CHECK enum status tx_sender(struct address *out, const struct tx *t);
void tx_sign(struct tx *t, const struct key *key);

/* Gas before the first operation (Yellow Paper g_0 with EIP-2028, 2930, 3860). Saturates. */
uint64_t tx_intrinsic_gas(const struct tx *t);
/* Most that the sender can pay: gas limit * max fee + value + blob gas. False if over 2^256. */
MUST_CHECK bool tx_cost_max(struct u256 *out_wei, const struct tx *t);
/* min(max fee, base fee + max tip); the caller knows that max fee >= base fee (asserted). */
struct u256 tx_gas_price(const struct tx *t, struct u256 base_fee);
/* min(max tip, max fee - base fee); 0 when the fee does not reach the base fee. */
struct u256 tx_tip(const struct tx *t, struct u256 base_fee);
struct u256 fee_tip(struct u256 max_fee, struct u256 max_tip, struct u256 base_fee);

/* Everything that needs neither state nor fee market: chain id, tip <= fee, overflow of gas * fee,
 * init code size, intrinsic gas, gas against the block's limit, highest nonce, blob rules.
 * The signature is left to tx_sender. */
enum tx_reason tx_check_static(const struct tx *t, uint64_t chain_id, uint64_t block_gas_limit);
/* The sender's account against the transaction: nonce equal, funds for the highest cost. */
enum tx_reason tx_check_account(const struct tx *t, uint64_t account_nonce,
                                struct u256 balance_wei);

#endif
