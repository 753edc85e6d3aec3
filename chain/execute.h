/* execute.h - runs transactions, system calls and read-only calls on a layer.
 *
 * The rules of a transaction around the VM: validity against the state, buying gas, intrinsic gas,
 * authorizations (EIP-7702), warm addresses, refunds (EIP-3529), the floor price of calldata
 * (EIP-7623), fees (EIP-1559: the base fee is burned, the tip is the coinbase's). Which of them
 * hold the evm's revision says. A pure function of layer, environment and transaction. One thread
 * an execution. */
#ifndef LEASEHOLD_CHAIN_EXECUTE_H
#define LEASEHOLD_CHAIN_EXECUTE_H

#include "chain/config.h"
#include "chain/header.h"
#include "chain/state.h"
#include "chain/tx.h"
#include "vm/evm.h"

#define SYSTEM_CALL_GAS 30000000

/* Hashes of ancestors, for BLOCKHASH: only numbers of the last 256 are asked for. */
struct ancestry {
    void *context;
    bool (*hash)(void *context, uint64_t number, struct hash *out); /* false: unknown */
};

/* One block's (or call's) surroundings. */
struct execution {
    struct evm *evm;
    struct host host; /* layer, block facts, ancestry */
    const struct chain_config *config;
    uint64_t gas_left; /* of the block */
};

/* Block facts from a header that has number, gas_limit, timestamp_s, coinbase, mix_hash and
 * base_fee. Keeps evm, layer, config and ancestry->context by pointer. */
void execution_init(struct execution *x, struct evm *evm, struct layer *layer,
                    const struct chain_config *config, const struct header *header);
void execution_set_ancestry(struct execution *x, const struct ancestry *ancestry);

struct tx_outcome {
    enum evm_result result;
    uint64_t gas_used;
    struct u256 gas_price;        /* effective */
    struct address created;       /* of a successful create */
    struct bytes output;          /* the evm's, until its next message */
    const struct log_entry *logs; /* the layer's; none unless EVM_SUCCESS */
    size_t log_count;
};

/* Anything but TX_FINE leaves layer and *out as they were. Lowers gas_left by the gas used.
 * `sender` is what tx_sender gives (or, in tests of the rules, what they say). */
enum tx_reason execute_transaction(struct execution *x, struct tx_outcome *out, const struct tx *t,
                                   const struct address *sender);

/* A call by the protocol itself, from SYSTEM_ADDRESS, outside of block gas and fees. `value` comes
 * into being with it. If it fails nothing of it remains. */
extern const struct address SYSTEM_ADDRESS; /* 0xffff...fffe */
struct system_message {
    struct address to;
    struct bytes input;
    struct u256 value;
    bool is_static;
};
void execute_system(struct execution *x, struct tx_outcome *out, const struct system_message *m);

/* eth_call and eth_estimateGas: nothing remains in the layer but what was read. */
struct call_request {
    struct address from;
    bool is_create;
    struct address to;
    struct u256 value;
    struct bytes data;
    uint64_t gas_limit;
    struct u256 gas_price; /* 0: free */
    const struct access_entry *access;
    size_t access_count;
    const struct authorization *authorizations;
    size_t authorization_count;
};
/* TX_FINE: it ran, see *out (logs are none). TX_FUNDS, TX_INTRINSIC_GAS, TX_FLOOR_GAS,
 * TX_INIT_CODE_SIZE, TX_SET_CODE_CREATE: not run. *stop not zero ends it early with EVM_OUT_OF_GAS
 * (stop may be NULL). */
enum tx_reason execute_call(struct execution *x, struct tx_outcome *out,
                            const struct call_request *request, const volatile int *stop);
/* The least gas limit with which the call succeeds, at most request->gas_limit; and *out of the run
 * that tells (its output only if it failed). If even that limit fails *gas is 0 and *out says how.
 */
enum tx_reason execute_estimate(struct execution *x, uint64_t *gas, struct tx_outcome *out,
                                const struct call_request *request, const volatile int *stop);

#endif
