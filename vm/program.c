#include "vm/program.h"

#include "base/fatal.h"
#include "vm/opcodes.h"
#include "vm/translate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What the tables of register code cost, in heat, and how often an offset is come to first. The
 * largest superblock is paid in advance, always: a program may be dropped before it pays later. */
#define WARM_BASE      32
#define WARM_SIZE_PART 16
#define HOT_VISITS     32
/* Gas that a unit of work must have brought: at 100 million a second a gas is 10 ns. */
#define GAS_OF_WORK 3
#define CREDIT_MAX  1000000
/* Until there is room for register code again. */
#define NO_ROOM_HEAT 4096

static void mark_jumps(uint64_t *jumps, struct bytes code)
{
    for (size_t i = 0; i < code.size; i++) {
        uint8_t op = code.data[i];
        if (op == OP_JUMPDEST)
            jumps[i >> 6] |= UINT64_C(1) << (i & 63);
        else if (op >= OP_PUSH1 && op <= OP_PUSH32)
            i += (size_t)(op - OP_PUSH0);
    }
}

struct program *program_create(struct bytes code)
{
    size_t words = code.size / 64 + 1;
    size_t bits_bytes = words * sizeof(uint64_t);
    struct program *p = must_alloc(sizeof(*p) + bits_bytes + code.size + CODE_PADDING_BYTES);
    uint8_t *copy = (uint8_t *)&p->jumps[words];
    if (code.size > 0) memcpy(copy, code.data, code.size);
    mark_jumps(p->jumps, code);
    p->use_count = 1;
    p->due = WARM_BASE + code.size / WARM_SIZE_PART + GAS_OF_WORK * TRANSLATE_WORK_MAX;
    p->size = code.size;
    p->code = copy;
    assert(p->code[p->size] == OP_STOP);
    return p;
}

void program_release(struct program *p)
{
    assert(p->use_count > 0);
    if (--p->use_count > 0) return;
    register_code_destroy(p->fast);
    free(p);
}

/* ---- the cache ---- */

static struct program **bucket_of(struct program_cache *c, const struct hash *code_hash)
{
    return &c->buckets[load_be64(code_hash->b) % PROGRAM_BUCKETS];
}

static void link_newest(struct program_cache *c, struct program *p)
{
    p->newer = NULL;
    p->older = c->newest;
    if (c->newest != NULL) c->newest->newer = p;
    if (c->oldest == NULL) c->oldest = p;
    c->newest = p;
}

static void unlink_age(struct program_cache *c, struct program *p)
{
    if (p->newer != NULL)
        p->newer->older = p->older;
    else
        c->newest = p->older;
    if (p->older != NULL)
        p->older->newer = p->newer;
    else
        c->oldest = p->newer;
}

static void drop(struct program_cache *c, struct program *p)
{
    assert(p->is_cached && c->count > 0);
    struct program **link = bucket_of(c, &p->code_hash);
    while (*link != p)
        link = &(*link)->next_in_bucket;
    *link = p->next_in_bucket;
    unlink_age(c, p);
    c->count--;
    p->is_cached = false;
    program_release(p);
}

struct program *program_cache_find(struct program_cache *c, const struct hash *code_hash)
{
    struct program *p = *bucket_of(c, code_hash);
    while (p != NULL && !hash_equal(&p->code_hash, code_hash))
        p = p->next_in_bucket;
    if (p == NULL) return NULL;
    if (c->newest != p) {
        unlink_age(c, p);
        link_newest(c, p);
    }
    p->use_count++;
    return p;
}

void program_cache_put(struct program_cache *c, struct program *p, const struct hash *code_hash)
{
    assert(!p->is_cached);
    if (c->count == PROGRAM_CACHE_MAX) drop(c, c->oldest);
    struct program **bucket = bucket_of(c, code_hash);
    p->code_hash = *code_hash;
    p->next_in_bucket = *bucket;
    *bucket = p;
    link_newest(c, p);
    p->is_cached = true;
    p->use_count++;
    c->count++;
}

void program_cache_finish(struct program_cache *c)
{
    while (c->oldest != NULL)
        drop(c, c->oldest);
    translator_destroy(c->translator);
    assert(c->count == 0 && c->fast_bytes == 0);
}

/* ---- heat ---- */

/* Room for more register code of p's. */
static bool make_room(struct program_cache *c, const struct program *p)
{
    struct program *next;
    for (struct program *old = c->oldest; old != NULL; old = next) {
        if (c->fast_bytes < PROGRAM_FAST_BYTES_MAX) return true;
        next = old->newer;
        if (old != p && old->fast != NULL) drop(c, old);
    }
    return c->fast_bytes < PROGRAM_FAST_BYTES_MAX;
}

static bool has_header(const struct program *p, size_t offset)
{
    return p->fast != NULL && entry_has_header(p->fast->entries[offset]);
}

static void count_visit(struct program *p, size_t offset)
{
    uint32_t *entry = &p->fast->entries[offset];
    if ((*entry & ~ENTRY_JUMPDEST) + 1 < ENTRY_FIRST) ++*entry;
}

static bool is_hot(const struct program *p, size_t offset)
{
    return (p->fast->entries[offset] & ~ENTRY_JUMPDEST) >= HOT_VISITS;
}

/* p->heat has reached p->due. What a cold program earned for long buys no more than a burst. */
static bool translate_at(struct program_cache *c, struct program *p, size_t offset)
{
    if (p->heat > p->due + CREDIT_MAX) p->due = p->heat - CREDIT_MAX;
    if (c->translator == NULL) c->translator = translator_create();
    size_t work = translate(c->translator, p, offset);
    p->due = work == 0 ? UINT64_MAX : p->due + GAS_OF_WORK * work;
    return work > 0;
}

bool program_visit(struct program_cache *c, struct program *p, size_t offset, bool at_once)
{
    if (has_header(p, offset)) return true;
    if (p->fast != NULL) count_visit(p, offset);
    bool is_paid = p->heat >= p->due;
    if (!is_paid && !at_once) return false;
    if (!make_room(c, p)) {
        p->due = p->heat + NO_ROOM_HEAT;
        return false;
    }
    if (p->fast == NULL) p->fast = register_code_create(p, &c->fast_bytes);
    return (at_once || is_hot(p, offset)) && translate_at(c, p, offset);
}
