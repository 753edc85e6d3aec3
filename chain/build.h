/* build.h - whole blocks: executed, verified, built.
 *
 * A block's state is: parent's state, the parent's hash noted (EIP-2935), its transactions in
 * order, then the system calls (tick; at an epoch's end endEpoch, whose set goes into
 * next_validators_hash). Pure functions: no clock, no I/O but reads of the base under the layers.
 * The same evm may serve one thread's blocks in turn.
 *
 * Logs of system calls are in no receipt and not in the header's bloom (both are as Ethereum
 * defines them); they are kept beside the receipts, numbered after the transactions' logs. Whoever
 * shows them gives them the transaction hash of system_logs_hash and the index tx_count. */
#ifndef LEASEHOLD_CHAIN_BUILD_H
#define LEASEHOLD_CHAIN_BUILD_H

#include "chain/block.h"
#include "chain/epoch_record.h"
#include "chain/execute.h"
#include "chain/mempool.h"
#include "chain/receipt.h"

#define BLOCK_ERROR_SIZE 256

/* A block with all that follows from it. Counted like its layer; freed with executed_release. */
struct executed {
    struct arena arena; /* everything below lies here, but for the layer */
    size_t holders;
    struct block block; /* whole; its wire bytes are copies */
    struct hash hash;
    struct layer *layer;         /* sealed */
    struct epoch_record *record; /* after this block */
    struct receipt *receipts;    /* block.tx_count of them; logs belong to the layer */
    struct tx_outcome *outcomes; /* gas_used, gas_price, created; output is cleared */
    struct hash *tx_hashes;
    struct address *senders;
    struct log_entry *system_logs;
    size_t system_log_count;
    bool tick_failed; /* the call reverted: a bug in the contracts, to be logged */
    bool turn_failed; /* endEpoch or nextSet did: the old set stays */
};

/* Empty but for a new layer over `parent` (or base); for genesis and this module. */
struct executed *executed_create(const struct state_base *base, struct layer *parent);
struct executed *executed_retain(struct executed *e);
void executed_release(struct executed *e);                               /* NULL is fine */
void executed_keep_logs(struct executed *e, const struct tx_outcome *o); /* of a system call */

/* What a block stands on. The layer may be NULL: the base itself (after a restart). */
struct block_parent {
    const struct state_base *base;
    struct layer *layer;
    const struct header *header;
    const struct hash *hash;
    const struct epoch_record *record; /* after the parent */
    struct ancestry ancestry;          /* asked only for numbers below the parent's */
    /* For block_verify, of the block's transactions in order; NULL: found out there. Only what
     * tx_sender said of these very bytes may stand here, or zero: not known. */
    const struct hash *tx_hashes;
    const struct address *senders;
};

/* Executes and compares everything that execution determines. E_MALFORMED with a reason in `error`;
 * *out is then untouched. Certificates, the clock and who may propose when are consensus' part, but
 * the header's epoch, views, leader's address, reveal and randomness are checked here. */
MUST_CHECK enum status block_verify(struct executed **out, char error[BLOCK_ERROR_SIZE],
                                    const struct chain_config *config, struct evm *evm,
                                    const struct block_parent *parent, const struct block *block);

struct block_plan {       /* what the proposer chooses */
    uint64_t timestamp_s; /* raised to the parent's if below */
    uint64_t view;
    uint64_t parent_view;
    struct hash reveal;
    size_t size_bytes_max; /* of the encoded block; 0: BLOCK_SIZE_MAX */
};
/* Takes what fits, best first. Transactions found impossible are left out and, when `drop` is not
 * NULL, their hashes appended to it (32 bytes each) for mempool_remove. `pick` may be NULL: no
 * transactions. The plan must satisfy epoch_record_check (fatal: the node would act against its own
 * rules). */
struct executed *block_build(const struct chain_config *config, struct evm *evm,
                             const struct block_parent *parent, const struct block_plan *plan,
                             struct mempool_pick *pick, struct buffer *drop);

/* An account as the mempool asks for it. */
struct mempool_account pool_account(struct layer *l, const struct address *a);

/* The next block's base fee. */
struct u256 block_next_base_fee(const struct chain_config *config, const struct header *parent);

/* Stored forms. Receipts: rlp list of byte strings, each receipt_encode's. Logs: rlp list of
 * [address, [topics], data]. Decoders: arrays and logs in the arena, log data in the input. */
void receipts_encode(struct buffer *out, const struct receipt *receipts, size_t count);
MUST_CHECK enum status receipts_decode(struct receipt **out, size_t *out_count, struct arena *arena,
                                       struct bytes input);
void logs_encode(struct buffer *out, const struct log_entry *logs, size_t count);
MUST_CHECK enum status logs_decode(struct log_entry **out, size_t *out_count, struct arena *arena,
                                   struct bytes input);
/* keccak256("system" | block hash): stands where a transaction hash must be shown. */
struct hash system_logs_hash(const struct hash *block_hash);
/* Receipts' and system logs' bloom together: what the store keeps for eth_getLogs. */
struct bloom executed_bloom(const struct executed *e);

#endif
