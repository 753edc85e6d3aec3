/* known_jobs.h - who may read and write which content: the table behind the gateway's policy.
 *
 * The loop fills it from the chain and the journal; gateway threads ask. Guarded by its lock. */
#ifndef LEASEHOLD_COMPUTE_KNOWN_JOBS_H
#define LEASEHOLD_COMPUTE_KNOWN_JOBS_H

#include "compute/gateway_server.h"

#define KNOWN_JOBS_MAX 4096

struct known_job {
    uint64_t id;
    struct address renter;
    struct hash bundle_root;
    uint64_t bundle_size;
    bool takes_bundle; /* the job waits for it here */
    bool over;         /* nobody needs the bundle any more */
    struct hash result_root;
    uint64_t result_size;
    bool gives_result; /* revealed: until then an early look could be copied from */
};

struct known_jobs;

struct known_jobs *known_jobs_create(void);
void known_jobs_destroy(struct known_jobs *k);
/* Adds or replaces. False when the table is full. */
bool known_jobs_put(struct known_jobs *k, const struct known_job *job);
/* Copies all; returns how many there are. */
size_t known_jobs_list(struct known_jobs *k, struct known_job out[KNOWN_JOBS_MAX]);
void known_jobs_remove(struct known_jobs *k, uint64_t id);
/* True if a job other than `id` needs this content still. */
bool known_jobs_uses(struct known_jobs *k, uint64_t id, const struct hash *root);
/* The gateway's policy; `context` is the table. */
enum gateway_result known_jobs_policy(void *context, struct gateway_right *out, uint64_t job,
                                      const struct hash *root, const struct address *who);

#endif
