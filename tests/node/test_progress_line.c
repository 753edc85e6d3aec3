/* What people are told while a node catches up. */
#include "node/progress_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct sync_progress at(uint64_t number)
{
    return (struct sync_progress){
        .active = true, .start = 1000, .current = number, .target = 101000, .since_ms = 500000};
}

/* The line that comes after so many seconds at `rate` blocks a second, told four times a second. */
static void run(struct progress_line *l, char out[PROGRESS_SIZE], uint64_t seconds, uint64_t rate)
{
    char text[PROGRESS_SIZE];
    out[0] = 0;
    for (uint64_t quarter = 0; quarter <= seconds * 4; quarter++) {
        struct sync_progress p = at(1000 + quarter * rate / 4);
        progress_line_next(l, text, &p, 500000 + quarter * 250);
        if (text[0] != 0) snprintf(out, PROGRESS_SIZE, "%s", text);
    }
}

static void a_terminal_shows_place_rate_and_time_left(void **state)
{
    struct progress_line l = {.terminal = true};
    char text[PROGRESS_SIZE];
    (void)state;
    run(&l, text, 20, 1000);
    assert_string_equal(text, "\r\033[Kcatching up 21,000 of 101,000 blocks (20 %), 1,000 a "
                              "second, 80 s left\r");
    l = (struct progress_line){.terminal = true};
    run(&l, text, 20, 10);
    assert_string_equal(text, "\r\033[Kcatching up 1,200 of 101,000 blocks (1 %), 10 a second, "
                              "2 h 46 min left\r");
    l = (struct progress_line){.terminal = true};
    run(&l, text, 20, 0);
    assert_string_equal(text, "\r\033[Kcatching up 1,000 of 101,000 blocks (0 %), 0 a second, "
                              "time left unknown\r");
}

static void a_log_gets_a_line_each_ten_seconds(void **state)
{
    struct progress_line l = {0};
    char text[PROGRESS_SIZE];
    size_t lines = 0;
    (void)state;
    for (uint64_t quarter = 0; quarter < 60 * 4; quarter++) {
        struct sync_progress p = at(1000 + quarter * 25);
        progress_line_next(&l, text, &p, 500000 + quarter * 250);
        lines += text[0] != 0;
        if (text[0] != 0 && lines == 2)
            assert_string_equal(text, "catching up number=3000 target=101000 rate=100 left_s=980");
    }
    assert_int_equal(lines, 5);
}

static void the_end_is_told_once_and_only_if_the_way_was(void **state)
{
    struct sync_progress done = at(101000);
    char text[PROGRESS_SIZE];
    (void)state;
    for (int told = 0; told < 2; told++) {
        struct progress_line l = {0};
        run(&l, text, told ? 30 : 3, 100);
        done.active = false;
        progress_line_next(&l, text, &done, 600000);
        assert_string_equal(text, told ? "caught up number=101000 blocks=100000 took_s=100" : "");
        progress_line_next(&l, text, &done, 601000);
        assert_string_equal(text, "");
    }
}

static void a_rate_is_that_of_the_last_seconds(void **state)
{
    struct progress_line l = {.terminal = true};
    char text[PROGRESS_SIZE] = "";
    (void)state;
    run(&l, text, 20, 1000);
    for (uint64_t s = 1; s <= 12; s++) {
        struct sync_progress p = at(21000 + 10 * s);
        progress_line_next(&l, text, &p, 520000 + s * 1000);
    }
    assert_non_null(strstr(text, " 10 a second"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_terminal_shows_place_rate_and_time_left),
        cmocka_unit_test(a_log_gets_a_line_each_ten_seconds),
        cmocka_unit_test(the_end_is_told_once_and_only_if_the_way_was),
        cmocka_unit_test(a_rate_is_that_of_the_last_seconds),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
