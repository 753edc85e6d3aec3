#include "chain/consensus/consensus.h"

#include "base/fatal.h"
#include "chain/consensus/core.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void check_config(const struct consensus_config *config)
{
    const struct timing *t = &config->timing;
    assert(config->epoch.validator_count > 0 && config->epoch.total_weight > 0);
    assert(config->signer && config->signer->sign && config->signer->recover);
    assert(t->delta_ms > 0 && t->delta_ms <= DELTA_MS_MAX && t->idle_interval_ms <= IDLE_MS_MAX);
    assert(config->views_max == 0 ||
           (config->views_max >= VIEWS_MIN && config->views_max <= VIEWS_MAX));
    assert(config->final.number >= config->epoch.start_number);
    assert(config->final.number < config->epoch.last_number);
}

static uint32_t find_self(const struct consensus *c)
{
    if (!c->config.key) return c->config.epoch.validator_count;
    struct address address = key_address(&c->key);
    return epoch_index_of(&c->config.epoch, &address);
}

static void forgive_all(struct consensus *c)
{
    for (uint32_t i = 0; i < VALIDATORS_MAX; i++)
        c->last_active[i] = c->view - 1;
}

static void take_boundary(struct consensus *c, const struct certificate *boundary)
{
    c->config.boundary = NULL; /* it was the caller's */
    if (boundary == NULL) return;
    assert(boundary->kind == VOTE_FINALIZE && boundary->epoch + 1 == c->config.epoch.number);
    assert(hash_equal(&boundary->block, &c->config.epoch.start_block));
    certificate_copy(&c->boundary, boundary);
    c->has_boundary = true;
}

struct consensus *consensus_create(const struct consensus_config *config)
{
    check_config(config);
    struct consensus *c = must_alloc(sizeof(*c));
    c->config = *config;
    c->final = config->final;
    c->view = config->final.view + 1;
    c->views_max = config->views_max ? config->views_max : VIEWS_MAX;
    if (config->key) {
        c->key = *config->key;
        c->config.key = &c->key;
    }
    c->own_index = find_self(c);
    c->storage = malloc(c->views_max * sizeof(*c->storage)); /* slot_open clears what is read */
    if (!c->storage) fatal("out of memory for %u views of consensus", c->views_max);
    for (uint32_t i = 0; i < c->views_max; i++)
        c->pool[c->pool_count++] = &c->storage[c->views_max - 1 - i];
    c->floor = 1;
    c->unreleased_from = UINT64_MAX;
    take_boundary(c, config->boundary);
    slots_prune(c);
    forgive_all(c);
    return c;
}

void consensus_destroy(struct consensus *c)
{
    if (!c) return;
    key_finish(&c->key);
    free(c->storage);
    free(c);
}

static enum status restore_vote(struct consensus *c, const struct vote *v)
{
    if (v->epoch != c->config.epoch.number || PLANTED(FORGET_VOTES)) return OK;
    if (v->signer != c->own_index) return E_MALFORMED;
    if (v->view + 1 > c->view && view_in_window(c, v->view)) c->view = v->view;
    struct slot *s = slot_open(c, v->view);
    if (!s) return OK;
    struct own_vote *own = &s->own[v->kind];
    if (own->held) return vote_same(&own->vote, v) ? OK : E_MALFORMED;
    for (int kind = 0; kind < VOTE_KIND_COUNT; kind++)
        if (s->own[kind].held && evidence_between(&s->own[kind].vote, v) != EVIDENCE_NONE)
            return E_MALFORMED;
    own->held = true;
    own->vote = *v;
    note_unreleased(c, s);
    if (v->kind != VOTE_NOTARIZE || is_certified(s)) return OK;
    slot_set_block(s, &v->block);
    slot_set_parent(s, v->parent_view);
    s->block.proposed = s->leader_spoke = true; /* we saw the leader propose it */
    return OK;
}

static enum status restore_certificate(struct consensus *c, const struct certificate *cert)
{
    if (cert->epoch != c->config.epoch.number) return OK;
    if (certificate_verify(cert, &c->config.epoch, c->config.signer) != OK) return E_MALFORMED;
    struct slot *s = view_admissible(c, cert->view) ? slot_open(c, cert->view) : NULL;
    if (!s || s->certified[cert->kind]) return OK;
    if (cert->kind != VOTE_NULLIFY && is_certified(s) && !hash_equal(&s->block.hash, &cert->block))
        return E_MALFORMED;
    bool persisted =
        s->block.known && s->block.persisted && hash_equal(&s->block.hash, &cert->block);
    keep_certificate(c, s, cert, false, NULL); /* not started: no actions */
    if (persisted) s->block.persisted = true;
    return OK;
}

static enum status restore_block(struct consensus *c, const struct record_block *b)
{
    if (b->epoch != c->config.epoch.number || b->view <= c->final.view) return OK;
    struct slot *s = slot_open(c, b->view);
    if (!s) return OK;
    if (s->block.known && !hash_equal(&s->block.hash, &b->block)) return OK;
    slot_set_block(s, &b->block);
    if (!s->block.parent_known) slot_set_parent(s, b->parent_view);
    s->block.held = s->block.persisted = true;
    return OK;
}

enum status consensus_restore(struct consensus *c, const struct record *record)
{
    assert(!c->started);
    switch (record->kind) {
    case RECORD_EPOCH: return OK; /* tells people; the set comes with the config */
    case RECORD_VOTE: return restore_vote(c, &record->vote);
    case RECORD_CERTIFICATE: return restore_certificate(c, record->certificate);
    case RECORD_BLOCK: return restore_block(c, &record->block);
    case RECORD_KIND_COUNT: break;
    }
    return E_MALFORMED;
}

static void persist_epoch(struct consensus *c, struct actions *out)
{
    struct record record = {.kind = RECORD_EPOCH,
                            .epoch = {.number = c->config.epoch.number,
                                      .start_block = c->config.epoch.start_block,
                                      .start_number = c->config.epoch.start_number}};
    persist(c, &record, out);
}

static void on_start(struct consensus *c, struct actions *out)
{
    assert(!c->started);
    c->started = true;
    forgive_all(c);
    persist_epoch(c, out);
    set_timer(c, TIMER_STALL, out);
    start_view(c, out);
}

static void on_block_held(struct consensus *c, const struct hash *block)
{
    for (uint64_t view = c->floor; view <= c->top; view++) {
        struct slot *s = slot_find(c, view);
        if (s && s->block.known && hash_equal(&s->block.hash, block)) s->block.held = true;
    }
}

static void on_built(struct consensus *c, const struct event *event)
{
    if (event->built.epoch != c->config.epoch.number) return; /* asked for before a turn */
    struct slot *s = slot_find(c, event->built.view);
    if (!s || s->view != c->view || !s->build_asked || s->block.known) return;
    if (!event->built.ok) {
        s->build_failed = true;
        return;
    }
    assert(!hash_is_zero(&event->built.block));
    slot_set_block(s, &event->built.block);
    slot_set_parent(s, s->build_parent_view);
    s->block.held = s->block.valid = s->block.proposed = s->leader_spoke = true;
}

static void on_verdict(struct consensus *c, const struct event *event)
{
    struct slot *s = slot_find(c, event->verdict.view);
    if (!s || !s->block.verify_asked || s->block.valid || s->block.invalid) return;
    if (!hash_equal(&s->block.hash, &event->verdict.block)) return;
    s->block.valid = event->verdict.valid;
    s->block.invalid = !event->verdict.valid;
}

static void on_timer(struct consensus *c, enum timer timer, uint64_t view, struct actions *out)
{
    struct slot *s = slot_find(c, view);
    if (timer == TIMER_STALL) {
        on_stall(c, out);
        return;
    }
    if (!s || view != c->view) return; /* of a view that is over */
    switch (timer) {
    case TIMER_LEADER: s->leader_timeout = true; break;
    case TIMER_ADVANCE: s->advance_timeout = true; break;
    case TIMER_RETRY: on_retry(c, out); break;
    case TIMER_STALL:
    case TIMER_COUNT: break;
    }
}

static void on_epoch(struct consensus *c, const struct epoch *next, struct actions *out)
{
    if (next->number <= c->config.epoch.number) return;
    assert(next->chain_id == c->config.epoch.chain_id && next->total_weight > 0);
    c->has_boundary = c->epoch_over && c->has_highest_final &&
                      hash_equal(&c->highest_final.block, &next->start_block);
    if (c->has_boundary) certificate_copy(&c->boundary, &c->highest_final);
    if (!PLANTED(EPOCH_KEPT)) slots_clear(c);
    c->config.epoch = *next;
    c->own_index = find_self(c);
    c->has_highest_final = c->epoch_over = c->commit_waited = false;
    c->evidence_count = 0;
    c->final = (struct final_point){0, next->start_block, next->start_number};
    c->view = 1;
    forgive_all(c);
    persist_epoch(c, out);
    start_view(c, out);
}

static void on_synced(struct consensus *c, const struct final_point *point)
{
    if (point->view <= c->final.view || c->epoch_over) return;
    assert(point->number >= c->final.number && point->number <= c->config.epoch.last_number);
    c->final = *point;
    c->epoch_over = point->number == c->config.epoch.last_number;
    if (c->view < point->view) c->view = point->view; /* enter_due goes beyond */
    slots_prune(c);                                   /* no action points into a slot yet */
}

static void hand_out_evidence(struct consensus *c, struct actions *out)
{
    for (uint32_t i = 0; i < EVIDENCE_STEP_MAX && c->evidence_count > 0; i++) {
        if (out->count == ACTIONS_MAX) return;
        action_add(out, ACTION_EVIDENCE)->evidence = c->evidence[--c->evidence_count];
    }
}

void core_progress(struct consensus *c, struct actions *out)
{
    bool changed = true;
    while (changed && c->started) {
        changed = release_votes(c, out);
        changed |= link_blocks(c, out);
        changed |= check_blocks(c, out);
        changed |= finalize_due(c, out);
        changed |= commit_due(c, out);
        changed |= enter_due(c, out);
        changed |= propose_due(c, out);
        changed |= notarize_due(c, out);
        changed |= nullify_due(c, out);
    }
}

static void check_own_votes(const struct consensus *c, const struct slot *s)
{
    for (int a = 0; a < VOTE_KIND_COUNT; a++) {
        const struct own_vote *own = &s->own[a];
        assert(!own->released || own->held);
        assert(!own->held || own->vote.view == s->view);
        for (int b = 0; b < a && own->held && !PLANTED_ANY; b++)
            assert(!s->own[b].held ||
                   evidence_between(&own->vote, &s->own[b].vote) == EVIDENCE_NONE);
    }
    for (int kind = 0; kind < VOTE_KIND_COUNT; kind++) {
        const struct certificate *cert = &s->certificates[kind];
        if (!s->certified[kind]) continue;
        assert(cert->view == s->view && cert->epoch == c->config.epoch.number);
        assert(kind == VOTE_NULLIFY || hash_equal(&cert->block, &s->block.hash));
    }
}

static void check_state(const struct consensus *c)
{
    assert(c->view > c->final.view || c->epoch_over);
    assert(c->floor >= 1 && c->pool_count <= c->views_max);
    assert(c->durable <= c->sequence);
    assert(c->top < c->floor + c->views_max);
}

/* Views up to `settled` were final before the step: nothing is signed in them any more. */
static void check_slots(const struct consensus *c, uint64_t settled)
{
    uint32_t used = 0;
    for (uint64_t view = c->floor; view <= c->top; view++)
        used += c->slots[view % c->views_max] != NULL;
    assert(used + c->pool_count == c->views_max); /* so none is outside */
    for (uint64_t view = settled + 1; view <= c->top; view++) {
        const struct slot *s = slot_find(c, view);
        if (s) check_own_votes(c, s);
    }
}

static void begin_step(struct consensus *c, struct actions *out)
{
    check_state(c);
    out->count = 0;
    out->admission = ADMISSION_NONE;
    c->proposal_used = false;
    c->chain_used = 0;
    c->fetch_count = 0;
    slots_prune(c);
}

static void on_durable(struct consensus *c, uint64_t sequence)
{
    assert(sequence <= c->sequence); /* nobody can write what was not asked for */
    if (sequence > c->durable) c->durable = sequence;
}

/* Rule 9: timers are long while finality is far. Those of a view that was entered far from it, by
 * one who catches up, are armed anew when it has come near. */
static void shorten_timers(struct consensus *c, uint64_t final_before, struct actions *out)
{
    bool were_grown = c->view > final_before + 2;
    if (were_grown && c->final.view > final_before && !c->epoch_over) start_view(c, out);
}

void consensus_step(struct consensus *c, const struct event *event, struct actions *out)
{
    begin_step(c, out);
    uint64_t view_before = c->view;
    uint64_t final_before = c->final.view;
    uint64_t epoch_before = c->config.epoch.number;
    assert(c->started || event->kind == EVENT_START);
    switch (event->kind) { /* no default: a new event must not compile until it is handled */
    case EVENT_START: on_start(c, out); break;
    case EVENT_PROPOSAL: out->admission = admit_proposal(c, event, out); break;
    case EVENT_VOTE: out->admission = admit_vote(c, &event->vote, event->from, out); break;
    case EVENT_CERTIFICATE:
        out->admission = admit_certificate(c, event->certificate, event->from, out);
        break;
    case EVENT_BLOCK_HELD: on_block_held(c, &event->block_held); break;
    case EVENT_BUILT: on_built(c, event); break;
    case EVENT_VERDICT: on_verdict(c, event); break;
    case EVENT_DURABLE: on_durable(c, event->durable_sequence); break;
    case EVENT_TIMER: on_timer(c, event->timer.timer, event->timer.view, out); break;
    case EVENT_EPOCH: on_epoch(c, event->epoch, out); break;
    case EVENT_SYNCED: on_synced(c, &event->synced); break;
    }
    if (!c->epoch_over) use_far_final(c, out);
    core_progress(c, out);
    if (c->view == view_before && c->config.epoch.number == epoch_before)
        shorten_timers(c, final_before, out);
    hand_out_evidence(c, out);
    assert(c->config.epoch.number > epoch_before ||
           (c->view >= view_before && c->final.view >= final_before)); /* never back */
    check_state(c);
    check_slots(c, c->config.epoch.number > epoch_before ? 0 : final_before);
}

uint64_t consensus_view(const struct consensus *c)
{
    return c->view;
}

struct final_point consensus_final(const struct consensus *c)
{
    return c->final;
}

const struct epoch *consensus_epoch(const struct consensus *c)
{
    return &c->config.epoch;
}

bool consensus_is_validator(const struct consensus *c)
{
    return c->own_index < c->config.epoch.validator_count;
}

const struct certificate *consensus_highest_final(const struct consensus *c)
{
    return c->has_highest_final ? &c->highest_final : NULL;
}

const struct certificate *consensus_certificate(const struct consensus *c, uint64_t epoch,
                                                uint64_t view, enum vote_kind kind)
{
    assert(kind < VOTE_KIND_COUNT);
    if (c->has_boundary && epoch == c->boundary.epoch && kind == VOTE_FINALIZE) return &c->boundary;
    if (epoch != c->config.epoch.number) return NULL;
    const struct slot *s = slot_find(c, view);
    return s && s->certified[kind] ? &s->certificates[kind] : NULL;
}

bool consensus_wants_block(const struct consensus *c, const struct hash *block)
{
    for (uint64_t view = c->final.view + 1; view <= c->top; view++) {
        const struct slot *s = slot_find(c, view);
        if (s && s->block.known && !s->block.invalid && hash_equal(&s->block.hash, block))
            return true;
    }
    return false;
}

static void slot_records(const struct consensus *c, const struct slot *s,
                         void (*each)(void *, const struct record *), void *context)
{
    struct record record = {.kind = RECORD_CERTIFICATE};
    for (int kind = 0; kind < VOTE_KIND_COUNT; kind++) {
        if (!s->certified[kind]) continue;
        record.certificate = &s->certificates[kind];
        each(context, &record);
    }
    if (s->block.persisted && !s->block.again) {
        record.kind = RECORD_BLOCK;
        record.block = (struct record_block){c->config.epoch.number, s->view, s->block.parent_view,
                                             s->block.hash};
        each(context, &record);
    }
    for (int kind = 0; kind < VOTE_KIND_COUNT; kind++) {
        if (!s->own[kind].held || PLANTED(FORGET_AT_REWRITE)) continue;
        record.kind = RECORD_VOTE;
        record.vote = s->own[kind].vote;
        each(context, &record);
    }
}

void consensus_records(const struct consensus *c,
                       void (*each)(void *context, const struct record *record), void *context)
{
    struct record record = {.kind = RECORD_EPOCH,
                            .epoch = {.number = c->config.epoch.number,
                                      .start_block = c->config.epoch.start_block,
                                      .start_number = c->config.epoch.start_number}};
    each(context, &record);
    for (uint64_t view = c->final.view; view <= c->top; view++) {
        const struct slot *s = slot_find(c, view);
        if (s) slot_records(c, s, each, context);
    }
}
