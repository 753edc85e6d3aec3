#include "wallet/job_follow.h"

#include "base/units.h"
#include "wallet/job_tell.h"
#include "wallet/output.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define POLL_MS 120u

static const char *const job_states[] = {"none",     "open",     "running",   "revealing",
                                         "auditing", "disputed", "accepting", "agreed",
                                         "settled",  "refunded", "cancelled", "overturned"};
static const char *const replica_states[] = {"vacant", "running", "sealed",  "revealed",
                                             "paid",   "faulted", "released"};
static const char *const job_reasons[] = {
    "not ended",
    "all replicas agreed",
    "a majority agreed",
    "no majority agreed: everybody is refunded, nobody paid",
    "not enough workers in time",
    "cancelled by the renter",
    "too few workers answered in time",
    "validators ran it again and settled it",
    "validators came to no verdict: everybody is refunded",
    "accepted by the renter, or nobody objected in time",
    "the renter objected",
    "the worker did not show the result when asked for it",
};
static const char *const decline_reasons[] = {"no reason",         "busy",
                                              "no bundle arrived", "not supported",
                                              "shutting down",     "a failure of its own"};

static const char *name_of(const char *const *names, size_t count, uint64_t index)
{
    return index < count ? names[index] : "unknown";
}
#define NAME_OF(names, index) name_of(names, sizeof names / sizeof *names, index)

const char *job_state_name(uint64_t state)
{
    return NAME_OF(job_states, state);
}

const char *replica_state_name(uint64_t state)
{
    return NAME_OF(replica_states, state);
}

const char *job_reason_text(uint64_t reason)
{
    return NAME_OF(job_reasons, reason);
}

const char *decline_reason_text(uint64_t reason)
{
    return NAME_OF(decline_reasons, reason);
}

bool job_ended(enum job_state state)
{
    return state >= JOB_AGREED;
}

bool job_has_answer(uint64_t state)
{
    return state == JOB_ACCEPTING || job_ended((enum job_state)state);
}

int follow_refresh(struct follow *f)
{
    json_t *state = NULL;
    json_t *answer = NULL;
    int code = session_call(f->session, &state, CONTRACT_JOBS, "getJob",
                            json_pack("[o]", abi_u64(f->job)));
    if (code == CODE_DONE)
        code = session_call(f->session, &answer, CONTRACT_JOBS, "getReplicas",
                            json_pack("[o]", abi_u64(f->job)));
    if (code == CODE_DONE) {
        json_decref(f->state);
        json_decref(f->replicas);
        f->state = json_incref(state);
        f->replicas = json_incref(json_object_get(answer, "0"));
    }
    json_decref(state);
    json_decref(answer);
    return code;
}

void follow_finish(struct follow *f)
{
    json_decref(f->state);
    json_decref(f->replicas);
    f->state = NULL;
    f->replicas = NULL;
}

static void start_uploads(struct follow *f)
{
    if (f->uploads == NULL) return;
    for (size_t i = 0; i < json_array_size(f->replicas); i++) {
        const json_t *replica = json_array_get(f->replicas, i);
        if (abi_get_u64(replica, "state") == REPLICA_ASSIGNED)
            uploads_start(f->uploads, (unsigned)i, replica);
    }
}

static void tell_uploads(struct follow *f)
{
    char size[32];
    if (f->uploads == NULL) return;
    size_to_text(size, f->uploads->content.size);
    for (size_t i = 0; i < f->uploads->count; i++) {
        struct upload *u = &f->uploads->items[i];
        enum upload_state state = upload_state(u);
        if (u->told || state == UPLOAD_RUNNING) continue;
        u->told = true;
        if (state == UPLOAD_DONE) {
            progress_stage(f->progress, &(struct stage){.name = "uploaded"}, "to worker %u, %s%s",
                           u->replica + 1, size,
                           atomic_load(&u->relayed) ? ", by another worker" : "");
            progress_stage(f->progress, &(struct stage){.name = "running"}, "on worker %u",
                           u->replica + 1);
        } else {
            progress_stage(f->progress, &(struct stage){.name = "upload"},
                           "to worker %u failed: %s", u->replica + 1, u->problem);
        }
    }
}

static void show_waiting(struct follow *f)
{
    size_t counts[REPLICA_RELEASED + 1] = {0};
    size_t total = json_array_size(f->replicas);
    uint64_t state = abi_get_u64(f->state, "state");
    for (size_t i = 0; i < total; i++) {
        uint64_t replica = abi_get_u64(json_array_get(f->replicas, i), "state");
        if (replica <= REPLICA_RELEASED) counts[replica]++;
    }
    if (state == JOB_OPEN) progress_waiting(f->progress, "waiting for free workers");
    if (state == JOB_RUNNING)
        progress_waiting(f->progress, "running: %zu of %zu sealed", counts[REPLICA_SEALED], total);
    char uploading[TRANSFER_TEXT_SIZE + 40];
    if (f->uploads != NULL && uploads_text(f->uploads, uploading))
        progress_waiting(f->progress, "%s", uploading);
    if (state == JOB_AUDITING)
        progress_waiting(f->progress, "waiting whether a validator runs it again");
    if (state == JOB_DISPUTED) progress_waiting(f->progress, "validators run it again");
    if (state == JOB_REVEALING)
        progress_waiting(f->progress, "revealing: %zu of %zu", counts[REPLICA_REVEALED], total);
}

/* What the job's contracts said of it, each contract's oldest first. */
static int read_events(struct follow *f, json_t **out, const struct event_query *query)
{
    static const enum contract_id FROM[] = {CONTRACT_JOBS, CONTRACT_DISPUTES};
    json_t *all = json_array();
    int code = CODE_DONE;
    for (size_t i = 0; i < sizeof FROM / sizeof *FROM && code == CODE_DONE; i++) {
        json_t *events = NULL;
        enum status status = contract_events(f->session->rpc, &events, FROM[i], query);
        if (status != OK) code = fail_rpc(f->session, status, "asking for the job's events");
        json_array_extend(all, events);
        json_decref(events);
    }
    *out = all;
    return code;
}

/* Looks at the chain once more if it has moved. */
static int step(struct follow *f)
{
    uint64_t head = 0;
    json_t *events = NULL;
    struct hash topic;
    enum status status = rpc_call_u64(f->session->rpc, &head, "eth_blockNumber", NULL);
    if (status != OK) return fail_rpc(f->session, status, "asking for the newest block");
    if (head < f->next_block) return CODE_DONE;
    u256_to_be(topic.b, u256_from_u64(f->job));
    int code = follow_refresh(f);
    if (code != CODE_DONE) return code;
    start_uploads(f);
    code = read_events(f, &events, &(struct event_query){NULL, &topic, f->next_block, head});
    if (code == CODE_DONE) job_tell_events(f, events);
    json_decref(events);
    if (code != CODE_DONE) return code;
    f->next_block = head + 1;
    return CODE_DONE;
}

int follow_poll(struct follow *f, bool *out_ended)
{
    int code = step(f);
    tell_uploads(f);
    show_waiting(f);
    progress_tick(f->progress);
    *out_ended = code == CODE_DONE && job_has_answer(abi_get_u64(f->state, "state"));
    if (code == CODE_DONE && !*out_ended && rpc_stopped(f->session->rpc)) code = CODE_STOPPED;
    return code;
}

void follow_pause(void)
{
    struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    nanosleep(&pause, NULL);
}

int follow_job(struct follow *f)
{
    uint32_t patience = rpc_patience(f->session->rpc);
    bool ended = false;
    rpc_set_patience(f->session->rpc, FOLLOW_PATIENCE_MS);
    int code = follow_poll(f, &ended);
    while (code == CODE_DONE && !ended) {
        follow_pause();
        code = follow_poll(f, &ended);
    }
    rpc_set_patience(f->session->rpc, patience);
    return code;
}
