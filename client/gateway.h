/* gateway.h - the client of a worker's data gateway: upload a bundle, download a result.
 *
 * The worker is known by its TLS key's hash from the chain; nobody else can answer in its place.
 * Contents are verified leaf by leaf against their root while they arrive: what gateway_get writes
 * to the file is right or is not written. Both ways continue where an earlier try stopped.
 * One handle a thread. */
#ifndef LEASEHOLD_CLIENT_GATEWAY_H
#define LEASEHOLD_CLIENT_GATEWAY_H

#include "client/frame_stream.h"

struct gateway_peer {
    const char *endpoint; /* "host:port", from the chain */
    struct hash tls_key_hash;
    uint32_t timeout_ms; /* for connecting and for each frame; 0: 15 s */
};

struct gateway;

/* Connects, checks the pin, proves the account of `identity`. `error` says what failed.
 * E_DENIED: another TLS key than the chain names, or the worker refused the hello. */
MUST_CHECK enum status gateway_open(struct gateway **out, char error[JSON_ERROR_SIZE],
                                    const struct gateway_peer *peer, const struct key *identity);
void gateway_close(struct gateway *g);

struct gateway_progress {
    void (*step)(void *context, uint64_t done_bytes, uint64_t size_bytes); /* may be NULL */
    void *context;
};

struct gateway_content {
    uint64_t job;
    struct hash root;
    uint64_t size;
};

/* Sends the file at `path`, from where the worker stands. E_STATE: the worker does not know the
 * job yet, or is busy (try again). E_DENIED, E_MALFORMED, E_LIMIT: refused. */
MUST_CHECK enum status gateway_put(struct gateway *g, const struct gateway_content *content,
                                   const char *path, const struct gateway_progress *progress);
/* Fetches into `path` (through `path`.part, kept when interrupted and continued by the next call).
 * E_NOT_FOUND, E_STATE as above; E_MALFORMED: the worker sent bytes that are not the content. */
MUST_CHECK enum status gateway_get(struct gateway *g, const struct gateway_content *content,
                                   const char *path, const struct gateway_progress *progress);
MUST_CHECK enum status gateway_stat(struct gateway *g, struct gateway_sizes *out,
                                    const struct gateway_content *content);
/* One line for a person about the last failure. */
const char *gateway_problem(const struct gateway *g);

#endif
