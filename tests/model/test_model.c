/* What can be reached by the rules of consensus, all of it: docs/model.md. MODEL_VIEWS and
 * MODEL_TRACES in the environment make it larger and more talkative (`make model`). */
#include "tests/model/search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

/* after setjmp.h and stdarg.h, which it needs */
#include <cmocka.h>

#define ALL_LEADERS ((1u << MODEL_VIEWS) - 1)
#ifdef SANITIZED
#define VIEWS 2 /* each state costs ten times as much */
#else
#define VIEWS 3
#endif

struct rule_info {
    const char *name;
    const char *text;
    bool needed;
};

static const struct rule_info RULES[] = {
#define X(name, text, needed) {#name, text, needed},
    MODEL_RULES(X)
#undef X
};

static uint32_t views_wanted(void)
{
    const char *text = getenv("MODEL_VIEWS");
    uint32_t views = text && *text ? (uint32_t)strtoul(text, NULL, 10) : VIEWS;
    if (views < 1 || views > MODEL_VIEWS) {
        fprintf(stderr, "MODEL_VIEWS=%s: from 1 to %d\n", text, MODEL_VIEWS);
        exit(2);
    }
    return views;
}

static bool talkative(void)
{
    const char *text = getenv("MODEL_TRACES");
    return text && *text && *text != '0';
}

static void print_leaders(const struct model *m)
{
    for (uint32_t view = 0; view < m->views; view++)
        printf("%c", (m->byzantine_leads >> view & 1) != 0 ? 'b' : 'h');
}

static void print_search(const struct search *q, double seconds)
{
    printf("# %u views, %u byzantine%s, leaders ", q->model.views, q->model.byzantine,
           q->model.crashes ? ", crashes" : "");
    print_leaders(&q->model);
    printf(": %u states", q->count);
    if (q->forks) printf(", %llu of them forks", (unsigned long long)q->forks);
    printf(", %.1f s\n", seconds);
}

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The whole space of the model: nothing forbidden is in it. The number of forks. */
static uint64_t explore(struct model model)
{
    struct search q = {.model = model};
    double start = seconds_now();
    model_begin(&q.model);
    search_run(&q);
    print_search(&q, seconds_now() - start);
    if (q.violation != VIOLATION_NONE) {
        search_print_trace(&q);
        fail_msg("%s", VIOLATION_NAMES[q.violation]);
    }
    search_finish(&q);
    return q.forks;
}

/* ---- what holds ---- */

static void reaches_nothing_bad_below_a_third_whoever_leads(void **state)
{
    struct model m = {.views = VIEWS};
    (void)state;
    explore(m);
    m.byzantine = 1;
    m.byzantine_leads = ALL_LEADERS; /* who may do whatever an honest leader may, and more */
    explore(m);
    m.views = talkative() ? VIEWS : 2;
    for (m.byzantine_leads = 0; m.byzantine_leads < 1u << m.views; m.byzantine_leads++)
        explore(m);
}

static void convicts_a_third_by_every_fork(void **state)
{
    (void)state;
    for (uint32_t byzantine = 2; byzantine < VALIDATORS; byzantine++) {
        struct model m = {.views = VIEWS, .byzantine = byzantine};
        for (m.byzantine_leads = 0; m.byzantine_leads < 1u << m.views; m.byzantine_leads++)
            assert_true(explore(m) > 0); /* forks there are */
    }
}

static void makes_nobody_honest_guilty_across_crashes(void **state)
{
    (void)state;
    for (uint32_t byzantine = 0; byzantine < VALIDATORS; byzantine++) {
        struct model m = {.views = 2, .byzantine = byzantine, .crashes = true};
        if (byzantine > 0) m.byzantine_leads = ALL_LEADERS;
        explore(m);
    }
}

/* Without the rule about going forward, views can be renamed one by one: fewer states, and more
 * behaviour. This is what `make model VIEWS=4` makes larger. */
static void stays_safe_when_validators_may_go_back(void **state)
{
    (void)state;
    for (uint32_t byzantine = 0; byzantine <= 2; byzantine++) {
        struct model m = {.views = views_wanted(), .byzantine = byzantine};
        m.off[RULE_FORWARD] = true;
        if (byzantine > 0) m.byzantine_leads = ALL_LEADERS;
        explore(m);
    }
}

static void stays_safe_without_all_the_rules_that_only_liveness_needs(void **state)
{
    (void)state;
    for (uint32_t byzantine = 0; byzantine < VALIDATORS; byzantine++) {
        struct model m = {.views = VIEWS, .byzantine = byzantine};
        for (int rule = 0; rule < RULE_COUNT; rule++)
            m.off[rule] = !RULES[rule].needed;
        if (byzantine > 0) m.byzantine_leads = ALL_LEADERS;
        explore(m);
    }
}

/* ---- what does not, when a rule is missing ---- */

static bool about_crashes(enum rule rule)
{
    return rule == RULE_DURABLE_FIRST || rule == RULE_LOG_KEPT;
}

/* The first violation that leaving out these rules makes reachable, with the fewest byzantine. */
static enum violation break_by(enum rule first, enum rule second, bool only_finality)
{
    enum violation found = VIOLATION_NONE;
    uint32_t byzantine = about_crashes(first) ? 1 : 0; /* one honest fewer: fewer states */
    for (; byzantine < VALIDATORS && found == VIOLATION_NONE; byzantine++) {
        struct search q = {.model = {.views = 2, .byzantine = byzantine}};
        q.model.crashes = about_crashes(first);
        q.model.only_finality = only_finality;
        q.model.off[first] = q.model.off[second] = true;
        if (byzantine > 0) q.model.byzantine_leads = ALL_LEADERS;
        model_begin(&q.model);
        search_run(&q);
        found = q.violation;
        if (found != VIOLATION_NONE && talkative()) {
            printf("# without \"%s\"", RULES[first].text);
            if (second != first) printf(" and \"%s\"", RULES[second].text);
            printf(", %u byzantine (state %u):\n", byzantine, q.count);
            search_print_trace(&q);
        }
        search_finish(&q);
    }
    return found;
}

static void needs_every_rule_that_safety_rests_on(void **state)
{
    (void)state;
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        enum violation found = break_by((enum rule)rule, (enum rule)rule, false);
        if (!RULES[rule].needed && talkative())
            printf("# without \"%s\": %s\n", RULES[rule].text, VIOLATION_NAMES[found]);
        if ((found != VIOLATION_NONE) == RULES[rule].needed) continue;
        fail_msg("without \"%s\": %s", RULES[rule].text, VIOLATION_NAMES[found]);
    }
}

/* What comes of it when nobody minds the guilt. */
static void loses_finality_by_the_rules_that_keep_the_honest_innocent(void **state)
{
    (void)state;
    assert_int_equal(break_by(RULE_FINALIZE_NOT_NULLIFIED, RULE_FINALIZE_NOT_NULLIFIED, true),
                     VIOLATION_NULLIFIED_AND_FINAL);
    assert_int_equal(break_by(RULE_NULLIFY_NOT_FINALIZED, RULE_NULLIFY_NOT_FINALIZED, true),
                     VIOLATION_NULLIFIED_AND_FINAL);
    assert_int_equal(break_by(RULE_DURABLE_FIRST, RULE_DURABLE_FIRST, true),
                     VIOLATION_NULLIFIED_AND_FINAL);
    assert_int_equal(break_by(RULE_LOG_KEPT, RULE_LOG_KEPT, true), VIOLATION_NULLIFIED_AND_FINAL);
    assert_int_equal(break_by(RULE_NOTARIZE_ONCE, RULE_FINALIZE_OWN, true), VIOLATION_FORK);
    assert_int_equal(break_by(RULE_NOTARIZE_ONCE, RULE_NOTARIZE_NOT_FINALIZED, true),
                     VIOLATION_FORK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reaches_nothing_bad_below_a_third_whoever_leads),
        cmocka_unit_test(convicts_a_third_by_every_fork),
        cmocka_unit_test(makes_nobody_honest_guilty_across_crashes),
        cmocka_unit_test(stays_safe_when_validators_may_go_back),
        cmocka_unit_test(stays_safe_without_all_the_rules_that_only_liveness_needs),
        cmocka_unit_test(needs_every_rule_that_safety_rests_on),
        cmocka_unit_test(loses_finality_by_the_rules_that_keep_the_honest_innocent),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
