#include "node/reporter.h"

#include "base/fatal.h"
#include "base/hex.h"
#include "base/keccak.h"
#include "base/log.h"
#include "chain/system.h"

#include <stdlib.h>
#include <string.h>

#define VOTE_TUPLE   "(uint64,uint64,uint8,uint64,bytes32,bytes)"
#define SIGNATURE_AT 192 /* offset of the bytes within the tuple: behind its six words */
#define TUPLE_SIZE   320 /* six words, the length, and 65 bytes in three words */

struct report {
    bool used;
    uint64_t due_ms;
    struct evidence evidence;
};

struct reporter {
    struct ledger *ledger;
    struct pool *pool;
    const struct chain_config *config;
    bool active;
    struct key key;
    struct address address;
    struct report reports[REPORTS_MAX];
};

struct reporter *reporter_create(struct ledger *ledger, struct pool *pool,
                                 const struct chain_config *config, const struct key *key)
{
    struct reporter *r = must_alloc(sizeof *r);
    r->ledger = ledger;
    r->pool = pool;
    r->config = config;
    r->active = key != NULL;
    if (key != NULL) r->key = *key;
    if (key != NULL) r->address = key_address(key);
    return r;
}

void reporter_destroy(struct reporter *r)
{
    if (r == NULL) return;
    key_finish(&r->key);
    free(r);
}

/* ---- the call ---- */

static void put_word(struct buffer *out, uint64_t value)
{
    store_be64(buffer_extend(out, 32) + 24, value);
}

static void put_vote(struct buffer *out, const struct vote *v)
{
    put_word(out, v->epoch);
    put_word(out, v->view);
    put_word(out, (uint64_t)v->kind);
    put_word(out, v->parent_view);
    buffer_append(out, hash_bytes(&v->block));
    put_word(out, SIGNATURE_AT);
    put_word(out, sizeof v->signature.b);
    memcpy(buffer_extend(out, 96), v->signature.b, sizeof v->signature.b);
}

void report_encode(struct buffer *out, const struct evidence *e)
{
    struct hash selector = keccak256(bytes_of_text("slash(" VOTE_TUPLE "," VOTE_TUPLE ")"));
    buffer_append(out, bytes_of(selector.b, 4));
    put_word(out, 64);
    put_word(out, 64 + TUPLE_SIZE);
    put_vote(out, &e->first);
    put_vote(out, &e->second);
}

/* ---- sending ---- */

static struct tx make_tx(const struct reporter *r, struct bytes data, uint64_t gas)
{
    struct u256 tip = u256_from_u64(REPORT_TIP_WEI);
    struct u256 base_fee = pool_base_fee(r->pool);
    struct mempool_account account = ledger_account(r->ledger, &r->address);
    return (struct tx){
        .type = TX_DYNAMIC_FEE,
        .has_chain_id = true,
        .chain_id = r->config->chain_id,
        .nonce = pool_next_nonce(r->pool, &r->address, account.nonce),
        .gas_limit = gas,
        .max_fee_per_gas = u256_add(u256_add(base_fee, base_fee), tip),
        .max_priority_fee_per_gas = tip,
        .to = system_address(SYSTEM_Staking),
        .data = data,
    };
}

static void send_report(struct reporter *r, const struct report *report, struct bytes data,
                        uint64_t gas)
{
    struct tx tx = make_tx(r, data, gas);
    struct buffer wire = {0};
    struct hash hash;
    char text[67], from[43];
    tx_sign(&tx, &r->key);
    tx_encode(&wire, &tx);
    enum tx_reason reason = pool_submit(r->pool, &hash, buffer_bytes(&wire));
    hash_to_text(text, &hash);
    address_to_text(from, &r->address);
    if (reason == TX_FINE)
        log_info("evidence", "reported kind=E%d view=%llu signer=%u tx=%s",
                 (int)report->evidence.kind, (unsigned long long)report->evidence.first.view,
                 (unsigned)report->evidence.first.signer, text);
    else
        log_warn("evidence", "cannot report reason=\"%s\" account=%s: it needs money for gas",
                 tx_reason_text(reason), from);
    buffer_finish(&wire);
}

/* Runs it first: false when the contract has no more use for it. */
static bool would_pass(struct reporter *r, struct bytes data, uint64_t *gas)
{
    struct tx_outcome outcome = {0};
    struct call_request call = {.from = r->address,
                                .to = system_address(SYSTEM_Staking),
                                .data = data,
                                .gas_limit = REPORT_GAS_MAX};
    enum tx_reason reason = ledger_call(r->ledger, &outcome, &call);
    *gas = outcome.gas_used + outcome.gas_used / 4 + 50000; /* states differ a little */
    return reason == TX_FINE && outcome.result == EVM_SUCCESS;
}

static void act(struct reporter *r, struct report *report, uint64_t now_ms)
{
    struct buffer data = {0};
    uint64_t gas = 0;
    report_encode(&data, &report->evidence);
    report->used = would_pass(r, buffer_bytes(&data), &gas);
    report->due_ms = now_ms + REPORT_AGAIN_MS;
    if (report->used) send_report(r, report, buffer_bytes(&data), gas);
    buffer_finish(&data);
}

void reporter_turn(struct reporter *r, uint64_t now_ms)
{
    for (size_t i = 0; i < REPORTS_MAX; i++)
        if (r->reports[i].used && r->reports[i].due_ms <= now_ms) act(r, &r->reports[i], now_ms);
}

/* ---- collecting ---- */

/* How many members of the set have the first word before us. */
static uint64_t turns_before(const struct reporter *r, uint32_t accused)
{
    const struct epoch *e = &ledger_head(r->ledger)->record->epoch;
    uint32_t own = epoch_index_of(e, &r->address);
    uint32_t count = e->validator_count;
    if (own == count || accused >= count) return count;
    return (own + count - accused - 1) % count;
}

void reporter_add(struct reporter *r, const struct evidence *evidence, uint64_t now_ms)
{
    for (size_t i = 0; r->active && i < REPORTS_MAX; i++) {
        struct report *report = &r->reports[i];
        if (report->used) continue;
        uint64_t wait_ms = turns_before(r, evidence->first.signer) * REPORT_TURN_MS;
        *report = (struct report){true, now_ms + wait_ms, *evidence};
        return;
    }
}
