/* The blob store: nothing is taken that does not fit its root, and uploads continue. */
#include "compute/blobs.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/merkle.h"
#include "client/leaf_tree.h"

#include <fcntl.h>
#include <inttypes.h>
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
#define QUOTA 100000

static char folder[64];
static uint8_t content[SIZE];
static struct blob_key key;
static struct address owner = {{7}};
static struct leaf_tree tree;
static struct blobs *store;

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/leasehold-blobs-XXXXXX");
    if (!mkdtemp(folder)) return 1;
    for (size_t i = 0; i < SIZE; i++)
        content[i] = (uint8_t)(i * 31 >> 3);
    key = (struct blob_key){7, merkle_root(bytes_of(content, SIZE))};
    leaf_tree_init(&tree, SIZE);
    leaf_hashes(tree.nodes, bytes_of(content, SIZE));
    return blobs_open(&store, folder, QUOTA) != OK;
}

static int tear_down(void **state)
{
    (void)state;
    blobs_close(store);
    leaf_tree_finish(&tree);
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static void restart(void)
{
    blobs_close(store);
    assert_int_equal(blobs_open(&store, folder, QUOTA), OK);
}

static enum status offer(uint64_t first, uint64_t count)
{
    struct bytes page = bytes_of(&tree.nodes[first], (size_t)count * 32);
    return blobs_offer(store, &key, &owner, SIZE, first, page);
}

static enum status put(uint64_t offset)
{
    size_t left = SIZE - offset;
    size_t size = left < CHUNK ? left : CHUNK;
    return blobs_put(store, &key, offset, bytes_of(content + offset, size));
}

static void put_all(void)
{
    for (uint64_t offset = 0; offset < SIZE; offset += CHUNK)
        assert_int_equal(put(offset), OK);
}

static uint64_t held(void)
{
    return blobs_state(store, &key).held;
}

static bool is_whole(void)
{
    return blobs_state(store, &key).whole;
}

static void a_content_is_whole_when_all_of_it_came_in_any_order(void **state)
{
    (void)state;
    struct buffer out = {0};
    assert_int_equal(held(), 0);
    assert_int_equal(offer(0, 8), OK);
    assert_int_equal(put(3 * CHUNK), OK);
    assert_int_equal(held(), SIZE - 3 * CHUNK);
    assert_int_equal(blobs_read(store, &out, &key, 0, 4096), E_STATE);
    assert_int_equal(put(CHUNK), OK);
    assert_int_equal(put(0), OK);
    assert_false(is_whole());
    assert_int_equal(blobs_read(store, &out, &key, 0, 4096), OK);
    assert_int_equal(put(2 * CHUNK), OK);
    assert_true(is_whole());
    buffer_clear(&out);
    assert_int_equal(blobs_read(store, &out, &key, 20480, 20000), OK);
    assert_int_equal(out.size, SIZE - 20480);
    assert_memory_equal(out.data, content + 20480, out.size);
    assert_int_equal(blobs_read(store, &out, &key, SIZE + 1, 1), E_RANGE);
    buffer_finish(&out);
}

static void a_wrong_leaf_is_refused_and_costs_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(offer(0, 8), OK);
    assert_int_equal(put(0), OK);
    content[12345] ^= 1;
    assert_int_equal(put(CHUNK), E_MALFORMED);
    content[12345] ^= 1;
    assert_int_equal(held(), CHUNK);
    put_all();
    assert_true(is_whole());
}

static void leaf_hashes_of_another_root_are_dropped(void **state)
{
    (void)state;
    assert_int_equal(put(0), E_STATE);
    assert_int_equal(offer(0, 5), OK);
    assert_int_equal(blobs_state(store, &key).offered, 5);
    assert_int_equal(offer(4, 2), E_RANGE);
    tree.nodes[6].b[0] ^= 1;
    assert_int_equal(offer(5, 3), E_MALFORMED);
    assert_int_equal(blobs_state(store, &key).offered, 0);
    assert_int_equal(blobs_used(store), 0);
}

static void an_upload_continues_after_a_restart_with_what_is_right(void **state)
{
    (void)state;
    assert_int_equal(offer(0, 3), OK);
    restart();
    assert_int_equal(blobs_state(store, &key).offered, 3);
    assert_int_equal(offer(3, 5), OK);
    assert_int_equal(put(0), OK);
    assert_int_equal(put(2 * CHUNK), OK);
    restart();
    assert_int_equal(held(), 2 * CHUNK);
    struct buffer bits = {0};
    uint64_t count = 100;
    assert_int_equal(blobs_map(store, &bits, &key, 0, &count), OK);
    assert_int_equal(count, 8);
    assert_int_equal(bits.data[0], 0xcc);
    buffer_finish(&bits);
    put_all();
    assert_true(is_whole());
    restart();
    assert_true(is_whole());
}

static void what_a_crash_tore_is_asked_for_again(void **state)
{
    (void)state;
    char path[PATH_MAX], root[67];
    assert_int_equal(offer(0, 8), OK);
    assert_int_equal(put(0), OK);
    assert_int_equal(put(CHUNK), OK);
    hash_to_text(root, &key.root);
    snprintf(path, sizeof path, "%s/%" PRIu64 ".%s.part", folder, key.job, root + 2);
    blobs_close(store);
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "torn", 4, 5000), 4);
    close(fd);
    assert_int_equal(blobs_open(&store, folder, QUOTA), OK);
    assert_int_equal(held(), 2 * CHUNK - 4096); /* one leaf of the four */
    put_all();
    assert_true(is_whole());
}

static void a_content_whose_last_leaf_came_before_a_crash_is_whole(void **state)
{
    (void)state;
    char path[PATH_MAX], whole[PATH_MAX];
    assert_int_equal(offer(0, 8), OK);
    put_all();
    assert_int_equal(blobs_path(store, whole, &key), OK);
    blobs_close(store);
    snprintf(path, sizeof path, "%.4000s.part", whole);
    assert_int_equal(rename(whole, path), 0);
    assert_int_equal(blobs_open(&store, folder, QUOTA), OK);
    assert_true(is_whole());
    assert_int_equal(access(whole, F_OK), 0);
}

static void another_job_gets_nothing_by_naming_the_same_root(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct blob_key other = {8, key.root};
    assert_int_equal(offer(0, 8), OK);
    put_all();
    assert_int_equal(blobs_read(store, &out, &other, 0, 4096), E_NOT_FOUND);
    assert_int_equal(blobs_nodes(store, &out, &other, 0, 0, 1), E_NOT_FOUND);
    assert_int_equal(blobs_state(store, &other).held, 0);
    buffer_finish(&out);
}

static enum status promise(uint64_t job, uint8_t who, uint64_t size)
{
    struct blob_key k = {job, {{(uint8_t)job, who}}};
    struct address renter = {{who}};
    uint8_t hash[32] = {0};
    return blobs_offer(store, &k, &renter, size, 0, bytes_of(hash, 32));
}

static void promises_count_and_one_renter_leaves_room_for_others(void **state)
{
    (void)state;
    assert_int_equal(promise(1, 1, QUOTA / 2 + 1), E_LIMIT); /* more than a job's share */
    assert_int_equal(promise(1, 1, QUOTA / 2), OK);
    assert_int_equal(promise(2, 1, QUOTA / 4 + 1), E_LIMIT); /* more than a renter's */
    assert_int_equal(promise(2, 1, QUOTA / 4), OK);
    assert_int_equal(promise(3, 1, 8192), E_LIMIT);
    assert_int_equal(promise(3, 2, QUOTA / 4), OK);
    assert_int_equal(promise(4, 3, 8192), E_LIMIT); /* all is promised */
    assert_int_equal(blobs_used(store), QUOTA);
    assert_int_equal(blobs_used_by(store, &(struct address){{1}}), QUOTA / 4 * 3);
    blobs_remove_job(store, 1);
    assert_int_equal(blobs_used(store), QUOTA / 2);
    assert_int_equal(promise(4, 3, 8192), OK);
}

static void a_finished_file_is_taken_in_under_its_root(void **state)
{
    (void)state;
    char path[100];
    struct buffer nodes = {0};
    snprintf(path, sizeof path, "%s/result.tmpfile", folder);
    assert_int_equal(file_write_atomic(path, bytes_of(content, SIZE), 0600), OK);
    assert_int_equal(blobs_adopt(store, &key, &owner, path), OK);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_true(is_whole());
    assert_int_equal(blobs_nodes(store, &nodes, &key, 0, 2, 100), OK); /* made at first use */
    assert_int_equal(nodes.size, 6 * 32);
    assert_memory_equal(nodes.data, &tree.nodes[2], nodes.size);
    buffer_clear(&nodes);
    (void)leaf_tree_join(&tree);
    assert_int_equal(blobs_nodes(store, &nodes, &key, 3, 0, 1), OK);
    assert_memory_equal(nodes.data, &tree.nodes[14], 32);
    assert_int_equal(blobs_nodes(store, &nodes, &key, 4, 0, 1), E_RANGE);
    buffer_finish(&nodes);
    blobs_remove(store, &key);
    assert_int_equal(held(), 0);
    assert_int_equal(blobs_used(store), 0);
}

static void a_content_of_no_bytes_is_whole_at_once(void **state)
{
    (void)state;
    struct blob_key none = {9, merkle_root((struct bytes){0})};
    assert_int_equal(blobs_offer(store, &none, &owner, 0, 0, (struct bytes){0}), OK);
    assert_true(blobs_state(store, &none).whole);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(a_content_is_whole_when_all_of_it_came_in_any_order),
        WITH_STORE(a_wrong_leaf_is_refused_and_costs_nothing_else),
        WITH_STORE(leaf_hashes_of_another_root_are_dropped),
        WITH_STORE(an_upload_continues_after_a_restart_with_what_is_right),
        WITH_STORE(what_a_crash_tore_is_asked_for_again),
        WITH_STORE(a_content_whose_last_leaf_came_before_a_crash_is_whole),
        WITH_STORE(another_job_gets_nothing_by_naming_the_same_root),
        WITH_STORE(promises_count_and_one_renter_leaves_room_for_others),
        WITH_STORE(a_finished_file_is_taken_in_under_its_root),
        WITH_STORE(a_content_of_no_bytes_is_whole_at_once),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
