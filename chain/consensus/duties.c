/* Rules 1 to 6: enter, propose, notarize, finalize, nullify. */
#include "chain/consensus/core.h"

#include <assert.h>

/* Rule 5. In any view that is not final yet: N may come long after we left it. */
static bool may_finalize(const struct consensus *c, const struct slot *s)
{
    const struct own_vote *notarized = &s->own[VOTE_NOTARIZE];
    bool other = notarized->held && !hash_equal(&notarized->vote.block, &s->block.hash);
    if (!s->certified[VOTE_NOTARIZE] && !PLANTED(FINALIZE_UNCERTIFIED)) return false;
    if (!s->block.linked) return false;
    if (!block_usable(c, s) && !PLANTED(FINALIZE_UNUSABLE)) return false;
    if (s->own[VOTE_FINALIZE].held) return false;
    if (s->own[VOTE_NULLIFY].held && !PLANTED(FINALIZE_AFTER_NULLIFY)) return false;
    if (other && !PLANTED(FINALIZE_OTHER)) return false;
    return !s->leader_equivocated || PLANTED(FINALIZE_EQUIVOCATOR);
}

bool finalize_due(struct consensus *c, struct actions *out)
{
    bool changed = false;
    if (!may_sign(c) || c->epoch_over) return false;
    for (uint64_t view = c->final.view + 1; view <= c->top && view <= c->view; view++) {
        struct slot *s = slot_find(c, view);
        if (!s || !has_room(out) || !may_finalize(c, s)) continue;
        sign_vote(c, s, VOTE_FINALIZE, out);
        changed = true;
    }
    return changed;
}

/* Rule 1: the highest view that we may be in. */
static uint64_t enterable_view(const struct consensus *c)
{
    uint64_t target = c->view > c->final.view ? c->view : c->final.view + 1;
    for (uint64_t view = c->view; view <= c->top; view++) {
        const struct slot *s = slot_find(c, view);
        if (PLANTED(NO_JUMP) && view > c->view) break;
        if (!s || view < target) continue;
        if (s->certified[VOTE_NULLIFY] || s->certified[VOTE_FINALIZE] ||
            (s->certified[VOTE_NOTARIZE] &&
             ((s->block.linked && block_usable(c, s)) || PLANTED(ENTER_UNUSABLE))))
            target = view + 1;
    }
    return target;
}

/* Views that we jumped over say nothing about who was silent in them. */
static void forgive_silence(struct consensus *c)
{
    for (uint32_t i = 0; i < c->config.epoch.validator_count; i++)
        if (c->last_active[i] + 1 < c->view) c->last_active[i] = c->view - 1;
}

void start_view(struct consensus *c, struct actions *out)
{
    struct slot *s = slot_open(c, c->view);
    assert(s);
    (void)s;
    set_timer(c, TIMER_LEADER, out);
    set_timer(c, TIMER_ADVANCE, out);
    set_timer(c, TIMER_RETRY, out);
}

bool enter_due(struct consensus *c, struct actions *out)
{
    if (c->epoch_over) return false;
    uint64_t target = enterable_view(c);
    if (target == c->view || !view_in_window(c, target)) return false;
    assert(target > c->view);
    bool jump = target > c->view + 1;
    c->view = target;
    if (jump) forgive_silence(c);
    start_view(c, out);
    return true;
}

/* Rule 2: the newest block that our proposal can be justified with. */
static bool find_parent(struct consensus *c, uint64_t *out_view, struct actions *out)
{
    bool whole = true; /* all views above are nullified */
    for (uint64_t view = c->view - 1; view > c->final.view; view--) {
        const struct slot *s = slot_find(c, view);
        bool certified = s && is_certified(s);
        if (certified && s->block.linked && block_usable(c, s)) {
            *out_view = view;
            return whole;
        }
        if (s && s->certified[VOTE_NULLIFY]) continue;
        whole = false;
        if (!certified) want_certificate(c, view, out);
    }
    *out_view = c->final.view;
    return whole;
}

static struct block_place parent_place(const struct consensus *c, uint64_t view)
{
    struct block_place place = {.view = view, .block = c->final.block, .number = c->final.number};
    const struct slot *s = slot_find(c, view);
    if (view == c->final.view) return place;
    assert(s && s->block.linked);
    place.block = s->block.hash;
    place.number = s->block.number;
    return place;
}

static void ask_build(struct consensus *c, struct slot *s, const struct block_place *parent,
                      struct actions *out)
{
    struct action *a = action_add(out, ACTION_BUILD);
    a->build.parent_final = parent->view == c->final.view;
    a->build.place = (struct block_place){.view = s->view,
                                          .parent_view = parent->view,
                                          .parent = parent->block,
                                          .number = parent->number + 1};
}

bool propose_due(struct consensus *c, struct actions *out)
{
    struct slot *s = slot_find(c, c->view);
    uint64_t parent_view;
    if (!may_sign(c) || c->epoch_over || !s || s->leader != c->own_index) return false;
    if (s->build_asked || s->block.known || !has_room(out)) return false;
    for (int kind = 0; kind < VOTE_KIND_COUNT; kind++)
        if (s->own[kind].held && !PLANTED(PROPOSE_AFTER_VOTE)) return false;
    if (!find_parent(c, &parent_view, out) && !PLANTED(PROPOSE_UNJUSTIFIED)) return false;
    struct block_place parent = parent_place(c, parent_view);
    s->build_asked = true;
    s->build_parent_view = parent_view;
    if (parent.number < c->config.epoch.last_number || PLANTED(BUILD_ON_BOUNDARY)) {
        ask_build(c, s, &parent, out);
        return true;
    }
    slot_set_block(s, &parent.block); /* the boundary block again */
    slot_set_parent(s, parent_view);
    s->block.proposed = s->leader_spoke = true;
    return true;
}

/* Rule 3. */
bool notarize_due(struct consensus *c, struct actions *out)
{
    struct slot *s = slot_find(c, c->view);
    if (!may_sign(c) || c->epoch_over || !s || !has_room(out)) return false;
    if (!s->block.proposed || !s->block.linked) return false;
    if (!s->block.valid && !PLANTED(NOTARIZE_INVALID)) return false;
    if (!s->block.persisted && !PLANTED(BLOCK_UNWRITTEN) && !PLANTED(NOTARIZE_INVALID))
        return false;
    if (s->leader_equivocated && !PLANTED(NOTARIZE_EQUIVOCATOR) && !PLANTED(NOTARIZE_LAST))
        return false;
    if (s->own[VOTE_NOTARIZE].held && !PLANTED(NOTARIZE_TWICE)) return false;
    if (s->own[VOTE_NULLIFY].held && !PLANTED(NOTARIZE_AFTER_NULLIFY)) return false;
    if (s->own[VOTE_FINALIZE].held) return false;
    sign_vote(c, s, VOTE_NOTARIZE, out);
    return true;
}

static bool active(const struct consensus *c, uint32_t index)
{
    return index == c->own_index || c->last_active[index] + INACTIVE_VIEWS >= c->view;
}

/* The leader has been silent for long, while a quorum was not. */
static bool leader_inactive(const struct consensus *c, const struct slot *s)
{
    uint64_t weight = 0;
    if (active(c, s->leader) || s->leader_spoke) return false;
    for (uint32_t i = 0; i < c->config.epoch.validator_count; i++)
        if (active(c, i)) weight += c->config.epoch.validators[i].weight;
    return weight >= epoch_quorum(&c->config.epoch);
}

/* Rule 6. */
static bool has_cause_to_nullify(const struct consensus *c, const struct slot *s)
{
    if (PLANTED(NULLIFY_UNCAUSED)) return true;
    if (s->advance_timeout && PLANTED(NULLIFY_NEVER)) return false;
    if (s->advance_timeout || s->build_failed) return true;
    if (s->leader_timeout && !s->leader_spoke) return true;
    if (s->block.known && s->block.invalid) return true;
    if (slot_has_vote(s, VOTE_NULLIFY, s->leader)) return !PLANTED(NULLIFY_LATE);
    return leader_inactive(c, s);
}

bool nullify_due(struct consensus *c, struct actions *out)
{
    struct slot *s = slot_find(c, c->view);
    if (!may_sign(c) || c->epoch_over || !s || !has_room(out)) return false;
    if (s->own[VOTE_NULLIFY].held) return false;
    if (s->own[VOTE_FINALIZE].held && !PLANTED(NULLIFY_AFTER_FINALIZE)) return false;
    if (!has_cause_to_nullify(c, s)) return false;
    sign_vote(c, s, VOTE_NULLIFY, out);
    return true;
}
