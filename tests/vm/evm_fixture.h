/* tests/vm/evm_fixture.h - one contract, one caller, one call: what most VM tests need. */
#ifndef LEASEHOLD_TESTS_VM_EVM_FIXTURE_H
#define LEASEHOLD_TESTS_VM_EVM_FIXTURE_H

#include "base/hex.h"
#include "tests/vm/memory_host.h"
#include "vm/evm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define FIXTURE_GAS INT64_C(10000000)

struct fixture {
    struct evm *evm;
    struct host host;
    struct evm_message message;
    struct evm_outcome out;
};

/* An address whose last byte is `last` and whose others are zero, but for the first, 0xaa. */
static inline struct address address_number(uint8_t last)
{
    struct address a = {{0xaa}};
    a.b[19] = last;
    return a;
}

#define CALLER   address_number(1)
#define CONTRACT address_number(2)
#define OTHER    address_number(3)

/* Hex without 0x; spaces allowed. The caller finishes the buffer. */
static inline struct buffer code_from(const char *hex)
{
    struct buffer text = {.size = 0};
    struct buffer code = {.size = 0};
    buffer_append(&text, bytes_of_text("0x"));
    for (const char *c = hex; *c != '\0'; c++) {
        if (*c != ' ') buffer_append_byte(&text, (uint8_t)*c);
    }
    if (hex_decode(&code, buffer_bytes(&text)) != OK) fail_msg("bad hex in a test: %s", hex);
    buffer_finish(&text);
    return code;
}

static inline void put_code(struct fixture *x, struct address a, const char *hex)
{
    struct buffer code = code_from(hex);
    memory_host_put_code(&x->host, &a, buffer_bytes(&code));
    buffer_finish(&code);
}

static inline void put_balance(struct fixture *x, struct address a, uint64_t wei)
{
    memory_account_get(&x->host, &a)->seen.balance = u256_from_u64(wei);
}

static inline void fixture_open(struct fixture *x)
{
    *x = (struct fixture){.evm = evm_create(EVM_PRAGUE)};
    x->host.context = (struct evm_context){
        .chain_id = 7117,
        .number = 1000,
        .timestamp_s = 1750000000,
        .gas_limit = 30000000,
        .coinbase = address_number(0xcb),
        .prev_randao = {{0x77}},
        .base_fee = u256_from_u64(7),
        .blob_base_fee = u256_from_u64(9),
        .origin = CALLER,
        .gas_price = u256_from_u64(11),
    };
    x->message = (struct evm_message){.kind = EVM_CALL, .gas = FIXTURE_GAS};
    x->message.sender = CALLER;
    x->message.recipient = CONTRACT;
    put_balance(x, CALLER, 1000000);
    struct address a = CALLER;
    memory_touch_account(&x->host, &a);
    a = CONTRACT;
    memory_touch_account(&x->host, &a);
    x->host.undo_count = 0; /* that was setting up, not to be undone */
}

static inline void fixture_close(struct fixture *x)
{
    evm_destroy(x->evm);
    memory_host_finish(&x->host);
}

/* Runs the message; what it did can be looked at until fixture_close. */
static inline void fixture_run(struct fixture *x)
{
    evm_execute(x->evm, &x->out, &memory_host_table, &x->host, &x->message);
}

static inline void fixture_run_code(struct fixture *x, const char *hex)
{
    put_code(x, CONTRACT, hex);
    fixture_run(x);
}

static inline int64_t gas_used(const struct fixture *x)
{
    return x->message.gas - x->out.gas_left;
}

/* The 32 bytes that the code returned. */
static inline struct u256 returned_word(const struct fixture *x)
{
    assert_int_equal(x->out.output.size, 32);
    return u256_from_be(x->out.output);
}

static inline uint64_t returned_u64(const struct fixture *x)
{
    return u256_to_u64_saturating(returned_word(x));
}

/* Returns the topmost stack item; costs 13 gas when memory was untouched. */
#define RETURN_TOP     "5f5260205ff3"
#define RETURN_TOP_GAS 13

#endif
