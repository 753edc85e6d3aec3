#include "chain/store/keys.h"

#include <assert.h>
#include <string.h>

static void extend(struct store_key *k, const void *more, size_t size)
{
    assert(k->size + size <= sizeof k->b);
    memcpy(k->b + k->size, more, size);
    k->size += size;
}

struct store_key key_plain(enum key_prefix prefix)
{
    struct store_key k;
    k.b[0] = (uint8_t)prefix;
    k.size = 1;
    return k;
}

struct store_key key_of_number(enum key_prefix prefix, uint64_t number)
{
    struct store_key k = key_plain(prefix);
    uint8_t be[8];
    store_be64(be, number);
    extend(&k, be, sizeof be);
    return k;
}

struct store_key key_of_hash(enum key_prefix prefix, const struct hash *h)
{
    struct store_key k = key_plain(prefix);
    extend(&k, h->b, sizeof h->b);
    return k;
}

struct store_key key_of_slot(const struct hash *account_key, const struct hash *slot_key)
{
    struct store_key k = key_of_hash(KEY_SLOT, account_key);
    extend(&k, slot_key->b, sizeof slot_key->b);
    return k;
}

struct store_key key_of_node(const struct trie_place *place)
{
    struct store_key k = key_of_hash(KEY_NODE, &place->owner);
    assert(place->nibble_count <= TRIE_PATH_MAX);
    extend(&k, place->nibbles, place->nibble_count);
    return k;
}
