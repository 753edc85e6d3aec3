#include "net/peer.h"

#include "base/fatal.h"
#include "base/hex.h"
#include "net/monotonic.h"
#include "net/sockets.h"

#include <assert.h>
#include <stdlib.h>

#define SLOT_BITS 10
static_assert(1 << SLOT_BITS == PEERS_SLOTS, "a peer's number ends with its slot");
static_assert(PROPOSAL_SIZE_MAX <= PEER_RECEIVE_BYTES_MAX, "every frame can be received");
static_assert(PROPOSAL_SIZE_MAX + 1024 <= PEER_ANSWER_BYTES_MAX, "every frame can be sent");

void peer_log(const struct peer *p, enum log_level level, const char *what, const char *reason)
{
    char id[67];
    char address[NET_ADDRESS_TEXT_SIZE];
    hash_to_text(id, &p->info.id);
    net_address_to_text(address, &p->info.remote);
    log_line(level, "peer", "%s id=%s address=%s outgoing=%d%s%s", what, id + 2, address,
             p->info.outgoing, reason ? " reason=" : "", reason ? reason : "");
}

static void arm(struct event *event, uint64_t delay_ms)
{
    struct timeval delay = {(time_t)(delay_ms / 1000), (suseconds_t)(delay_ms % 1000 * 1000)};
    if (event_add(event, delay_ms > 0 ? &delay : NULL) != 0) fatal("watching a peer's socket");
}

void peer_settle(struct peer *p, bool went_well)
{
    struct wire_peer entry = {p->info.dial, p->info.id};
    if (!p->info.outgoing || p->settled) return;
    p->settled = true;
    if (went_well)
        book_connected(p->owner->book, &entry, calendar_s());
    else
        book_failed(p->owner->book, &entry.address, calendar_s());
}

void peer_close(struct peer *p, const char *reason)
{
    static struct log_limit limit;
    if (p->phase == PEER_CLOSED) return;
    if (reason != NULL && log_admit(&limit)) peer_log(p, LOG_INFO, "dropped", reason);
    peer_settle(p, p->opened);
    p->phase = PEER_CLOSED;
    event_del(p->on_read);
    event_del(p->on_write);
    event_del(p->on_resume);
    event_active(p->owner->on_reap, EV_TIMEOUT, 1);
}

/* The other end hung up. Who does so as soon as we are there (its house is full) shall not be
 * dialled at the same pace for ever. */
static void lose(struct peer *p)
{
    if (p->opened && monotonic_ms() - p->info.open_since_ms < PEER_SHORT_MS) peer_settle(p, false);
    peer_close(p, "connection lost");
}

static uint32_t points_of(enum offence offence)
{
    switch (offence) {
    case OFFENCE_MALFORMED:
    case OFFENCE_FORGED: return PEER_SCORE_MAX;
    case OFFENCE_INVALID: return PEER_SCORE_MAX / 2;
    case OFFENCE_UNASKED: return PEER_SCORE_MAX / 5;
    case OFFENCE_USELESS: return PEER_SCORE_MAX / 50;
    }
    assert(false);
    return 0;
}

void peer_charge(struct peer *p, enum offence offence, const char *reason)
{
    static struct log_limit limit;
    struct peers *owner = p->owner;
    uint64_t now = monotonic_ms();
    if (p->phase == PEER_CLOSED) return;
    score_add(&p->score, points_of(offence), now);
    if (score_points(&p->score, now) < PEER_SCORE_MAX) return;
    uint64_t until = now + owner->limits.ban_ms;
    /* All of this machine's nodes share loopback: there only the id says who it was. */
    if (!net_address_is_loopback(&p->info.remote) || owner->limits.strict_loopback)
        bans_add_address(owner->bans, &p->info.remote, until);
    if (p->phase >= PEER_HELLO) bans_add_id(owner->bans, &p->info.id, until);
    if (log_admit(&limit)) peer_log(p, LOG_WARN, "banned", reason);
    peer_close(p, NULL);
}

/* ------------------------------------------------------------------------------- sending */

static void flush_soon(struct peer *p)
{
    if (p->flushing || p->blocked || p->phase < PEER_HELLO) return;
    p->flushing = true;
    event_active(p->on_write, EV_WRITE, 1);
}

bool peer_send(struct peer *p, struct parcel *parcel)
{
    assert(p->phase == PEER_HELLO || p->phase == PEER_OPEN);
    if (p->stage == NULL && peer_queue_is_empty(&p->queue)) p->progress_ms = monotonic_ms();
    if (!peer_queue_put(&p->queue, parcel)) return false;
    p->info.messages_out++;
    flush_soon(p);
    return true;
}

bool peer_send_bytes(struct peer *p, enum wire_type type, struct bytes payload)
{
    struct parcel *parcel = parcel_create(type, payload);
    bool queued = peer_send(p, parcel);
    parcel_release(parcel);
    return queued;
}

/* Small frames travel together: one record, one system call. False: nothing is left to send. */
static bool fill_stage(struct peer *p)
{
    if (p->stage_sent < p->stage_size) return true;
    if (!peer_queue_is_empty(&p->queue)) {
        if (p->stage == NULL) p->stage = must_alloc(TLS_RECORD_BYTES_MAX);
        p->stage_size = peer_queue_take(&p->queue, p->stage, TLS_RECORD_BYTES_MAX);
        p->stage_sent = 0;
        return true;
    }
    free(p->stage);
    p->stage = NULL;
    p->stage_size = p->stage_sent = 0;
    return false;
}

static void write_on(struct peer *p)
{
    size_t written = 0;
    while (fill_stage(p)) {
        size_t size = 0;
        if (written >= PEER_TURN_BYTES) {
            p->blocked = true; /* until the loop has looked at the others */
            arm(p->on_write, 0);
            return;
        }
        struct bytes rest = bytes_of(p->stage + p->stage_sent, p->stage_size - p->stage_sent);
        switch (tls_write(p->tls, &size, rest)) {
        case TLS_DONE: break;
        case TLS_WANTS_READ: return; /* the next read event tries again */
        case TLS_WANTS_WRITE:
            p->blocked = true;
            arm(p->on_write, 0);
            return;
        case TLS_GONE: lose(p); return;
        }
        p->stage_sent += size;
        written += size;
        p->progress_ms = monotonic_ms();
    }
}

/* ----------------------------------------------------------------------------- receiving */

static const char *reason_of_frame(enum status status)
{
    switch (status) {
    case E_UNSUPPORTED: return "message of an unknown type";
    case E_LIMIT: return "message too large";
    case E_STATE: return "HELLO is not the first message, or came twice";
    default: return "malformed frame";
    }
}

static void take_frames(struct peer *p, struct bytes input, uint64_t now)
{
    struct frame frame;
    while (p->phase != PEER_CLOSED) {
        enum status status = frame_reader_next(&p->reader, &frame, &input);
        if (status == E_NOT_FOUND) break;
        p->frame_ms = 0;
        if (status != OK) {
            peer_charge(p, OFFENCE_MALFORMED, reason_of_frame(status));
            return;
        }
        p->info.messages_in++;
        rate_spend(&p->messages_rate, 1, now);
        peer_on_frame(p, &frame);
    }
    if (frame_reader_is_idle(&p->reader))
        p->frame_ms = 0;
    else if (p->frame_ms == 0)
        p->frame_ms = now;
}

/* Not reading is how a peer is slowed down; TCP tells it. */
static bool throttled(struct peer *p, uint64_t now)
{
    uint64_t bytes_ms = rate_wait_ms(&p->bytes_rate, now);
    uint64_t messages_ms = rate_wait_ms(&p->messages_rate, now);
    uint64_t wait_ms = bytes_ms > messages_ms ? bytes_ms : messages_ms;
    if (wait_ms == 0) return false;
    event_del(p->on_read);
    arm(p->on_resume, wait_ms);
    return true;
}

static void read_on(struct peer *p)
{
    struct peers *owner = p->owner;
    uint64_t now = monotonic_ms();
    uint64_t before = tls_bytes_in(p->tls);
    uint64_t spent = before;
    while (tls_bytes_in(p->tls) - before < PEER_TURN_BYTES) {
        size_t size = 0;
        enum tls_result result = tls_read(p->tls, owner->chunk, &size, sizeof owner->chunk);
        rate_spend(&p->bytes_rate, tls_bytes_in(p->tls) - spent, now);
        spent = tls_bytes_in(p->tls);
        p->read_wants_write = result == TLS_WANTS_WRITE;
        if (p->read_wants_write) arm(p->on_write, 0);
        if (result == TLS_GONE) lose(p);
        if (result != TLS_DONE) break;
        p->heard_ms = now;
        take_frames(p, bytes_of(owner->chunk, size), now);
        if (p->phase == PEER_CLOSED) return;
    }
    if (p->phase != PEER_CLOSED) (void)throttled(p, now);
}

/* -------------------------------------------------------------------------------- events */

static void step_handshake(struct peer *p)
{
    switch (tls_handshake(p->tls)) {
    case TLS_DONE: peer_greet(p); break;
    case TLS_WANTS_READ: break;
    case TLS_WANTS_WRITE: arm(p->on_write, 0); break;
    case TLS_GONE: peer_close(p, "TLS handshake failed"); break;
    }
}

static void on_read(evutil_socket_t fd, short what, void *context)
{
    struct peer *p = context;
    (void)fd;
    (void)what;
    if (p->phase == PEER_TLS) {
        step_handshake(p);
        return;
    }
    read_on(p);
    if (p->phase != PEER_CLOSED && p->stage != NULL) flush_soon(p);
}

static void on_connected(struct peer *p)
{
    if (socket_error(tls_socket(p->tls)) != 0) {
        peer_close(p, NULL); /* nobody there: the book knows when to try again */
        return;
    }
    p->phase = PEER_TLS;
    arm(p->on_read, 0);
    step_handshake(p);
}

static void on_write(evutil_socket_t fd, short what, void *context)
{
    struct peer *p = context;
    (void)fd;
    (void)what;
    p->flushing = p->blocked = false;
    if (p->phase == PEER_CONNECTING) {
        on_connected(p);
    } else if (p->phase == PEER_TLS) {
        step_handshake(p);
    } else {
        if (p->read_wants_write) read_on(p);
        if (p->phase != PEER_CLOSED) write_on(p);
    }
}

static void on_resume(evutil_socket_t fd, short what, void *context)
{
    struct peer *p = context;
    (void)fd;
    (void)what;
    arm(p->on_read, 0);
}

static struct event *event_of(struct peer *p, int fd, short what, event_callback_fn call)
{
    struct event *e = event_new(p->owner->base, fd, what, call, p);
    if (e == NULL) fatal("no memory for a peer's events");
    return e;
}

static bool find_slot(struct peers *owner, size_t *out)
{
    for (size_t i = 0; i < PEERS_SLOTS; i++) {
        if (owner->slots[i] != NULL) continue;
        *out = i;
        return true;
    }
    return false;
}

struct peer *peer_create(struct peers *owner, int fd, bool outgoing,
                         const struct net_address *remote)
{
    size_t slot = 0;
    if (!find_slot(owner, &slot)) return NULL;
    struct peer *p = must_alloc(sizeof *p);
    uint64_t now = monotonic_ms();
    p->owner = owner;
    p->info.peer = ++owner->sequence << SLOT_BITS | slot;
    p->info.outgoing = outgoing;
    p->info.remote = *remote;
    p->phase = outgoing ? PEER_CONNECTING : PEER_TLS;
    p->tls = tls_open(owner->identity, fd, outgoing);
    p->on_read = event_of(p, fd, EV_READ | EV_PERSIST, on_read);
    p->on_write = event_of(p, fd, EV_WRITE, on_write);
    p->on_resume = event_of(p, -1, 0, on_resume);
    p->bytes_rate = rate_full(owner->limits.rate_bytes, now);
    p->messages_rate = rate_full(owner->limits.rate_messages, now);
    p->began_ms = p->heard_ms = p->progress_ms = now;
    peer_queue_init(&p->queue, owner->limits.send_bytes);
    arm(outgoing ? p->on_write : p->on_read, 0);
    owner->slots[slot] = p;
    if (slot >= owner->slots_used) owner->slots_used = slot + 1;
    return p;
}

void peer_free(struct peer *p)
{
    struct peers *owner = p->owner;
    owner->slots[p->info.peer & (PEERS_SLOTS - 1)] = NULL;
    while (owner->slots_used > 0 && owner->slots[owner->slots_used - 1] == NULL)
        owner->slots_used--;
    event_free(p->on_read);
    event_free(p->on_write);
    event_free(p->on_resume);
    tls_close(p->tls);
    frame_reader_finish(&p->reader);
    peer_queue_finish(&p->queue);
    free(p->stage);
    free(p);
}
