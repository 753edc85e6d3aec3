#include "wallet/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define READ(in, error, ...) read_words(in, error, (const char *[]){"leasehold", __VA_ARGS__, NULL})

static enum status read_words(struct invocation *in, char error[JSON_ERROR_SIZE],
                              const char *const *words)
{
    static char copies[16][64];
    char *argv[17];
    int argc = 0;
    for (; words[argc] != NULL && argc < 16; argc++) {
        snprintf(copies[argc], sizeof copies[argc], "%s", words[argc]);
        argv[argc] = copies[argc];
    }
    argv[argc] = NULL;
    error[0] = '\0';
    return invocation_read(in, error, argc, argv);
}

static void reads_a_command_with_its_words_and_options(void **state)
{
    (void)state;
    struct invocation in = {0};
    char error[JSON_ERROR_SIZE];
    assert_int_equal(READ(&in, error, "job", "run", "--replicas", "2", "folder", "--json",
                          "--max-price=0.001 LSH/s", "--provider", "a", "--provider", "b"),
                     OK);
    assert_string_equal(in.command->path, "job run");
    assert_int_equal(in.word_count, 1);
    assert_string_equal(in.words[0], "folder");
    assert_string_equal(in.values[OPTION_REPLICAS], "2");
    assert_string_equal(in.values[OPTION_MAX_PRICE], "0.001 LSH/s");
    assert_true(option_on(&in, OPTION_JSON));
    assert_false(option_on(&in, OPTION_YES));
    assert_int_equal(in.provider_count, 2);
    assert_string_equal(in.providers[1], "b");
}

static void takes_words_after_two_dashes_as_they_are(void **state)
{
    (void)state;
    struct invocation in = {0};
    char error[JSON_ERROR_SIZE];
    assert_int_equal(READ(&in, error, "job", "run", "--", "--odd"), OK);
    assert_string_equal(in.words[0], "--odd");
}

static void says_what_to_type_instead(void **state)
{
    (void)state;
    static const struct {
        const char *words[6];
        const char *error;
    } cases[] = {
        {{"job"},
         "leasehold job needs one of: run, check, resume, list, show, fetch, cancel, "
         "challenge, appeal, accept, object, demand"},
        {{"jbo"}, "no command jbo; see: leasehold help"},
        {{"job", "run"}, "something is missing: leasehold job run FOLDER"},
        {{"job", "run", "a", "b"}, "too many words: leasehold job run FOLDER"},
        {{"balance", "--nope"}, "no option --nope; see: leasehold help"},
        {{"balance", "--replicas", "3"}, "leasehold balance takes no --replicas"},
        {{"balance", "--rpc"}, "--rpc needs a value: --rpc URL[,URL...]"},
        {{"balance", "--json=1"}, "--json takes no value"},
        {{"balance", "--rpc=a", "--rpc=b"}, "--rpc is given twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *words[8] = {"leasehold"};
        struct invocation in = {0};
        char error[JSON_ERROR_SIZE];
        for (size_t k = 0; cases[i].words[k] != NULL; k++)
            words[k + 1] = cases[i].words[k];
        assert_int_equal(read_words(&in, error, words), E_MALFORMED);
        assert_string_equal(error, cases[i].error);
    }
}

static void no_command_takes_a_password(void **state)
{
    (void)state;
    for (int i = 0; i < OPTION_COUNT; i++)
        assert_true(strcmp(OPTION_TABLE[i].flag, "password") != 0);
}

static void finds_every_command_of_the_table_by_its_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        assert_ptr_equal(command_find(COMMANDS[i].path), &COMMANDS[i]);
        assert_true(COMMANDS[i].words_min <= COMMANDS[i].words_max);
        assert_true(COMMANDS[i].words_max <= WORDS_MAX);
        assert_int_equal(COMMANDS[i].options & OPTIONS_GLOBAL, 0);
    }
}

static void check_mentions(void (*make)(struct buffer *))
{
    struct buffer text = {0};
    char wanted[128];
    make(&text);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const char *space = strchr(COMMANDS[i].path, ' ');
        const char *last = space != NULL ? space + 1 : COMMANDS[i].path;
        assert_non_null(strstr(buffer_text(&text), last));
    }
    for (int i = 0; i < OPTION_COUNT; i++) {
        snprintf(wanted, sizeof wanted, "--%s", OPTION_TABLE[i].flag);
        assert_non_null(strstr(buffer_text(&text), wanted));
    }
    buffer_finish(&text);
}

static void man_page_and_completions_know_every_command_and_option(void **state)
{
    (void)state;
    check_mentions(help_bash);
    check_mentions(help_zsh);
    struct buffer man = {0};
    help_man(&man);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        struct buffer help = {0};
        help_command(&help, &COMMANDS[i]);
        assert_non_null(strstr(buffer_text(&help), COMMANDS[i].summary));
        buffer_finish(&help);
    }
    assert_non_null(strstr(buffer_text(&man), ".SS leasehold job run FOLDER"));
    assert_non_null(strstr(buffer_text(&man), ".SH EXIT STATUS"));
    assert_non_null(strstr(buffer_text(&man), ".TP\n5\nWrong password"));
    buffer_finish(&man);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_command_with_its_words_and_options),
        cmocka_unit_test(takes_words_after_two_dashes_as_they_are),
        cmocka_unit_test(says_what_to_type_instead),
        cmocka_unit_test(no_command_takes_a_password),
        cmocka_unit_test(finds_every_command_of_the_table_by_its_path),
        cmocka_unit_test(man_page_and_completions_know_every_command_and_option),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
