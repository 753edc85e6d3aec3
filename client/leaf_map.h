/* leaf_map.h - which leaves of a content are there: one bit a leaf, leaf 0 in the highest bit of
 * the first byte, as on the wire. Owns its bits; one thread at a time. */
#ifndef LEASEHOLD_CLIENT_LEAF_MAP_H
#define LEASEHOLD_CLIENT_LEAF_MAP_H

#include "base/bytes.h"

struct leaf_map {
    uint64_t count; /* of leaves */
    uint64_t set;   /* of them there */
    uint8_t *bits;  /* NULL when count is 0 */
};

void leaf_map_init(struct leaf_map *m, uint64_t count); /* none is there */
void leaf_map_finish(struct leaf_map *m);               /* takes zeroed ones too */
bool leaf_map_has(const struct leaf_map *m, uint64_t first, uint64_t count); /* all of these */
void leaf_map_add(struct leaf_map *m, uint64_t first, uint64_t count);
/* Bits of leaves first .. first + count - 1 (first a multiple of 8), the last byte's rest zero. */
void leaf_map_encode(const struct leaf_map *m, struct buffer *out, uint64_t first, uint64_t count);
/* Adds what these bits say, cut at the map's end. */
void leaf_map_merge(struct leaf_map *m, uint64_t first, struct bytes bits);
/* The first leaf from `from` on that is missing; `count` when there is none. */
uint64_t leaf_map_next_missing(const struct leaf_map *m, uint64_t from);

#endif
