/* search.h - every state of a model, breadth first, until none is new or one is forbidden.
 *
 * Keeps each state whole (no hashing away of differences) and its parent, so that a violation comes
 * with a shortest way to it. One thread; search_finish frees. */
#ifndef LEASEHOLD_TESTS_MODEL_SEARCH_H
#define LEASEHOLD_TESTS_MODEL_SEARCH_H

#include "tests/model/judge.h"
#include "tests/model/steps.h"

#include <stdio.h>
#include <stdlib.h>

#define STATES_MAX (1u << 28)
#define TRACE_MAX  64

struct search {
    struct model model;
    struct state *states; /* in the order they were found */
    uint32_t *parents;
    uint32_t count;
    uint32_t room;
    uint32_t *table; /* index + 1, open addressing */
    uint32_t table_size;
    uint64_t forks;
    enum violation violation; /* of states[count - 1], which ended the search */
};

static void *grow(void *old, size_t count, size_t size)
{
    void *new = realloc(old, count * size);
    if (!new) {
        fprintf(stderr, "model: out of memory for %zu states\n", count);
        abort();
    }
    return new;
}

static uint64_t state_hash(const struct state *s)
{
    uint64_t h = s->blocks * 0x9e3779b97f4a7c15u;
    for (uint32_t i = 0; i < VALIDATORS; i++) {
        h ^= (uint64_t)s->sent[i] << 32 | s->memory[i];
        h *= 0xd6e8feb86659fd93u;
        h ^= h >> 32;
    }
    return h;
}

/* Where the state is in the table, or the empty place where it belongs. */
static uint32_t *find_place(const struct search *q, const struct state *s)
{
    uint32_t at = (uint32_t)state_hash(s) & (q->table_size - 1);
    while (q->table[at] != 0 && memcmp(&q->states[q->table[at] - 1], s, sizeof(*s)) != 0)
        at = (at + 1) & (q->table_size - 1);
    return &q->table[at];
}

static void make_room(struct search *q)
{
    if (q->count < q->room) return;
    assert(q->room < STATES_MAX);
    q->room = q->room ? 2 * q->room : 1024;
    q->states = grow(q->states, q->room, sizeof(*q->states));
    q->parents = grow(q->parents, q->room, sizeof(*q->parents));
    q->table_size = 2 * q->room;
    q->table = grow(q->table, q->table_size, sizeof(*q->table));
    memset(q->table, 0, q->table_size * sizeof(*q->table));
    for (uint32_t i = 0; i < q->count; i++)
        *find_place(q, &q->states[i]) = i + 1;
}

/* False if the search is over. */
static bool add_state(struct search *q, const struct state *raw, uint32_t parent)
{
    struct state s = state_settle(&q->model, raw);
    make_room(q);
    uint32_t *place = find_place(q, &s);
    if (*place != 0) return true;
    q->states[q->count] = s;
    q->parents[q->count] = parent;
    *place = ++q->count;
    struct verdict v = judge(&q->model, &s);
    q->forks += v.fork;
    q->violation = v.violation;
    return v.violation == VIOLATION_NONE;
}

/* Explores all that the model can reach. `q` is zero but for the model, which has begun. */
static void search_run(struct search *q)
{
    static struct steps steps;
    struct state start;
    memset(&start, 0, sizeof(start));
    add_state(q, &start, 0);
    for (uint32_t at = 0; at < q->count; at++) {
        struct state s = q->states[at];
        steps_from(&q->model, &s, &steps);
        for (uint32_t i = 0; i < steps.count; i++)
            if (!add_state(q, &steps.next[i], at)) return;
    }
}

static void search_finish(struct search *q)
{
    free(q->states);
    free(q->parents);
    free(q->table);
}

/* ---- the way to the last state ---- */

static void print_block(const struct state *s, uint32_t id)
{
    printf("%u%c upon ", block_view(id), 'a' + (int)block_letter(id));
    uint32_t parent = block_parent(s, id);
    if (parent == 0)
        printf("genesis");
    else
        printf("%u%c", block_view(parent), 'a' + (int)block_letter(parent));
}

static void print_votes(const struct state *s, uint32_t votes)
{
    for (uint32_t view = 1; view <= MODEL_VIEWS; view++) {
        for (uint32_t bit = 0; bit < VOTE_BITS; bit++) {
            if (!has_bit(votes, view, bit)) continue;
            if (bit == BIT_NULLIFY) {
                printf(" nullify %u", view);
                continue;
            }
            printf(bit < BIT_NULLIFY ? " notarize " : " finalize ");
            print_block(s, block_id(view, bit < BIT_NULLIFY ? bit : bit - BIT_NULLIFY - 1));
        }
    }
}

static void print_step(const struct model *m, const struct state *from, const struct state *to)
{
    for (uint32_t i = 0; i < m->honest; i++) {
        uint32_t left = to->sent[i] & ~from->sent[i];
        uint32_t signs = to->memory[i] & ~from->memory[i];
        uint32_t forgets = from->memory[i] & ~to->memory[i];
        if ((left | signs | forgets) == 0) continue;
        printf("#     %c", 'p' + (int)i);
        if (forgets) printf(" crashes and forgets");
        if (signs && !left && m->crashes) printf(" signs");
        if (left && !signs) printf(" sends");
        print_votes(forgets ? from : to, left | signs | forgets);
        printf("\n");
    }
    if (memcmp(from->memory, to->memory, sizeof(to->memory)) != 0) return;
    for (uint32_t id = 1; id <= LETTERS * m->views; id++) {
        if (block_field(from, id) == block_field(to, id) || !block_exists(to, id)) continue;
        printf("#     byzantine: propose ");
        print_block(to, id);
        printf("\n");
    }
}

/* States in store have been renamed; the way is walked again under the first names. */
static void search_print_trace(const struct search *q)
{
    static struct steps steps;
    uint32_t path[TRACE_MAX], length = 0;
    struct state at = q->states[0];
    for (uint32_t i = q->count - 1; i != 0; i = q->parents[i]) {
        assert(length < TRACE_MAX);
        path[length++] = i;
    }
    while (length-- > 0) {
        steps_from(&q->model, &at, &steps);
        for (uint32_t i = 0; i < steps.count; i++) {
            struct state s = state_settle(&q->model, &steps.next[i]);
            if (memcmp(&s, &q->states[path[length]], sizeof(s)) != 0) continue;
            print_step(&q->model, &at, &steps.next[i]);
            at = steps.next[i];
            break;
        }
    }
    printf("#     => %s\n", VIOLATION_NAMES[q->violation]);
}

#endif
