/* Finding entries: among the recent ones, in the layer's maps, in its parents', in the base. */
#include "base/fatal.h"
#include "base/keccak.h"
#include "chain/state_layer.h"

#include <assert.h>
#include <string.h>

struct slot_name { /* 52 bytes, no padding: hashed as it lies */
    struct address account;
    uint8_t slot[32];
};
_Static_assert(sizeof(struct slot_name) == 52, "hashed whole");

struct slot_query {
    const struct address *account;
    const struct u256 *key;
};

static bool same_account(const void *item, const void *key)
{
    const struct account_entry *e = item;
    return address_equal(&e->address, key);
}

static bool same_slot(const void *item, const void *key)
{
    const struct slot_entry *s = item;
    const struct slot_query *q = key;
    return u256_equal(s->key, *q->key) && address_equal(&s->account->address, q->account);
}

static bool same_transient(const void *item, const void *key)
{
    const struct transient_entry *t = item;
    const struct slot_query *q = key;
    return u256_equal(t->key, *q->key) && address_equal(&t->account, q->account);
}

static uint64_t hash_of_account(const struct layer *l, const struct address *a)
{
    return state_map_hash(l->base->map_key, address_bytes(a));
}

static uint64_t hash_of_slot(const struct layer *l, const struct slot_query *q)
{
    struct slot_name name;
    name.account = *q->account;
    memcpy(name.slot, q->key->limb, sizeof name.slot);
    return state_map_hash(l->base->map_key, bytes_of(&name, sizeof name));
}

struct account state_account_now(const struct account_entry *e)
{
    return (struct account){
        .nonce = e->seen.nonce,
        .balance = e->seen.balance,
        .storage_root = e->storage_root,
        .code_hash = e->seen.code_hash,
    };
}

void state_see_account(struct account_entry *e, const struct account *a)
{
    e->seen.balance = a->balance;
    e->seen.nonce = a->nonce;
    e->seen.code_hash = a->code_hash;
    e->storage_root = a->storage_root;
}

static void load_account(const struct layer *l, struct account_entry *e, uint64_t hash)
{
    for (const struct layer *p = l->parent; p != NULL; p = p->parent) {
        const struct account_entry *found =
            state_map_find(&p->accounts, hash, same_account, &e->address);
        if (found == NULL) continue;
        e->key = found->key;
        e->before = state_account_now(found);
        return;
    }
    e->key = keccak256(address_bytes(&e->address));
    e->before = ACCOUNT_EMPTY;
    (void)l->base->account(l->base->context, &e->key, &e->before);
}

static struct account_entry *find_account(struct layer *l, const struct address *a)
{
    uint64_t hash = hash_of_account(l, a);
    struct account_entry *e = state_map_find(&l->accounts, hash, same_account, a);
    if (e != NULL) return e;
    e = arena_alloc(&l->arena, sizeof *e);
    e->address = *a;
    load_account(l, e, hash);
    state_see_account(e, &e->before);
    state_map_add(&l->accounts, hash, e);
    return e;
}

struct account_entry *state_account(struct layer *l, const struct address *a)
{
    struct account_entry **recent = &l->recent_accounts[a->b[19] % RECENT_MAX];
    if (*recent == NULL || !address_equal(&(*recent)->address, a)) *recent = find_account(l, a);
    return *recent;
}

static struct u256 load_slot(const struct layer *l, const struct account_entry *e,
                             const struct slot_query *q, uint64_t hash)
{
    struct u256 value = {0};
    if (hash_equal(&e->before.storage_root, &ACCOUNT_EMPTY.storage_root)) return value;
    for (const struct layer *p = l->parent; p != NULL; p = p->parent) {
        const struct slot_entry *found = state_map_find(&p->slots, hash, same_slot, q);
        if (found != NULL) return found->seen.now;
    }
    uint8_t slot[32];
    u256_to_be(slot, *q->key);
    struct hash key = keccak256(bytes_of(slot, sizeof slot));
    (void)l->base->slot(l->base->context, &e->key, &key, &value);
    return value;
}

static struct slot_entry *find_slot(struct layer *l, const struct slot_query *q)
{
    uint64_t hash = hash_of_slot(l, q);
    struct slot_entry *s = state_map_find(&l->slots, hash, same_slot, q);
    if (s != NULL) return s;
    struct account_entry *e = state_account(l, q->account);
    s = arena_alloc(&l->arena, sizeof *s);
    s->account = e;
    s->key = *q->key;
    s->before = load_slot(l, e, q, hash);
    s->seen.now = s->before;
    s->next = e->slots;
    e->slots = s;
    state_map_add(&l->slots, hash, s);
    return s;
}

/* Slots of one contract that lie side by side, or at hashes, seldom meet here. */
static size_t recent_of(const struct address *a, const struct u256 *key)
{
    return (size_t)(key->limb[0] ^ a->b[19]) % RECENT_MAX;
}

struct slot_entry *state_slot(struct layer *l, const struct address *a, const struct u256 *key)
{
    struct slot_query q = {a, key};
    struct slot_entry **recent = &l->recent_slots[recent_of(a, key)];
    if (*recent == NULL || !same_slot(*recent, &q)) *recent = find_slot(l, &q);
    return *recent;
}

struct transient_entry *state_find_transient(struct layer *l, const struct address *a,
                                             const struct u256 *key)
{
    struct slot_query q = {a, key};
    struct transient_entry **recent = &l->recent_transients[recent_of(a, key)];
    if (*recent != NULL && same_transient(*recent, &q)) return *recent;
    struct transient_entry *t =
        state_map_find(&l->transients, hash_of_slot(l, &q), same_transient, &q);
    if (t != NULL) *recent = t;
    return t;
}

struct transient_entry *state_transient(struct layer *l, const struct address *a,
                                        const struct u256 *key)
{
    struct transient_entry *t = state_find_transient(l, a, key);
    if (t != NULL) return t;
    struct slot_query q = {a, key};
    t = arena_alloc(&l->arena, sizeof *t);
    t->account = *a;
    t->key = *key;
    state_map_add(&l->transients, hash_of_slot(l, &q), t);
    l->recent_transients[recent_of(a, key)] = t;
    return t;
}

static bool code_from_parents(struct layer *l, struct account_entry *e)
{
    uint64_t hash = hash_of_account(l, &e->address);
    for (const struct layer *p = l->parent; p != NULL; p = p->parent) {
        const struct account_entry *found =
            state_map_find(&p->accounts, hash, same_account, &e->address);
        if (found == NULL || !found->code_known) continue;
        assert(hash_equal(&found->seen.code_hash, &e->seen.code_hash));
        e->code = arena_copy(&l->arena, found->code);
        return true;
    }
    return false;
}

struct bytes state_code(struct layer *l, struct account_entry *e)
{
    if (hash_equal(&e->seen.code_hash, &KECCAK_EMPTY)) return (struct bytes){0};
    if (e->code_known) return e->code;
    if (!code_from_parents(l, e)) {
        struct buffer code = {0};
        if (!l->base->code(l->base->context, &e->seen.code_hash, &code)) {
            fatal("reading contract code: not in the database, which must be corrupt");
        }
        e->code = arena_copy(&l->arena, buffer_bytes(&code));
        buffer_finish(&code);
    }
    e->code_known = true;
    return e->code;
}
