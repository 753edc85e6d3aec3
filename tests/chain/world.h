/* world.h - a small network in memory for the tests: a genesis with funded keys and one or two
 * validators, and blocks built on its tip. Each test that needs it includes this file. */
#ifndef LEASEHOLD_TESTS_CHAIN_WORLD_H
#define LEASEHOLD_TESTS_CHAIN_WORLD_H

#include "base/fatal.h"
#include "base/hex.h"
#include "base/keccak.h"
#include "chain/genesis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORLD_KEYS       4
#define WORLD_LINKS      64
#define WORLD_CHAIN_ID   7117
#define WORLD_VALIDATORS 2

struct world {
    struct genesis *genesis;
    const struct state_base *base;
    struct state_base empty;
    struct evm *evm;
    struct executed *tip;
    struct key keys[WORLD_KEYS];
    struct address addresses[WORLD_KEYS];
    struct address operators[WORLD_VALIDATORS];
    struct hash links[WORLD_VALIDATORS][WORLD_LINKS]; /* [WORLD_LINKS-1] is the end */
    struct hash hashes[WORLD_LINKS];                  /* of blocks, by number */
};

__attribute__((unused)) static struct key world_key(uint8_t number)
{
    struct key k = {{0}};
    k.secret[31] = number;
    k.secret[0] = 1;
    return k;
}

static void world_links(struct world *w, size_t validator)
{
    w->links[validator][0] = (struct hash){{(uint8_t)(validator + 1)}};
    for (size_t i = 1; i < WORLD_LINKS; i++) {
        w->links[validator][i] = keccak256(hash_bytes(&w->links[validator][i - 1]));
    }
}

static void world_print_validator(struct world *w, struct buffer *out, size_t i)
{
    char operator[43], consensus[43], end[67];
    struct key owner = world_key((uint8_t)(100 + i));
    struct key voter = world_key((uint8_t)(200 + i));
    w->operators[i] = key_address(&owner);
    struct address vote = key_address(&voter);
    world_links(w, i);
    address_to_text(operator, & w->operators[i]);
    address_to_text(consensus, &vote);
    hash_to_text(end, &w->links[i][WORLD_LINKS - 1]);
    buffer_print(out,
                 "%s{\"operator\":\"%s\",\"consensusAddress\":\"%s\",\"hashChainEnd\":\"%s\","
                 "\"stakeWei\":\"%u000000000000000000000\",\"commissionBps\":500}",
                 i == 0 ? "" : ",", operator, consensus, end, (unsigned)(2 + i));
}

/* The genesis file; `validators` at most WORLD_VALIDATORS. */
__attribute__((unused)) static void world_genesis_text(struct world *w, struct buffer *out,
                                                       size_t validators)
{
    buffer_print(out,
                 "{\"name\":\"test\",\"devnet\":true,\"chainId\":%d,\"timestamp\":1750000000,"
                 "\"gasLimit\":30000000,\"baseFee\":\"1000000000\",\"consensus\":{"
                 "\"blockIntervalMs\":500,\"idleIntervalMs\":1000,\"deltaMs\":1000,"
                 "\"epochBlocks\":4},\"parameters\":{},\"validators\":[",
                 WORLD_CHAIN_ID);
    for (size_t i = 0; i < validators; i++)
        world_print_validator(w, out, i);
    buffer_print(out, "],\"alloc\":{");
    for (size_t i = 0; i < WORLD_KEYS; i++) {
        char text[43];
        w->keys[i] = world_key((uint8_t)(i + 1));
        w->addresses[i] = key_address(&w->keys[i]);
        address_to_text(text, &w->addresses[i]);
        buffer_print(out, "%s\"%s\":{\"balance\":\"100000000000000000000\"}", i == 0 ? "" : ",",
                     text);
    }
    buffer_print(out, "}}");
}

/* `base` NULL: in memory over nothing. Otherwise an empty one; the caller stores the tip. */
__attribute__((unused)) static struct world *world_create(size_t validators,
                                                          const struct state_base *base)
{
    struct world *w = must_alloc(sizeof *w);
    struct buffer text = {0};
    char error[JSON_ERROR_SIZE];
    w->empty = state_base_empty();
    w->base = base != NULL ? base : &w->empty;
    w->evm = evm_create(CHAIN_REVISION);
    world_genesis_text(w, &text, validators);
    enum status status = genesis_parse(&w->genesis, error, buffer_bytes(&text));
    if (status != OK) print_error("%s\n", error);
    assert_int_equal(status, OK);
    status = genesis_execute(&w->tip, error, w->genesis, w->base);
    if (status != OK) print_error("%s\n", error);
    assert_int_equal(status, OK);
    w->hashes[0] = w->tip->hash;
    buffer_finish(&text);
    return w;
}

__attribute__((unused)) static void world_destroy(struct world *w)
{
    executed_release(w->tip);
    evm_destroy(w->evm);
    genesis_destroy(w->genesis);
    free(w);
}

__attribute__((unused)) static bool world_ancestor(void *context, uint64_t number, struct hash *out)
{
    const struct world *w = context;
    if (number >= WORLD_LINKS) return false;
    *out = w->hashes[number];
    return true;
}

__attribute__((unused)) static struct block_parent world_parent(struct world *w)
{
    return (struct block_parent){.base = w->base,
                                 .layer = w->tip->layer,
                                 .header = &w->tip->block.header,
                                 .hash = &w->tip->hash,
                                 .record = w->tip->record,
                                 .ancestry = {w, world_ancestor}};
}

/* The link that opens the leader's chain next. */
static struct hash world_reveal(struct world *w, const struct epoch_record *r, uint64_t view)
{
    uint32_t leader = epoch_record_leader(r, view);
    struct address operator= r->epoch.validators[leader].operator_address;
    for (size_t v = 0; v < WORLD_VALIDATORS; v++) {
        if (!address_equal(&w->operators[v], &operator)) continue;
        for (size_t i = 1; i < WORLD_LINKS; i++) {
            if (hash_equal(&w->links[v][i], &r->duties[leader].revealed)) return w->links[v][i - 1];
        }
    }
    fail_msg("no link left");
    return (struct hash){{0}};
}

/* The plan for the view after the tip's, `skip` views left out. */
__attribute__((unused)) static struct block_plan world_plan(struct world *w, uint64_t skip)
{
    uint64_t view = w->tip->record->last_view + 1 + skip;
    return (struct block_plan){.timestamp_s = w->tip->block.header.timestamp_s + 1,
                               .view = view,
                               .parent_view = w->tip->record->last_view,
                               .reveal = world_reveal(w, w->tip->record, view)};
}

__attribute__((unused)) static void world_advance(struct world *w, struct executed *next)
{
    executed_release(w->tip);
    w->tip = next;
    w->hashes[next->block.header.number] = next->hash;
}

static struct mempool_account world_account(void *context, const struct address *a)
{
    return pool_account(context, a);
}

/* A view of the tip's state for the pool. Its layer is destroyed by world_view_finish. */
__attribute__((unused)) static struct mempool_world world_view(struct world *w)
{
    return (struct mempool_world){
        .context = layer_create(w->base, w->tip->layer),
        .account = world_account,
        .chain_id = WORLD_CHAIN_ID,
        .block_gas_limit = w->genesis->config.gas_limit,
        .base_fee = block_next_base_fee(&w->genesis->config, &w->tip->block.header),
    };
}

/* A signed dynamic-fee transaction (type 4 if it has authorizations) with 2 gwei of tip, into `out`
 * as wire bytes. */
__attribute__((unused)) static void world_tx(struct world *w, struct buffer *out, size_t from,
                                             uint64_t nonce, const struct tx *fields)
{
    struct tx t = *fields;
    t.type = t.authorization_count > 0 ? TX_SET_CODE : TX_DYNAMIC_FEE;
    t.has_chain_id = true;
    t.chain_id = WORLD_CHAIN_ID;
    t.nonce = nonce;
    if (t.gas_limit == 0) t.gas_limit = 21000;
    t.max_fee_per_gas = u256_from_u64(10000000000);
    t.max_priority_fee_per_gas = u256_from_u64(2000000000);
    tx_sign(&t, &w->keys[from]);
    tx_encode(out, &t);
}

/* Builds a block of the pool's transactions on the tip, verifies it from its bytes with another
 * machine, and makes it the tip. */
__attribute__((unused)) static void world_step(struct world *w, struct mempool *pool, uint64_t skip)
{
    struct block_parent parent = world_parent(w);
    struct block_plan plan = world_plan(w, skip);
    struct mempool_world view = world_view(w);
    struct mempool_pick *pick = pool == NULL ? NULL : mempool_pick_create(pool, &view);
    struct executed *built = block_build(&w->genesis->config, w->evm, &parent, &plan, pick, NULL);
    if (pick != NULL) mempool_pick_destroy(pick);

    struct buffer wire = {0};
    struct arena arena = {0};
    struct block block;
    struct executed *verified;
    char error[BLOCK_ERROR_SIZE] = "";
    struct evm *other = evm_create(CHAIN_REVISION);
    block_encode(&wire, &built->block);
    assert_int_equal(block_decode(&block, &arena, buffer_bytes(&wire)), OK);
    enum status status =
        block_verify(&verified, error, &w->genesis->config, other, &parent, &block);
    assert_string_equal(error, "");
    assert_int_equal(status, OK);
    assert_memory_equal(verified->hash.b, built->hash.b, 32);
    executed_release(verified);
    evm_destroy(other);
    arena_finish(&arena);
    buffer_finish(&wire);
    layer_release(view.context);
    world_advance(w, built);
    if (pool == NULL) return;
    view = world_view(w);
    struct buffer spenders = {0};
    layer_spenders(built->layer, &spenders);
    mempool_on_block(pool, &view, (const struct address *)spenders.data,
                     spenders.size / sizeof(struct address));
    buffer_finish(&spenders);
    layer_release(view.context);
}

#endif
