/* pool_fixture.h - a pool, a dozen people with keys and money, and their transactions. */
#ifndef LEASEHOLD_TESTS_CHAIN_POOL_FIXTURE_H
#define LEASEHOLD_TESTS_CHAIN_POOL_FIXTURE_H

#include "chain/mempool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define PEOPLE   12
#define CHAIN_ID 7117

struct person {
    struct key key;
    struct address address;
    struct mempool_account account;
};

struct fixture {
    struct person people[PEOPLE];
    struct mempool_world world;
    struct mempool *pool;
    struct buffer wire;
};

static const uint8_t SEED[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static inline struct mempool_account account_of(void *context, const struct address *a)
{
    const struct fixture *f = context;
    for (size_t i = 0; i < PEOPLE; i++)
        if (address_equal(&f->people[i].address, a)) return f->people[i].account;
    return (struct mempool_account){0};
}

static inline void setup_limited(struct fixture *f, size_t count_max, size_t size_bytes_max)
{
    struct mempool_limits limits = MEMPOOL_DEFAULT_LIMITS;
    *f = (struct fixture){0};
    for (size_t i = 0; i < PEOPLE; i++) {
        uint8_t secret[32] = {0};
        secret[31] = (uint8_t)(i + 1);
        assert_int_equal(key_from_bytes(&f->people[i].key, bytes_of(secret, 32)), OK);
        f->people[i].address = key_address(&f->people[i].key);
        f->people[i].account.balance_wei = u256_from_u64(1000000000000);
    }
    f->world = (struct mempool_world){.context = f,
                                      .account = account_of,
                                      .chain_id = CHAIN_ID,
                                      .block_gas_limit = 30000000,
                                      .base_fee = u256_from_u64(100)};
    if (count_max) limits.count_max = count_max;
    if (size_bytes_max) limits.size_bytes_max = size_bytes_max;
    f->pool = mempool_create(&limits, SEED);
}

static inline void setup(struct fixture *f)
{
    setup_limited(f, 0, 0);
}

static inline void teardown(struct fixture *f)
{
    mempool_destroy(f->pool);
    buffer_finish(&f->wire);
}

static inline struct tx plain(uint64_t nonce, uint64_t fee, uint64_t tip)
{
    return (struct tx){.type = TX_DYNAMIC_FEE,
                       .has_chain_id = true,
                       .chain_id = CHAIN_ID,
                       .nonce = nonce,
                       .gas_limit = 21000,
                       .max_fee_per_gas = u256_from_u64(fee),
                       .max_priority_fee_per_gas = u256_from_u64(tip)};
}

static inline enum tx_reason add_tx(struct fixture *f, size_t who, struct tx t, struct hash *out)
{
    struct hash hash = {0};
    tx_sign(&t, &f->people[who].key);
    buffer_clear(&f->wire);
    tx_encode(&f->wire, &t);
    enum tx_reason reason = mempool_add(f->pool, &hash, buffer_bytes(&f->wire), &f->world, 1000);
    if (out) *out = hash;
    return reason;
}

#endif
