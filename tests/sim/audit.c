#include "tests/sim/audit.h"

#include "base/fatal.h"
#include "tests/sim/keys.h"
#include "tests/sim/world.h"

#include <assert.h>
#include <stdlib.h>

#define HEARD_RING 1024 /* more views than a core holds at once */

/* What the node's core has been shown in one view. */
struct heard {
    uint64_t epoch;
    uint64_t view;
    bool leader_timer;
    bool advance_timer;
    bool built;   /* it was asked to build */
    bool excused; /* a failed build, an invalid block: a cause to nullify */
    struct said *said;
};

struct audit {
    struct node *node;
    uint64_t epoch;
    uint64_t view; /* before the step */
    uint64_t last_heard[VALIDATORS_MAX];
    uint64_t last_heard_epoch;
    uint64_t guilty[VALIDATORS_MAX / 64];          /* since this step */
    uint64_t stall_epoch, stall_view, stall_final; /* when the stall timer last ran out */
    struct heard *ring;
    struct said *said;
};

#define RULE(a, condition, rule)                                                                   \
    do {                                                                                           \
        if (!(condition)) breach(a, rule, #condition);                                             \
    } while (0)

_Noreturn static void breach(struct audit *a, const char *rule, const char *what)
{
    world_fail(a->node->world, rule, "node %u in epoch %llu view %llu: not true: %s",
               a->node->index, (unsigned long long)a->epoch,
               (unsigned long long)consensus_view(a->node->core), what);
}

struct audit *audit_create(struct node *n)
{
    struct audit *a = must_alloc(sizeof(*a));
    size_t validators = n->world->plan->validator_count;
    a->node = n;
    a->ring = must_alloc(HEARD_RING * sizeof(*a->ring));
    a->stall_epoch = UINT64_MAX;
    a->said = must_alloc(HEARD_RING * validators * sizeof(*a->said));
    for (size_t i = 0; i < HEARD_RING; i++)
        a->ring[i].said = a->said + i * validators;
    return a;
}

void audit_destroy(struct audit *a)
{
    if (!a) return;
    free(a->ring);
    free(a->said);
    free(a);
}

void audit_forget(struct audit *a)
{
    if (!a) return;
    for (size_t i = 0; i < HEARD_RING; i++)
        a->ring[i].view = 0;
    a->last_heard_epoch = a->stall_epoch = UINT64_MAX;
}

static struct heard *heard_of(struct audit *a, uint64_t view)
{
    struct heard *h = &a->ring[view % HEARD_RING];
    if (h->view == view && h->epoch == a->epoch) return h;
    struct said *said = h->said;
    memset(said, 0, a->node->world->plan->validator_count * sizeof(*said));
    *h = (struct heard){.epoch = a->epoch, .view = view, .said = said};
    return h;
}

/* ---- what the node holds ---- */

static const struct certificate *held(const struct audit *a, uint64_t view, enum vote_kind kind)
{
    return consensus_certificate(a->node->core, a->epoch, view, kind);
}

static uint32_t block_of(const struct audit *a, const struct hash *hash)
{
    return blocks_find(&a->node->world->blocks, hash);
}

static bool holds_valid(const struct audit *a, uint32_t block)
{
    const struct node *n = a->node;
    return node_holds(n, block) && set_has(&blocks_get(&n->world->blocks, block)->valid, n->index);
}

/* The parent is final or certified, and every view between is nullified. */
static bool justified(const struct audit *a, uint64_t view, uint64_t parent_view)
{
    uint64_t final = consensus_final(a->node->core).view;
    bool parent = parent_view <= final || held(a, parent_view, VOTE_NOTARIZE) ||
                  held(a, parent_view, VOTE_FINALIZE);
    for (uint64_t u = parent_view + 1; u < view; u++)
        if (!held(a, u, VOTE_NULLIFY)) return false;
    return parent;
}

static const struct vote *written_vote(const struct actions *actions, enum vote_kind kind)
{
    for (uint32_t i = 0; i < actions->count; i++) {
        const struct action *x = &actions->items[i];
        if (x->kind == ACTION_PERSIST && x->persist.record.kind == RECORD_VOTE &&
            x->persist.record.vote.kind == kind)
            return &x->persist.record.vote;
    }
    return NULL;
}

static uint8_t own_kinds(const struct audit *a, uint64_t view)
{
    const struct own_votes *own = node_own_votes(a->node, view);
    return own ? own->written : 0;
}

static bool has_own(const struct audit *a, uint64_t view, enum vote_kind kind)
{
    return (own_kinds(a, view) >> kind & 1) != 0;
}

static bool muted(const struct audit *a)
{
    return !consensus_is_validator(a->node->core) || a->node->sign_from_epoch > a->epoch;
}

/* ---- rules 1 to 6 ---- */

static void check_entry(struct audit *a)
{
    const struct node *n = a->node;
    uint64_t view = consensus_view(n->core);
    if (view == a->view || view <= consensus_final(n->core).view + 1) return;
    const struct certificate *final = consensus_highest_final(n->core);
    const struct certificate *notarized = held(a, view - 1, VOTE_NOTARIZE);
    bool by_final = final && final->view + 1 >= view;
    bool by_block = notarized && node_can_use(n, block_of(a, &notarized->block));
    RULE(a, by_final || by_block || held(a, view - 1, VOTE_NULLIFY), "rule 1");
}

static void check_build(struct audit *a, const struct block_place *place)
{
    struct heard *h = heard_of(a, place->view);
    const struct epoch *e = consensus_epoch(a->node->core);
    uint32_t leader = epoch_leader(e, place->view);
    bool parent_final = place->parent_view == consensus_final(a->node->core).view;
    RULE(a, place->view == consensus_view(a->node->core), "rule 2");
    RULE(a,
         address_equal(&e->validators[leader].consensus_address, sim_address(a->node->validator)),
         "rule 2");
    RULE(a, !h->built && own_kinds(a, place->view) == 0, "rule 2");
    RULE(a, parent_final || node_can_use(a->node, block_of(a, &place->parent)), "rule 2");
    RULE(a, justified(a, place->view, place->parent_view), "rule 2");
    RULE(a, place->number <= e->last_number, "epochs");
    h->built = true;
}

/* The block is in the log, on its way there, or goes there in this very step. */
static bool written_block(const struct audit *a, const struct hash *hash,
                          const struct actions *actions)
{
    const struct node *n = a->node;
    uint32_t block = block_of(a, hash);
    if (node_can_use(n, block)) return true;
    for (uint32_t i = 0; i < n->pending_count; i++)
        if (n->pending[i].is_block && n->pending[i].block == block) return true;
    for (uint32_t i = 0; i < actions->count; i++) {
        const struct action *x = &actions->items[i];
        if (x->kind != ACTION_PERSIST || x->persist.record.kind != RECORD_BLOCK) continue;
        if (hash_equal(&x->persist.record.block.block, hash)) return true;
    }
    return false;
}

static void check_notarize(struct audit *a, const struct vote *v, const struct actions *actions)
{
    uint32_t leader = epoch_leader(consensus_epoch(a->node->core), v->view);
    const struct said *said = &heard_of(a, v->view)->said[leader];
    RULE(a, v->view >= a->view && v->view <= consensus_view(a->node->core), "rule 3");
    RULE(a, own_kinds(a, v->view) == 0, "rule 3");
    RULE(a, said->notarized[1] == 0, "rule 3");
    RULE(a, said->notarized[0] == 0 || said->notarized[0] == hash_head(&v->block), "rule 3");
    RULE(a, holds_valid(a, block_of(a, &v->block)), "rule 3");
    RULE(a, written_block(a, &v->block, actions), "persist before send");
    RULE(a, justified(a, v->view, v->parent_view), "rule 3");
}

static void check_finalize(struct audit *a, const struct vote *v)
{
    uint32_t leader = epoch_leader(consensus_epoch(a->node->core), v->view);
    const struct certificate *n = held(a, v->view, VOTE_NOTARIZE);
    const struct own_votes *own = node_own_votes(a->node, v->view);
    bool other = own && has_own(a, v->view, VOTE_NOTARIZE) &&
                 own->block[VOTE_NOTARIZE] != hash_head(&v->block);
    RULE(a, n && hash_equal(&n->block, &v->block), "rule 5");
    RULE(a, node_can_use(a->node, block_of(a, &v->block)), "rule 5");
    RULE(a, justified(a, v->view, n->parent_view), "rule 5");
    RULE(a, !has_own(a, v->view, VOTE_NULLIFY) && !other, "rule 5");
    RULE(a, heard_of(a, v->view)->said[leader].notarized[1] == 0, "rule 5");
}

/* Silent for 16 views, as far as we know: the core may forgive more. */
static bool inactive(const struct audit *a, uint32_t leader, uint64_t view)
{
    return a->last_heard_epoch != a->epoch || a->last_heard[leader] + INACTIVE_VIEWS < view;
}

static bool is_boundary(const struct audit *a, uint64_t view)
{
    const struct certificate *c = held(a, view, VOTE_NOTARIZE);
    uint32_t block = c ? block_of(a, &c->block) : BLOCK_NONE;
    return block != BLOCK_NONE && blocks_get(&a->node->world->blocks, block)->number ==
                                      consensus_epoch(a->node->core)->last_number;
}

/* The leader's proposal cannot be valid whatever it holds: an older block again, or one upon the
 * epoch's last. */
static bool misplaced(struct audit *a, uint32_t leader, uint64_t view)
{
    const struct world *w = a->node->world;
    uint64_t proposed = heard_of(a, view)->said[leader].notarized[0];
    for (uint32_t i = w->blocks.count; proposed != 0 && i > 0; i--) {
        const struct sim_block *b = &w->blocks.items[i - 1];
        if (hash_head(&b->hash) == proposed)
            return b->view != view || is_boundary(a, b->parent_view);
    }
    return false;
}

static void check_nullify(struct audit *a, const struct vote *v)
{
    uint32_t leader = epoch_leader(consensus_epoch(a->node->core), v->view);
    const struct heard *h = heard_of(a, v->view);
    bool timer = h->leader_timer || h->advance_timer;
    bool followed = h->said[leader].nullified;
    RULE(a, v->view >= a->view && v->view <= consensus_view(a->node->core), "rule 6");
    RULE(a, !has_own(a, v->view, VOTE_FINALIZE), "rule 6");
    bool caused = timer || h->excused || followed || inactive(a, leader, v->view);
    RULE(a, caused || misplaced(a, leader, v->view), "rule 6");
}

static void check_own_vote(struct audit *a, const struct event *event,
                           const struct actions *actions, const struct vote *v)
{
    bool message = event->kind == EVENT_VOTE || event->kind == EVENT_CERTIFICATE ||
                   event->kind == EVENT_PROPOSAL;
    if (muted(a)) { /* it may only remember what it said before it lost its log */
        RULE(a, message && v->epoch == a->epoch, "lost log");
        return;
    }
    switch (v->kind) {
    case VOTE_NOTARIZE: check_notarize(a, v, actions); break;
    case VOTE_FINALIZE: check_finalize(a, v); break;
    case VOTE_NULLIFY: check_nullify(a, v); break;
    case VOTE_KIND_COUNT: break;
    }
}

/* ---- rules 4, 7, 9, 10, 12, evidence ---- */

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

static void check_actions(struct audit *a, const struct event *event, const struct actions *actions)
{
    uint32_t sends = 0;
    for (uint32_t i = 0; i < actions->count; i++) {
        const struct action *x = &actions->items[i];
        const struct record *r = &x->persist.record;
        if (x->kind == ACTION_PERSIST && r->kind == RECORD_VOTE)
            check_own_vote(a, event, actions, &r->vote);
        if (x->kind == ACTION_PERSIST && r->kind == RECORD_CERTIFICATE)
            check_certificate(a, event, actions, r->certificate);
        if (x->kind == ACTION_BUILD) check_build(a, &x->build.place);
        if (x->kind == ACTION_COMMIT) check_commit(a, x);
        if (x->kind == ACTION_SET_TIMER) check_timer(a, x);
        if (x->kind == ACTION_SEND) sends++;
    }
    bool stall = event->kind == EVENT_TIMER && event->timer.timer == TIMER_STALL;
    if (stall) RULE(a, sends <= RETRANSMIT_MAX, "rule 12");
    if (stall && stands_still(a)) RULE(a, sends > 0, "rule 12");
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

/* The boundary block is final: the core is at rest until the next epoch. */
static bool epoch_over(const struct audit *a)
{
    const struct consensus *c = a->node->core;
    return consensus_final(c).number == consensus_epoch(c)->last_number;
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
        cause = !event->built.ok && event->built.view == view && heard_of(a, view)->built &&
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

/* ---- what the node hears ---- */

static void hear_vote(struct audit *a, const struct vote *v)
{
    const struct epoch *e = consensus_epoch(a->node->core);
    if (v->epoch != a->epoch || e->number != a->epoch || v->signer >= e->validator_count) return;
    if (a->last_heard_epoch != a->epoch) {
        memset(a->last_heard, 0, sizeof(a->last_heard));
        a->last_heard_epoch = a->epoch;
    }
    if (v->view > a->last_heard[v->signer]) a->last_heard[v->signer] = v->view;
    struct said *said = &heard_of(a, v->view)->said[v->signer];
    if (!said_add(said, v) || said->hearsay) return;
    if (!address_equal(&e->validators[v->signer].consensus_address,
                       sim_address(a->node->validator)))
        a->guilty[v->signer / 64] |= 1ULL << v->signer % 64;
}

/* A proposal's certificates are looked into only where the core does not hold them yet. */
static void hear_justification(struct audit *a, const struct proposal *p)
{
    for (uint32_t i = 0; i < p->certificate_count; i++) {
        const struct certificate *c = &p->certificates[i];
        if (c->epoch != a->epoch || c->view + VIEWS_MAX < a->view || c->view > a->view + 1)
            continue;
        for (uint32_t n = 0; n < a->node->world->plan->validator_count; n++)
            if (certificate_has_signer(c, n)) heard_of(a, c->view)->said[n].hearsay = true;
    }
}

static void hear(struct audit *a, const struct event *event, enum admission admission)
{
    bool taken = admission == ADMISSION_NEW || admission == ADMISSION_KNOWN;
    const struct certificate *c = event->certificate;
    if (event->kind == EVENT_VOTE && taken) hear_vote(a, &event->vote);
    if (event->kind == EVENT_PROPOSAL) hear_justification(a, event->proposal.proposal);
    if (event->kind == EVENT_PROPOSAL && taken) hear_vote(a, &event->proposal.proposal->vote);
    if (event->kind != EVENT_CERTIFICATE || admission != ADMISSION_NEW) return;
    if (c->epoch != a->epoch || !held(a, c->view, c->kind)) return; /* too far to be looked into */
    for (uint32_t i = 0; i < c->signature_count; i++) {
        struct vote v = certificate_vote(c, i);
        hear_vote(a, &v);
    }
}

void audit_before(struct audit *a, const struct event *event)
{
    a->epoch = consensus_epoch(a->node->core)->number;
    a->view = consensus_view(a->node->core);
    memset(a->guilty, 0, sizeof(a->guilty));
    struct heard *h = heard_of(a, a->view);
    if (event->kind == EVENT_TIMER && event->timer.view == a->view) {
        h->leader_timer |= event->timer.timer == TIMER_LEADER;
        h->advance_timer |= event->timer.timer == TIMER_ADVANCE;
    }
    h->excused |= event->kind == EVENT_BUILT && event->built.view == a->view && !event->built.ok;
    if (event->kind == EVENT_VERDICT && !event->verdict.valid)
        heard_of(a, event->verdict.view)->excused = true;
}

void audit_after(struct audit *a, const struct event *event, const struct actions *actions)
{
    bool same_epoch = consensus_epoch(a->node->core)->number == a->epoch;
    if (!same_epoch) {
        a->epoch = consensus_epoch(a->node->core)->number;
        a->view = 1;
    }
    hear(a, event, actions->admission);
    check_entry(a);
    check_actions(a, event, actions);
    if (event->kind == EVENT_TIMER) check_timer_duties(a, event, actions);
    if (event->kind == EVENT_CERTIFICATE) check_jump(a, event, actions->admission);
    if (same_epoch) check_causes(a, event, actions);
    if (same_epoch) check_admission(a, event, actions);
    check_finality(a);
    check_proofs(a, actions);
}
