#include "tests/sim/audit.h"

#include "base/fatal.h"
#include "tests/sim/audit_core.h"
#include "tests/sim/keys.h"

#include <assert.h>
#include <stdlib.h>

#define HEARD_RING 1024 /* more views than a core holds at once */

_Noreturn void breach(struct audit *a, const char *rule, const char *what)
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

struct heard *heard_of(struct audit *a, uint64_t view)
{
    struct heard *h = &a->ring[view % HEARD_RING];
    if (h->view == view && h->epoch == a->epoch) return h;
    struct said *said = h->said;
    memset(said, 0, a->node->world->plan->validator_count * sizeof(*said));
    *h = (struct heard){.epoch = a->epoch, .view = view, .said = said};
    return h;
}

/* ---- what the node holds ---- */

const struct certificate *held(const struct audit *a, uint64_t view, enum vote_kind kind)
{
    return consensus_certificate(a->node->core, a->epoch, view, kind);
}

uint32_t block_of(const struct audit *a, const struct hash *hash)
{
    return blocks_find(&a->node->world->blocks, hash);
}

bool holds_valid(const struct audit *a, uint32_t block)
{
    const struct node *n = a->node;
    return node_holds(n, block) && set_has(&blocks_get(&n->world->blocks, block)->valid, n->index);
}

/* The parent is final or certified, and every view between is nullified. */
bool justified(const struct audit *a, uint64_t view, uint64_t parent_view)
{
    uint64_t final = consensus_final(a->node->core).view;
    bool parent = parent_view <= final || held(a, parent_view, VOTE_NOTARIZE) ||
                  held(a, parent_view, VOTE_FINALIZE);
    for (uint64_t u = parent_view + 1; u < view; u++)
        if (!held(a, u, VOTE_NULLIFY)) return false;
    return parent;
}

const struct vote *written_vote(const struct actions *actions, enum vote_kind kind)
{
    for (uint32_t i = 0; i < actions->count; i++) {
        const struct action *x = &actions->items[i];
        if (x->kind == ACTION_PERSIST && x->persist.record.kind == RECORD_VOTE &&
            x->persist.record.vote.kind == kind)
            return &x->persist.record.vote;
    }
    return NULL;
}

uint8_t own_kinds(const struct audit *a, uint64_t view)
{
    const struct own_votes *own = node_own_votes(a->node, view);
    return own ? own->written : 0;
}

bool has_own(const struct audit *a, uint64_t view, enum vote_kind kind)
{
    return (own_kinds(a, view) >> kind & 1) != 0;
}

bool muted(const struct audit *a)
{
    return !consensus_is_validator(a->node->core) || a->node->sign_from_epoch > a->epoch;
}

/* The boundary block is final: the core is at rest until the next epoch. */
bool epoch_over(const struct audit *a)
{
    const struct consensus *c = a->node->core;
    return consensus_final(c).number == consensus_epoch(c)->last_number;
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
        if (c->epoch != a->epoch || c->view + VIEWS_MAX < a->view || c->view >= a->view + VIEWS_MAX)
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
    h->excused |= event->kind == EVENT_BUILT && event->built.epoch == a->epoch &&
                  event->built.view == a->view && !event->built.ok;
    if (event->kind == EVENT_VERDICT && !event->verdict.valid)
        heard_of(a, event->verdict.view)->excused = true;
}

void audit_after(struct audit *a, const struct event *event, const struct actions *actions)
{
    uint64_t epoch = consensus_epoch(a->node->core)->number;
    a->epoch_began = epoch != a->epoch;
    if (a->epoch_began) {
        a->epoch = epoch;
        a->view = 1;
    }
    hear(a, event, actions->admission);
    check_acts(a, event, actions);
    check_duties(a, event, actions);
}
