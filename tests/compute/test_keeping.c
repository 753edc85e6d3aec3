/* What lies on the worker's disk goes in time, and makes room for new jobs before its time. */
#include "compute/keeping.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/merkle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define QUOTA 100000

static char folder[64];
static struct keeping k;

static const char *at(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int set_up(void **state)
{
    bool torn;
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/leasehold-keeping-XXXXXX");
    if (!mkdtemp(folder)) return 1;
    k.known = known_jobs_create();
    if (blobs_open(&k.blobs, at("blobs"), QUOTA) != OK) return 1;
    return journal_open(&k.journal, at("journal"), &torn) != OK;
}

static int tear_down(void **state)
{
    char command[100];
    (void)state;
    journal_close(k.journal);
    blobs_close(k.blobs);
    known_jobs_destroy(k.known);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

/* Makes the job known as that renter's. */
static void know(uint64_t job, uint8_t renter, bool over)
{
    struct known_job known = {.id = job, .renter = {{renter}}, .over = over};
    assert_true(known_jobs_put(k.known, &known));
}

/* A result of this size; what is in it, and so its root, follows from the job. */
static struct blob_key result_of(uint64_t job, size_t size, uint8_t *content)
{
    memset(content, (int)job, size);
    return (struct blob_key){job, merkle_root(bytes_of(content, size))};
}

static enum status adopt(struct blob_key *out, uint64_t job, size_t size)
{
    uint8_t *content = must_alloc(size);
    *out = result_of(job, size, content);
    enum status status = file_write_atomic(at("new"), bytes_of(content, size), 0600);
    if (status == OK) status = keeping_adopt(&k, out, at("new"));
    free(content);
    return status;
}

static bool has(const struct blob_key *key)
{
    return blobs_state(k.blobs, key).whole;
}

static void end(uint64_t job, uint8_t renter, uint64_t ended_at_s)
{
    struct journal_entry e = {.job = job, .stage = JOURNAL_ENDED, .ended_at_s = ended_at_s};
    journal_put(k.journal, &e);
    know(job, renter, true);
}

static void old_results_make_room_for_a_new_one(void **state)
{
    struct blob_key first, second, third;
    (void)state;
    know(1, 1, false);
    assert_int_equal(adopt(&first, 1, 40000), OK);
    end(1, 1, 100);
    know(2, 2, false);
    assert_int_equal(adopt(&second, 2, 40000), OK);
    end(2, 2, 200);
    know(3, 3, false);
    assert_int_equal(adopt(&third, 3, 40000), OK); /* 120000 bytes would be over the quota */
    assert_false(has(&first));
    assert_true(has(&second));
    assert_true(has(&third));
}

static void who_takes_most_gives_first(void **state)
{
    struct blob_key modest, heavy[2], third;
    (void)state;
    know(1, 1, false);
    assert_int_equal(adopt(&modest, 1, 20000), OK);
    end(1, 1, 100); /* the oldest, but its renter has little here */
    for (uint64_t i = 0; i < 2; i++) {
        know(2 + i, 2, false);
        assert_int_equal(adopt(&heavy[i], 2 + i, 30000), OK);
        end(2 + i, 2, 200 + i);
    }
    know(4, 3, false);
    assert_int_equal(adopt(&third, 4, 40000), OK);
    assert_true(has(&modest));
    assert_false(has(&heavy[0]));
    assert_true(has(&heavy[1]));
}

static void what_a_running_job_needs_never_gives_way(void **state)
{
    struct blob_key first, second;
    struct journal_entry e = {.job = 1, .stage = JOURNAL_RAN};
    (void)state;
    know(1, 1, false);
    assert_int_equal(adopt(&first, 1, 50000), OK);
    journal_put(k.journal, &e);
    know(2, 2, false);
    assert_int_equal(adopt(&second, 2, 50001), E_LIMIT);
    assert_true(has(&first));
}

static void results_go_in_time_or_when_space_is_short(void **state)
{
    struct blob_key roots[4];
    (void)state;
    for (uint64_t i = 0; i < 4; i++) {
        know(i + 1, (uint8_t)(i + 1), false);
        assert_int_equal(adopt(&roots[i], i + 1, 24000), OK);
        end(i + 1, (uint8_t)(i + 1), 100 * (i + 1));
    }
    keeping_expire(&k, 150); /* the first in time; then there is space */
    assert_false(has(&roots[0]));
    assert_true(has(&roots[1]));
    know(5, 5, false);
    assert_int_equal(adopt(&roots[0], 5, 24000), OK);
    keeping_expire(&k, 150); /* less than a quarter is free */
    assert_false(has(&roots[1]));
    assert_true(has(&roots[2]));
}

static void promise(uint64_t job, uint64_t size)
{
    struct blob_key key = {job, {{(uint8_t)job}}};
    struct address renter = {{(uint8_t)job}};
    uint8_t hash[32] = {0};
    assert_int_equal(blobs_offer(k.blobs, &key, &renter, size, 0, bytes_of(hash, 32)), OK);
}

static void what_a_declined_or_forgotten_job_had_sent_is_dropped(void **state)
{
    static const uint64_t active[] = {8};
    (void)state;
    know(7, 7, false);
    know(8, 8, false);
    promise(7, 40000);
    promise(8, 20000);
    promise(9, 30000); /* of which nobody knows any more */
    assert_int_equal(blobs_used(k.blobs), 90000);
    keeping_drop_strangers(&k, active, 1);
    assert_int_equal(blobs_used(k.blobs), 20000);
    static struct known_job left[KNOWN_JOBS_MAX];
    assert_int_equal(known_jobs_list(k.known, left), 1);
    assert_int_equal(left[0].id, 8);
}

static void a_bundle_is_dropped_with_its_own_job_only(void **state)
{
    struct blob_key first, second;
    uint8_t content[9000];
    (void)state;
    know(1, 1, false);
    assert_int_equal(adopt(&first, 1, sizeof content), OK);
    second = result_of(1, sizeof content, content); /* the same root, for another job */
    second.job = 2;
    assert_int_equal(file_write_atomic(at("new"), bytes_of(content, sizeof content), 0600), OK);
    assert_int_equal(keeping_adopt(&k, &second, at("new")), OK);
    keeping_drop_bundle(&k, 1, &first.root);
    assert_false(has(&first));
    assert_true(has(&second));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(old_results_make_room_for_a_new_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_takes_most_gives_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_running_job_needs_never_gives_way, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(results_go_in_time_or_when_space_is_short, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_a_declined_or_forgotten_job_had_sent_is_dropped,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bundle_is_dropped_with_its_own_job_only, set_up,
                                        tear_down),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
