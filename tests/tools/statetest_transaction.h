/* statetest_transaction.h - a state test's transaction: read from the JSON's fields, and, where
 * this chain knows the type, compared with what its own decoder finds in the wire form beside
 * them. */
#ifndef LEASEHOLD_TESTS_TOOLS_STATETEST_TRANSACTION_H
#define LEASEHOLD_TESTS_TOOLS_STATETEST_TRANSACTION_H

#include "chain/tx.h"
#include "tests/tools/statetest_json.h"

#include <stdlib.h>

static inline const json_t *indexed(const json_t *transaction, const char *field,
                                    const json_t *post, const char *index)
{
    const json_t *indexes = json_object_get(post, "indexes");
    json_int_t i = json_integer_value(json_object_get(indexes, index));
    return json_array_get(json_object_get(transaction, field), (size_t)i);
}

static inline void read_access(struct arena *arena, struct tx *t, const json_t *list)
{
    size_t count = json_array_size(list);
    struct access_entry *entries = count == 0 ? NULL : arena_alloc(arena, count * sizeof(*entries));
    for (size_t i = 0; i < count; i++) {
        const json_t *entry = json_array_get(list, i);
        const json_t *keys = json_object_get(entry, "storageKeys");
        size_t key_count = json_array_size(keys);
        struct hash *slots = arena_alloc(arena, (key_count + 1) * sizeof(*slots));
        for (size_t j = 0; j < key_count; j++)
            slots[j] = must_hash(json_array_get(keys, j));
        entries[i].address = must_address(json_string_value(json_object_get(entry, "address")));
        entries[i].slots = slots;
        entries[i].slot_count = key_count;
    }
    t->access = entries;
    t->access_count = count;
}

static inline void read_blobs(struct arena *arena, struct tx *t, const json_t *transaction)
{
    const json_t *list = json_object_get(transaction, "blobVersionedHashes");
    size_t count = json_array_size(list);
    struct hash *hashes = arena_alloc(arena, (count + 1) * sizeof(*hashes));
    for (size_t i = 0; i < count; i++)
        hashes[i] = must_hash(json_array_get(list, i));
    t->max_fee_per_blob_gas =
        must_number(json_object_get(transaction, "maxFeePerBlobGas"), "blob fee");
    t->blob_hashes = hashes;
    t->blob_hash_count = count;
}

/* The transaction's type is the first byte of its wire form, unless that is an RLP list. */
static inline int type_byte(const json_t *post)
{
    const char *wire = json_string_value(json_object_get(post, "txbytes"));
    if (wire == NULL || strlen(wire) < 4) fatal("reading a state test: no txbytes");
    long first = strtol((char[]){wire[2], wire[3], '\0'}, NULL, 16);
    return first >= 0xc0 ? TX_LEGACY : (int)first;
}

static inline void read_fees(struct tx *t, const json_t *transaction)
{
    if (t->type == TX_LEGACY || t->type == TX_ACCESS_LIST) {
        t->max_fee_per_gas = must_number(json_object_get(transaction, "gasPrice"), "gas price");
        t->max_priority_fee_per_gas = t->max_fee_per_gas;
        return;
    }
    t->max_fee_per_gas = must_number(json_object_get(transaction, "maxFeePerGas"), "max fee");
    t->max_priority_fee_per_gas =
        must_number(json_object_get(transaction, "maxPriorityFeePerGas"), "max tip");
}

/* False if a number is out of EIP-7702's bounds. */
static inline bool read_authorization(struct authorization *out, const json_t *tuple)
{
    struct u256 nonce, parity, r, s;
    out->delegate = must_address(json_string_value(json_object_get(tuple, "address")));
    if (!number_of(&out->chain_id, json_object_get(tuple, "chainId"))) return false;
    if (!number_of(&nonce, json_object_get(tuple, "nonce"))) return false;
    if (!number_of(&parity, json_object_get(tuple, "v"))) return false;
    if (!number_of(&r, json_object_get(tuple, "r"))) return false;
    if (!number_of(&s, json_object_get(tuple, "s"))) return false;
    if (!u256_fits_u64(nonce) || u256_bit_length(parity) > 8) return false;
    out->nonce = u256_to_u64(nonce);
    u256_to_be(out->signature.b, r);
    u256_to_be(out->signature.b + 32, s);
    out->signature.b[64] = (uint8_t)u256_to_u64(parity);
    return true;
}

static inline bool read_authorizations(struct arena *arena, struct tx *t, const json_t *list)
{
    size_t count = json_array_size(list);
    struct authorization *all = arena_alloc(arena, (count + 1) * sizeof(*all));
    t->authorizations = all;
    t->authorization_count = count;
    for (size_t i = 0; i < count; i++)
        if (!read_authorization(&all[i], json_array_get(list, i))) return false;
    return true;
}

/* False if the JSON says what no transaction can: a number of more bits than its field. */
static inline bool read_transaction(struct arena *arena, struct tx *t, const json_t *transaction,
                                    const json_t *post)
{
    int type = type_byte(post);
    const char *to = json_string_value(json_object_get(transaction, "to"));
    if (type > TX_SET_CODE) return false;
    *t = (struct tx){.type = (enum tx_type)type, .has_chain_id = type != TX_LEGACY};
    t->chain_id = 1;
    t->is_create = to == NULL || to[0] == '\0';
    if (!t->is_create) t->to = must_address(to);
    if (!number_of(&t->value, indexed(transaction, "value", post, "value"))) return false;
    t->nonce = must_u64(json_object_get(transaction, "nonce"), "nonce");
    t->gas_limit = must_u64(indexed(transaction, "gasLimit", post, "gas"), "gas limit");
    t->data = must_bytes(arena, indexed(transaction, "data", post, "data"));
    read_fees(t, transaction);
    read_access(arena, t, indexed(transaction, "accessLists", post, "data"));
    if (t->type == TX_BLOB) read_blobs(arena, t, transaction);
    if (t->type != TX_SET_CODE) return true;
    return read_authorizations(arena, t, json_object_get(transaction, "authorizationList"));
}

/* Whether the wire form, if it decodes, says the same: the same digest, signed by the sender. */
static inline bool agrees_with_wire(struct arena *arena, const struct tx *t,
                                    const struct address *sender, const json_t *post)
{
    struct bytes wire = must_bytes(arena, json_object_get(post, "txbytes"));
    struct tx read, expected = *t;
    struct address signer;
    if (tx_decode(&read, arena, wire) != OK) return t->type == TX_BLOB || wire.size > TX_SIZE_MAX;
    expected.has_chain_id = read.has_chain_id; /* older transactions may leave it out */
    struct hash here = tx_signing_hash(&expected);
    struct hash there = tx_signing_hash(&read);
    if (!hash_equal(&here, &there)) return false;
    return tx_sender(&signer, &read) == OK && address_equal(&signer, sender);
}

#endif
