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

/* A content of this size, whole, as a result would come; its root. */
static enum status adopt(struct hash *out, uint8_t fill, size_t size)
{
    uint8_t *content = must_alloc(size);
    memset(content, fill, size);
    *out = merkle_root(bytes_of(content, size));
    enum status status = file_write_atomic(at("new"), bytes_of(content, size), 0600);
    if (status == OK) status = keeping_adopt(&k, out, at("new"));
    free(content);
    return status;
}

static bool has(const struct hash *root)
{
    bool whole;
    (void)blobs_held(k.blobs, 0, root, &whole);
    return whole;
}

static void end(uint64_t job, const struct hash *result, uint64_t ended_at_s)
{
    struct journal_entry e = {.job = job, .stage = JOURNAL_ENDED, .ended_at_s = ended_at_s};
    struct known_job known = {.id = job, .result_root = *result, .over = true};
    e.root = *result;
    journal_put(k.journal, &e);
    assert_true(known_jobs_put(k.known, &known));
}

static void old_results_make_room_for_a_new_one(void **state)
{
    struct hash first, second, third;
    (void)state;
    assert_int_equal(adopt(&first, 1, 40000), OK);
    end(1, &first, 100);
    assert_int_equal(adopt(&second, 2, 40000), OK);
    end(2, &second, 200);
    assert_int_equal(adopt(&third, 3, 40000), OK); /* 120000 bytes would be over the quota */
    assert_false(has(&first));
    assert_true(has(&second));
    assert_true(has(&third));
}

static void a_result_that_is_not_old_never_gives_way(void **state)
{
    struct hash first, second;
    struct journal_entry e = {.job = 1, .stage = JOURNAL_RAN};
    (void)state;
    assert_int_equal(adopt(&first, 1, 60000), OK);
    e.root = first;
    journal_put(k.journal, &e);
    assert_int_equal(adopt(&second, 2, 60000), E_LIMIT);
    assert_true(has(&first));
}

static void results_go_in_time_or_when_space_is_short(void **state)
{
    struct hash roots[4];
    (void)state;
    for (uint64_t i = 0; i < 4; i++) {
        assert_int_equal(adopt(&roots[i], (uint8_t)(i + 1), 24000), OK);
        end(i + 1, &roots[i], 100 * (i + 1));
    }
    keeping_expire(&k, 150); /* the first in time; then there is space */
    assert_false(has(&roots[0]));
    assert_true(has(&roots[1]));
    assert_int_equal(adopt(&roots[0], 1, 24000), OK);
    keeping_expire(&k, 150); /* less than a quarter is free */
    assert_false(has(&roots[1]));
    assert_true(has(&roots[2]));
}

static void what_a_declined_job_had_sent_is_dropped(void **state)
{
    static const uint64_t active[] = {8};
    struct known_job kept = {.id = 8, .bundle_size = 20000, .takes_bundle = true};
    struct known_job gone = {.id = 7, .bundle_size = 90000, .takes_bundle = true};
    (void)state;
    kept.bundle_root.b[0] = 8;
    gone.bundle_root.b[0] = 7;
    assert_true(known_jobs_put(k.known, &gone));
    assert_true(known_jobs_put(k.known, &kept));
    assert_int_equal(
        blobs_append(k.blobs, 7, &gone.bundle_root, 70000, 0, bytes_of(folder, sizeof folder)), OK);
    assert_int_equal(
        blobs_append(k.blobs, 8, &kept.bundle_root, 20000, 0, bytes_of(folder, sizeof folder)), OK);
    assert_int_equal(blobs_used(k.blobs), 90000);
    keeping_drop_strangers(&k, active, 1);
    assert_int_equal(blobs_used(k.blobs), 20000);
    static struct known_job left[KNOWN_JOBS_MAX];
    assert_int_equal(known_jobs_list(k.known, left), 1);
    assert_int_equal(left[0].id, 8);
}

static void a_bundle_that_came_twice_is_dropped_with_its_last_job(void **state)
{
    struct hash root;
    (void)state;
    assert_int_equal(adopt(&root, 5, 9000), OK);
    struct known_job first = {.id = 1, .bundle_root = root};
    struct known_job second = {.id = 2, .bundle_root = root};
    assert_true(known_jobs_put(k.known, &first));
    assert_true(known_jobs_put(k.known, &second));
    first.over = true;
    assert_true(known_jobs_put(k.known, &first));
    keeping_drop_bundle(&k, 1, &root);
    assert_true(has(&root));
    second.over = true;
    assert_true(known_jobs_put(k.known, &second));
    keeping_drop_bundle(&k, 2, &root);
    assert_false(has(&root));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(old_results_make_room_for_a_new_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_result_that_is_not_old_never_gives_way, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(results_go_in_time_or_when_space_is_short, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_a_declined_job_had_sent_is_dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bundle_that_came_twice_is_dropped_with_its_last_job,
                                        set_up, tear_down),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
