#include "chain/build.h"

#include "base/fatal.h"
#include "base/hex.h"
#include "chain/authorize.h"
#include "chain/history.h"
#include "chain/system.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TX_GAS_MIN 21000

/* ---- executed blocks ---- */

struct executed *executed_create(const struct state_base *base, struct layer *parent)
{
    struct executed *e = must_alloc(sizeof *e);
    e->holders = 1;
    e->layer = layer_create(base, parent);
    e->record = arena_alloc(&e->arena, sizeof *e->record);
    return e;
}

struct executed *executed_retain(struct executed *e)
{
    assert(e->holders > 0);
    e->holders++;
    return e;
}

void executed_release(struct executed *e)
{
    if (e == NULL) return;
    assert(e->holders > 0);
    if (--e->holders > 0) return;
    layer_release(e->layer);
    arena_finish(&e->arena);
    free(e);
}

void executed_keep_logs(struct executed *e, const struct tx_outcome *o)
{
    if (o->log_count == 0) return;
    size_t count = e->system_log_count + o->log_count;
    struct log_entry *all = arena_alloc(&e->arena, count * sizeof *all);
    if (e->system_log_count > 0) {
        memcpy(all, e->system_logs, e->system_log_count * sizeof *all);
    }
    memcpy(all + e->system_log_count, o->logs, o->log_count * sizeof *all);
    e->system_logs = all;
    e->system_log_count = count;
}

struct mempool_account pool_account(struct layer *l, const struct address *a)
{
    struct account account = layer_account(l, a);
    bool delegated = account_has_code(&account) && layer_is_delegated(l, a);
    return (struct mempool_account){.nonce = account.nonce,
                                    .balance_wei = account.balance,
                                    .has_code = account_has_code(&account) && !delegated,
                                    .is_delegated = delegated};
}

struct u256 block_next_base_fee(const struct chain_config *config, const struct header *parent)
{
    return header_next_base_fee(parent, config_base_fee_denominator(config));
}

/* ---- one block under execution, for build and verify alike ---- */

struct run {
    const struct chain_config *config;
    const struct block_parent *parent;
    struct executed *e;
    struct execution x;
    struct arena scratch; /* one decoded transaction */
    struct bytes *wires;
    size_t wires_bytes;
    size_t capacity; /* transactions */
};

static bool ancestor_hash(void *context, uint64_t number, struct hash *out)
{
    const struct block_parent *p = context;
    if (number == p->header->number) {
        *out = *p->hash;
        return true;
    }
    return p->ancestry.hash != NULL && p->ancestry.hash(p->ancestry.context, number, out);
}

/* `header` has all fields that do not come out of the execution. */
static void run_begin(struct run *r, const struct chain_config *config, struct evm *evm,
                      const struct block_parent *parent, const struct header *header)
{
    uint64_t most = header->gas_limit / TX_GAS_MIN + 1;
    struct ancestry ancestry = {NULL, ancestor_hash};
    *r = (struct run){.config = config, .parent = parent};
    r->e = executed_create(parent->base, parent->layer);
    r->e->block.header = *header;
    *r->e->record = *parent->record;
    r->capacity = most < BLOCK_TXS_MAX ? (size_t)most : BLOCK_TXS_MAX;
    struct arena *arena = &r->e->arena;
    r->wires = arena_alloc(arena, r->capacity * sizeof *r->wires);
    r->e->block.txs = r->wires;
    r->e->receipts = arena_alloc(arena, r->capacity * sizeof *r->e->receipts);
    r->e->outcomes = arena_alloc(arena, r->capacity * sizeof *r->e->outcomes);
    r->e->tx_hashes = arena_alloc(arena, r->capacity * sizeof *r->e->tx_hashes);
    r->e->senders = arena_alloc(arena, r->capacity * sizeof *r->e->senders);
    execution_init(&r->x, evm, r->e->layer, config, &r->e->block.header);
    memcpy(&ancestry.context, &parent, sizeof ancestry.context); /* only read */
    execution_set_ancestry(&r->x, &ancestry);
    history_record(&r->x, parent->hash);
}

static void keep_transaction(struct run *r, const struct tx *t, const struct tx_outcome *o)
{
    struct executed *e = r->e;
    size_t at = e->block.tx_count;
    struct receipt *receipt = &e->receipts[at];
    receipt->type = t->type;
    receipt->succeeded = o->result == EVM_SUCCESS;
    receipt->cumulative_gas_used = e->block.header.gas_limit - r->x.gas_left;
    receipt->logs = o->logs;
    receipt->log_count = o->log_count;
    receipt_set_bloom(receipt);
    e->outcomes[at] = *o;
    e->outcomes[at].output = (struct bytes){0};
}

/* `sender` and `hash` NULL: found out here. */
static enum tx_reason run_transaction(struct run *r, struct bytes wire,
                                      const struct address *sender, const struct hash *hash)
{
    struct tx t;
    struct tx_outcome o;
    struct executed *e = r->e;
    size_t at = e->block.tx_count;
    if (at == r->capacity) return TX_BLOCK_GAS_USED_UP;
    arena_reset(&r->scratch);
    enum status status = tx_decode(&t, &r->scratch, wire);
    if (status != OK) return tx_reason_of_decoding(status, wire);
    if (sender != NULL) {
        e->senders[at] = *sender;
    } else if (tx_sender(&e->senders[at], &t) != OK) {
        return TX_BAD_SIGNATURE;
    }
    enum tx_reason reason = execute_transaction(&r->x, &o, &t, &e->senders[at]);
    if (reason != TX_FINE) return reason;
    e->tx_hashes[at] = hash != NULL ? *hash : tx_hash_of_wire(wire);
    r->wires[at] = arena_copy(&e->arena, wire);
    r->wires_bytes += wire.size;
    keep_transaction(r, &t, &o);
    e->block.tx_count++;
    return TX_FINE;
}

/* True and *set filled, or false: the old set stays. */
static bool read_next_set(struct run *r, struct validator_set *set)
{
    struct tx_outcome o;
    system_end_epoch(&r->x, &o, r->e->record);
    executed_keep_logs(r->e, &o);
    return o.result == EVM_SUCCESS && system_next_set(&r->x, set);
}

static void turn_epoch(struct run *r)
{
    struct executed *e = r->e;
    struct header *h = &e->block.header;
    struct validator_set *set = must_alloc(sizeof *set);
    bool turned = read_next_set(r, set) && epoch_record_turn(e->record, set, r->config, h);
    if (!turned) {
        bool kept = epoch_record_turn(e->record, NULL, r->config, h);
        assert(kept);
        (void)kept;
        e->turn_failed = true;
    }
    h->extra.next_validators_hash = e->record->validators_hash;
    free(set);
}

static void run_system_calls(struct run *r)
{
    struct tx_outcome o;
    system_tick(&r->x, &o);
    r->e->tick_failed = o.result != EVM_SUCCESS;
    executed_keep_logs(r->e, &o);
    if (config_is_boundary(r->config, r->e->block.header.number)) turn_epoch(r);
}

/* Fills in the header's outcome fields; the run is over. */
static void run_finish(struct run *r)
{
    struct executed *e = r->e;
    struct header *h = &e->block.header;
    h->gas_used = h->gas_limit - r->x.gas_left;
    memset(&h->logs_bloom, 0, sizeof h->logs_bloom);
    for (size_t i = 0; i < e->block.tx_count; i++) {
        bloom_merge(&h->logs_bloom, &e->receipts[i].bloom);
    }
    h->receipts_root = receipts_root(e->receipts, e->block.tx_count);
    h->tx_root = block_tx_root(e->block.txs, e->block.tx_count);
    h->extra.next_validators_hash = (struct hash){{0}};
    epoch_record_apply(e->record, h);
    run_system_calls(r);
    h->state_root = layer_seal(e->layer);
    e->hash = header_hash(h);
    if (config_is_boundary(r->config, h->number)) e->record->epoch.start_block = e->hash;
    arena_finish(&r->scratch);
}

static void run_abandon(struct run *r)
{
    arena_finish(&r->scratch);
    executed_release(r->e);
}

/* ---- verify ---- */

static const char *check_header(const struct chain_config *config,
                                const struct block_parent *parent, const struct header *h)
{
    struct u256 base_fee = block_next_base_fee(config, parent->header);
    if (!hash_equal(&h->parent_hash, parent->hash)) return "the parent hash differs";
    if (h->number != parent->header->number + 1) return "the number does not follow";
    if (h->timestamp_s < parent->header->timestamp_s) return "the time is before the parent's";
    if (h->gas_limit != config->gas_limit) return "the gas limit is not the network's";
    if (!u256_equal(h->base_fee, base_fee)) return "the base fee differs";
    return epoch_record_check(parent->record, &parent->header->mix_hash, h);
}

static enum status refuse(char error[BLOCK_ERROR_SIZE], const struct block *block, const char *why)
{
    snprintf(error, BLOCK_ERROR_SIZE, "block %llu: %s", (unsigned long long)block->header.number,
             why);
    return E_MALFORMED;
}

static enum status refuse_root(char error[BLOCK_ERROR_SIZE], const char *what,
                               const struct hash *claimed, const struct hash *computed)
{
    char a[67], b[67];
    hash_to_text(a, claimed);
    hash_to_text(b, computed);
    snprintf(error, BLOCK_ERROR_SIZE, "%s: header says %s, execution gives %s", what, a, b);
    return E_MALFORMED;
}

static enum status compare(char error[BLOCK_ERROR_SIZE], const struct block *block,
                           const struct header *computed)
{
    const struct header *h = &block->header;
    if (h->gas_used != computed->gas_used) {
        snprintf(error, BLOCK_ERROR_SIZE, "gas used: header says %llu, execution gives %llu",
                 (unsigned long long)h->gas_used, (unsigned long long)computed->gas_used);
        return E_MALFORMED;
    }
    if (!hash_equal(&h->state_root, &computed->state_root)) {
        return refuse_root(error, "state root", &h->state_root, &computed->state_root);
    }
    if (!hash_equal(&h->receipts_root, &computed->receipts_root)) {
        return refuse_root(error, "receipts root", &h->receipts_root, &computed->receipts_root);
    }
    if (!hash_equal(&h->extra.next_validators_hash, &computed->extra.next_validators_hash)) {
        return refuse_root(error, "next validators hash", &h->extra.next_validators_hash,
                           &computed->extra.next_validators_hash);
    }
    if (memcmp(&h->logs_bloom, &computed->logs_bloom, sizeof h->logs_bloom) != 0) {
        return refuse(error, block, "the logs bloom differs");
    }
    return OK;
}

static enum status run_all(struct run *r, char error[BLOCK_ERROR_SIZE], const struct block *block)
{
    const struct block_parent *p = r->parent;
    for (size_t i = 0; i < block->tx_count; i++) {
        bool known = p->senders != NULL && !address_is_zero(&p->senders[i]);
        enum tx_reason reason = run_transaction(r, block->txs[i], known ? &p->senders[i] : NULL,
                                                p->tx_hashes != NULL ? &p->tx_hashes[i] : NULL);
        if (reason == TX_FINE) continue;
        snprintf(error, BLOCK_ERROR_SIZE, "transaction %zu: %s", i, tx_reason_text(reason));
        return E_MALFORMED;
    }
    run_finish(r);
    return compare(error, block, &r->e->block.header);
}

enum status block_verify(struct executed **out, char error[BLOCK_ERROR_SIZE],
                         const struct chain_config *config, struct evm *evm,
                         const struct block_parent *parent, const struct block *block)
{
    struct run r;
    const char *wrong = check_header(config, parent, &block->header);
    if (wrong != NULL) return refuse(error, block, wrong);
    if (block_check_body(block) != OK)
        return refuse(error, block, "the transactions' root differs");
    run_begin(&r, config, evm, parent, &block->header);
    if (run_all(&r, error, block) != OK) {
        run_abandon(&r);
        return E_MALFORMED;
    }
    struct hash claimed = block_hash(block);
    assert(hash_equal(&claimed, &r.e->hash)); /* every field was compared */
    *out = r.e;
    return OK;
}

/* ---- build ---- */

static struct header plan_header(const struct chain_config *config,
                                 const struct block_parent *parent, const struct block_plan *plan)
{
    const struct epoch_record *record = parent->record;
    const struct header *p = parent->header;
    struct header h = {
        .parent_hash = *parent->hash,
        .number = p->number + 1,
        .gas_limit = config->gas_limit,
        .timestamp_s = plan->timestamp_s > p->timestamp_s ? plan->timestamp_s : p->timestamp_s,
        .mix_hash = randomness_next(&p->mix_hash, &plan->reveal),
        .base_fee = block_next_base_fee(config, p),
        .extra = {.version = HEADER_VERSION,
                  .epoch = record->epoch.number,
                  .view = plan->view,
                  .parent_view = plan->parent_view,
                  .validators_hash = record->validators_hash,
                  .reveal = plan->reveal},
    };
    uint32_t leader = epoch_record_leader(record, plan->view);
    h.coinbase = record->epoch.validators[leader].operator_address;
    return h;
}

/* Will not become possible by waiting. */
static bool is_hopeless(enum tx_reason reason)
{
    return reason != TX_BLOCK_GAS_USED_UP && reason != TX_FEE_BELOW_BASE &&
           reason != TX_NONCE_TOO_LOW && reason != TX_NONCE_TOO_HIGH && reason != TX_FUNDS;
}

static void fill(struct run *r, struct mempool_pick *pick, size_t size_bytes_max,
                 struct buffer *drop)
{
    const struct mempool_tx *t;
    while (r->x.gas_left >= TX_GAS_MIN && (t = mempool_pick_next(pick)) != NULL) {
        size_t size = block_size_bound(r->wires_bytes + t->wire.size, r->e->block.tx_count + 1);
        if (size > size_bytes_max || r->e->block.tx_count == r->capacity) {
            mempool_pick_skip_sender(pick);
            continue;
        }
        enum tx_reason reason = run_transaction(r, t->wire, &t->sender, &t->hash);
        if (reason == TX_FINE) continue;
        if (drop != NULL && is_hopeless(reason)) buffer_append(drop, hash_bytes(&t->hash));
        mempool_pick_skip_sender(pick);
    }
}

struct executed *block_build(const struct chain_config *config, struct evm *evm,
                             const struct block_parent *parent, const struct block_plan *plan,
                             struct mempool_pick *pick, struct buffer *drop)
{
    struct run r;
    struct header h = plan_header(config, parent, plan);
    size_t size_max = plan->size_bytes_max == 0 ? BLOCK_SIZE_MAX : plan->size_bytes_max;
    const char *wrong = epoch_record_check(parent->record, &parent->header->mix_hash, &h);
    if (wrong != NULL) fatal("building block %llu: %s", (unsigned long long)h.number, wrong);
    run_begin(&r, config, evm, parent, &h);
    if (pick != NULL) fill(&r, pick, size_max, drop);
    run_finish(&r);
    return r.e;
}
