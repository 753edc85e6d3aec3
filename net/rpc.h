/* rpc.h - JSON-RPC 2.0 over one table of methods: bytes in, bytes out, no sockets.
 *
 * The table is the single truth: name, handler, how many parameters. A handler gets the caller's
 * context, exactly params_max parameters (absent ones and JSON null are NULL), and fills a reply:
 * either rpc_result or rpc_error. Codes and wording follow other Ethereum clients, since
 * libraries match on them. Any thread, if the handlers allow it. Limits: net/limits.h. */
#ifndef LEASEHOLD_NET_RPC_H
#define LEASEHOLD_NET_RPC_H

#include "base/bytes.h"

#include <jansson.h>

#define RPC_PARAMS_MAX 4
#define RPC_ERROR_SIZE 512

enum rpc_code {
    RPC_PARSE_ERROR = -32700,
    RPC_INVALID_REQUEST = -32600,
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_INVALID_PARAMS = -32602,
    RPC_INTERNAL_ERROR = -32603,
    RPC_REFUSED = -32000, /* everything else that was not done */
    RPC_TIMEOUT = -32002,
    RPC_TOO_LARGE = -32003,
    RPC_LIMIT_EXCEEDED = -32005,
    RPC_REVERTED = 3, /* data holds what the contract returned */
};

struct rpc_reply {
    json_t *result; /* owned; NULL for an error */
    int code;       /* 0 while there is no error */
    char message[RPC_ERROR_SIZE];
    json_t *data; /* owned; NULL when the error has none */
};

/* Takes the value over. A second result or one after an error is a bug. */
void rpc_result(struct rpc_reply *reply, json_t *value);
/* Only the first error of a reply is kept. */
void rpc_error(struct rpc_reply *reply, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool rpc_failed(const struct rpc_reply *reply);
void rpc_error_data(struct rpc_reply *reply, json_t *data); /* after rpc_error; takes it over */

struct rpc_method {
    const char *name;
    void (*handle)(void *context, struct rpc_reply *reply, json_t *const *params);
    size_t params_min;
    size_t params_max; /* at most RPC_PARAMS_MAX */
};

struct rpc_table {
    const struct rpc_method *methods; /* names are unique */
    size_t count;
};

struct rpc_counts {
    uint64_t requests;
    uint64_t errors;
};

/* Answers one body: a request or a batch. Appends the answer; nothing is appended when the body
 * holds only notifications. `counts` is added to and may be NULL. */
void rpc_handle(struct buffer *out, struct rpc_counts *counts, const struct rpc_table *table,
                void *context, struct bytes body);

#endif
