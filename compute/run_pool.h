/* run_pool.h - the worker's slots: a thread for each job that runs now.
 *
 * One thread starts and collects; the pool's own threads run the sandboxes. Destroying the pool
 * cancels what runs and waits for it, so no sandbox outlives the worker. */
#ifndef LEASEHOLD_COMPUTE_RUN_POOL_H
#define LEASEHOLD_COMPUTE_RUN_POOL_H

#include "compute/gpus.h"
#include "compute/run.h"

#include <limits.h>

#define RUN_SLOTS_MAX 16

struct run_pool;

struct run_outcome {
    uint64_t job;
    enum status status;       /* OK: see result.reason; else this machine could not run it */
    struct run_result result; /* the collector finishes it */
    char error[RUN_ERROR_SIZE];
    char result_path[PATH_MAX];
};

struct run_pool_options {
    size_t slots;
    unsigned threads;        /* of each job; 0: one a core */
    uint32_t memory_mib_max; /* of each job; 0: what it asks for */
    uint32_t seconds_factor; /* 0: 1; as in run.h */
    const char *runner;      /* NULL: found as run.h says */
    const char *folder;      /* where results are written */
    enum run_executor executor;
    const struct gpus *gpus; /* each slot has a card of its own, in turn; may be NULL; copied */
    const char *nvrtc;       /* as in run.h */
    bool keeps;              /* checkpoints: a job that was interrupted goes on where it was */
};
struct run_pool *run_pool_create(const struct run_pool_options *options);
void run_pool_destroy(struct run_pool *p);

bool run_pool_has_free_slot(const struct run_pool *p);
bool run_pool_is_running(const struct run_pool *p, uint64_t job);
/* A slot must be free. `seconds_max` as the chain limits it. */
void run_pool_start(struct run_pool *p, uint64_t job, const char *bundle_path,
                    uint32_t seconds_max);
/* Forgets how far an interrupted job was; fine if it was not. */
void run_pool_forget(const struct run_pool *p, uint64_t job);
/* True and *out when a job has ended since the last call. */
bool run_pool_collect(struct run_pool *p, struct run_outcome *out);

#endif
