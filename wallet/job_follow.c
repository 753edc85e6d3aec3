#include "wallet/job_follow.h"

#include "base/units.h"
#include "compute/reason.h"
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

/* One event being told. */
struct told {
    struct follow *f;
    const json_t *args;
    struct stage stage;
    uint64_t worker; /* number for people: replica index + 1 */
};

static uint64_t worker_of_provider(const struct follow *f, const struct address *provider)
{
    for (size_t i = 0; i < json_array_size(f->replicas); i++) {
        struct address a = abi_get_address(json_array_get(f->replicas, i), "provider");
        if (address_equal(&a, provider)) return i + 1;
    }
    return 0;
}

static void tell_assigned(struct told *t)
{
    char price[AMOUNT_TEXT_SIZE];
    struct address provider = abi_get_address(t->args, "provider");
    amount_to_short(price, abi_get_u256(t->args, "pricePerSecond"));
    progress_stage(t->f->progress, &t->stage, "worker %llu is %s, %s/s",
                   (unsigned long long)t->worker, session_name(t->f->session, &provider), price);
}

static void tell_amount(struct told *t, const char *before, const char *key)
{
    char amount[AMOUNT_TEXT_SIZE];
    amount_to_short(amount, abi_get_u256(t->args, key));
    progress_stage(t->f->progress, &t->stage, "%s %s", before, amount);
}

static void tell_worker_amount(struct told *t, const char *after, const char *key)
{
    struct address provider = abi_get_address(t->args, "provider");
    uint64_t worker = worker_of_provider(t->f, &provider);
    char amount[AMOUNT_TEXT_SIZE];
    amount_to_short(amount, abi_get_u256(t->args, key));
    progress_stage(t->f->progress, &t->stage, "worker %llu %s %s", (unsigned long long)worker,
                   after, amount);
}

static void tell_revealed(struct told *t)
{
    uint64_t reason = abi_get_u64(t->args, "exitReason");
    uint64_t seconds = abi_get_u64(t->args, "secondsUsed");
    if (reason == REASON_OK) {
        progress_stage(t->f->progress, &t->stage, "worker %llu: root %.18s..., %llu s",
                       (unsigned long long)t->worker, abi_get_text(t->args, "root"),
                       (unsigned long long)seconds);
    } else {
        progress_stage(t->f->progress, &t->stage, "worker %llu: no result: %s",
                       (unsigned long long)t->worker, reason_text((unsigned)reason));
    }
}

static void tell_settled(struct told *t)
{
    uint64_t state = abi_get_u64(t->args, "state");
    bool agreed = state == JOB_AGREED || state == JOB_SETTLED;
    size_t paid = 0;
    for (size_t i = 0; i < json_array_size(t->f->replicas); i++)
        if (abi_get_u64(json_array_get(t->f->replicas, i), "state") == REPLICA_PAID) paid++;
    t->stage.name = agreed ? "agreed" : job_state_name(state);
    if (agreed) {
        progress_stage(t->f->progress, &t->stage, "%zu of %zu workers have the same result", paid,
                       json_array_size(t->f->replicas));
    } else {
        progress_stage(t->f->progress, &t->stage, "%s",
                       job_reason_text(abi_get_u64(t->args, "reason")));
    }
}

static void tell_declined(struct told *t)
{
    progress_stage(t->f->progress, &t->stage, "worker %llu: %s", (unsigned long long)t->worker,
                   decline_reason_text(abi_get_u64(t->args, "reason")));
}

static void tell_sealed(struct told *t)
{
    progress_stage(t->f->progress, &t->stage, "worker %llu has bound itself to a result",
                   (unsigned long long)t->worker);
}

static void tell_paid(struct told *t)
{
    tell_worker_amount(t, "gets", "amount");
}

static void tell_refunded(struct told *t)
{
    tell_amount(t, "to the renter, not used:", "amount");
}

static void tell_compensated(struct told *t)
{
    tell_amount(t, "to the renter, from slashed stake:", "amount");
}

static void tell_slashed(struct told *t)
{
    tell_worker_amount(t, "loses", "slashed");
}

static const struct teller {
    const char *event;
    const char *stage;
    void (*tell)(struct told *t);
} tellers[] = {
    {"JobAssigned", "matched", tell_assigned},
    {"JobSealed", "sealed", tell_sealed},
    {"JobRevealed", "revealed", tell_revealed},
    {"JobSettled", "agreed", tell_settled},
    {"Paid", "paid", tell_paid},
    {"Refunded", "refunded", tell_refunded},
    {"Compensated", "compensated", tell_compensated},
    {"ReplicaFaulted", "slashed", tell_slashed},
    {"JobTimedOut", "timed out", tell_slashed},
    {"JobDeclined", "declined", tell_declined},
};

/* The settlement's one transaction emits the payments before the verdict; people read the verdict
 * first. Events of one transaction are told in this order of passes. */
static int pass_of(const char *event)
{
    return strcmp(event, "Paid") == 0 || strcmp(event, "Refunded") == 0 ||
                   strcmp(event, "Compensated") == 0 || strcmp(event, "ReplicaFaulted") == 0
               ? 1
               : 0;
}

static void tell_event(struct follow *f, const json_t *event)
{
    struct told t = {.f = f, .args = abi_get(event, "args")};
    const char *name = abi_get_text(event, "name");
    t.worker = abi_get_u64(t.args, "replicaIndex") + 1;
    t.stage = (struct stage){NULL, abi_get_u64(event, "blockNumber"),
                             abi_get_text(event, "transactionHash")};
    for (size_t i = 0; i < sizeof tellers / sizeof *tellers; i++) {
        if (strcmp(tellers[i].event, name) != 0) continue;
        t.stage.name = tellers[i].stage;
        tellers[i].tell(&t);
    }
}

static void tell_events(struct follow *f, const json_t *events)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < json_array_size(events); i++) {
            const json_t *event = json_array_get(events, i);
            if (pass_of(abi_get_text(event, "name")) == pass) tell_event(f, event);
        }
    }
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
            progress_stage(f->progress, &(struct stage){.name = "uploaded"}, "to worker %u, %s",
                           u->replica + 1, size);
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
    if (state == JOB_REVEALING)
        progress_waiting(f->progress, "revealing: %zu of %zu", counts[REPLICA_REVEALED], total);
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
    struct event_query query = {NULL, &topic, f->next_block, head};
    status = contract_events(f->session->rpc, &events, CONTRACT_JOBS, &query);
    if (status != OK) return fail_rpc(f->session, status, "asking for the job's events");
    tell_events(f, events);
    json_decref(events);
    f->next_block = head + 1;
    return CODE_DONE;
}

int follow_poll(struct follow *f, bool *out_ended)
{
    int code = step(f);
    tell_uploads(f);
    show_waiting(f);
    progress_tick(f->progress);
    *out_ended = code == CODE_DONE && job_ended((enum job_state)abi_get_u64(f->state, "state"));
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
