/* The reason codes of workers and contracts are one table: what one calls 5 the other must not. */
#include "compute/reason.h"

#include "base/bytes.h"
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SOURCE "contracts/src/interfaces/IJobs.sol"

static unsigned constant_of(const char *source, const char *name)
{
    char wanted[80];
    snprintf(wanted, sizeof wanted, "constant EXIT_%s = ", name);
    const char *at = strstr(source, wanted);
    if (!at) fail_msg("%s has no EXIT_%s", SOURCE, name);
    return (unsigned)strtoul(at + strlen(wanted), NULL, 10);
}

static void contracts_and_workers_number_reasons_alike(void **state)
{
    (void)state;
    struct buffer source = {0};
    assert_int_equal(file_read(&source, SOURCE, 1 << 20), OK);
#define X(number, name, text, sentence)                                                            \
    assert_int_equal(constant_of(buffer_text(&source), #name), number);
    REASONS(X)
#undef X
    buffer_finish(&source);
}

static void numbers_are_dense_and_named(void **state)
{
    (void)state;
    for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
        assert_string_not_equal(reason_name(reason), "unknown");
        assert_true(strlen(reason_text(reason)) > 0);
    }
    assert_string_equal(reason_name(REASON_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contracts_and_workers_number_reasons_alike),
        cmocka_unit_test(numbers_are_dense_and_named),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
