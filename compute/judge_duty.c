#include "compute/judge_duty.h"

#include <assert.h>

/* The last part of a window is for the verdict itself. */
#define LATE_SHARE  8
#define LATE_LEAST  3
#define LATE_MOST_S 60

const char *judge_action_text(enum judge_action action)
{
    switch (action) {
    case JUDGE_WAIT: return "wait";
    case JUDGE_FETCH: return "fetch";
    case JUDGE_RUN: return "run";
    case JUDGE_GIVE_UP: return "give-up";
    case JUDGE_SEAL: return "seal";
    case JUDGE_REVEAL: return "reveal";
    case JUDGE_END: return "end";
    }
    return "?";
}

uint8_t judge_seat(unsigned round)
{
    assert(round < CASE_ROUNDS_MAX);
    return (uint8_t)(round + 1); /* 0 is a worker's replica */
}

static bool has_verdict(const struct judge_view *v)
{
    return v->entry != NULL && v->entry->stage >= JOURNAL_RAN;
}

static bool is_late(const struct judge_view *v)
{
    uint64_t window_s = v->c->seal_by_s - v->c->seated_at_s;
    uint64_t late_s = window_s / LATE_SHARE;
    if (late_s < LATE_LEAST) late_s = LATE_LEAST;
    if (late_s > LATE_MOST_S) late_s = LATE_MOST_S;
    return v->now_s + late_s >= v->c->seal_by_s;
}

static enum judge_action while_seated(const struct judge_view *v)
{
    if (v->c->phase != CASE_SEALING || v->now_s > v->c->seal_by_s) return JUDGE_WAIT;
    if (v->fault == JUDGE_FAULT_SILENT) return JUDGE_WAIT;
    if (has_verdict(v)) return JUDGE_SEAL;
    if (v->running || v->cannot_run) return JUDGE_WAIT;
    if (v->bundle_here) return v->slot_free ? JUDGE_RUN : JUDGE_WAIT;
    if (is_late(v)) return JUDGE_GIVE_UP;
    return v->may_ask ? JUDGE_FETCH : JUDGE_WAIT;
}

static enum judge_action while_sealed(const struct judge_view *v)
{
    if (v->c->phase != CASE_REVEALING || v->now_s > v->c->deadline_s) return JUDGE_WAIT;
    if (v->fault == JUDGE_FAULT_NOREVEAL) return JUDGE_WAIT;
    return has_verdict(v) ? JUDGE_REVEAL : JUDGE_WAIT;
}

enum judge_action judge_decide(const struct judge_view *v)
{
    assert(v->c != NULL);
    bool over = !v->c->mine || v->c->phase == CASE_CLOSED || v->c->phase == CASE_IDLE;
    if (over) return v->running ? JUDGE_WAIT : JUDGE_END;
    switch (v->c->seat) {
    case SEAT_SEATED: return while_seated(v);
    case SEAT_SEALED: return while_sealed(v);
    case SEAT_VACANT: return JUDGE_WAIT;
    case SEAT_REVEALED:
    case SEAT_ABSENT:
    case SEAT_SILENT:
    case SEAT_PAID:
    case SEAT_OFF: break;
    }
    return v->running ? JUDGE_WAIT : JUDGE_END;
}
