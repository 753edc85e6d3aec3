/* core_events.h - what can happen to the core of core_rig.h, as a list of numbered events. Each may
 * happen at any time, again and again; rig_apply says false when it cannot happen now. */
#ifndef LEASEHOLD_TESTS_MODEL_CORE_EVENTS_H
#define LEASEHOLD_TESTS_MODEL_CORE_EVENTS_H

#include "tests/model/core_life.h"

/* name, what is done, and for messages: kind of vote, view, letter */
#define RIG_EVENTS(X)                                                                              \
    X(PROPOSAL_1A, give_proposal, VOTE_NOTARIZE, 1, 0)                                             \
    X(PROPOSAL_1B, give_proposal, VOTE_NOTARIZE, 1, 1)                                             \
    X(PROPOSAL_2A, give_proposal, VOTE_NOTARIZE, 2, 0)                                             \
    X(PROPOSAL_2B, give_proposal, VOTE_NOTARIZE, 2, 1)                                             \
    X(CERT_N1A, give_certificate, VOTE_NOTARIZE, 1, 0)                                             \
    X(CERT_N1B, give_certificate, VOTE_NOTARIZE, 1, 1)                                             \
    X(CERT_X1, give_certificate, VOTE_NULLIFY, 1, 0)                                               \
    X(CERT_F1A, give_certificate, VOTE_FINALIZE, 1, 0)                                             \
    X(CERT_F1B, give_certificate, VOTE_FINALIZE, 1, 1)                                             \
    X(CERT_N2A, give_certificate, VOTE_NOTARIZE, 2, 0)                                             \
    X(CERT_N2B, give_certificate, VOTE_NOTARIZE, 2, 1)                                             \
    X(CERT_X2, give_certificate, VOTE_NULLIFY, 2, 0)                                               \
    X(CERT_F2B, give_certificate, VOTE_FINALIZE, 2, 1)                                             \
    X(VOTES_N1A, give_votes, VOTE_NOTARIZE, 1, 0)                                                  \
    X(VOTES_N1B, give_votes, VOTE_NOTARIZE, 1, 1)                                                  \
    X(VOTES_X1, give_votes, VOTE_NULLIFY, 1, 0)                                                    \
    X(VOTES_F1A, give_votes, VOTE_FINALIZE, 1, 0)                                                  \
    X(VALID, give_verdict, VOTE_NOTARIZE, 0, 0)                                                    \
    X(INVALID, give_verdict, VOTE_NOTARIZE, 0, 1)                                                  \
    X(BUILT, give_built, VOTE_NOTARIZE, 0, 0)                                                      \
    X(FETCHED, give_blocks, VOTE_NOTARIZE, 0, 0)                                                   \
    X(DURABLE, give_durable, VOTE_NOTARIZE, 0, 0)                                                  \
    X(LEADER_TIMER, give_timer, VOTE_NOTARIZE, 0, TIMER_LEADER)                                    \
    X(ADVANCE_TIMER, give_timer, VOTE_NOTARIZE, 0, TIMER_ADVANCE)                                  \
    X(RETRY_TIMER, give_timer, VOTE_NOTARIZE, 0, TIMER_RETRY)                                      \
    X(CRASH_LOSING, give_crash, VOTE_NOTARIZE, 0, 0)                                               \
    X(CRASH_KEEPING, give_crash, VOTE_NOTARIZE, 0, 1)

enum {
#define X(name, give, kind, view, which) AT_##name,
    RIG_EVENTS(X)
#undef X
        AT_COUNT
};

struct rig_event {
    const char *name;
    bool (*give)(struct rig *, const struct rig_event *);
    enum vote_kind kind;
    uint32_t view;
    uint32_t which; /* the letter, or what the event makes of it */
};

static bool give_proposal(struct rig *r, const struct rig_event *e)
{
    uint32_t leader = epoch_leader(&r->config.epoch, e->view);
    struct event event = {.kind = EVENT_PROPOSAL, .from = leader + 1};
    if (leader == 0) return false;
    r->proposal->vote = rig_vote(r, leader, VOTE_NOTARIZE, e->view, block_id(e->view, e->which));
    event.proposal.proposal = r->proposal;
    event.proposal.block_held = true;
    rig_step(r, &event);
    return true;
}

static bool give_certificate(struct rig *r, const struct rig_event *e)
{
    struct event event = {.kind = EVENT_CERTIFICATE, .from = 2, .certificate = r->certificate};
    make_certificate(r, e->kind, e->view, block_id(e->view, e->which), OTHERS);
    rig_step(r, &event);
    return true;
}

/* Of two others: with the core's own it is a quorum. */
static bool give_votes(struct rig *r, const struct rig_event *e)
{
    for (uint32_t signer = 2; signer <= 3; signer++) {
        struct event event = {.kind = EVENT_VOTE, .from = signer + 1};
        event.vote = rig_vote(r, signer, e->kind, e->view, block_id(e->view, e->which));
        rig_step(r, &event);
    }
    return true;
}

static bool give_verdict(struct rig *r, const struct rig_event *e)
{
    if (r->disk.verify == 0) return false;
    uint32_t block = (uint32_t)__builtin_ctz(r->disk.verify);
    struct event event = {.kind = EVENT_VERDICT};
    event.verdict.view = block_view(block);
    event.verdict.block = rig_hash(block);
    event.verdict.valid = e->which == 0;
    if (event.verdict.valid && (r->disk.misfit >> block & 1) != 0) return false;
    r->disk.verify &= ~(1u << block);
    if (event.verdict.valid) r->disk.valid |= 1u << block;
    rig_step(r, &event);
    return true;
}

/* Upon 1a: 2a. Upon genesis: 1a, or 2b. */
static bool give_built(struct rig *r, const struct rig_event *e)
{
    uint32_t view = r->disk.build_view;
    uint32_t letter = view == 2 && r->disk.build_parent == 0 ? 1 : 0;
    (void)e;
    if (view == 0 || view > RIG_VIEWS) return false;
    uint32_t block = block_id(view, letter);
    if (block_parent(&r->disk.state, block) != r->disk.build_parent) return false;
    struct event event = {.kind = EVENT_BUILT};
    event.built.view = view;
    event.built.ok = true;
    event.built.block = rig_hash(block);
    r->disk.build_view = r->disk.build_parent = 0;
    r->disk.valid |= 1u << block;
    rig_step(r, &event);
    return true;
}

static bool give_blocks(struct rig *r, const struct rig_event *e)
{
    uint32_t wanted = r->disk.wanted;
    (void)e;
    r->disk.wanted = 0;
    for (uint32_t block = 1; block < BLOCKS; block++) {
        struct event event = {.kind = EVENT_BLOCK_HELD, .block_held = rig_hash(block)};
        if ((wanted >> block & 1) != 0) rig_step(r, &event);
    }
    return wanted != 0;
}

static bool give_durable(struct rig *r, const struct rig_event *e)
{
    struct rig_disk *d = &r->disk;
    struct event event = {.kind = EVENT_DURABLE};
    (void)e;
    if (d->log_durable == d->log_count) return false;
    d->log_durable = d->log_count;
    d->durable_votes = d->state.memory[0];
    event.durable_sequence = d->log_count - d->log_base;
    rig_step(r, &event);
    return true;
}

static bool give_timer(struct rig *r, const struct rig_event *e)
{
    struct event event = {.kind = EVENT_TIMER};
    event.timer.timer = (enum timer)e->which;
    event.timer.view = consensus_view(r->core);
    rig_step(r, &event);
    return true;
}

/* Power fails; what was not synced is gone, or has made it to the disk all the same. */
static bool give_crash(struct rig *r, const struct rig_event *e)
{
    struct rig_disk *d = &r->disk;
    bool keeping = e->which != 0;
    if (keeping && d->log_durable == d->log_count) return false;
    if (!keeping) d->log_count = d->log_durable;
    rig_start(r);
    return true;
}

static const struct rig_event EVENTS[] = {
#define X(name, give, kind, view, which) {#name, give, kind, view, which},
    RIG_EVENTS(X)
#undef X
};

static bool rig_apply(struct rig *r, uint32_t event)
{
    assert(event < AT_COUNT);
    return EVENTS[event].give(r, &EVENTS[event]);
}

/* Of the core, of what left, of the log. Logs with the same records in another order are alike. */
static uint64_t rig_print(const struct rig *r)
{
    const struct rig_disk *d = &r->disk;
    const uint32_t words[] = {d->state.sent[0], d->durable_votes, d->valid,
                              d->final,         d->wanted,        d->verify,
                              d->misfit,        d->build_view,    d->build_parent};
    uint64_t print = print_over(image_print(r->core), words, sizeof(words));
    uint64_t log = 0;
    for (uint32_t i = 0; i < d->log_count; i++)
        if (d->log[i].kind != RECORD_EPOCH)
            log += print_over(i < d->log_durable ? 7 : 11, &d->log[i], sizeof(d->log[i]));
    return print_over(print, &log, sizeof(log));
}

#endif
