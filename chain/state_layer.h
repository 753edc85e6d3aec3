/* state_layer.h - the inside of a layer, for state*.c only.
 *
 * Invariants:
 *  1. An entry's `before` is the value at the layer's start and never changes.
 *  2. What is seen of an entry differs from `before` only through a journaled setter, layer_end's
 *     deletions or the seal.
 *  3. A stamp (warm_tx, created_tx, ...) means something only while it equals layer->tx, so a new
 *     transaction forgets all marks by counting up.
 *  4. An account whose storage_root is empty in the parent has no slots below this layer.
 *  5. Entries neither move nor go while the layer lives, so they may be pointed to.
 *  6. What `era` stands in an entry has an undo record of that era, and between two eras lies each
 *     snapshot and each revert: only the first change of an entry in an era is remembered. */
#ifndef LEASEHOLD_CHAIN_STATE_LAYER_H
#define LEASEHOLD_CHAIN_STATE_LAYER_H

#include "base/arena.h"
#include "chain/state.h"
#include "chain/state_map.h"

#define RECENT_MAX 64 /* a power of two */

struct slot_entry;

struct account_entry {
    struct host_account seen; /* first: a pointer to it is one to the entry */
    struct address address;
    struct hash key;          /* keccak of the address */
    struct hash storage_root; /* of the last seal */
    struct account before;
    struct bytes code; /* of seen.code_hash, in the layer's arena, once code_known */
    bool code_known;
    uint64_t warm_tx;
    uint64_t created_tx;
    uint64_t destroyed_tx;
    struct slot_entry *slots; /* all that this layer knows, newest first */
};

struct slot_entry {
    struct host_slot seen; /* first: a pointer to it is one to the entry */
    struct account_entry *account;
    struct slot_entry *next;
    struct u256 key;
    struct u256 before;
    uint64_t original_tx; /* in which seen.original was taken */
    uint64_t warm_tx;
    uint64_t era; /* of its last undo record */
};

struct transient_entry {
    struct address account;
    struct u256 key;
    struct u256 now; /* if tx is this one, else zero */
    uint64_t tx;
    uint64_t era;
};

struct node_entry {
    struct trie_place place;
    struct bytes node; /* empty: deleted */
};

enum change_kind {
    CHANGE_BALANCE,
    CHANGE_NONCE,
    CHANGE_CODE,
    CHANGE_SLOT, /* its value and warmness */
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
            struct u256 now;
            uint64_t warm_tx;
        } slot;
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
    /* The entries found last, by a hash that anybody can foretell: who makes them miss pays for
     * the keyed map behind, and no more than that. */
    struct account_entry *recent_accounts[RECENT_MAX];
    struct slot_entry *recent_slots[RECENT_MAX];
    struct transient_entry *recent_transients[RECENT_MAX];
    uint64_t tx;
    uint64_t era;
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

/* state_find.c: finds, or reads from below and keeps. */
struct account_entry *state_account(struct layer *l, const struct address *a);
struct slot_entry *state_slot(struct layer *l, const struct address *a, const struct u256 *key);
struct transient_entry *state_transient(struct layer *l, const struct address *a,
                                        const struct u256 *key);
/* The same, but NULL where nothing was ever stored. */
struct transient_entry *state_find_transient(struct layer *l, const struct address *a,
                                             const struct u256 *key);
struct account state_account_now(const struct account_entry *e);
void state_see_account(struct account_entry *e, const struct account *a); /* not journaled */
struct bytes state_code(struct layer *l, struct account_entry *e);

/* state_journal.c: changes that layer_revert undoes. */
void state_set_balance(struct layer *l, struct account_entry *e, struct u256 wei);
void state_set_nonce(struct layer *l, struct account_entry *e, uint64_t nonce);
void state_set_code(struct layer *l, struct account_entry *e, struct bytes code);
void state_touch_slot(struct layer *l, struct slot_entry *s); /* warm; sets seen.was */
void state_set_slot(struct layer *l, struct slot_entry *s, const struct u256 *value);
void state_set_transient(struct layer *l, struct transient_entry *t, const struct u256 *value);
/* True: it was set in this transaction already. */
bool state_stamp(struct layer *l, uint64_t *stamp);
void state_mark_destroyed(struct layer *l, struct account_entry *e);
void state_log(struct layer *l, const struct log_entry *log);

#endif
