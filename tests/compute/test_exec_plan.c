/* What unpacker, trusted side and init tell each other about a command. */
#include "base/fatal.h"
#include "compute/exec_outputs.h"
#include "compute/exec_usage.h"
#include "compute/rootfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct exec_plan *new_plan(void)
{
    return must_alloc(sizeof(struct exec_plan));
}

static void a_plan_comes_back_as_it_was_printed(void **state)
{
    char *text;
    size_t size;
    struct exec_plan *plan = new_plan(), *again = new_plan();
    FILE *out = open_memstream(&text, &size);
    (void)state;
    *plan = (struct exec_plan){.seconds = 5, .processes = 6, .memory_bytes = 1 << 30};
    plan->device = true;
    assert_int_equal(exec_plan_add_arg(plan, "/bin/sh"), OK);
    assert_int_equal(exec_plan_add_arg(plan, "line\nline"), OK);
    assert_int_equal(exec_plan_add_arg(plan, ""), OK);
    assert_int_equal(exec_plan_set_env(plan, "A=b c\n"), OK);
    assert_int_equal(exec_plan_set_workdir(plan, "/srv"), OK);
    assert_int_equal(exec_plan_add_output(plan, "x", "/job/out/x y", 7), OK);
    assert_int_equal(exec_plan_print(out, plan), OK);
    fclose(out);
    assert_int_equal(exec_plan_parse(again, text, size), OK);
    assert_int_equal(again->seconds, 5);
    assert_int_equal(again->processes, 6);
    assert_int_equal(again->memory_bytes, 1 << 30);
    assert_true(again->device);
    assert_int_equal(again->arg_count, 3);
    assert_string_equal(again->args[1], "line\nline");
    assert_string_equal(again->args[2], "");
    assert_string_equal(again->env[0], "A=b c\n");
    assert_string_equal(again->workdir, "/srv");
    assert_string_equal(again->outputs[0].path, "/job/out/x y");
    assert_int_equal(again->outputs[0].bytes_max, 7);
    for (size_t cut = 0; cut < size; cut++) { /* and no beginning of it is one */
        memset(again, 0, sizeof *again);
        assert_int_not_equal(exec_plan_parse(again, text, cut), OK);
    }
    free(text), free(plan), free(again);
}

#define PLAN(text) "leasehold-exec 1\0" text "\0end"

static void plans_that_make_no_sense_are_refused(void **state)
{
    static const struct {
        const char *text;
        size_t size;
    } CASES[] = {
#define CASE(text) {PLAN(text), sizeof PLAN(text)}
        CASE("x"),
        CASE("s1x"),
        CASE("s"),
        CASE("s-1"),
        CASE("s99999999999999999999"),
        CASE("p5000"),
        CASE("eA"),
        CASE("e=b"),
        CASE("wsrv"),
        CASE("g1"),
        CASE("o1 x"),
        CASE("o1 x /etc/passwd"),
        CASE("o1 ../x /job/out/x"),
        CASE("o9999999999 x /job/out/x"),
        CASE(""),
#undef CASE
        {"leasehold-exec 2\0end", 21},
        {"leasehold-exec 1\0end\0end", 25},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct exec_plan *plan = new_plan();
        assert_int_not_equal(exec_plan_parse(plan, CASES[i].text, CASES[i].size), OK);
        free(plan);
    }
}

static void what_is_above_goes_before_what_is_below(void **state)
{
    struct exec_plan *plan = new_plan(), *image = new_plan(), *job = new_plan();
    (void)state;
    assert_int_equal(exec_plan_add_arg(image, "/image"), OK);
    assert_int_equal(exec_plan_add_arg(image, "-x"), OK);
    assert_int_equal(exec_plan_set_env(image, "A=image"), OK);
    assert_int_equal(exec_plan_set_env(image, "AB=image"), OK);
    assert_int_equal(exec_plan_set_workdir(image, "/image"), OK);
    assert_int_equal(exec_plan_set_env(job, "A=job"), OK);
    assert_int_equal(exec_plan_merge(plan, image, job), OK);
    assert_int_equal(plan->arg_count, 2);
    assert_int_equal(plan->env_count, 2);
    assert_string_equal(plan->env[0], "A=job");
    assert_string_equal(plan->env[1], "AB=image");
    assert_string_equal(plan->workdir, "/image");
    memset(plan, 0, sizeof *plan);
    assert_int_equal(exec_plan_add_arg(job, "/job"), OK);
    assert_int_equal(exec_plan_merge(plan, image, job), OK);
    assert_int_equal(plan->arg_count, 1);
    assert_string_equal(plan->args[0], "/job");
    free(plan), free(image), free(job);
}

static void a_plan_is_bounded(void **state)
{
    struct exec_plan *plan = new_plan();
    char *text = must_alloc(EXEC_TEXT_BYTES_MAX + 1);
    (void)state;
    for (int i = 0; i < EXEC_ARGS_MAX; i++)
        assert_int_equal(exec_plan_add_arg(plan, "x"), OK);
    assert_int_equal(exec_plan_add_arg(plan, "x"), E_LIMIT);
    memset(text, 'x', EXEC_TEXT_BYTES_MAX);
    text[1] = '=';
    assert_int_equal(exec_plan_set_env(plan, text), E_LIMIT);
    free(text), free(plan);
}

/* ---- outputs ------------------------------------------------------------------------------- */

static enum status receive(const char *stream, size_t size, bool whole_folder)
{
    char folder[] = "/tmp/leasehold-outputs-XXXXXX", names[BUNDLE_ENTRIES_MAX][JOB_NAME_SIZE];
    size_t count = 0;
    struct exec_plan *plan = new_plan();
    if (whole_folder) plan->folder_bytes_max = 10;
    if (!whole_folder) assert_int_equal(exec_plan_add_output(plan, "x", "/job/out/x", 5), OK);
    assert_non_null(mkdtemp(folder));
    FILE *in = fmemopen((void *)(uintptr_t)stream, size, "r");
    assert_non_null(in);
    enum status status = exec_outputs_receive(names, &count, folder, in, plan);
    fclose(in);
    assert_int_equal(rootfs_remove(folder), OK);
    free(plan);
    return status;
}

static void a_stream_of_outputs_is_believed_in_nothing(void **state)
{
    static const char *const BAD[] = {"file 6 x\nabcdefdone\n",
                                      "file 2 y\nabdone\n",
                                      "file 2 ../x\nabdone\n",
                                      "file 5 x\nabc",
                                      "file 2 x\nab",
                                      "file 2 x\nabfile 2 x\nabdone\n",
                                      "file -1 x\ndone\n",
                                      "file 99999999999999999999 x\ndone\n",
                                      "file 2x\nabdone\n",
                                      "done\nx",
                                      "x"};
    static const char GOOD[] = "file 5 x\nabcdedone\n", ANY[] = "file 2 y\nabdone\n";
    (void)state;
    assert_int_equal(receive(GOOD, sizeof GOOD - 1, false), OK);
    assert_int_equal(receive(ANY, sizeof ANY - 1, true), OK);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_int_equal(receive(BAD[i], strlen(BAD[i]), false), E_MALFORMED);
    assert_int_equal(receive(BAD[2], strlen(BAD[2]), true), E_MALFORMED);
}

/* ---- usage --------------------------------------------------------------------------------- */

static void usage_reads_the_numbers_behind_their_names(void **state)
{
    static const char TEXT[] = "Name:\tRssAnon: 9\nRssAnon:\t   12 kB\nRssShmem:\t 3 kB\n"
                               "XRssAnon: 100 kB\n";
    static const char *const KEYS[] = {"RssAnon", "RssShmem", "VmSwap", NULL};
    (void)state;
    assert_int_equal(exec_usage_kib(TEXT, KEYS), 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_comes_back_as_it_was_printed),
        cmocka_unit_test(plans_that_make_no_sense_are_refused),
        cmocka_unit_test(what_is_above_goes_before_what_is_below),
        cmocka_unit_test(a_plan_is_bounded),
        cmocka_unit_test(a_stream_of_outputs_is_believed_in_nothing),
        cmocka_unit_test(usage_reads_the_numbers_behind_their_names),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
