/* What a judge does about its seat: a table over phase, seat, journal and machine. */
#include "compute/judge_duty.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define NONE -1 /* the journal knows nothing */

enum machine {
    IDLE,
    ASKING, /* every gateway is being asked, or was just now */
    FULL,   /* the bundle is here, all slots are taken */
    READY,  /* the bundle is here, a slot is free */
    RUNNING,
    BROKEN,
};

struct row {
    const char *what;
    enum case_phase phase;
    enum seat_state seat;
    int stage;
    enum machine machine;
    uint64_t now_s;
    enum judge_fault fault;
    enum judge_action expected;
};

/* Seated at 100, seals until 180 (the last ten seconds are late), reveals until 200. */
static const struct row ROWS[] = {
    {"asks for the bundle", CASE_SEALING, SEAT_SEATED, NONE, IDLE, 101, JUDGE_FAULT_NONE,
     JUDGE_FETCH},
    {"does not ask all the time", CASE_SEALING, SEAT_SEATED, NONE, ASKING, 101, JUDGE_FAULT_NONE,
     JUDGE_WAIT},
    {"goes on asking until it is late", CASE_SEALING, SEAT_SEATED, NONE, IDLE, 169,
     JUDGE_FAULT_NONE, JUDGE_FETCH},
    {"then says that there is no data", CASE_SEALING, SEAT_SEATED, NONE, ASKING, 170,
     JUDGE_FAULT_NONE, JUDGE_GIVE_UP},
    {"runs what it got", CASE_SEALING, SEAT_SEATED, NONE, READY, 110, JUDGE_FAULT_NONE, JUDGE_RUN},
    {"runs even when it is late", CASE_SEALING, SEAT_SEATED, NONE, READY, 175, JUDGE_FAULT_NONE,
     JUDGE_RUN},
    {"waits for a slot and never says no data for want of one", CASE_SEALING, SEAT_SEATED, NONE,
     FULL, 175, JUDGE_FAULT_NONE, JUDGE_WAIT},
    {"waits while it runs", CASE_SEALING, SEAT_SEATED, NONE, RUNNING, 175, JUDGE_FAULT_NONE,
     JUDGE_WAIT},
    {"a machine that cannot run it stays silent", CASE_SEALING, SEAT_SEATED, NONE, BROKEN, 175,
     JUDGE_FAULT_NONE, JUDGE_WAIT},
    {"seals what is in the journal", CASE_SEALING, SEAT_SEATED, JOURNAL_RAN, READY, 150,
     JUDGE_FAULT_NONE, JUDGE_SEAL},
    {"seals again if the chain lost it", CASE_SEALING, SEAT_SEATED, JOURNAL_SEALED, IDLE, 150,
     JUDGE_FAULT_NONE, JUDGE_SEAL},
    {"does not seal after the deadline", CASE_SEALING, SEAT_SEATED, JOURNAL_RAN, IDLE, 181,
     JUDGE_FAULT_NONE, JUDGE_WAIT},
    {"does not start anything after the deadline", CASE_SEALING, SEAT_SEATED, NONE, IDLE, 181,
     JUDGE_FAULT_NONE, JUDGE_WAIT},
    {"keeps its secret while others still seal", CASE_SEALING, SEAT_SEALED, JOURNAL_SEALED, IDLE,
     150, JUDGE_FAULT_NONE, JUDGE_WAIT},
    {"keeps it while a seat is drawn again", CASE_DRAWING, SEAT_SEALED, JOURNAL_SEALED, IDLE, 150,
     JUDGE_FAULT_NONE, JUDGE_WAIT},
    {"reveals when the chain reveals", CASE_REVEALING, SEAT_SEALED, JOURNAL_SEALED, IDLE, 190,
     JUDGE_FAULT_NONE, JUDGE_REVEAL},
    {"reveals after a kill between seal and note", CASE_REVEALING, SEAT_SEALED, JOURNAL_RAN, IDLE,
     190, JUDGE_FAULT_NONE, JUDGE_REVEAL},
    {"cannot reveal what it does not know", CASE_REVEALING, SEAT_SEALED, NONE, IDLE, 190,
     JUDGE_FAULT_NONE, JUDGE_WAIT},
    {"does not reveal too late", CASE_REVEALING, SEAT_SEALED, JOURNAL_SEALED, IDLE, 201,
     JUDGE_FAULT_NONE, JUDGE_WAIT},
    {"is done once it revealed", CASE_REVEALING, SEAT_REVEALED, JOURNAL_REVEALED, IDLE, 190,
     JUDGE_FAULT_NONE, JUDGE_END},
    {"is done when it was absent", CASE_SEALING, SEAT_ABSENT, NONE, READY, 190, JUDGE_FAULT_NONE,
     JUDGE_END},
    {"but lets the sandbox end first", CASE_SEALING, SEAT_ABSENT, NONE, RUNNING, 190,
     JUDGE_FAULT_NONE, JUDGE_WAIT},
    {"is done when the case is closed", CASE_CLOSED, SEAT_SEALED, JOURNAL_SEALED, IDLE, 210,
     JUDGE_FAULT_NONE, JUDGE_END},
    {"one that sleeps never seals", CASE_SEALING, SEAT_SEATED, JOURNAL_RAN, READY, 150,
     JUDGE_FAULT_SILENT, JUDGE_WAIT},
    {"one that never reveals seals", CASE_SEALING, SEAT_SEATED, JOURNAL_RAN, READY, 150,
     JUDGE_FAULT_NOREVEAL, JUDGE_SEAL},
    {"and does not reveal", CASE_REVEALING, SEAT_SEALED, JOURNAL_SEALED, IDLE, 190,
     JUDGE_FAULT_NOREVEAL, JUDGE_WAIT},
};

static struct judge_view view_of(const struct row *r, const struct chain_case *c,
                                 const struct journal_entry *entry)
{
    return (struct judge_view){.c = c,
                               .entry = r->stage == NONE ? NULL : entry,
                               .running = r->machine == RUNNING,
                               .cannot_run = r->machine == BROKEN,
                               .slot_free = r->machine == READY || r->machine == IDLE,
                               .bundle_here = r->machine == READY || r->machine == FULL,
                               .may_ask = r->machine == IDLE,
                               .now_s = r->now_s,
                               .fault = r->fault};
}

static void the_judge_does_what_chain_and_journal_call_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct row *r = &ROWS[i];
        struct chain_case c = {.job = 1, .kind = CASE_DISPUTE, .phase = r->phase, .mine = true};
        c.seat = r->seat;
        c.seated_at_s = 100;
        c.seal_by_s = 180;
        c.deadline_s = r->phase == CASE_REVEALING ? 200 : 180;
        struct journal_entry entry = {.job = 1, .seat = 1};
        if (r->stage != NONE) entry.stage = (enum journal_stage)r->stage;
        struct judge_view view = view_of(r, &c, &entry);
        enum judge_action action = judge_decide(&view);
        if (action != r->expected)
            fail_msg("%s: wanted %s, got %s", r->what, judge_action_text(r->expected),
                     judge_action_text(action));
    }
}

static void a_seat_that_is_not_ours_is_left_alone(void **state)
{
    (void)state;
    struct chain_case c = {.job = 1, .kind = CASE_DISPUTE, .phase = CASE_SEALING};
    struct judge_view view = {.c = &c, .bundle_here = true, .slot_free = true};
    assert_int_equal(judge_decide(&view), JUDGE_END);
    view.running = true;
    assert_int_equal(judge_decide(&view), JUDGE_WAIT);
}

static void each_round_has_a_seat_of_its_own(void **state)
{
    (void)state;
    for (unsigned round = 1; round < CASE_ROUNDS_MAX; round++)
        assert_int_not_equal(judge_seat(round), judge_seat(round - 1));
    assert_int_not_equal(judge_seat(0), 0); /* a worker's replica */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_judge_does_what_chain_and_journal_call_for),
        cmocka_unit_test(a_seat_that_is_not_ours_is_left_alone),
        cmocka_unit_test(each_round_has_a_seat_of_its_own),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
