/* rpc.h - a JSON-RPC client of one or several nodes over HTTP (libcurl).
 *
 * A call goes to the node that answered last; when that one cannot be reached, answers with an
 * HTTP 5xx or runs into the time limit, the next URL is tried, round after round with growing
 * pauses, until `patience_ms` is used up. An error object is an answer: it is never retried.
 * Repeating is safe: every method that a client of this chain uses is a read, or (sending a signed
 * transaction) has the same effect once or twice. Answers are bounded by RPC_ANSWER_BYTES_MAX.
 *
 * Several nodes need not be equally far. One that was not asked before is passed over while it is
 * catching up (eth_syncing) or has not reached the highest block that another node told of, so that
 * time never runs backwards for the caller. And when no new block was heard of for five seconds the
 * others are looked at: a node that is cut off from its network answers, but stands still.
 *
 * One handle a thread. The handle owns its connection and the last error. */
#ifndef LEASEHOLD_CLIENT_RPC_H
#define LEASEHOLD_CLIENT_RPC_H

#include "base/json.h"

#define RPC_URLS_MAX         16
#define RPC_ANSWER_BYTES_MAX (32u << 20)
#define RPC_ERROR_DATA_MAX   4096
#define RPC_PROBLEM_SIZE     640
#define RPC_DEFAULT_URL      "http://127.0.0.1:8545"

struct rpc;

struct rpc_options {
    const char *urls;     /* comma-separated, http:// or https://; NULL: RPC_DEFAULT_URL */
    uint32_t timeout_ms;  /* for one request; 0: 10 s */
    uint32_t patience_ms; /* for one call with all its retries; 0: one round over the URLs */
    const bool *stop;     /* optional: read with __atomic_load_n; true ends waiting (E_STATE) */
};

/* What a node answered instead of a result. */
struct rpc_error {
    int code;          /* JSON-RPC's; 3 is a revert */
    char message[512]; /* the node's text, control characters removed, cut if need be */
    uint8_t data[RPC_ERROR_DATA_MAX];
    size_t data_size; /* revert data; 0 when there was none */
};

/* E_MALFORMED: no usable URL. `error` says which. */
MUST_CHECK enum status rpc_create(struct rpc **out, const struct rpc_options *options,
                                  char error[JSON_ERROR_SIZE]);
void rpc_destroy(struct rpc *r);

/* Calls `method`; `params` (an array; NULL for none) is consumed. The caller decrefs *out.
 * E_IO: no node could be reached. E_TIMEOUT. E_MALFORMED: what came back is no JSON-RPC answer.
 * E_LIMIT: too large an answer. E_DENIED: the node answered with an error, see rpc_error.
 * E_STATE: the stop flag was raised. */
MUST_CHECK enum status rpc_call(struct rpc *r, json_t **out, const char *method, json_t *params);
/* The same where the result is one quantity or one text (copied; E_MALFORMED if it is not). */
MUST_CHECK enum status rpc_call_u64(struct rpc *r, uint64_t *out, const char *method,
                                    json_t *params);
MUST_CHECK enum status rpc_call_u256(struct rpc *r, struct u256 *out, const char *method,
                                     json_t *params);

void rpc_set_patience(struct rpc *r, uint32_t patience_ms);
uint32_t rpc_patience(const struct rpc *r);
bool rpc_stopped(const struct rpc *r); /* the stop flag of the options */

/* Valid after E_DENIED, until the next call. */
const struct rpc_error *rpc_error(const struct rpc *r);
/* One line for a person about the last failure: "cannot reach a node at http://...: ..." or the
 * node's message; contracts.h and transact.h replace it by the decoded custom error. */
const char *rpc_problem(const struct rpc *r);
void rpc_set_problem(struct rpc *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The custom error's name when the last failure was a revert with one: "JobNotFound"; else "". */
const char *rpc_revert_name(const struct rpc *r);
void rpc_set_revert_name(struct rpc *r, const char *name);
/* The URL that answered last, or the first one. */
const char *rpc_url(const struct rpc *r);

#endif
