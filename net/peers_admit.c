#include "base/fatal.h"
#include "net/monotonic.h"
#include "net/peer.h"
#include "net/sockets.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#define SUBNET_BITS4 24
#define SUBNET_BITS6 48
#define HOST_BITS4   32
#define HOST_BITS6   64

bool peers_refuses(const struct peers *p, const struct hash *id)
{
    if (p->refuses_all) return true;
    for (size_t i = 0; i < p->refused_count; i++)
        if (hash_equal(&p->refused[i], id)) return true;
    return false;
}

/* ------------------------------------------------------------------------ at the door */

struct crowd {
    uint32_t host, subnet, handshakes;
    struct peer *oldest; /* of the handshakes */
};

static bool same_network(const struct net_address *a, const struct net_address *b, unsigned bits4,
                         unsigned bits6)
{
    struct net_group group_a = net_address_prefix(a, bits4, bits6);
    struct net_group group_b = net_address_prefix(b, bits4, bits6);
    return net_group_equal(&group_a, &group_b);
}

static struct crowd crowd_of(const struct peers *p, const struct net_address *from)
{
    struct crowd c = {0};
    for (size_t i = 0; i < p->slots_used; i++) {
        struct peer *peer = p->slots[i];
        if (peer == NULL || peer->phase == PEER_CLOSED || peer->info.outgoing) continue;
        if (peer->phase < PEER_OPEN) {
            c.handshakes++;
            if (c.oldest == NULL || peer->info.peer < c.oldest->info.peer) c.oldest = peer;
        }
        if (peer->reserved) continue;
        const struct net_address *remote = &peer->info.remote;
        c.host += same_network(remote, from, HOST_BITS4, HOST_BITS6);
        c.subnet += same_network(remote, from, SUBNET_BITS4, SUBNET_BITS6);
    }
    return c;
}

static const char *why_not(struct peers *p, const struct net_address *from)
{
    uint64_t now = monotonic_ms();
    bool local = net_address_is_loopback(from) && !p->limits.strict_loopback;
    uint32_t attempts_max = local ? 10 * PEERS_ATTEMPTS_MINUTE : PEERS_ATTEMPTS_MINUTE;
    if (p->refuses_all) return "refused by the operator";
    if (bans_has_address(p->bans, from, now)) return "banned";
    if (attempts_count(p->attempts, from, now) > attempts_max) return "too many attempts";
    struct crowd c = crowd_of(p, from);
    if (!local && c.host >= PEERS_ADDRESS_MAX) return "too many connections of its address";
    if (!local && c.subnet >= PEERS_SUBNET_MAX) return "too many connections of its subnet";
    /* The oldest had the most time: an honest one needs a few round trips. */
    if (c.handshakes >= p->limits.handshakes) peer_close(c.oldest, "made room for a newcomer");
    return NULL;
}

static void refuse_at_door(int fd, const struct net_address *from, const char *reason)
{
    char address[NET_ADDRESS_TEXT_SIZE];
    net_address_to_text(address, from);
    log_limited(LOG_INFO, "peer", "refused address=%s reason=%s", address, reason);
    close(fd);
}

static void let_in(struct peers *p, int fd, const struct net_address *from)
{
    const char *reason = why_not(p, from);
    if (reason != NULL) {
        refuse_at_door(fd, from, reason);
        return;
    }
    rate_spend(&p->accept_rate, 1, monotonic_ms());
    if (peer_create(p, fd, false, from) == NULL) refuse_at_door(fd, from, "no slot is free");
}

void peers_set_accepting(struct peers *p, bool accepting)
{
    if (p->on_accept == NULL || p->accepting == accepting) return;
    int failed = accepting ? event_add(p->on_accept, NULL) : event_del(p->on_accept);
    if (failed) fatal("watching the peers' port");
    p->accepting = accepting;
}

/* False: nobody waits, or the door is shut for now. */
static bool accept_one(struct peers *p)
{
    struct net_address from;
    /* A handshake costs us signatures: strangers get a bounded share of the time. */
    bool open = rate_wait_ms(&p->accept_rate, monotonic_ms()) == 0;
    int fd = open ? socket_accept(&from, p->listener) : -1;
    if (fd >= 0) {
        let_in(p, fd, &from);
        return true;
    }
    bool passing = errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
    if (open && passing) return false;
    if (open) log_limited(LOG_WARN, "peer", "cannot accept: %s", strerror(errno));
    peers_set_accepting(p, false); /* until the next sweep */
    return false;
}

void peers_accept(struct peers *p)
{
    for (int i = 0; i < PEERS_ACCEPT_TURN; i++)
        if (!accept_one(p)) return;
}

/* ------------------------------------------------------------------------- after HELLO */

static bool in_set(const struct peers *p, const struct peer *peer)
{
    const struct peers_handlers *h = &p->handlers;
    return peer->info.is_validator && h->in_set != NULL &&
           h->in_set(h->context, &peer->info.validator);
}

/* A validator could connect with many node ids: the first ones have reserved places. */
static bool is_first_of_validator(const struct peers *p, const struct peer *newcomer)
{
    uint32_t others = 0;
    for (size_t i = 0; i < p->slots_used; i++) {
        const struct peer *peer = p->slots[i];
        if (peer == NULL || peer->phase != PEER_OPEN || !peer->info.is_validator) continue;
        others += address_equal(&peer->info.validator, &newcomer->info.validator);
    }
    return others < PEERS_VALIDATOR_EACH;
}

static bool is_guest(const struct peer *peer)
{
    return peer != NULL && peer->phase == PEER_OPEN && !peer->info.outgoing;
}

struct house {
    uint32_t reserved, others;
};

/* The set changes with the epochs, so who has a reserved place is asked anew. */
static struct house count_house(struct peers *p)
{
    struct house h = {0};
    for (size_t i = 0; i < p->slots_used; i++) {
        struct peer *peer = p->slots[i];
        if (!is_guest(peer)) continue;
        peer->reserved = peer->first_of_validator && in_set(p, peer);
        h.reserved += peer->reserved;
        h.others += !peer->reserved;
    }
    return h;
}

static uint32_t neighbours(const struct peers *p, const struct net_address *of)
{
    uint32_t count = 0;
    for (size_t i = 0; i < p->slots_used; i++) {
        const struct peer *peer = p->slots[i];
        if (!is_guest(peer) || peer->reserved) continue;
        count += same_network(&peer->info.remote, of, SUBNET_BITS4, SUBNET_BITS6);
    }
    return count;
}

/* The newest of the most crowded subnet goes, if the house is more mixed for it. */
static bool evict_for(struct peers *p, const struct peer *newcomer)
{
    struct peer *victim = NULL;
    uint32_t crowd = neighbours(p, &newcomer->info.remote) + 1;
    for (size_t i = 0; i < p->slots_used; i++) {
        struct peer *peer = p->slots[i];
        if (!is_guest(peer) || peer->reserved) continue;
        uint32_t here = neighbours(p, &peer->info.remote);
        bool newer = victim != NULL && peer->info.peer > victim->info.peer;
        if (here < crowd || (here == crowd && !newer)) continue;
        if (here > crowd || newer) victim = peer;
        crowd = here;
    }
    if (victim == NULL) return false;
    peer_close(victim, "made room for one of a less crowded subnet");
    return true;
}

bool peers_make_place(struct peers *p, struct peer *newcomer)
{
    assert(newcomer->phase == PEER_HELLO);
    if (newcomer->info.outgoing) return true; /* dialling keeps its own count */
    struct house house = count_house(p);
    newcomer->first_of_validator =
        newcomer->info.is_validator && is_first_of_validator(p, newcomer);
    if (newcomer->first_of_validator && in_set(p, newcomer) &&
        house.reserved < PEERS_VALIDATOR_SLOTS) {
        newcomer->reserved = true;
        return true;
    }
    return house.others < p->in_max || evict_for(p, newcomer);
}

/* Both ends must choose alike, or both connections are lost. */
static bool newcomer_stays(const struct peers *p, const struct peer *newcomer,
                           const struct peer *old)
{
    /* Dialled by the same end again: to that end the old one is dead. */
    if (newcomer->info.outgoing == old->info.outgoing) return true;
    if (monotonic_ms() - old->heard_ms > p->limits.ping_ms + p->limits.handshake_ms) return true;
    struct bytes theirs = hash_bytes(&newcomer->info.id);
    bool we_are_lower = bytes_compare(hash_bytes(&p->own_id), theirs) < 0;
    return newcomer->info.outgoing == we_are_lower;
}

bool peers_settle_duplicate(struct peers *p, struct peer *newcomer)
{
    for (size_t i = 0; i < p->slots_used; i++) {
        struct peer *old = p->slots[i];
        if (old == NULL || old->phase != PEER_OPEN) continue;
        if (!hash_equal(&old->info.id, &newcomer->info.id)) continue;
        bool stays = newcomer_stays(p, newcomer, old);
        peer_settle(newcomer, true); /* whatever becomes of it, the address is good */
        peer_close(stays ? old : newcomer, NULL);
        return stays; /* there are never two open ones */
    }
    return true;
}
