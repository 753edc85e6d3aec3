/* A batch goes down the trie once, each node taking the items of its own subtree; on the way back
 * nodes that lost children are folded together; then what changed is encoded and hashed, children
 * first. A leaf or extension that an insertion branches off is split before the items go further
 * down, so each place is visited once and no place is both deleted and written. */
#include "chain/trie_node.h"

#include "base/keccak.h"

#include <assert.h>
#include <string.h>

struct work {
    const struct trie *trie;
    struct trie_place place; /* of the link at hand */
    struct buffer scratch;
};

struct items { /* ascending; all share the nibbles of the place at hand */
    const struct trie_item *first;
    size_t count;
};

static bool update_link(struct work *w, struct link *l, struct items items);

static struct items slice(struct items items, size_t from, size_t count)
{
    assert(from + count <= items.count);
    return (struct items){items.first + from, count};
}

static void put(struct work *w, struct bytes node)
{
    w->trie->store->put(w->trie->store->context, &w->place, node);
}

/* The node at hand falls away from this place. */
static void vacate(struct work *w, struct link *l)
{
    if (l->stored) put(w, (struct bytes){0});
    l->stored = false;
}

static void clear_link(struct work *w, struct link *l)
{
    vacate(w, l);
    *l = (struct link){0};
}

static void set_node(struct link *l, struct node *n)
{
    l->node = n;
    l->ref = (struct bytes){0};
}

static struct node *load(struct work *w, struct link *l)
{
    return trie_link_load(w->trie, l, &w->place, &w->scratch);
}

/* --- splitting --- */

/* The first nibble of the node's path at which an insertion branches off; nibble_count + 1 if none
 * does. A key that ends inside or beyond a leaf's path branches off too. */
static size_t split_point(const struct work *w, const struct node *n, struct items items)
{
    size_t depth = w->place.nibble_count;
    size_t split = n->nibble_count + 1u;
    for (size_t i = 0; i < items.count; i++) {
        struct bytes key = items.first[i].key;
        if (items.first[i].value.size == 0) continue;
        size_t same = trie_key_match(key, depth, n->nibbles, n->nibble_count);
        bool whole = same == n->nibble_count;
        if (whole && n->kind == NODE_EXTENSION) continue;
        if (whole && trie_key_nibble_count(key) == depth + n->nibble_count) continue;
        if (same < split) split = same;
    }
    return split;
}

/* Hangs what is left of a leaf or extension below the split into the new branch. */
static void hang_rest(struct work *w, struct node *branch, const struct node *n, size_t split)
{
    if (split == n->nibble_count) {
        assert(n->kind == NODE_LEAF);
        branch->value = n->value;
        return;
    }
    struct link *slot = &branch->children[n->nibbles[split]];
    size_t left = n->nibble_count - split - 1u;
    if (n->kind == NODE_EXTENSION && left == 0) {
        *slot = n->children[0];
        return;
    }
    slot->node = trie_node_create(w->trie->arena, n->kind, n->nibbles + split + 1, left);
    slot->node->value = n->value;
    if (n->kind == NODE_EXTENSION) slot->node->children[0] = n->children[0];
}

static void split_node(struct work *w, struct link *l, const struct node *n, size_t split)
{
    struct node *branch = trie_branch_create(w->trie->arena);
    hang_rest(w, branch, n, split);
    struct node *top = branch;
    if (split > 0) {
        top = trie_node_create(w->trie->arena, NODE_EXTENSION, n->nibbles, split);
        set_node(&top->children[0], branch);
    }
    set_node(l, top);
}

/* --- folding --- */

/* Puts `nibbles` in front of the child's path and the result in place of `l`'s node. A child that
 * is a branch gets an extension above it. The place at hand is `l`'s. */
static void join(struct work *w, struct link *l, const uint8_t *nibbles, size_t count,
                 struct link *child)
{
    uint8_t path[2 * TRIE_PATH_MAX];
    trie_place_push(&w->place, nibbles, count);
    struct node *below = load(w, child);
    if (below->kind != NODE_BRANCH) vacate(w, child);
    trie_place_pop(&w->place, count);
    struct node *joined;
    if (below->kind == NODE_BRANCH) {
        joined = trie_node_create(w->trie->arena, NODE_EXTENSION, nibbles, count);
        joined->children[0] = *child;
    } else {
        memcpy(path, nibbles, count);
        memcpy(path + count, below->nibbles, below->nibble_count);
        joined = trie_node_create(w->trie->arena, below->kind, path, count + below->nibble_count);
        joined->value = below->value;
        if (below->kind == NODE_EXTENSION) joined->children[0] = below->children[0];
    }
    set_node(l, joined);
}

/* A branch may have been left with one child or none. */
static void fold_branch(struct work *w, struct link *l, struct node *n)
{
    size_t child_count = 0;
    uint8_t last = 0;
    for (uint8_t i = 0; i < TRIE_FANOUT; i++) {
        if (trie_link_is_empty(&n->children[i])) continue;
        child_count++;
        last = i;
    }
    bool has_value = n->value.size > 0;
    if (child_count == 0 && !has_value) {
        clear_link(w, l);
    } else if (child_count == 0) {
        struct node *leaf = trie_node_create(w->trie->arena, NODE_LEAF, NULL, 0);
        leaf->value = n->value;
        set_node(l, leaf);
    } else if (child_count == 1 && !has_value) {
        join(w, l, &last, 1, &n->children[last]);
    } else {
        set_node(l, n);
    }
}

/* --- one kind of node each; all return whether anything changed --- */

static bool update_empty(struct work *w, struct link *l, struct items items)
{
    size_t depth = w->place.nibble_count;
    size_t i = 0;
    while (i < items.count && items.first[i].value.size == 0)
        i++;
    if (i == items.count) return false;
    struct bytes key = items.first[i].key;
    uint8_t path[TRIE_PATH_MAX];
    size_t count = trie_key_nibble_count(key) - depth;
    for (size_t k = 0; k < count; k++)
        path[k] = trie_key_nibble(key, depth + k);
    struct node *leaf = trie_node_create(w->trie->arena, NODE_LEAF, path, count);
    leaf->value = items.first[i].value;
    set_node(l, leaf);
    (void)update_link(w, l, slice(items, i + 1, items.count - i - 1));
    return true;
}

static bool update_leaf(struct work *w, struct link *l, struct node *n, struct items items)
{
    size_t depth = w->place.nibble_count;
    for (size_t i = 0; i < items.count; i++) {
        struct bytes key = items.first[i].key;
        struct bytes value = items.first[i].value;
        bool same_key = trie_key_nibble_count(key) == depth + n->nibble_count &&
                        trie_key_match(key, depth, n->nibbles, n->nibble_count) == n->nibble_count;
        if (!same_key) continue;
        if (bytes_equal(value, n->value)) return false;
        if (value.size == 0) {
            clear_link(w, l);
            return true;
        }
        n->value = value;
        set_node(l, n);
        return true;
    }
    return false;
}

static bool update_extension(struct work *w, struct link *l, struct node *n, struct items items)
{
    size_t depth = w->place.nibble_count;
    size_t from = 0;
    while (from < items.count && trie_key_match(items.first[from].key, depth, n->nibbles,
                                                n->nibble_count) < n->nibble_count)
        from++;
    size_t end = from;
    while (end < items.count && trie_key_match(items.first[end].key, depth, n->nibbles,
                                               n->nibble_count) == n->nibble_count)
        end++;
    struct link *child = &n->children[0];
    trie_place_push(&w->place, n->nibbles, n->nibble_count);
    bool changed = update_link(w, child, slice(items, from, end - from));
    trie_place_pop(&w->place, n->nibble_count);
    if (!changed) return false;
    if (trie_link_is_empty(child))
        clear_link(w, l);
    else
        join(w, l, n->nibbles, n->nibble_count, child);
    return true;
}

static bool update_branch_value(struct node *n, struct bytes value)
{
    if (bytes_equal(n->value, value)) return false;
    n->value = value;
    return true;
}

static bool update_branch(struct work *w, struct link *l, struct node *n, struct items items)
{
    size_t depth = w->place.nibble_count;
    bool changed = false;
    size_t from = 0;
    if (items.count > 0 && trie_key_nibble_count(items.first[0].key) == depth) {
        changed = update_branch_value(n, items.first[0].value);
        from = 1;
    }
    while (from < items.count) {
        uint8_t nibble = trie_key_nibble(items.first[from].key, depth);
        size_t end = from + 1;
        while (end < items.count && trie_key_nibble(items.first[end].key, depth) == nibble)
            end++;
        trie_place_push(&w->place, &nibble, 1);
        if (update_link(w, &n->children[nibble], slice(items, from, end - from))) changed = true;
        trie_place_pop(&w->place, 1);
        from = end;
    }
    if (changed) fold_branch(w, l, n);
    return changed;
}

static bool update_link(struct work *w, struct link *l, struct items items)
{
    if (items.count == 0) return false;
    if (trie_link_is_empty(l)) return update_empty(w, l, items);
    struct node *n = load(w, l);
    if (n->kind == NODE_BRANCH) return update_branch(w, l, n, items);
    size_t split = split_point(w, n, items);
    if (split <= n->nibble_count) {
        split_node(w, l, n, split);
        (void)update_link(w, l, items);
        return true;
    }
    return n->kind == NODE_LEAF ? update_leaf(w, l, n, items) : update_extension(w, l, n, items);
}

/* --- writing what changed --- */

static void commit_link(struct work *w, struct link *l);

static void commit_children(struct work *w, struct node *n)
{
    switch (n->kind) {
    case NODE_LEAF: break;
    case NODE_EXTENSION:
        trie_place_push(&w->place, n->nibbles, n->nibble_count);
        commit_link(w, &n->children[0]);
        trie_place_pop(&w->place, n->nibble_count);
        break;
    case NODE_BRANCH:
        for (uint8_t i = 0; i < TRIE_FANOUT; i++) {
            trie_place_push(&w->place, &i, 1);
            commit_link(w, &n->children[i]);
            trie_place_pop(&w->place, 1);
        }
        break;
    }
}

static void commit_link(struct work *w, struct link *l)
{
    bool changed = l->node && l->ref.size == 0;
    if (!changed) return;
    commit_children(w, l->node);
    buffer_clear(&w->scratch);
    trie_node_encode(&w->scratch, l->node);
    struct bytes rlp = buffer_bytes(&w->scratch);
    bool is_root = w->place.nibble_count == 0;
    if (rlp.size <= TRIE_EMBEDDED_MAX && !is_root) {
        l->ref = arena_copy(w->trie->arena, rlp);
        vacate(w, l);
        return;
    }
    struct hash h = keccak256(rlp);
    l->ref = trie_link_of_root(w->trie->arena, &h).ref;
    put(w, rlp);
}

static void assert_items(const struct trie_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert(items[i].key.size <= TRIE_KEY_SIZE_MAX);
        assert(i == 0 || bytes_compare(items[i - 1].key, items[i].key) < 0);
    }
}

void trie_update(struct trie *t, const struct trie_item *items, size_t count)
{
    assert_items(items, count);
    struct work w = {.trie = t, .place = {.owner = t->owner}};
    struct link root = trie_link_of_root(t->arena, &t->root);
    if (update_link(&w, &root, (struct items){items, count})) {
        commit_link(&w, &root);
        t->root = EMPTY_TRIE_ROOT;
        if (!trie_link_is_empty(&root)) memcpy(t->root.b, root.ref.data + 1, sizeof t->root.b);
    }
    buffer_finish(&w.scratch);
    assert(w.place.nibble_count == 0);
}
