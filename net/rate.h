/* rate.h - a token bucket: so much a second, and twice that at once after a rest.
 *
 * What has arrived is spent whatever it costs, so the bucket may fall below empty; whoever asks is
 * then told how long to stop taking more. Time is an argument, in milliseconds, and never goes
 * back. Pure; any thread. */
#ifndef LEASEHOLD_NET_RATE_H
#define LEASEHOLD_NET_RATE_H

#include <stdint.h>

struct rate {
    uint64_t a_second;
    int64_t thousandths; /* of tokens left; below 0: overspent */
    uint64_t at_ms;
};

struct rate rate_full(uint64_t a_second, uint64_t now_ms); /* a_second: 1 to 2^40 */
void rate_spend(struct rate *r, uint64_t amount, uint64_t now_ms);
/* 0: go on. Asked of a time not before the last spending. */
uint64_t rate_wait_ms(const struct rate *r, uint64_t now_ms);

#endif
