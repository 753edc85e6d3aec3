/* The worker's journal: what was put is there again, and a torn tail costs only itself. */
#include "compute/journal.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[64];

static struct journal_entry entry_of(uint64_t job, enum journal_stage stage)
{
    struct journal_entry e = {.job = job, .stage = stage, .exit_reason = 3, .seconds = 7};
    e.output_size = 1000 + job;
    memset(e.root.b, (int)job, 32);
    memset(e.salt.b, (int)job + 1, 32);
    e.ended_at_s = stage == JOURNAL_ENDED ? job : 0;
    return e;
}

static struct journal *reopen(struct journal *j, bool *out_torn)
{
    journal_close(j);
    struct journal *again = NULL;
    assert_int_equal(journal_open(&again, path, out_torn), OK);
    return again;
}

static int remove_file(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void the_last_record_of_a_job_counts_after_reopening(void **state)
{
    (void)state;
    bool torn;
    struct journal *j = reopen(NULL, &torn);
    for (uint64_t job = 9; job > 0; job--) {
        for (int stage = JOURNAL_STARTED; stage <= JOURNAL_SEALED; stage++) {
            struct journal_entry e = entry_of(job, (enum journal_stage)stage);
            journal_put(j, &e);
        }
    }
    j = reopen(j, &torn);
    assert_false(torn);
    struct journal_entry found;
    struct journal_entry expected = entry_of(5, JOURNAL_SEALED);
    assert_int_equal(journal_find(j, &found, 5, 0), OK);
    assert_memory_equal(&found, &expected, sizeof found);
    assert_int_equal(journal_find(j, &found, 10, 0), E_NOT_FOUND);
    struct journal_entry all[20];
    assert_int_equal(journal_list(j, all, 20), 9);
    for (uint64_t i = 0; i < 9; i++)
        assert_int_equal(all[i].job, i + 1);
    journal_close(j);
}

static void the_seats_of_one_job_are_told_apart(void **state)
{
    (void)state;
    bool torn;
    struct journal *j = reopen(NULL, &torn);
    for (int seat = 5; seat >= 0; seat--) {
        struct journal_entry e = entry_of(7, JOURNAL_RAN);
        e.seat = (uint8_t)seat;
        e.salt.b[0] = (uint8_t)seat;
        e.trace.b[31] = (uint8_t)(seat + 1);
        journal_put(j, &e);
    }
    j = reopen(j, &torn);
    assert_false(torn);
    for (uint8_t seat = 0; seat < 6; seat++) {
        struct journal_entry found;
        assert_int_equal(journal_find(j, &found, 7, seat), OK);
        assert_int_equal(found.salt.b[0], seat);
        assert_int_equal(found.trace.b[31], seat + 1);
    }
    struct journal_entry found;
    assert_int_equal(journal_find(j, &found, 7, 6), E_NOT_FOUND);
    assert_int_equal(journal_find(j, &found, 6, 0), E_NOT_FOUND);
    journal_close(j);
}

static void a_tail_torn_at_any_byte_costs_only_the_torn_record(void **state)
{
    (void)state;
    struct buffer two = {0};
    struct journal_entry first = entry_of(1, JOURNAL_RAN);
    struct journal_entry second = entry_of(1, JOURNAL_SEALED);
    journal_encode(&two, &first);
    size_t record = two.size;
    journal_encode(&two, &second);
    for (size_t cut = record; cut < two.size; cut++) {
        assert_int_equal(file_write_atomic(path, bytes_of(two.data, cut), 0600), OK);
        bool torn;
        struct journal *j = reopen(NULL, &torn);
        assert_int_equal(torn, cut > record);
        struct journal_entry found;
        assert_int_equal(journal_find(j, &found, 1, 0), OK);
        assert_int_equal(found.stage, JOURNAL_RAN);
        journal_close(j);
    }
    buffer_finish(&two);
}

static void a_record_whose_bytes_never_reached_the_disk_counts_as_torn(void **state)
{
    (void)state;
    struct buffer two = {0};
    struct journal_entry first = entry_of(1, JOURNAL_RAN);
    journal_encode(&two, &first);
    size_t record = two.size;
    buffer_extend(&two, record); /* zeros */
    assert_int_equal(file_write_atomic(path, buffer_bytes(&two), 0600), OK);
    bool torn;
    struct journal *j = reopen(NULL, &torn);
    assert_true(torn);
    j = reopen(j, &torn);
    assert_false(torn); /* it was cut off for good */
    journal_close(j);
    buffer_finish(&two);
}

static void damage_before_the_tail_is_refused(void **state)
{
    (void)state;
    struct buffer two = {0};
    for (uint64_t job = 1; job <= 2; job++) {
        struct journal_entry e = entry_of(job, JOURNAL_RAN);
        journal_encode(&two, &e);
    }
    for (size_t i = 0; i < two.size / 2; i++) {
        two.data[i] ^= 0x40;
        assert_int_equal(file_write_atomic(path, buffer_bytes(&two), 0600), OK);
        struct journal *j = NULL;
        bool torn;
        assert_int_equal(journal_open(&j, path, &torn), E_MALFORMED);
        two.data[i] ^= 0x40;
    }
    buffer_finish(&two);
}

static void ended_jobs_are_forgotten_in_time_and_no_others(void **state)
{
    (void)state;
    bool torn;
    struct journal *j = reopen(NULL, &torn);
    for (uint64_t job = 1; job <= 4; job++) {
        struct journal_entry e = entry_of(job, job == 2 ? JOURNAL_SEALED : JOURNAL_ENDED);
        journal_put(j, &e);
    }
    struct journal_entry all[4];
    journal_forget_ended(j, 4);
    assert_int_equal(journal_list(j, all, 4), 2);
    assert_int_equal(all[0].job, 2);
    assert_int_equal(all[1].job, 4);
    journal_close(j);
}

/* Its own file, at most `most` bytes large. */
static void expect_file_within(size_t most)
{
    struct buffer content = {0};
    assert_int_equal(file_read(&content, path, most), OK);
    buffer_finish(&content);
}

static void a_full_journal_forgets_the_jobs_that_ended_first(void **state)
{
    (void)state;
    bool torn;
    struct buffer content = {0};
    struct journal_entry found;
    for (uint64_t job = 1; job <= JOURNAL_JOBS_MAX + 10; job++) { /* as old files may hold */
        struct journal_entry e = entry_of(job, job == 3 ? JOURNAL_SEALED : JOURNAL_ENDED);
        journal_encode(&content, &e);
    }
    assert_int_equal(file_write_atomic(path, buffer_bytes(&content), 0600), OK);
    struct journal *j = reopen(NULL, &torn);
    struct journal_entry next = entry_of(JOURNAL_JOBS_MAX + 11, JOURNAL_STARTED);
    journal_put(j, &next);
    assert_int_equal(journal_find(j, &found, 2, 0), E_NOT_FOUND);
    assert_int_equal(journal_find(j, &found, 3, 0), OK); /* it has not ended */
    assert_int_equal(journal_find(j, &found, 12, 0), E_NOT_FOUND);
    assert_int_equal(journal_find(j, &found, 13, 0), OK);
    j = reopen(j, &torn);
    assert_int_equal(journal_find(j, &found, next.job, 0), OK);
    journal_close(j);
    buffer_finish(&content);
}

static void the_file_does_not_grow_for_ever(void **state)
{
    (void)state;
    bool torn;
    struct journal *j = reopen(NULL, &torn);
    struct journal_entry e = entry_of(1, JOURNAL_STARTED), found;
    for (uint32_t i = 0; i < 300; i++) {
        e.seconds = i;
        journal_put(j, &e);
    }
    expect_file_within(40000);
    j = reopen(j, &torn);
    assert_false(torn);
    assert_int_equal(journal_find(j, &found, 1, 0), OK);
    assert_int_equal(found.seconds, e.seconds);
    journal_close(j);
}

int main(void)
{
    snprintf(path, sizeof path, "/tmp/leasehold-journal-%ld", (long)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_last_record_of_a_job_counts_after_reopening, remove_file),
        cmocka_unit_test_teardown(the_seats_of_one_job_are_told_apart, remove_file),
        cmocka_unit_test_teardown(a_tail_torn_at_any_byte_costs_only_the_torn_record, remove_file),
        cmocka_unit_test_teardown(a_record_whose_bytes_never_reached_the_disk_counts_as_torn,
                                  remove_file),
        cmocka_unit_test_teardown(damage_before_the_tail_is_refused, remove_file),
        cmocka_unit_test_teardown(ended_jobs_are_forgotten_in_time_and_no_others, remove_file),
        cmocka_unit_test_teardown(a_full_journal_forgets_the_jobs_that_ended_first, remove_file),
        cmocka_unit_test_teardown(the_file_does_not_grow_for_ever, remove_file),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
