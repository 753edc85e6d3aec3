/* arena.h - memory for one unit of work (a block, a request), given back whole.
 *
 * Chunks are kept across resets. Zeroed, 16-byte aligned. Not for sharing between threads. */
#ifndef LEASEHOLD_BASE_ARENA_H
#define LEASEHOLD_BASE_ARENA_H

#include "base/bytes.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* newest first */
    size_t total_bytes;
};

void *arena_alloc(struct arena *a, size_t size_bytes); /* never NULL */
struct bytes arena_copy(struct arena *a, struct bytes source);
char *arena_text(struct arena *a, struct bytes source); /* with a closing zero */
void arena_reset(struct arena *a);
void arena_finish(struct arena *a);

#endif
