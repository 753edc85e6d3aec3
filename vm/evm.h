/* vm/evm.h - runs one message: a call or a create, with everything that it calls.
 *
 * Revisions Cancun and Prague (later ones are added to enum evm_revision). The transaction's own
 * rules (intrinsic and floor gas, fees, nonce of the sender, authorizations, access list, warm
 * precompiles, coinbase and delegate) belong to the caller, chain/execute. Deterministic; no I/O,
 * no clock. One `struct evm` a thread: it keeps stacks and memory for reuse between messages. */
#ifndef LEASEHOLD_VM_EVM_H
#define LEASEHOLD_VM_EVM_H

#include "vm/host.h"

/* In order of time. */
enum evm_revision { EVM_CANCUN, EVM_PRAGUE };

enum evm_result {
    EVM_SUCCESS,
    EVM_REVERT,     /* output holds the reason, gas is left */
    EVM_OUT_OF_GAS, /* this and all below: all gas is gone, output is empty */
    EVM_STACK_UNDERFLOW,
    EVM_STACK_OVERFLOW,
    EVM_BAD_JUMP,
    EVM_BAD_OPCODE,
    EVM_STATIC_VIOLATION,
    EVM_RETURN_DATA_RANGE,
    EVM_CALL_DEPTH,     /* not run: gas is given back */
    EVM_BALANCE,        /* not run: gas is given back */
    EVM_NONCE_OVERFLOW, /* not run: gas is given back */
    EVM_COLLISION,
    EVM_CODE_SIZE,      /* over 24,576 bytes, EIP-170 */
    EVM_INIT_CODE_SIZE, /* over 49,152 bytes, EIP-3860 */
    EVM_CODE_PREFIX,    /* begins with 0xEF, EIP-3541 */
    EVM_PRECOMPILE,     /* a precompile refused its input */
};

/* "out of gas" and so on, as other clients word them, for RPC and traces. */
const char *evm_result_text(enum evm_result result);

enum evm_kind { EVM_CALL, EVM_CREATE }; /* what a transaction can ask for */

struct evm_message {
    enum evm_kind kind;
    struct address sender;
    struct address recipient; /* for EVM_CREATE: ignored, derived from sender and nonce */
    struct u256 value;
    struct bytes input; /* calldata, or init code */
    int64_t gas;
    /* For EVM_CREATE: the sender's nonce *before* the transaction raised it. */
    uint64_t create_nonce;
    bool is_static; /* a read-only call: state changes fail */
};

struct evm_outcome {
    enum evm_result result;
    int64_t gas_left;
    int64_t gas_refund;     /* of the whole tree; 0 unless EVM_SUCCESS; before the cap */
    struct bytes output;    /* belongs to the evm, valid until its next message */
    struct address created; /* of a successful EVM_CREATE */
};

struct evm;

struct evm *evm_create(enum evm_revision revision);
void evm_destroy(struct evm *evm);
enum evm_revision evm_revision_of(const struct evm *evm);
const char *evm_revision_name(enum evm_revision revision); /* "Cancun" and so on */

/* Which interpreter runs. Both give the same outcome: that is tested, and this is for the tests. */
enum evm_tier {
    EVM_TIER_AUTO,  /* plain for code seen first, fast once it has run hot: the default */
    EVM_TIER_PLAIN, /* byte by byte */
    EVM_TIER_FAST,  /* all code is translated before it runs */
};
#define EVM_TIER_COUNT (EVM_TIER_FAST + 1)
void evm_set_tier(struct evm *evm, enum evm_tier tier);
const char *evm_tier_name(enum evm_tier tier);          /* "auto", "plain", "fast" */
bool evm_tier_of(enum evm_tier *out, const char *name); /* false: no such tier */

/* The table and host must outlive the call. Value is moved by the VM through the host. */
void evm_execute(struct evm *evm, struct evm_outcome *out, const struct host_table *table,
                 struct host *host, const struct evm_message *message);

/* 0x01 to 0x0a; from Prague on to 0x11. */
bool evm_is_precompile(enum evm_revision revision, const struct address *a);
/* How many precompile addresses, and each, for warming (EIP-2929). */
size_t evm_precompile_count(enum evm_revision revision);
void evm_precompile_address(enum evm_revision revision, size_t index, struct address *out);

/* One step of a trace (EIP-3155): an operation, and the state before it. */
struct evm_step {
    uint64_t pc;
    uint8_t opcode;
    int64_t gas;
    int64_t gas_cost; /* with what goes along; of a step that fails, the opcode's base gas */
    int64_t refund;
    size_t depth;             /* 1 is the outermost frame */
    const struct u256 *stack; /* bottom first */
    size_t stack_count;
    size_t memory_bytes;
};
/* The hook hears of a step when its cost is known: after the operation, but before the steps of
 * what that calls. It must not change anything; NULL turns it off. Not while a message runs. */
void evm_set_trace(struct evm *evm, void (*step)(void *context, const struct evm_step *s),
                   void *context);

/* A limit in time, set by another thread: looked at wherever code can loop or call; when `*stop`
 * is not zero the message ends with EVM_OUT_OF_GAS. NULL (the default) never. Only for
 * calls whose result reaches no state root (eth_call, estimates). */
void evm_set_stop_flag(struct evm *evm, const volatile int *stop);

#endif
