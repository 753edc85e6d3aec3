#include "wallet/job_tell.h"

#include "base/fatal.h"
#include "base/units.h"
#include "compute/reason.h"
#include "wallet/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* ---- audits, disputes, challenges ---- */

static const char *judged_text(uint64_t exit_reason)
{
    return exit_reason == VERDICT_NO_DATA ? "nobody gave it the job"
                                          : reason_text((unsigned)exit_reason);
}

static uint64_t judge_of(const struct told *t)
{
    return abi_get_u64(t->args, "seat") + 1;
}

static void tell_audit(struct told *t)
{
    progress_stage(t->f->progress, &t->stage, "%s",
                   abi_get_bool(t->args, "drawn") ? "drawn: a validator runs the job again"
                                                  : "not drawn this time");
}

static void tell_disputed(struct told *t)
{
    progress_stage(t->f->progress, &t->stage,
                   "the results differ: a committee of validators runs the job again");
}

static void tell_challenged(struct told *t)
{
    tell_amount(t, "somebody doubts the result, for a bond of", "bond");
}

static void tell_seat(struct told *t)
{
    struct address judge = abi_get_address(t->args, "operator");
    progress_stage(t->f->progress, &t->stage, "judge %llu is validator %s",
                   (unsigned long long)judge_of(t), session_name(t->f->session, &judge));
}

static void tell_judgement(struct told *t)
{
    uint64_t reason = abi_get_u64(t->args, "exitReason");
    if (reason == REASON_OK)
        progress_stage(t->f->progress, &t->stage, "judge %llu: root %.18s...",
                       (unsigned long long)judge_of(t), abi_get_text(t->args, "root"));
    else
        progress_stage(t->f->progress, &t->stage, "judge %llu: %s", (unsigned long long)judge_of(t),
                       judged_text(reason));
}

static void tell_judge_slashed(struct told *t)
{
    char amount[AMOUNT_TEXT_SIZE];
    amount_to_short(amount, abi_get_u256(t->args, "slashed"));
    progress_stage(t->f->progress, &t->stage, "judge %llu loses %s",
                   (unsigned long long)judge_of(t), amount);
}

static void tell_verdict(struct told *t)
{
    uint64_t reason = abi_get_u64(t->args, "exitReason");
    if (!abi_get_bool(t->args, "found"))
        progress_stage(t->f->progress, &t->stage, "none: the judges do not agree");
    else if (reason == REASON_OK)
        progress_stage(t->f->progress, &t->stage, "root %.18s...", abi_get_text(t->args, "root"));
    else
        progress_stage(t->f->progress, &t->stage, "%s", judged_text(reason));
}

static void tell_accepting(struct told *t)
{
    char when[32];
    time_to_text(when, abi_get_u64(t->args, "objectBy"), (uint64_t)time(NULL));
    progress_stage(t->f->progress, &t->stage, "paid %s unless you object", when);
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
    {"AuditDrawn", "audit", tell_audit},
    {"JobDisputed", "disputed", tell_disputed},
    {"JobChallenged", "challenged", tell_challenged},
    {"SeatDrawn", "judges", tell_seat},
    {"VerdictRevealed", "judged", tell_judgement},
    {"JudgeAbsent", "absent", tell_judge_slashed},
    {"JudgeOff", "in error", tell_judge_slashed},
    {"RoundEnded", "verdict", tell_verdict},
    {"JobAccepting", "accepting", tell_accepting},
    {"ReplicaWithheld", "withheld", tell_slashed},
};

/* The settlement's one transaction emits the payments before the verdict; people read the verdict
 * first. Events of one block are told in this order of passes. */
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

struct placed {
    const json_t *event;
    uint64_t block;
    uint64_t index; /* of the log in its block */
    int pass;
};

static int by_place(const void *a, const void *b)
{
    const struct placed *x = a;
    const struct placed *y = b;
    if (x->block != y->block) return x->block < y->block ? -1 : 1;
    if (x->pass != y->pass) return x->pass - y->pass;
    return (x->index > y->index) - (x->index < y->index);
}

void job_tell_events(struct follow *f, const json_t *events)
{
    size_t count = json_array_size(events);
    struct placed *placed = must_alloc((count + 1) * sizeof *placed);
    for (size_t i = 0; i < count; i++) {
        const json_t *event = json_array_get(events, i);
        placed[i] =
            (struct placed){event, abi_get_u64(event, "blockNumber"),
                            abi_get_u64(event, "logIndex"), pass_of(abi_get_text(event, "name"))};
    }
    qsort(placed, count, sizeof *placed, by_place);
    for (size_t i = 0; i < count; i++)
        tell_event(f, placed[i].event);
    free(placed);
}
