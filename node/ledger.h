/* ledger.h - the chain as this node holds it: the final head from the store, and above it the
 * blocks that are not final yet, in memory, each with its bytes and, once executed, its state.
 *
 * Executes, builds, makes final. Knows no consensus, no clock and no socket: times are arguments.
 * One thread, the one that also owns the store's base. RPC threads read the store by snapshots
 * instead. Limits: LEDGER_BLOCKS_MAX blocks and LEDGER_BYTES_MAX of their bytes above the head. */
#ifndef LEASEHOLD_NODE_LEDGER_H
#define LEASEHOLD_NODE_LEDGER_H

#include "chain/build.h"
#include "chain/genesis.h"
#include "chain/store/store.h"

#define LEDGER_BLOCKS_MAX 640 /* consensus' window of 512 views, and what is being synced */
#define LEDGER_BYTES_MAX  (256u << 20)
#define LEDGER_ERROR_SIZE 512

struct ledger;

struct ledger_head { /* the last final block */
    struct header header;
    struct hash hash;
    struct epoch_record *record; /* after it */
    uint64_t arrived_ms;         /* when it was built or executed; 0 after a restart */
    bool busy;                   /* the protocol's own calls did something in it */
};

/* Makes block 0 in an empty store; else checks that the store's block 0 is this genesis': E_STATE.
 * Keeps store and genesis by pointer. */
MUST_CHECK enum status ledger_open(struct ledger **out, char error[LEDGER_ERROR_SIZE],
                                   struct store *store, const struct genesis *genesis);
void ledger_close(struct ledger *l); /* takes NULL */
const struct ledger_head *ledger_head(const struct ledger *l);

/* Keeps a block's bytes (copied). E_EXISTS: held already, or not above the head; E_MALFORMED if
 * their hash is another or the transactions are not the header's; E_LIMIT. */
MUST_CHECK enum status ledger_hold(struct ledger *l, const struct hash *hash, struct bytes block);
bool ledger_holds(const struct ledger *l, const struct hash *hash);
/* Forgets every block that is not executed and for which `wanted` says no. */
void ledger_sweep(struct ledger *l, bool (*wanted)(void *context, const struct hash *hash),
                  void *context);
size_t ledger_held_bytes(const struct ledger *l);
/* The bytes of a held block, good until the ledger changes; empty if it is not held. */
struct bytes ledger_bytes(const struct ledger *l, const struct hash *hash);
/* Where a held block's header says that it stands; false if it is not held. */
struct ledger_place {
    struct hash parent;
    uint64_t number, epoch, view, parent_view;
};
bool ledger_place(const struct ledger *l, struct ledger_place *out, const struct hash *hash);
/* The header's timestamp of a held block; 0 if it is not held. */
uint64_t ledger_timestamp(const struct ledger *l, const struct hash *hash);
/* When the block (the head or one above it) was executed; 0 if unknown. */
uint64_t ledger_arrived_ms(const struct ledger *l, const struct hash *hash);
/* Whether a block (the head or one above) is executed, so that others may stand on it. */
bool ledger_is_executed(const struct ledger *l, const struct hash *hash);
/* The record after an executed block or the head; NULL if there is none. */
const struct epoch_record *ledger_record(const struct ledger *l, const struct hash *hash);

/* Who signed these transactions, of what is known without recovering the key: fills `out` in order,
 * zero where it is not known. The pool has checked most of what comes in a block. */
typedef void (*ledger_senders)(void *context, struct address *out, const struct hash *hashes,
                               size_t count);
void ledger_ask_senders(struct ledger *l, ledger_senders senders, void *context);

/* Executes a held block upon its parent. E_NOT_FOUND: not held, or the parent is not executed;
 * E_MALFORMED with the reason: the block is invalid, for good. */
MUST_CHECK enum status ledger_verify(struct ledger *l, char error[LEDGER_ERROR_SIZE],
                                     const struct hash *hash, uint64_t now_ms);
/* The same for a block whose senders somebody has found out: as in block_parent, one for each of
 * its transactions; NULL: nobody has. */
MUST_CHECK enum status ledger_verify_known(struct ledger *l, char error[LEDGER_ERROR_SIZE],
                                           const struct hash *hash, const struct address *senders,
                                           uint64_t now_ms);

/* Appends the finality certificate kept with a final block; false: none is. */
bool ledger_certificate(const struct ledger *l, struct buffer *out, uint64_t number);

/* A call upon the head, of which nothing remains; out->output is good until the next execution. */
enum tx_reason ledger_call(struct ledger *l, struct tx_outcome *out,
                           const struct call_request *request);
/* An account after the head. */
struct mempool_account ledger_account(struct ledger *l, const struct address *a);

struct ledger_build {
    struct hash parent;
    struct block_plan plan;
    struct mempool *mempool; /* the caller holds its lock */
    struct buffer dropped;   /* out: hashes of impossible transactions, 32 bytes each */
};
/* E_NOT_FOUND: the parent is not executed; E_LIMIT. */
MUST_CHECK enum status ledger_build(struct ledger *l, struct hash *out, struct ledger_build *build,
                                    uint64_t now_ms);

/* Prepares chain[0..count), oldest first, all executed, the first upon the head, to become final...
 */
struct ledger_commit {
    const struct hash *chain;
    size_t count;
    struct bytes certificate; /* finalizes the last of them */
    struct buffer spenders;   /* out: layer_spenders of all */
    uint64_t tx_count;        /* out */
};
/* ... and makes them so: one synced batch. Drops what can no longer become final. */
void ledger_commit(struct ledger *l, struct ledger_commit *commit);

#endif
