/* What the worker does next: a table over what the chain says and what the journal holds. */
#include "compute/worker_job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define NONE -1 /* the journal knows nothing */

struct row {
    const char *what;
    enum chain_job_state job;
    enum chain_replica_state replica;
    int stage; /* of the journal, or NONE */
    bool running, slot_free, whole;
    uint64_t held, now_s;
    enum worker_fault fault;
    enum worker_action expected;
    int reason; /* of ACT_DECLINE */
};

/* Assigned at 100, declines until 130, seals until 200, 10 s of patience for the first byte. */
static const struct row ROWS[] = {
    {"waits for the bundle", CHAIN_JOB_RUNNING, CHAIN_REPLICA_ASSIGNED, NONE, false, true, false, 0,
     101, FAULT_NONE, ACT_WAIT, 0},
    {"runs when the bundle is whole", CHAIN_JOB_RUNNING, CHAIN_REPLICA_ASSIGNED, NONE, false, true,
     true, 9, 101, FAULT_NONE, ACT_RUN, 0},
    {"runs early, before all replicas are filled", CHAIN_JOB_OPEN, CHAIN_REPLICA_ASSIGNED, NONE,
     false, true, true, 9, 101, FAULT_NONE, ACT_RUN, 0},
    {"runs again what a kill interrupted", CHAIN_JOB_RUNNING, CHAIN_REPLICA_ASSIGNED,
     JOURNAL_STARTED, false, true, true, 9, 150, FAULT_NONE, ACT_RUN, 0},
    {"waits while it runs", CHAIN_JOB_RUNNING, CHAIN_REPLICA_ASSIGNED, JOURNAL_STARTED, true, false,
     true, 9, 110, FAULT_NONE, ACT_WAIT, 0},
    {"declines when no byte came", CHAIN_JOB_RUNNING, CHAIN_REPLICA_ASSIGNED, NONE, false, true,
     false, 0, 111, FAULT_NONE, ACT_DECLINE, DECLINE_NO_DATA},
    {"is patient with a slow upload", CHAIN_JOB_RUNNING, CHAIN_REPLICA_ASSIGNED, NONE, false, true,
     false, 5, 120, FAULT_NONE, ACT_WAIT, 0},
    {"but not beyond the window", CHAIN_JOB_RUNNING, CHAIN_REPLICA_ASSIGNED, NONE, false, true,
     false, 5, 128, FAULT_NONE, ACT_DECLINE, DECLINE_NO_DATA},
    {"declines when all slots stay taken", CHAIN_JOB_RUNNING, CHAIN_REPLICA_ASSIGNED, NONE, false,
     false, true, 9, 128, FAULT_NONE, ACT_DECLINE, DECLINE_BUSY},
    {"does not decline too late", CHAIN_JOB_RUNNING, CHAIN_REPLICA_ASSIGNED, NONE, false, true,
     false, 0, 131, FAULT_NONE, ACT_WAIT, 0},
    {"seals what it ran", CHAIN_JOB_RUNNING, CHAIN_REPLICA_ASSIGNED, JOURNAL_RAN, false, true, true,
     9, 150, FAULT_NONE, ACT_SEAL, 0},
    {"seals again if the chain lost the seal", CHAIN_JOB_RUNNING, CHAIN_REPLICA_ASSIGNED,
     JOURNAL_SEALED, false, true, true, 9, 150, FAULT_NONE, ACT_SEAL, 0},
    {"does not seal after the deadline", CHAIN_JOB_RUNNING, CHAIN_REPLICA_ASSIGNED, JOURNAL_RAN,
     false, true, true, 9, 201, FAULT_NONE, ACT_WAIT, 0},
    {"keeps its secret while others still seal", CHAIN_JOB_RUNNING, CHAIN_REPLICA_SEALED,
     JOURNAL_SEALED, false, true, true, 9, 150, FAULT_NONE, ACT_WAIT, 0},
    {"reveals when the chain reveals", CHAIN_JOB_REVEALING, CHAIN_REPLICA_SEALED, JOURNAL_SEALED,
     false, true, true, 9, 150, FAULT_NONE, ACT_REVEAL, 0},
    {"reveals after a kill between seal and note", CHAIN_JOB_REVEALING, CHAIN_REPLICA_SEALED,
     JOURNAL_RAN, false, true, true, 9, 150, FAULT_NONE, ACT_REVEAL, 0},
    {"cannot reveal what it does not know", CHAIN_JOB_REVEALING, CHAIN_REPLICA_SEALED, NONE, false,
     true, true, 9, 150, FAULT_NONE, ACT_WAIT, 0},
    {"waits for the others' reveals", CHAIN_JOB_REVEALING, CHAIN_REPLICA_REVEALED, JOURNAL_REVEALED,
     false, true, true, 9, 150, FAULT_NONE, ACT_WAIT, 0},
    {"waits while an auditor is drawn", CHAIN_JOB_AUDITING, CHAIN_REPLICA_REVEALED,
     JOURNAL_REVEALED, false, true, true, 9, 150, FAULT_NONE, ACT_WAIT, 0},
    {"waits while validators judge", CHAIN_JOB_DISPUTED, CHAIN_REPLICA_REVEALED, JOURNAL_REVEALED,
     false, true, true, 9, 150, FAULT_NONE, ACT_WAIT, 0},
    {"waits for the renter's word", CHAIN_JOB_ACCEPTING, CHAIN_REPLICA_REVEALED, JOURNAL_REVEALED,
     false, true, true, 9, 150, FAULT_NONE, ACT_WAIT, 0},
    {"notes the end", CHAIN_JOB_AGREED, CHAIN_REPLICA_PAID, JOURNAL_REVEALED, false, true, true, 9,
     160, FAULT_NONE, ACT_END, 0},
    {"notes the end once", CHAIN_JOB_AGREED, CHAIN_REPLICA_PAID, JOURNAL_ENDED, false, true, true,
     9, 160, FAULT_NONE, ACT_WAIT, 0},
    {"a silent worker never seals", CHAIN_JOB_RUNNING, CHAIN_REPLICA_ASSIGNED, JOURNAL_RAN, false,
     true, true, 9, 150, FAULT_SILENT, ACT_WAIT, 0},
    {"one that never reveals seals", CHAIN_JOB_RUNNING, CHAIN_REPLICA_ASSIGNED, JOURNAL_RAN, false,
     true, true, 9, 150, FAULT_NOREVEAL, ACT_SEAL, 0},
    {"and does not reveal", CHAIN_JOB_REVEALING, CHAIN_REPLICA_SEALED, JOURNAL_SEALED, false, true,
     true, 9, 150, FAULT_NOREVEAL, ACT_WAIT, 0},
};

static void the_worker_does_what_chain_and_journal_call_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct row *r = &ROWS[i];
        struct chain_job job = {.id = 1, .state = r->job, .mine = true, .replica = r->replica};
        job.assigned_at_s = 100;
        job.seal_by_s = 200;
        struct journal_entry entry = {.job = 1};
        if (r->stage != NONE) entry.stage = (enum journal_stage)r->stage;
        struct worker_view view = {.job = &job,
                                   .entry = r->stage == NONE ? NULL : &entry,
                                   .running = r->running,
                                   .slot_free = r->slot_free,
                                   .bundle_whole = r->whole,
                                   .bundle_held = r->held,
                                   .now_s = r->now_s,
                                   .decline_window_s = 30,
                                   .upload_s = 10,
                                   .fault = r->fault};
        enum decline_reason reason = DECLINE_INTERNAL;
        enum worker_action action = worker_decide(&view, &reason);
        if (action != r->expected)
            fail_msg("%s: wanted %s, got %s", r->what, worker_action_text(r->expected),
                     worker_action_text(action));
        if (action == ACT_DECLINE) assert_int_equal(reason, r->reason);
    }
}

/* From the end until the challenge window is over the data is kept. */
static void a_job_that_may_be_challenged_is_kept(void **state)
{
    (void)state;
    struct chain_job job = {.id = 1, .state = CHAIN_JOB_AGREED, .mine = true, .at_risk = true};
    struct journal_entry entry = {.job = 1, .stage = JOURNAL_REVEALED};
    struct worker_view view = {.job = &job, .entry = &entry, .slot_free = true, .now_s = 100};
    enum decline_reason reason;
    job.replica = CHAIN_REPLICA_PAID;
    assert_int_equal(worker_decide(&view, &reason), ACT_SETTLE);
    entry.stage = JOURNAL_SETTLED;
    assert_int_equal(worker_decide(&view, &reason), ACT_WAIT);
    job.at_risk = false;
    assert_int_equal(worker_decide(&view, &reason), ACT_END);
    job.state = CHAIN_JOB_OVERTURNED;
    assert_int_equal(worker_decide(&view, &reason), ACT_END);
    entry.stage = JOURNAL_ENDED;
    assert_int_equal(worker_decide(&view, &reason), ACT_WAIT);
}

static void a_worker_that_drains_takes_nothing_and_finishes_what_it_has(void **state)
{
    (void)state;
    struct chain_job job = {.id = 1, .state = CHAIN_JOB_RUNNING, .mine = true};
    struct worker_view view = {.job = &job,
                               .slot_free = true,
                               .draining = true,
                               .bundle_whole = true,
                               .now_s = 110,
                               .decline_window_s = 30,
                               .upload_s = 10};
    enum decline_reason reason = DECLINE_BUSY;
    job.replica = CHAIN_REPLICA_ASSIGNED;
    job.assigned_at_s = 100;
    job.seal_by_s = 200;
    assert_int_equal(worker_decide(&view, &reason), ACT_DECLINE);
    assert_int_equal(reason, DECLINE_SHUTDOWN);
    view.running = true;
    assert_int_equal(worker_decide(&view, &reason), ACT_WAIT);
    view.running = false;
    view.now_s = 140; /* too late to decline: it is run after all */
    assert_int_equal(worker_decide(&view, &reason), ACT_RUN);
    struct journal_entry entry = {.job = 1, .stage = JOURNAL_RAN};
    view.entry = &entry;
    assert_int_equal(worker_decide(&view, &reason), ACT_SEAL);
}

static void what_this_machine_cannot_run_is_declined_in_time(void **state)
{
    (void)state;
    struct chain_job job = {.id = 1, .state = CHAIN_JOB_RUNNING, .mine = true};
    job.replica = CHAIN_REPLICA_ASSIGNED;
    job.assigned_at_s = 100;
    job.seal_by_s = 200;
    struct worker_view view = {.job = &job,
                               .cannot_run = true,
                               .slot_free = true,
                               .bundle_whole = true,
                               .now_s = 110,
                               .decline_window_s = 30,
                               .upload_s = 10};
    enum decline_reason reason = DECLINE_BUSY;
    assert_int_equal(worker_decide(&view, &reason), ACT_DECLINE);
    assert_int_equal(reason, DECLINE_INTERNAL);
    view.cannot_run = false;
    job.runtime = 2;
    assert_int_equal(worker_decide(&view, &reason), ACT_DECLINE);
    assert_int_equal(reason, DECLINE_UNSUPPORTED);
}

/* The formula of IJobs.commitmentOf; tests/e2e compares it with the contract's own answer. */
static void commitments_bind_every_field(void **state)
{
    (void)state;
    struct address owner = {{1}};
    struct journal_entry entry = {.job = 1, .stage = JOURNAL_RAN};
    struct hash base = chain_commitment(&owner, &entry);
    struct journal_entry other = entry;
    other.salt.b[0] = 1;
    struct hash changed = chain_commitment(&owner, &other);
    assert_false(hash_equal(&base, &changed));
    other = entry;
    other.exit_reason = 1;
    changed = chain_commitment(&owner, &other);
    assert_false(hash_equal(&base, &changed));
    other = entry;
    other.root.b[31] = 1;
    changed = chain_commitment(&owner, &other);
    assert_false(hash_equal(&base, &changed));
    other = entry;
    other.trace.b[31] = 1;
    changed = chain_commitment(&owner, &other);
    assert_false(hash_equal(&base, &changed));
    other = entry;
    other.trace.b[0] = 1;
    changed = chain_commitment(&owner, &other);
    assert_false(hash_equal(&base, &changed));
    owner.b[19] = 9;
    changed = chain_commitment(&owner, &entry);
    assert_false(hash_equal(&base, &changed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worker_does_what_chain_and_journal_call_for),
        cmocka_unit_test(a_job_that_may_be_challenged_is_kept),
        cmocka_unit_test(a_worker_that_drains_takes_nothing_and_finishes_what_it_has),
        cmocka_unit_test(what_this_machine_cannot_run_is_declined_in_time),
        cmocka_unit_test(commitments_bind_every_field),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
