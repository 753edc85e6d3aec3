/* steps.h - from one state of the model to the next ones, and to the one that stands for it.
 *
 * Two states that differ only in the names of honest validators, or in which block of a view is
 * called a, are one: state_settle renames both to a fixed order. If validators need not go forward
 * only, no rule looks at two views of a validator, and each view is renamed by itself. Pure. */
#ifndef LEASEHOLD_TESTS_MODEL_STEPS_H
#define LEASEHOLD_TESTS_MODEL_STEPS_H

#include "tests/model/rules.h"

struct steps {
    uint32_t count;
    struct state next[SUCCESSORS_MAX];
};

static struct state *add_step(struct steps *out, const struct state *s)
{
    assert(out->count < SUCCESSORS_MAX);
    out->next[out->count] = *s;
    return &out->next[out->count++];
}

/* Without crashes a vote leaves as it is signed. */
static void sign(const struct model *m, struct state *s, uint32_t node, uint32_t view, uint32_t bit)
{
    uint32_t vote = 1u << (VOTE_BITS * (view - 1) + bit);
    s->memory[node] |= vote;
    if (!m->crashes || m->off[RULE_DURABLE_FIRST]) s->sent[node] |= vote;
}

static void set_block(struct state *s, uint32_t id, uint32_t field)
{
    uint32_t at = BLOCK_BITS * (id - 1);
    s->blocks &= ~((uint64_t)((1u << BLOCK_BITS) - 1) << at);
    s->blocks |= (uint64_t)field << at;
}

/* The letter of a new block of this view, or LETTERS. */
static uint32_t free_letter(const struct model *m, const struct state *s, uint32_t view)
{
    uint32_t room = (m->byzantine_leads >> (view - 1) & 1) != 0 ? LETTERS : 1;
    for (uint32_t letter = 0; letter < room; letter++)
        if (!block_exists(s, block_id(view, letter))) return letter;
    return LETTERS;
}

static void add_notarize(const struct model *m, const struct state *s, const struct facts *f,
                         uint32_t node, uint32_t view, struct steps *out)
{
    for (uint32_t letter = 0; letter < LETTERS; letter++) {
        uint32_t id = block_id(view, letter);
        if ((f->justified >> id & 1) == 0) continue;
        if (!may_notarize(m, f, s->memory[node], view, letter)) continue;
        sign(m, add_step(out, s), node, view, vote_bit(VOTE_NOTARIZE, letter));
    }
    uint32_t letter = free_letter(m, s, view);
    if (letter == LETTERS || !may_notarize(m, f, s->memory[node], view, letter)) return;
    for (uint32_t parent = 0; parent < block_id(view, 0); parent++) {
        if (!block_exists(s, parent) || !parent_serves(m, f, parent, view)) continue;
        struct state *next = add_step(out, s);
        set_block(next, block_id(view, letter), parent + 1);
        sign(m, next, node, view, vote_bit(VOTE_NOTARIZE, letter));
    }
}

static void add_votes(const struct model *m, const struct state *s, const struct facts *f,
                      uint32_t node, struct steps *out)
{
    for (uint32_t view = 1; view <= m->views; view++) {
        add_notarize(m, s, f, node, view, out);
        if (may_nullify(m, f, s->memory[node], view))
            sign(m, add_step(out, s), node, view, BIT_NULLIFY);
        for (uint32_t letter = 0; letter < LETTERS; letter++)
            if (may_finalize(m, f, s->memory[node], block_id(view, letter)))
                sign(m, add_step(out, s), node, view, vote_bit(VOTE_FINALIZE, letter));
    }
}

/* A byzantine quorum needs nobody to certify what it likes, justified or not. */
static void add_blocks(const struct model *m, const struct state *s, struct steps *out)
{
    if (m->byzantine < m->quorum) return;
    for (uint32_t view = 1; view <= m->views; view++) {
        uint32_t letter = free_letter(m, s, view);
        for (uint32_t parent = 0; letter < LETTERS && parent < block_id(view, 0); parent++)
            if (block_exists(s, parent))
                set_block(add_step(out, s), block_id(view, letter), parent + 1);
    }
}

/* A block that nobody remembers, and nobody was told of, was never there. */
static void forget_blocks(const struct model *m, struct state *s)
{
    uint32_t known = 0;
    for (uint32_t i = 0; i < m->honest; i++)
        known |= s->memory[i] | s->sent[i];
    for (uint32_t id = LETTERS * m->views; id > 0; id--) {
        uint32_t votes = in_view(known, block_view(id)) >> block_letter(id);
        if ((votes & (1u | 1u << 3)) == 0 && m->byzantine < m->quorum) set_block(s, id, 0);
    }
}

/* Power fails: what was not durable is gone. What is durable leaves at once or after a restart. */
static void add_crashes(const struct model *m, const struct state *s, uint32_t node,
                        struct steps *out)
{
    uint32_t memory = s->memory[node];
    if (m->off[RULE_LOG_KEPT] && memory != 0) add_step(out, s)->memory[node] = 0;
    if (m->off[RULE_DURABLE_FIRST]) {
        for (uint32_t rest = memory; rest != 0; rest &= rest - 1)
            add_step(out, s)->memory[node] &= ~(rest & -rest);
    } else if ((memory & ~s->sent[node]) != 0) {
        add_step(out, s)->sent[node] |= memory;
        struct state *next = add_step(out, s);
        next->memory[node] = m->off[RULE_LOG_KEPT] ? 0 : s->sent[node];
        forget_blocks(m, next);
    }
}

static void steps_from(const struct model *m, const struct state *s, struct steps *out)
{
    struct facts f = facts_of(m, s);
    out->count = 0;
    for (uint32_t node = 0; node < m->honest; node++) {
        add_votes(m, s, &f, node, out);
        if (m->crashes) add_crashes(m, s, node, out);
    }
    add_blocks(m, s, out);
}

/* ---- one state for all that are alike ---- */

static uint32_t swap_bits(uint32_t word, uint32_t i, uint32_t j)
{
    uint32_t differ = (word >> i ^ word >> j) & 1;
    return word ^ (differ << i | differ << j);
}

static uint32_t swap_word(uint32_t word, uint32_t view)
{
    uint32_t at = VOTE_BITS * (view - 1);
    return swap_bits(swap_bits(word, at, at + 1), at + 3, at + 4);
}

/* Calls block a of the view b, and b a. */
static void swap_letters(const struct model *m, struct state *s, uint32_t view)
{
    uint32_t a = block_id(view, 0), b = block_id(view, 1);
    uint32_t field_a = block_field(s, a), field_b = block_field(s, b);
    set_block(s, a, field_b);
    set_block(s, b, field_a);
    for (uint32_t id = b + 1; id <= LETTERS * m->views; id++) {
        if (block_field(s, id) == a + 1)
            set_block(s, id, b + 1);
        else if (block_field(s, id) == b + 1)
            set_block(s, id, a + 1);
    }
    for (uint32_t i = 0; i < m->honest; i++) {
        s->sent[i] = swap_word(s->sent[i], view);
        s->memory[i] = swap_word(s->memory[i], view);
    }
}

static void sort_validators(const struct model *m, struct state *s)
{
    for (uint32_t i = 1; i < m->honest; i++) {
        uint32_t sent = s->sent[i], memory = s->memory[i], at = i;
        for (; at > 0; at--) {
            uint32_t before = s->sent[at - 1];
            if (before < sent || (before == sent && s->memory[at - 1] <= memory)) break;
            s->sent[at] = before;
            s->memory[at] = s->memory[at - 1];
        }
        s->sent[at] = sent;
        s->memory[at] = memory;
    }
}

/* The same, each view by itself. */
static void sort_views(const struct model *m, struct state *s)
{
    uint32_t sorted[VALIDATORS] = {0};
    for (uint32_t view = 1; view <= m->views; view++) {
        uint32_t votes[VALIDATORS];
        for (uint32_t i = 0; i < m->honest; i++) {
            uint32_t at = i;
            for (; at > 0 && votes[at - 1] > in_view(s->sent[i], view); at--)
                votes[at] = votes[at - 1];
            votes[at] = in_view(s->sent[i], view);
        }
        for (uint32_t i = 0; i < m->honest; i++)
            sorted[i] |= votes[i] << (VOTE_BITS * (view - 1));
    }
    memcpy(s->sent, sorted, sizeof(s->sent));
    memcpy(s->memory, sorted, sizeof(s->memory));
}

static void sort_honest(const struct model *m, struct state *s)
{
    if (m->off[RULE_FORWARD] && !m->crashes)
        sort_views(m, s);
    else
        sort_validators(m, s);
}

/* The least of all states that are alike. */
static struct state state_settle(const struct model *m, const struct state *s)
{
    struct state least = *s;
    sort_honest(m, &least);
    for (uint32_t swaps = 1; swaps < 1u << m->views; swaps++) {
        struct state other = *s;
        bool apply = true;
        for (uint32_t view = 1; view <= m->views; view++) {
            if ((swaps >> (view - 1) & 1) == 0) continue;
            apply = apply && block_exists(s, block_id(view, 1));
            if (apply) swap_letters(m, &other, view);
        }
        if (!apply) continue;
        sort_honest(m, &other);
        if (memcmp(&other, &least, sizeof(other)) < 0) least = other;
    }
    return least;
}

#endif
