/* job_follow.h - watches a job on the chain from submission to its end, and tells each stage.
 *
 * Works from the contract's events and views at the last finalized block, so it can begin at any
 * time: what happened before is told first. While the job runs it uploads the bundle to whoever
 * holds a replica (when there is one to upload). */
#ifndef LEASEHOLD_WALLET_JOB_FOLLOW_H
#define LEASEHOLD_WALLET_JOB_FOLLOW_H

#include "wallet/job_upload.h"
#include "wallet/progress.h"
#include "wallet/session.h"

/* Numbers of IJobs.State and IJobs.ReplicaState. */
enum job_state {
    JOB_NONE,
    JOB_OPEN,
    JOB_RUNNING,
    JOB_REVEALING,
    JOB_AUDITING,
    JOB_DISPUTED,
    JOB_ACCEPTING,
    JOB_AGREED, /* from here on: ended */
    JOB_SETTLED,
    JOB_REFUNDED,
    JOB_CANCELLED,
    JOB_OVERTURNED,
};
enum replica_state {
    REPLICA_VACANT,
    REPLICA_ASSIGNED,
    REPLICA_SEALED,
    REPLICA_REVEALED,
    REPLICA_PAID,
    REPLICA_FAULTED,
    REPLICA_RELEASED,
};
bool job_ended(enum job_state state);
/* Ended, or all that is still missing is the renter's word. */
bool job_has_answer(uint64_t state);
const char *job_state_name(uint64_t state);
const char *replica_state_name(uint64_t state);
/* Why a job ended, from its `reason`. */
const char *job_reason_text(uint64_t reason);
const char *decline_reason_text(uint64_t reason);

struct follow {
    struct session *session;
    struct progress *progress;
    struct uploads *uploads; /* NULL: nothing to upload */
    uint64_t job;
    uint64_t next_block; /* the first one whose events were not yet told */
    json_t *state;       /* Jobs.getJob */
    json_t *replicas;    /* Jobs.getReplicas */
};

#define FOLLOW_PATIENCE_MS 120000u /* of the node's client: a node may restart under us */

/* One look at the chain, without waiting; for who follows several jobs, with pauses between. */
MUST_CHECK int follow_poll(struct follow *f, bool *out_ended);
void follow_pause(void);
/* Returns when the job has its answer, or CODE_STOPPED. f->state and f->replicas are the last. */
MUST_CHECK int follow_job(struct follow *f);
/* Reads state and replicas once. */
MUST_CHECK int follow_refresh(struct follow *f);
void follow_finish(struct follow *f);

#endif
