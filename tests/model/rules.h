/* rules.h - the rules of consensus for four validators of equal weight, as a set of states.
 *
 * A state is what the honest validators have signed. Messages are monotone: what was sent may
 * arrive at any later time or never, so it only matters that it was sent. Timers may fire at any
 * time. The byzantine validators' votes are always there, every one of them, which is the most
 * that an adversary can do; so they are no part of the state. A byzantine leader has up to two
 * blocks a view, upon any justified parent; an honest one has one, and anybody honest may turn out
 * to be it. Each rule can be switched off (docs/model.md).
 *
 * A validator's word has VOTE_BITS bits a view: a block is `a` or `b` of its view. Block 0 is
 * genesis. Pure but for the tables, which model_begin fills; one thread. */
#ifndef LEASEHOLD_TESTS_MODEL_RULES_H
#define LEASEHOLD_TESTS_MODEL_RULES_H

#include "chain/consensus/epoch.h"
#include "chain/consensus/evidence.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define VALIDATORS     4
#define MODEL_VIEWS    5 /* the most that a word has room for */
#define LETTERS        2
#define VOTE_BITS      5
#define BLOCK_BITS     4
#define BLOCKS         (1 + LETTERS * MODEL_VIEWS)
#define VIEW_MASK      ((1u << VOTE_BITS) - 1)
#define BIT_NULLIFY    2u
#define NOT_FINALIZE   7u /* notarize a, notarize b, nullify */
#define SUCCESSORS_MAX 256

/* What may be switched off. The last column: is it needed so that nothing bad is reachable? */
#define MODEL_RULES(X)                                                                             \
    X(ENTER, "1: enter a view only by X, N or F", false)                                           \
    X(FORWARD, "1: never back to an earlier view", false)                                          \
    X(PARENT_CERTIFIED, "2, 3: the parent has N or F", true)                                       \
    X(GAP_NULLIFIED, "2, 3: every skipped view has X", true)                                       \
    X(NOTARIZE_ONCE, "3: notarize one block of a view", true)                                      \
    X(NOTARIZE_NOT_NULLIFIED, "3: notarize not after own nullify", false)                          \
    X(NOTARIZE_NOT_FINALIZED, "3: notarize not after own finalize", true)                          \
    X(FINALIZE_CERTIFIED, "5: finalize only with N", false)                                        \
    X(FINALIZE_NOT_NULLIFIED, "5: finalize not after own nullify", true)                           \
    X(FINALIZE_OWN, "5: finalize no other block than the one notarized", true)                     \
    X(FINALIZE_ONCE, "5: finalize one block of a view", true)                                      \
    X(NULLIFY_NOT_FINALIZED, "6: nullify not after own finalize", true)                            \
    X(QUORUM, "a quorum is above two thirds (off: one vote less)", true)                           \
    X(FINALITY_JUSTIFIED, "10: final only over justified ancestry", true)                          \
    X(DURABLE_FIRST, "a vote leaves only when it is durable", true)                                \
    X(LOG_KEPT, "who lost the log signs nothing", true)                                            \
    X(EVIDENCE_1, "E1 counts", false)                                                              \
    X(EVIDENCE_2, "E2 counts", true)                                                               \
    X(EVIDENCE_3, "E3 counts", true)                                                               \
    X(EVIDENCE_4, "E4 counts", true)

enum rule {
#define X(name, text, needed) RULE_##name,
    MODEL_RULES(X)
#undef X
        RULE_COUNT
};

struct state {
    uint64_t blocks;             /* BLOCK_BITS a block: 0 there is none, else its parent + 1 */
    uint32_t sent[VALIDATORS];   /* of the honest: what has left, ever */
    uint32_t memory[VALIDATORS]; /* of the honest: what it would not contradict */
};

struct model {
    uint32_t views;
    uint32_t byzantine; /* how many of VALIDATORS */
    uint32_t honest;
    uint32_t quorum;
    uint32_t byzantine_leads; /* a bit a view, from bit 0 for view 1 */
    bool only_finality;       /* go on when an honest validator is guilty */
    bool crashes;             /* sign and send are two steps, between which power may fail */
    bool off[RULE_COUNT];
    enum evidence_kind guilt[VOTE_BITS][VOTE_BITS]; /* between two votes of one view */
};

/* What follows from a state. */
struct facts {
    uint32_t certified; /* as a validator's word: which votes have a quorum */
    uint32_t justified; /* a bit a block: it and its ancestry */
};

static inline uint32_t block_id(uint32_t view, uint32_t letter)
{
    return 1 + LETTERS * (view - 1) + letter;
}

static inline uint32_t block_view(uint32_t id)
{
    return id == 0 ? 0 : 1 + (id - 1) / LETTERS;
}

static inline uint32_t block_letter(uint32_t id)
{
    return (id - 1) % LETTERS;
}

static inline uint32_t block_field(const struct state *s, uint32_t id)
{
    return (uint32_t)(s->blocks >> (BLOCK_BITS * (id - 1))) & ((1u << BLOCK_BITS) - 1);
}

static inline bool block_exists(const struct state *s, uint32_t id)
{
    return id == 0 || block_field(s, id) != 0;
}

static inline uint32_t block_parent(const struct state *s, uint32_t id)
{
    assert(id > 0 && block_field(s, id) > 0);
    return block_field(s, id) - 1;
}

static inline uint32_t vote_bit(enum vote_kind kind, uint32_t letter)
{
    return kind == VOTE_NULLIFY ? BIT_NULLIFY : (kind == VOTE_FINALIZE ? 3u : 0u) + letter;
}

static inline uint32_t in_view(uint32_t word, uint32_t view)
{
    return word >> (VOTE_BITS * (view - 1)) & VIEW_MASK;
}

static inline bool has_bit(uint32_t word, uint32_t view, uint32_t bit)
{
    return (in_view(word, view) >> bit & 1) != 0;
}

/* The implementation says what is evidence and what is a quorum. */
static struct vote model_vote(uint32_t bit)
{
    struct vote v = {.view = 1, .kind = VOTE_NULLIFY};
    if (bit == BIT_NULLIFY) return v;
    v.kind = bit < BIT_NULLIFY ? VOTE_NOTARIZE : VOTE_FINALIZE;
    v.block.b[0] = (uint8_t)(bit < BIT_NULLIFY ? 1 + bit : bit - BIT_NULLIFY);
    return v;
}

static bool evidence_counts(const struct model *m, enum evidence_kind kind)
{
    switch (kind) {
    case EVIDENCE_NONE: return false;
    case EVIDENCE_E1: return !m->off[RULE_EVIDENCE_1];
    case EVIDENCE_E2: return !m->off[RULE_EVIDENCE_2];
    case EVIDENCE_E3: return !m->off[RULE_EVIDENCE_3];
    case EVIDENCE_E4: return !m->off[RULE_EVIDENCE_4];
    }
    return false;
}

/* After byzantine, views, switches are set. */
static void model_begin(struct model *m)
{
    struct epoch epoch = {.last_number = 1, .validator_count = VALIDATORS};
    for (uint32_t i = 0; i < VALIDATORS; i++)
        epoch.validators[i] = (struct validator){.weight = 1, .consensus_address = {{(uint8_t)i}}};
    enum status status = epoch_seal(&epoch);
    assert(status == OK && m->views <= MODEL_VIEWS && m->byzantine < VALIDATORS);
    (void)status;
    m->quorum = (uint32_t)epoch_quorum(&epoch) - (m->off[RULE_QUORUM] ? 1 : 0);
    m->honest = VALIDATORS - m->byzantine;
    for (uint32_t i = 0; i < VOTE_BITS; i++) {
        for (uint32_t j = 0; j < VOTE_BITS; j++) {
            struct vote a = model_vote(i), b = model_vote(j);
            enum evidence_kind kind = evidence_between(&a, &b);
            m->guilt[i][j] = evidence_counts(m, kind) ? kind : EVIDENCE_NONE;
        }
    }
}

/* ---- certificates and justification ---- */

/* Which votes at least `count` of the honest have sent, for all views at once. */
static uint32_t sent_by(const struct model *m, const struct state *s, uint32_t count)
{
    uint32_t by[VALIDATORS + 1] = {UINT32_MAX};
    for (uint32_t i = 0; i < m->honest; i++)
        for (uint32_t n = VALIDATORS; n > 0; n--)
            by[n] |= by[n - 1] & s->sent[i];
    return by[count];
}

static uint32_t certified_votes(const struct model *m, const struct state *s)
{
    uint32_t missing = m->quorum > m->byzantine ? m->quorum - m->byzantine : 0;
    uint32_t votes = sent_by(m, s, missing);
    for (uint32_t id = 1; id <= LETTERS * m->views; id++) {
        uint32_t both = 1u << vote_bit(VOTE_NOTARIZE, block_letter(id)) |
                        1u << vote_bit(VOTE_FINALIZE, block_letter(id));
        if (!block_exists(s, id)) votes &= ~(both << (VOTE_BITS * (block_view(id) - 1)));
    }
    return votes;
}

static bool holds(const struct facts *f, enum vote_kind kind, uint32_t view, uint32_t letter)
{
    return has_bit(f->certified, view, vote_bit(kind, letter));
}

static bool block_certified(const struct facts *f, uint32_t id)
{
    uint32_t view = block_view(id), letter = block_letter(id);
    return holds(f, VOTE_NOTARIZE, view, letter) || holds(f, VOTE_FINALIZE, view, letter);
}

/* Rules 2 and 3: could a block of `view` stand upon this parent? */
static bool parent_serves(const struct model *m, const struct facts *f, uint32_t parent,
                          uint32_t view)
{
    if ((f->justified >> parent & 1) == 0) return false;
    if (parent != 0 && !block_certified(f, parent) && !m->off[RULE_PARENT_CERTIFIED]) return false;
    for (uint32_t u = block_view(parent) + 1; u < view; u++)
        if (!holds(f, VOTE_NULLIFY, u, 0) && !m->off[RULE_GAP_NULLIFIED]) return false;
    return true;
}

static inline struct facts facts_of(const struct model *m, const struct state *s)
{
    struct facts f = {.certified = certified_votes(m, s), .justified = 1};
    for (uint32_t id = 1; id <= LETTERS * m->views; id++) /* parents have lower ids */
        if (block_exists(s, id) && parent_serves(m, &f, block_parent(s, id), block_view(id)))
            f.justified |= 1u << id;
    return f;
}

static bool is_final(const struct model *m, const struct facts *f, uint32_t id)
{
    if (!holds(f, VOTE_FINALIZE, block_view(id), block_letter(id))) return false;
    return (f->justified >> id & 1) != 0 || m->off[RULE_FINALITY_JUSTIFIED];
}

/* ---- what an honest validator may do ---- */

/* Rule 1. An F lets in even before its ancestry is justified. */
static bool may_be_in(const struct model *m, const struct facts *f, uint32_t memory, uint32_t view)
{
    for (uint32_t u = view + 1; u <= m->views && !m->off[RULE_FORWARD]; u++)
        if ((in_view(memory, u) & NOT_FINALIZE) != 0) return false;
    if (view == 1 || m->off[RULE_ENTER] || holds(f, VOTE_NULLIFY, view - 1, 0)) return true;
    for (uint32_t id = block_id(view - 1, 0); id <= LETTERS * m->views; id++) {
        bool before = block_view(id) == view - 1 && (f->justified >> id & 1) != 0;
        if (holds(f, VOTE_FINALIZE, block_view(id), block_letter(id))) return true;
        if (before && holds(f, VOTE_NOTARIZE, view - 1, block_letter(id))) return true;
    }
    return false;
}

static bool has_kind(uint32_t memory, uint32_t view, enum vote_kind kind)
{
    uint32_t both = kind == VOTE_NULLIFY ? 1u : 3u;
    return (in_view(memory, view) >> vote_bit(kind, 0) & both) != 0;
}

/* Rule 3, but for the parent. */
static bool may_notarize(const struct model *m, const struct facts *f, uint32_t memory,
                         uint32_t view, uint32_t letter)
{
    if (has_bit(memory, view, vote_bit(VOTE_NOTARIZE, letter))) return false; /* nothing new */
    if (has_kind(memory, view, VOTE_NOTARIZE) && !m->off[RULE_NOTARIZE_ONCE]) return false;
    if (has_kind(memory, view, VOTE_NULLIFY) && !m->off[RULE_NOTARIZE_NOT_NULLIFIED]) return false;
    if (has_kind(memory, view, VOTE_FINALIZE) && !m->off[RULE_NOTARIZE_NOT_FINALIZED]) return false;
    return may_be_in(m, f, memory, view);
}

/* Rule 5, in any view. */
static bool may_finalize(const struct model *m, const struct facts *f, uint32_t memory, uint32_t id)
{
    uint32_t view = block_view(id), letter = block_letter(id);
    if (has_bit(memory, view, vote_bit(VOTE_FINALIZE, letter))) return false;
    if ((f->justified >> id & 1) == 0) return false;
    if (!holds(f, VOTE_NOTARIZE, view, letter) && !m->off[RULE_FINALIZE_CERTIFIED]) return false;
    if (has_kind(memory, view, VOTE_NULLIFY) && !m->off[RULE_FINALIZE_NOT_NULLIFIED]) return false;
    if (has_kind(memory, view, VOTE_FINALIZE) && !m->off[RULE_FINALIZE_ONCE]) return false;
    bool other = has_bit(memory, view, vote_bit(VOTE_NOTARIZE, 1 - letter));
    return !other || m->off[RULE_FINALIZE_OWN];
}

/* Rule 6. */
static bool may_nullify(const struct model *m, const struct facts *f, uint32_t memory,
                        uint32_t view)
{
    if (has_kind(memory, view, VOTE_NULLIFY)) return false;
    if (has_kind(memory, view, VOTE_FINALIZE) && !m->off[RULE_NULLIFY_NOT_FINALIZED]) return false;
    return may_be_in(m, f, memory, view);
}

#endif
