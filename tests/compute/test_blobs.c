/* The blob store: nothing gets a name before its root is checked, and uploads continue. */
#include "compute/blobs.h"

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

#define SIZE  30000
#define CHUNK 8192
#define JOB   7

static char folder[64];
static uint8_t content[SIZE];
static struct hash root;
static struct blobs *store;

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/leasehold-blobs-XXXXXX");
    if (!mkdtemp(folder)) return 1;
    for (size_t i = 0; i < SIZE; i++)
        content[i] = (uint8_t)(i * 31 >> 3);
    root = merkle_root(bytes_of(content, SIZE));
    return blobs_open(&store, folder, 100000) != OK;
}

static int tear_down(void **state)
{
    (void)state;
    blobs_close(store);
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static enum status put(uint64_t offset)
{
    size_t left = SIZE - offset;
    size_t size = left < CHUNK ? left : CHUNK;
    return blobs_append(store, JOB, &root, SIZE, offset, bytes_of(content + offset, size));
}

static void put_all_from(uint64_t offset)
{
    for (; offset < SIZE; offset += CHUNK)
        assert_int_equal(put(offset), OK);
}

static void a_content_is_whole_when_its_last_chunk_is_here(void **state)
{
    (void)state;
    bool whole = true;
    assert_int_equal(blobs_held(store, JOB, &root, &whole), 0);
    assert_false(whole);
    put_all_from(0);
    assert_int_equal(blobs_held(store, JOB, &root, &whole), SIZE);
    assert_true(whole);
    struct buffer out = {0};
    assert_int_equal(blobs_read(store, &out, &root, 20000, 20000), OK);
    assert_int_equal(out.size, 10000);
    assert_memory_equal(out.data, content + 20000, 10000);
    assert_int_equal(blobs_read(store, &out, &root, SIZE + 1, 1), E_RANGE);
    buffer_finish(&out);
}

static void an_upload_continues_after_a_restart_where_it_stopped(void **state)
{
    (void)state;
    assert_int_equal(put(0), OK);
    assert_int_equal(put(CHUNK), OK);
    blobs_close(store);
    assert_int_equal(blobs_open(&store, folder, 100000), OK);
    assert_int_equal(blobs_held(store, JOB, &root, NULL), 2 * CHUNK);
    assert_int_equal(put(0), E_RANGE);
    put_all_from(2 * CHUNK);
    char path[PATH_MAX];
    assert_int_equal(blobs_path(store, path, &root), OK);
}

static void chunks_out_of_order_change_nothing(void **state)
{
    (void)state;
    assert_int_equal(put(CHUNK), E_RANGE);
    assert_int_equal(put(0), OK);
    assert_int_equal(put(2 * CHUNK), E_RANGE);
    assert_int_equal(blobs_held(store, JOB, &root, NULL), CHUNK);
    put_all_from(CHUNK);
}

static void a_content_of_another_root_is_dropped(void **state)
{
    (void)state;
    content[12345] ^= 1;
    enum status last = OK;
    for (uint64_t offset = 0; offset < SIZE; offset += CHUNK)
        last = put(offset);
    assert_int_equal(last, E_MALFORMED);
    assert_int_equal(blobs_held(store, JOB, &root, NULL), 0);
    content[12345] ^= 1;
    put_all_from(0); /* and the right one may still come */
}

static void promises_count_against_the_quota(void **state)
{
    (void)state;
    struct hash other = {{7}};
    assert_int_equal(put(0), OK); /* 30,000 of 100,000 are promised now */
    struct bytes chunk = bytes_of(content, CHUNK);
    assert_int_equal(blobs_append(store, JOB, &other, 70001, 0, chunk), E_LIMIT);
    assert_int_equal(blobs_held(store, JOB, &other, NULL), 0);
    assert_int_equal(blobs_append(store, JOB, &other, 70000, 0, chunk), OK);
    blobs_remove(store, &root);
    struct hash third = {{8}};
    assert_int_equal(blobs_append(store, JOB, &third, SIZE, 0, chunk), OK); /* room is given back */
}

/* Roots are public: somebody else's job of the same root must not be able to spoil this upload. */
static void another_job_of_the_same_root_spoils_no_upload(void **state)
{
    (void)state;
    uint8_t junk[CHUNK] = {1};
    struct bytes chunk = bytes_of(junk, CHUNK);
    assert_int_equal(put(0), OK);
    assert_int_equal(blobs_append(store, 8, &root, SIZE, CHUNK, chunk), E_RANGE);
    assert_int_equal(blobs_append(store, 8, &root, 100, 0, bytes_of(junk, 100)), E_MALFORMED);
    assert_int_equal(blobs_append(store, 8, &root, SIZE, 0, chunk), OK);
    assert_int_equal(blobs_held(store, 8, &root, NULL), CHUNK);
    assert_int_equal(blobs_held(store, JOB, &root, NULL), CHUNK);
    put_all_from(CHUNK);
    bool whole = false;
    assert_int_equal(blobs_held(store, 8, &root, &whole), SIZE); /* it is there for both now */
    assert_true(whole);
    assert_int_equal(blobs_used(store), SIZE);
    assert_int_equal(blobs_append(store, 8, &root, SIZE, CHUNK, chunk), E_RANGE);
    blobs_close(store);
    assert_int_equal(blobs_open(&store, folder, 100000), OK);
    assert_int_equal(blobs_used(store), SIZE);
}

static void a_finished_file_is_taken_in_under_its_root(void **state)
{
    (void)state;
    char path[100];
    snprintf(path, sizeof path, "%s/result.tmpfile", folder);
    assert_int_equal(file_write_atomic(path, bytes_of(content, SIZE), 0600), OK);
    assert_int_equal(blobs_adopt(store, &root, path), OK);
    assert_int_not_equal(access(path, F_OK), 0);
    bool whole = false;
    assert_int_equal(blobs_held(store, JOB, &root, &whole), SIZE);
    assert_true(whole);
    blobs_remove(store, &root);
    assert_int_equal(blobs_held(store, JOB, &root, &whole), 0);
    assert_false(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_content_is_whole_when_its_last_chunk_is_here, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_upload_continues_after_a_restart_where_it_stopped,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(chunks_out_of_order_change_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_content_of_another_root_is_dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(promises_count_against_the_quota, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_job_of_the_same_root_spoils_no_upload, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_finished_file_is_taken_in_under_its_root, set_up,
                                        tear_down),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
