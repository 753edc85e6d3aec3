/* rpc_state.h - what a JSON-RPC client is made of; only for rpc*.c.
 *
 * rpc.c makes it, writes requests and reads answers; rpc_nodes.c sends them, chooses the node. */
#ifndef LEASEHOLD_CLIENT_RPC_STATE_H
#define LEASEHOLD_CLIENT_RPC_STATE_H

#include "client/rpc.h"

#include <curl/curl.h>

struct rpc {
    char *urls[RPC_URLS_MAX];
    size_t url_count;
    size_t current; /* the URL that answered last */
    bool doubted;   /* nothing is known of the current one: it is looked at before it is asked */
    bool syncing_allowed; /* a node that is catching up will do: there is no other */
    bool saw_syncing;     /* one was passed over */
    uint64_t height_seen; /* the highest block that any node told of */
    uint64_t grew_at_ms;  /* when that was, or when others were last looked at */
    uint32_t timeout_ms;
    uint32_t patience_ms;
    const bool *stop;
    uint64_t next_id;
    CURL *curl;
    struct curl_slist *headers;
    struct buffer body;
    bool body_too_large;
    struct rpc_error error;
    char problem[RPC_PROBLEM_SIZE];
    char revert_name[64];
};

/* Sends a request until a node answers or the patience is used up; notes the heights in answers. */
MUST_CHECK enum status rpc_ask_nodes(struct rpc *r, json_t **out, const char *method,
                                     struct bytes request, uint64_t id);
uint64_t rpc_now_ms(void);

#endif
