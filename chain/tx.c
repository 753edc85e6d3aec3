#include "chain/tx.h"

#include "base/keccak.h"
#include "base/rlp.h"

#include <assert.h>
#include <string.h>

/* Yellow Paper appendix G as changed by EIP-2028, EIP-2930 and EIP-3860. */
#define GAS_BASE           21000u
#define GAS_CREATE         32000u
#define GAS_DATA_ZERO      4u
#define GAS_DATA_NONZERO   16u
#define GAS_INIT_CODE_WORD 2u
#define GAS_ACCESS_ADDRESS 2400u
#define GAS_ACCESS_SLOT    1900u
#define GAS_PER_BLOB       131072u /* EIP-4844 */
#define BLOB_HASH_VERSION  1

/* Of an access list: a slot; an entry without slots. */
#define SLOT_RLP_SIZE      33
#define ENTRY_RLP_SIZE_MIN 23

#define V_UNPROTECTED 27 /* legacy v: 27 + parity */
#define V_PROTECTED   35 /* EIP-155: 35 + 2 * chain id + parity */

/* --- decoding --- */

static void read_to(struct rlp_reader *r, struct tx *t)
{
    struct bytes to = rlp_bytes_max(r, sizeof t->to.b);
    t->is_create = to.size == 0;
    if (to.size == sizeof t->to.b)
        memcpy(t->to.b, to.data, to.size);
    else if (to.size != 0)
        rlp_fail(r);
}

static void read_signature(struct rlp_reader *r, struct tx *t)
{
    struct u256 point_x = rlp_u256(r);
    struct u256 scalar = rlp_u256(r);
    u256_to_be(t->signature.b, point_x);
    u256_to_be(t->signature.b + 32, scalar);
}

/* How many items the list holds. Fails it, with 0, if they cannot all be of the least size: so the
 * input's size bounds what is allocated for it. */
static size_t count_items(struct rlp_reader *list, size_t item_size_min)
{
    struct rlp_reader r = *list;
    size_t count = 0;
    for (; !rlp_at_end(&r); count++)
        (void)rlp_item(&r);
    if (count <= list->rest.size / item_size_min) return count;
    rlp_fail(list);
    return 0;
}

static void read_access_entry(struct rlp_reader *r, struct access_entry *out, struct arena *arena)
{
    struct rlp_reader entry = rlp_list(r);
    out->address = rlp_address(&entry);
    struct rlp_reader keys = rlp_list(&entry);
    size_t count = count_items(&keys, SLOT_RLP_SIZE);
    struct hash *slots = arena_alloc(arena, count * sizeof *slots);
    for (size_t i = 0; i < count; i++)
        slots[i] = rlp_hash(&keys);
    out->slots = slots;
    out->slot_count = count;
    if (rlp_end(&keys) != OK || rlp_end(&entry) != OK) rlp_fail(r);
}

static void read_access_list(struct rlp_reader *r, struct tx *t, struct arena *arena)
{
    struct rlp_reader list = rlp_list(r);
    size_t count = count_items(&list, ENTRY_RLP_SIZE_MIN);
    struct access_entry *entries = arena_alloc(arena, count * sizeof *entries);
    for (size_t i = 0; i < count; i++)
        read_access_entry(&list, &entries[i], arena);
    t->access = entries;
    t->access_count = count;
    if (rlp_end(&list) != OK) rlp_fail(r);
}

/* Splits a legacy v into parity and chain id. */
static void read_legacy_v(struct rlp_reader *r, struct tx *t)
{
    struct u256 v = rlp_u256(r);
    uint64_t small = u256_to_u64_saturating(v);
    if (small == V_UNPROTECTED || small == V_UNPROTECTED + 1) {
        t->signature.b[64] = (uint8_t)(small - V_UNPROTECTED);
        return;
    }
    struct u256 rest = u256_sub(v, u256_from_u64(V_PROTECTED));
    struct u256 chain_id = u256_shr(rest, 1);
    if (small < V_PROTECTED || !u256_fits_u64(chain_id)) {
        rlp_fail(r);
        return;
    }
    t->has_chain_id = true;
    t->chain_id = u256_to_u64(chain_id);
    t->signature.b[64] = (uint8_t)(rest.limb[0] & 1);
}

static void read_legacy(struct rlp_reader *r, struct tx *t)
{
    t->nonce = rlp_u64(r);
    t->max_fee_per_gas = rlp_u256(r);
    t->max_priority_fee_per_gas = t->max_fee_per_gas;
    t->gas_limit = rlp_u64(r);
    read_to(r, t);
    t->value = rlp_u256(r);
    t->data = rlp_bytes(r);
    read_legacy_v(r, t);
    read_signature(r, t);
}

static void read_typed(struct rlp_reader *r, struct tx *t, struct arena *arena)
{
    t->has_chain_id = true;
    t->chain_id = rlp_u64(r);
    t->nonce = rlp_u64(r);
    t->max_priority_fee_per_gas = rlp_u256(r);
    t->max_fee_per_gas = t->max_priority_fee_per_gas;
    if (t->type == TX_DYNAMIC_FEE) t->max_fee_per_gas = rlp_u256(r);
    t->gas_limit = rlp_u64(r);
    read_to(r, t);
    t->value = rlp_u256(r);
    t->data = rlp_bytes(r);
    read_access_list(r, t, arena);
    uint64_t parity = rlp_u64(r);
    if (parity > 1) rlp_fail(r);
    t->signature.b[64] = (uint8_t)(parity & 1);
    read_signature(r, t);
}

enum status tx_decode(struct tx *out, struct arena *arena, struct bytes wire)
{
    if (wire.size == 0) return E_MALFORMED;
    if (wire.size > TX_SIZE_MAX) return E_LIMIT;
    struct tx t = {0};
    uint8_t first = wire.data[0];
    if (first >= 0x80 && first < 0xc0) return E_MALFORMED;
    bool typed = first < 0x80;
    if (typed && first != TX_ACCESS_LIST && first != TX_DYNAMIC_FEE) return E_UNSUPPORTED;
    if (typed) {
        t.type = (enum tx_type)first;
        wire = bytes_slice(wire, 1, wire.size - 1);
    }
    struct rlp_reader outer = rlp_reader_over(wire);
    struct rlp_reader fields = rlp_list(&outer);
    if (typed)
        read_typed(&fields, &t, arena);
    else
        read_legacy(&fields, &t);
    if (rlp_end(&fields) != OK || rlp_end(&outer) != OK) return E_MALFORMED;
    *out = t;
    return OK;
}

/* --- encoding --- */

static void put_access_list(struct buffer *out, const struct tx *t)
{
    size_t list = rlp_list_open(out);
    for (size_t i = 0; i < t->access_count; i++) {
        const struct access_entry *entry = &t->access[i];
        size_t pair = rlp_list_open(out);
        rlp_put_address(out, &entry->address);
        size_t slots = rlp_list_open(out);
        for (size_t s = 0; s < entry->slot_count; s++)
            rlp_put_hash(out, &entry->slots[s]);
        rlp_list_close(out, slots);
        rlp_list_close(out, pair);
    }
    rlp_list_close(out, list);
}

/* The fields that are signed, but for a legacy chain id. */
static void put_fields(struct buffer *out, const struct tx *t)
{
    struct bytes to = {0};
    assert(t->type != TX_BLOB);
    if (!t->is_create) to = address_bytes(&t->to);
    if (t->type != TX_LEGACY) rlp_put_u64(out, t->chain_id);
    rlp_put_u64(out, t->nonce);
    if (t->type == TX_DYNAMIC_FEE) rlp_put_u256(out, t->max_priority_fee_per_gas);
    rlp_put_u256(out, t->max_fee_per_gas);
    rlp_put_u64(out, t->gas_limit);
    rlp_put_bytes(out, to);
    rlp_put_u256(out, t->value);
    rlp_put_bytes(out, t->data);
    if (t->type != TX_LEGACY) put_access_list(out, t);
}

static void put_signature(struct buffer *out, const struct tx *t)
{
    struct u256 v = u256_from_u64(t->signature.b[64]);
    assert(t->signature.b[64] <= 1);
    if (t->type == TX_LEGACY && t->has_chain_id) {
        v = u256_add(v, u256_shl(u256_from_u64(t->chain_id), 1));
        v = u256_add(v, u256_from_u64(V_PROTECTED));
    } else if (t->type == TX_LEGACY) {
        v = u256_add(v, u256_from_u64(V_UNPROTECTED));
    }
    rlp_put_u256(out, v);
    rlp_put_u256(out, u256_from_be(bytes_of(t->signature.b, 32)));
    rlp_put_u256(out, u256_from_be(bytes_of(t->signature.b + 32, 32)));
}

void tx_encode(struct buffer *out, const struct tx *t)
{
    if (t->type != TX_LEGACY) buffer_append_byte(out, (uint8_t)t->type);
    size_t list = rlp_list_open(out);
    put_fields(out, t);
    put_signature(out, t);
    rlp_list_close(out, list);
}

/* --- hashes and signatures --- */

struct hash tx_hash_of_wire(struct bytes wire)
{
    return keccak256(wire);
}

static struct hash finish_hash(struct buffer *content)
{
    struct hash h = keccak256(buffer_bytes(content));
    buffer_finish(content);
    return h;
}

struct hash tx_hash(const struct tx *t)
{
    struct buffer wire = {0};
    tx_encode(&wire, t);
    return finish_hash(&wire);
}

struct hash tx_signing_hash(const struct tx *t)
{
    struct buffer content = {0};
    if (t->type != TX_LEGACY) buffer_append_byte(&content, (uint8_t)t->type);
    size_t list = rlp_list_open(&content);
    put_fields(&content, t);
    if (t->type == TX_LEGACY && t->has_chain_id) {
        rlp_put_u64(&content, t->chain_id);
        rlp_put_u64(&content, 0);
        rlp_put_u64(&content, 0);
    }
    rlp_list_close(&content, list);
    return finish_hash(&content);
}

enum status tx_sender(struct address *out, const struct tx *t)
{
    struct hash digest = tx_signing_hash(t);
    return signature_recover(out, &t->signature, &digest, true);
}

void tx_sign(struct tx *t, const struct key *key)
{
    struct hash digest = tx_signing_hash(t);
    t->signature = key_sign(key, &digest);
}

/* --- gas and money --- */

static uint64_t count_nonzero(struct bytes data)
{
    uint64_t count = 0;
    for (size_t i = 0; i < data.size; i++)
        count += data.data[i] != 0;
    return count;
}

uint64_t tx_intrinsic_gas(const struct tx *t)
{
    uint64_t nonzero = count_nonzero(t->data);
    uint64_t gas = GAS_BASE + nonzero * GAS_DATA_NONZERO;
    gas += (t->data.size - nonzero) * GAS_DATA_ZERO;
    if (t->is_create) gas += GAS_CREATE + (t->data.size + 31) / 32 * GAS_INIT_CODE_WORD;
    for (size_t i = 0; i < t->access_count; i++)
        gas += GAS_ACCESS_ADDRESS + t->access[i].slot_count * GAS_ACCESS_SLOT;
    return gas;
}

bool tx_cost_max(struct u256 *out_wei, const struct tx *t)
{
    struct u256 gas_cost;
    struct u256 blob_cost;
    struct u256 sum;
    struct u256 blob_gas = u256_from_u64((uint64_t)t->blob_hash_count * GAS_PER_BLOB);
    if (!u256_mul_checked(&gas_cost, u256_from_u64(t->gas_limit), t->max_fee_per_gas)) return false;
    if (!u256_mul_checked(&blob_cost, blob_gas, t->max_fee_per_blob_gas)) return false;
    if (!u256_add_checked(&sum, gas_cost, blob_cost)) return false;
    return u256_add_checked(out_wei, sum, t->value);
}

struct u256 fee_tip(struct u256 max_fee, struct u256 max_tip, struct u256 base_fee)
{
    if (u256_compare(max_fee, base_fee) < 0) return (struct u256){{0}};
    struct u256 room = u256_sub(max_fee, base_fee);
    return u256_compare(max_tip, room) < 0 ? max_tip : room;
}

struct u256 tx_tip(const struct tx *t, struct u256 base_fee)
{
    return fee_tip(t->max_fee_per_gas, t->max_priority_fee_per_gas, base_fee);
}

struct u256 tx_gas_price(const struct tx *t, struct u256 base_fee)
{
    assert(u256_compare(t->max_fee_per_gas, base_fee) >= 0);
    return u256_add(base_fee, tx_tip(t, base_fee));
}

/* --- checks --- */

static enum tx_reason check_blobs(const struct tx *t)
{
    if (t->type != TX_BLOB) return TX_FINE;
    if (t->is_create) return TX_BLOB_CREATE;
    if (t->blob_hash_count == 0) return TX_BLOB_NONE;
    if (t->blob_hash_count > TX_BLOBS_MAX) return TX_BLOB_TOO_MANY;
    for (size_t i = 0; i < t->blob_hash_count; i++)
        if (t->blob_hashes[i].b[0] != BLOB_HASH_VERSION) return TX_BLOB_VERSION;
    return TX_FINE;
}

enum tx_reason tx_check_static(const struct tx *t, uint64_t chain_id, uint64_t block_gas_limit)
{
    struct u256 gas_cost;
    struct u256 gas_limit = u256_from_u64(t->gas_limit);
    if (t->has_chain_id && t->chain_id != chain_id) return TX_WRONG_CHAIN;
    if (t->is_create && t->data.size > INIT_CODE_SIZE_MAX) return TX_INIT_CODE_SIZE;
    if (t->gas_limit > block_gas_limit) return TX_ABOVE_BLOCK_GAS;
    if (u256_compare(t->max_priority_fee_per_gas, t->max_fee_per_gas) > 0) return TX_TIP_ABOVE_FEE;
    if (!u256_mul_checked(&gas_cost, gas_limit, t->max_fee_per_gas)) return TX_FEE_OVERFLOW;
    if (t->nonce == UINT64_MAX) return TX_NONCE_MAX; /* EIP-2681 */
    if (t->gas_limit < tx_intrinsic_gas(t)) return TX_INTRINSIC_GAS;
    return check_blobs(t);
}

enum tx_reason tx_check_account(const struct tx *t, uint64_t account_nonce, struct u256 balance_wei)
{
    struct u256 cost;
    if (t->nonce < account_nonce) return TX_NONCE_TOO_LOW;
    if (t->nonce > account_nonce) return TX_NONCE_TOO_HIGH;
    if (!tx_cost_max(&cost, t)) return TX_FUNDS; /* more than any balance */
    return u256_compare(cost, balance_wei) > 0 ? TX_FUNDS : TX_FINE;
}
