/* rpc_answer.h - reads the body of a JSON-RPC answer. Pure; any thread. */
#ifndef LEASEHOLD_CLIENT_RPC_ANSWER_H
#define LEASEHOLD_CLIENT_RPC_ANSWER_H

#include "client/rpc.h"

/* OK: *out is the result (the caller decrefs it). E_DENIED: *error is filled. E_MALFORMED: no
 * JSON-RPC answer to request `id`. */
MUST_CHECK enum status rpc_answer_read(json_t **out, struct rpc_error *error, struct bytes body,
                                       uint64_t id);

#endif
