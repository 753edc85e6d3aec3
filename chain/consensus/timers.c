#include "chain/consensus/timers.h"

#include "chain/consensus/limits.h"
#include "chain/consensus/planted.h"

#include <assert.h>

/* base * 1.25^k, at most the cap, never below base. */
static uint32_t grown(uint32_t base, uint64_t view, uint64_t finalized_view)
{
    assert(view > finalized_view);
    uint64_t value = base;
    for (uint64_t k = view - finalized_view; k > 2 && value < TIMER_CAP_MS; k--)
        value += PLANTED(TIMERS_FLAT) ? 0 : value / 4 + 1;
    if (value > TIMER_CAP_MS && !PLANTED(TIMERS_UNCAPPED))
        value = base > TIMER_CAP_MS ? base : TIMER_CAP_MS;
    return (uint32_t)value;
}

uint32_t timer_leader_ms(const struct timing *t, uint64_t view, uint64_t finalized_view)
{
    return t->idle_interval_ms + grown(2 * t->delta_ms, view, finalized_view);
}

uint32_t timer_advance_ms(const struct timing *t, uint64_t view, uint64_t finalized_view)
{
    return t->idle_interval_ms + grown(3 * t->delta_ms, view, finalized_view);
}

uint32_t timer_retry_ms(const struct timing *t, uint64_t view, uint64_t finalized_view)
{
    return grown(2 * t->delta_ms, view, finalized_view);
}
