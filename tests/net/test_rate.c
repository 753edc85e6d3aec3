#include "net/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* after setjmp.h and stdarg.h, which it needs */
#include <cmocka.h>

static void lets_a_burst_of_two_seconds_through(void **state)
{
    struct rate r = rate_full(100, 5000);
    (void)state;
    rate_spend(&r, 200, 5000);
    assert_int_equal(rate_wait_ms(&r, 5000), 0);
    rate_spend(&r, 1, 5000);
    assert_int_equal(rate_wait_ms(&r, 5000), 10);
}

static void says_when_what_was_overspent_is_earned_again(void **state)
{
    struct rate r = rate_full(1000, 0);
    (void)state;
    rate_spend(&r, 2000 + 500, 0);
    uint64_t wait = rate_wait_ms(&r, 0);
    assert_int_equal(wait, 500);
    assert_int_equal(rate_wait_ms(&r, wait - 1), 1);
    assert_int_equal(rate_wait_ms(&r, wait), 0);
}

static void gives_the_rate_over_time_and_not_more(void **state)
{
    struct rate r = rate_full(1000, 0);
    uint64_t spent = 0;
    uint64_t now = 0;
    (void)state;
    while (now < 100000) {
        rate_spend(&r, 7, now);
        spent += 7;
        now += rate_wait_ms(&r, now);
    }
    assert_in_range(spent, 101000, 102100); /* with the first burst */
}

static void rests_do_not_add_up(void **state)
{
    struct rate r = rate_full(10, 0);
    (void)state;
    rate_spend(&r, 20, 0);
    rate_spend(&r, 0, UINT64_C(1) << 50); /* an age later */
    rate_spend(&r, 20, UINT64_C(1) << 50);
    assert_int_equal(rate_wait_ms(&r, UINT64_C(1) << 50), 0);
    rate_spend(&r, 1, UINT64_C(1) << 50);
    assert_int_equal(rate_wait_ms(&r, UINT64_C(1) << 50), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_a_burst_of_two_seconds_through),
        cmocka_unit_test(says_when_what_was_overspent_is_earned_again),
        cmocka_unit_test(gives_the_rate_over_time_and_not_more),
        cmocka_unit_test(rests_do_not_add_up),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
