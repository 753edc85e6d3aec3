/* What a transaction costs, and the checks that need no state. */
#include "chain/tx.h"

#include <assert.h>

/* Yellow Paper appendix G as changed by EIP-2028, EIP-2930, EIP-3860 and EIP-7702. */
#define GAS_BASE           21000u
#define GAS_CREATE         32000u
#define GAS_DATA_ZERO      4u
#define GAS_DATA_NONZERO   16u
#define GAS_INIT_CODE_WORD 2u
#define GAS_ACCESS_ADDRESS 2400u
#define GAS_ACCESS_SLOT    1900u
#define GAS_AUTHORIZATION  25000u  /* PER_EMPTY_ACCOUNT_COST */
#define GAS_PER_BLOB       131072u /* EIP-4844 */
#define BLOB_HASH_VERSION  1

/* EIP-7623: a byte of calldata is worth 1 token, 4 if it is not zero. */
#define TOKENS_NONZERO  4u
#define GAS_TOKEN_FLOOR 10u

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
    return gas + t->authorization_count * GAS_AUTHORIZATION;
}

uint64_t tx_floor_gas(const struct tx *t, enum evm_revision revision)
{
    if (revision < EVM_PRAGUE) return 0;
    uint64_t nonzero = count_nonzero(t->data);
    uint64_t tokens = t->data.size - nonzero + TOKENS_NONZERO * nonzero;
    return GAS_BASE + GAS_TOKEN_FLOOR * tokens;
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

static size_t blobs_max(enum evm_revision revision)
{
    switch (revision) {
    case EVM_CANCUN: return TX_BLOBS_MAX_CANCUN;
    case EVM_PRAGUE: return TX_BLOBS_MAX_PRAGUE;
    }
    return 0;
}

static enum tx_reason check_blobs(const struct tx *t, enum evm_revision revision)
{
    if (t->type != TX_BLOB) return TX_FINE;
    if (t->is_create) return TX_BLOB_CREATE;
    if (t->blob_hash_count == 0) return TX_BLOB_NONE;
    if (t->blob_hash_count > blobs_max(revision)) return TX_BLOB_TOO_MANY;
    for (size_t i = 0; i < t->blob_hash_count; i++)
        if (t->blob_hashes[i].b[0] != BLOB_HASH_VERSION) return TX_BLOB_VERSION;
    return TX_FINE;
}

static enum tx_reason check_authorizations(const struct tx *t, enum evm_revision revision)
{
    if (t->type != TX_SET_CODE) return TX_FINE;
    if (revision < EVM_PRAGUE) return TX_TYPE_UNSUPPORTED;
    if (t->is_create) return TX_SET_CODE_CREATE;
    return t->authorization_count == 0 ? TX_SET_CODE_EMPTY : TX_FINE;
}

enum tx_reason tx_check_gas(const struct tx *t, enum evm_revision revision)
{
    if (t->gas_limit < tx_intrinsic_gas(t)) return TX_INTRINSIC_GAS;
    return t->gas_limit < tx_floor_gas(t, revision) ? TX_FLOOR_GAS : TX_FINE;
}

enum tx_reason tx_check_static(const struct tx *t, enum evm_revision revision, uint64_t chain_id,
                               uint64_t block_gas_limit)
{
    struct u256 gas_cost;
    struct u256 gas_limit = u256_from_u64(t->gas_limit);
    enum tx_reason reason = check_authorizations(t, revision);
    if (reason != TX_FINE) return reason;
    if (t->has_chain_id && t->chain_id != chain_id) return TX_WRONG_CHAIN;
    if (t->is_create && t->data.size > INIT_CODE_SIZE_MAX) return TX_INIT_CODE_SIZE;
    if (t->gas_limit > block_gas_limit) return TX_ABOVE_BLOCK_GAS;
    if (u256_compare(t->max_priority_fee_per_gas, t->max_fee_per_gas) > 0) return TX_TIP_ABOVE_FEE;
    if (!u256_mul_checked(&gas_cost, gas_limit, t->max_fee_per_gas)) return TX_FEE_OVERFLOW;
    if (t->nonce == UINT64_MAX) return TX_NONCE_MAX; /* EIP-2681 */
    reason = check_blobs(t, revision);
    return reason == TX_FINE ? tx_check_gas(t, revision) : reason;
}

enum tx_reason tx_check_account(const struct tx *t, uint64_t account_nonce, struct u256 balance_wei)
{
    struct u256 cost;
    if (t->nonce < account_nonce) return TX_NONCE_TOO_LOW;
    if (t->nonce > account_nonce) return TX_NONCE_TOO_HIGH;
    if (!tx_cost_max(&cost, t)) return TX_FUNDS; /* more than any balance */
    return u256_compare(cost, balance_wei) > 0 ? TX_FUNDS : TX_FINE;
}
