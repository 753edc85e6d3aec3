#include "node/sync.h"

#include "base/fatal.h"
#include "base/log.h"
#include "node/sync_internal.h"

#include <assert.h>
#include <stdlib.h>

#define TICK_BUSY_MS    200  /* while something is fetched */
#define TICK_IDLE_MS    1000 /* while we only look around */
#define BROKEN_AGAIN_MS 60000

struct sync *sync_create(const struct sync_setup *setup)
{
    struct sync *s = must_alloc(sizeof *s);
    s->setup = *setup;
    s->wake_at_ms = NO_NUMBER;
    s->expected_bytes = SYNC_EXPECTED_BYTES;
    for (size_t i = 0; i < SYNC_WINDOW_BLOCKS; i++)
        s->bodies[i].number = NO_NUMBER;
    epochs_follow(s, 0);
    return s;
}

void sync_destroy(struct sync *s)
{
    if (s == NULL) return;
    epochs_finish(s);
    segments_finish(s);
    bodies_finish(s);
    free(s);
}

void sync_wake(struct sync *s, uint64_t now_ms, uint64_t delay_ms)
{
    uint64_t at_ms = now_ms + delay_ms;
    if (at_ms >= s->wake_at_ms) return;
    s->wake_at_ms = at_ms;
    s->setup.wake(s->setup.context, delay_ms);
}

static void say_broken(struct sync *s, const char *why, uint64_t now_ms)
{
    s->told_ms = now_ms;
    log_error("sync",
              "stopped: a block that its epoch's validators made final does not hold here, so "
              "either this node (program or disk) is broken or a third of the stake lies "
              "number=%llu reason=%s",
              (unsigned long long)s->broken_number, why);
}

void sync_break(struct sync *s, uint64_t number, const char *why, uint64_t now_ms)
{
    if (s->broken) return;
    s->broken = true;
    s->broken_number = number;
    say_broken(s, why, now_ms);
}

/* ---- progress ---- */

static void note_progress(struct sync *s, uint64_t now_ms)
{
    bool active = s->segment_count > 0 && !s->broken;
    if (active && !s->active) {
        s->start = s->head_number;
        s->since_ms = now_ms;
    }
    s->active = active;
}

struct sync_progress sync_progress(const struct sync *s)
{
    return (struct sync_progress){.active = s->active,
                                  .start = s->start,
                                  .current = ledger_head(s->setup.ledger)->header.number,
                                  .target = epochs_proved(s),
                                  .epoch = s->known.number,
                                  .since_ms = s->since_ms};
}

/* ---- turns ---- */

/* Brings everything in line with the ledger, whose head consensus moves too. */
static void follow(struct sync *s, uint64_t now_ms)
{
    batch_follow(s);
    epochs_follow(s, now_ms);
    segments_plan(s, now_ms);
    bodies_follow(s);
}

/* Gives up what is late, asks for what is due. */
static void drive(struct sync *s, uint64_t now_ms)
{
    follow(s, now_ms);
    epochs_expire(s, now_ms);
    headers_expire(s, now_ms);
    bodies_expire(s, now_ms);
    if (!s->broken) {
        epochs_ask(s, now_ms);
        headers_ask(s, now_ms);
        bodies_ask(s, now_ms);
    }
    note_progress(s, now_ms);
    sync_wake(s, now_ms, execute_due(s, now_ms) ? 0 : s->active ? TICK_BUSY_MS : TICK_IDLE_MS);
}

void sync_turn(struct sync *s, uint64_t now_ms)
{
    s->wake_at_ms = NO_NUMBER;
    if (s->broken && now_ms >= s->told_ms + BROKEN_AGAIN_MS) say_broken(s, "as told", now_ms);
    follow(s, now_ms);
    if (execute_due(s, now_ms)) execute_some(s, now_ms);
    drive(s, now_ms);
}

static bool is_owed(struct sync_peer *p, enum answer kind)
{
    if (p->owed[kind] == 0) return false;
    p->owed[kind]--;
    return true;
}

typedef void (*answer_call)(struct sync *, struct sync_peer *, struct bytes, uint64_t);

static void take_answer(struct sync *s, uint64_t peer, enum answer kind, answer_call call,
                        struct bytes payload, uint64_t now_ms)
{
    struct sync_peer *p = peer_find(s, peer);
    if (p == NULL || s->broken) return;
    if (!is_owed(p, kind)) {
        sync_peer_charge(s, peer, OFFENCE_UNASKED, "an answer to nothing");
        return;
    }
    call(s, p, payload, now_ms);
    p->heard_ms = now_ms;
    drive(s, now_ms);
}

void sync_message(struct sync *s, uint64_t peer, enum wire_type type, struct bytes payload,
                  uint64_t now_ms)
{
    if (type == WIRE_FINAL) take_answer(s, peer, ANSWER_FINAL, on_final, payload, now_ms);
    if (type == WIRE_EPOCH) take_answer(s, peer, ANSWER_EPOCH, on_epoch, payload, now_ms);
    if (type == WIRE_HEADERS) take_answer(s, peer, ANSWER_HEADERS, on_headers, payload, now_ms);
    if (type == WIRE_BODY) take_answer(s, peer, ANSWER_BODY, on_body, payload, now_ms);
}
