/* bans.h - what misbehaviour costs: a score that fades, and a list of whom not to talk to.
 *
 * A score halves every PEER_SCORE_HALF_MS. Bans are by address (IPv6 by /64, what one host has) or
 * by node id and end by themselves; the list holds PEER_BANS_MAX, and when it is full the one that
 * would end first makes room. Time is an argument (monotonic). One thread. */
#ifndef LEASEHOLD_NET_BANS_H
#define LEASEHOLD_NET_BANS_H

#include "net/net_address.h"

struct score {
    uint32_t points;
    uint64_t at_ms;
};

uint32_t score_points(const struct score *s, uint64_t now_ms);
void score_add(struct score *s, uint32_t points, uint64_t now_ms);

struct bans;

struct bans *bans_create(void);
void bans_destroy(struct bans *b); /* takes NULL */
void bans_add_address(struct bans *b, const struct net_address *a, uint64_t until_ms);
void bans_add_id(struct bans *b, const struct hash *id, uint64_t until_ms);
bool bans_has_address(const struct bans *b, const struct net_address *a, uint64_t now_ms);
bool bans_has_id(const struct bans *b, const struct hash *id, uint64_t now_ms);

#endif
