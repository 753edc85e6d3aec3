/* run_keep.h - the part of run_job that has to do with traces, dumps and checkpoints.
 *
 * One object a run of a job that has a trace or checkpoints. It looks at what the caller wants,
 * opens the checkpoint to go on from, makes the runner's extra arguments and hears what the runner
 * says. Zero-initialised is closed. One thread. */
#ifndef LEASEHOLD_COMPUTE_RUN_KEEP_H
#define LEASEHOLD_COMPUTE_RUN_KEEP_H

#include "compute/listener.h"
#include "compute/run.h"

#define KEEPING_ARGS_MAX 8

struct run_keeper {
    const struct run_keep *wish;
    const struct plan *plan;
    struct hash bundle;
    struct listener listener;
    struct buffer rows; /* of the images before the one to go on from */
    uint64_t resume_step;
    int resume_fd; /* 0: from the start */
    const char *args[KEEPING_ARGS_MAX];
    size_t arg_count;
    char seconds[16];
    char step[24];
    char dumps[TRACE_DUMPS_MAX * 8];
};

/* E_LIMIT, E_RANGE, E_NOT_FOUND, E_MALFORMED, E_IO, with `error`. The plan is borrowed. */
MUST_CHECK enum status run_keeper_open(struct run_keeper *k, char error[RUN_ERROR_SIZE],
                                       const struct run_keep *wish, const struct plan *plan,
                                       const struct hash *bundle, int outputs_fd);
/* Fills in what the sandbox needs to know. */
void run_keeper_spec(struct run_keeper *k, struct sandbox_spec *spec);
/* After a run that ended with REASON_OK, which it takes back when not all was said; writes the
 * list and tells its root. E_IO. */
MUST_CHECK enum status run_keeper_end(struct run_keeper *k, struct run_result *result);
void run_keeper_close(struct run_keeper *k);

#endif
