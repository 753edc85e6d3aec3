/* latency.h - how far providers are from here: the time in which their gateways take a connection.
 *
 * All at once, at most LATENCY_WAIT_MS for the slowest; nothing is sent, and what answers is not
 * checked: good for sorting a list, no proof of anything. One thread; blocks. */
#ifndef LEASEHOLD_WALLET_LATENCY_H
#define LEASEHOLD_WALLET_LATENCY_H

#include "client/abi.h"

#define LATENCY_WAIT_MS 2000
#define LATENCY_NONE    UINT32_MAX /* no answer, or no such host */
#define LATENCY_MAX     256        /* connections under way at once */

/* Milliseconds to connect to each "host:port", LATENCY_NONE where nobody answers. */
void latency_measure(uint32_t *out_ms, const char *const *endpoints, size_t count);
/* Sets "latencyMs" (null: none) in each of the contract's Offer objects; equal endpoints are asked
 * once. */
void latency_of_offers(json_t *offers);
/* What latency_of_offers has set, LATENCY_NONE if nothing. */
uint32_t latency_of(const json_t *offer);

#endif
