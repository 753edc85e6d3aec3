/* vm/program.h - code made ready to run: a padded copy and the bit set of its jump destinations,
 * and a cache of them by code hash, so that a contract is analysed once and not at each call.
 *
 * A program is counted: each frame that runs it holds one use. The cache is direct-mapped and of
 * fixed size; a program that loses its slot while it runs goes when its last use ends.
 *
 * Heat: calls and JUMPDESTs that the plain interpreter has passed. Once it has cost about as much
 * to run as it costs to translate, the program is translated (translate.h), so that nobody gets
 * more work out of the VM than twice what was paid for. */
#ifndef LEASEHOLD_VM_PROGRAM_H
#define LEASEHOLD_VM_PROGRAM_H

#include "base/bytes.h"
#include "vm/limits.h"

struct program {
    struct hash code_hash; /* only of a cached one */
    uint32_t use_count;
    bool is_cached;
    uint64_t heat;
    struct register_code *fast; /* NULL until the program is translated */
    size_t size;                /* of the code, without padding */
    const uint8_t *code;        /* size + CODE_PADDING_BYTES, the padding zero */
    uint64_t jumps[];           /* bit i: byte i is a JUMPDEST and no PUSH data; the code follows */
};

/* Analyses a copy of the code; use_count is 1. */
struct program *program_create(struct bytes code);
void program_release(struct program *p); /* ends one use; the last one frees */

static inline bool program_is_jump(const struct program *p, uint64_t offset)
{
    return offset < p->size && (p->jumps[offset >> 6] >> (offset & 63) & 1) != 0;
}

#define PROGRAM_HEAT_PER_CALL 100 /* a call costs 100 gas at least, a JUMPDEST 1 */
#define PROGRAM_HEAT_PER_BYTE 4

static inline bool program_is_hot(const struct program *p)
{
    return p->heat >= p->size * PROGRAM_HEAT_PER_BYTE;
}

struct program_cache {
    size_t fast_bytes; /* of all translations in it, at most PROGRAM_FAST_BYTES_MAX */
    struct program *slots[PROGRAM_CACHE_MAX]; /* the cache holds one use of each */
};

/* With one use more for the caller; NULL when it is not there. */
struct program *program_cache_find(struct program_cache *c, const struct hash *code_hash);
/* Takes over whatever had the slot. The caller keeps its own use. */
void program_cache_put(struct program_cache *c, struct program *p, const struct hash *code_hash);
/* Gives the program its `fast`, if it has none yet. If the cache then holds too many bytes of
 * translations it drops the other ones. */
void program_cache_translate(struct program_cache *c, struct program *p);
void program_cache_finish(struct program_cache *c);

#endif
