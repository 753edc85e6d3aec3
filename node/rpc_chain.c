#include "node/rpc_methods.h"

#include "base/fatal.h"

#include <assert.h>
#include <stdlib.h>

/* The block a parameter names. False: an error, or null as the answer. */
static bool load(struct session *s, struct stored_block *out, struct rpc_reply *reply,
                 const struct block_tag *tag)
{
    uint64_t number = 0;
    if (rpc_failed(reply)) return false;
    if (!session_find(s, &number, tag)) {
        rpc_result(reply, json_null());
        return false;
    }
    session_block(s, out, number);
    return true;
}

static struct block_tag tag_of_hash(struct rpc_reply *reply, const json_t *value)
{
    return (struct block_tag){TAG_HASH, 0, read_hash(reply, value, "block hash")};
}

static void answer_block(struct session *s, struct rpc_reply *reply, const struct block_tag *tag,
                         const json_t *full_param)
{
    struct stored_block b;
    bool full = full_param != NULL && read_bool(reply, full_param, "full transactions");
    if (load(s, &b, reply, tag)) rpc_result(reply, json_of_block(&b.block, session_arena(s), full));
}

void rpc_block_by_number(void *context, struct rpc_reply *reply, json_t *const *params)
{
    if (!session_begin(context, reply)) return;
    struct block_tag tag = read_tag(reply, params[0]);
    answer_block(context, reply, &tag, params[1]);
}

void rpc_block_by_hash(void *context, struct rpc_reply *reply, json_t *const *params)
{
    if (!session_begin(context, reply)) return;
    struct block_tag tag = tag_of_hash(reply, params[0]);
    answer_block(context, reply, &tag, params[1]);
}

static void answer_count(struct session *s, struct rpc_reply *reply, const struct block_tag *tag,
                         bool uncles)
{
    struct stored_block b;
    if (load(s, &b, reply, tag)) rpc_result(reply, json_quantity(uncles ? 0 : b.block.tx_count));
}

void rpc_tx_count_by_number(void *context, struct rpc_reply *reply, json_t *const *params)
{
    if (!session_begin(context, reply)) return;
    struct block_tag tag = read_tag(reply, params[0]);
    answer_count(context, reply, &tag, false);
}

void rpc_tx_count_by_hash(void *context, struct rpc_reply *reply, json_t *const *params)
{
    if (!session_begin(context, reply)) return;
    struct block_tag tag = tag_of_hash(reply, params[0]);
    answer_count(context, reply, &tag, false);
}

void rpc_uncle_count_by_number(void *context, struct rpc_reply *reply, json_t *const *params)
{
    if (!session_begin(context, reply)) return;
    struct block_tag tag = read_tag(reply, params[0]);
    answer_count(context, reply, &tag, true);
}

void rpc_uncle_count_by_hash(void *context, struct rpc_reply *reply, json_t *const *params)
{
    if (!session_begin(context, reply)) return;
    struct block_tag tag = tag_of_hash(reply, params[0]);
    answer_count(context, reply, &tag, true);
}

/* ---- transactions ---- */

static struct tx decode_own(struct session *s, struct bytes wire)
{
    struct tx t = {0};
    if (tx_decode(&t, session_arena(s), wire) != OK) fatal("decoding a stored transaction");
    return t;
}

static void answer_tx_at(struct session *s, struct rpc_reply *reply, const struct block_tag *tag,
                         const json_t *index_param)
{
    struct stored_block b;
    uint64_t index = read_quantity(reply, index_param, "index");
    if (!load(s, &b, reply, tag)) return;
    if (index >= b.block.tx_count) {
        rpc_result(reply, json_null());
        return;
    }
    struct bytes wire = b.block.txs[index];
    struct hash hash = tx_hash_of_wire(wire);
    struct tx t = decode_own(s, wire);
    rpc_result(reply, json_of_tx(&t, &hash, &b.ref, index));
}

void rpc_tx_by_block_number(void *context, struct rpc_reply *reply, json_t *const *params)
{
    if (!session_begin(context, reply)) return;
    struct block_tag tag = read_tag(reply, params[0]);
    answer_tx_at(context, reply, &tag, params[1]);
}

void rpc_tx_by_block_hash(void *context, struct rpc_reply *reply, json_t *const *params)
{
    if (!session_begin(context, reply)) return;
    struct block_tag tag = tag_of_hash(reply, params[0]);
    answer_tx_at(context, reply, &tag, params[1]);
}

static json_t *waiting_tx(struct session *s, const struct hash *hash)
{
    struct buffer wire = {0};
    json_t *out = json_null();
    if (pool_find(session_shared(s)->pool, &wire, hash)) {
        struct tx t = decode_own(s, buffer_bytes(&wire));
        out = json_of_tx(&t, hash, NULL, 0);
    }
    buffer_finish(&wire);
    return out;
}

void rpc_tx_by_hash(void *context, struct rpc_reply *reply, json_t *const *params)
{
    struct session *s = context;
    struct tx_location at;
    struct stored_block b;
    if (!session_begin(s, reply)) return;
    struct hash hash = read_hash(reply, params[0], "transaction hash");
    if (rpc_failed(reply)) return;
    if (!store_transaction(session_snapshot(s), &hash, &at)) {
        rpc_result(reply, waiting_tx(s, &hash));
        return;
    }
    session_block(s, &b, at.number);
    assert(at.index < b.block.tx_count);
    struct tx t = decode_own(s, b.block.txs[at.index]);
    rpc_result(reply, json_of_tx(&t, &hash, &b.ref, at.index));
}

/* ---- receipts ---- */

static json_t *receipt_at(struct session *s, const struct stored_block *b,
                          const struct receipt *receipts, size_t index)
{
    struct log_place place = {.block = &b->ref, .tx_index = index};
    uint64_t previous = index > 0 ? receipts[index - 1].cumulative_gas_used : 0;
    place.tx_hash = tx_hash_of_wire(b->block.txs[index]);
    for (size_t i = 0; i < index; i++)
        place.log_index += receipts[i].log_count;
    struct tx t = decode_own(s, b->block.txs[index]);
    return json_of_receipt(&receipts[index], &t, &place, previous);
}

void rpc_receipt(void *context, struct rpc_reply *reply, json_t *const *params)
{
    struct session *s = context;
    struct tx_location at;
    struct stored_block b;
    if (!session_begin(s, reply)) return;
    struct hash hash = read_hash(reply, params[0], "transaction hash");
    if (rpc_failed(reply)) return;
    if (!store_transaction(session_snapshot(s), &hash, &at)) {
        rpc_result(reply, json_null());
        return;
    }
    session_block(s, &b, at.number);
    assert(at.index < b.block.tx_count);
    rpc_result(reply, receipt_at(s, &b, session_receipts(s, &b), at.index));
}

void rpc_block_receipts(void *context, struct rpc_reply *reply, json_t *const *params)
{
    struct session *s = context;
    struct stored_block b;
    if (!session_begin(s, reply)) return;
    struct block_tag tag = read_tag(reply, params[0]);
    if (!load(s, &b, reply, &tag)) return;
    const struct receipt *receipts = session_receipts(s, &b);
    json_t *list = json_array();
    for (size_t i = 0; i < b.block.tx_count; i++)
        json_array_append_new(list, receipt_at(s, &b, receipts, i));
    rpc_result(reply, list);
}

/* ---- fees ---- */

static void answer_fee(struct session *s, struct rpc_reply *reply, bool with_base)
{
    struct u256 fee = u256_from_u64(RPC_TIP_WEI);
    if (with_base) fee = u256_add(fee, pool_base_fee(session_shared(s)->pool));
    rpc_result(reply, json_quantity_u256(fee));
}

void rpc_gas_price(void *context, struct rpc_reply *reply, json_t *const *params)
{
    (void)params;
    answer_fee(context, reply, true);
}

void rpc_max_priority_fee(void *context, struct rpc_reply *reply, json_t *const *params)
{
    (void)params;
    answer_fee(context, reply, false);
}

struct tip {
    struct u256 wei;
    uint64_t gas;
};

static int by_wei(const void *a, const void *b)
{
    return u256_compare(((const struct tip *)a)->wei, ((const struct tip *)b)->wei);
}

/* The tips at the given percentiles of the block's gas (as geth's oracle does). */
static json_t *block_rewards(struct session *s, const struct stored_block *b,
                             const double *percentiles, size_t count)
{
    size_t tx_count = b->block.tx_count;
    const struct receipt *receipts = session_receipts(s, b);
    struct tip *tips = arena_alloc(session_arena(s), (tx_count + 1) * sizeof *tips);
    json_t *out = json_array();
    uint64_t before = 0;
    for (size_t i = 0; i < tx_count; i++) {
        struct tx t = decode_own(s, b->block.txs[i]);
        tips[i] =
            (struct tip){tx_tip(&t, b->ref.base_fee), receipts[i].cumulative_gas_used - before};
        before = receipts[i].cumulative_gas_used;
    }
    qsort(tips, tx_count, sizeof *tips, by_wei);
    size_t at = 0;
    uint64_t sum = tx_count > 0 ? tips[0].gas : 0;
    for (size_t p = 0; p < count; p++) {
        uint64_t want = (uint64_t)((double)b->block.header.gas_used * percentiles[p] / 100);
        while (at + 1 < tx_count && sum < want)
            sum += tips[++at].gas;
        json_array_append_new(out,
                              json_quantity_u256(tx_count > 0 ? tips[at].wei : u256_from_u64(0)));
    }
    return out;
}

static size_t read_percentiles(struct rpc_reply *reply, double out[RPC_PERCENTILES_MAX],
                               const json_t *list)
{
    size_t count = json_array_size(list);
    if (list != NULL && (!json_is_array(list) || count > RPC_PERCENTILES_MAX)) {
        rpc_error(reply, RPC_INVALID_PARAMS, "want an array of at most %d reward percentiles",
                  RPC_PERCENTILES_MAX);
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        out[i] = json_number_value(json_array_get(list, i));
        bool order = i == 0 || out[i] >= out[i - 1];
        if (!order || !(out[i] >= 0 && out[i] <= 100))
            rpc_error(reply, RPC_REFUSED, "invalid reward percentile: %f", out[i]);
    }
    return count;
}

static void fill_history(struct session *s, json_t *out, uint64_t first, uint64_t last,
                         const double *percentiles, size_t percentile_count)
{
    const volatile int *stop = session_stop(s);
    json_t *fees = json_array();
    json_t *ratios = json_array();
    json_t *rewards = json_array();
    struct stored_block b = {0};
    for (uint64_t n = first; n <= last && *stop == 0; n++) {
        session_forget(s);
        session_block(s, &b, n);
        const struct header *h = &b.block.header;
        json_array_append_new(fees, json_quantity_u256(h->base_fee));
        json_array_append_new(ratios, json_real((double)h->gas_used / (double)h->gas_limit));
        if (percentile_count > 0)
            json_array_append_new(rewards, block_rewards(s, &b, percentiles, percentile_count));
    }
    struct u256 next = block_next_base_fee(session_shared(s)->config, &b.block.header);
    json_array_append_new(fees, json_quantity_u256(next));
    json_object_set_new(out, "oldestBlock", json_quantity(first));
    json_object_set_new(out, "baseFeePerGas", fees);
    json_object_set_new(out, "gasUsedRatio", ratios);
    if (percentile_count > 0) json_object_set(out, "reward", rewards);
    json_decref(rewards);
}

/* Some clients send the count as a JSON number. */
static uint64_t read_count(struct rpc_reply *reply, const json_t *value)
{
    if (json_is_integer(value) && json_integer_value(value) >= 0)
        return (uint64_t)json_integer_value(value);
    return read_quantity(reply, value, "block count");
}

void rpc_fee_history(void *context, struct rpc_reply *reply, json_t *const *params)
{
    struct session *s = context;
    double percentiles[RPC_PERCENTILES_MAX];
    uint64_t last = 0;
    if (!session_begin(s, reply)) return;
    uint64_t count = read_count(reply, params[0]);
    struct block_tag tag = read_tag(reply, params[1]);
    size_t percentile_count = read_percentiles(reply, percentiles, params[2]);
    if (rpc_failed(reply)) return;
    if (!session_find(s, &last, &tag)) {
        rpc_error(reply, RPC_REFUSED, "request beyond head block: requested %llu, head %llu",
                  (unsigned long long)tag.number, (unsigned long long)session_head(s)->number);
        return;
    }
    if (count == 0) count = 1;
    if (count > RPC_FEE_HISTORY_MAX) count = RPC_FEE_HISTORY_MAX;
    if (count > last + 1) count = last + 1;
    json_t *out = json_object();
    fill_history(s, out, last + 1 - count, last, percentiles, percentile_count);
    rpc_result(reply, out);
    if (*session_stop(s) != 0) rpc_error(reply, RPC_TIMEOUT, "request timed out");
}
