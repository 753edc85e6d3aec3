/* vm/program.h - code made ready to run: a padded copy and the bit set of its jump destinations,
 * and a cache of them by code hash, so that a contract is analysed once and not at each call.
 *
 * A program is counted: each frame that runs it holds one use. The cache is bounded and drops what
 * was not asked for longest; a program that is dropped while it runs goes when its last use ends.
 *
 * Heat: a program earns the gas that it costs in the plain interpreter, and pays with it for being
 * translated (translate.h) what that work would cost elsewhere. So who makes the VM translate
 * has paid for it; and only what was come to often is translated. */
#ifndef LEASEHOLD_VM_PROGRAM_H
#define LEASEHOLD_VM_PROGRAM_H

#include "base/bytes.h"
#include "vm/limits.h"

struct program {
    struct hash code_hash; /* only of a cached one */
    uint32_t use_count;
    uint64_t heat;              /* gas that it has cost */
    uint64_t due;               /* so much it must have cost before it is translated (further) */
    struct register_code *fast; /* NULL until it is warm */
    bool is_cached;
    struct program *newer, *older;  /* of a cached one */
    struct program *next_in_bucket; /* too */
    size_t size;                    /* of the code, without padding */
    const uint8_t *code;            /* size + CODE_PADDING_BYTES, the padding zero */
    uint64_t jumps[]; /* bit i: byte i is a JUMPDEST and no PUSH data; the code follows */
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
    size_t count;
    struct program *newest, *oldest; /* of those in the cache, which holds one use of each */
    struct program *buckets[PROGRAM_BUCKETS];
    size_t fast_bytes; /* of all register code there is, also of programs that were dropped */
    struct translator *translator; /* NULL until it was used */
};

/* With one use more for the caller; NULL when it is not there. */
struct program *program_cache_find(struct program_cache *c, const struct hash *code_hash);
/* The caller keeps its own use. No program with that hash may be there. */
void program_cache_put(struct program_cache *c, struct program *p, const struct hash *code_hash);
/* The program comes to an offset: whether it has a superblock there, perhaps from now on. `at_once`
 * does not wait until the offset is hot. When there is too much register code the cache drops
 * programs, and if that does not help nothing more is translated. */
bool program_visit(struct program_cache *c, struct program *p, size_t offset, bool at_once);
void program_cache_finish(struct program_cache *c);

#endif
