/* job challenge, appeal, accept, object, demand; and what `job show` says of a case. */
#include "wallet/dispute.h"

#include "base/units.h"
#include "compute/reason.h"
#include "wallet/handlers.h"
#include "wallet/job_demand.h"
#include "wallet/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define PHASE_NONE 0

/* A call for one job, with the bond that a view names (NULL: none). */
static int act_on_job(struct session *s, enum contract_id id, const char *function,
                      const char *bond_view, const char *done)
{
    uint64_t job = 0;
    char line[200];
    char amount[AMOUNT_TEXT_SIZE];
    struct u256 bond = u256_from_u64(0);
    int code = word_number(s, &job, 0, "the job's id");
    if (code == CODE_DONE) code = session_connect(s);
    if (code == CODE_DONE && bond_view != NULL)
        code = session_call_u256(s, &bond, id, bond_view, json_pack("[o]", abi_u64(job)));
    if (code != CODE_DONE) return code;
    amount_to_short(amount, bond);
    snprintf(line, sizeof line, "job %" PRIu64 " %s%s%s%s", job, done,
             bond_view != NULL ? "; " : "", bond_view != NULL ? amount : "",
             bond_view != NULL ? " are bound until the verdict" : "");
    return session_act(s, id, function, json_pack("[o]", abi_u64(job)), bond, line);
}

int job_challenge(struct session *s)
{
    return act_on_job(s, CONTRACT_JOBS, "challenge", "challengeBond", "challenged");
}

int job_appeal(struct session *s)
{
    return act_on_job(s, CONTRACT_DISPUTES, "appeal", "appealBond", "appealed");
}

int job_accept(struct session *s)
{
    return act_on_job(s, CONTRACT_JOBS, "accept", NULL, "accepted and paid");
}

int job_object(struct session *s)
{
    return act_on_job(s, CONTRACT_JOBS, "object", NULL, "objected to; nobody is paid");
}

/* ---- demand ---- */

static int demand_numbers(struct session *s, uint64_t *job, uint64_t *replica, uint64_t *leaf)
{
    int code = word_number(s, job, 0, "the job's id");
    if (code == CODE_DONE) code = word_number(s, replica, 1, "the worker's number");
    if (code == CODE_DONE && *replica == 0)
        code = fail(s, CODE_USAGE, "workers are counted from 1, as `leasehold job show` does");
    if (code == CODE_DONE) code = option_number(s, leaf, OPTION_LEAF, 0, UINT64_MAX / 4096);
    return code;
}

int job_demand(struct session *s)
{
    struct progress progress;
    struct follow f = {.session = s, .progress = &progress};
    uint64_t replica = 0;
    uint64_t leaf = 0;
    uint64_t id = 0;
    progress_init(&progress, s->json);
    int code = demand_numbers(s, &f.job, &replica, &leaf);
    if (code == CODE_DONE) code = session_unlock(s);
    if (code == CODE_DONE)
        code = demand_send(&f, &id, replica - 1, option_on(s->in, OPTION_BUNDLE), leaf);
    if (code == CODE_DONE && s->json)
        print_json(json_pack("{s:I,s:I}", "job", (json_int_t)f.job, "demand", (json_int_t)id));
    progress_finish(&progress);
    follow_finish(&f);
    return code;
}

/* ---- show ---- */

static const char *kind_name(uint64_t kind)
{
    static const char *const NAMES[] = {"none", "audit", "dispute", "challenge"};
    return kind < 4 ? NAMES[kind] : "?";
}

static const char *phase_name(uint64_t phase)
{
    static const char *const NAMES[] = {"none",      "judges are drawn",   "judges run the job",
                                        "revealing", "may be appealed to", "closed"};
    return phase < 6 ? NAMES[phase] : "?";
}

static const char *seat_name(uint64_t state)
{
    static const char *const NAMES[] = {"vacant", "running", "sealed",      "revealed",
                                        "absent", "silent",  "paid for it", "in error"};
    return state < 8 ? NAMES[state] : "?";
}

static const char *verdict_text(uint64_t exit_reason)
{
    return exit_reason == VERDICT_NO_DATA ? "nobody gave the bundle out"
                                          : reason_name((unsigned)exit_reason);
}

static void print_seat(const json_t *seat, size_t index)
{
    uint64_t state = abi_get_u64(seat, "state");
    printf("judge %zu    %s, %s\n", index + 1, abi_get_text(seat, "operator"), seat_name(state));
    if (state == SEAT_REVEALED || state == SEAT_PAID || state == SEAT_OFF)
        printf("           root %s, %s\n", abi_get_text(seat, "root"),
               verdict_text(abi_get_u64(seat, "exitReason")));
}

int dispute_fetch(struct session *s, json_t **out, uint64_t job)
{
    return session_call(s, out, CONTRACT_DISPUTES, "getCase", json_pack("[o]", abi_u64(job)));
}

void dispute_print(const json_t *c)
{
    char when[32];
    const json_t *verdict = abi_get(c, "verdict");
    const json_t *seats = abi_get(c, "seats");
    uint64_t phase = abi_get_u64(c, "phase");
    if (phase == PHASE_NONE) return;
    time_to_text(when, abi_get_u64(c, "deadline"), (uint64_t)time(NULL));
    printf("case       %s, %s (%s), round %" PRIu64 " with %zu judges\n",
           kind_name(abi_get_u64(c, "kind")), phase_name(phase), when, abi_get_u64(c, "round") + 1,
           json_array_size(seats));
    if (abi_get_bool(verdict, "found"))
        printf("verdict    root %s, %s\n", abi_get_text(verdict, "root"),
               verdict_text(abi_get_u64(verdict, "exitReason")));
    for (size_t i = 0; i < json_array_size(seats); i++)
        print_seat(json_array_get(seats, i), i);
}
