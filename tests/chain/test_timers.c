#include "chain/consensus/timers.h"

#include "chain/consensus/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

/* after setjmp.h and stdarg.h, which it needs */
#include <cmocka.h>

static const struct timing TIMING = {.delta_ms = 1000, .idle_interval_ms = 500};

static void the_first_views_wait_two_and_three_delta_beyond_the_idle_interval(void **state)
{
    (void)state;
    for (uint64_t view = 101; view <= 102; view++) {
        assert_int_equal(timer_leader_ms(&TIMING, view, 100), 2500);
        assert_int_equal(timer_advance_ms(&TIMING, view, 100), 3500);
        assert_int_equal(timer_retry_ms(&TIMING, view, 100), 2000);
    }
}

static void grow_by_a_quarter_a_view_up_to_the_cap(void **state)
{
    uint32_t before = timer_leader_ms(&TIMING, 2, 0) - 500;
    (void)state;
    for (uint64_t view = 3; view < 300; view++) {
        uint32_t now = timer_leader_ms(&TIMING, view, 0) - 500;
        if (before + before / 4 + 1 <= TIMER_CAP_MS)
            assert_int_equal(now, before + before / 4 + 1);
        else
            assert_int_equal(now, TIMER_CAP_MS);
        before = now;
    }
    assert_int_equal(before, TIMER_CAP_MS);
}

static void the_leader_always_gets_less_time_than_the_view(void **state)
{
    (void)state;
    for (uint64_t view = 1; view < 12; view++)
        assert_true(timer_leader_ms(&TIMING, view, 0) < timer_advance_ms(&TIMING, view, 0) ||
                    timer_advance_ms(&TIMING, view, 0) == 500 + TIMER_CAP_MS);
}

static void depend_on_the_distance_to_finality_alone(void **state)
{
    (void)state;
    for (uint64_t gap = 1; gap < 30; gap++)
        assert_int_equal(timer_advance_ms(&TIMING, gap, 0),
                         timer_advance_ms(&TIMING, 1000000 + gap, 1000000));
}

static void a_delta_above_the_cap_is_kept(void **state)
{
    const struct timing slow = {.delta_ms = 30000};
    (void)state;
    assert_int_equal(timer_leader_ms(&slow, 50, 0), 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_views_wait_two_and_three_delta_beyond_the_idle_interval),
        cmocka_unit_test(grow_by_a_quarter_a_view_up_to_the_cap),
        cmocka_unit_test(the_leader_always_gets_less_time_than_the_view),
        cmocka_unit_test(depend_on_the_distance_to_finality_alone),
        cmocka_unit_test(a_delta_above_the_cap_is_kept),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
