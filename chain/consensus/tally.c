/* Admission (rule 11), one vote a signer, view and kind; certificates; evidence. */
#include "chain/consensus/core.h"

#include <assert.h>
#include <string.h>

static bool signed_by(const struct consensus *c, const struct vote *v)
{
    struct hash digest = vote_digest(c->config.epoch.chain_id, v);
    struct address address;
    if (PLANTED(VOTE_UNSIGNED)) return true;
    if (c->config.signer->recover(&address, &v->signature, &digest) != OK) return false;
    return address_equal(&address, &c->config.epoch.validators[v->signer].consensus_address);
}

/* Another epoch's message: the old are told how their epoch ended (unless `from` is 0), the new
 * mean that we lag. */
static enum admission answer_epoch(struct consensus *c, uint64_t epoch, uint64_t from,
                                   struct actions *out)
{
    if (epoch > c->config.epoch.number)
        ask_sync(NULL, epoch, from, out);
    else if (c->has_boundary && from != 0 && !PLANTED(EPOCH_UNANSWERED))
        send_certificate(&c->boundary, from, out);
    return PLANTED(EPOCH_BANNED) ? ADMISSION_BAD : ADMISSION_OUTSIDE;
}

static void queue_evidence(struct consensus *c, struct slot *s, const struct vote *a,
                           const struct vote *b)
{
    enum evidence_kind kind = evidence_between(a, b);
    uint8_t bit = (uint8_t)(1u << (a->signer % 8));
    if (kind == EVIDENCE_NONE || a->signer == c->own_index) return;
    if ((s->accused[a->signer / 8] & bit) != 0 || c->evidence_count == EVIDENCE_QUEUE_MAX) return;
    s->accused[a->signer / 8] |= bit;
    c->evidence[c->evidence_count++] = (struct evidence){kind, *a, *b};
}

/* A vote of ours that we do not remember: another machine signs with our key, or our log lacks it.
 * Keep it as our own, so that we never contradict it. */
static void adopt_own(struct consensus *c, struct slot *s, const struct vote *v,
                      struct actions *out)
{
    struct own_vote *own = &s->own[v->kind];
    if (v->signer != c->own_index || own->held || s->view <= c->final.view) return;
    for (int kind = 0; kind < VOTE_KIND_COUNT; kind++)
        if (s->own[kind].held && evidence_between(&s->own[kind].vote, v) != EVIDENCE_NONE) return;
    struct record record = {.kind = RECORD_VOTE, .vote = *v};
    *own = (struct own_vote){.held = true, .released = true, .vote = *v};
    own->sequence = persist(c, &record, out);
}

static void note_active(struct consensus *c, const struct vote *v)
{
    if (v->view > c->last_active[v->signer]) c->last_active[v->signer] = v->view;
}

/* Keeps a genuine vote. False if this signer's vote of this kind was here already. */
static bool insert_vote(struct consensus *c, struct slot *s, const struct vote *v)
{
    assert(v->view == s->view && v->signer < c->config.epoch.validator_count);
    note_active(c, v);
    for (int kind = 0; kind < VOTE_KIND_COUNT; kind++)
        if (slot_has_vote(s, (enum vote_kind)kind, v->signer))
            queue_evidence(c, s, &s->votes[kind][v->signer], v);
    if (slot_has_vote(s, v->kind, v->signer)) {
        bool same = vote_same(&s->votes[v->kind][v->signer], v);
        if (!same && v->kind == VOTE_NOTARIZE && v->signer == s->leader)
            s->leader_equivocated = true;
        return false;
    }
    s->votes[v->kind][v->signer] = *v;
    s->present[v->kind][v->signer / 8] |= (uint8_t)(1u << (v->signer % 8));
    return true;
}

static bool says_same(const struct vote *a, const struct vote *b)
{
    return a->parent_view == b->parent_view && hash_equal(&a->block, &b->block);
}

static uint64_t weight_behind(const struct consensus *c, const struct slot *s, const struct vote *v)
{
    uint64_t weight = 0;
    for (uint32_t i = 0; i < c->config.epoch.validator_count; i++)
        if (slot_has_vote(s, v->kind, i) && says_same(&s->votes[v->kind][i], v))
            weight += c->config.epoch.validators[i].weight;
    return weight;
}

/* N and F of a view must name the same block; a quorum for two means more than W/3 lie. */
static bool contradicts(const struct slot *s, enum vote_kind kind, const struct hash *block)
{
    if (kind == VOTE_NULLIFY) return false;
    return is_certified(s) && !hash_equal(&s->block.hash, block);
}

static void form_certificate(struct consensus *c, struct slot *s, const struct vote *v,
                             struct actions *out)
{
    if (s->certified[v->kind] || contradicts(s, v->kind, &v->block)) return;
    if (weight_behind(c, s, v) < epoch_quorum(&c->config.epoch)) return;
    struct certificate *cert = &s->certificates[v->kind];
    certificate_start(cert, v);
    for (uint32_t i = 0; i < c->config.epoch.validator_count; i++)
        if (slot_has_vote(s, v->kind, i) && says_same(&s->votes[v->kind][i], v))
            certificate_add(cert, &s->votes[v->kind][i]);
    keep_certificate(c, s, cert, true, out);
}

void tally_own(struct consensus *c, struct slot *s, const struct vote *v, struct actions *out)
{
    assert(v->signer == c->own_index);
    if (insert_vote(c, s, v)) form_certificate(c, s, v, out);
}

void keep_certificate(struct consensus *c, struct slot *s, const struct certificate *cert,
                      bool formed, struct actions *out)
{
    struct certificate *kept = &s->certificates[cert->kind];
    assert(!s->certified[cert->kind] && cert->view == s->view);
    assert(cert->epoch == c->config.epoch.number);
    certificate_copy(kept, cert);
    if (cert->kind != VOTE_NULLIFY) slot_set_block(s, &cert->block);
    if (cert->kind == VOTE_NOTARIZE) slot_set_parent(s, cert->parent_view);
    s->certified[cert->kind] = true;
    if (cert->kind == VOTE_FINALIZE &&
        (!c->has_highest_final || cert->view > c->highest_final.view)) {
        certificate_copy(&c->highest_final, kept);
        c->has_highest_final = true;
    }
    if (c->started && s->view > c->final.view) {
        struct record record = {.kind = RECORD_CERTIFICATE, .certificate = kept};
        persist(c, &record, out);
    }
    if (formed && !PLANTED(KEEP_CERTIFICATE)) send_certificate(kept, 0, out);
}

/* True if we have this very vote, or have it against its signer already. */
static bool vote_known(const struct slot *s, const struct vote *v)
{
    if (!slot_has_vote(s, v->kind, v->signer)) return false;
    const struct vote *known = &s->votes[v->kind][v->signer];
    if (vote_same(known, v)) return true;
    bool of_leader = v->kind == VOTE_NOTARIZE && v->signer == s->leader;
    if (of_leader && !s->leader_equivocated) return false; /* rules 3 and 5 want to know */
    return (s->accused[v->signer / 8] >> (v->signer % 8) & 1) != 0;
}

enum admission admit_vote(struct consensus *c, const struct vote *v, uint64_t from,
                          struct actions *out)
{
    if (vote_check_form(v) != OK) return ADMISSION_BAD;
    if (v->epoch != c->config.epoch.number && !PLANTED(EPOCH_MIXED))
        return answer_epoch(c, v->epoch, from, out);
    if (v->signer >= c->config.epoch.validator_count) return ADMISSION_BAD;
    if (v->view > c->view + 1 && !PLANTED(VIEW_AHEAD)) return ADMISSION_OUTSIDE;
    if (!view_admissible(c, v->view)) return ADMISSION_OUTSIDE;
    struct slot *s = slot_find(c, v->view);
    if (s && vote_known(s, v)) return ADMISSION_KNOWN;
    if (!signed_by(c, v)) return ADMISSION_BAD;
    s = slot_open(c, v->view);
    if (!s) return ADMISSION_OUTSIDE;
    uint32_t proofs = c->evidence_count;
    if (!insert_vote(c, s, v)) /* a new conflict is worth telling others */
        return c->evidence_count > proofs ? ADMISSION_NEW : ADMISSION_KNOWN;
    adopt_own(c, s, v, out);
    form_certificate(c, s, v, out);
    return ADMISSION_NEW;
}

static bool genuine(const struct consensus *c, const struct certificate *cert)
{
    if (PLANTED(CERT_UNVERIFIED)) return true;
    return certificate_verify(cert, &c->config.epoch, c->config.signer) == OK;
}

/* An F or X beyond the window cannot be kept in a slot: the driver must bring us nearer. */
static enum admission admit_far(struct consensus *c, const struct certificate *cert, uint64_t from,
                                struct actions *out)
{
    if (cert->view < c->floor) return ADMISSION_OUTSIDE;
    if (cert->kind != VOTE_FINALIZE) {
        ask_sync(NULL, cert->epoch, from, out);
        return ADMISSION_OUTSIDE;
    }
    if (c->has_highest_final && cert->view <= c->highest_final.view) return ADMISSION_KNOWN;
    if (!genuine(c, cert)) return ADMISSION_BAD;
    certificate_copy(&c->highest_final, cert);
    c->has_highest_final = true;
    ask_sync(&c->highest_final, cert->epoch, from, out);
    return ADMISSION_NEW;
}

enum admission admit_certificate(struct consensus *c, const struct certificate *cert, uint64_t from,
                                 struct actions *out)
{
    if (cert->epoch != c->config.epoch.number) /* an F is itself the answer: never answer it */
        return answer_epoch(c, cert->epoch, cert->kind == VOTE_FINALIZE ? 0 : from, out);
    if (cert->view == 0) return ADMISSION_BAD;
    if (!view_admissible(c, cert->view)) return admit_far(c, cert, from, out);
    struct slot *s = slot_find(c, cert->view);
    if (s && s->certified[cert->kind] &&
        hash_equal(&s->certificates[cert->kind].block, &cert->block))
        return ADMISSION_KNOWN;
    if (!genuine(c, cert)) return ADMISSION_BAD;
    s = slot_open(c, cert->view);
    assert(s);
    for (uint32_t i = 0; i < cert->signature_count; i++) {
        struct vote v = certificate_vote(cert, i);
        if (insert_vote(c, s, &v)) adopt_own(c, s, &v, out);
    }
    if (!s->certified[cert->kind] && !contradicts(s, cert->kind, &cert->block))
        keep_certificate(c, s, cert, false, out);
    return ADMISSION_NEW;
}

void use_far_final(struct consensus *c, struct actions *out)
{
    const struct certificate *cert = &c->highest_final;
    if (!c->has_highest_final || cert->view <= c->final.view) return;
    if (!view_admissible(c, cert->view)) return;
    const struct slot *s = slot_find(c, cert->view);
    if (s && (s->certified[VOTE_FINALIZE] || contradicts(s, VOTE_FINALIZE, &cert->block))) return;
    (void)admit_certificate(c, cert, 0, out);
}

/* The proposal becomes the view's block unless another one has come first or is certified. */
static void take_block(struct slot *s, const struct vote *v, bool held)
{
    s->leader_spoke = true;
    if (!s->block.known || PLANTED(NOTARIZE_LAST)) {
        slot_set_block(s, &v->block);
        slot_set_parent(s, v->parent_view);
    }
    if (!hash_equal(&s->block.hash, &v->block)) return;
    if (!s->block.parent_known) slot_set_parent(s, v->parent_view);
    if (s->block.parent_view == v->parent_view) s->block.proposed = true;
    if (held) s->block.held = true;
}

static enum admission admit_justification(struct consensus *c, const struct proposal *p,
                                          uint64_t from, struct actions *out)
{
    for (uint32_t i = 0; i < p->certificate_count; i++)
        if (p->certificates[i].epoch != p->vote.epoch || p->certificates[i].view >= p->vote.view ||
            admit_certificate(c, &p->certificates[i], from, out) == ADMISSION_BAD)
            return ADMISSION_BAD;
    core_progress(c, out); /* they may let us enter the proposal's view */
    return ADMISSION_NEW;
}

static enum admission check_leader(const struct consensus *c, const struct vote *v)
{
    const struct slot *s = slot_find(c, v->view);
    if (v->kind != VOTE_NOTARIZE || vote_check_form(v) != OK) return ADMISSION_BAD;
    if (v->view <= c->final.view || !view_admissible(c, v->view)) return ADMISSION_OUTSIDE;
    if (v->signer != epoch_leader(&c->config.epoch, v->view)) return ADMISSION_BAD;
    if (s && slot_has_vote(s, v->kind, v->signer) && vote_same(&s->votes[v->kind][v->signer], v))
        return ADMISSION_KNOWN;
    return signed_by(c, v) ? ADMISSION_NEW : ADMISSION_BAD;
}

enum admission admit_proposal(struct consensus *c, const struct event *event, struct actions *out)
{
    const struct proposal *p = event->proposal.proposal;
    const struct vote *v = &p->vote;
    if (v->epoch != c->config.epoch.number) return answer_epoch(c, v->epoch, event->from, out);
    enum admission leader = check_leader(c, v);
    if (leader == ADMISSION_BAD || leader == ADMISSION_OUTSIDE) return leader;
    note_active(c, v); /* or its own certificates let us into its view to skip it as long silent */
    if (admit_justification(c, p, event->from, out) == ADMISSION_BAD) return ADMISSION_BAD;
    if (v->epoch != c->config.epoch.number || v->view <= c->final.view) return ADMISSION_OUTSIDE;
    if (v->view > c->view + 1) return ADMISSION_OUTSIDE;
    struct slot *s = slot_open(c, v->view);
    if (!s) return ADMISSION_OUTSIDE;
    bool known = s->leader_spoke && leader == ADMISSION_KNOWN;
    bool fresh = insert_vote(c, s, v);
    if (fresh) form_certificate(c, s, v, out);
    if (!s->leader_equivocated || PLANTED(NOTARIZE_LAST) ||
        (s->block.known && hash_equal(&s->block.hash, &v->block)))
        take_block(s, v, event->proposal.block_held);
    return known ? ADMISSION_KNOWN : ADMISSION_NEW;
}
