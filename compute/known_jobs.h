/* known_jobs.h - who may read and write which content: the table behind the gateway's policy.
 *
 *   who                          bundle          result, further roots
 *   the renter                   write, read     read, once revealed
 *   the job's providers          read            -
 *   its drawn readers            read            read, once revealed
 *
 * Providers read, so that the renter need send the bundle to one of them only; they never see
 * another's result before all are sealed. Readers are auditors and members of a committee; what
 * they read besides (memory images, a trace) are the further roots. The loop fills the table from
 * the chain and the journal; gateway threads ask. Guarded by its lock. */
#ifndef LEASEHOLD_COMPUTE_KNOWN_JOBS_H
#define LEASEHOLD_COMPUTE_KNOWN_JOBS_H

#include "compute/gateway_server.h"

#define KNOWN_JOBS_MAX  4096
#define PROVIDERS_MAX   16 /* of one job: its replicas, and those that held one before */
#define READERS_MAX     64
#define KNOWN_ROOTS_MAX 16

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
struct known_root {
    struct hash root;
    uint64_t size;
};

struct known_jobs;

struct known_jobs *known_jobs_create(void);
void known_jobs_destroy(struct known_jobs *k);
/* Adds or replaces; what the setters below said of it stays. False when the table is full. */
bool known_jobs_put(struct known_jobs *k, const struct known_job *job);
/* Each replaces what was set before, and keeps as many as there is room for. False: the job is not
 * known, or there were more. */
bool known_jobs_set_providers(struct known_jobs *k, uint64_t id, const struct address *workers,
                              size_t count); /* the workers' keys */
bool known_jobs_set_readers(struct known_jobs *k, uint64_t id, const struct address *readers,
                            size_t count);
bool known_jobs_set_roots(struct known_jobs *k, uint64_t id, const struct known_root *roots,
                          size_t count);
bool known_jobs_find(struct known_jobs *k, struct known_job *out, uint64_t id);
/* Copies all; returns how many there are. */
size_t known_jobs_list(struct known_jobs *k, struct known_job out[KNOWN_JOBS_MAX]);
void known_jobs_remove(struct known_jobs *k, uint64_t id);
/* The gateway's policy; `context` is the table. */
enum gateway_result known_jobs_policy(void *context, struct gateway_right *out,
                                      const struct gateway_name *name, const struct address *who);

#endif
