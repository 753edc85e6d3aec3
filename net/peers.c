#include "net/peers.h"

#include "base/fatal.h"
#include "net/monotonic.h"
#include "net/peer.h"
#include "net/sockets.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ------------------------------------------------------------------------ opening, closing */

static void set_default(uint64_t *value, uint64_t bound)
{
    if (*value == 0) *value = bound;
}

static struct peers_limits limits_of(const struct peers_config *config)
{
    struct peers_limits l = config->limits;
    set_default(&l.handshake_ms, PEER_HANDSHAKE_MS);
    set_default(&l.ping_ms, PEER_PING_MS);
    set_default(&l.silent_ms, PEER_SILENT_MS);
    set_default(&l.stuck_ms, PEER_STUCK_MS);
    set_default(&l.frame_ms, PEER_FRAME_MS);
    set_default(&l.ban_ms, PEER_BAN_S * 1000ull);
    set_default(&l.rate_bytes, PEER_RATE_BYTES);
    set_default(&l.rate_messages, PEER_RATE_MESSAGES);
    if (l.send_bytes == 0) l.send_bytes = PEER_SEND_BYTES_MAX;
    if (l.handshakes == 0) l.handshakes = PEER_HANDSHAKES_MAX;
    return l;
}

static void on_accept(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    peers_accept(context);
}

void peers_tell_closed(struct peers *p)
{
    for (size_t i = 0; i < p->slots_used; i++) {
        struct peer *peer = p->slots[i];
        if (peer == NULL || peer->phase != PEER_CLOSED || !peer->opened) continue;
        peer->opened = false;
        p->handlers.on_close(p->handlers.context, peer->info.peer);
    }
}

static void on_reap(evutil_socket_t fd, short what, void *context)
{
    struct peers *p = context;
    (void)fd;
    (void)what;
    peers_tell_closed(p);
    for (size_t i = 0; i < p->slots_used; i++) {
        struct peer *peer = p->slots[i];
        /* What a handler closed just now is told and freed next time. */
        if (peer != NULL && peer->phase == PEER_CLOSED && !peer->opened) peer_free(peer);
    }
    peers_set_anchors(p);
}

static void on_sweep(evutil_socket_t fd, short what, void *context)
{
    struct peers *p = context;
    uint64_t now = monotonic_ms();
    (void)fd;
    (void)what;
    for (size_t i = 0; i < p->slots_used; i++)
        if (p->slots[i] != NULL) peer_check_time(p->slots[i], now);
    peers_set_accepting(p, true);
    if (now < p->dial_due_ms) return;
    p->dial_due_ms = now + PEERS_DIAL_MS;
    peers_dial(p);
}

static struct event *event_of(struct peers *p, int fd, short what, event_callback_fn call)
{
    struct event *e = event_new(p->base, fd, what, call, p);
    if (e == NULL) fatal("no memory for the peers' events");
    return e;
}

/* -1: no listening is wanted. */
static enum status listen_on(int *out_fd, char *error, const char *text)
{
    struct net_address on;
    *out_fd = -1;
    if (text[0] == 0) return OK;
    if (!listen_address_from_text(&on, text)) {
        snprintf(error, PEERS_ERROR_SIZE,
                 "cannot listen for peers on \"%s\": want an IP address and a port, as "
                 "0.0.0.0:30333",
                 text);
        return E_MALFORMED;
    }
    *out_fd = socket_listen(&on);
    if (*out_fd >= 0) return OK;
    snprintf(error, PEERS_ERROR_SIZE, "cannot listen for peers on %s: %s", text, strerror(errno));
    return E_IO;
}

static enum status read_advertised(struct net_address *out, char *error, const char *text)
{
    *out = (struct net_address){0};
    if (text[0] == 0) return OK;
    if (listen_address_from_text(out, text) && out->port != 0) return OK;
    snprintf(error, PEERS_ERROR_SIZE,
             "cannot advertise \"%s\": want an IP address and a port, as 192.0.2.1:30333", text);
    return E_MALFORMED;
}

static void make_tools(struct peers *p)
{
    uint8_t seed[32];
    random_bytes(seed, sizeof seed);
    p->bans = bans_create();
    p->attempts = attempts_create(seed);
    p->accept_rate = rate_full(PEERS_ACCEPT_RATE, monotonic_ms());
    p->on_sweep = event_of(p, -1, EV_PERSIST, on_sweep);
    p->on_reap = event_of(p, -1, 0, on_reap);
    if (p->listener >= 0) p->on_accept = event_of(p, p->listener, EV_READ | EV_PERSIST, on_accept);
}

/* NOLINTNEXTLINE(readability-function-size): seven parameters, each of them another's */
enum status peers_open(struct peers **out, char error[PEERS_ERROR_SIZE], struct event_base *base,
                       const struct identity *identity, struct book *book,
                       const struct peers_config *config, const struct peers_handlers *handlers)
{
    struct net_address advertised;
    int listener;
    assert(handlers->on_open && handlers->on_message && handlers->on_close);
    enum status status = read_advertised(&advertised, error, config->advertise);
    if (status != OK) return status;
    status = listen_on(&listener, error, config->listen);
    if (status != OK) return status;
    struct peers *p = must_alloc(sizeof *p);
    p->base = base;
    p->identity = identity;
    p->book = book;
    p->handlers = *handlers;
    p->limits = limits_of(config);
    p->own_id = identity_id(identity);
    p->chain_id = config->chain_id;
    p->genesis = config->genesis;
    p->has_key = config->validator_key != NULL;
    if (p->has_key) p->key = *config->validator_key;
    p->in_max = config->in_max ? config->in_max : PEERS_IN_MAX;
    p->out_max = config->out_max ? config->out_max : PEERS_OUT_MAX;
    p->one_each_group = !config->allow_private;
    p->listener = listener;
    p->advertised = advertised;
    if (advertised.port == 0)
        p->advertised.port = peers_port(p);
    else
        peers_remember_own(p, &advertised);
    book_allow_private(book, config->allow_private);
    make_tools(p);
    *out = p;
    return OK;
}

void peers_start(struct peers *p)
{
    struct timeval every = {0, PEERS_SWEEP_MS * 1000};
    peers_set_accepting(p, true);
    if (event_add(p->on_sweep, &every) != 0) fatal("starting the peers' timer");
    event_active(p->on_sweep, EV_TIMEOUT, 1);
}

void peers_close(struct peers *p)
{
    if (p == NULL) return;
    for (size_t i = 0; i < p->slots_used; i++)
        if (p->slots[i] != NULL) peer_free(p->slots[i]);
    event_free(p->on_sweep);
    event_free(p->on_reap);
    if (p->on_accept != NULL) event_free(p->on_accept);
    if (p->listener >= 0) close(p->listener);
    bans_destroy(p->bans);
    attempts_destroy(p->attempts);
    key_finish(&p->key);
    free(p->refused);
    free(p);
}

uint16_t peers_port(const struct peers *p)
{
    return p->listener >= 0 ? socket_port(p->listener) : 0;
}

/* -------------------------------------------------------------------------- what is asked */

struct peer *peers_find(const struct peers *p, uint64_t peer)
{
    struct peer *found = p->slots[peer & (PEERS_SLOTS - 1)];
    if (found == NULL || found->info.peer != peer || found->phase == PEER_CLOSED) return NULL;
    return found;
}

static struct peer *find_open(const struct peers *p, uint64_t peer)
{
    struct peer *found = peers_find(p, peer);
    return found != NULL && found->phase == PEER_OPEN ? found : NULL;
}

bool peers_send(struct peers *p, uint64_t peer, struct parcel *parcel)
{
    struct peer *to = find_open(p, peer);
    return to != NULL && peer_send(to, parcel);
}

bool peers_send_bytes(struct peers *p, uint64_t peer, enum wire_type type, struct bytes payload)
{
    struct peer *to = find_open(p, peer);
    return to != NULL && peer_send_bytes(to, type, payload);
}

size_t peers_room(const struct peers *p, uint64_t peer, enum channel channel)
{
    const struct peer *to = find_open(p, peer);
    return to != NULL ? peer_queue_room(&to->queue, channel) : 0;
}

void peers_charge(struct peers *p, uint64_t peer, enum offence offence, const char *reason)
{
    struct peer *who = find_open(p, peer);
    if (who != NULL) peer_charge(who, offence, reason);
}

void peers_drop(struct peers *p, uint64_t peer, const char *reason)
{
    struct peer *who = find_open(p, peer);
    if (who != NULL) peer_close(who, reason);
}

size_t peers_count(const struct peers *p)
{
    size_t count = 0;
    for (size_t i = 0; i < p->slots_used; i++)
        count += p->slots[i] != NULL && p->slots[i]->phase == PEER_OPEN;
    return count;
}

static struct peer_info info_of(const struct peer *peer)
{
    struct peer_info info = peer->info;
    size_t staged = peer->stage_size - peer->stage_sent;
    info.bytes_in = tls_bytes_in(peer->tls);
    info.bytes_out = tls_bytes_out(peer->tls);
    info.shed = peer->queue.shed;
    info.queued_bytes = (uint32_t)(peer->queue.bytes + staged);
    info.score = score_points(&peer->score, monotonic_ms());
    return info;
}

size_t peers_list(const struct peers *p, struct peer_info *out, size_t count_max)
{
    size_t count = 0;
    for (size_t i = 0; i < p->slots_used && count < count_max; i++)
        if (p->slots[i] != NULL && p->slots[i]->phase == PEER_OPEN)
            out[count++] = info_of(p->slots[i]);
    return count;
}

bool peers_info(const struct peers *p, struct peer_info *out, uint64_t peer)
{
    const struct peer *found = find_open(p, peer);
    if (found == NULL) return false;
    *out = info_of(found);
    return true;
}

void peers_add(struct peers *p, const struct wire_peer *peer)
{
    book_add_fixed(p->book, peer);
    p->dial_due_ms = 0;
}

void peers_refuse(struct peers *p, const struct hash *ids, size_t count, bool everybody)
{
    assert(count <= PEERS_REFUSED_MAX);
    free(p->refused);
    p->refused = count > 0 ? must_alloc(count * sizeof *ids) : NULL;
    if (count > 0) memcpy(p->refused, ids, count * sizeof *ids);
    p->refused_count = count;
    p->refuses_all = everybody;
    p->dial_due_ms = 0;
    for (size_t i = 0; i < p->slots_used; i++) {
        struct peer *peer = p->slots[i];
        if (peer == NULL || !peers_refuses(p, &peer->info.id)) continue;
        peer->settled = true; /* nothing is said of the address */
        peer_close(peer, "refused by the operator");
    }
}
