#include "base/fatal.h"
#include "base/keccak.h"
#include "base/rlp.h"
#include "chain/state_layer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- trie nodes through the layers ---- */

static bool same_place(const void *item, const void *key)
{
    const struct node_entry *n = item;
    return memcmp(&n->place, key, sizeof n->place) == 0;
}

static uint64_t hash_of_place(const struct layer *l, const struct trie_place *place)
{
    return state_map_hash(l->base->map_key, bytes_of(place, sizeof *place));
}

static bool find_node(const struct layer *from, const struct trie_place *place, struct buffer *out)
{
    uint64_t hash = hash_of_place(from, place);
    for (const struct layer *p = from; p != NULL; p = p->parent) {
        const struct node_entry *found = state_map_find(&p->nodes, hash, same_place, place);
        if (found == NULL) continue;
        if (found->node.size == 0) return false;
        buffer_append(out, found->node);
        return true;
    }
    return from->base->node(from->base->context, place, out);
}

static bool get_node(void *context, const struct trie_place *place, struct buffer *out)
{
    const struct layer *l = context;
    if (l->parent != NULL) return find_node(l->parent, place, out);
    return l->base->node(l->base->context, place, out);
}

static void put_node(void *context, const struct trie_place *place, struct bytes node)
{
    struct layer *l = context;
    struct node_entry *n = arena_alloc(&l->arena, sizeof *n);
    n->place = *place;
    if (node.size > 0) n->node = arena_copy(&l->arena, node);
    state_map_add(&l->nodes, hash_of_place(l, place), n);
}

bool layer_node(const struct layer *l, const struct trie_place *place, struct buffer *out)
{
    assert(l->sealed);
    return find_node(l, place, out);
}

/* ---- storage roots ---- */

static int by_slot_key(const void *a, const void *b)
{
    const struct slot_change *x = a, *y = b;
    return memcmp(x->key.b, y->key.b, sizeof x->key.b);
}

static size_t count_changed_slots(const struct account_entry *e)
{
    size_t count = 0;
    for (const struct slot_entry *s = e->slots; s != NULL; s = s->next) {
        if (!u256_equal(s->seen.now, s->before)) count++;
    }
    return count;
}

static void collect_slots(struct layer *l, struct account_change *c, size_t count)
{
    size_t at = 0;
    c->slots = arena_alloc(&l->arena, count * sizeof *c->slots);
    for (const struct slot_entry *s = c->entry->slots; s != NULL; s = s->next) {
        if (u256_equal(s->seen.now, s->before)) continue;
        uint8_t slot[32];
        u256_to_be(slot, s->key);
        c->slots[at].key = keccak256(bytes_of(slot, sizeof slot));
        c->slots[at++].value = s->seen.now;
    }
    assert(at == count);
    c->slot_count = count;
    qsort(c->slots, count, sizeof *c->slots, by_slot_key);
}

struct seal { /* memory of one seal, given back at its end */
    struct layer *layer;
    struct arena arena;
    struct trie_store store;
    struct buffer values;
};

static struct hash update_trie(struct seal *s, const struct hash *owner, const struct hash *root,
                               const struct trie_item *items, size_t count)
{
    struct trie t = {.store = &s->store, .arena = &s->arena, .owner = *owner, .root = *root};
    trie_update(&t, items, count);
    return t.root;
}

/* Values are appended to one buffer that moves as it grows: sizes first, pointers at the end. */
static void point_into(struct trie_item *items, size_t count, const struct buffer *values)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        size_t size = items[i].value.size;
        items[i].value.data = size == 0 ? NULL : values->data + at;
        at += size;
    }
    assert(at == values->size);
}

static void seal_storage(struct seal *s, struct account_change *c)
{
    struct trie_item *items = arena_alloc(&s->arena, c->slot_count * sizeof *items);
    buffer_clear(&s->values);
    for (size_t i = 0; i < c->slot_count; i++) {
        size_t before = s->values.size;
        items[i].key = hash_bytes(&c->slots[i].key);
        if (!u256_is_zero(c->slots[i].value)) rlp_put_u256(&s->values, c->slots[i].value);
        items[i].value.size = s->values.size - before;
    }
    point_into(items, c->slot_count, &s->values);
    struct account_entry *e = c->entry;
    e->storage_root = update_trie(s, &e->key, &e->before.storage_root, items, c->slot_count);
}

/* ---- the account trie ---- */

static int by_account_key(const void *a, const void *b)
{
    const struct account_change *x = a, *y = b;
    return memcmp(x->entry->key.b, y->entry->key.b, sizeof x->entry->key.b);
}

static bool is_changed(const struct account_entry *e, size_t changed_slots)
{
    struct account now = state_account_now(e);
    if (account_is_empty(&now) && account_is_empty(&e->before)) return false;
    return changed_slots > 0 || !account_equal(&now, &e->before);
}

static void collect_accounts(struct layer *l)
{
    if (l->accounts.count == 0) return;
    void **entries = must_alloc(l->accounts.count * sizeof *entries);
    state_map_items(&l->accounts, entries);
    l->changes = arena_alloc(&l->arena, l->accounts.count * sizeof *l->changes);
    for (size_t i = 0; i < l->accounts.count; i++) {
        struct account_entry *e = entries[i];
        size_t slots = count_changed_slots(e);
        if (!is_changed(e, slots)) continue;
        struct account_change *c = &l->changes[l->change_count++];
        c->entry = e;
        if (slots > 0) collect_slots(l, c, slots);
    }
    free(entries);
    qsort(l->changes, l->change_count, sizeof *l->changes, by_account_key);
}

static struct hash seal_accounts(struct seal *s)
{
    const struct layer *l = s->layer;
    if (l->change_count == 0) return l->parent_root;
    struct trie_item *items = arena_alloc(&s->arena, l->change_count * sizeof *items);
    buffer_clear(&s->values);
    for (size_t i = 0; i < l->change_count; i++) {
        const struct account_entry *e = l->changes[i].entry;
        struct account now = state_account_now(e);
        size_t before = s->values.size;
        items[i].key = hash_bytes(&e->key);
        if (!account_is_empty(&now)) account_encode(&s->values, &now);
        items[i].value.size = s->values.size - before;
    }
    point_into(items, l->change_count, &s->values);
    struct hash owner = {0};
    return update_trie(s, &owner, &l->parent_root, items, l->change_count);
}

/* What only the running block needed. */
static void drop_working_memory(struct layer *l)
{
    free(l->journal);
    free(l->logs);
    free(l->destroyed);
    l->journal = NULL;
    l->logs = NULL;
    l->destroyed = NULL;
    l->journal_capacity = l->log_capacity = l->destroyed_capacity = 0;
    state_map_finish(&l->transients);
}

struct hash layer_seal(struct layer *l)
{
    assert(!l->sealed);
    struct seal s = {.layer = l, .store = {l, get_node, put_node}};
    collect_accounts(l);
    for (size_t i = 0; i < l->change_count; i++) {
        if (l->changes[i].slot_count == 0) continue;
        seal_storage(&s, &l->changes[i]);
        arena_reset(&s.arena);
    }
    l->root = seal_accounts(&s);
    l->sealed = true;
    arena_finish(&s.arena);
    buffer_finish(&s.values);
    drop_working_memory(l);
    return l->root;
}

/* ---- handing the changes over ---- */

static int by_place(const void *a, const void *b)
{
    const struct node_entry *const *x = a, *const *y = b;
    return memcmp(&(*x)->place, &(*y)->place, sizeof(*x)->place);
}

static void write_nodes(const struct layer *l, const struct state_sink *sink)
{
    if (l->nodes.count == 0) return;
    void **nodes = must_alloc(l->nodes.count * sizeof *nodes);
    state_map_items(&l->nodes, nodes);
    qsort(nodes, l->nodes.count, sizeof *nodes, by_place);
    for (size_t i = 0; i < l->nodes.count; i++) {
        const struct node_entry *n = nodes[i];
        sink->node(sink->context, &n->place, n->node);
    }
    free(nodes);
}

static void write_account(const struct account_change *c, const struct state_sink *sink)
{
    const struct account_entry *e = c->entry;
    struct account now = state_account_now(e);
    sink->account(sink->context, &e->key, account_is_empty(&now) ? NULL : &now);
    for (size_t i = 0; i < c->slot_count; i++) {
        sink->slot(sink->context, &e->key, &c->slots[i].key, c->slots[i].value);
    }
    if (!account_has_code(&now)) return;
    if (hash_equal(&now.code_hash, &e->before.code_hash)) return;
    assert(e->code_known);
    sink->code(sink->context, &now.code_hash, e->code);
}

void layer_write(const struct layer *l, const struct state_sink *sink)
{
    assert(l->sealed);
    for (size_t i = 0; i < l->change_count; i++)
        write_account(&l->changes[i], sink);
    write_nodes(l, sink);
}

void layer_spenders(const struct layer *l, struct buffer *out)
{
    assert(l->sealed);
    for (size_t i = 0; i < l->change_count; i++) {
        const struct account_entry *e = l->changes[i].entry;
        bool spent = u256_compare(e->seen.balance, e->before.balance) < 0;
        if (spent || e->seen.nonce != e->before.nonce)
            buffer_append(out, address_bytes(&e->address));
    }
}
