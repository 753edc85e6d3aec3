#include "chain/trie_node.h"

#include "base/fatal.h"
#include "base/hex.h"
#include "base/rlp.h"

#include <assert.h>
#include <string.h>

/* Hex-prefix encoding (Yellow Paper, appendix C): flags in the first nibble. */
#define PREFIX_ODD  1
#define PREFIX_LEAF 2

#define RLP_HASH_PREFIX  0xa0
#define RLP_EMPTY_STRING 0x80

bool trie_link_is_empty(const struct link *l)
{
    return !l->node && l->ref.size == 0;
}

struct link trie_link_of_root(struct arena *arena, const struct hash *root)
{
    if (hash_equal(root, &EMPTY_TRIE_ROOT)) return (struct link){0};
    uint8_t *ref = arena_alloc(arena, TRIE_REF_HASHED);
    ref[0] = RLP_HASH_PREFIX;
    memcpy(ref + 1, root->b, sizeof root->b);
    return (struct link){.ref = bytes_of(ref, TRIE_REF_HASHED), .stored = true};
}

struct node *trie_node_create(struct arena *arena, enum node_kind kind, const uint8_t *nibbles,
                              size_t nibble_count)
{
    assert(kind != NODE_BRANCH);
    assert(nibble_count <= TRIE_PATH_MAX);
    struct node *n = arena_alloc(arena, sizeof *n);
    n->kind = kind;
    n->nibble_count = (uint8_t)nibble_count;
    if (nibble_count) memcpy(n->nibbles, nibbles, nibble_count);
    if (kind == NODE_EXTENSION) n->children = arena_alloc(arena, sizeof *n->children);
    return n;
}

struct node *trie_branch_create(struct arena *arena)
{
    struct node *n = arena_alloc(arena, sizeof *n);
    n->kind = NODE_BRANCH;
    n->children = arena_alloc(arena, TRIE_FANOUT * sizeof *n->children);
    return n;
}

/* --- decoding --- */

static void read_link(struct rlp_reader *r, struct link *out)
{
    struct bytes ref = rlp_item(r);
    if (r->failed) return;
    bool hashed = ref.size == TRIE_REF_HASHED && ref.data[0] == RLP_HASH_PREFIX;
    bool embedded = ref.size <= TRIE_EMBEDDED_MAX && ref.data[0] >= 0xc0;
    bool empty = ref.size == 1 && ref.data[0] == RLP_EMPTY_STRING;
    if (!hashed && !embedded && !empty) rlp_fail(r);
    if (empty) return;
    out->ref = ref;
    out->stored = hashed;
}

static bool decode_branch(struct node *n, struct rlp_reader *r)
{
    for (size_t i = 0; i < TRIE_FANOUT; i++)
        read_link(r, &n->children[i]);
    n->value = rlp_bytes(r);
    return rlp_end(r) == OK;
}

/* Unpacks a hex-prefix path into the node; false if it is malformed. */
static bool read_path(struct node *n, struct bytes packed)
{
    if (packed.size == 0 || packed.size > TRIE_KEY_SIZE_MAX + 1) return false;
    uint8_t flags = packed.data[0] >> 4;
    bool odd = flags & PREFIX_ODD;
    if (flags > (PREFIX_ODD | PREFIX_LEAF) || (!odd && packed.data[0] & 0xf)) return false;
    size_t count = 2 * (packed.size - 1) + (odd ? 1 : 0);
    if (count > TRIE_PATH_MAX) return false;
    for (size_t i = 0; i < count; i++)
        n->nibbles[i] = trie_key_nibble(packed, i + 2 - (odd ? 1 : 0));
    n->nibble_count = (uint8_t)count;
    n->kind = flags & PREFIX_LEAF ? NODE_LEAF : NODE_EXTENSION;
    return true;
}

static bool decode_short(struct node *n, struct arena *arena, struct rlp_reader *r)
{
    if (!read_path(n, rlp_bytes(r))) return false;
    if (n->kind == NODE_LEAF) {
        n->value = rlp_bytes(r);
        return rlp_end(r) == OK && n->value.size > 0;
    }
    n->children = arena_alloc(arena, sizeof *n->children);
    read_link(r, &n->children[0]);
    return rlp_end(r) == OK && n->nibble_count > 0 && !trie_link_is_empty(&n->children[0]);
}

struct node *trie_node_decode(struct arena *arena, struct bytes rlp)
{
    struct rlp_reader outer = rlp_reader_over(rlp);
    struct rlp_reader r = rlp_list(&outer);
    if (rlp_end(&outer) != OK) return NULL;
    struct rlp_reader counting = r;
    size_t count = 0;
    for (; !rlp_at_end(&counting) && count <= TRIE_FANOUT + 1; count++)
        (void)rlp_item(&counting);
    struct node *n = NULL;
    bool good = false;
    if (count == TRIE_FANOUT + 1) {
        n = trie_branch_create(arena);
        good = decode_branch(n, &r);
    } else if (count == 2) {
        n = arena_alloc(arena, sizeof *n);
        good = decode_short(n, arena, &r);
    }
    if (!good) return NULL;
    n->rlp = rlp;
    return n;
}

/* --- encoding --- */

static void put_path(struct buffer *out, const struct node *n)
{
    uint8_t packed[TRIE_KEY_SIZE_MAX + 1] = {0};
    bool odd = n->nibble_count & 1;
    unsigned flags = (odd ? PREFIX_ODD : 0u) | (n->kind == NODE_LEAF ? PREFIX_LEAF : 0u);
    packed[0] = (uint8_t)(flags << 4);
    for (size_t i = 0; i < n->nibble_count; i++) {
        size_t at = i + 2 - (odd ? 1 : 0);
        packed[at / 2] |= (uint8_t)(at & 1 ? n->nibbles[i] : n->nibbles[i] << 4);
    }
    rlp_put_bytes(out, bytes_of(packed, 1u + n->nibble_count / 2u));
}

static void put_link(struct buffer *out, const struct link *l)
{
    assert(l->ref.size > 0 || !l->node);
    if (l->ref.size > 0)
        buffer_append(out, l->ref);
    else
        buffer_append_byte(out, RLP_EMPTY_STRING);
}

void trie_node_encode(struct buffer *out, const struct node *n)
{
    size_t list = rlp_list_open(out);
    switch (n->kind) {
    case NODE_LEAF:
        put_path(out, n);
        rlp_put_bytes(out, n->value);
        break;
    case NODE_EXTENSION:
        put_path(out, n);
        put_link(out, &n->children[0]);
        break;
    case NODE_BRANCH:
        for (size_t i = 0; i < TRIE_FANOUT; i++)
            put_link(out, &n->children[i]);
        rlp_put_bytes(out, n->value);
        break;
    }
    rlp_list_close(out, list);
}

/* --- loading --- */

static _Noreturn void corrupt(const struct trie_place *place, const char *problem)
{
    char owner[67];
    struct buffer path = {0};
    hash_to_text(owner, &place->owner);
    for (size_t i = 0; i < place->nibble_count; i++)
        buffer_print(&path, "%x", place->nibbles[i]);
    fatal("trie: the node at owner %s path \"%s\" %s: the database is damaged", owner,
          buffer_text(&path), problem);
}

struct node *trie_link_load(const struct trie *t, struct link *l, const struct trie_place *place,
                            struct buffer *scratch)
{
    assert(!trie_link_is_empty(l));
    if (l->node) return l->node;
    struct bytes rlp = l->ref;
    if (l->stored) {
        buffer_clear(scratch);
        if (!t->store->get(t->store->context, place, scratch)) corrupt(place, "is missing");
        rlp = arena_copy(t->arena, buffer_bytes(scratch));
    }
    struct node *n = trie_node_decode(t->arena, rlp);
    bool fits = n && (n->kind == NODE_BRANCH ||
                      place->nibble_count + (size_t)n->nibble_count <= TRIE_PATH_MAX);
    if (!fits) corrupt(place, "is no trie node");
    l->node = n;
    return n;
}

void trie_place_push(struct trie_place *place, const uint8_t *nibbles, size_t count)
{
    assert(place->nibble_count + count <= TRIE_PATH_MAX);
    if (count) memcpy(place->nibbles + place->nibble_count, nibbles, count);
    place->nibble_count = (uint8_t)(place->nibble_count + count);
}

void trie_place_pop(struct trie_place *place, size_t count)
{
    assert(count <= place->nibble_count);
    place->nibble_count = (uint8_t)(place->nibble_count - count);
    memset(place->nibbles + place->nibble_count, 0, count);
}

uint8_t trie_key_nibble(struct bytes key, size_t index)
{
    assert(index / 2 < key.size);
    uint8_t byte = key.data[index / 2];
    return index & 1 ? byte & 0xf : byte >> 4;
}

size_t trie_key_nibble_count(struct bytes key)
{
    return 2 * key.size;
}

size_t trie_key_match(struct bytes key, size_t from, const uint8_t *nibbles, size_t count)
{
    assert(from <= trie_key_nibble_count(key));
    size_t left = trie_key_nibble_count(key) - from;
    size_t limit = left < count ? left : count;
    size_t same = 0;
    while (same < limit && trie_key_nibble(key, from + same) == nibbles[same])
        same++;
    return same;
}
