#include "vm/program.h"

#include "base/fatal.h"
#include "vm/opcodes.h"
#include "vm/translate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The tables of register code cost about as much as 1 gas for WARM_SIZE_PART bytes, a superblock
 * as HOT_VISITS short visits. */
#define WARM_BASE      8
#define WARM_SIZE_PART 64
#define HOT_VISITS     32

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

static size_t slot_of(const struct hash *code_hash)
{
    return load_be64(code_hash->b) % PROGRAM_CACHE_MAX;
}

struct program *program_cache_find(struct program_cache *c, const struct hash *code_hash)
{
    struct program *p = c->slots[slot_of(code_hash)];
    if (p == NULL || !hash_equal(&p->code_hash, code_hash)) return NULL;
    p->use_count++;
    return p;
}

static void empty_slot(struct program_cache *c, size_t index)
{
    struct program *p = c->slots[index];
    if (p == NULL) return;
    assert(p->is_cached);
    if (p->fast != NULL) c->fast_bytes -= p->fast->bytes;
    p->is_cached = false;
    c->slots[index] = NULL;
    program_release(p);
}

void program_cache_put(struct program_cache *c, struct program *p, const struct hash *code_hash)
{
    size_t index = slot_of(code_hash);
    assert(p->fast == NULL && !p->is_cached);
    empty_slot(c, index);
    p->code_hash = *code_hash;
    p->is_cached = true;
    p->use_count++;
    c->slots[index] = p;
}

/* Called after p->fast has grown from `bytes_before`. */
static void count_bytes(struct program_cache *c, const struct program *p, size_t bytes_before)
{
    if (!p->is_cached) return;
    c->fast_bytes += p->fast->bytes - bytes_before;
    if (c->fast_bytes <= PROGRAM_FAST_BYTES_MAX) return;
    for (size_t i = 0; i < PROGRAM_CACHE_MAX; i++)
        if (c->slots[i] != NULL && c->slots[i] != p && c->slots[i]->fast != NULL) empty_slot(c, i);
}

static bool is_warm(struct program_cache *c, struct program *p, bool at_once)
{
    if (p->fast != NULL) return true;
    if (!at_once && ++p->heat < WARM_BASE + p->size / WARM_SIZE_PART) return false;
    p->fast = register_code_create(p);
    count_bytes(c, p, 0);
    return true;
}

bool program_heat(struct program_cache *c, struct program *p, size_t offset, bool at_once)
{
    if (!is_warm(c, p, at_once)) return false;
    uint32_t *entry = &p->fast->entries[offset];
    if (entry_has_header(*entry)) return true;
    uint32_t visits = *entry & ~ENTRY_JUMPDEST;
    if (visits + 1 < ENTRY_FIRST) ++*entry;
    if (!at_once && visits < HOT_VISITS) return false;
    if (c->translator == NULL) c->translator = translator_create();
    size_t bytes_before = p->fast->bytes;
    bool is_there = translate(c->translator, p, offset);
    count_bytes(c, p, bytes_before);
    return is_there;
}

void program_cache_finish(struct program_cache *c)
{
    for (size_t i = 0; i < PROGRAM_CACHE_MAX; i++)
        empty_slot(c, i);
    translator_destroy(c->translator);
    assert(c->fast_bytes == 0);
}
