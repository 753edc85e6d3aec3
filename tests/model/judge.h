/* judge.h - what must never be reachable, and whom the signatures of a fork convict.
 *
 * A fork convicts if the two chains have, in some one view, two certificates such that whoever
 * signed both is guilty, and however the signers of each were chosen, these weigh more than a
 * third. Every byzantine vote could exist; only the ones that a certificate needs are held against
 * them. Pure. */
#ifndef LEASEHOLD_TESTS_MODEL_JUDGE_H
#define LEASEHOLD_TESTS_MODEL_JUDGE_H

#include "tests/model/rules.h"

enum violation {
    VIOLATION_NONE,
    VIOLATION_HONEST_GUILTY,
    VIOLATION_NULLIFIED_AND_FINAL,
    VIOLATION_FORK,
    VIOLATION_FORK_UNCONVICTED
};

static const char *const VIOLATION_NAMES[] = {
    "none", "an honest validator is guilty", "X and F in one view, below a third byzantine",
    "two final blocks conflict, below a third byzantine", "a fork that does not convict a third"};

struct verdict {
    enum violation violation;
    bool fork;
};

static bool validator_guilty(const struct model *m, uint32_t sent)
{
    for (uint32_t view = 1; view <= m->views; view++) {
        uint32_t votes = in_view(sent, view);
        for (uint32_t i = 0; i < VOTE_BITS; i++)
            for (uint32_t j = 0; j < i; j++)
                if ((votes >> i & votes >> j & 1) != 0 && m->guilt[i][j] != EVIDENCE_NONE)
                    return true;
    }
    return false;
}

static bool is_ancestor(const struct state *s, uint32_t ancestor, uint32_t id)
{
    while (block_view(id) > block_view(ancestor))
        id = block_parent(s, id);
    return id == ancestor;
}

/* ---- who is convicted ---- */

/* A bit a validator, the honest first: who may have signed this. */
static uint32_t may_have_signed(const struct model *m, const struct state *s, uint32_t view,
                                uint32_t bit)
{
    uint32_t set = ((1u << VALIDATORS) - 1) & ~((1u << m->honest) - 1);
    for (uint32_t i = 0; i < m->honest; i++)
        if (has_bit(s->sent[i], view, bit)) set |= 1u << i;
    return set;
}

/* The fewest that two quorums out of these have in common. */
static uint32_t least_common(const struct model *m, uint32_t first, uint32_t second)
{
    uint32_t least = VALIDATORS;
    for (uint32_t a = 0; a < 1u << VALIDATORS; a++) {
        if ((a & ~first) != 0 || (uint32_t)__builtin_popcount(a) < m->quorum) continue;
        for (uint32_t b = 0; b < 1u << VALIDATORS; b++) {
            if ((b & ~second) != 0 || (uint32_t)__builtin_popcount(b) < m->quorum) continue;
            uint32_t common = (uint32_t)__builtin_popcount(a & b);
            if (common < least) least = common;
        }
    }
    return least;
}

/* Somebody honest voted for it, and so was shown its justification. */
static bool was_shown(const struct model *m, const struct state *s, uint32_t id)
{
    uint32_t votes = 0;
    for (uint32_t i = 0; i < m->honest; i++)
        votes |= in_view(s->sent[i], block_view(id)) >> block_letter(id);
    return (votes & (1u | 1u << 3)) != 0;
}

/* Votes whose certificate the chain that ends in `tip` may use in this view: F of the tip, N or F
 * of an ancestor, X of a skipped view. What nobody honest asks for need not exist. */
static uint32_t chain_votes(const struct model *m, const struct state *s, const struct facts *f,
                            uint32_t tip, uint32_t view)
{
    uint32_t id = tip;
    if (block_view(id) != view && m->off[RULE_FINALITY_JUSTIFIED] && !was_shown(m, s, tip))
        return 0;
    while (block_view(id) > view)
        id = block_parent(s, id);
    uint32_t final = 1u << vote_bit(VOTE_FINALIZE, block_letter(id));
    if (block_view(id) < view) return in_view(f->certified, view) & 1u << BIT_NULLIFY;
    if (id == tip) return final;
    return in_view(f->certified, view) & (final | 1u << vote_bit(VOTE_NOTARIZE, block_letter(id)));
}

static bool view_convicts(const struct model *m, const struct state *s, uint32_t view,
                          uint32_t first, uint32_t second)
{
    bool any = false;
    for (uint32_t i = 0; i < VOTE_BITS; i++) {
        for (uint32_t j = 0; j < VOTE_BITS; j++) {
            if ((first >> i & second >> j & 1) == 0) continue;
            uint32_t common =
                least_common(m, may_have_signed(m, s, view, i), may_have_signed(m, s, view, j));
            if (m->guilt[i][j] == EVIDENCE_NONE || 3 * common <= VALIDATORS) return false;
            any = true;
        }
    }
    return any;
}

static bool fork_convicts(const struct model *m, const struct state *s, const struct facts *f,
                          uint32_t a, uint32_t b)
{
    uint32_t top = block_view(a) < block_view(b) ? block_view(a) : block_view(b);
    for (uint32_t view = 1; view <= top; view++)
        if (view_convicts(m, s, view, chain_votes(m, s, f, a, view), chain_votes(m, s, f, b, view)))
            return true;
    return false;
}

/* ---- the verdict ---- */

static void judge_finality(const struct model *m, const struct state *s, const struct facts *f,
                           struct verdict *out)
{
    bool many = 3 * m->byzantine >= VALIDATORS;
    for (uint32_t a = 1; a <= LETTERS * m->views; a++) {
        if (!is_final(m, f, a)) continue;
        if (!many && holds(f, VOTE_NULLIFY, block_view(a), 0))
            out->violation = VIOLATION_NULLIFIED_AND_FINAL;
        for (uint32_t b = a + 1; b <= LETTERS * m->views; b++) {
            if (!is_final(m, f, b) || is_ancestor(s, a, b)) continue;
            out->fork = true;
            if (!many)
                out->violation = VIOLATION_FORK;
            else if (!fork_convicts(m, s, f, a, b))
                out->violation = VIOLATION_FORK_UNCONVICTED;
        }
    }
}

static struct verdict judge(const struct model *m, const struct state *s)
{
    struct verdict v = {VIOLATION_NONE, false};
    struct facts f = facts_of(m, s);
    judge_finality(m, s, &f, &v);
    for (uint32_t i = 0; i < m->honest && !m->only_finality; i++)
        if (validator_guilty(m, s->sent[i])) v.violation = VIOLATION_HONEST_GUILTY;
    return v;
}

#endif
