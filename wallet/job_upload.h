/* job_upload.h - brings the bundle to each worker that holds a replica, one thread a worker.
 *
 * A large bundle is sent to the first of them only: the others fetch it there, while it arrives
 * (compute/bundle_relay.h). Each of theirs is watched, and sent to directly as soon as it gets
 * nothing, or too little, that way; so a first worker that is slow, dead or lying holds nobody up
 * for longer than RELAY_PATIENCE_MS. A worker that has not yet seen the block, is busy or restarts
 * is tried again until the bundle is there or uploads_stop is called. The main thread only calls
 * these functions. */
#ifndef LEASEHOLD_WALLET_JOB_UPLOAD_H
#define LEASEHOLD_WALLET_JOB_UPLOAD_H

#include "client/contracts.h"
#include "client/gateway.h"
#include "wallet/transfer.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#define UPLOADS_MAX       64         /* replicas, with reassignments */
#define RELAY_BYTES_MIN   (8u << 20) /* less is sent to everybody at once */
#define RELAY_PATIENCE_MS 3000       /* without a new byte */
#define RELAY_SLOW_BYTES  (1u << 20) /* a second; who takes less is not waited for */

enum upload_state { UPLOAD_RUNNING, UPLOAD_DONE, UPLOAD_FAILED };

struct upload {
    unsigned replica; /* index */
    struct address provider;
    char endpoint[160];
    struct hash tls_key_hash;
    struct uploads *all;
    pthread_t thread;
    uint64_t start_ms;
    _Atomic(uint64_t) held;        /* by the worker, as last seen */
    _Atomic(uint64_t) grown_ms;    /* when it last got more */
    atomic_bool relayed;           /* the bundle came from another worker */
    int state;                     /* enum upload_state; atomic */
    bool told;                     /* the caller's: whether its end was shown */
    char problem[JSON_ERROR_SIZE]; /* valid when failed */
};

struct uploads {
    struct gateway_content content;
    char path[PATH_MAX];
    struct key key;
    bool stop; /* atomic */
    struct upload items[UPLOADS_MAX];
    size_t count;
    struct transfer transfer; /* of the slowest, for uploads_text */
};

void uploads_init(struct uploads *u, const struct gateway_content *content, const char *path,
                  const struct key *key);
/* Starts one for a replica object of Jobs.getReplicas, unless that provider already has one. */
void uploads_start(struct uploads *u, unsigned replica, const json_t *object);
enum upload_state upload_state(const struct upload *u);
/* How far the slowest is: "uploading to worker 2: 12 MB of 1 GB, ..."; false: none is running. */
bool uploads_text(struct uploads *u, char out[TRANSFER_TEXT_SIZE + 40]);
void uploads_stop(struct uploads *u); /* waits for the threads; wipes the key */

#endif
