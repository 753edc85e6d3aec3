#include "tests/sim/shrink.h"

#include "base/fatal.h"
#include "tests/sim/isolate.h"

#include <assert.h>
#include <stdlib.h>

#define LIVES_MAX 600

struct shrinker {
    struct small_plan *best;
    const struct signer *signer;
    struct report *report;
    struct report *trial;
    struct plan *plan;
};

/* The check's name: what stands before the colon. An assert is the same at the same place. */
static bool same_failure(const struct report *a, const struct report *b)
{
    size_t length = strcspn(a->failure, ":");
    return strncmp(a->failure, b->failure, length + 1) == 0;
}

/* Lives through what `best` would be; keeps it if it still fails. */
static bool still_fails(struct shrinker *s, const struct small_plan *smaller)
{
    if (s->best->lives >= LIVES_MAX) return false;
    s->best->lives++;
    struct plan_cut cut = smaller->cut;
    cut.keep_fault = smaller->keep;
    plan_make(s->plan, smaller->seed, smaller->views, &cut);
    if (isolate_live(s->plan, s->signer, s->trial, NULL)) return false;
    if (!same_failure(s->report, s->trial)) return false;
    uint32_t lives = s->best->lives;
    *s->best = *smaller;
    s->best->lives = lives;
    *s->report = *s->trial;
    return true;
}

static bool fewer_views(struct shrinker *s)
{
    struct small_plan smaller = *s->best;
    smaller.views = smaller.views * 2 / 3;
    return smaller.views >= 5 && still_fails(s, &smaller);
}

static bool fewer_nodes(struct shrinker *s)
{
    struct small_plan smaller = *s->best;
    struct plan_cut cut = smaller.cut;
    plan_make(s->plan, smaller.seed, smaller.views, &cut);
    if (s->plan->validator_count == 1) return false;
    smaller.cut.nodes = s->plan->validator_count - 1;
    return still_fails(s, &smaller);
}

static bool no_liars(struct shrinker *s)
{
    struct small_plan smaller = *s->best;
    smaller.cut.honest = true;
    return !s->best->cut.honest && still_fails(s, &smaller);
}

static bool calm_wire(struct shrinker *s)
{
    struct small_plan smaller = *s->best;
    smaller.cut.calm = true;
    return !s->best->cut.calm && still_fails(s, &smaller);
}

/* The kept faults from the nth to before the (n + count)th go. */
static bool without_faults(struct shrinker *s, uint32_t first, uint32_t count)
{
    struct small_plan smaller = *s->best;
    uint32_t n = 0;
    bool any = false;
    for (uint32_t i = 0; i < SIM_FAULTS_MAX; i++) {
        if (!smaller.keep[i]) continue;
        if (n >= first && n < first + count) {
            smaller.keep[i] = false;
            any = true;
        }
        n++;
    }
    return any && still_fails(s, &smaller);
}

static uint32_t kept_count(const struct small_plan *p)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < SIM_FAULTS_MAX; i++)
        count += p->keep[i];
    return count;
}

/* By halves, then quarters, ... then one by one. */
static bool fewer_faults(struct shrinker *s)
{
    bool any = false;
    for (uint32_t size = kept_count(s->best); size > 0; size /= 2)
        for (uint32_t first = 0; first < kept_count(s->best);)
            if (without_faults(s, first, size))
                any = true;
            else
                first += size;
    return any;
}

void shrink(struct small_plan *small, const struct signer *signer, struct report *report)
{
    struct shrinker s = {.best = small, .signer = signer, .report = report};
    s.trial = shared_memory(sizeof(*s.trial));
    s.plan = must_alloc(sizeof(*s.plan));
    bool smaller = true;
    while (smaller) {
        smaller = fewer_views(&s);
        smaller |= no_liars(&s);
        smaller |= calm_wire(&s);
        smaller |= fewer_faults(&s);
        smaller |= fewer_nodes(&s);
    }
    free(s.plan);
    small->cut.keep_fault = small->keep;
}
