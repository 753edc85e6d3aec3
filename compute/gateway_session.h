/* gateway_session.h - one connection of the gateway: hello, then requests until it ends.
 *
 * Inside of gateway_server; apart, so that a test can drive it over a socket pair. */
#ifndef LEASEHOLD_COMPUTE_GATEWAY_SESSION_H
#define LEASEHOLD_COMPUTE_GATEWAY_SESSION_H

#include "client/chunk_coder.h"
#include "client/frame_stream.h"
#include "compute/gateway_intake.h"
#include "compute/gateway_meter.h"
#include "compute/gateway_server.h"

struct gateway_session {
    struct frame_stream *stream;
    const struct gateway_server_options *options;
    struct gateway_meter *meter;
    struct hash key_hash;
    /* Called once HELLO has proved an account, and once the policy has granted it something. */
    void (*on_account)(void *owner, const struct address *who);
    void (*on_granted)(void *owner);
    void *owner;

    struct address who; /* proved by HELLO */
    struct chunk_coder coder;
    struct gateway_intake *intake; /* made at the first PUT */
    unsigned wrong_leaves;
    struct buffer content;
    struct buffer out;
};

/* Serves until the peer is gone, breaks the protocol, or takes too long. */
void gateway_session_run(struct gateway_session *s);

#endif
