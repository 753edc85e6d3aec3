#include "chain/tx.h"

#include "base/keccak.h"
#include "base/rlp.h"

#include <assert.h>
#include <string.h>

/* Of an access list: a slot; an entry without slots. */
#define SLOT_RLP_SIZE      33
#define ENTRY_RLP_SIZE_MIN 23
/* Of an authorization whose numbers are all below 128. */
#define AUTHORIZATION_RLP_SIZE_MIN 27
#define AUTHORIZATION_MAGIC        5 /* EIP-7702: stands before what is signed */

#define V_UNPROTECTED 27 /* legacy v: 27 + parity */
#define V_PROTECTED   35 /* EIP-155: 35 + 2 * chain id + parity */

/* --- types --- */

bool tx_is_wire_type(uint8_t type_byte)
{
    return type_byte == TX_ACCESS_LIST || type_byte == TX_DYNAMIC_FEE || type_byte == TX_SET_CODE;
}

bool tx_has_tip(const struct tx *t)
{
    return t->type != TX_LEGACY && t->type != TX_ACCESS_LIST;
}

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

static void read_signature(struct rlp_reader *r, struct signature *out)
{
    struct u256 point_x = rlp_u256(r);
    struct u256 scalar = rlp_u256(r);
    u256_to_be(out->b, point_x);
    u256_to_be(out->b + 32, scalar);
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

/* Bounds as the EIP has them: a parity above 1 is no bad transaction, only a bad signature. */
static void read_authorization(struct rlp_reader *r, struct authorization *out)
{
    struct rlp_reader tuple = rlp_list(r);
    out->chain_id = rlp_u256(&tuple);
    out->delegate = rlp_address(&tuple);
    out->nonce = rlp_u64(&tuple);
    uint64_t parity = rlp_u64(&tuple);
    out->signature.b[64] = (uint8_t)parity;
    read_signature(&tuple, &out->signature);
    if (rlp_end(&tuple) != OK || parity > UINT8_MAX) rlp_fail(r);
}

static void read_authorizations(struct rlp_reader *r, struct tx *t, struct arena *arena)
{
    struct rlp_reader list = rlp_list(r);
    size_t count = count_items(&list, AUTHORIZATION_RLP_SIZE_MIN);
    t->authorization_count = count;
    if (count > TX_AUTHORIZATIONS_MAX) {
        rlp_fail(r);
        return;
    }
    struct authorization *all = arena_alloc(arena, count * sizeof *all);
    for (size_t i = 0; i < count; i++)
        read_authorization(&list, &all[i]);
    t->authorizations = all;
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
    read_signature(r, &t->signature);
}

static void read_typed(struct rlp_reader *r, struct tx *t, struct arena *arena)
{
    t->has_chain_id = true;
    t->chain_id = rlp_u64(r);
    t->nonce = rlp_u64(r);
    t->max_priority_fee_per_gas = rlp_u256(r);
    t->max_fee_per_gas = t->max_priority_fee_per_gas;
    if (tx_has_tip(t)) t->max_fee_per_gas = rlp_u256(r);
    t->gas_limit = rlp_u64(r);
    read_to(r, t);
    t->value = rlp_u256(r);
    t->data = rlp_bytes(r);
    read_access_list(r, t, arena);
    if (t->type == TX_SET_CODE) read_authorizations(r, t, arena);
    uint64_t parity = rlp_u64(r);
    if (parity > 1) rlp_fail(r);
    t->signature.b[64] = (uint8_t)(parity & 1);
    read_signature(r, &t->signature);
}

enum status tx_decode(struct tx *out, struct arena *arena, struct bytes wire)
{
    if (wire.size == 0) return E_MALFORMED;
    if (wire.size > TX_SIZE_MAX) return E_LIMIT;
    struct tx t = {0};
    uint8_t first = wire.data[0];
    if (first >= 0x80 && first < 0xc0) return E_MALFORMED;
    bool typed = first < 0x80;
    if (typed && !tx_is_wire_type(first)) return E_UNSUPPORTED;
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
    if (t.authorization_count > TX_AUTHORIZATIONS_MAX) return E_LIMIT;
    if (rlp_end(&fields) != OK || rlp_end(&outer) != OK) return E_MALFORMED;
    *out = t;
    return OK;
}

enum tx_reason tx_reason_of_decoding(enum status status, struct bytes wire)
{
    assert(status != OK);
    if (status == E_LIMIT) return TX_OVERSIZED;
    if (status != E_UNSUPPORTED) return TX_MALFORMED;
    return wire.data[0] == TX_BLOB ? TX_BLOB_UNSUPPORTED : TX_TYPE_UNSUPPORTED;
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

static void put_signature_point(struct buffer *out, const struct signature *s)
{
    rlp_put_u256(out, u256_from_be(bytes_of(s->b, 32)));
    rlp_put_u256(out, u256_from_be(bytes_of(s->b + 32, 32)));
}

static void put_authorizations(struct buffer *out, const struct tx *t)
{
    size_t list = rlp_list_open(out);
    for (size_t i = 0; i < t->authorization_count; i++) {
        const struct authorization *a = &t->authorizations[i];
        size_t tuple = rlp_list_open(out);
        rlp_put_u256(out, a->chain_id);
        rlp_put_address(out, &a->delegate);
        rlp_put_u64(out, a->nonce);
        rlp_put_u64(out, a->signature.b[64]);
        put_signature_point(out, &a->signature);
        rlp_list_close(out, tuple);
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
    if (tx_has_tip(t)) rlp_put_u256(out, t->max_priority_fee_per_gas);
    rlp_put_u256(out, t->max_fee_per_gas);
    rlp_put_u64(out, t->gas_limit);
    rlp_put_bytes(out, to);
    rlp_put_u256(out, t->value);
    rlp_put_bytes(out, t->data);
    if (t->type != TX_LEGACY) put_access_list(out, t);
    if (t->type == TX_SET_CODE) put_authorizations(out, t);
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
    put_signature_point(out, &t->signature);
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

/* --- authorizations --- */

static struct hash authorization_digest(const struct authorization *a)
{
    struct buffer content = {0};
    buffer_append_byte(&content, AUTHORIZATION_MAGIC);
    size_t list = rlp_list_open(&content);
    rlp_put_u256(&content, a->chain_id);
    rlp_put_address(&content, &a->delegate);
    rlp_put_u64(&content, a->nonce);
    rlp_list_close(&content, list);
    return finish_hash(&content);
}

enum status authorization_authority(struct address *out, const struct authorization *a,
                                    uint64_t chain_id)
{
    bool any_chain = u256_is_zero(a->chain_id);
    if (!any_chain && !u256_equal(a->chain_id, u256_from_u64(chain_id))) return E_RANGE;
    if (a->nonce == UINT64_MAX) return E_RANGE;
    struct hash digest = authorization_digest(a);
    return signature_recover(out, &a->signature, &digest, true);
}

void authorization_sign(struct authorization *a, const struct key *key)
{
    struct hash digest = authorization_digest(a);
    a->signature = key_sign(key, &digest);
}
