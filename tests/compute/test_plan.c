#include "compute/plan.h"
#include "compute/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD   "leasehold-plan 1\nsource k.cu\nlimits 60 1048576\n"
#define BUFFER "buffer a 64 none out - 0\n"
#define GROUP  "group 1 1\nlaunch k 1 1 1 32 1 1 0 1\narg buffer 0000000000000000\n"

static struct plan plan, again; /* large */

static void refused(const char *text)
{
    char error[PLAN_ERROR_SIZE];
    assert_int_equal(plan_parse(&plan, error, text, strlen(text)), E_MALFORMED);
    assert_non_null(strstr(error, "plan line"));
}

static void reads_what_it_printed(void **state)
{
    static const char TEXT[] =
        HEAD "trace\ncheckpoint 30\nbuffer a 64 none out - 0\nbuffer b.f32 128 f32 in in.bin "
             "100\nbuffer c 8 f64 out - 0\n"
             "group 7 2\nlaunch one 2 3 4 8 8 2 512 3\narg buffer 0000000000000001\n"
             "arg i32 00000000ffffffff\narg index 0000000000000000\nlaunch two 1 1 1 1 1 1 0 0\n"
             "group 1 1\nlaunch one 1 1 1 1 1 1 0 1\narg f64 3ff0000000000000\nend\n";
    char *text = NULL;
    size_t size = 0;
    char error[PLAN_ERROR_SIZE];
    (void)state;
    assert_int_equal(plan_parse(&plan, error, TEXT, strlen(TEXT)), OK);
    assert_int_equal(plan.launch_count, 3);
    assert_int_equal(plan.groups[1].first, 2);
    assert_int_equal(plan_output_bytes(&plan), 72);
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(plan_print(out, &plan), OK);
    fclose(out);
    assert_string_equal(text, TEXT);
    assert_int_equal(plan_parse(&again, error, text, size), OK);
    assert_memory_equal(&plan, &again, sizeof plan);
    free(text);
}

static void reads_no_prefix_of_a_plan(void **state)
{
    static const char TEXT[] = HEAD BUFFER GROUP "end\n";
    char error[PLAN_ERROR_SIZE];
    (void)state;
    assert_int_equal(plan_parse(&plan, error, TEXT, strlen(TEXT)), OK);
    for (size_t size = 0; size < strlen(TEXT); size++) {
        assert_int_equal(plan_parse(&plan, error, TEXT, size), E_MALFORMED);
    }
}

static void refuses_what_is_not_a_plan(void **state)
{
    (void)state;
    refused(HEAD "trace \n" BUFFER GROUP "end\n");
    refused(HEAD "trace\ntrace\n" BUFFER GROUP "end\n");
    refused(HEAD "checkpoint 0\n" BUFFER GROUP "end\n");
    refused(HEAD "checkpoint 3\ntrace\n" BUFFER GROUP "end\n");
    refused("leasehold-plan 2\nsource k.cu\nlimits 60 1048576\nend\n");
    refused(HEAD BUFFER GROUP "end\nmore\n");
    refused(HEAD BUFFER "group 1 1\nlaunch k 1 1 1 32 1 1 0 1\narg buffer 0000000000000001\nend\n");
    refused(HEAD BUFFER "group 0 1\nlaunch k 1 1 1 1 1 1 0 0\nend\n");
    refused(HEAD BUFFER "group 1 1\nlaunch k 1 1 1 64 64 1 0 0\nend\n");
    refused(HEAD BUFFER "group 1 1\nlaunch k 0 1 1 1 1 1 0 0\nend\n");
    refused(HEAD BUFFER "group 1 1\nlaunch k 01 1 1 1 1 1 0 0\nend\n");
    refused(HEAD BUFFER "group 1 1\nlaunch k()  1 1 1 1 1 1 0 0\nend\n");
    refused(HEAD "buffer ../a 64 none out - 0\nend\n");
    refused(HEAD "buffer a 64 none out - 1\nend\n");
    refused(HEAD "buffer a 64 none out b 65\nend\n");
    refused(HEAD "buffer a 99999999999999999999 none out - 0\nend\n");
    refused(HEAD "buffer  a 64 none out - 0\nend\n");
}

static void refuses_more_than_the_limits(void **state)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    (void)state;
    fprintf(out, HEAD);
    for (int i = 0; i <= JOB_BUFFERS_MAX; i++)
        fprintf(out, "buffer a%d 64 none out - 0\n", i);
    fprintf(out, "end\n");
    fclose(out);
    refused(text);
    free(text);
}

static void every_reason_has_a_name_and_a_number_below_32(void **state)
{
    (void)state;
    assert_int_equal(REASON_OK, 0);
    assert_true(REASON_COUNT <= 32);
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        assert_string_not_equal(reason_name(i), "unknown");
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(reason_name(i), reason_name(j));
    }
    assert_string_equal(reason_name(REASON_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_printed),
        cmocka_unit_test(reads_no_prefix_of_a_plan),
        cmocka_unit_test(refuses_what_is_not_a_plan),
        cmocka_unit_test(refuses_more_than_the_limits),
        cmocka_unit_test(every_reason_has_a_name_and_a_number_below_32),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
