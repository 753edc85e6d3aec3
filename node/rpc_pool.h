/* rpc_pool.h - threads that answer HTTP requests, so that no call holds consensus up.
 *
 * The main thread submits requests and, through the loop, hands the answers back; each worker has
 * its own context. A request that runs longer than its limit is told to stop: worker->stop is then
 * not zero (see evm_set_stop_flag). At most one request a connection waits, and connections are
 * bounded, so the queue is. */
#ifndef LEASEHOLD_NODE_RPC_POOL_H
#define LEASEHOLD_NODE_RPC_POOL_H

#include "base/bytes.h"
#include "net/http.h"

struct loop;
struct rpc_pool;

struct rpc_job {
    struct http_request *request;
    struct bytes body; /* of a POST; borrowed from the request */
    bool is_metrics;
    struct buffer answer;
    struct rpc_job *next;
};

struct rpc_worker {
    volatile int stop; /* set when the deadline has passed */
    void *session;     /* the caller's own, one a worker */
};

/* Runs in a worker: fills job->answer. */
typedef void (*rpc_work)(struct rpc_worker *worker, struct rpc_job *job);

/* Restarts the worker's clock; each call of a batch gets a limit of its own. */
void rpc_worker_begin(struct rpc_worker *worker);
void rpc_worker_end(struct rpc_worker *worker);

struct rpc_pool *rpc_pool_create(struct loop *loop, size_t threads, uint64_t limit_ms,
                                 rpc_work work, void *const *sessions);
/* Stops the threads; requests not answered yet are dropped unanswered (close the server after). */
void rpc_pool_destroy(struct rpc_pool *p); /* takes NULL */
void rpc_pool_submit(struct rpc_pool *p, struct http_request *request, struct bytes body,
                     bool is_metrics);

#endif
