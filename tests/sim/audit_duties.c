/* What the rules make a node do, and the bounds that they set it. */
#include "tests/sim/audit_core.h"
#include "tests/sim/keys.h"

static bool sends_certificate(const struct actions *actions, const struct certificate *c)
{
    for (uint32_t i = 0; i < actions->count; i++) {
        const struct action *x = &actions->items[i];
        if (x->kind == ACTION_SEND && x->send.kind == MESSAGE_CERTIFICATE && x->send.peer == 0 &&
            x->send.certificate->view == c->view && x->send.certificate->kind == c->kind)
            return true;
    }
    return false;
}

/* Votes, and our own ones becoming durable, can only bring certificates that we form ourselves. */
static void check_certificate(struct audit *a, const struct event *event,
                              const struct actions *actions, const struct certificate *c)
{
    if (event->kind == EVENT_VOTE || event->kind == EVENT_DURABLE)
        RULE(a, sends_certificate(actions, c), "rule 4");
}

static void check_commit(struct audit *a, const struct action *x)
{
    for (uint32_t i = 0; i < x->commit.count; i++) {
        const struct block_place *p = &x->commit.chain[i];
        RULE(a, node_can_use(a->node, block_of(a, &p->block)), "rule 10");
        RULE(a, justified(a, p->view, p->parent_view), "rule 10");
    }
    RULE(a, x->commit.certificate->kind == VOTE_FINALIZE, "rule 10");
}

static void check_timer(struct audit *a, const struct action *x)
{
    const struct timing *t = &a->node->world->plan->timing;
    uint64_t apart = consensus_view(a->node->core) - consensus_final(a->node->core).view;
    uint32_t hops = x->set_timer.timer == TIMER_ADVANCE ? 3 : 2;
    uint32_t idle = x->set_timer.timer == TIMER_RETRY ? 0 : t->idle_interval_ms;
    uint32_t least = idle + hops * t->delta_ms;
    uint32_t most = idle + TIMER_CAP_MS;
    if (x->set_timer.timer == TIMER_STALL || least > most) return;
    if (x->set_timer.view != consensus_view(a->node->core)) return; /* left in this very step */
    if (apart > 10)
        least =
            idle + (5 * hops * t->delta_ms < TIMER_CAP_MS ? 5 * hops * t->delta_ms : TIMER_CAP_MS);
    RULE(a, x->set_timer.delay_ms >= least && x->set_timer.delay_ms <= most, "rule 9");
    if (apart <= 2) RULE(a, x->set_timer.delay_ms == least, "rule 9");
}

/* Since the stall timer ran out before; with an F there is something to say. */
static bool stands_still(struct audit *a)
{
    const struct consensus *c = a->node->core;
    bool still = a->stall_epoch == a->epoch && a->stall_view == consensus_view(c) &&
                 a->stall_final == consensus_final(c).view;
    a->stall_epoch = a->epoch;
    a->stall_view = consensus_view(c);
    a->stall_final = consensus_final(c).view;
    return still && consensus_highest_final(c);
}

static void check_sends(struct audit *a, const struct event *event, const struct actions *actions)
{
    uint32_t sends = 0;
    for (uint32_t i = 0; i < actions->count; i++)
        sends += actions->items[i].kind == ACTION_SEND;
    if (event->kind != EVENT_TIMER || event->timer.timer != TIMER_STALL) return;
    RULE(a, sends <= RETRANSMIT_MAX, "rule 12");
    if (stands_still(a)) RULE(a, sends > 0, "rule 12");
}

static void check_actions(struct audit *a, const struct event *event, const struct actions *actions)
{
    for (uint32_t i = 0; i < actions->count; i++) {
        const struct action *x = &actions->items[i];
        const struct record *r = &x->persist.record;
        if (x->kind == ACTION_PERSIST && r->kind == RECORD_CERTIFICATE)
            check_certificate(a, event, actions, r->certificate);
        if (x->kind == ACTION_COMMIT) check_commit(a, x);
        if (x->kind == ACTION_SET_TIMER) check_timer(a, x);
    }
}

static bool sends_vote(const struct actions *actions, uint64_t view, enum vote_kind kind)
{
    for (uint32_t i = 0; i < actions->count; i++) {
        const struct action *x = &actions->items[i];
        if (x->kind == ACTION_SEND && x->send.kind == MESSAGE_VOTE && x->send.vote.view == view &&
            x->send.vote.kind == kind)
            return true;
    }
    return false;
}

static void check_timer_duties(struct audit *a, const struct event *event,
                               const struct actions *actions)
{
    uint64_t view = event->timer.view;
    bool silent = !has_own(a, view, VOTE_FINALIZE) && !has_own(a, view, VOTE_NULLIFY);
    if (view != a->view || consensus_view(a->node->core) != view || muted(a)) return;
    if (epoch_over(a)) return;
    if (event->timer.timer == TIMER_ADVANCE && silent)
        RULE(a, written_vote(actions, VOTE_NULLIFY) || written_vote(actions, VOTE_FINALIZE),
             "rule 6");
    const struct own_votes *own = node_own_votes(a->node, view);
    if (event->timer.timer == TIMER_RETRY && own && (own->durable >> VOTE_NULLIFY & 1))
        RULE(a, sends_vote(actions, view, VOTE_NULLIFY), "rule 7");
}

/* Rule 6 names causes that leave nothing to wait for. */
static void check_causes(struct audit *a, const struct event *event, const struct actions *actions)
{
    uint64_t view = consensus_view(a->node->core);
    const struct vote *v = &event->vote;
    bool cause = false;
    if (event->kind == EVENT_VOTE)
        cause = v->kind == VOTE_NULLIFY && v->view == view && v->epoch == a->epoch &&
                actions->admission == ADMISSION_NEW &&
                v->signer == epoch_leader(consensus_epoch(a->node->core), view);
    if (event->kind == EVENT_BUILT)
        cause = !event->built.ok && event->built.epoch == a->epoch && event->built.view == view &&
                heard_of(a, view)->built &&
                heard_of(a, view)
                        ->said[epoch_index_of(consensus_epoch(a->node->core),
                                              sim_address(a->node->validator))]
                        .notarized[0] == 0;
    if (!cause || muted(a) || epoch_over(a)) return;
    RULE(a,
         has_own(a, view, VOTE_NULLIFY) || has_own(a, view, VOTE_FINALIZE) ||
             written_vote(actions, VOTE_NULLIFY) || written_vote(actions, VOTE_FINALIZE),
         "rule 6");
}

/* F of a child of the final block, with all that committing asks for at hand, has been acted on. */
static void check_finality(struct audit *a)
{
    const struct certificate *c = consensus_highest_final(a->node->core);
    struct final_point final = consensus_final(a->node->core);
    if (!c || c->epoch != a->epoch || c->view <= final.view || epoch_over(a)) return;
    uint32_t block = block_of(a, &c->block);
    if (!node_can_use(a->node, block)) return;
    const struct sim_block *b = blocks_get(&a->node->world->blocks, block);
    if (b->view != c->view || !hash_equal(&b->parent_hash, &final.block)) return;
    bool whole = held(a, b->view, VOTE_NOTARIZE) && justified(a, b->view, b->parent_view);
    RULE(a, b->parent_view != final.view || !whole, "rule 10");
}

/* Votes of the current view and the next one are let in, no later ones; the old are answered. */
static void check_admission(struct audit *a, const struct event *event,
                            const struct actions *actions)
{
    const struct vote *v = &event->vote;
    bool taken = actions->admission == ADMISSION_NEW || actions->admission == ADMISSION_KNOWN;
    if (event->kind != EVENT_VOTE) return;
    RULE(a, !taken || (v->epoch == a->epoch && v->view <= a->view + 1), "rule 11");
    if (v->epoch >= a->epoch || vote_check_form(v) != OK) return;
    if (!consensus_certificate(a->node->core, a->epoch - 1, 0, VOTE_FINALIZE)) return;
    bool answered = false;
    for (uint32_t i = 0; i < actions->count; i++)
        answered |= actions->items[i].kind == ACTION_SEND &&
                    actions->items[i].send.kind == MESSAGE_CERTIFICATE &&
                    actions->items[i].send.peer == event->from;
    RULE(a, answered, "epochs");
}

static void check_jump(struct audit *a, const struct event *event, enum admission admission)
{
    const struct certificate *c = event->certificate;
    if (c->kind == VOTE_NOTARIZE || admission != ADMISSION_NEW || !held(a, c->view, c->kind))
        return;
    RULE(a, epoch_over(a) || consensus_view(a->node->core) > c->view, "rule 12");
}

static void check_proofs(struct audit *a, const struct actions *actions)
{
    uint32_t proofs = 0;
    for (uint32_t i = 0; i < actions->count; i++) {
        const struct action *x = &actions->items[i];
        if (x->kind != ACTION_EVIDENCE) continue;
        uint32_t signer = x->evidence.first.signer;
        a->guilty[signer / 64] &= ~(1ULL << signer % 64);
        proofs++;
    }
    if (proofs == EVIDENCE_STEP_MAX) return; /* the others come later */
    for (uint32_t i = 0; i < VALIDATORS_MAX / 64; i++)
        RULE(a, a->guilty[i] == 0, "evidence");
}

void check_duties(struct audit *a, const struct event *event, const struct actions *actions)
{
    check_actions(a, event, actions);
    check_sends(a, event, actions);
    if (event->kind == EVENT_TIMER) check_timer_duties(a, event, actions);
    if (event->kind == EVENT_CERTIFICATE) check_jump(a, event, actions->admission);
    if (!a->epoch_began) check_causes(a, event, actions);
    if (!a->epoch_began) check_admission(a, event, actions);
    check_finality(a);
    check_proofs(a, actions);
}
