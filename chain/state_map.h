/* state_map.h - pointers found by a keyed hash of what they point to: the layers' own hash table.
 *
 * Open addressing, doubling at 5/8 full, nothing is ever removed singly. SipHash-1-3 under a key
 * that strangers do not know, since they choose the addresses and slots. Order never leaves this
 * file. */
#ifndef LEASEHOLD_CHAIN_STATE_MAP_H
#define LEASEHOLD_CHAIN_STATE_MAP_H

#include "base/bytes.h"

struct state_map_cell {
    uint64_t hash;
    void *item; /* NULL: free */
};

struct state_map {
    struct state_map_cell *cells;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};

typedef bool (*state_map_same)(const void *item, const void *key);

uint64_t state_map_hash(const uint64_t map_key[2], struct bytes key);
void *state_map_find(const struct state_map *m, uint64_t hash, state_map_same same,
                     const void *key);                              /* NULL: none */
void state_map_add(struct state_map *m, uint64_t hash, void *item); /* must not be there yet */
void state_map_finish(struct state_map *m);
/* All items into out[count], in no order: sort before use. */
void state_map_items(const struct state_map *m, void **out);

#endif
