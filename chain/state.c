#include "chain/state.h"

#include "base/fatal.h"
#include "base/keccak.h"
#include "chain/state_layer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- the empty base ---- */

static bool no_account(void *context, const struct hash *account_key, struct account *out)
{
    (void)context, (void)account_key, (void)out;
    return false;
}

static bool no_slot(void *context, const struct hash *account_key, const struct hash *slot_key,
                    struct u256 *out)
{
    (void)context, (void)account_key, (void)slot_key, (void)out;
    return false;
}

static bool no_code(void *context, const struct hash *code_hash, struct buffer *out)
{
    (void)context, (void)code_hash, (void)out;
    return false;
}

static bool no_node(void *context, const struct trie_place *place, struct buffer *out)
{
    (void)context, (void)place, (void)out;
    return false;
}

struct state_base state_base_empty(void)
{
    return (struct state_base){
        .account = no_account,
        .slot = no_slot,
        .code = no_code,
        .node = no_node,
        .root = ACCOUNT_EMPTY.storage_root,
    };
}

/* ---- life ---- */

struct layer *layer_create(const struct state_base *base, struct layer *parent)
{
    assert(base != NULL);
    assert(parent == NULL || parent->sealed);
    struct layer *l = must_alloc(sizeof *l);
    l->base = base;
    l->parent = parent == NULL ? NULL : layer_retain(parent);
    l->parent_root = parent == NULL ? base->root : parent->root;
    l->holders = 1;
    l->tx = 1;
    return l;
}

struct layer *layer_retain(struct layer *l)
{
    assert(l->holders > 0);
    l->holders++;
    return l;
}

void layer_release(struct layer *l)
{
    while (l != NULL) {
        assert(l->holders > 0);
        if (--l->holders > 0) return;
        struct layer *parent = l->parent;
        state_map_finish(&l->accounts);
        state_map_finish(&l->slots);
        state_map_finish(&l->transients);
        state_map_finish(&l->nodes);
        arena_finish(&l->arena);
        free(l->journal);
        free(l->logs);
        free(l->destroyed);
        free(l);
        l = parent;
    }
}

void layer_settle(struct layer *l)
{
    assert(l->sealed);
    struct layer *parent = l->parent;
    l->parent = NULL;
    layer_release(parent);
}

bool layer_is_sealed(const struct layer *l)
{
    return l->sealed;
}

struct hash layer_root(const struct layer *l)
{
    assert(l->sealed);
    return l->root;
}

/* ---- finding ---- */

struct slot_name { /* 52 bytes, no padding: hashed as it lies */
    struct address account;
    uint8_t slot[32];
};
_Static_assert(sizeof(struct slot_name) == 52, "hashed whole");

struct slot_query {
    const struct address *account;
    struct u256 slot;
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
    return u256_equal(s->slot, q->slot) && address_equal(&s->account->address, q->account);
}

static bool same_transient(const void *item, const void *key)
{
    const struct transient_entry *t = item;
    const struct slot_query *q = key;
    return u256_equal(t->slot, q->slot) && address_equal(&t->account, q->account);
}

static uint64_t hash_of_account(const struct layer *l, const struct address *a)
{
    return state_map_hash(l->base->map_key, address_bytes(a));
}

static uint64_t hash_of_slot(const struct layer *l, const struct slot_query *q)
{
    struct slot_name name;
    name.account = *q->account;
    memcpy(name.slot, q->slot.limb, sizeof name.slot);
    return state_map_hash(l->base->map_key, bytes_of(&name, sizeof name));
}

static void load_account(const struct layer *l, struct account_entry *e, uint64_t hash)
{
    for (const struct layer *p = l->parent; p != NULL; p = p->parent) {
        const struct account_entry *found =
            state_map_find(&p->accounts, hash, same_account, &e->address);
        if (found == NULL) continue;
        e->key = found->key;
        e->before = found->now;
        return;
    }
    e->key = keccak256(address_bytes(&e->address));
    e->before = ACCOUNT_EMPTY;
    (void)l->base->account(l->base->context, &e->key, &e->before);
}

struct account_entry *state_account(struct layer *l, const struct address *a)
{
    uint64_t hash = hash_of_account(l, a);
    struct account_entry *e = state_map_find(&l->accounts, hash, same_account, a);
    if (e != NULL) return e;
    e = arena_alloc(&l->arena, sizeof *e);
    e->address = *a;
    load_account(l, e, hash);
    e->now = e->before;
    state_map_add(&l->accounts, hash, e);
    return e;
}

static struct u256 load_slot(const struct layer *l, const struct account_entry *e,
                             const struct slot_query *q, uint64_t hash)
{
    struct u256 value = {0};
    if (hash_equal(&e->before.storage_root, &ACCOUNT_EMPTY.storage_root)) return value;
    for (const struct layer *p = l->parent; p != NULL; p = p->parent) {
        const struct slot_entry *found = state_map_find(&p->slots, hash, same_slot, q);
        if (found != NULL) return found->now;
    }
    uint8_t slot[32];
    u256_to_be(slot, q->slot);
    struct hash key = keccak256(bytes_of(slot, sizeof slot));
    (void)l->base->slot(l->base->context, &e->key, &key, &value);
    return value;
}

struct slot_entry *state_slot(struct layer *l, const struct address *a, struct u256 slot)
{
    struct slot_query q = {a, slot};
    uint64_t hash = hash_of_slot(l, &q);
    struct slot_entry *s = state_map_find(&l->slots, hash, same_slot, &q);
    if (s != NULL) return s;
    struct account_entry *e = state_account(l, a);
    s = arena_alloc(&l->arena, sizeof *s);
    s->account = e;
    s->slot = slot;
    s->before = load_slot(l, e, &q, hash);
    s->now = s->before;
    s->next = e->slots;
    e->slots = s;
    state_map_add(&l->slots, hash, s);
    return s;
}

struct transient_entry *state_transient(struct layer *l, const struct address *a, struct u256 slot)
{
    struct slot_query q = {a, slot};
    uint64_t hash = hash_of_slot(l, &q);
    struct transient_entry *t = state_map_find(&l->transients, hash, same_transient, &q);
    if (t != NULL) return t;
    t = arena_alloc(&l->arena, sizeof *t);
    t->account = *a;
    t->slot = slot;
    state_map_add(&l->transients, hash, t);
    return t;
}

static bool code_from_parents(struct layer *l, struct account_entry *e)
{
    uint64_t hash = hash_of_account(l, &e->address);
    for (const struct layer *p = l->parent; p != NULL; p = p->parent) {
        const struct account_entry *found =
            state_map_find(&p->accounts, hash, same_account, &e->address);
        if (found == NULL || !found->code_known) continue;
        assert(hash_equal(&found->now.code_hash, &e->now.code_hash));
        e->code = arena_copy(&l->arena, found->code);
        return true;
    }
    return false;
}

struct bytes state_code(struct layer *l, struct account_entry *e)
{
    if (!account_has_code(&e->now)) return (struct bytes){0};
    if (e->code_known) return e->code;
    if (!code_from_parents(l, e)) {
        struct buffer code = {0};
        if (!l->base->code(l->base->context, &e->now.code_hash, &code)) {
            fatal("reading contract code: not in the database, which must be corrupt");
        }
        e->code = arena_copy(&l->arena, buffer_bytes(&code));
        buffer_finish(&code);
    }
    e->code_known = true;
    return e->code;
}

/* ---- public values ---- */

struct account layer_account(struct layer *l, const struct address *a)
{
    return state_account(l, a)->now;
}

struct bytes layer_code(struct layer *l, const struct address *a)
{
    return state_code(l, state_account(l, a));
}

struct u256 layer_storage(struct layer *l, const struct address *a, struct u256 slot)
{
    return state_slot(l, a, slot)->now;
}

void layer_set_balance(struct layer *l, const struct address *a, struct u256 wei)
{
    state_set_balance(l, state_account(l, a), wei);
}

void layer_add_balance(struct layer *l, const struct address *a, struct u256 wei)
{
    struct account_entry *e = state_account(l, a);
    struct u256 sum;
    bool fits = u256_add_checked(&sum, e->now.balance, wei);
    assert(fits); /* the chain holds fewer than 2^256 wei */
    (void)fits;
    state_set_balance(l, e, sum);
}

void layer_sub_balance(struct layer *l, const struct address *a, struct u256 wei)
{
    struct account_entry *e = state_account(l, a);
    struct u256 rest;
    bool covered = u256_sub_checked(&rest, e->now.balance, wei);
    assert(covered); /* the caller has checked */
    (void)covered;
    state_set_balance(l, e, rest);
}

void layer_set_nonce(struct layer *l, const struct address *a, uint64_t nonce)
{
    state_set_nonce(l, state_account(l, a), nonce);
}

void layer_set_code(struct layer *l, const struct address *a, struct bytes code)
{
    state_set_code(l, state_account(l, a), code);
}

void layer_set_storage(struct layer *l, const struct address *a, struct u256 slot,
                       struct u256 value)
{
    state_set_slot(l, state_slot(l, a, slot), value);
}
