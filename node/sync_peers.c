/* Whom to ask: the quickest first, those that failed seldom, those that lied never again. */
#include "node/sync_internal.h"

#include <assert.h>

#define STRIKE_PAUSE_MS  250
#define STRIKE_SHIFT_MAX 6 /* 16 s at most */
#define SHED_PAUSE_MS    500
#define PACE_START_MS    200
#define ANSWER_MS_MAX    (4 * SYNC_ANSWER_MS) /* of one object, however busy its peer seems */
#define OWED_MAX         4096

struct sync_peer *peer_find(struct sync *s, uint64_t id)
{
    for (size_t i = 0; i < s->peer_count; i++)
        if (s->peers[i].id == id) return &s->peers[i];
    return NULL;
}

void sync_peer_open(struct sync *s, uint64_t peer, uint64_t claimed_number, uint64_t now_ms)
{
    assert(peer != 0);
    if (s->peer_count == SYNC_PEERS_MAX || peer_find(s, peer) != NULL) return;
    s->peers[s->peer_count++] = (struct sync_peer){
        .id = peer, .hint = claimed_number, .pace_ms = PACE_START_MS, .heard_ms = now_ms};
    sync_wake(s, now_ms, 0);
}

static void forget_ask(struct ask *a, uint64_t peer)
{
    if (a->peer == peer) a->peer = 0;
}

void sync_peer_closed(struct sync *s, uint64_t peer, uint64_t now_ms)
{
    struct sync_peer *p = peer_find(s, peer);
    if (p == NULL) return;
    forget_ask(&s->epoch_ask, peer);
    for (size_t i = 0; i < s->segment_count; i++)
        for (size_t r = 0; r < s->segments[i].range_count; r++)
            forget_ask(&s->segments[i].ranges[r].ask, peer);
    for (size_t i = 0; i < SYNC_WINDOW_BLOCKS; i++)
        forget_ask(&s->bodies[i].ask, peer);
    *p = s->peers[--s->peer_count];
    sync_wake(s, now_ms, 0);
}

bool peer_may_be_asked(const struct sync_peer *p, uint64_t number, uint64_t now_ms)
{
    return !p->bad && p->hint >= number && now_ms >= p->pause_until_ms &&
           p->in_flight < SYNC_PEER_ASKS;
}

bool peers_some_clean(const struct sync *s, uint64_t number, uint64_t now_ms)
{
    for (size_t i = 0; i < s->peer_count; i++)
        if (s->peers[i].strikes == 0 && peer_may_be_asked(&s->peers[i], number, now_ms))
            return true;
    return false;
}

static bool better(const struct sync_peer *a, const struct sync_peer *b)
{
    if (a->strikes != b->strikes) return a->strikes < b->strikes;
    return (uint64_t)(a->in_flight + 1) * a->pace_ms < (uint64_t)(b->in_flight + 1) * b->pace_ms;
}

static struct sync_peer *pick_best(struct sync *s, uint64_t number, uint64_t now_ms)
{
    struct sync_peer *best = NULL;
    for (size_t i = 0; i < s->peer_count; i++) {
        struct sync_peer *p = &s->peers[i];
        if (!peer_may_be_asked(p, number, now_ms)) continue;
        if (best == NULL || better(p, best)) best = p;
    }
    return best;
}

/* After a failure each in turn: a few that work together must not keep an object for ever. */
static struct sync_peer *pick_in_turn(struct sync *s, uint64_t number, uint32_t tries,
                                      uint64_t now_ms)
{
    for (size_t i = 0; i < s->peer_count; i++) {
        struct sync_peer *p = &s->peers[(tries + i) % s->peer_count];
        if (peer_may_be_asked(p, number, now_ms)) return p;
    }
    return NULL;
}

struct sync_peer *peer_pick(struct sync *s, uint64_t number, uint32_t tries, uint64_t now_ms)
{
    return tries == 0 ? pick_best(s, number, now_ms) : pick_in_turn(s, number, tries, now_ms);
}

static enum answer answer_of(enum wire_type request)
{
    if (request == WIRE_FINAL_REQUEST) return ANSWER_FINAL;
    if (request == WIRE_EPOCH_REQUEST) return ANSWER_EPOCH;
    if (request == WIRE_HEADERS_REQUEST) return ANSWER_HEADERS;
    assert(request == WIRE_BODY_REQUEST);
    return ANSWER_BODY;
}

bool peer_request(struct sync *s, struct sync_peer *p, enum wire_type request, struct bytes payload,
                  uint32_t answers, uint64_t now_ms)
{
    uint32_t *owed = &p->owed[answer_of(request)];
    if (!s->setup.send(s->setup.context, p->id, request, payload)) {
        p->pause_until_ms = now_ms + SHED_PAUSE_MS;
        return false;
    }
    *owed = *owed + answers > OWED_MAX ? OWED_MAX : *owed + answers;
    return true;
}

void ask_begin(struct sync *s, struct ask *a, struct sync_peer *p, uint64_t now_ms)
{
    assert(a->peer == 0 && p->in_flight <= SYNC_PEER_ASKS);
    a->peer = p->id;
    a->serial = ++s->serial;
    a->at_ms = now_ms;
    p->in_flight++;
}

void ask_end(struct sync *s, struct ask *a)
{
    struct sync_peer *p = a->peer == 0 ? NULL : peer_find(s, a->peer);
    a->peer = 0;
    if (p == NULL) return;
    assert(p->in_flight > 0);
    p->in_flight--;
}

void ask_fail(struct sync *s, struct ask *a)
{
    ask_end(s, a);
    a->tries++;
}

void ask_forget(struct sync *s, struct ask *a)
{
    ask_end(s, a);
    *a = (struct ask){0};
}

void peer_strike(struct sync_peer *p, uint64_t now_ms)
{
    if (now_ms < p->pause_until_ms) return; /* one failure has many faces */
    uint32_t shift = p->strikes < STRIKE_SHIFT_MAX ? p->strikes : STRIKE_SHIFT_MAX;
    p->strikes++;
    p->pause_until_ms = now_ms + ((uint64_t)STRIKE_PAUSE_MS << shift);
}

void ask_expire(struct sync *s, struct ask *a, uint64_t now_ms)
{
    struct sync_peer *p = a->peer == 0 ? NULL : peer_find(s, a->peer);
    if (p == NULL) return;
    uint64_t since_ms = a->at_ms > p->heard_ms ? a->at_ms : p->heard_ms;
    bool late = now_ms >= since_ms + SYNC_ANSWER_MS || now_ms >= a->at_ms + ANSWER_MS_MAX;
    if (!late) return;
    ask_fail(s, a);
    if (p->pace_ms < SYNC_ANSWER_MS) p->pace_ms = SYNC_ANSWER_MS;
    peer_strike(p, now_ms);
}

void peer_answered(struct sync_peer *p, const struct ask *a, uint64_t now_ms)
{
    if (a->peer == p->id) { /* how long this answer took, after what it sent before */
        uint64_t since_ms = a->at_ms > p->heard_ms ? a->at_ms : p->heard_ms;
        uint64_t took_ms = now_ms > since_ms ? now_ms - since_ms : 0;
        if (took_ms > ANSWER_MS_MAX) took_ms = ANSWER_MS_MAX;
        p->pace_ms = (uint32_t)((7 * (uint64_t)p->pace_ms + took_ms) / 8);
    }
    p->strikes = 0;
    p->pause_until_ms = 0;
    p->heard_ms = now_ms;
}

void sync_peer_charge(struct sync *s, uint64_t id, enum offence offence, const char *reason)
{
    struct sync_peer *p = peer_find(s, id);
    if (p == NULL) return;
    p->bad = p->bad || offence != OFFENCE_UNASKED;
    s->setup.charge(s->setup.context, id, offence, reason);
}
