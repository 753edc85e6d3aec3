/* A transaction that decodes must encode to the same bytes, and no rule may trip over it; one that
 * is made up of the input's bytes, of every type, must come back from its encoding. */
#include "chain/tx.h"

#include <assert.h>
#include <string.h>

#define LIST_MAX 4 /* entries of the lists that are made up */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_wire(struct arena *arena, struct bytes wire)
{
    struct tx t;
    if (tx_decode(&t, arena, wire) != OK) return;
    struct buffer again = {0};
    struct address signer;
    struct u256 cost;
    tx_encode(&again, &t);
    assert(bytes_equal(buffer_bytes(&again), wire));
    enum tx_reason reason = tx_check_static(&t, EVM_PRAGUE, t.chain_id, UINT64_MAX);
    assert(reason != TX_WRONG_CHAIN && reason != TX_ABOVE_BLOCK_GAS);
    if (reason == TX_FINE) assert(tx_intrinsic_gas(&t) <= t.gas_limit);
    if (reason == TX_FINE) assert(tx_floor_gas(&t, EVM_PRAGUE) <= t.gas_limit);
    assert(t.authorization_count <= TX_AUTHORIZATIONS_MAX);
    (void)!tx_cost_max(&cost, &t);
    (void)!tx_sender(&signer, &t);
    for (size_t i = 0; i < t.authorization_count && i < LIST_MAX; i++)
        (void)!authorization_authority(&signer, &t.authorizations[i], t.chain_id);
    buffer_finish(&again);
}

/* --- a transaction made up of bytes --- */

static void take(struct bytes *input, void *out, size_t size)
{
    size_t have = size < input->size ? size : input->size;
    memset(out, 0, size);
    if (have > 0) memcpy(out, input->data, have);
    *input = bytes_slice(*input, have, input->size - have);
}

/* Of up to `size_max` bytes, so that short numbers are as likely as long ones. */
static struct u256 take_number(struct bytes *input, size_t size_max)
{
    uint8_t length, be[32] = {0};
    take(input, &length, 1);
    size_t size = length % (size_max + 1);
    take(input, be + 32 - size, size);
    return u256_from_be(bytes_of(be, sizeof be));
}

static uint64_t take_u64(struct bytes *input)
{
    return u256_to_u64(take_number(input, 8));
}

static void take_authorizations(struct bytes *input, struct tx *t, struct arena *arena)
{
    struct authorization *all = arena_alloc(arena, LIST_MAX * sizeof *all);
    t->authorization_count = take_u64(input) % (LIST_MAX + 1);
    t->authorizations = all;
    for (size_t i = 0; i < t->authorization_count; i++) {
        all[i].chain_id = take_number(input, 32);
        take(input, &all[i].delegate, sizeof all[i].delegate);
        all[i].nonce = take_u64(input);
        take(input, &all[i].signature, sizeof all[i].signature);
    }
}

static void take_access(struct bytes *input, struct tx *t, struct arena *arena)
{
    struct access_entry *entries = arena_alloc(arena, LIST_MAX * sizeof *entries);
    t->access_count = take_u64(input) % (LIST_MAX + 1);
    t->access = entries;
    for (size_t i = 0; i < t->access_count; i++) {
        struct hash *slots = arena_alloc(arena, LIST_MAX * sizeof *slots);
        entries[i].slot_count = take_u64(input) % (LIST_MAX + 1);
        entries[i].slots = slots;
        take(input, &entries[i].address, sizeof entries[i].address);
        take(input, slots, entries[i].slot_count * sizeof *slots);
    }
}

static struct tx make_tx(struct bytes input, struct arena *arena)
{
    static const enum tx_type types[] = {TX_LEGACY, TX_ACCESS_LIST, TX_DYNAMIC_FEE, TX_SET_CODE};
    uint8_t choice;
    struct tx t = {0};
    take(&input, &choice, 1);
    t.type = types[choice % 4];
    t.has_chain_id = t.type != TX_LEGACY || (choice & 4) != 0;
    if (t.has_chain_id) t.chain_id = take_u64(&input);
    t.is_create = (choice & 8) != 0;
    if (!t.is_create) take(&input, &t.to, sizeof t.to);
    t.nonce = take_u64(&input);
    t.gas_limit = take_u64(&input);
    t.max_fee_per_gas = take_number(&input, 32);
    t.max_priority_fee_per_gas = tx_has_tip(&t) ? take_number(&input, 32) : t.max_fee_per_gas;
    t.value = take_number(&input, 32);
    if (t.type != TX_LEGACY) take_access(&input, &t, arena);
    if (t.type == TX_SET_CODE) take_authorizations(&input, &t, arena);
    take(&input, &t.signature, sizeof t.signature);
    t.signature.b[64] &= 1;
    t.data = input;
    return t;
}

static void check_made(struct arena *arena, struct bytes input)
{
    struct tx made = make_tx(input, arena), read;
    struct buffer wire = {0};
    tx_encode(&wire, &made);
    enum status status = tx_decode(&read, arena, buffer_bytes(&wire));
    assert(status == (wire.size > TX_SIZE_MAX ? E_LIMIT : OK));
    if (status == OK) {
        struct hash a = tx_signing_hash(&made), b = tx_signing_hash(&read);
        assert(hash_equal(&a, &b));
        assert(read.authorization_count == made.authorization_count);
        check_wire(arena, buffer_bytes(&wire));
    }
    buffer_finish(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    check_wire(&arena, bytes_of(data, size));
    assert(arena.total_bytes <= 4u * TX_SIZE_MAX);
    check_made(&arena, bytes_of(data, size));
    arena_finish(&arena);
    return 0;
}
