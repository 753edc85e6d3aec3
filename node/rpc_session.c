#include "node/rpc_session.h"

#include "base/fatal.h"
#include "base/hex.h"
#include "base/rlp.h"
#include "node/clock.h"

#include <assert.h>
#include <stdlib.h>

struct session {
    const struct rpc_shared *shared;
    struct rpc_worker *worker; /* while a job runs */
    struct arena arena;
    struct evm *evm;
    uint64_t job_start_ms;
    struct store_snapshot *snapshot;
    struct store_head head;
    struct header header; /* of the head */
    struct hash header_hash;
    struct layer *layer;
    struct execution execution;
    struct ancestry ancestry;
};

struct session *session_create(const struct rpc_shared *shared)
{
    struct session *s = must_alloc(sizeof *s);
    s->shared = shared;
    s->evm = evm_create(CHAIN_REVISION);
    return s;
}

static void let_go(struct session *s)
{
    layer_release(s->layer);
    s->layer = NULL;
    if (s->snapshot != NULL) store_snapshot_destroy(s->snapshot);
    s->snapshot = NULL;
    arena_reset(&s->arena);
}

void session_destroy(struct session *s)
{
    if (s == NULL) return;
    let_go(s);
    arena_finish(&s->arena);
    evm_destroy(s->evm);
    free(s);
}

/* The header is the first item of the block's list: the transactions need not be looked at. */
static void load_header(struct session *s)
{
    struct buffer bytes = {0};
    if (!store_block_by_number(s->snapshot, s->head.number, &bytes))
        fatal("reading block %llu", (unsigned long long)s->head.number);
    struct rlp_reader outer = rlp_reader_over(buffer_bytes(&bytes));
    struct rlp_reader block = rlp_list(&outer);
    if (header_decode(&s->header, rlp_item(&block)) != OK)
        fatal("reading the header of block %llu", (unsigned long long)s->head.number);
    s->header_hash = s->head.hash;
    buffer_finish(&bytes);
}

bool session_begin(struct session *s, struct rpc_reply *reply)
{
    assert(s->worker != NULL);
    let_go(s);
    if (clock_ms() - s->job_start_ms > RPC_BATCH_MS) {
        rpc_error(reply, RPC_TIMEOUT, "the batch took longer than %d ms", RPC_BATCH_MS);
        return false;
    }
    rpc_worker_begin(s->worker);
    s->snapshot = store_snapshot_create(s->shared->store);
    if (!store_snapshot_head(s->snapshot, &s->head)) fatal("reading the chain's head");
    if (!hash_equal(&s->header_hash, &s->head.hash)) load_header(s);
    return true;
}

void session_work(struct rpc_worker *worker, struct rpc_job *job)
{
    struct session *s = worker->session;
    struct counters *counters = s->shared->counters;
    struct rpc_counts counts = {0};
    uint64_t start_us = clock_us();
    s->worker = worker;
    s->job_start_ms = clock_ms();
    if (job->is_metrics)
        metrics_print(s, &job->answer);
    else
        rpc_handle(&job->answer, &counts, &NODE_METHODS, s, job->body);
    let_go(s);
    rpc_worker_end(worker);
    s->worker = NULL;
    counters->rpc_requests += counts.requests;
    counters->rpc_errors += counts.errors;
    counters->rpc_us += clock_us() - start_us;
}

const struct rpc_shared *session_shared(const struct session *s)
{
    return s->shared;
}

struct arena *session_arena(struct session *s)
{
    return &s->arena;
}

const struct store_snapshot *session_snapshot(const struct session *s)
{
    assert(s->snapshot != NULL);
    return s->snapshot;
}

const struct header *session_head(const struct session *s)
{
    return &s->header;
}

const struct hash *session_head_hash(const struct session *s)
{
    return &s->head.hash;
}

const volatile int *session_stop(const struct session *s)
{
    return &s->worker->stop;
}

struct layer *session_layer(struct session *s)
{
    assert(s->snapshot != NULL);
    if (s->layer == NULL) s->layer = layer_create(store_snapshot_base(s->snapshot), NULL);
    return s->layer;
}

static bool ancestor(void *context, uint64_t number, struct hash *out)
{
    const struct session *s = context;
    return store_hash_of_number(s->snapshot, number, out);
}

struct execution *session_execution(struct session *s)
{
    s->ancestry = (struct ancestry){s, ancestor};
    execution_init(&s->execution, s->evm, session_layer(s), s->shared->config, &s->header);
    execution_set_ancestry(&s->execution, &s->ancestry);
    return &s->execution;
}

bool session_find(struct session *s, uint64_t *out, const struct block_tag *tag)
{
    switch (tag->kind) {
    case TAG_LATEST:
    case TAG_PENDING: *out = s->head.number; return true;
    case TAG_EARLIEST: *out = 0; return true;
    case TAG_NUMBER: *out = tag->number; return tag->number <= s->head.number;
    case TAG_HASH: return store_number_of_hash(s->snapshot, &tag->hash, out);
    }
    return false;
}

bool session_state_at(struct session *s, struct rpc_reply *reply, const json_t *value)
{
    struct block_tag tag = read_tag(reply, value);
    uint64_t number = 0;
    if (rpc_failed(reply)) return false;
    if (!session_find(s, &number, &tag)) {
        rpc_error(reply, RPC_REFUSED, "header not found");
        return false;
    }
    if (number != s->head.number) {
        rpc_error(reply, RPC_REFUSED,
                  "missing trie node: the state of block %llu is not kept, only that of the latest "
                  "(%llu)",
                  (unsigned long long)number, (unsigned long long)s->head.number);
        return false;
    }
    return true;
}

static struct bytes keep(struct session *s, struct buffer *bytes)
{
    struct bytes kept = arena_copy(&s->arena, buffer_bytes(bytes));
    buffer_finish(bytes);
    return kept;
}

void session_forget(struct session *s)
{
    arena_reset(&s->arena);
}

void session_block(struct session *s, struct stored_block *out, uint64_t number)
{
    struct buffer bytes = {0};
    bool found = store_block_by_number(s->snapshot, number, &bytes);
    if (!found || block_decode(&out->block, &s->arena, keep(s, &bytes)) != OK)
        fatal("reading block %llu", (unsigned long long)number);
    const struct header *h = &out->block.header;
    out->ref = (struct block_ref){{{0}}, number, h->timestamp_s, h->base_fee};
    if (!store_hash_of_number(s->snapshot, number, &out->ref.hash))
        fatal("reading the hash of block %llu", (unsigned long long)number);
}

const struct receipt *session_receipts(struct session *s, const struct stored_block *block)
{
    struct buffer bytes = {0};
    struct receipt *receipts = NULL;
    size_t count = 0;
    bool found = store_receipts(s->snapshot, block->ref.number, &bytes);
    if (!found || receipts_decode(&receipts, &count, &s->arena, keep(s, &bytes)) != OK ||
        count != block->block.tx_count)
        fatal("reading the receipts of block %llu", (unsigned long long)block->ref.number);
    return receipts;
}

const struct log_entry *session_system_logs(struct session *s, size_t *out_count, uint64_t number)
{
    struct buffer bytes = {0};
    struct log_entry *logs = NULL;
    bool found = store_system_logs(s->snapshot, number, &bytes);
    if (!found || logs_decode(&logs, out_count, &s->arena, keep(s, &bytes)) != OK)
        fatal("reading the system logs of block %llu", (unsigned long long)number);
    return logs;
}
