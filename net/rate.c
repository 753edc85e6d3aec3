#include "net/rate.h"

#include <assert.h>

#define A_SECOND_MAX (1ull << 40)
#define BURST_MS     2000

struct rate rate_full(uint64_t a_second, uint64_t now_ms)
{
    assert(a_second > 0 && a_second <= A_SECOND_MAX);
    return (struct rate){a_second, (int64_t)(a_second * BURST_MS), now_ms};
}

static int64_t left_at(const struct rate *r, uint64_t now_ms)
{
    int64_t full = (int64_t)(r->a_second * BURST_MS);
    uint64_t passed_ms = now_ms - r->at_ms;
    assert(now_ms >= r->at_ms && r->thousandths <= full);
    if (passed_ms > (uint64_t)(full - r->thousandths) / r->a_second) return full;
    return r->thousandths + (int64_t)(r->a_second * passed_ms);
}

void rate_spend(struct rate *r, uint64_t amount, uint64_t now_ms)
{
    assert(amount <= A_SECOND_MAX);
    r->thousandths = left_at(r, now_ms) - (int64_t)(amount * 1000);
    r->at_ms = now_ms;
}

uint64_t rate_wait_ms(const struct rate *r, uint64_t now_ms)
{
    int64_t left = left_at(r, now_ms);
    if (left >= 0) return 0;
    return ((uint64_t)-left + r->a_second - 1) / r->a_second;
}
