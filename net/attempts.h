/* attempts.h - how often each address tried to connect within a minute.
 *
 * A table of fixed size: an address (IPv6: /64) falls by a keyed hash into a row of a few places
 * and drives out the one that is oldest there. So a million addresses cost no more memory than one;
 * at worst some are forgiven early. Time is an argument (monotonic). One thread. */
#ifndef LEASEHOLD_NET_ATTEMPTS_H
#define LEASEHOLD_NET_ATTEMPTS_H

#include "net/net_address.h"

struct attempts;

struct attempts *attempts_create(const uint8_t seed[32]);
void attempts_destroy(struct attempts *a); /* takes NULL */
/* Counts one; returns how many there were in this minute, with it. */
uint32_t attempts_count(struct attempts *a, const struct net_address *from, uint64_t now_ms);

#endif
