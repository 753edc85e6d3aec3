#include "wallet/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char log_path[] = "/tmp/leasehold-process-XXXXXX";

static void start(struct process *p, const char *script)
{
    char copy[200];
    snprintf(copy, sizeof copy, "%s", script);
    char *argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, copy, NULL};
    assert_int_equal(process_start(p, "test", argv, log_path), OK);
}

static void ends_a_process_that_it_started(void **state)
{
    (void)state;
    struct process p;
    start(&p, "exec sleep 60");
    assert_true(process_alive(&p));
    process_end(&p, 5000);
    assert_false(process_alive(&p));
}

static void ends_one_that_ignores_being_asked(void **state)
{
    (void)state;
    struct process p;
    start(&p, "trap '' TERM; echo deaf; while :; do sleep 0.05; done");
    for (int i = 0; i < 200 && access(log_path, R_OK) != 0; i++)
        usleep(10000);
    usleep(100000); /* until the trap is set */
    process_end(&p, 100);
    assert_false(process_alive(&p));
}

static void asks_several_to_end_before_it_waits(void **state)
{
    (void)state;
    struct process all[3];
    for (size_t i = 0; i < 3; i++)
        start(&all[i], "exec sleep 60");
    for (size_t i = 0; i < 3; i++)
        process_ask_to_end(&all[i]);
    for (int wait = 0; wait < 500 && process_alive(&all[2]); wait++)
        usleep(10000);
    assert_false(process_alive(&all[2])); /* though nobody saw the first off */
    for (size_t i = 0; i < 3; i++)
        process_end(&all[i], 5000);
}

static void kills_without_asking(void **state)
{
    (void)state;
    struct process p;
    char marker[] = "/tmp/leasehold-asked-XXXXXX";
    char script[200];
    int fd = mkstemp(marker);
    assert_true(fd >= 0 && close(fd) == 0 && unlink(marker) == 0);
    snprintf(script, sizeof script, "trap 'touch %s' TERM; while :; do sleep 0.05; done", marker);
    start(&p, script);
    usleep(100000); /* until the trap is set */
    process_kill(&p);
    assert_false(process_alive(&p));
    assert_int_not_equal(access(marker, F_OK), 0);
}

static void never_signals_a_pid_that_belongs_to_another(void **state)
{
    (void)state;
    struct process p;
    start(&p, "exec sleep 60");
    struct process stale = p;
    stale.start_time++; /* as if the pid had been given out again */
    assert_false(process_alive(&stale));
    process_end(&stale, 100);
    process_kill(&stale);
    assert_true(process_alive(&p));
    process_end(&p, 5000);
}

static void comes_back_from_json(void **state)
{
    (void)state;
    struct process p;
    struct process back;
    start(&p, "exec sleep 60");
    json_t *o = process_to_json(&p);
    assert_true(process_from_json(&back, o));
    assert_true(process_alive(&back));
    assert_string_equal(back.name, "test");
    process_end(&back, 5000);
    assert_false(process_alive(&p));
    json_decref(o);
}

static void refuses_a_program_that_is_not_there(void **state)
{
    (void)state;
    struct process p;
    char *argv[] = {(char[]){"/nonexistent/program"}, NULL};
    assert_int_equal(process_start(&p, "none", argv, log_path), E_NOT_FOUND);
    char path[256];
    assert_int_equal(process_find_program(path, sizeof path, "no-such-program-here"), E_NOT_FOUND);
    assert_int_equal(process_find_program(path, sizeof path, "sh"), OK);
}

static void takes_what_a_program_prints_if_it_ends_well(void **state)
{
    (void)state;
    struct buffer out = {0};
    char *good[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, (char[]){"echo hello"}, NULL};
    char *bad[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, (char[]){"echo no; exit 3"}, NULL};
    assert_int_equal(process_output(&out, good), OK);
    assert_string_equal(buffer_text(&out), "hello\n");
    assert_int_equal(process_output(&out, bad), E_IO);
    buffer_finish(&out);
}

static int make_log(void **state)
{
    (void)state;
    int fd = mkstemp(log_path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_log(void **state)
{
    (void)state;
    return unlink(log_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_a_process_that_it_started),
        cmocka_unit_test(ends_one_that_ignores_being_asked),
        cmocka_unit_test(asks_several_to_end_before_it_waits),
        cmocka_unit_test(kills_without_asking),
        cmocka_unit_test(never_signals_a_pid_that_belongs_to_another),
        cmocka_unit_test(comes_back_from_json),
        cmocka_unit_test(refuses_a_program_that_is_not_there),
        cmocka_unit_test(takes_what_a_program_prints_if_it_ends_well),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_log, remove_log);
}
