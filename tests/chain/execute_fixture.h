/* execute_fixture.h - a sender, a contract and a block around them, for tests of chain/execute. */
#ifndef LEASEHOLD_TESTS_CHAIN_EXECUTE_FIXTURE_H
#define LEASEHOLD_TESTS_CHAIN_EXECUTE_FIXTURE_H

#include "base/fatal.h"
#include "chain/execute.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GWEI     1000000000ull
#define CONTRACT 0xcc
#define SENDER   0x51
#define OTHER    0x07
#define COINBASE 0xcb

struct fixture {
    struct state_base base;
    struct chain_config config;
    struct header header;
    struct evm *evm;
    struct layer *layer;
    struct execution x;
};

static inline struct address addr(uint8_t n)
{
    struct address a = {{0}};
    a.b[0] = 0xaa;
    a.b[19] = n;
    return a;
}

static inline struct u256 num(uint64_t n)
{
    return u256_from_u64(n);
}

static inline struct bytes code_of(const char *raw, size_t size)
{
    return bytes_of(raw, size);
}
#define CODE(raw) code_of(raw, sizeof raw - 1)

/* A sender with 1 LSH, a block with 1 gwei of base fee. */
static inline struct fixture *fixture_create(void)
{
    struct fixture *f = must_alloc(sizeof *f);
    struct address sender = addr(SENDER);
    f->base = state_base_empty();
    f->config = (struct chain_config){.chain_id = 7, .gas_limit = 30000000};
    f->header = (struct header){.number = 5,
                                .gas_limit = 30000000,
                                .timestamp_s = 1000,
                                .coinbase = addr(COINBASE),
                                .base_fee = num(GWEI)};
    f->evm = evm_create(CHAIN_REVISION);
    f->layer = layer_create(&f->base, NULL);
    layer_set_balance(f->layer, &sender, num(1000000000 * GWEI));
    execution_init(&f->x, f->evm, f->layer, &f->config, &f->header);
    return f;
}

static inline void fixture_destroy(struct fixture *f)
{
    layer_release(f->layer);
    evm_destroy(f->evm);
    free(f);
}

static inline void place_code(struct fixture *f, struct bytes code)
{
    struct address a = addr(CONTRACT);
    layer_set_nonce(f->layer, &a, 1);
    layer_set_code(f->layer, &a, code);
}

static inline uint64_t balance(struct fixture *f, uint8_t n)
{
    struct address a = addr(n);
    return u256_to_u64(layer_account(f->layer, &a).balance);
}

static inline struct tx tx_to(uint8_t to, uint64_t wei)
{
    return (struct tx){.type = TX_DYNAMIC_FEE,
                       .has_chain_id = true,
                       .chain_id = 7,
                       .gas_limit = 100000,
                       .max_fee_per_gas = num(10 * GWEI),
                       .max_priority_fee_per_gas = num(2 * GWEI),
                       .to = addr(to),
                       .value = num(wei)};
}

static inline struct tx_outcome run(struct fixture *f, const struct tx *t)
{
    struct tx_outcome o;
    struct address sender = addr(SENDER);
    enum tx_reason reason = execute_transaction(&f->x, &o, t, &sender);
    assert_string_equal(tx_reason_text(reason), "ok");
    return o;
}

#endif
