/* One real core and every order of what may happen to it, held against the rules of the model:
 * docs/model.md. MODEL_DEPTH in the environment makes the orders longer. */
#include "tests/model/core_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

/* after setjmp.h and stdarg.h, which it needs */
#include <cmocka.h>

#define DEPTH_MAX 40
#ifdef SANITIZED
#define FEWER 2 /* each step costs ten times as much */
#else
#define FEWER 0
#endif

#define BIT(name)  (1u << AT_##name)
#define EVERYTHING ((1u << AT_COUNT) - 1)
/* One view, whose leader says two things. */
#define ONE_VIEW                                                                                   \
    (BIT(PROPOSAL_1A) | BIT(PROPOSAL_1B) | BIT(CERT_N1A) | BIT(CERT_N1B) | BIT(VOTES_X1) |         \
     BIT(VALID) | BIT(FETCHED) | BIT(DURABLE) | BIT(ADVANCE_TIMER) | BIT(CRASH_LOSING))
/* It leads the first view and is interrupted. */
#define LEADING                                                                                    \
    (BIT(BUILT) | BIT(CERT_N1A) | BIT(VOTES_N1A) | BIT(VOTES_X1) | BIT(VOTES_F1A) | BIT(DURABLE) | \
     BIT(ADVANCE_TIMER) | BIT(RETRY_TIMER) | BIT(CRASH_LOSING) | BIT(CRASH_KEEPING) |              \
     BIT(CERT_N1B) | BIT(VALID) | BIT(FETCHED))
/* Two views, the first of them skipped or not. */
#define TWO_VIEWS                                                                                  \
    (BIT(PROPOSAL_1A) | BIT(CERT_N1A) | BIT(CERT_X1) | BIT(CERT_F1A) | BIT(PROPOSAL_2A) |          \
     BIT(PROPOSAL_2B) | BIT(CERT_N2B) | BIT(VALID) | BIT(DURABLE) | BIT(ADVANCE_TIMER) |           \
     BIT(CRASH_LOSING))

struct path {
    uint8_t length;
    uint8_t events[DEPTH_MAX];
};

/* Every state that was seen, as a path to it and a print of it. */
struct seen {
    struct path *paths;
    uint64_t *table;
    uint32_t count;
    uint32_t room;
};

/* MODEL_DEPTH is how many events more. */
static uint32_t deeper(uint32_t depth)
{
    const char *text = getenv("MODEL_DEPTH");
    uint32_t more = text && *text ? (uint32_t)strtoul(text, NULL, 10) : 0;
    assert_in_range(depth + more - FEWER, 1, DEPTH_MAX);
    return depth + more - FEWER;
}

static void seen_grow(struct seen *s)
{
    uint32_t old = 2 * s->room;
    uint64_t *table = s->table;
    s->room = s->room ? 2 * s->room : 1024;
    s->paths = realloc(s->paths, s->room * sizeof(*s->paths));
    s->table = calloc(2 * (size_t)s->room, sizeof(*s->table));
    assert_true(s->paths && s->table);
    for (uint32_t i = 0; i < old; i++) {
        uint32_t at = (uint32_t)table[i] & (2 * s->room - 1);
        if (table[i] == 0) continue;
        while (s->table[at] != 0)
            at = (at + 1) & (2 * s->room - 1);
        s->table[at] = table[i];
    }
    free(table);
}

static void seen_add(struct seen *s, uint64_t print, const struct path *path)
{
    if (s->count == s->room) seen_grow(s);
    if (print == 0) print = 1; /* 0 is an empty place */
    uint32_t at = (uint32_t)print & (2 * s->room - 1);
    while (s->table[at] != 0 && s->table[at] != print)
        at = (at + 1) & (2 * s->room - 1);
    if (s->table[at] == print) return;
    s->table[at] = print;
    s->paths[s->count++] = *path;
}

static void fail_at(const struct rig *r, const struct path *path)
{
    for (uint32_t i = 0; i < path->length; i++)
        printf("# %s\n", EVENTS[path->events[i]].name);
    fail_msg("%s", r->wrong);
}

struct moment {
    struct image image;
    struct rig_disk disk;
};

static void remember(struct moment *out, const struct rig *r)
{
    image_take(&out->image, r->core);
    out->disk = r->disk;
}

static void go_back(struct rig *r, const struct moment *to)
{
    image_put(r->core, &to->image);
    r->disk = to->disk;
}

static void expand(struct rig *r, struct seen *seen, const struct path *from,
                   const struct moment *start, uint32_t events)
{
    static struct moment here;
    struct path path = *from;
    go_back(r, start);
    for (uint32_t i = 0; i < from->length; i++)
        rig_apply(r, from->events[i]);
    remember(&here, r);
    path.length++;
    for (uint32_t event = 0; event < AT_COUNT; event++) {
        if ((events >> event & 1) == 0) continue;
        path.events[from->length] = (uint8_t)event;
        if (!rig_apply(r, event)) continue;
        if (r->wrong) fail_at(r, &path);
        seen_add(seen, rig_print(r), &path);
        go_back(r, &here);
    }
}

/* Every order of these events up to a length. False if longer ones lead to yet other states. */
static bool explore_core(uint32_t leader_1, uint32_t leader_2, uint32_t events, uint32_t depth)
{
    static struct rig rig;
    static struct moment start;
    struct seen seen = {0};
    struct path none = {0};
    clock_t begun = clock();
    rig_open(&rig, (const uint32_t[]){leader_1, leader_2});
    remember(&start, &rig);
    seen_add(&seen, rig_print(&rig), &none);
    for (uint32_t at = 0; at < seen.count && seen.paths[at].length < depth; at++) {
        struct path path = seen.paths[at];
        expand(&rig, &seen, &path, &start, events);
    }
    uint32_t longest = seen.paths[seen.count - 1].length;
    printf("# leaders %u %u, %d events, orders of up to %u: %u states, %.1f s%s\n", leader_1,
           leader_2, __builtin_popcount(events), longest, seen.count,
           (double)(clock() - begun) / CLOCKS_PER_SEC, longest < depth ? ", no more" : "");
    free(seen.paths);
    free(seen.table);
    rig_close(&rig);
    return longest < depth;
}

static void keeps_to_the_rules_whatever_happens_first(void **state)
{
    (void)state;
    explore_core(1, 2, EVERYTHING, deeper(4));
    explore_core(0, 1, EVERYTHING, deeper(4));
    explore_core(1, 0, EVERYTHING, deeper(4));
}

static void keeps_to_the_rules_for_ever_when_the_leader_says_two_things(void **state)
{
    (void)state;
    assert_true(explore_core(1, 2, ONE_VIEW, DEPTH_MAX));
}

static void keeps_to_the_rules_for_ever_when_it_leads(void **state)
{
    (void)state;
    assert_true(explore_core(0, 1, LEADING, DEPTH_MAX));
}

static void keeps_to_the_rules_when_a_view_may_be_skipped(void **state)
{
    (void)state;
    explore_core(1, 2, TWO_VIEWS, deeper(8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_to_the_rules_whatever_happens_first),
        cmocka_unit_test(keeps_to_the_rules_for_ever_when_the_leader_says_two_things),
        cmocka_unit_test(keeps_to_the_rules_for_ever_when_it_leads),
        cmocka_unit_test(keeps_to_the_rules_when_a_view_may_be_skipped),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
