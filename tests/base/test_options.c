/* What a table of options reads: many words, short flags, numbers out of range, the man page. */
#include "base/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SAMPLE(X)                                                                                  \
    X(seconds, "t", TEXT, "SECONDS", "1", 0, 0, "How long.")                                       \
    X(jobs, "jobs", NUMBER, "N", "2", 1, 9, "How many.")                                           \
    X(trace, "trace", SWITCH, NULL, "", 0, 0, "Tell each.")

struct sample {
    SAMPLE(OPTION_FIELD)
};

static const struct option_row ROWS[] = {
#define X(...) OPTION_ROW(struct sample, __VA_ARGS__)
    SAMPLE(X)
#undef X
};

static const struct option_program PROGRAM = {
    .name = "sample",
    .summary = "a program",
    .synopsis = ".B sample",
    .description = "Does nothing.",
    .man_tail = "",
    .words_doc = "FILE...",
    .rows = ROWS,
    .count = sizeof ROWS / sizeof *ROWS,
};

struct reading {
    struct sample config;
    char error[OPTIONS_ERROR_SIZE];
    const char *items[16];
    struct option_words words;
};

/* `line` is split at spaces. */
static enum status read_line(struct reading *r, const char *line)
{
    static char copy[256];
    char *argv[16] = {NULL}, *rest = copy;
    int argc = 0;
    snprintf(copy, sizeof copy, "sample %s", line);
    for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " "))
        argv[argc++] = word;
    *r = (struct reading){.words.min = 1};
    r->words.items = r->items;
    return options_read_words(&PROGRAM, &r->config, r->error, argc, argv, &r->words);
}

static void words_come_in_order_around_flags(void **state)
{
    (void)state;
    struct reading r;
    assert_int_equal(read_line(&r, "one --jobs 3 two -t 0.5 --trace three"), OK);
    assert_int_equal(r.words.count, 3);
    assert_string_equal(r.items[0], "one");
    assert_string_equal(r.items[1], "two");
    assert_string_equal(r.items[2], "three");
    assert_int_equal(r.config.jobs, 3);
    assert_int_equal(r.config.trace, 1);
    assert_string_equal(r.config.seconds, "0.5");
    options_finish(&PROGRAM, &r.config);
}

static void what_is_not_given_has_its_default(void **state)
{
    (void)state;
    struct reading r;
    assert_int_equal(read_line(&r, "one"), OK);
    assert_int_equal(r.config.jobs, 2);
    assert_int_equal(r.config.trace, 0);
    assert_string_equal(r.config.seconds, "1");
    options_finish(&PROGRAM, &r.config);
}

static void too_few_words_are_an_error_that_says_what_is_wanted(void **state)
{
    (void)state;
    struct reading r;
    assert_int_equal(read_line(&r, "--trace"), E_MALFORMED);
    assert_string_equal(r.error, "want FILE... (see --help)");
    assert_null(r.config.seconds);
}

static void a_number_out_of_range_is_an_error_with_the_range(void **state)
{
    (void)state;
    struct reading r;
    assert_int_equal(read_line(&r, "one --jobs 10"), E_RANGE);
    assert_string_equal(r.error, "jobs: want a number from 1 to 9, got \"10\"");
}

static void the_manual_page_shows_short_and_long_flags(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    options_print_man(&PROGRAM, out);
    fclose(out);
    assert_non_null(strstr(text, ".TH SAMPLE 1"));
    assert_non_null(strstr(text, "\\fB\\-t\\fR \\fISECONDS\\fR"));
    assert_non_null(strstr(text, "\\fB\\-\\-jobs\\fR=\\fIN\\fR"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_come_in_order_around_flags),
        cmocka_unit_test(what_is_not_given_has_its_default),
        cmocka_unit_test(too_few_words_are_an_error_that_says_what_is_wanted),
        cmocka_unit_test(a_number_out_of_range_is_an_error_with_the_range),
        cmocka_unit_test(the_manual_page_shows_short_and_long_flags),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
