#include "chain/state_map.h"

#include "base/fatal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 64

static uint64_t rotate(uint64_t x, unsigned by)
{
    return (x << by) | (x >> (64 - by));
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

uint64_t state_map_hash(const uint64_t map_key[2], struct bytes key)
{
    uint64_t v[4] = {map_key[0] ^ 0x736f6d6570736575, map_key[1] ^ 0x646f72616e646f6d,
                     map_key[0] ^ 0x6c7967656e657261, map_key[1] ^ 0x7465646279746573};
    size_t at = 0;
    for (; at + 8 <= key.size; at += 8) {
        uint64_t word;
        memcpy(&word, key.data + at, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)key.size << 56;
    for (size_t i = at; i < key.size; i++)
        last |= (uint64_t)key.data[i] << (8 * (i - at));
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void *state_map_find(const struct state_map *m, uint64_t hash, state_map_same same, const void *key)
{
    if (m->capacity == 0) return NULL;
    size_t mask = m->capacity - 1;
    for (size_t i = (size_t)hash & mask; m->cells[i].item != NULL; i = (i + 1) & mask) {
        if (m->cells[i].hash == hash && same(m->cells[i].item, key)) return m->cells[i].item;
    }
    return NULL;
}

static void place(struct state_map *m, struct state_map_cell cell)
{
    size_t mask = m->capacity - 1;
    size_t i = (size_t)cell.hash & mask;
    while (m->cells[i].item != NULL)
        i = (i + 1) & mask;
    m->cells[i] = cell;
}

static void grow(struct state_map *m)
{
    struct state_map old = *m;
    m->capacity = old.capacity == 0 ? CAPACITY_FIRST : old.capacity * 2;
    m->cells = must_alloc(m->capacity * sizeof *m->cells);
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.cells[i].item != NULL) place(m, old.cells[i]);
    }
    free(old.cells);
}

void state_map_add(struct state_map *m, uint64_t hash, void *item)
{
    assert(item != NULL);
    if (m->count * 8 >= m->capacity * 5) grow(m);
    assert(m->count < m->capacity);
    place(m, (struct state_map_cell){hash, item});
    m->count++;
}

void state_map_finish(struct state_map *m)
{
    free(m->cells);
    *m = (struct state_map){0};
}

void state_map_items(const struct state_map *m, void **out)
{
    size_t count = 0;
    for (size_t i = 0; i < m->capacity; i++) {
        if (m->cells[i].item != NULL) out[count++] = m->cells[i].item;
    }
    assert(count == m->count);
}
