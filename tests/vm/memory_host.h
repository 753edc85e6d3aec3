/* tests/vm/memory_host.h - a small world in memory behind vm/host.h, for tests, fuzzing and bench.
 *
 * Header only, since tests link one file and their floor. Accounts and slots stand in dense arrays
 * found through a hash index; every change goes into one undo log, so a snapshot is its length and
 * memory_host_rewind brings back the state in which the world was set up. */
#ifndef LEASEHOLD_TESTS_VM_MEMORY_HOST_H
#define LEASEHOLD_TESTS_VM_MEMORY_HOST_H

#include "base/fatal.h"
#include "base/keccak.h"
#include "vm/host.h"
#include "vm/word.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_RECENT 64

struct memory_account {
    struct host_account seen; /* first, as in a slot */
    struct address address;
    struct bytes code; /* owned */
    bool warm;
    bool created;
    bool destructed;
    bool has_storage;
};

struct memory_slot {
    struct host_slot seen; /* first: a pointer to it is one to the slot */
    struct u256 transient;
    struct address address;
    struct u256 key;
    bool warm;
    uint64_t era; /* of its last undo record */
    uint64_t transient_era;
};

enum undo_kind {
    UNDO_BALANCE,
    UNDO_NONCE,
    UNDO_CODE,
    UNDO_WARM,
    UNDO_CREATED,
    UNDO_DESTRUCTED,
    UNDO_SLOT, /* value and warmness */
    UNDO_TRANSIENT,
    UNDO_LOG,
};

struct undo {
    enum undo_kind kind;
    bool was_warm;
    size_t index;
    struct u256 value;
};

/* An index from key hash to position in a dense array: open addressing, 0 is empty. */
struct memory_index {
    size_t *cells;
    size_t capacity;
};

struct host {
    struct evm_context context;
    struct memory_account *accounts;
    size_t account_count, account_capacity;
    struct memory_index account_index;
    struct memory_slot *slots;
    size_t slot_count, slot_capacity;
    struct memory_index slot_index;
    struct undo *undos;
    size_t undo_count, undo_capacity;
    size_t
        recent_slots[MEMORY_RECENT]; /* positions of those found last, as in the chain's layers */
    uint64_t era; /* counts snapshots and reverts: one undo record of a slot in each will do */
    struct log_entry *logs; /* data owned */
    size_t log_count, log_capacity;
    struct hash block_hash_answer;
};

static inline uint64_t memory_part(const uint8_t *from)
{
    uint64_t v;
    memcpy(&v, from, sizeof(v));
    return v;
}

static inline uint64_t memory_last_part(const struct address *a)
{
    uint32_t v;
    memcpy(&v, a->b + 16, sizeof(v));
    return v;
}

/* Hashes are sums of products with odd numbers, which do not wait for each other. Their highest
 * bits are the best, so those choose the cell. */
static inline size_t memory_cell(const struct memory_index *ix, uint64_t hash)
{
    return (size_t)((u128)hash * ix->capacity >> 64);
}

static inline uint64_t memory_address_hash(const struct address *a)
{
    return memory_part(a->b) * UINT64_C(0x9e3779b97f4a7c15) +
           memory_part(a->b + 8) * UINT64_C(0xc2b2ae3d27d4eb4f) +
           memory_last_part(a) * UINT64_C(0xd6e8feb86659fd93);
}

static inline uint64_t memory_slot_hash(const struct address *a, const struct u256 *key)
{
    return memory_last_part(a) * UINT64_C(0xd6e8feb86659fd93) +
           key->limb[0] * UINT64_C(0x9e3779b97f4a7c15) +
           key->limb[1] * UINT64_C(0xc2b2ae3d27d4eb4f) +
           key->limb[2] * UINT64_C(0xff51afd7ed558ccd) +
           key->limb[3] * UINT64_C(0xc4ceb9fe1a85ec53);
}

/* Room for one more element of a dense array. */
static inline void *memory_grow(void *array, size_t count, size_t *capacity, size_t item_bytes)
{
    if (count < *capacity) return array;
    *capacity = *capacity == 0 ? 64 : *capacity * 2;
    return must_realloc(array, *capacity * item_bytes);
}

static inline void memory_index_put(struct memory_index *ix, uint64_t hash, size_t position)
{
    size_t i = memory_cell(ix, hash);
    while (ix->cells[i] != 0)
        i = (i + 1) & (ix->capacity - 1);
    ix->cells[i] = position + 1;
}

/* True if the index has to be filled again, since it has moved to a larger place. */
static inline bool memory_index_grow(struct memory_index *ix, size_t count)
{
    if (ix->capacity > 2 * (count + 1)) return false;
    free(ix->cells);
    ix->capacity = ix->capacity == 0 ? 256 : ix->capacity * 4;
    ix->cells = must_alloc(ix->capacity * sizeof(*ix->cells));
    return true;
}

static inline struct memory_account *memory_account_find(struct host *h, const struct address *a)
{
    if (h->account_index.capacity == 0) return NULL;
    size_t mask = h->account_index.capacity - 1;
    for (size_t i = memory_cell(&h->account_index, memory_address_hash(a));; i = (i + 1) & mask) {
        size_t cell = h->account_index.cells[i];
        if (cell == 0) return NULL;
        if (address_equal(&h->accounts[cell - 1].address, a)) return &h->accounts[cell - 1];
    }
}

static inline struct memory_account *memory_account_get(struct host *h, const struct address *a)
{
    struct memory_account *found = memory_account_find(h, a);
    if (found != NULL) return found;
    h->accounts = (struct memory_account *)memory_grow(h->accounts, h->account_count,
                                                       &h->account_capacity, sizeof(*h->accounts));
    struct memory_account *fresh = &h->accounts[h->account_count];
    *fresh = (struct memory_account){.address = *a, .seen.code_hash = KECCAK_EMPTY};
    if (memory_index_grow(&h->account_index, h->account_count)) {
        for (size_t i = 0; i < h->account_count; i++)
            memory_index_put(&h->account_index, memory_address_hash(&h->accounts[i].address), i);
    }
    memory_index_put(&h->account_index, memory_address_hash(a), h->account_count);
    h->account_count++;
    return fresh;
}

static inline struct memory_slot *memory_slot_find(struct host *h, const struct address *a,
                                                   const struct u256 *key, uint64_t hash)
{
    if (h->slot_index.capacity == 0) return NULL;
    size_t mask = h->slot_index.capacity - 1;
    for (size_t i = memory_cell(&h->slot_index, hash);; i = (i + 1) & mask) {
        size_t cell = h->slot_index.cells[i];
        if (cell == 0) return NULL;
        struct memory_slot *s = &h->slots[cell - 1];
        if (word_equal(&s->key, key) && address_equal(&s->address, a)) return s;
    }
}

static inline void memory_slot_index_fill(struct host *h)
{
    for (size_t i = 0; i < h->slot_count; i++) {
        struct memory_slot *s = &h->slots[i];
        memory_index_put(&h->slot_index, memory_slot_hash(&s->address, &s->key), i);
    }
}

static inline struct memory_slot *memory_slot_find_or_add(struct host *h, const struct address *a,
                                                          const struct u256 *key)
{
    uint64_t hash = memory_slot_hash(a, key);
    struct memory_slot *found = memory_slot_find(h, a, key, hash);
    if (found != NULL) return found;
    h->slots = (struct memory_slot *)memory_grow(h->slots, h->slot_count, &h->slot_capacity,
                                                 sizeof(*h->slots));
    h->slots[h->slot_count] = (struct memory_slot){
        .address = *a, .key = *key, .era = UINT64_MAX, .transient_era = UINT64_MAX};
    if (memory_index_grow(&h->slot_index, h->slot_count)) memory_slot_index_fill(h);
    memory_index_put(&h->slot_index, hash, h->slot_count);
    return &h->slots[h->slot_count++];
}

static inline struct memory_slot *memory_slot_get(struct host *h, const struct address *a,
                                                  const struct u256 *key)
{
    size_t *recent = &h->recent_slots[(key->limb[0] ^ a->b[19]) % MEMORY_RECENT];
    if (*recent < h->slot_count) {
        struct memory_slot *s = &h->slots[*recent];
        if (word_equal(&s->key, key) && address_equal(&s->address, a)) return s;
    }
    struct memory_slot *s = memory_slot_find_or_add(h, a, key);
    *recent = (size_t)(s - h->slots);
    return s;
}

/* Setting up, before the first message. */

static inline struct bytes memory_bytes_copy(struct bytes b)
{
    if (b.size == 0) return bytes_of(NULL, 0);
    uint8_t *copy = (uint8_t *)must_alloc(b.size);
    memcpy(copy, b.data, b.size);
    return bytes_of(copy, b.size);
}

static inline void memory_host_put_code(struct host *h, const struct address *a, struct bytes code)
{
    struct memory_account *account = memory_account_get(h, a);
    assert(account->code.size == 0);
    account->code = memory_bytes_copy(code);
    account->seen.code_hash = keccak256(code);
}

static inline void memory_host_put_slot(struct host *h, const struct address *a, struct u256 slot,
                                        struct u256 value)
{
    struct memory_slot *s = memory_slot_get(h, a, &slot);
    s->seen.now = value;
    s->seen.original = value;
    memory_account_get(h, a)->has_storage = true;
}

/* The table's functions. */

static inline void memory_undo(struct host *h, enum undo_kind kind, size_t index, struct u256 value)
{
    h->undos =
        (struct undo *)memory_grow(h->undos, h->undo_count, &h->undo_capacity, sizeof(*h->undos));
    h->undos[h->undo_count++] = (struct undo){kind, false, index, value};
}

static inline size_t memory_account_at(struct host *h, const struct memory_account *a)
{
    return (size_t)(a - h->accounts);
}

static inline const struct host_account *memory_account(struct host *h, const struct address *a)
{
    return &memory_account_get(h, a)->seen;
}

/* For tests to look. */
static inline struct u256 memory_balance(struct host *h, const struct address *a)
{
    return memory_account(h, a)->balance;
}

static inline uint64_t memory_nonce(struct host *h, const struct address *a)
{
    return memory_account(h, a)->nonce;
}

static inline struct bytes memory_code(struct host *h, const struct address *a)
{
    const struct memory_account *found = memory_account_find(h, a);
    return found == NULL ? bytes_of(NULL, 0) : found->code;
}

static inline bool memory_has_storage(struct host *h, const struct address *a)
{
    const struct memory_account *found = memory_account_find(h, a);
    return found != NULL && found->has_storage;
}

static inline struct hash memory_block_hash(struct host *h, uint64_t number)
{
    (void)number;
    return h->block_hash_answer;
}

static inline void memory_undo_slot(struct host *h, struct memory_slot *s)
{
    if (s->era == h->era) return;
    memory_undo(h, UNDO_SLOT, (size_t)(s - h->slots), s->seen.now);
    h->undos[h->undo_count - 1].was_warm = s->warm;
    s->era = h->era;
}

static inline struct host_slot *memory_touch_slot(struct host *h, const struct address *a,
                                                  const struct u256 *key)
{
    struct memory_slot *s = memory_slot_get(h, a, key);
    s->seen.was = s->warm ? ACCESS_WARM : ACCESS_COLD;
    if (s->warm) return &s->seen;
    memory_undo_slot(h, s);
    s->warm = true;
    return &s->seen;
}

static inline void memory_store(struct host *h, struct host_slot *slot, const struct u256 *value)
{
    memory_undo_slot(h, (struct memory_slot *)slot);
    word_copy(&slot->now, value);
}

/* For tests to look: the value, without touching the slot. */
static inline struct u256 memory_storage(struct host *h, const struct address *a, struct u256 key)
{
    return memory_slot_get(h, a, &key)->seen.now;
}

static inline const struct u256 *memory_transient(struct host *h, const struct address *a,
                                                  const struct u256 *key)
{
    return &memory_slot_get(h, a, key)->transient;
}

static inline void memory_set_transient(struct host *h, const struct address *a,
                                        const struct u256 *key, const struct u256 *value)
{
    struct memory_slot *s = memory_slot_get(h, a, key);
    if (s->transient_era != h->era)
        memory_undo(h, UNDO_TRANSIENT, (size_t)(s - h->slots), s->transient);
    s->transient_era = h->era;
    word_copy(&s->transient, value);
}

static inline const struct host_account *memory_touch_account(struct host *h,
                                                              const struct address *a)
{
    struct memory_account *account = memory_account_get(h, a);
    account->seen.was = account->warm ? ACCESS_WARM : ACCESS_COLD;
    if (account->warm) return &account->seen;
    memory_undo(h, UNDO_WARM, memory_account_at(h, account), u256_from_u64(0));
    account->warm = true;
    return &account->seen;
}

static inline void memory_set_nonce(struct host *h, const struct address *a, uint64_t nonce)
{
    struct memory_account *account = memory_account_get(h, a);
    memory_undo(h, UNDO_NONCE, memory_account_at(h, account), u256_from_u64(account->seen.nonce));
    account->seen.nonce = nonce;
}

static inline void memory_set_balance(struct host *h, const struct address *a, struct u256 balance)
{
    struct memory_account *account = memory_account_get(h, a);
    memory_undo(h, UNDO_BALANCE, memory_account_at(h, account), account->seen.balance);
    account->seen.balance = balance;
}

static inline void memory_transfer(struct host *h, const struct address *from,
                                   const struct address *to, struct u256 wei)
{
    struct u256 have = memory_balance(h, from);
    assert(u256_compare(have, wei) >= 0); /* the VM has checked */
    memory_set_balance(h, from, u256_sub(have, wei));
    memory_set_balance(h, to, u256_add(memory_balance(h, to), wei));
}

static inline void memory_mark_created(struct host *h, const struct address *a)
{
    struct memory_account *account = memory_account_get(h, a);
    memory_undo(h, UNDO_CREATED, memory_account_at(h, account), u256_from_u64(account->created));
    account->created = true;
}

static inline void memory_set_code(struct host *h, const struct address *a, struct bytes code)
{
    struct memory_account *account = memory_account_get(h, a);
    assert(account->code.size == 0 && code.size > 0); /* code is set once */
    memory_undo(h, UNDO_CODE, memory_account_at(h, account), u256_from_u64(0));
    account->code = memory_bytes_copy(code);
    account->seen.code_hash = keccak256(code);
}

static inline void memory_self_destruct(struct host *h, const struct address *a,
                                        const struct address *heir)
{
    struct memory_account *account = memory_account_get(h, a);
    struct u256 balance = account->seen.balance;
    bool goes = account->created;
    if (goes && !account->destructed) {
        memory_undo(h, UNDO_DESTRUCTED, memory_account_at(h, account), u256_from_u64(0));
        account->destructed = true;
    }
    if (address_equal(a, heir) && !goes) return;
    memory_set_balance(h, a, u256_from_u64(0));
    if (!address_equal(a, heir) && !u256_is_zero(balance))
        memory_set_balance(h, heir, u256_add(memory_balance(h, heir), balance));
}

static inline void memory_log(struct host *h, const struct log_entry *entry)
{
    h->logs =
        (struct log_entry *)memory_grow(h->logs, h->log_count, &h->log_capacity, sizeof(*h->logs));
    h->logs[h->log_count] = *entry;
    h->logs[h->log_count].data = memory_bytes_copy(entry->data);
    h->log_count++;
    memory_undo(h, UNDO_LOG, 0, u256_from_u64(0));
}

static inline size_t memory_snapshot(struct host *h)
{
    h->era++;
    return h->undo_count;
}

static inline void memory_bytes_free(struct bytes *b)
{
    void *owned;
    memcpy(&owned, &b->data, sizeof(owned)); /* const only for the readers */
    free(owned);
    *b = bytes_of(NULL, 0);
}

static inline void memory_undo_account(struct memory_account *account, const struct undo *u)
{
    if (u->kind == UNDO_BALANCE) account->seen.balance = u->value;
    if (u->kind == UNDO_NONCE) account->seen.nonce = u256_to_u64(u->value);
    if (u->kind == UNDO_WARM) account->warm = false;
    if (u->kind == UNDO_CREATED) account->created = !u256_is_zero(u->value);
    if (u->kind == UNDO_DESTRUCTED) account->destructed = false;
    if (u->kind != UNDO_CODE) return;
    memory_bytes_free(&account->code);
    account->seen.code_hash = KECCAK_EMPTY;
}

static inline void memory_undo_storage(struct memory_slot *s, const struct undo *u)
{
    s->seen.now = u->value;
    s->warm = u->was_warm;
}

static inline void memory_undo_one(struct host *h, const struct undo *u)
{
    switch (u->kind) {
    case UNDO_BALANCE:
    case UNDO_NONCE:
    case UNDO_CODE:
    case UNDO_WARM:
    case UNDO_CREATED:
    case UNDO_DESTRUCTED: memory_undo_account(&h->accounts[u->index], u); break;
    case UNDO_SLOT: memory_undo_storage(&h->slots[u->index], u); break;
    case UNDO_TRANSIENT: h->slots[u->index].transient = u->value; break;
    case UNDO_LOG: memory_bytes_free(&h->logs[--h->log_count].data); break;
    }
}

static inline void memory_revert(struct host *h, size_t snapshot)
{
    assert(snapshot <= h->undo_count);
    while (h->undo_count > snapshot)
        memory_undo_one(h, &h->undos[--h->undo_count]);
    h->era++;
}

static inline const struct evm_context *memory_context(struct host *h)
{
    return &h->context;
}

static inline void memory_host_rewind(struct host *h)
{
    memory_revert(h, 0);
}

static inline void memory_host_finish(struct host *h)
{
    memory_host_rewind(h);
    for (size_t i = 0; i < h->account_count; i++)
        memory_bytes_free(&h->accounts[i].code);
    free(h->accounts);
    free(h->account_index.cells);
    free(h->slots);
    free(h->slot_index.cells);
    free(h->undos);
    free(h->logs);
    *h = (struct host){.account_count = 0};
}

static const struct host_table memory_host_table = {
    .account = memory_account,
    .touch_account = memory_touch_account,
    .code = memory_code,
    .has_storage = memory_has_storage,
    .block_hash = memory_block_hash,
    .touch_slot = memory_touch_slot,
    .store = memory_store,
    .transient = memory_transient,
    .set_transient = memory_set_transient,
    .set_nonce = memory_set_nonce,
    .transfer = memory_transfer,
    .mark_created = memory_mark_created,
    .set_code = memory_set_code,
    .self_destruct = memory_self_destruct,
    .log = memory_log,
    .snapshot = memory_snapshot,
    .revert = memory_revert,
    .context = memory_context,
};

#endif
