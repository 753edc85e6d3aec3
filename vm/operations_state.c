#include "vm/operations.h"

#include "vm/gas.h"
#include "vm/word.h"

#include <assert.h>

/* What is left when the account that was just touched is paid for. */
static int64_t charge_account(int64_t gas, const struct host_account *account)
{
    return gas - (account->was == ACCESS_COLD ? GAS_COLD_ACCOUNT : GAS_WARM_ACCESS);
}

OPERATION(op_balance)
{
    (void)f;
    struct address a = word_to_address(&top[0]);
    const struct host_account *account = e->table->touch_account(e->host, &a);
    word_copy(&top[0], &account->balance);
    return charge_account(gas, account);
}

OPERATION(op_selfbalance)
{
    word_copy(&top[1], &e->table->account(e->host, &f->self)->balance);
    return gas;
}

OPERATION(op_extcodesize)
{
    (void)f;
    struct address a = word_to_address(&top[0]);
    gas = charge_account(gas, e->table->touch_account(e->host, &a));
    if (gas >= 0) top[0] = word_u64(e->table->code(e->host, &a).size);
    return gas;
}

OPERATION(op_extcodehash)
{
    (void)f;
    struct address a = word_to_address(&top[0]);
    const struct host_account *account = e->table->touch_account(e->host, &a);
    top[0] = word_u64(0);
    if (host_account_exists(account)) top[0] = word_of_hash(&account->code_hash);
    return charge_account(gas, account);
}

OPERATION(op_extcodecopy)
{
    struct address a = word_to_address(&top[0]);
    gas = memory_reserve(e, f, gas, &top[-1], &top[-3]);
    if (gas < 0) return gas;
    gas -= GAS_COPY_WORD * (int64_t)words_of(top[-3].limb[0]);
    if (gas >= 0) gas = charge_account(gas, e->table->touch_account(e->host, &a));
    if (gas >= 0) copy_padded(f, &top[-1], e->table->code(e->host, &a), &top[-2], &top[-3]);
    return gas;
}

OPERATION(op_blockhash)
{
    (void)f;
    uint64_t now = e->context->number;
    uint64_t number = word_saturated(&top[0]);
    top[0] = word_u64(0);
    if (number >= now || now - number > BLOCK_HASHES_MAX) return gas;
    struct hash h = e->table->block_hash(e->host, number);
    top[0] = word_of_hash(&h);
    return gas;
}

OPERATION(op_blobhash)
{
    (void)f;
    uint64_t index = word_saturated(&top[0]);
    top[0] = word_u64(0);
    if (index < e->context->blob_hash_count) top[0] = word_of_hash(&e->context->blob_hashes[index]);
    return gas;
}

OPERATION(op_sload)
{
    const struct host_slot *s = e->table->touch_slot(e->host, &f->self, &top[0]);
    gas -= s->was == ACCESS_COLD ? GAS_COLD_SLOT : GAS_WARM_ACCESS;
    word_copy(&top[0], &s->now);
    return gas;
}

/* EIP-2200 and EIP-2929, but for the cold access: a slot that does change. */
static int64_t sstore_cost(const struct host_slot *s)
{
    if (!word_equal(&s->original, &s->now)) return GAS_WARM_ACCESS;
    return word_is_zero(&s->original) ? GAS_SSTORE_SET : GAS_SSTORE_RESET;
}

/* EIP-3529: the refund of a slot that goes to `value`, which is another than now. */
static int64_t sstore_refund(const struct host_slot *s, const struct u256 *value)
{
    int64_t refund = 0;
    if (word_equal(&s->original, &s->now)) {
        if (!word_is_zero(&s->original) && word_is_zero(value)) refund += GAS_SSTORE_CLEAR;
        return refund;
    }
    if (!word_is_zero(&s->original)) {
        if (word_is_zero(&s->now)) refund -= GAS_SSTORE_CLEAR;
        if (word_is_zero(value)) refund += GAS_SSTORE_CLEAR;
    }
    if (word_equal(&s->original, value)) {
        int64_t paid = word_is_zero(&s->original) ? GAS_SSTORE_SET : GAS_SSTORE_RESET;
        refund += paid - GAS_WARM_ACCESS;
    }
    return refund;
}

OPERATION(op_sstore)
{
    if (f->is_static) return frame_fail(f, EVM_STATIC_VIOLATION);
    if (gas <= GAS_SSTORE_SENTRY) return -1;
    struct host_slot *s = e->table->touch_slot(e->host, &f->self, &top[0]);
    if (s->was == ACCESS_COLD) gas -= GAS_COLD_SLOT;
    if (word_equal(&s->now, &top[-1])) return gas - GAS_WARM_ACCESS;
    gas -= sstore_cost(s);
    if (gas < 0) return gas;
    e->refund += sstore_refund(s, &top[-1]);
    e->table->store(e->host, s, &top[-1]);
    return gas;
}

OPERATION(op_tload)
{
    word_copy(&top[0], e->table->transient(e->host, &f->self, &top[0]));
    return gas;
}

OPERATION(op_tstore)
{
    if (f->is_static) return frame_fail(f, EVM_STATIC_VIOLATION);
    e->table->set_transient(e->host, &f->self, &top[0], &top[-1]);
    return gas;
}

OPERATION(op_selfdestruct)
{
    if (f->is_static) return frame_fail(f, EVM_STATIC_VIOLATION);
    struct address heir = word_to_address(&top[0]);
    const struct host_account *to = e->table->touch_account(e->host, &heir);
    bool heir_exists = host_account_exists(to);
    if (to->was == ACCESS_COLD) gas -= GAS_COLD_ACCOUNT;
    if (gas < 0) return gas;
    if (!heir_exists && !word_is_zero(&e->table->account(e->host, &f->self)->balance))
        gas -= GAS_NEW_ACCOUNT;
    if (gas >= 0) e->table->self_destruct(e->host, &f->self, &heir);
    return gas;
}
