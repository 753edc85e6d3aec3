/* rpc_session.h - what one RPC thread reads the chain through: a store snapshot for each call.
 *
 * A session belongs to one thread; `struct rpc_shared` to all. A call begins with session_begin,
 * which takes a fresh snapshot (so what was final a moment ago is seen) and forgets all that the
 * call before allocated; everything returned here lives until the next one. */
#ifndef LEASEHOLD_NODE_RPC_SESSION_H
#define LEASEHOLD_NODE_RPC_SESSION_H

#include "chain/build.h"
#include "chain/store/store.h"
#include "net/rpc.h"
#include "node/counters.h"
#include "node/options.h"
#include "node/pool.h"
#include "node/rpc_json.h"
#include "node/rpc_pool.h"

#define RPC_BATCH_MS 30000 /* one body's calls together */

struct filters;
struct network;

struct rpc_shared { /* all kept by pointer */
    const struct config *options;
    const struct chain_config *config;
    struct store *store;
    struct pool *pool;
    struct counters *counters;
    struct filters *filters;
    struct network *network;
};

struct session;

struct session *session_create(const struct rpc_shared *shared);
void session_destroy(struct session *s); /* takes NULL */
/* Answers a whole job; an rpc_work. */
void session_work(struct rpc_worker *worker, struct rpc_job *job);

/* False (and an error in the reply) when this body has used its time up. */
MUST_CHECK bool session_begin(struct session *s, struct rpc_reply *reply);

const struct rpc_shared *session_shared(const struct session *s);
struct arena *session_arena(struct session *s);
const struct store_snapshot *session_snapshot(const struct session *s);
const struct header *session_head(const struct session *s);
const struct hash *session_head_hash(const struct session *s);
/* Over the last final state, for this call only. */
struct layer *session_layer(struct session *s);
/* An execution upon the last final block, with its facts, for this call only. */
struct execution *session_execution(struct session *s);
/* Becomes not zero when the call should end. */
const volatile int *session_stop(const struct session *s);

/* The number of the block that a tag means; false: there is none (the answer is null). */
MUST_CHECK bool session_find(struct session *s, uint64_t *out, const struct block_tag *tag);
/* As session_find, but the state after the block must be there: an error in the reply if not. */
MUST_CHECK bool session_state_at(struct session *s, struct rpc_reply *reply, const json_t *tag);

/* Gives back what session_block, _receipts and _system_logs of this call hold: for long walks. */
void session_forget(struct session *s);

struct stored_block {
    struct block block;
    struct block_ref ref;
};
/* Loads a block that exists (fatal if the store lacks it). */
void session_block(struct session *s, struct stored_block *out, uint64_t number);
/* Its receipts; as many as transactions. */
const struct receipt *session_receipts(struct session *s, const struct stored_block *block);
/* The logs of its system calls. */
const struct log_entry *session_system_logs(struct session *s, size_t *out_count, uint64_t number);

/* The table of all methods, and the metrics' text. */
extern const struct rpc_table NODE_METHODS;
void metrics_print(struct session *s, struct buffer *out);

#endif
