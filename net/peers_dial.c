#include "net/monotonic.h"
#include "net/peer.h"
#include "net/sockets.h"

#include <unistd.h>

void peers_remember_own(struct peers *p, const struct net_address *address)
{
    for (size_t i = 0; i < p->own_count; i++)
        if (net_address_equal(&p->own[i], address)) return;
    if (p->own_count < PEERS_OWN_ADDRESSES) p->own[p->own_count++] = *address;
}

static bool is_own(const struct peers *p, const struct wire_peer *w)
{
    for (size_t i = 0; i < p->own_count; i++)
        if (net_address_equal(&p->own[i], &w->address)) return true;
    return hash_equal(&w->id, &p->own_id);
}

/* An address counts where we dialled it: what others claim could keep us from anyone. */
static bool is_connected(const struct peers *p, const struct wire_peer *w)
{
    bool known = !hash_is_zero(&w->id);
    for (size_t i = 0; i < p->slots_used; i++) {
        const struct peer *peer = p->slots[i];
        if (peer == NULL || peer->phase == PEER_CLOSED) continue;
        bool same = net_address_equal(&peer->info.dial, &w->address);
        if (same && peer->info.outgoing) return true;
        if (known && hash_equal(&peer->info.id, &w->id)) return true;
        if (known && hash_equal(&peer->expected_id, &w->id)) return true;
    }
    return false;
}

static bool has_outgoing_in_group(const struct peers *p, const struct net_address *a)
{
    struct net_group group = net_address_group(a);
    for (size_t i = 0; i < p->slots_used; i++) {
        const struct peer *peer = p->slots[i];
        if (peer == NULL || peer->phase == PEER_CLOSED || !peer->info.outgoing) continue;
        struct net_group other = net_address_group(&peer->info.dial);
        if (net_group_equal(&group, &other)) return true;
    }
    return false;
}

static bool skip(void *context, const struct wire_peer *w)
{
    const struct peers *p = context;
    uint64_t now = monotonic_ms();
    if (is_own(p, w) || is_connected(p, w) || peers_refuses(p, &w->id)) return true;
    if (bans_has_address(p->bans, &w->address, now) || bans_has_id(p->bans, &w->id, now))
        return true;
    return p->one_each_group && !book_is_fixed(p->book, &w->address) &&
           has_outgoing_in_group(p, &w->address);
}

static void dial(struct peers *p, const struct wire_peer *to)
{
    book_attempted(p->book, &to->address, calendar_s());
    int fd = socket_dial(&to->address);
    if (fd < 0) {
        book_failed(p->book, &to->address, calendar_s());
        return;
    }
    struct peer *peer = peer_create(p, fd, true, &to->address);
    if (peer == NULL) { /* no slot is free: handshakes of guests will end soon */
        close(fd);
        return;
    }
    peer->info.dial = to->address;
    peer->expected_id = to->id;
    peer->demands_id = !hash_is_zero(&to->id) && book_is_fixed(p->book, &to->address);
}

struct outgoing {
    uint32_t all, handshakes;
};

static struct outgoing count_outgoing(const struct peers *p)
{
    struct outgoing o = {0};
    for (size_t i = 0; i < p->slots_used; i++) {
        const struct peer *peer = p->slots[i];
        if (peer == NULL || peer->phase == PEER_CLOSED || !peer->info.outgoing) continue;
        o.all++;
        o.handshakes += peer->phase < PEER_OPEN;
    }
    return o;
}

void peers_dial(struct peers *p)
{
    struct outgoing o = count_outgoing(p);
    struct wire_peer to;
    if (p->refuses_all) return;
    while (o.all < p->out_max && o.handshakes < PEERS_DIALS_MAX) {
        if (!book_choose(p->book, &to, skip, p, calendar_s())) return;
        dial(p, &to);
        o.all++;
        o.handshakes++;
    }
}

/* The outgoing ones of now. None at all says more of our own line than of them. */
void peers_set_anchors(struct peers *p)
{
    struct wire_peer anchors[BOOK_ANCHORS];
    size_t count = 0;
    for (size_t i = 0; i < p->slots_used && count < BOOK_ANCHORS; i++) {
        const struct peer *peer = p->slots[i];
        if (peer == NULL || peer->phase != PEER_OPEN || !peer->info.outgoing) continue;
        anchors[count++] = (struct wire_peer){peer->info.dial, peer->info.id};
    }
    if (count > 0) book_set_anchors(p->book, anchors, count);
}
