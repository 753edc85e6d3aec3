/* vm/program.h - code made ready to run: a padded copy and the bit set of its jump destinations,
 * and a cache of them by code hash, so that a contract is analysed once and not at each call.
 *
 * A program is counted: each frame that runs it holds one use. The cache is direct-mapped and of
 * fixed size; a program that loses its slot while it runs goes when its last use ends.
 *
 * Heat: a program that was called and has passed JUMPDESTs often enough gets tables for register
 * code, and an offset that it came to often enough a superblock (translate.h): so the work of
 * translating stays in proportion to the gas that was paid, and code that runs once is left. */
#ifndef LEASEHOLD_VM_PROGRAM_H
#define LEASEHOLD_VM_PROGRAM_H

#include "base/bytes.h"
#include "vm/limits.h"

struct program {
    struct hash code_hash; /* only of a cached one */
    uint32_t use_count;
    bool is_cached;
    size_t heat;
    struct register_code *fast; /* NULL until it is warm */
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

struct translator;

struct program_cache {
    size_t fast_bytes;             /* of all register code in it, at most PROGRAM_FAST_BYTES_MAX */
    struct translator *translator; /* NULL until it was used */
    struct program *slots[PROGRAM_CACHE_MAX]; /* the cache holds one use of each */
};

/* With one use more for the caller; NULL when it is not there. */
struct program *program_cache_find(struct program_cache *c, const struct hash *code_hash);
/* Takes over whatever had the slot. The caller keeps its own use. */
void program_cache_put(struct program_cache *c, struct program *p, const struct hash *code_hash);
/* The program comes to an offset: whether it has a superblock there, perhaps from now on. `at_once`
 * does not wait until the offset is hot. If the cache holds too much register code then, it drops
 * the other programs'. */
bool program_heat(struct program_cache *c, struct program *p, size_t offset, bool at_once);
void program_cache_finish(struct program_cache *c);

#endif
