/* gateway.h - the client of a worker's data gateway: upload a bundle, download a result.
 *
 * The worker is known by its TLS key's hash from the chain; nobody else can answer in its place.
 * Contents are verified leaf by leaf against their root while they arrive: what gateway_get writes
 * to the file is right or is not written. Both ways continue where an earlier try stopped, and keep
 * as many chunks under way as bandwidth and delay ask for, at most GATEWAY_WINDOW_MAX. Chunks are
 * packed with zstd when that makes them faster (client/chunk_coder.h). One handle a thread. */
#ifndef LEASEHOLD_CLIENT_GATEWAY_H
#define LEASEHOLD_CLIENT_GATEWAY_H

#include "client/frame_stream.h"
#include "client/leaf_map.h"

struct gateway_peer {
    const char *endpoint; /* "host:port", from the chain */
    struct hash tls_key_hash;
    uint32_t timeout_ms; /* for connecting and for each frame; 0: 15 s */
    uint32_t total_ms;   /* for all that is done with the handle; 0: no limit */
};

#define GATEWAY_WINDOW_MAX 64 /* requests under way: 16 MiB */

struct gateway;

/* Connects, checks the pin, proves the account of `identity`. `error` says what failed.
 * E_DENIED: another TLS key than the chain names, or the worker refused the hello. E_UNSUPPORTED:
 * it speaks another version of the protocol. */
MUST_CHECK enum status gateway_open(struct gateway **out, char error[JSON_ERROR_SIZE],
                                    const struct gateway_peer *peer, const struct key *identity);
void gateway_close(struct gateway *g);

struct gateway_progress { /* either may be NULL */
    /* `done` begins with what an earlier try has brought. False: stop here (E_STATE). */
    bool (*step)(void *context, uint64_t done_bytes, uint64_t size_bytes);
    void *context;
};

struct gateway_content {
    uint64_t job;
    struct hash root;
    uint64_t size;
};

/* Sends the file at `path`: its leaf hashes (kept as `path`.leaves, for the next try or worker),
 * then what the worker does not hold of it. E_STATE: the worker does not know the job yet, or is
 * busy (try again). E_DENIED, E_MALFORMED, E_LIMIT: refused. */
MUST_CHECK enum status gateway_put(struct gateway *g, const struct gateway_content *content,
                                   const char *path, const struct gateway_progress *progress);
/* Fetches into `path` (through `path`.part and `path`.leaves, kept when interrupted and continued
 * by the next call; not synced: who must not lose it to a power cut does that). E_NOT_FOUND,
 * E_STATE as above; E_MALFORMED: the worker sent bytes that are not the content. */
MUST_CHECK enum status gateway_get(struct gateway *g, const struct gateway_content *content,
                                   const char *path, const struct gateway_progress *progress);
MUST_CHECK enum status gateway_stat(struct gateway *g, struct gateway_sizes *out,
                                    const struct gateway_content *content);
/* Appends the bytes of whole leaves, at most GATEWAY_CHUNK_MAX, cut at the content's end. Fetches
 * no more hashes than the proof needs: for who reads here and there in something large. */
MUST_CHECK enum status gateway_read(struct gateway *g, struct buffer *out,
                                    const struct gateway_content *content, uint64_t offset,
                                    uint32_t length);

/* The parts of gateway_get, for who keeps the content in his own way. The leaf level, which makes
 * the root; *out is the caller's to finish, on success. */
MUST_CHECK enum status gateway_leaves(struct gateway *g, struct leaf_tree *out,
                                      const struct gateway_content *content);
/* Which leaves the worker holds; *out is the caller's to finish, on success. */
MUST_CHECK enum status gateway_held(struct gateway *g, struct leaf_map *out,
                                    const struct gateway_content *content);
/* Is given each chunk as it came, not yet checked; another status than OK ends the transfer. */
typedef enum status gateway_keep(void *context, uint64_t offset, struct bytes chunk);
/* Fetches every chunk of which the map lacks a leaf. */
MUST_CHECK enum status gateway_pull(struct gateway *g, const struct gateway_content *content,
                                    const struct leaf_map *have, gateway_keep *keep, void *context);
/* One line for a person about the last failure. */
const char *gateway_problem(const struct gateway *g);
/* Bytes of frames sent and received since it was opened. */
uint64_t gateway_traffic(const struct gateway *g);

#endif
