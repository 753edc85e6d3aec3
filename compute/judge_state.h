/* judge_state.h - what the judge's own files share: judge.c (the loop),
 * judge_open.c (start and end), judge_work.c (one duty). Nobody else includes
 * it. */
#ifndef LEASEHOLD_COMPUTE_JUDGE_STATE_H
#define LEASEHOLD_COMPUTE_JUDGE_STATE_H

#include "compute/judge.h"
#include "compute/judge_chain.h"
#include "compute/judge_duty.h"
#include "compute/run_pool.h"

#define JUDGE_AREA "judge" /* of its log lines */

/* A seat that the chain waits for. */
struct duty {
    struct judge_job job;
    uint8_t seat; /* of the journal */
    bool bundle_here;
    size_t next_source;
    uint64_t asked_at_ms; /* of this machine's own clock */
    unsigned failures;    /* of runs */
};

/* Since the start; shown in judge.json. */
struct judge_counts {
    uint64_t sealed;
    uint64_t revealed;
    uint64_t no_data;
    uint64_t failed_runs;
};

struct judge {
    const struct judge_config *config;
    enum judge_fault fault;
    bool stop;
    int lock_fd;
    char data_dir[PATH_MAX - 128];
    struct key key;
    struct address operator_account;
    struct rpc *rpc;
    struct sender sender;
    struct journal *journal;
    struct judge_fetch *fetch;
    struct run_pool *pool; /* made when the chain has told how long a run may take */
    struct duty duties[DUTIES_MAX];
    size_t duty_count;
    uint64_t now_s; /* of the chain */
    uint64_t head;
    bool look_again; /* something was sent, fetched or run since the last look */
    struct judge_counts counts;
};

/* What threads have finished: bundles, and runs whose verdict goes into the
 * journal. */
void judge_collect(struct judge *j);
/* Reads one duty's case, decides, and does it. */
void judge_look_at(struct judge *j, uint64_t job);
/* Duties that are no longer in the list, with their bundles. */
void judge_drop_others(struct judge *j, const uint64_t *jobs, size_t count);
void judge_write_state(const struct judge *j);

#endif
