#include "chain/state_layer.h"

#include <assert.h>

#define ANCESTORS_MAX 256

static const struct host_account *host_account(struct host *h, const struct address *a)
{
    return &state_account(h->layer, a)->seen;
}

static const struct host_account *host_touch_account(struct host *h, const struct address *a)
{
    struct account_entry *e = state_account(h->layer, a);
    e->seen.was = state_stamp(h->layer, &e->warm_tx) ? ACCESS_WARM : ACCESS_COLD;
    return &e->seen;
}

static struct bytes host_code(struct host *h, const struct address *a)
{
    return layer_code(h->layer, a);
}

static bool host_has_storage(struct host *h, const struct address *a)
{
    const struct account_entry *e = state_account(h->layer, a);
    if (!hash_equal(&e->before.storage_root, &ACCOUNT_EMPTY.storage_root)) return true;
    for (const struct slot_entry *s = e->slots; s != NULL; s = s->next) {
        if (!u256_is_zero(s->seen.now)) return true;
    }
    return false;
}

static struct hash host_block_hash(struct host *h, uint64_t number)
{
    struct hash out = {0};
    uint64_t current = h->context.number;
    if (number >= current || current - number > ANCESTORS_MAX) return out;
    if (h->block_hash == NULL || !h->block_hash(h->ancestry, number, &out)) {
        return (struct hash){0};
    }
    return out;
}

static struct host_slot *host_touch_slot(struct host *h, const struct address *a,
                                         const struct u256 *key)
{
    struct slot_entry *s = state_slot(h->layer, a, key);
    state_touch_slot(h->layer, s);
    return &s->seen;
}

static void host_store(struct host *h, struct host_slot *slot, const struct u256 *value)
{
    state_set_slot(h->layer, (struct slot_entry *)slot, value);
}

static const struct u256 *host_transient(struct host *h, const struct address *a,
                                         const struct u256 *key)
{
    static const struct u256 nothing;
    const struct transient_entry *t = state_find_transient(h->layer, a, key);
    return t != NULL && t->tx == h->layer->tx ? &t->now : &nothing;
}

static void host_set_transient(struct host *h, const struct address *a, const struct u256 *key,
                               const struct u256 *value)
{
    state_set_transient(h->layer, state_transient(h->layer, a, key), value);
}

static void host_set_nonce(struct host *h, const struct address *a, uint64_t nonce)
{
    layer_set_nonce(h->layer, a, nonce);
}

static void host_transfer(struct host *h, const struct address *from, const struct address *to,
                          struct u256 wei)
{
    if (u256_is_zero(wei)) return;
    layer_sub_balance(h->layer, from, wei);
    layer_add_balance(h->layer, to, wei);
}

static void host_mark_created(struct host *h, const struct address *a)
{
    (void)state_stamp(h->layer, &state_account(h->layer, a)->created_tx);
}

static void host_set_code(struct host *h, const struct address *a, struct bytes code)
{
    layer_set_code(h->layer, a, code);
}

static void host_self_destruct(struct host *h, const struct address *a, const struct address *heir)
{
    struct account_entry *e = state_account(h->layer, a);
    bool is_new = e->created_tx == h->layer->tx;
    if (!address_equal(a, heir)) {
        host_transfer(h, a, heir, e->seen.balance);
    } else if (is_new) {
        state_set_balance(h->layer, e, (struct u256){0});
    }
    if (is_new) state_mark_destroyed(h->layer, e);
}

static void host_log(struct host *h, const struct log_entry *entry)
{
    state_log(h->layer, entry);
}

static size_t host_snapshot(struct host *h)
{
    return layer_snapshot(h->layer);
}

static void host_revert(struct host *h, size_t snapshot)
{
    layer_revert(h->layer, snapshot);
}

static const struct evm_context *host_context(struct host *h)
{
    return &h->context;
}

const struct host_table HOST_OF_LAYER = {
    .account = host_account,
    .touch_account = host_touch_account,
    .code = host_code,
    .has_storage = host_has_storage,
    .block_hash = host_block_hash,
    .touch_slot = host_touch_slot,
    .store = host_store,
    .transient = host_transient,
    .set_transient = host_set_transient,
    .set_nonce = host_set_nonce,
    .transfer = host_transfer,
    .mark_created = host_mark_created,
    .set_code = host_set_code,
    .self_destruct = host_self_destruct,
    .log = host_log,
    .snapshot = host_snapshot,
    .revert = host_revert,
    .context = host_context,
};
