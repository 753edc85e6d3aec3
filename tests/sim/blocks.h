/* blocks.h - every block that anybody ever made, and which node has what of it.
 *
 * On the wire a block's bytes are its number here, so a node "has" a block when its bit in `held`
 * is set, and never looks at one that it was not given. */
#ifndef LEASEHOLD_TESTS_SIM_BLOCKS_H
#define LEASEHOLD_TESTS_SIM_BLOCKS_H

#include "tests/sim/plan.h"

#define BLOCK_NONE       UINT32_MAX
#define BLOCK_BYTES_SIZE 8

struct node_set {
    uint64_t bits[SIM_NODES_MAX / 64];
};

static inline bool set_has(const struct node_set *s, uint32_t node)
{
    return (s->bits[node / 64] >> (node % 64) & 1) != 0;
}

static inline void set_put(struct node_set *s, uint32_t node, bool on)
{
    uint64_t bit = 1ULL << (node % 64);
    s->bits[node / 64] = on ? s->bits[node / 64] | bit : s->bits[node / 64] & ~bit;
}

struct sim_block {
    struct hash hash;
    struct hash parent_hash;
    uint32_t parent; /* BLOCK_NONE: there is no such block */
    uint32_t author; /* whose key */
    uint64_t epoch;
    uint64_t view;
    uint64_t parent_view;
    uint64_t number;
    bool invalid;
    struct node_set held;
    struct node_set valid;  /* it was told so, or built it */
    struct node_set logged; /* durable in its vote log */
    struct node_set final;  /* in its database */
};

struct blocks {
    struct sim_block *items;
    uint32_t count;
    uint32_t room;
    uint32_t *index; /* by hash, open addressing; BLOCK_NONE: free */
    uint32_t index_room;
};

void blocks_init(struct blocks *b);
void blocks_finish(struct blocks *b);
/* Takes the fields, gives it a hash of its own. */
uint32_t blocks_add(struct blocks *b, const struct sim_block *fields);
uint32_t blocks_find(const struct blocks *b, const struct hash *hash); /* or BLOCK_NONE */
struct sim_block *blocks_get(const struct blocks *b, uint32_t block);
void blocks_encode(uint8_t out[BLOCK_BYTES_SIZE], uint32_t block);
uint32_t blocks_decode(const struct blocks *b, struct bytes body); /* or BLOCK_NONE */
/* Power off: a node keeps what is in its database. */
void blocks_forget(struct blocks *b, uint32_t node);

#endif
