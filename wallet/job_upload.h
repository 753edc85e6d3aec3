/* job_upload.h - sends the bundle to each worker that holds a replica, one thread a worker.
 *
 * A worker that has not yet seen the block, is busy or restarts is tried again until the bundle is
 * there or uploads_stop is called. The main thread only calls these functions. */
#ifndef LEASEHOLD_WALLET_JOB_UPLOAD_H
#define LEASEHOLD_WALLET_JOB_UPLOAD_H

#include "client/contracts.h"
#include "client/gateway.h"

#include <limits.h>
#include <pthread.h>

#define UPLOADS_MAX 64 /* replicas, with reassignments */

enum upload_state { UPLOAD_RUNNING, UPLOAD_DONE, UPLOAD_FAILED };

struct upload {
    unsigned replica; /* index */
    struct address provider;
    char endpoint[160];
    struct hash tls_key_hash;
    struct uploads *all;
    pthread_t thread;
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
};

void uploads_init(struct uploads *u, const struct gateway_content *content, const char *path,
                  const struct key *key);
/* Starts one for a replica object of Jobs.getReplicas, unless that provider already has one. */
void uploads_start(struct uploads *u, unsigned replica, const json_t *object);
enum upload_state upload_state(const struct upload *u);
void uploads_stop(struct uploads *u); /* waits for the threads; wipes the key */

#endif
