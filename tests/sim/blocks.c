#include "tests/sim/blocks.h"

#include "base/fatal.h"
#include "base/keccak.h"

#include <assert.h>
#include <stdlib.h>

static void index_grow(struct blocks *b)
{
    b->index_room *= 2;
    b->index = must_realloc(b->index, b->index_room * sizeof(*b->index));
    memset(b->index, 0xff, b->index_room * sizeof(*b->index));
    for (uint32_t i = 0; i < b->count; i++) {
        uint32_t at = load_be32(b->items[i].hash.b) & (b->index_room - 1);
        while (b->index[at] != BLOCK_NONE)
            at = (at + 1) & (b->index_room - 1);
        b->index[at] = i;
    }
}

void blocks_init(struct blocks *b)
{
    *b = (struct blocks){.room = 1024, .index_room = 1024};
    b->items = must_alloc(b->room * sizeof(*b->items));
    index_grow(b);
}

void blocks_finish(struct blocks *b)
{
    free(b->items);
    free(b->index);
    *b = (struct blocks){0};
}

static struct hash hash_of(const struct sim_block *f, uint32_t number)
{
    uint8_t bytes[80] = {0};
    memcpy(bytes, f->parent_hash.b, 32);
    store_be64(bytes + 32, f->epoch);
    store_be64(bytes + 40, f->view);
    store_be64(bytes + 48, f->parent_view);
    store_be64(bytes + 56, f->number);
    store_be32(bytes + 64, f->author);
    store_be32(bytes + 68, number); /* no two are the same */
    return keccak256(bytes_of(bytes, sizeof(bytes)));
}

uint32_t blocks_add(struct blocks *b, const struct sim_block *fields)
{
    if (b->count == b->room) {
        b->room *= 2;
        b->items = must_realloc(b->items, b->room * sizeof(*b->items));
    }
    uint32_t block = b->count++;
    b->items[block] = *fields;
    b->items[block].hash = hash_of(fields, block);
    if (2 * b->count >= b->index_room) {
        index_grow(b);
        return block;
    }
    uint32_t at = load_be32(b->items[block].hash.b) & (b->index_room - 1);
    while (b->index[at] != BLOCK_NONE)
        at = (at + 1) & (b->index_room - 1);
    b->index[at] = block;
    return block;
}

uint32_t blocks_find(const struct blocks *b, const struct hash *hash)
{
    uint32_t at = load_be32(hash->b) & (b->index_room - 1);
    while (b->index[at] != BLOCK_NONE && !hash_equal(&b->items[b->index[at]].hash, hash))
        at = (at + 1) & (b->index_room - 1);
    return b->index[at];
}

struct sim_block *blocks_get(const struct blocks *b, uint32_t block)
{
    assert(block < b->count);
    return &b->items[block];
}

void blocks_encode(uint8_t out[BLOCK_BYTES_SIZE], uint32_t block)
{
    store_be64(out, block);
}

uint32_t blocks_decode(const struct blocks *b, struct bytes body)
{
    if (body.size != BLOCK_BYTES_SIZE) return BLOCK_NONE;
    uint64_t block = load_be64(body.data);
    return block < b->count ? (uint32_t)block : BLOCK_NONE;
}

void blocks_forget(struct blocks *b, uint32_t node)
{
    for (uint32_t i = 0; i < b->count; i++) {
        struct sim_block *block = &b->items[i];
        bool final = set_has(&block->final, node);
        set_put(&block->held, node, final);
        set_put(&block->valid, node, final);
        set_put(&block->logged, node, false);
    }
}
