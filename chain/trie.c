#include "chain/trie.h"

#include "base/fatal.h"
#include "base/rlp.h"
#include "chain/trie_node.h"

#include <assert.h>
#include <string.h>

const struct hash EMPTY_TRIE_ROOT = {{0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6,
                                      0xff, 0x83, 0x45, 0xe6, 0x92, 0xc0, 0xf8, 0x6e,
                                      0x5b, 0x48, 0xe0, 0x1b, 0x99, 0x6c, 0xad, 0xc0,
                                      0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21}};

/* --- reading --- */

struct walk {
    const struct trie *trie;
    struct trie_place place;
    struct bytes key;
    struct buffer scratch;
    struct trie_proof *proof; /* NULL: not wanted */
    struct bytes value;       /* what was found */
};

static void note(struct walk *w, const struct link *l)
{
    if (!w->proof || !l->stored) return;
    assert(w->proof->count < TRIE_PROOF_MAX);
    w->proof->nodes[w->proof->count++] = l->node->rlp;
}

/* One node down; NULL when the way ends here, with the value if this is where it lies. */
static struct link *step(struct walk *w, const struct node *n)
{
    size_t depth = w->place.nibble_count;
    size_t left = trie_key_nibble_count(w->key) - depth;
    if (n->kind == NODE_BRANCH && left == 0) {
        w->value = n->value;
        return NULL;
    }
    if (n->kind == NODE_BRANCH) {
        uint8_t nibble = trie_key_nibble(w->key, depth);
        trie_place_push(&w->place, &nibble, 1);
        return &n->children[nibble];
    }
    if (trie_key_match(w->key, depth, n->nibbles, n->nibble_count) < n->nibble_count) return NULL;
    if (n->kind == NODE_EXTENSION) {
        trie_place_push(&w->place, n->nibbles, n->nibble_count);
        return &n->children[0];
    }
    if (left == n->nibble_count) w->value = n->value;
    return NULL;
}

static bool walk_to(struct walk *w)
{
    assert(w->key.size <= TRIE_KEY_SIZE_MAX);
    struct link root = trie_link_of_root(w->trie->arena, &w->trie->root);
    struct link *l = &root;
    while (l && !trie_link_is_empty(l)) {
        const struct node *n = trie_link_load(w->trie, l, &w->place, &w->scratch);
        note(w, l);
        l = step(w, n);
    }
    buffer_finish(&w->scratch);
    return w->value.size > 0;
}

bool trie_get(const struct trie *t, struct bytes *out_value, struct bytes key)
{
    struct walk w = {.trie = t, .place = {.owner = t->owner}, .key = key};
    if (!walk_to(&w)) return false;
    *out_value = w.value;
    return true;
}

bool trie_prove(const struct trie *t, struct trie_proof *out, struct bytes key)
{
    struct walk w = {.trie = t, .place = {.owner = t->owner}, .key = key, .proof = out};
    out->count = 0;
    return walk_to(&w);
}

/* --- roots of lists --- */

static bool get_nothing(void *context, const struct trie_place *place, struct buffer *out)
{
    (void)context;
    (void)place;
    (void)out;
    fatal("trie: a list's trie was read from a store");
}

static void put_nowhere(void *context, const struct trie_place *place, struct bytes node)
{
    (void)context;
    (void)place;
    (void)node;
}

static struct trie_item list_item(struct arena *arena, const struct bytes *values, size_t index)
{
    struct buffer key = {0};
    rlp_put_u64(&key, index);
    struct trie_item item = {.key = arena_copy(arena, buffer_bytes(&key)), .value = values[index]};
    buffer_finish(&key);
    assert(item.value.size > 0);
    return item;
}

/* rlp(1..127) sorts before rlp(0) = 0x80, and that before all others. */
static void sorted_items(struct trie_item *out, struct arena *arena, const struct bytes *values,
                         size_t count)
{
    size_t filled = 0;
    size_t short_end = count < 128 ? count : 128;
    for (size_t i = 1; i < short_end; i++)
        out[filled++] = list_item(arena, values, i);
    if (count > 0) out[filled++] = list_item(arena, values, 0);
    for (size_t i = 128; i < count; i++)
        out[filled++] = list_item(arena, values, i);
    assert(filled == count);
}

struct hash trie_root_of_list(const struct bytes *values, size_t count)
{
    const struct trie_store nowhere = {.get = get_nothing, .put = put_nowhere};
    struct arena arena = {0};
    struct trie t = {.store = &nowhere, .arena = &arena, .root = EMPTY_TRIE_ROOT};
    struct trie_item *items = arena_alloc(&arena, count * sizeof *items);
    sorted_items(items, &arena, values, count);
    trie_update(&t, items, count);
    arena_finish(&arena);
    return t.root;
}
