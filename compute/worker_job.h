/* worker_job.h - what to do about one job: a pure decision over what the chain says and what the
 * journal holds.
 *
 * The chain is the truth about what was sent; the journal is the truth about what was run. So a
 * worker that was killed at any moment asks the same question again and goes on. Invariants:
 *   1. nothing is sealed before its salt and result are in the journal (JOURNAL_RAN);
 *   2. a job in JOURNAL_RAN or later is never run again;
 *   3. a reveal is sent only while the chain is revealing and holds this worker's seal. */
#ifndef LEASEHOLD_COMPUTE_WORKER_JOB_H
#define LEASEHOLD_COMPUTE_WORKER_JOB_H

#include "compute/worker_chain.h"
#include "compute/worker_config.h"

enum worker_action {
    ACT_WAIT,
    ACT_RUN, /* start it: the bundle is whole and a slot is free */
    ACT_SEAL,
    ACT_REVEAL,
    ACT_DECLINE, /* with the reason beside it */
    ACT_SETTLE,  /* the job ended, but may be challenged: note it, keep bundle and result */
    ACT_END,     /* nothing more can come: note it, drop the bundle, keep the result for its time */
};

struct worker_view {
    const struct chain_job *job;
    const struct journal_entry *entry; /* NULL: the journal knows nothing of it */
    bool running;                      /* in the sandbox now */
    bool cannot_run;                   /* this machine failed at it */
    bool slot_free;
    bool draining; /* the worker is about to stop: it takes nothing new */
    bool bundle_whole;
    uint64_t bundle_held; /* 0: not begun; leaf hashes count, they come first */
    uint64_t now_s;       /* of the chain */
    uint64_t decline_window_s;
    uint64_t upload_s; /* patience for the first byte of the bundle */
    enum worker_fault fault;
};

enum worker_action worker_decide(const struct worker_view *view, enum decline_reason *out_reason);
const char *worker_action_text(enum worker_action action);

#endif
