#include "client/leaf_map.h"

#include "base/fatal.h"

#include <assert.h>
#include <stdlib.h>

void leaf_map_init(struct leaf_map *m, uint64_t count)
{
    *m = (struct leaf_map){.count = count};
    if (count > 0) m->bits = must_alloc((size_t)(count + 7) / 8);
}

void leaf_map_finish(struct leaf_map *m)
{
    free(m->bits);
    *m = (struct leaf_map){0};
}

static bool is_set(const struct leaf_map *m, uint64_t index)
{
    return (m->bits[index / 8] & (0x80u >> (index % 8))) != 0;
}

bool leaf_map_has(const struct leaf_map *m, uint64_t first, uint64_t count)
{
    assert(first <= m->count && count <= m->count - first);
    for (uint64_t i = first; i < first + count; i++)
        if (!is_set(m, i)) return false;
    return true;
}

void leaf_map_add(struct leaf_map *m, uint64_t first, uint64_t count)
{
    assert(first <= m->count && count <= m->count - first);
    for (uint64_t i = first; i < first + count; i++) {
        if (is_set(m, i)) continue;
        m->bits[i / 8] = (uint8_t)(m->bits[i / 8] | (0x80u >> (i % 8)));
        m->set++;
    }
    assert(m->set <= m->count);
}

void leaf_map_encode(const struct leaf_map *m, struct buffer *out, uint64_t first, uint64_t count)
{
    assert(first % 8 == 0 && first <= m->count && count <= m->count - first);
    if (count == 0) return;
    size_t size = (size_t)(count + 7) / 8;
    buffer_append(out, bytes_of(m->bits + first / 8, size));
    if (count % 8 != 0) out->data[out->size - 1] &= (uint8_t)(0xff00u >> (count % 8));
}

void leaf_map_merge(struct leaf_map *m, uint64_t first, struct bytes bits)
{
    for (uint64_t i = 0; i < (uint64_t)bits.size * 8 && first + i < m->count; i++)
        if ((bits.data[i / 8] & (0x80u >> (i % 8))) != 0) leaf_map_add(m, first + i, 1);
}

uint64_t leaf_map_next_missing(const struct leaf_map *m, uint64_t from)
{
    for (uint64_t i = from; i < m->count; i++) {
        if (i % 8 == 0 && m->bits[i / 8] == 0xff)
            i += 7;
        else if (!is_set(m, i))
            return i;
    }
    return m->count;
}
