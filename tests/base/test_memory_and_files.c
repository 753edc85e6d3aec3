/* Buffers, arenas, and files that are written whole or not at all. */
#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64];

static const char *in_directory(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static void buffers_grow_and_keep_what_they_hold(void **state)
{
    (void)state;
    struct buffer b = {0};
    for (int i = 0; i < 1000; i++)
        buffer_append_byte(&b, (uint8_t)i);
    buffer_print(&b, "%d-%s", 42, "end");
    assert_int_equal(b.size, 1006);
    assert_int_equal(b.data[300], 300 % 256);
    assert_string_equal(buffer_text(&b) + 1000, "42-end");
    buffer_clear(&b);
    assert_string_equal(buffer_text(&b), "");
    buffer_finish(&b);
}

static void arenas_give_zeroed_aligned_memory_after_every_reset(void **state)
{
    (void)state;
    struct arena a = {0};
    for (int round = 0; round < 3; round++) {
        for (size_t size = 0; size < 3000; size += 7) {
            uint8_t *memory = arena_alloc(&a, size);
            assert_int_equal((uintptr_t)memory % 16, 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(memory[i], 0);
            memset(memory, 0xff, size);
        }
        assert_non_null(arena_alloc(&a, 1 << 20));
        arena_reset(&a);
    }
    assert_string_equal(arena_text(&a, bytes_of_text("kept")), "kept");
    arena_finish(&a);
}

static void an_atomic_write_replaces_the_file_and_leaves_no_other(void **state)
{
    (void)state;
    const char *path = in_directory("file");
    assert_int_equal(file_write_atomic(path, bytes_of_text("one"), 0600), OK);
    assert_int_equal(file_write_atomic(path, bytes_of_text("two"), 0600), OK);
    struct buffer content = {0};
    assert_int_equal(file_read(&content, path, 100), OK);
    assert_string_equal(buffer_text(&content), "two");
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_not_equal(access(in_directory("file.tmp"), F_OK), 0);
    buffer_finish(&content);
}

static void a_file_over_the_limit_is_refused_and_nothing_is_appended(void **state)
{
    (void)state;
    assert_int_equal(file_write_atomic(in_directory("big"), bytes_of_text("12345"), 0600), OK);
    struct buffer content = {0};
    assert_int_equal(file_read(&content, in_directory("big"), 4), E_LIMIT);
    assert_int_equal(content.size, 0);
    assert_int_equal(file_read(&content, in_directory("absent"), 4), E_NOT_FOUND);
    buffer_finish(&content);
}

static void a_lock_held_by_another_process_is_refused_and_named(void **state)
{
    (void)state;
    const char *path = in_directory("lock");
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        int fd;
        if (file_lock(&fd, path) != OK || write(ready[1], "x", 1) != 1) _exit(1);
        pause();
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    int fd;
    assert_int_equal(file_lock(&fd, path), E_EXISTS);
    assert_int_equal(file_lock_holder(path), child);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(file_lock(&fd, path), OK); /* the lock dies with its holder */
    close(fd);
    close(ready[0]);
    close(ready[1]);
}

static void json_files_are_saved_and_read_back(void **state)
{
    (void)state;
    json_t *value = json_pack("{s:i}", "answer", 42);
    assert_int_equal(json_save_path(value, in_directory("v.json"), 0644), OK);
    json_t *back = NULL;
    char error[JSON_ERROR_SIZE] = "";
    assert_int_equal(json_load_path(&back, error, in_directory("v.json"), 1000), OK);
    assert_true(json_equal(value, back));
    json_decref(value);
    json_decref(back);
    assert_int_equal(json_load_path(&back, error, in_directory("none.json"), 1000), E_NOT_FOUND);
    assert_non_null(strstr(error, "none.json"));
}

static void directories_are_made_with_their_parents(void **state)
{
    (void)state;
    assert_int_equal(directory_make(in_directory("a/b/c"), 0700), OK);
    assert_int_equal(directory_make(in_directory("a/b/c"), 0700), OK);
    assert_int_equal(file_write_atomic(in_directory("a/f"), bytes_of_text(""), 0600), OK);
    assert_int_equal(directory_make(in_directory("a/f"), 0700), E_IO);
}

int main(void)
{
    snprintf(directory, sizeof directory, "/tmp/leasehold-test-XXXXXX");
    if (!mkdtemp(directory)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers_grow_and_keep_what_they_hold),
        cmocka_unit_test(arenas_give_zeroed_aligned_memory_after_every_reset),
        cmocka_unit_test(an_atomic_write_replaces_the_file_and_leaves_no_other),
        cmocka_unit_test(a_file_over_the_limit_is_refused_and_nothing_is_appended),
        cmocka_unit_test(a_lock_held_by_another_process_is_refused_and_named),
        cmocka_unit_test(json_files_are_saved_and_read_back),
        cmocka_unit_test(directories_are_made_with_their_parents),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command) != 0 || failed;
}
