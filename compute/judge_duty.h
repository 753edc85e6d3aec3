/* judge_duty.h - what to do about one seat in a committee: a pure decision over what the chain
 * says, what the journal holds and what this machine is doing.
 *
 * As with a worker's job, the chain is the truth about what was sent and the journal about what was
 * found out, so a judge that was killed at any moment asks again and goes on. Invariants:
 *   1. nothing is sealed before result and salt are in the journal (JOURNAL_RAN);
 *   2. a seat that has a record in JOURNAL_RAN or later never gets another: one verdict a seat;
 *   3. "nobody gave me the bundle" is said only when the time to go on asking is over;
 *   4. a failure of this machine is never a verdict: it stays silent, which costs less than a lie.
 */
#ifndef LEASEHOLD_COMPUTE_JUDGE_DUTY_H
#define LEASEHOLD_COMPUTE_JUDGE_DUTY_H

#include "compute/case_chain.h"
#include "compute/journal.h"
#include "compute/judge_config.h"

enum judge_action {
    JUDGE_WAIT,
    JUDGE_FETCH, /* ask the next replica's gateway for the bundle */
    JUDGE_RUN,
    JUDGE_GIVE_UP, /* the verdict is that there is no data */
    JUDGE_SEAL,
    JUDGE_REVEAL,
    JUDGE_END, /* nothing is left to do: the bundle may go */
};

struct judge_view {
    const struct chain_case *c;
    const struct journal_entry *entry; /* NULL: nothing is known of this seat */
    bool running;
    bool cannot_run; /* this machine failed at it */
    bool slot_free;
    bool bundle_here;
    bool may_ask; /* a place to fetch is free, and the last asking is a while ago */
    uint64_t now_s;
    enum judge_fault fault;
};

enum judge_action judge_decide(const struct judge_view *view);
const char *judge_action_text(enum judge_action action);

/* The journal's number of a seat: an operator has one at most in each round of a job. */
uint8_t judge_seat(unsigned round);

#endif
