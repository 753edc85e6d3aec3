#include "base/arena.h"

#include "base/fatal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES (64 * 1024)

struct arena_chunk {
    struct arena_chunk *older;
    size_t capacity;
    size_t used;
    size_t padding; /* keeps `memory` 16-byte aligned */
    uint8_t memory[];
};

static struct arena_chunk *chunk_push(struct arena *a, size_t capacity)
{
    struct arena_chunk *chunk = must_alloc(sizeof *chunk + capacity);
    chunk->capacity = capacity;
    chunk->older = a->chunks;
    a->chunks = chunk;
    a->total_bytes += capacity;
    return chunk;
}

void *arena_alloc(struct arena *a, size_t size_bytes)
{
    if (size_bytes > SIZE_MAX / 2) fatal("arena: absurd size %zu", size_bytes);
    size_t rounded = (size_bytes + 15) & ~(size_t)15;
    if (rounded == 0) rounded = 16;
    struct arena_chunk *chunk = a->chunks;
    if (!chunk || rounded > chunk->capacity - chunk->used)
        chunk = chunk_push(a, rounded > CHUNK_BYTES ? rounded : CHUNK_BYTES);
    uint8_t *memory = chunk->memory + chunk->used;
    chunk->used += rounded;
    memset(memory, 0, rounded);
    return memory;
}

struct bytes arena_copy(struct arena *a, struct bytes source)
{
    uint8_t *copy = arena_alloc(a, source.size);
    if (source.size) memcpy(copy, source.data, source.size);
    return (struct bytes){copy, source.size};
}

char *arena_text(struct arena *a, struct bytes source)
{
    char *text = arena_alloc(a, source.size + 1);
    if (source.size) memcpy(text, source.data, source.size);
    return text;
}

/* One chunk is kept, so that a unit of ordinary size allocates nothing from the heap. */
void arena_reset(struct arena *a)
{
    struct arena_chunk *chunk = a->chunks;
    while (chunk && chunk->older) {
        struct arena_chunk *older = chunk->older;
        a->total_bytes -= chunk->capacity;
        free(chunk);
        chunk = older;
    }
    if (chunk) chunk->used = 0;
    a->chunks = chunk;
}

void arena_finish(struct arena *a)
{
    for (struct arena_chunk *chunk = a->chunks; chunk;) {
        struct arena_chunk *older = chunk->older;
        free(chunk);
        chunk = older;
    }
    *a = (struct arena){0};
}
