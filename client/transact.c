#include "client/transact.h"

#include "base/fatal.h"
#include "base/hex.h"
#include "base/units.h"
#include "client/abi.h"
#include "client/contracts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define WAIT_DEFAULT_MS 120000u
#define POLL_FIRST_MS   50u
#define POLL_LONGEST_MS 400u
#define CHECK_EVERY_MS  3000u /* is the transaction still known? */
#define SENT_MAX        8     /* versions of one transaction with growing fees */
#define NONCE_TRIES_MAX 4
#define GWEI            1000000000u

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void sleep_ms(uint32_t length_ms)
{
    struct timespec t = {length_ms / 1000, (long)(length_ms % 1000) * 1000000L};
    nanosleep(&t, NULL);
}

void tx_receipt_finish(struct tx_receipt *r)
{
    json_decref(r->logs);
    *r = (struct tx_receipt){0};
}

enum status sender_init(struct sender *s, struct rpc *rpc, const struct key *key)
{
    uint64_t chain_id = 0;
    enum status status = rpc_call_u64(rpc, &chain_id, "eth_chainId", NULL);
    if (status != OK) return status;
    *s =
        (struct sender){.rpc = rpc, .key = *key, .address = key_address(key), .chain_id = chain_id};
    return OK;
}

void sender_finish(struct sender *s)
{
    key_finish(&s->key);
}

static uint64_t quantity_u64(const json_t *object, const char *key)
{
    struct u256 n;
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL || u256_from_quantity(&n, bytes_of_text(text)) != OK) return 0;
    return u256_to_u64_saturating(n);
}

static struct u256 quantity_u256(const json_t *object, const char *key)
{
    struct u256 n = u256_from_u64(0);
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL || u256_from_quantity(&n, bytes_of_text(text)) != OK) return u256_from_u64(0);
    return n;
}

enum status tx_find_receipt(struct rpc *r, struct tx_receipt *out, const struct hash *hash)
{
    json_t *answer = NULL;
    enum status status =
        rpc_call(r, &answer, "eth_getTransactionReceipt", json_pack("[o]", abi_hash(hash)));
    if (status != OK) return status;
    if (!json_is_object(answer)) {
        json_decref(answer);
        rpc_set_problem(r, "no finalized block holds this transaction");
        return E_NOT_FOUND;
    }
    json_t *logs = json_object_get(answer, "logs");
    *out = (struct tx_receipt){
        .hash = *hash,
        .block_hash = abi_get_hash(answer, "blockHash"),
        .block_number = quantity_u64(answer, "blockNumber"),
        .gas_used = quantity_u64(answer, "gasUsed"),
        .gas_price = quantity_u256(answer, "effectiveGasPrice"),
        .success = quantity_u64(answer, "status") == 1,
        .logs = json_is_array(logs) ? json_incref(logs) : json_array(),
    };
    json_decref(answer);
    return OK;
}

/* The call object of eth_call and eth_estimateGas. */
static json_t *call_object(const struct sender *s, const struct tx_request *q)
{
    char value[67];
    u256_to_quantity(value, q->value);
    json_t *call = json_pack("{s:o,s:s,s:o}", "from", abi_address(&s->address), "value", value,
                             "data", abi_bytes(q->data));
    if (call == NULL) fatal("writing a call object");
    if (!q->creates) json_object_set_new(call, "to", abi_address(&q->to));
    return call;
}

static enum status estimate_gas(struct sender *s, uint64_t *out, const struct tx_request *q)
{
    if (q->gas_limit != 0) {
        *out = q->gas_limit;
        return OK;
    }
    uint64_t gas = 0;
    enum status status =
        rpc_call_u64(s->rpc, &gas, "eth_estimateGas", json_pack("[o]", call_object(s, q)));
    if (status == E_DENIED) contract_explain(s->rpc);
    if (status != OK) return status;
    *out = gas == 21000 ? gas : gas + gas / 4 + s->gas_extra;
    return OK;
}

static enum status base_fee(struct rpc *r, struct u256 *out)
{
    json_t *block = NULL;
    enum status status =
        rpc_call(r, &block, "eth_getBlockByNumber", json_pack("[s,b]", "latest", 0));
    if (status != OK) return status;
    *out = quantity_u256(block, "baseFeePerGas");
    json_decref(block);
    return OK;
}

static enum status ask_fees(struct sender *s, struct tx *tx, const struct tx_request *q)
{
    struct u256 base;
    enum status status = base_fee(s->rpc, &base);
    if (status != OK) return status;
    struct u256 tip;
    status = rpc_call_u256(s->rpc, &tip, "eth_maxPriorityFeePerGas", NULL);
    if (status == E_DENIED) tip = u256_from_u64(GWEI); /* a node without that method */
    if (status != OK && status != E_DENIED) return status;
    tx->max_priority_fee = tip;
    tx->max_fee = u256_add(u256_add(base, base), tip);
    if (!u256_is_zero(q->max_fee)) tx->max_fee = q->max_fee;
    if (u256_compare(tx->max_priority_fee, tx->max_fee) > 0) tx->max_priority_fee = tx->max_fee;
    return OK;
}

static enum status ask_nonce(struct sender *s, uint64_t *out)
{
    uint64_t nonce = 0;
    enum status status = rpc_call_u64(s->rpc, &nonce, "eth_getTransactionCount",
                                      json_pack("[o,s]", abi_address(&s->address), "pending"));
    if (status != OK) return status;
    *out = nonce > s->next_nonce ? nonce : s->next_nonce;
    return OK;
}

/* One transaction under way, in all the versions that were sent. */
struct flight {
    struct sender *sender;
    const struct tx_request *request;
    struct tx tx;
    struct buffer raw; /* the newest version, signed */
    struct hash hashes[SENT_MAX];
    size_t hash_count;
    const char *sent_to; /* the node's URL */
};

static void sign_version(struct flight *f)
{
    assert(f->hash_count < SENT_MAX);
    buffer_clear(&f->raw);
    tx_sign(&f->raw, &f->hashes[f->hash_count++], &f->tx, &f->sender->key);
}

static const struct hash *newest(const struct flight *f)
{
    assert(f->hash_count > 0);
    return &f->hashes[f->hash_count - 1];
}

static struct u256 raised(struct u256 fee)
{
    return u256_add(u256_add(fee, u256_shr(fee, 3)), u256_from_u64(1));
}

static void raise_fees(struct flight *f)
{
    f->tx.max_fee = raised(f->tx.max_fee);
    f->tx.max_priority_fee = raised(f->tx.max_priority_fee);
}

static bool message_has(const struct rpc *r, const char *words)
{
    return strcasestr(rpc_error(r)->message, words) != NULL;
}

/* OK also when the node has it already. E_STATE: its nonce is used. E_RANGE: underpriced beside
 * another of the same nonce. */
static enum status send_raw(struct flight *f)
{
    struct rpc *r = f->sender->rpc;
    json_t *answer = NULL;
    enum status status = rpc_call(r, &answer, "eth_sendRawTransaction",
                                  json_pack("[o]", abi_bytes(buffer_bytes(&f->raw))));
    json_decref(answer);
    f->sent_to = rpc_url(r);
    if (status != E_DENIED) return status;
    if (message_has(r, "already known") || message_has(r, "known transaction")) return OK;
    if (message_has(r, "nonce too low")) return E_STATE;
    if (message_has(r, "replacement transaction underpriced")) return E_RANGE;
    contract_explain(r);
    return E_DENIED;
}

static enum status find_any_receipt(struct flight *f, struct tx_receipt *out)
{
    for (size_t i = f->hash_count; i-- > 0;) {
        enum status status = tx_find_receipt(f->sender->rpc, out, &f->hashes[i]);
        if (status != E_NOT_FOUND) return status;
    }
    return E_NOT_FOUND;
}

static void tell_sent(struct flight *f)
{
    if (f->sender->on_sent != NULL) f->sender->on_sent(f->sender->context, newest(f));
}

/* Signs with the next nonce and sends; tries again when somebody else used that nonce. */
static enum status launch(struct flight *f)
{
    enum status status = E_STATE;
    for (int i = 0; i < NONCE_TRIES_MAX; i++) {
        status = ask_nonce(f->sender, &f->tx.nonce);
        if (status != OK) return status;
        f->hash_count = 0;
        sign_version(f);
        status = send_raw(f);
        if (status == E_RANGE) raise_fees(f);
        if (status != E_STATE && status != E_RANGE) break;
    }
    if (status == OK) tell_sent(f);
    if (status == E_RANGE) status = E_STATE;
    return status;
}

static bool node_knows(struct flight *f)
{
    json_t *answer = NULL;
    enum status status = rpc_call(f->sender->rpc, &answer, "eth_getTransactionByHash",
                                  json_pack("[o]", abi_hash(newest(f))));
    bool known = status != OK || json_is_object(answer);
    json_decref(answer);
    return known;
}

static bool priced_out(struct flight *f)
{
    struct u256 base;
    if (base_fee(f->sender->rpc, &base) != OK) return false;
    return u256_compare(base, f->tx.max_fee) > 0;
}

/* Called now and then while there is no receipt: sends again what a node has forgotten, and
 * raises what has become too cheap. E_STATE: replaced by another transaction. */
static enum status look_after(struct flight *f)
{
    enum status status = OK;
    if (priced_out(f) && f->hash_count < SENT_MAX && u256_is_zero(f->request->max_fee)) {
        raise_fees(f);
        sign_version(f);
        status = send_raw(f);
        if (status == OK) tell_sent(f);
    } else if (!node_knows(f)) {
        status = send_raw(f);
    }
    if (status != E_STATE) return OK;
    struct tx_receipt receipt = {0};
    status = find_any_receipt(f, &receipt); /* it may have become final just now */
    tx_receipt_finish(&receipt);
    if (status != E_NOT_FOUND) return OK;
    rpc_set_problem(f->sender->rpc, "another transaction of this account took nonce %llu",
                    (unsigned long long)f->tx.nonce);
    return E_STATE;
}

static enum status await_receipt(struct flight *f, struct tx_receipt *out)
{
    uint32_t wait_ms = f->sender->wait_ms != 0 ? f->sender->wait_ms : WAIT_DEFAULT_MS;
    uint64_t deadline = now_ms() + wait_ms;
    uint64_t check_at = now_ms() + CHECK_EVERY_MS;
    for (uint32_t poll = POLL_FIRST_MS;;) {
        enum status status = find_any_receipt(f, out);
        if (status == OK || status == E_STATE) return status;
        if (rpc_stopped(f->sender->rpc)) return E_STATE;
        if (now_ms() >= deadline) break;
        bool elsewhere = rpc_url(f->sender->rpc) != f->sent_to;
        if (elsewhere || now_ms() >= check_at) {
            f->sent_to = rpc_url(f->sender->rpc);
            if (look_after(f) == E_STATE) return E_STATE;
            check_at = now_ms() + CHECK_EVERY_MS;
        }
        sleep_ms(poll);
        poll = poll * 2 < POLL_LONGEST_MS ? poll * 2 : POLL_LONGEST_MS;
    }
    out->hash = *newest(f);
    rpc_set_problem(f->sender->rpc, "the transaction is not final after %u s", wait_ms / 1000);
    return E_TIMEOUT;
}

/* Runs the call again as it stood before its block, for the reason of a revert. */
static void explain_failure(struct flight *f, const struct tx_receipt *receipt)
{
    struct rpc *r = f->sender->rpc;
    const char *blocks[2] = {NULL, "latest"};
    char before[67];
    u256_to_quantity(before, u256_from_u64(receipt->block_number - 1));
    blocks[0] = before;
    for (int i = 0; i < 2; i++) {
        json_t *answer = NULL;
        enum status status =
            rpc_call(r, &answer, "eth_call",
                     json_pack("[o,s]", call_object(f->sender, f->request), blocks[i]));
        json_decref(answer);
        if (status == E_DENIED && rpc_error(r)->data_size > 0) {
            contract_explain(r);
            return;
        }
    }
    rpc_set_revert_name(r, "");
    rpc_set_problem(r, "the transaction was reverted in block %llu",
                    (unsigned long long)receipt->block_number);
}

enum status sender_send(struct sender *s, struct tx_receipt *out, const struct tx_request *q)
{
    assert(out != NULL && (!q->creates || address_is_zero(&q->to)));
    struct flight f = {.sender = s, .request = q};
    f.tx = (struct tx){.chain_id = s->chain_id,
                       .to = q->to,
                       .creates = q->creates,
                       .value = q->value,
                       .data = q->data};
    *out = (struct tx_receipt){0};
    enum status status = estimate_gas(s, &f.tx.gas_limit, q);
    if (status == OK) status = ask_fees(s, &f.tx, q);
    if (status == OK) status = launch(&f);
    if (status == OK) status = await_receipt(&f, out);
    if (status == OK) {
        s->next_nonce = f.tx.nonce + 1;
        if (!out->success) {
            explain_failure(&f, out);
            status = E_DENIED;
        }
    }
    buffer_finish(&f.raw);
    return status;
}
