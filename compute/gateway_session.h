/* gateway_session.h - one connection of the gateway: hello, then requests until it ends.
 *
 * Inside of gateway_server; apart, so that a test can drive it over a socket pair. */
#ifndef LEASEHOLD_COMPUTE_GATEWAY_SESSION_H
#define LEASEHOLD_COMPUTE_GATEWAY_SESSION_H

#include "client/frame_stream.h"
#include "compute/gateway_server.h"

#include <stdatomic.h>

struct gateway_session {
    atomic_bool *known; /* set once the policy has let this account do anything */
    struct frame_stream *stream;
    const struct gateway_server_options *options;
    struct hash key_hash;
    struct address who; /* proved by HELLO */
    struct buffer out;
};

/* Serves until the peer is gone, breaks the protocol, or takes too long. */
void gateway_session_run(struct gateway_session *s);

#endif
