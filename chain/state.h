/* state.h - accounts, storage and code as one block sees and changes them.
 *
 * A `struct layer` is the state after one block that is not final yet: its changes over a parent
 * layer, or over the base (the last final state). While its block runs it also is the journal of
 * the running transaction. layer_seal computes the roots and makes it immutable; then other layers
 * may stand on it, and layer_write hands its changes to the store.
 *
 * Life: layers are counted. A layer holds its parent until it is made final with layer_settle,
 * which is called after its changes are in the base: from then on it reads like any other layer but
 * no longer needs its parent. Every living layer must descend from the base's head or be the
 * head's own layer: drop the layers of dead forks before reading through them again.
 *
 * Reads walk parents up to the base. What was read is kept in the layer, so a read from a layer
 * changes memory: one thread at a time for all layers over one base object. Threads that only want
 * the last final state make a throwaway layer over a store snapshot's base.
 *
 * Determinism: maps are keyed by base->map_key but everything is sorted before it reaches a root.
 */
#ifndef LEASEHOLD_CHAIN_STATE_H
#define LEASEHOLD_CHAIN_STATE_H

#include "chain/account.h"
#include "chain/state_base.h"
#include "vm/host.h"

struct layer;

/* Over `parent` if it is not NULL (it must be sealed), else over the base. Keeps `base` by pointer
 * and counts `parent`. The creator holds one count. */
struct layer *layer_create(const struct state_base *base, struct layer *parent);
struct layer *layer_retain(struct layer *l);
void layer_release(struct layer *l); /* NULL is fine */

/* Current values; an absent account reads as ACCOUNT_EMPTY. storage_root is that of the last seal.
 */
struct account layer_account(struct layer *l, const struct address *a);
struct bytes layer_code(struct layer *l, const struct address *a); /* valid while the layer lives */
struct u256 layer_storage(struct layer *l, const struct address *a, struct u256 slot);

/* Changes, undone by layer_revert like the VM's own. Not on a sealed layer. */
void layer_set_balance(struct layer *l, const struct address *a, struct u256 wei);
void layer_add_balance(struct layer *l, const struct address *a, struct u256 wei);
void layer_sub_balance(struct layer *l, const struct address *a, struct u256 wei); /* asserts */
void layer_set_nonce(struct layer *l, const struct address *a, uint64_t nonce);
void layer_set_code(struct layer *l, const struct address *a, struct bytes code); /* copies */
void layer_set_storage(struct layer *l, const struct address *a, struct u256 slot,
                       struct u256 value);

/* One transaction (or system call, or read-only call): begin forgets access lists, transient
 * storage, marks and the journal of the one before; end deletes what destroyed itself. */
void layer_begin(struct layer *l);
void layer_end(struct layer *l);
size_t layer_snapshot(struct layer *l);
void layer_revert(struct layer *l, size_t snapshot);
void layer_warm_account(struct layer *l, const struct address *a);
void layer_warm_slot(struct layer *l, const struct address *a, struct u256 slot);

/* The logs of the transaction since layer_begin, in order; data and array belong to the layer. */
const struct log_entry *layer_logs(const struct layer *l, size_t *out_count);

/* Roots of storage first, then of accounts. Afterwards the layer cannot change. */
struct hash layer_seal(struct layer *l);
bool layer_is_sealed(const struct layer *l);
struct hash layer_root(const struct layer *l); /* of a sealed layer */

/* All changes against the parent, sorted by key. Sealed layers only. */
void layer_write(const struct layer *l, const struct state_sink *sink);
/* Appends the addresses (20 bytes each) of the accounts whose nonce rose or whose balance fell
 * against the parent: what they have waiting may be impossible now. Sealed layers only; in the
 * order of the accounts' keys. */
void layer_spenders(const struct layer *l, struct buffer *out);
void layer_settle(struct layer *l);
/* Appends a trie node as of this sealed layer; false: none there. */
bool layer_node(const struct layer *l, const struct trie_place *place, struct buffer *out);

/* The layer as the VM's host. `host` is this module's: set the fields, pass it with HOST_OF_LAYER.
 * block_hash answers for the last 256 ancestors only (chain/execute sets it). */
struct host {
    struct layer *layer;
    struct evm_context context;
    void *ancestry;
    bool (*block_hash)(void *ancestry, uint64_t number, struct hash *out); /* false: unknown */
};
extern const struct host_table HOST_OF_LAYER;

#endif
