#include "chain/consensus/core.h"

#include <assert.h>
#include <string.h>

#define RULE_ACTIONS_MAX 96 /* more than any one rule or message emits */

struct action *action_add(struct actions *out, enum action_kind kind)
{
    assert(out->count < ACTIONS_MAX);
    struct action *a = &out->items[out->count++];
    memset(a, 0, sizeof(*a));
    a->kind = kind;
    return a;
}

bool has_room(const struct actions *out)
{
    return out->count + RULE_ACTIONS_MAX <= ACTIONS_MAX;
}

uint64_t persist(struct consensus *c, const struct record *record, struct actions *out)
{
    struct action *a = action_add(out, ACTION_PERSIST);
    a->persist.sequence = ++c->sequence;
    a->persist.record = *record;
    return c->sequence;
}

void send_vote(const struct vote *v, struct actions *out)
{
    struct action *a = action_add(out, ACTION_SEND);
    a->send.kind = MESSAGE_VOTE;
    a->send.vote = *v;
}

void send_certificate(const struct certificate *cert, uint64_t peer, struct actions *out)
{
    struct action *a = action_add(out, ACTION_SEND);
    a->send.kind = MESSAGE_CERTIFICATE;
    a->send.peer = peer;
    a->send.certificate = cert;
}

static uint32_t timer_delay(const struct consensus *c, enum timer timer)
{
    const struct timing *t = &c->config.timing;
    uint32_t stall_ms = 2 * t->idle_interval_ms;
    switch (timer) {
    case TIMER_LEADER: return timer_leader_ms(t, c->view, c->final.view);
    case TIMER_ADVANCE: return timer_advance_ms(t, c->view, c->final.view);
    case TIMER_RETRY: return timer_retry_ms(t, c->view, c->final.view);
    case TIMER_STALL: return stall_ms > STALL_MS ? stall_ms : STALL_MS;
    case TIMER_COUNT: break;
    }
    assert(0 && "no such timer");
    return 0;
}

void set_timer(const struct consensus *c, enum timer timer, struct actions *out)
{
    struct action *a = action_add(out, ACTION_SET_TIMER);
    a->set_timer.timer = timer;
    a->set_timer.view = c->view;
    a->set_timer.delay_ms = timer_delay(c, timer);
}

void want_certificate(struct consensus *c, uint64_t view, struct actions *out)
{
    struct slot *s = slot_open(c, view);
    if (!s || s->fetch_cert_asked || c->fetch_count >= FETCHES_MAX) return;
    s->fetch_cert_asked = true;
    c->fetch_count++;
    action_add(out, ACTION_FETCH_CERT)->fetch_cert.view = view;
}

void want_block(struct consensus *c, struct slot *s, struct actions *out)
{
    assert(s->block.known && !s->block.held);
    if (s->fetch_block_asked || c->fetch_count >= FETCHES_MAX) return;
    s->fetch_block_asked = true;
    c->fetch_count++;
    struct action *a = action_add(out, ACTION_FETCH_BLOCK);
    a->fetch_block.view = s->view;
    a->fetch_block.block = s->block.hash;
}

void ask_sync(const struct certificate *cert, uint64_t epoch, uint64_t peer, struct actions *out)
{
    struct action *a = action_add(out, ACTION_SYNC);
    a->sync.certificate = cert;
    a->sync.epoch = epoch;
    a->sync.peer = peer;
}
