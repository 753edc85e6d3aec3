/* worker_state.h - what the worker's own files share: worker.c (the loop), worker_open.c (start and
 * end), worker_work.c (runs, and acting on one job). Nobody else includes it. */
#ifndef LEASEHOLD_COMPUTE_WORKER_STATE_H
#define LEASEHOLD_COMPUTE_WORKER_STATE_H

#include "compute/gateway_server.h"
#include "compute/keeping.h"
#include "compute/run_pool.h"
#include "compute/worker.h"
#include "compute/worker_job.h"

#define WORKER_AREA "worker" /* of its log lines */

struct failed_run {
    uint64_t job;
    unsigned count;
};

struct worker {
    const struct worker_config *config;
    enum worker_fault fault;
    bool stop;
    int lock_fd;
    char data_dir[PATH_MAX - 128];
    struct key key;
    struct rpc *rpc;
    struct sender sender;
    struct worker_chain chain;
    struct journal *journal;
    struct blobs *blobs;
    struct known_jobs *known;
    struct keeping keeping; /* of the three above */
    enum run_executor executor;
    struct gpus gpus; /* those that it may use */
    struct run_pool *pool;
    struct gateway_server *gateway;
    struct bundle_relay *relay;
    uint64_t now_s; /* of the chain */
    uint64_t head;
    bool look_again;       /* something was sent or run since the last look */
    int stop_requests;     /* SIGTERM: one drains, two stop */
    size_t open_count;     /* jobs that are not over, at the last look */
    size_t settled_cursor; /* among the settled ones: a few are looked at in each turn */
    struct failed_run failed[WORKER_JOBS_MAX];
    size_t failed_count;
};

bool worker_stopping(const struct worker *w);
bool worker_draining(const struct worker *w);

/* Takes in what the slots have finished: result to disk, then its record with the salt. */
void worker_collect_runs(struct worker *w);
/* Reads one job, decides, and does it. */
void worker_look_at_job(struct worker *w, uint64_t id);
/* Tells the gateway who besides the renter may read: the job's other workers, those who judge it
 * (worker_admit.c). */
void worker_admit(struct worker *w, const struct chain_job *job);
/* Shows the leaves that renters and judges have demanded on the chain (worker_custody.c). */
void worker_answer_demands(struct worker *w);
/* Tells the gateway what a job's parties may do. */
void worker_make_known(struct worker *w, const struct chain_job *job,
                       const struct journal_entry *entry);

#endif
