#include "compute/worker_job.h"

#include <assert.h>

#define RUNTIME_CUDA_C 0

const char *worker_action_text(enum worker_action action)
{
    switch (action) {
    case ACT_WAIT: return "wait";
    case ACT_RUN: return "run";
    case ACT_SEAL: return "seal";
    case ACT_REVEAL: return "reveal";
    case ACT_DECLINE: return "decline";
    case ACT_SETTLE: return "settle";
    case ACT_END: return "end";
    }
    return "?";
}

static bool has_result(const struct worker_view *v)
{
    return v->entry && v->entry->stage >= JOURNAL_RAN;
}

/* One second before the window closes, a transaction may still get in. */
static bool may_decline(const struct worker_view *v)
{
    return v->now_s + 1 <= v->job->assigned_at_s + v->decline_window_s;
}

static bool is_last_moment(const struct worker_view *v)
{
    return v->now_s + 3 > v->job->assigned_at_s + v->decline_window_s;
}

static enum worker_action decline(enum decline_reason *out, enum decline_reason reason)
{
    *out = reason;
    return ACT_DECLINE;
}

/* Assigned, and nothing was run yet. */
static enum worker_action before_running(const struct worker_view *v, enum decline_reason *reason)
{
    bool in_time = may_decline(v);
    if (v->draining && in_time) return decline(reason, DECLINE_SHUTDOWN);
    if (v->job->runtime != RUNTIME_CUDA_C && in_time) return decline(reason, DECLINE_UNSUPPORTED);
    if (v->cannot_run) return in_time ? decline(reason, DECLINE_INTERNAL) : ACT_WAIT;
    if (v->bundle_whole && v->slot_free) return ACT_RUN;
    if (v->bundle_whole) {
        bool give_up = in_time && is_last_moment(v);
        return give_up ? decline(reason, DECLINE_BUSY) : ACT_WAIT;
    }
    bool never_began = v->bundle_held == 0 && v->now_s > v->job->assigned_at_s + v->upload_s;
    if (in_time && (never_began || is_last_moment(v))) return decline(reason, DECLINE_NO_DATA);
    return ACT_WAIT;
}

static enum worker_action while_assigned(const struct worker_view *v, enum decline_reason *reason)
{
    if (v->fault == FAULT_SILENT || v->running) return ACT_WAIT;
    if (v->now_s > v->job->seal_by_s) return ACT_WAIT; /* the chain will settle that */
    return has_result(v) ? ACT_SEAL : before_running(v, reason);
}

/* While the chain holds stake for it, the job's data is answered for. */
static enum worker_action after_end(const struct worker_view *v)
{
    enum journal_stage noted = v->entry ? v->entry->stage : JOURNAL_STARTED;
    if (noted == JOURNAL_ENDED || v->running) return ACT_WAIT;
    if (!v->job->at_risk) return ACT_END;
    return noted == JOURNAL_SETTLED ? ACT_WAIT : ACT_SETTLE;
}

enum worker_action worker_decide(const struct worker_view *v, enum decline_reason *out_reason)
{
    assert(v->job && v->job->mine);
    if (v->job->state >= CHAIN_JOB_AGREED) return after_end(v);
    switch (v->job->replica) {
    case CHAIN_REPLICA_ASSIGNED: return while_assigned(v, out_reason);
    case CHAIN_REPLICA_SEALED:
        if (v->job->state != CHAIN_JOB_REVEALING || v->fault == FAULT_NOREVEAL) return ACT_WAIT;
        return has_result(v) ? ACT_REVEAL : ACT_WAIT;
    case CHAIN_REPLICA_VACANT:
    case CHAIN_REPLICA_REVEALED:
    case CHAIN_REPLICA_PAID:
    case CHAIN_REPLICA_FAULTED:
    case CHAIN_REPLICA_RELEASED: break;
    }
    return ACT_WAIT;
}
