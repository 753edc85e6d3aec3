#include "node/ledger.h"

#include "base/fatal.h"
#include "base/hex.h"
#include "base/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANCESTORS 256 /* as far as BLOCKHASH looks back */

struct held {
    struct hash hash;
    struct ledger_place place;
    uint64_t timestamp_s;
    uint64_t arrived_ms;
    struct buffer bytes;
    struct executed *executed; /* NULL until then */
};

struct ledger {
    struct store *store;
    const struct chain_config *config;
    struct evm *evm;
    struct ledger_head head;
    struct layer *head_layer;
    ledger_senders senders; /* NULL: nobody knows any */
    void *senders_context;
    struct hash recent[ANCESTORS]; /* final hashes, by number % ANCESTORS */
    struct held *held[LEDGER_BLOCKS_MAX];
    size_t held_count;
    size_t held_bytes;
};

static struct held *find(const struct ledger *l, const struct hash *hash)
{
    for (size_t i = 0; i < l->held_count; i++)
        if (hash_equal(&l->held[i]->hash, hash)) return l->held[i];
    return NULL;
}

static void held_destroy(struct held *h)
{
    executed_release(h->executed);
    buffer_finish(&h->bytes);
    free(h);
}

static void drop_at(struct ledger *l, size_t index)
{
    l->held_bytes -= l->held[index]->bytes.size;
    held_destroy(l->held[index]);
    l->held[index] = l->held[--l->held_count];
}

/* ---- the store ---- */

static void load_recent(struct ledger *l, const struct store_snapshot *view, uint64_t number)
{
    uint64_t first = number < ANCESTORS ? 0 : number - ANCESTORS + 1;
    for (uint64_t n = first; n <= number; n++)
        if (!store_hash_of_number(view, n, &l->recent[n % ANCESTORS]))
            fatal("reading the hash of block %llu", (unsigned long long)n);
}

static void load_head(struct ledger *l, const struct store_head *stored)
{
    struct store_snapshot *view = store_snapshot_create(l->store);
    struct buffer record = {0}, bytes = {0};
    struct arena arena = {0};
    struct block block;
    l->head.hash = stored->hash;
    l->head.record = must_alloc(sizeof *l->head.record);
    if (!store_epoch_record(view, &record) ||
        epoch_record_decode(l->head.record, buffer_bytes(&record)) != OK)
        fatal("reading the epoch record of block %llu", (unsigned long long)stored->number);
    if (!store_block_by_number(view, stored->number, &bytes) ||
        block_decode(&block, &arena, buffer_bytes(&bytes)) != OK)
        fatal("reading block %llu", (unsigned long long)stored->number);
    l->head.header = block.header;
    load_recent(l, view, stored->number);
    buffer_finish(&record);
    buffer_finish(&bytes);
    arena_finish(&arena);
    store_snapshot_destroy(view);
    l->head_layer = layer_create(store_base(l->store), NULL);
    struct hash root = layer_seal(l->head_layer);
    if (!hash_equal(&root, &stored->state_root)) fatal("the stored state has another root");
    layer_settle(l->head_layer);
}

static void commit_genesis(struct ledger *l, const struct executed *genesis)
{
    struct store_write *w = store_write_create();
    store_write_executed(w, genesis, (struct bytes){0});
    store_commit(l->store, w);
    store_write_destroy(w);
}

static enum status check_genesis(const struct store *store, const struct hash *want, char *error)
{
    struct store_snapshot *view = store_snapshot_create((struct store *)(uintptr_t)store);
    struct hash have = {{0}};
    char have_text[67], want_text[67];
    bool found = store_hash_of_number(view, 0, &have);
    store_snapshot_destroy(view);
    if (found && hash_equal(&have, want)) return OK;
    hash_to_text(have_text, &have);
    hash_to_text(want_text, want);
    snprintf(error, LEDGER_ERROR_SIZE,
             "the data directory belongs to another network: its genesis block is %s, that of the "
             "genesis file is %s; use another --data-dir",
             have_text, want_text);
    return E_STATE;
}

enum status ledger_open(struct ledger **out, char error[LEDGER_ERROR_SIZE], struct store *store,
                        const struct genesis *genesis)
{
    struct state_base empty = state_base_empty();
    struct executed *first = NULL;
    struct store_head stored;
    char reason[JSON_ERROR_SIZE] = "";
    enum status status = genesis_execute(&first, reason, genesis, &empty);
    if (status != OK) {
        snprintf(error, LEDGER_ERROR_SIZE, "genesis: %s", reason);
        return status;
    }
    struct ledger *l = must_alloc(sizeof *l);
    l->store = store;
    l->config = &genesis->config;
    l->evm = evm_create(CHAIN_REVISION);
    if (!store_head(store, &stored)) {
        commit_genesis(l, first);
        if (!store_head(store, &stored)) fatal("reading the head just written");
    }
    status = check_genesis(store, &first->hash, error);
    executed_release(first);
    if (status == OK) {
        load_head(l, &stored);
        *out = l;
    } else {
        ledger_close(l);
    }
    return status;
}

void ledger_close(struct ledger *l)
{
    if (l == NULL) return;
    while (l->held_count > 0)
        drop_at(l, l->held_count - 1);
    layer_release(l->head_layer);
    evm_destroy(l->evm);
    free(l->head.record);
    free(l);
}

const struct ledger_head *ledger_head(const struct ledger *l)
{
    return &l->head;
}

/* ---- blocks above the head ---- */

static enum status held_add(struct ledger *l, struct held **out, const struct header *header,
                            const struct hash *hash, struct bytes bytes)
{
    if (l->held_count == LEDGER_BLOCKS_MAX) return E_LIMIT;
    if (l->held_bytes + bytes.size > LEDGER_BYTES_MAX) return E_LIMIT;
    struct held *h = must_alloc(sizeof *h);
    h->hash = *hash;
    h->place = (struct ledger_place){header->parent_hash, header->number, header->extra.epoch,
                                     header->extra.view, header->extra.parent_view};
    h->timestamp_s = header->timestamp_s;
    buffer_append(&h->bytes, bytes);
    l->held[l->held_count++] = h;
    l->held_bytes += bytes.size;
    *out = h;
    return OK;
}

enum status ledger_hold(struct ledger *l, const struct hash *hash, struct bytes bytes)
{
    struct arena arena = {0};
    struct block block;
    struct held *h;
    if (find(l, hash) != NULL || hash_equal(hash, &l->head.hash)) return E_EXISTS;
    enum status status = block_decode(&block, &arena, bytes);
    if (status == OK) {
        struct hash real = block_hash(&block);
        status = hash_equal(&real, hash) ? block_check_body(&block) : E_MALFORMED;
    }
    /* Final, or on a fork that lost: a restart offers the vote log's old blocks again. */
    if (status == OK && block.header.number <= l->head.header.number) status = E_EXISTS;
    if (status == OK) status = held_add(l, &h, &block.header, hash, bytes);
    arena_finish(&arena);
    return status;
}

bool ledger_holds(const struct ledger *l, const struct hash *hash)
{
    return find(l, hash) != NULL;
}

void ledger_sweep(struct ledger *l, bool (*wanted)(void *context, const struct hash *hash),
                  void *context)
{
    for (size_t i = l->held_count; i > 0; i--) {
        const struct held *h = l->held[i - 1];
        if (h->executed == NULL && !wanted(context, &h->hash)) drop_at(l, i - 1);
    }
}

size_t ledger_held_bytes(const struct ledger *l)
{
    return l->held_bytes;
}

struct bytes ledger_bytes(const struct ledger *l, const struct hash *hash)
{
    const struct held *h = find(l, hash);
    return h ? buffer_bytes(&h->bytes) : (struct bytes){0};
}

bool ledger_place(const struct ledger *l, struct ledger_place *out, const struct hash *hash)
{
    const struct held *h = find(l, hash);
    if (h != NULL) *out = h->place;
    return h != NULL;
}

uint64_t ledger_timestamp(const struct ledger *l, const struct hash *hash)
{
    const struct held *h = find(l, hash);
    return h ? h->timestamp_s : 0;
}

uint64_t ledger_arrived_ms(const struct ledger *l, const struct hash *hash)
{
    if (hash_equal(hash, &l->head.hash)) return l->head.arrived_ms;
    const struct held *h = find(l, hash);
    return h ? h->arrived_ms : 0;
}

bool ledger_is_executed(const struct ledger *l, const struct hash *hash)
{
    return ledger_record(l, hash) != NULL;
}

const struct epoch_record *ledger_record(const struct ledger *l, const struct hash *hash)
{
    if (hash_equal(hash, &l->head.hash)) return l->head.record;
    const struct held *h = find(l, hash);
    return h && h->executed ? h->executed->record : NULL;
}

/* ---- executing ---- */

/* For BLOCKHASH: held blocks from a tip down to the head, then the final ones. Laid out once for
 * each execution: a contract may ask thousands of times. */
struct lineage {
    const struct ledger *ledger;
    uint64_t lowest, end;         /* numbers of held ones: lowest .. end - 1 */
    struct hash above[ANCESTORS]; /* by number % ANCESTORS */
};

static void lineage_lay(struct lineage *line, const struct ledger *l, const struct hash *tip)
{
    const struct held *h = find(l, tip);
    line->ledger = l;
    line->lowest = line->end = h != NULL ? h->place.number + 1 : 0;
    for (size_t i = 0; h != NULL && i < ANCESTORS; i++) {
        line->lowest = h->place.number;
        line->above[line->lowest % ANCESTORS] = h->hash;
        h = find(l, &h->place.parent);
    }
}

static bool ancestor(void *context, uint64_t number, struct hash *out)
{
    const struct lineage *line = context;
    const struct ledger *l = line->ledger;
    uint64_t head = l->head.header.number;
    bool held = number >= line->lowest && number < line->end;
    if (!held && (number > head || head - number >= ANCESTORS)) return false;
    *out = held ? line->above[number % ANCESTORS] : l->recent[number % ANCESTORS];
    return true;
}

static bool parent_find(struct ledger *l, struct block_parent *out, struct lineage *line,
                        const struct hash *hash)
{
    const struct held *h = find(l, hash);
    *out = (struct block_parent){0};
    lineage_lay(line, l, hash);
    out->base = store_base(l->store);
    out->ancestry = (struct ancestry){line, ancestor};
    if (hash_equal(hash, &l->head.hash)) {
        out->layer = l->head_layer;
        out->header = &l->head.header;
        out->hash = &l->head.hash;
        out->record = l->head.record;
        return true;
    }
    if (h == NULL || h->executed == NULL) return false;
    out->layer = h->executed->layer;
    out->header = &h->executed->block.header;
    out->hash = &h->executed->hash;
    out->record = h->executed->record;
    return true;
}

static void report(const struct executed *e)
{
    if (e->tick_failed)
        log_error("chain", "the scheduler's tick failed block=%llu",
                  (unsigned long long)e->block.header.number);
    if (e->turn_failed)
        log_error("chain", "the epoch's end failed, the old set stays block=%llu",
                  (unsigned long long)e->block.header.number);
}

void ledger_ask_senders(struct ledger *l, ledger_senders senders, void *context)
{
    l->senders = senders;
    l->senders_context = context;
}

/* `known` may be NULL. */
static void find_senders(const struct ledger *l, struct block_parent *parent, struct arena *arena,
                         const struct block *block, const struct address *known)
{
    if (block->tx_count == 0) return;
    struct hash *hashes = arena_alloc(arena, block->tx_count * sizeof *hashes);
    struct address *senders = arena_alloc(arena, block->tx_count * sizeof *senders);
    for (size_t i = 0; i < block->tx_count; i++)
        hashes[i] = tx_hash_of_wire(block->txs[i]);
    parent->tx_hashes = hashes;
    parent->senders = known;
    if (l->senders == NULL || known != NULL) return;
    l->senders(l->senders_context, senders, hashes, block->tx_count);
    parent->senders = senders;
}

enum status ledger_verify(struct ledger *l, char error[LEDGER_ERROR_SIZE], const struct hash *hash,
                          uint64_t now_ms)
{
    return ledger_verify_known(l, error, hash, NULL, now_ms);
}

enum status ledger_verify_known(struct ledger *l, char error[LEDGER_ERROR_SIZE],
                                const struct hash *hash, const struct address *senders,
                                uint64_t now_ms)
{
    struct held *h = find(l, hash);
    struct block_parent parent;
    struct lineage line;
    struct arena arena = {0};
    struct block block;
    if (h == NULL || !parent_find(l, &parent, &line, &h->place.parent)) return E_NOT_FOUND;
    if (h->executed != NULL) return OK;
    char reason[BLOCK_ERROR_SIZE] = "does not decode";
    enum status status = block_decode(&block, &arena, buffer_bytes(&h->bytes));
    if (status == OK) {
        find_senders(l, &parent, &arena, &block, senders);
        status = block_verify(&h->executed, reason, l->config, l->evm, &parent, &block);
    }
    arena_finish(&arena);
    if (status != OK) {
        snprintf(error, LEDGER_ERROR_SIZE, "%s", reason);
        return E_MALFORMED;
    }
    h->arrived_ms = now_ms;
    report(h->executed);
    return OK;
}

static struct mempool_account account_of(void *context, const struct address *a)
{
    return pool_account(context, a);
}

enum status ledger_build(struct ledger *l, struct hash *out, struct ledger_build *build,
                         uint64_t now_ms)
{
    struct block_parent parent;
    struct lineage line;
    struct buffer bytes = {0};
    struct held *h = NULL;
    if (!parent_find(l, &parent, &line, &build->parent)) return E_NOT_FOUND;
    struct mempool_world world = {
        .context = parent.layer,
        .account = account_of,
        .chain_id = l->config->chain_id,
        .block_gas_limit = l->config->gas_limit,
        .base_fee = block_next_base_fee(l->config, parent.header),
    };
    struct mempool_pick *pick = mempool_pick_create(build->mempool, &world);
    struct executed *e =
        block_build(l->config, l->evm, &parent, &build->plan, pick, &build->dropped);
    mempool_pick_destroy(pick);
    block_encode(&bytes, &e->block);
    enum status status = held_add(l, &h, &e->block.header, &e->hash, buffer_bytes(&bytes));
    buffer_finish(&bytes);
    if (status != OK) {
        executed_release(e);
        return status;
    }
    h->executed = e;
    h->arrived_ms = now_ms;
    *out = e->hash;
    report(e);
    return OK;
}

bool ledger_certificate(const struct ledger *l, struct buffer *out, uint64_t number)
{
    struct store_snapshot *view = store_snapshot_create(l->store);
    bool found = store_certificate(view, number, out) && out->size > 0;
    store_snapshot_destroy(view);
    return found;
}

enum tx_reason ledger_call(struct ledger *l, struct tx_outcome *out,
                           const struct call_request *request)
{
    struct lineage line;
    struct ancestry ancestry = {&line, ancestor};
    struct execution x;
    struct layer *layer = layer_create(store_base(l->store), l->head_layer);
    lineage_lay(&line, l, &l->head.hash);
    execution_init(&x, l->evm, layer, l->config, &l->head.header);
    execution_set_ancestry(&x, &ancestry);
    enum tx_reason reason = execute_call(&x, out, request, NULL);
    layer_release(layer);
    return reason;
}

struct mempool_account ledger_account(struct ledger *l, const struct address *a)
{
    struct layer *layer = layer_create(store_base(l->store), l->head_layer);
    struct mempool_account account = pool_account(layer, a);
    layer_release(layer);
    return account;
}

/* ---- finality ---- */

/* Whether the block stands, over any number of held ones, on the head. */
static bool on_head(const struct ledger *l, const struct held *h)
{
    for (size_t steps = 0; h != NULL && steps <= l->held_count; steps++) {
        if (hash_equal(&h->place.parent, &l->head.hash)) return true;
        h = find(l, &h->place.parent);
    }
    return false;
}

/* A block that is not executed may still find its parent later: it goes by its number only. */
static void drop_dead(struct ledger *l)
{
    for (size_t i = l->held_count; i > 0; i--) {
        const struct held *h = l->held[i - 1];
        bool stale = h->place.number <= l->head.header.number;
        if (stale || (h->executed != NULL && !on_head(l, h))) drop_at(l, i - 1);
    }
}

static void advance_head(struct ledger *l, const struct held *h)
{
    assert(h != NULL && h->executed != NULL);
    const struct executed *e = h->executed;
    layer_settle(e->layer);
    layer_release(l->head_layer);
    l->head_layer = layer_retain(e->layer);
    l->head.header = e->block.header;
    l->head.hash = e->hash;
    *l->head.record = *e->record;
    l->head.arrived_ms = h->arrived_ms;
    l->head.busy = e->system_log_count > 0;
    l->recent[e->block.header.number % ANCESTORS] = e->hash;
}

void ledger_commit(struct ledger *l, struct ledger_commit *commit)
{
    struct store_write *w = store_write_create();
    struct hash parent = l->head.hash;
    assert(commit->count > 0);
    for (size_t i = 0; i < commit->count; i++) {
        const struct held *h = find(l, &commit->chain[i]);
        bool last = i + 1 == commit->count;
        assert(h != NULL && h->executed != NULL && hash_equal(&h->place.parent, &parent));
        store_write_executed(w, h->executed, last ? commit->certificate : (struct bytes){0});
        layer_spenders(h->executed->layer, &commit->spenders);
        commit->tx_count += h->executed->block.tx_count;
        parent = h->hash;
    }
    store_commit(l->store, w);
    store_write_destroy(w);
    for (size_t i = 0; i < commit->count; i++)
        advance_head(l, find(l, &commit->chain[i]));
    drop_dead(l);
}
