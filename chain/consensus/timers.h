/* timers.h - how long a view may take: a pure function of (view - last finalized view).
 *
 *   leader  = idle interval + 2 * delta * 1.25^k    no proposal by then: nullify
 *   advance = idle interval + 3 * delta * 1.25^k    no next view by then: nullify
 *   retry   = 2 * delta * 1.25^k                    still here: send what we said again
 *   k = max(0, view - finalized - 2): in the good case view v is entered one hop before v-1 is
 *   final, and that must not slow it down.
 * Each grown part stops at TIMER_CAP_MS (or at its ungrown value, where that is larger). The idle
 * interval is not grown: it is how long an honest leader with nothing to include may hold its
 * block back, so every validator grants it to every leader. Pure. */
#ifndef LEASEHOLD_CHAIN_CONSENSUS_TIMERS_H
#define LEASEHOLD_CHAIN_CONSENSUS_TIMERS_H

#include <stdint.h>

struct timing {
    uint32_t delta_ms;         /* assumed bound on one message hop; 1..DELTA_MS_MAX */
    uint32_t idle_interval_ms; /* the longest the driver waits before it answers Build */
};

uint32_t timer_leader_ms(const struct timing *t, uint64_t view, uint64_t finalized_view);
uint32_t timer_advance_ms(const struct timing *t, uint64_t view, uint64_t finalized_view);
uint32_t timer_retry_ms(const struct timing *t, uint64_t view, uint64_t finalized_view);

#endif
