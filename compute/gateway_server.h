/* gateway_server.h - the worker's data gateway: takes bundles, serves results (docs/gateway.md).
 *
 * One TLS 1.3 port. Each connection has a thread of its own; there are at most
 * GATEWAY_CONNECTIONS_MAX, GATEWAY_PER_ADDRESS_MAX of them from one address, and each handshake and
 * frame has a time limit. When all places are taken, the oldest connection that was not granted
 * anything yet gives way, so that strangers keep nobody out; an account with more than
 * GATEWAY_PER_ACCOUNT_MAX connections loses its oldest. Nothing is stored or read before HELLO has
 * proved an account and the policy has said that this account may; how much each may read is
 * metered. Owns its socket, threads and TLS context; borrows blobs. */
#ifndef LEASEHOLD_COMPUTE_GATEWAY_SERVER_H
#define LEASEHOLD_COMPUTE_GATEWAY_SERVER_H

#include "base/json.h"
#include "client/gateway_wire.h"
#include "compute/blobs.h"

#define GATEWAY_CONNECTIONS_MAX 64
#define GATEWAY_PER_ADDRESS_MAX 16
#define GATEWAY_PER_ACCOUNT_MAX 6
#define GATEWAY_HANDSHAKE_MS    10000
#define GATEWAY_FRAME_MS        20000

/* What the chain says about one content of one job. */
struct gateway_right {
    bool may_write; /* the renter, for the bundle, while the job waits for it */
    bool may_read;
    uint64_t size;        /* of the content */
    struct address owner; /* whose quota it counts against */
};

/* Called from connection threads. GATEWAY_RESULT_OK with *out filled, or why not (DENIED,
 * NOT_FOUND, NOT_YET). */
typedef enum gateway_result gateway_policy(void *context, struct gateway_right *out,
                                           const struct gateway_name *name,
                                           const struct address *who);

struct gateway_server_options {
    const char *listen; /* "host:port", "[v6]:port"; port 0 lets the system choose */
    const char *key_path;
    const char *certificate_path;
    struct blobs *blobs;
    gateway_policy *policy;
    void *context;
};

struct gateway_server;

/* Listens and starts accepting. On failure `error` says what with which value. */
MUST_CHECK enum status gateway_server_start(struct gateway_server **out,
                                            char error[JSON_ERROR_SIZE],
                                            const struct gateway_server_options *options);
/* Ends all connections and joins their threads. Takes NULL. */
void gateway_server_stop(struct gateway_server *s);
/* "host:port" that it really listens on. */
const char *gateway_server_endpoint(const struct gateway_server *s);
struct hash gateway_server_key_hash(const struct gateway_server *s);

#endif
