/* tx.h - transactions: wire bytes, hashes, senders, and every rule that needs no state.
 *
 * Types 0 (legacy, with and without EIP-155), 1 (EIP-2930), 2 (EIP-1559) and 4 (EIP-7702). "Wire"
 * bytes are the list itself for type 0 and the type byte followed by a list for the others
 * (EIP-2718): what eth_sendRawTransaction takes and what tx_hash hashes. Pure functions; any
 * thread.
 *
 * A decoded tx borrows its data from the wire bytes, its access list and its authorizations from
 * the arena. */
#ifndef LEASEHOLD_CHAIN_TX_H
#define LEASEHOLD_CHAIN_TX_H

#include "base/arena.h"
#include "base/key.h"
#include "base/u256.h"
#include "chain/limits.h"
#include "chain/tx_reason.h"
#include "vm/evm.h"

enum tx_type { TX_LEGACY, TX_ACCESS_LIST, TX_DYNAMIC_FEE, TX_BLOB, TX_SET_CODE };

struct access_entry {
    struct address address;
    const struct hash *slots;
    size_t slot_count;
};

/* EIP-7702: whoever signed it, the authority, lets the delegate's code act for its account. */
struct authorization {
    struct u256 chain_id;       /* 0: good on every chain */
    struct address delegate;    /* zero: the authority's account goes back to having no code */
    uint64_t nonce;             /* the authority's, which it raises */
    struct signature signature; /* any parity decodes; only 0 and 1 have a signer */
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
    const struct authorization *authorizations; /* type 4 only */
    size_t authorization_count;
    /* Type 3 is never decoded (E_UNSUPPORTED); only tests of the official rules fill these in. */
    struct u256 max_fee_per_blob_gas;
    const struct hash *blob_hashes;
    size_t blob_hash_count;
    struct signature signature; /* parity 0 or 1 whatever the type */
};

/* E_MALFORMED: not canonical, a field out of its range (a legacy v that is neither 27/28 nor
 * 35 and up, a parity above 1, `to` neither empty nor 20 bytes); E_LIMIT: over TX_SIZE_MAX or
 * TX_AUTHORIZATIONS_MAX; E_UNSUPPORTED: type 3 and all others. The signature is not checked here:
 * see tx_sender. */
MUST_CHECK enum status tx_decode(struct tx *out, struct arena *arena, struct bytes wire);
/* Why bytes that do not decode are refused. */
enum tx_reason tx_reason_of_decoding(enum status status, struct bytes wire);
/* Appends the wire bytes; the exact inverse of tx_decode. Not for type 3 (asserted). */
void tx_encode(struct buffer *out, const struct tx *t);

bool tx_is_wire_type(uint8_t type_byte); /* of the typed ones that decode: 1, 2, 4 */
bool tx_has_tip(const struct tx *t);     /* a fee and a tip of its own, and no gas price */

struct hash tx_hash_of_wire(struct bytes wire);
struct hash tx_hash(const struct tx *t);
struct hash tx_signing_hash(const struct tx *t);
/* E_SIGNATURE: r or s out of range, s high (EIP-2), or no such point. */
MUST_CHECK enum status tx_sender(struct address *out, const struct tx *t);
void tx_sign(struct tx *t, const struct key *key);

/* The signer of an authorization that may be used on this chain: E_RANGE if it is for another one
 * or its nonce is the last, E_SIGNATURE as in tx_sender. */
MUST_CHECK enum status authorization_authority(struct address *out, const struct authorization *a,
                                               uint64_t chain_id);
void authorization_sign(struct authorization *a, const struct key *key);

/* Gas before the first operation (Yellow Paper g_0 with EIP-2028, 2930, 3860, 7702). */
uint64_t tx_intrinsic_gas(const struct tx *t);
/* What is charged at least, for the size of the calldata (EIP-7623); 0 before Prague. */
uint64_t tx_floor_gas(const struct tx *t, enum evm_revision revision);
/* The gas limit against both: TX_INTRINSIC_GAS or TX_FLOOR_GAS if it is too low. */
enum tx_reason tx_check_gas(const struct tx *t, enum evm_revision revision);
/* Most that the sender can pay: gas limit * max fee + value + blob gas. False if over 2^256. */
MUST_CHECK bool tx_cost_max(struct u256 *out_wei, const struct tx *t);
/* min(max fee, base fee + max tip); the caller knows that max fee >= base fee (asserted). */
struct u256 tx_gas_price(const struct tx *t, struct u256 base_fee);
/* min(max tip, max fee - base fee); 0 when the fee does not reach the base fee. */
struct u256 tx_tip(const struct tx *t, struct u256 base_fee);
struct u256 fee_tip(struct u256 max_fee, struct u256 max_tip, struct u256 base_fee);

/* Everything that needs neither state nor fee market: chain id, tip <= fee, overflow of gas * fee,
 * init code size, intrinsic and floor gas, gas against the block's limit, highest nonce, rules of
 * blobs and authorizations. The signature is left to tx_sender. */
enum tx_reason tx_check_static(const struct tx *t, enum evm_revision revision, uint64_t chain_id,
                               uint64_t block_gas_limit);
/* The sender's account against the transaction: nonce equal, funds for the highest cost. */
enum tx_reason tx_check_account(const struct tx *t, uint64_t account_nonce,
                                struct u256 balance_wei);

#endif
