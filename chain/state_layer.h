/* state_layer.h - the inside of a layer, for state*.c only.
 *
 * Invariants:
 *  1. An entry's `before` is the value at the layer's start and never changes.
 *  2. `now` differs from `before` only through a journaled setter, layer_end's deletions or the
 * seal.
 *  3. A stamp (warm_tx, created_tx, ...) means something only while it equals layer->tx, so a new
 *     transaction forgets all marks by counting up.
 *  4. An account whose storage_root is empty in the parent has no slots below this layer. */
#ifndef LEASEHOLD_CHAIN_STATE_LAYER_H
#define LEASEHOLD_CHAIN_STATE_LAYER_H

#include "base/arena.h"
#include "chain/state.h"
#include "chain/state_map.h"

struct slot_entry;

struct account_entry {
    struct address address;
    struct hash key; /* keccak of the address */
    struct account now;
    struct account before;
    struct bytes code; /* of now.code_hash, in the layer's arena, once code_known */
    bool code_known;
    uint64_t warm_tx;
    uint64_t created_tx;
    uint64_t destroyed_tx;
    struct slot_entry *slots; /* all that this layer knows, newest first */
};

struct slot_entry {
    struct account_entry *account;
    struct slot_entry *next;
    struct u256 slot;
    struct u256 now;
    struct u256 before;
    struct u256 original; /* at the transaction's start, if original_tx is this one */
    uint64_t original_tx;
    uint64_t warm_tx;
};

struct transient_entry {
    struct address account;
    struct u256 slot;
    struct u256 now;
};

struct node_entry {
    struct trie_place place;
    struct bytes node; /* empty: deleted */
};

enum change_kind {
    CHANGE_BALANCE,
    CHANGE_NONCE,
    CHANGE_CODE,
    CHANGE_SLOT,
    CHANGE_TRANSIENT,
    CHANGE_STAMP, /* one of the stamps above */
    CHANGE_LOG,
};

struct change { /* how to undo one */
    enum change_kind kind;
    void *target;
    union {
        struct u256 word;
        uint64_t number;
        struct {
            struct hash hash;
            struct bytes code;
        } code;
    } old;
};

struct slot_change {
    struct hash key;
    struct u256 value;
};

struct account_change { /* made by the seal, sorted by the account's key */
    struct account_entry *entry;
    struct slot_change *slots; /* sorted */
    size_t slot_count;
};

struct layer {
    const struct state_base *base;
    struct layer *parent;
    size_t holders;
    bool sealed;
    struct hash parent_root;
    struct hash root;
    struct arena arena;
    struct state_map accounts;
    struct state_map slots;
    struct state_map transients;
    struct state_map nodes;
    uint64_t tx;
    struct change *journal;
    size_t journal_count;
    size_t journal_capacity;
    struct log_entry *logs;
    size_t log_count;
    size_t log_capacity;
    struct log_entry *kept_logs; /* of the ended transaction, in the arena */
    struct account_entry **destroyed;
    size_t destroyed_count;
    size_t destroyed_capacity;
    struct account_change *changes;
    size_t change_count;
};

struct account_entry *state_account(struct layer *l, const struct address *a);
struct slot_entry *state_slot(struct layer *l, const struct address *a, struct u256 slot);
struct transient_entry *state_transient(struct layer *l, const struct address *a, struct u256 slot);
struct bytes state_code(struct layer *l, struct account_entry *e);

/* Journaled. */
void state_set_balance(struct layer *l, struct account_entry *e, struct u256 wei);
void state_set_nonce(struct layer *l, struct account_entry *e, uint64_t nonce);
void state_set_code(struct layer *l, struct account_entry *e, struct bytes code);
void state_set_slot(struct layer *l, struct slot_entry *s, struct u256 value);
void state_set_transient(struct layer *l, struct transient_entry *t, struct u256 value);
bool state_stamp(struct layer *l,
                 uint64_t *stamp); /* true: it was set in this transaction already */
void state_mark_destroyed(struct layer *l, struct account_entry *e);
void state_log(struct layer *l, const struct log_entry *log);

#endif
