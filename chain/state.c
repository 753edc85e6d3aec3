#include "chain/state.h"

#include "base/fatal.h"
#include "chain/state_layer.h"

#include <assert.h>
#include <stdlib.h>

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
    l->era = 1;
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

/* ---- public values ---- */

struct account layer_account(struct layer *l, const struct address *a)
{
    return state_account_now(state_account(l, a));
}

struct bytes layer_code(struct layer *l, const struct address *a)
{
    return state_code(l, state_account(l, a));
}

struct u256 layer_storage(struct layer *l, const struct address *a, struct u256 slot)
{
    return state_slot(l, a, &slot)->seen.now;
}

void layer_set_balance(struct layer *l, const struct address *a, struct u256 wei)
{
    state_set_balance(l, state_account(l, a), wei);
}

void layer_add_balance(struct layer *l, const struct address *a, struct u256 wei)
{
    struct account_entry *e = state_account(l, a);
    struct u256 sum;
    bool fits = u256_add_checked(&sum, e->seen.balance, wei);
    assert(fits); /* the chain holds fewer than 2^256 wei */
    (void)fits;
    state_set_balance(l, e, sum);
}

void layer_sub_balance(struct layer *l, const struct address *a, struct u256 wei)
{
    struct account_entry *e = state_account(l, a);
    struct u256 rest;
    bool covered = u256_sub_checked(&rest, e->seen.balance, wei);
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
    state_set_slot(l, state_slot(l, a, &slot), &value);
}
