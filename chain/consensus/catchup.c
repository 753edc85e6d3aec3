/* Rules 7 and 12: say again what others may have missed. */
#include "chain/consensus/core.h"

static void forget_fetches(struct consensus *c)
{
    for (uint64_t view = c->floor; view <= c->top; view++) {
        struct slot *s = slot_find(c, view);
        if (!s) continue;
        s->fetch_block_asked = false;
        s->fetch_cert_asked = false;
    }
}

static void resend_votes(struct consensus *c, struct slot *s, struct actions *out)
{
    for (int kind = 0; kind < VOTE_KIND_COUNT; kind++)
        if (s->own[kind].held && s->own[kind].released && s->own[kind].sequence <= c->durable)
            send_own(c, s, (enum vote_kind)kind, out);
}

/* What lets others into our view. */
static void resend_entry(const struct consensus *c, struct actions *out)
{
    const enum vote_kind order[] = {VOTE_FINALIZE, VOTE_NULLIFY, VOTE_NOTARIZE};
    const struct slot *s = slot_find(c, c->view - 1);
    for (int i = 0; s && i < VOTE_KIND_COUNT; i++) {
        if (!s->certified[order[i]]) continue;
        send_certificate(&s->certificates[order[i]], 0, out);
        return;
    }
    if (c->has_highest_final) send_certificate(&c->highest_final, 0, out);
}

/* An F whose chain we could not gather since the last tick: leave it to the driver. */
static void sync_if_waiting(struct consensus *c, struct actions *out)
{
    bool waits = c->has_highest_final && c->highest_final.view > c->final.view;
    if (waits && c->commit_waited && c->commit_waited_final == c->final.view)
        ask_sync(&c->highest_final, c->config.epoch.number, 0, out);
    c->commit_waited = waits;
    c->commit_waited_final = c->final.view;
}

void on_retry(struct consensus *c, struct actions *out)
{
    struct slot *s = slot_find(c, c->view);
    if (!s || c->epoch_over) return;
    forget_fetches(c);
    sync_if_waiting(c, out);
    if (s->advance_timeout || s->own[VOTE_NULLIFY].held) {
        resend_entry(c, out);
        if (!PLANTED(RETRY_SILENT)) resend_votes(c, s, out);
        want_certificate(c, c->view, out);
    }
    set_timer(c, TIMER_RETRY, out);
}

static void rebroadcast_slot(struct consensus *c, struct slot *s, struct actions *out)
{
    for (int kind = 0; kind < VOTE_KIND_COUNT; kind++)
        if (s->certified[kind]) send_certificate(&s->certificates[kind], 0, out);
    resend_votes(c, s, out);
}

void on_stall(struct consensus *c, struct actions *out)
{
    bool still = c->stall_view == c->view && c->stall_final == c->final.view;
    c->stall_view = c->view;
    c->stall_final = c->final.view;
    set_timer(c, TIMER_STALL, out);
    if (!still || PLANTED(STALL_SILENT)) return;
    uint32_t before = out->count;
    if (c->has_highest_final) send_certificate(&c->highest_final, 0, out);
    for (uint64_t view = c->top; view > c->final.view; view--) {
        struct slot *s = slot_find(c, view);
        bool full = out->count - before + 2 * VOTE_KIND_COUNT > RETRANSMIT_MAX;
        if (full && !(PLANTED(STALL_UNCAPPED) && has_room(out))) break;
        if (s) rebroadcast_slot(c, s, out);
    }
}
