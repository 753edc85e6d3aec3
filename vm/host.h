/* vm/host.h - the world as the EVM sees it: accounts, storage, code, logs and block facts.
 *
 * The VM calls these functions and nothing else; whoever runs it (chain/state) supplies them. All
 * are deterministic, cannot fail, and are called from the thread that called evm_execute. Views
 * returned (code) stay valid until the outermost evm_execute returns.
 *
 * Journal: the VM takes a snapshot before each frame and reverts to it when the frame fails, so
 * the host must be able to undo balances, nonces, code, storage, transient storage, logs, access
 * lists, created and self-destructed marks. Gas refunds are kept by the VM. */
#ifndef LEASEHOLD_VM_HOST_H
#define LEASEHOLD_VM_HOST_H

#include "base/keccak.h"
#include "base/u256.h"

#define LOG_TOPICS_MAX 4

struct log_entry {
    struct address address;
    struct hash topics[LOG_TOPICS_MAX];
    size_t topic_count;
    struct bytes data; /* borrowed by the call; the host copies it */
};

/* Facts of the block and transaction, fixed for one transaction. */
struct evm_context {
    uint64_t chain_id;
    uint64_t number;
    uint64_t timestamp_s;
    uint64_t gas_limit;
    struct address coinbase;
    struct hash prev_randao;
    struct u256 base_fee;
    struct u256 blob_base_fee;
    struct address origin;
    struct u256 gas_price; /* the effective one */
    const struct hash *blob_hashes;
    size_t blob_hash_count;
};

enum access { ACCESS_COLD, ACCESS_WARM };

/* An account and a storage slot as the running transaction sees them. They are the host's own, for
 * the VM to read, and good until the host is called again. */
struct host_account {
    struct u256 balance;
    uint64_t nonce;
    struct hash code_hash; /* KECCAK_EMPTY without code, and of an account that is not there */
    enum access was;       /* before the touch that gave it (EIP-2929) */
};

struct host_slot {
    struct u256 now;
    struct u256 original; /* when the transaction began; no revert changes it (EIP-2200) */
    enum access was;      /* before the touch that gave it */
};

/* As EIP-161 has it: an empty account does not exist. */
static inline bool host_account_exists(const struct host_account *a)
{
    return a->nonce != 0 || !hash_equal(&a->code_hash, &KECCAK_EMPTY) || !u256_is_zero(a->balance);
}

struct host; /* the implementer's own */

struct host_table {
    /* One look-up each. An account that is not there reads as an empty one. */
    const struct host_account *(*account)(struct host *h, const struct address *a);
    const struct host_account *(*touch_account)(struct host *h, const struct address *a); /* warm */
    struct bytes (*code)(struct host *h, const struct address *a);
    bool (*has_storage)(struct host *h, const struct address *a); /* for EIP-7610 */
    struct hash (*block_hash)(struct host *h, uint64_t number);   /* zero outside the last 256 */

    /* Finds the slot, marks it warm and shows it: the one look-up of an SLOAD or SSTORE. */
    struct host_slot *(*touch_slot)(struct host *h, const struct address *a,
                                    const struct u256 *key);
    /* Changes the slot that touch_slot has just given. */
    void (*store)(struct host *h, struct host_slot *slot, const struct u256 *value);
    const struct u256 *(*transient)(struct host *h, const struct address *a,
                                    const struct u256 *key); /* good until the next call */
    void (*set_transient)(struct host *h, const struct address *a, const struct u256 *key,
                          const struct u256 *value);

    void (*set_nonce)(struct host *h, const struct address *a, uint64_t nonce);
    /* Moves wei; the VM has checked that the sender holds it. Also creates the recipient. */
    void (*transfer)(struct host *h, const struct address *from, const struct address *to,
                     struct u256 wei);
    /* Marks `a` as created in this transaction (EIP-6780) and clears nothing but the mark's undo.
     */
    void (*mark_created)(struct host *h, const struct address *a);
    void (*set_code)(struct host *h, const struct address *a, struct bytes code); /* host copies */
    /* EIP-6780: moves the whole balance to heir; the account itself goes at the transaction's end
     * only if it was created in the same transaction (then heir == a burns the balance). */
    void (*self_destruct)(struct host *h, const struct address *a, const struct address *heir);
    void (*log)(struct host *h, const struct log_entry *entry);

    size_t (*snapshot)(struct host *h);
    void (*revert)(struct host *h, size_t snapshot);

    const struct evm_context *(*context)(struct host *h);
};

#endif
