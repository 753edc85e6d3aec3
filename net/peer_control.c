#include "net/monotonic.h"
#include "net/peer.h"

#include <assert.h>

static void send_number(struct peer *p, enum wire_type type, uint64_t number)
{
    struct buffer payload = {0};
    wire_number_encode(&payload, number);
    (void)peer_send_bytes(p, type, buffer_bytes(&payload));
    buffer_finish(&payload);
}

static void on_ping(struct peer *p, struct bytes payload)
{
    uint64_t nonce;
    if (wire_number_decode(&nonce, payload) == OK)
        send_number(p, WIRE_PONG, nonce);
    else
        peer_charge(p, OFFENCE_MALFORMED, "malformed PING");
}

static void on_pong(struct peer *p, struct bytes payload)
{
    uint64_t nonce;
    if (wire_number_decode(&nonce, payload) != OK) {
        peer_charge(p, OFFENCE_MALFORMED, "malformed PONG");
        return;
    }
    if (nonce == 0 || nonce != p->ping_nonce) return; /* of an earlier PING, or nobody's */
    uint64_t took_ms = monotonic_ms() - p->ping_sent_ms;
    p->info.round_trip_ms = took_ms > 0 ? (uint32_t)took_ms : 1;
    p->ping_nonce = 0;
}

/* Seldom, so that nobody learns the whole book by asking on. */
static void on_peers_request(struct peer *p)
{
    struct wire_peer sample[WIRE_PEERS_MAX];
    uint64_t now = monotonic_ms();
    if (p->answered_ms != 0 && now - p->answered_ms < PEER_ANSWER_MS) {
        peer_charge(p, OFFENCE_USELESS, "asks for addresses too often");
        return;
    }
    p->answered_ms = now;
    struct buffer payload = {0};
    size_t count = book_sample(p->owner->book, sample, WIRE_PEERS_MAX, calendar_s());
    wire_peers_encode(&payload, sample, count);
    (void)peer_send_bytes(p, WIRE_PEERS, buffer_bytes(&payload));
    buffer_finish(&payload);
}

static void on_peers(struct peer *p, struct bytes payload)
{
    struct wire_peer peers[WIRE_PEERS_MAX];
    size_t count = 0;
    if (wire_peers_decode(peers, &count, payload) != OK) {
        peer_charge(p, OFFENCE_MALFORMED, "malformed PEERS");
        return;
    }
    if (!p->asked) {
        peer_charge(p, OFFENCE_UNASKED, "addresses that nobody asked for");
        return;
    }
    p->asked = false;
    for (size_t i = 0; i < count; i++)
        if (!hash_equal(&peers[i].id, &p->owner->own_id))
            (void)book_add(p->owner->book, &peers[i], &p->info.remote, calendar_s());
}

void peer_on_frame(struct peer *p, const struct frame *frame)
{
    const struct peers_handlers *handlers = &p->owner->handlers;
    assert(p->phase == PEER_OPEN || frame->type == WIRE_HELLO);
    if (frame->type == WIRE_HELLO)
        peer_on_hello(p, frame->payload);
    else if (frame->type == WIRE_PING)
        on_ping(p, frame->payload);
    else if (frame->type == WIRE_PONG)
        on_pong(p, frame->payload);
    else if (frame->type == WIRE_PEERS_REQUEST)
        on_peers_request(p);
    else if (frame->type == WIRE_PEERS)
        on_peers(p, frame->payload);
    else
        handlers->on_message(handlers->context, p->info.peer, frame->type, frame->payload);
}

static void ping(struct peer *p, uint64_t now)
{
    uint8_t nonce[8];
    p->ping_due_ms = now + p->owner->limits.ping_ms;
    p->ping_sent_ms = now;
    random_bytes(nonce, sizeof nonce);
    p->ping_nonce = load_be64(nonce) | 1;
    send_number(p, WIRE_PING, p->ping_nonce);
}

/* Only those that we chose are asked: who came by himself would tell us of his friends. */
static void ask_for_peers(struct peer *p, uint64_t now)
{
    p->ask_due_ms = now + PEER_ASK_MS;
    if (!p->info.outgoing || p->asked) return;
    p->asked = true;
    (void)peer_send_bytes(p, WIRE_PEERS_REQUEST, bytes_of(NULL, 0));
}

/* `now` may have been read before the last thing happened: others were served in between. */
static bool is_over(uint64_t since_ms, uint64_t limit_ms, uint64_t now)
{
    return now > since_ms && now - since_ms > limit_ms;
}

static const char *what_took_too_long(const struct peer *p, uint64_t now)
{
    const struct peers_limits *limits = &p->owner->limits;
    bool idle = p->stage == NULL && peer_queue_is_empty(&p->queue);
    if (p->phase < PEER_OPEN)
        return is_over(p->began_ms, limits->handshake_ms, now) ? "handshake took too long" : NULL;
    if (is_over(p->heard_ms, limits->silent_ms, now)) return "silent";
    if (!idle && is_over(p->progress_ms, limits->stuck_ms, now)) return "does not read";
    if (p->frame_ms != 0 && is_over(p->frame_ms, limits->frame_ms, now))
        return "message took too long";
    return NULL;
}

void peer_check_time(struct peer *p, uint64_t now)
{
    if (p->phase == PEER_CLOSED) return;
    const char *reason = what_took_too_long(p, now);
    if (reason != NULL) {
        peer_close(p, reason);
        return;
    }
    if (p->phase != PEER_OPEN) return;
    if (now - p->info.open_since_ms >= PEER_SHORT_MS) peer_settle(p, true);
    if (now >= p->ping_due_ms) ping(p, now);
    if (now >= p->ask_due_ms) ask_for_peers(p, now);
}
