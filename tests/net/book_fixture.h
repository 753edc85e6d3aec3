/* book_fixture.h - a book, a seeded crowd of honest addresses, and an attacker's. */
#ifndef LEASEHOLD_TESTS_NET_BOOK_FIXTURE_H
#define LEASEHOLD_TESTS_NET_BOOK_FIXTURE_H

#include "net/book.h"

#define START_S  1800000000
#define LONG_S   1000 /* apart enough that no rate limit is met */
#define ATTACKER 66   /* the first byte of the attacker's own addresses; no honest one has it */

static const uint8_t SEED[32] = {1, 2, 3};

static inline uint64_t next_random(uint64_t *state) /* splitmix64 */
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static inline struct wire_peer peer_at(uint32_t ipv4)
{
    struct wire_peer p = {.address = {.port = 30333}};
    p.address.ip[10] = p.address.ip[11] = 0xff;
    store_be32(p.address.ip + 12, ipv4);
    store_be32(p.id.b, ipv4);
    return p;
}

/* The nth of up to 5,000 honest ones, each in a /16 of its own. */
static inline struct wire_peer honest(uint32_t n)
{
    return peer_at((70 + n / 200) << 24 | (n % 200) << 16 | 0x0101);
}

static inline bool is_attackers(const struct wire_peer *p)
{
    return p->address.ip[12] == ATTACKER;
}

static inline struct wire_peer attackers(uint32_t group, uint32_t n)
{
    return peer_at((uint32_t)ATTACKER << 24 | group << 16 | n);
}

static inline bool tell(struct book *b, struct wire_peer p, struct wire_peer source, uint64_t now_s)
{
    return book_add(b, &p, &source.address, now_s);
}

static inline bool skip_none(void *context, const struct wire_peer *peer)
{
    (void)context;
    (void)peer;
    return false;
}

static inline bool skip_all_but(void *context, const struct wire_peer *peer)
{
    const struct wire_peer *wanted = context;
    return !net_address_equal(&wanted->address, &peer->address);
}

/* In the book, and due. */
static inline bool has(struct book *b, const struct wire_peer *p, uint64_t now_s)
{
    struct wire_peer wanted = *p, found;
    return book_choose(b, &found, skip_all_but, &wanted, now_s);
}

#endif
