/* What we sign: written down first, sent and counted once it is durable. */
#include "chain/consensus/core.h"

#include <assert.h>
#include <string.h>

bool may_sign(const struct consensus *c)
{
    return c->started && c->config.key != NULL && c->own_index < c->config.epoch.validator_count &&
           (c->config.epoch.number >= c->config.sign_from_epoch || PLANTED(SIGN_AFTER_LOSS));
}

void consensus_stay_silent(struct consensus *c, uint64_t sign_from_epoch)
{
    if (sign_from_epoch > c->config.sign_from_epoch) c->config.sign_from_epoch = sign_from_epoch;
}

void sign_vote(struct consensus *c, struct slot *s, enum vote_kind kind, struct actions *out)
{
    struct own_vote *own = &s->own[kind];
    struct vote *v = &own->vote;
    assert(may_sign(c) && (!own->held || PLANTED_ANY));
    assert(kind == VOTE_NULLIFY || s->block.known);
    memset(v, 0, sizeof(*v));
    v->epoch = c->config.epoch.number;
    v->view = s->view;
    v->kind = kind;
    v->signer = (uint16_t)c->own_index;
    if (kind == VOTE_NOTARIZE) v->parent_view = s->block.parent_view;
    if (kind != VOTE_NULLIFY) v->block = s->block.hash;
    for (int other = 0; other < VOTE_KIND_COUNT && !PLANTED_ANY; other++)
        assert(!s->own[other].held || evidence_between(&s->own[other].vote, v) == EVIDENCE_NONE);
    struct hash digest = vote_digest(c->config.epoch.chain_id, v);
    v->signature = c->config.signer->sign(&c->key, &digest);
    struct record record = {.kind = RECORD_VOTE, .vote = *v};
    own->held = true;
    own->released = false;
    own->sequence = persist(c, &record, out);
    note_unreleased(c, s);
    if (PLANTED(COUNT_UNWRITTEN)) tally_own(c, s, v, out);
}

static void attach(struct proposal *p, const struct certificate *cert)
{
    assert(p->certificate_count < PROPOSAL_CERTIFICATES_MAX);
    certificate_copy(&p->certificates[p->certificate_count++], cert);
}

static void attach_parent(const struct consensus *c, struct proposal *p, uint64_t parent_view)
{
    const struct slot *s = slot_find(c, parent_view);
    if (s && s->certified[VOTE_NOTARIZE])
        attach(p, &s->certificates[VOTE_NOTARIZE]);
    else if (s && s->certified[VOTE_FINALIZE])
        attach(p, &s->certificates[VOTE_FINALIZE]);
    else if (c->has_highest_final && c->highest_final.view == parent_view)
        attach(p, &c->highest_final);
}

/* Our proposal with what justifies it. One a step: the next retry sends what this one could not. */
static void send_proposal(struct consensus *c, const struct slot *s, struct actions *out)
{
    const struct vote *v = &s->own[VOTE_NOTARIZE].vote;
    struct proposal *p = &c->proposal;
    if (c->proposal_used) return;
    c->proposal_used = true;
    p->vote = *v;
    p->certificate_count = 0;
    attach_parent(c, p, v->parent_view);
    uint64_t room = PROPOSAL_CERTIFICATES_MAX - p->certificate_count;
    uint64_t view = v->parent_view + 1;
    if (s->view - view > room) view = s->view - room;
    for (; view < s->view; view++) {
        const struct slot *between = slot_find(c, view);
        if (between && between->certified[VOTE_NULLIFY])
            attach(p, &between->certificates[VOTE_NULLIFY]);
    }
    struct action *a = action_add(out, ACTION_SEND);
    a->send.kind = MESSAGE_PROPOSAL;
    a->send.proposal = p;
}

void send_own(struct consensus *c, struct slot *s, enum vote_kind kind, struct actions *out)
{
    const struct own_vote *own = &s->own[kind];
    assert(own->held && (own->sequence <= c->durable || PLANTED(SEND_UNWRITTEN)));
    bool leading = kind == VOTE_NOTARIZE && s->leader == c->own_index;
    if (leading && s->view >= c->view && s->block.held &&
        hash_equal(&s->block.hash, &own->vote.block))
        send_proposal(c, s, out);
    else
        send_vote(&own->vote, out);
}

void note_unreleased(struct consensus *c, const struct slot *s)
{
    if (s->view < c->unreleased_from) c->unreleased_from = s->view;
}

static bool release_slot(struct consensus *c, struct slot *s, struct actions *out)
{
    bool changed = false;
    for (int kind = 0; kind < VOTE_KIND_COUNT; kind++) {
        struct own_vote *own = &s->own[kind];
        if (!own->held || own->released) continue;
        bool durable = own->sequence <= c->durable || PLANTED(SEND_UNWRITTEN);
        if (!durable || !has_room(out)) {
            note_unreleased(c, s);
            continue;
        }
        own->released = true;
        send_own(c, s, (enum vote_kind)kind, out);
        if (!PLANTED(OWN_UNCOUNTED)) tally_own(c, s, &own->vote, out);
        changed = true;
    }
    return changed;
}

bool release_votes(struct consensus *c, struct actions *out)
{
    bool changed = false;
    uint64_t view = c->unreleased_from > c->floor ? c->unreleased_from : c->floor;
    c->unreleased_from = UINT64_MAX; /* until one is found that must wait */
    for (; view <= c->top; view++) {
        struct slot *s = slot_find(c, view);
        if (s) changed |= release_slot(c, s, out);
    }
    return changed;
}
