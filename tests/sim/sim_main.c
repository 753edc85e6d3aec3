/* leasehold-sim - clusters of real consensus cores under every fault that can be thought of, on
 * virtual time, each from a seed that replays. docs/simulator.md says more. */
#include "base/fatal.h"
#include "base/options.h"
#include "tests/sim/campaign.h"
#include "tests/sim/isolate.h"
#include "tests/sim/keys.h"
#include "tests/sim/planted.h"
#include "tests/sim/shrink.h"
#include "tests/sim/traffic.h"

#include <assert.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EXIT_USAGE 64

/* field, flag, kind, argument, default, smallest, largest, help */
#define SIM_OPTIONS(X)                                                                             \
    X(seeds, "seeds", NUMBER, "COUNT", "1000", 1, 1000000000, "How many seeds.")                   \
    X(first, "first", NUMBER, "SEED", "1", 0, INT64_MAX, "The first of them.")                     \
    X(seed, "seed", NUMBER, "SEED", "0", 0, INT64_MAX, "Only this one, with what came of it.")     \
    X(views, "views", NUMBER, "COUNT", "500", 5, 100000, "How many views each goes through.")      \
    X(nodes, "nodes", NUMBER, "COUNT", "0", 0, 100, "Validators; 0: as the seed has it.")          \
    X(jobs, "jobs", NUMBER, "COUNT", "2", 1, 64, "Processes.")                                     \
    X(honest, "honest", SWITCH, NULL, "", 0, 0, "Nobody lies.")                                    \
    X(calm, "calm", SWITCH, NULL, "", 0, 0, "Nothing is lost or doubled but by faults.")           \
    X(keep, "keep", TEXT, "NUMBERS", "", 0, 0,                                                     \
      "Of the seed's faults only these, with commas between; or none.")                            \
    X(real, "real-signatures", SWITCH, NULL, "", 0, 0, "Sign with secp256k1, not with stubs.")     \
    X(show, "show", SWITCH, NULL, "", 0, 0, "Print the seed's plan.")                              \
    X(trace, "trace", SWITCH, NULL, "", 0, 0, "Print what happens in the seed, as it happens.")    \
    X(keep_size, "no-shrink", SWITCH, NULL, "", 0, 0, "Leave a failing seed as it is.")            \
    X(bytes, "bytes", SWITCH, NULL, "", 0, 0,                                                      \
      "Only print how many bytes a view takes with 4, 21 and 100 validators.")                     \
    X(planted, "planted", TEXT, "NAME", "", 0, 0,                                                  \
      "With this bug in the core; all: with each in turn, until it is found (make sim-planted).")

struct sim_config {
    SIM_OPTIONS(OPTION_FIELD)
};

static const struct option_row ROWS[] = {
#define X(...) OPTION_ROW(struct sim_config, __VA_ARGS__)
    SIM_OPTIONS(X)
#undef X
};

static const struct option_program PROGRAM = {
    .name = "leasehold-sim",
    .summary = "simulate the consensus under faults",
    .synopsis = "",
    .description = "Lives through clusters that follow from seeds, and stops at the first in which "
                   "happens what must never happen.",
    .man_tail = "",
    .rows = ROWS,
    .count = sizeof ROWS / sizeof *ROWS,
};

/* "3,7,12" or "none". False: something else. */
static bool read_numbers(bool out[SIM_FAULTS_MAX], const char *text)
{
    memset(out, 0, SIM_FAULTS_MAX * sizeof(bool));
    if (strcmp(text, "none") == 0) return true;
    for (;;) {
        char *end;
        unsigned long number = strtoul(text, &end, 10);
        if (end == text || number >= SIM_FAULTS_MAX) return false;
        out[number] = true;
        if (*end == 0) return true;
        if (*end != ',') return false;
        text = end + 1;
    }
}

/* ---- failures ---- */

static void print_replay(const struct small_plan *p, const struct sim_config *config)
{
    const char *comma = "";
    printf("leasehold-sim --seed %" PRIu64 " --views %u", p->seed, p->views);
    if (p->cut.nodes) printf(" --nodes %u", p->cut.nodes);
    if (p->cut.honest) printf(" --honest");
    if (p->cut.calm) printf(" --calm");
    if (config->real) printf(" --real-signatures");
    if (config->planted[0]) printf(" --planted %s", config->planted);
    bool all = true, any = false;
    for (int i = 0; i < SIM_FAULTS_MAX; i++) {
        all &= p->keep[i];
        any |= p->keep[i];
    }
    if (!all) printf(" --keep %s", any ? "" : "none");
    for (int i = 0; i < SIM_FAULTS_MAX && !all; i++) {
        if (!p->keep[i]) continue;
        printf("%s%d", comma, i);
        comma = ",";
    }
    printf("\n");
}

static void print_failure(const struct report *r)
{
    printf("  after %" PRIu64 " ms: %s\n", r->failed_at_ms, r->failure);
}

static void tell_failure(const struct sim_config *config, struct small_plan *p,
                         const struct signer *signer, struct report *report)
{
    printf("not ok 1 - seed %" PRIu64 " fails\n", p->seed);
    print_failure(report);
    printf("  replay: ");
    print_replay(p, config);
    if (config->keep_size) return;
    fflush(stdout);
    shrink(p, signer, report);
    printf("made small in %u lives:\n", p->lives);
    print_failure(report);
    printf("  replay: ");
    print_replay(p, config);
    struct plan *plan = must_alloc(sizeof(*plan));
    plan_make(plan, p->seed, p->views, &p->cut);
    plan_print(stdout, plan);
    free(plan);
}

/* ---- one seed ---- */

static void print_life(const struct report *r)
{
    printf("%" PRIu64 " views, %" PRIu64 " blocks, %" PRIu64 " epochs, %" PRIu64
           " crashes, %" PRIu64 " steps, %" PRIu64 " proofs, %" PRIu64 " forks; healed in %" PRIu64
           " ms, over at %" PRIu64 " ms\n",
           r->views, r->blocks, r->epochs, r->crashes, r->steps, r->evidence, r->forks, r->heal_ms,
           r->end_ms);
}

static bool live_once(const struct sim_config *config, struct small_plan *p,
                      const struct signer *signer)
{
    struct plan *plan = must_alloc(sizeof(*plan));
    struct report *report = shared_memory(sizeof(*report));
    plan_make(plan, p->seed, p->views, &p->cut);
    if (config->show) plan_print(stdout, plan);
    bool well = isolate_live(plan, signer, report, config->trace ? stdout : NULL);
    free(plan);
    if (well)
        print_life(report);
    else
        tell_failure(config, p, signer, report);
    if (well) printf("ok 1 - seed %" PRIu64 " holds\n", p->seed);
    return well;
}

/* ---- many ---- */

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print_tally(const struct tally *t, double seconds)
{
    printf("%" PRIu64 " views, %" PRIu64 " final blocks, %" PRIu64 " epochs, %" PRIu64
           " crashes, %" PRIu64 " steps, %" PRIu64 " proofs, %" PRIu64 " convicted forks\n",
           t->views, t->blocks, t->epochs, t->crashes, t->steps, t->evidence, t->forks);
    printf("slowest to heal: seed %" PRIu64 ", %" PRIu64 " ms; %.1f s, %.0f seeds an hour\n",
           t->heal_seed, t->heal_ms_max, seconds, 3600.0 * (double)t->seeds / seconds);
}

static bool live_many(const struct sim_config *config, struct small_plan *p,
                      const struct signer *signer)
{
    struct report *report = shared_memory(sizeof(*report));
    struct tally tally;
    struct campaign c = {.first = config->first,
                         .count = config->seeds,
                         .views = p->views,
                         .jobs = (uint32_t)config->jobs,
                         .cut = p->cut,
                         .signer = signer};
    double start = seconds_now();
    bool well = campaign_run(&c, &tally, &p->seed, report);
    print_tally(&tally, seconds_now() - start);
    if (!well) tell_failure(config, p, signer, report);
    if (well)
        printf("ok 1 - %" PRIu64 " seeds of %u views%s, from %" PRIu64 ", hold\n", tally.seeds,
               p->views, config->real ? " with real signatures" : "", config->first);
    return well;
}

/* ---- planted bugs ---- */

/* How many seeds it takes to find it; 0: all were lived through. */
static bool find_planted(const struct sim_config *config, uint32_t bug, const struct small_plan *p,
                         const struct signer *signer)
{
    struct report *report = shared_memory(sizeof(*report));
    struct tally tally;
    struct campaign c = {.first = config->first,
                         .count = config->seeds,
                         .views = p->views,
                         .jobs = (uint32_t)config->jobs,
                         .cut = p->cut,
                         .signer = signer};
    uint64_t seed;
    planted_choose(bug);
    bool unfound = campaign_run(&c, &tally, &seed, report);
    if (unfound)
        printf("not ok - %s is not found by %" PRIu64 " seeds: %s\n", planted_name(bug),
               tally.seeds, planted_text(bug));
    else
        printf("ok - %-24s %6" PRIu64 " seeds  %.150s\n", planted_name(bug), tally.seeds + 1,
               report->failure);
    fflush(stdout);
    return !unfound;
}

static bool find_all_planted(const struct sim_config *config, const struct small_plan *p,
                             const struct signer *signer)
{
    bool all = true;
    for (uint32_t bug = 1; bug < planted_count(); bug++)
        all &= find_planted(config, bug, p, signer);
    return all;
}

/* ---- the command line ---- */

static bool run(const struct sim_config *config, struct small_plan *p)
{
    const struct signer *signer = config->real ? &SIGNER_SECP256K1 : &SIGNER_STUB;
    for (uint32_t i = 0; i < SIM_NODES_MAX; i++)
        sim_address(i); /* before any process is forked */
    if (config->bytes) {
        traffic_print(30);
        return true;
    }
    if (strcmp(config->planted, "all") == 0) return find_all_planted(config, p, signer);
    return config->seed ? live_once(config, p, signer) : live_many(config, p, signer);
}

static bool read_plan(struct small_plan *p, const struct sim_config *config)
{
    memset(p, 0, sizeof(*p));
    p->seed = config->seed;
    p->views = (uint32_t)config->views;
    p->cut.nodes = (uint32_t)config->nodes;
    p->cut.honest = config->honest != 0;
    p->cut.calm = config->calm != 0;
    memset(p->keep, 1, sizeof(p->keep));
    if (config->keep[0] && !read_numbers(p->keep, config->keep)) return false;
    p->cut.keep_fault = p->keep;
    return config->planted[0] == 0 || strcmp(config->planted, "all") == 0 ||
           planted_find(config->planted);
}

/* Cores come and go by the thousand; what one gave back, the next shall find mapped already. */
static void keep_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, INT32_MAX);
}

int main(int argc, char **argv)
{
    struct sim_config config = {0};
    struct small_plan plan;
    char error[OPTIONS_ERROR_SIZE];
    const char *word;
    keep_memory();
    if (options_read(&PROGRAM, &config, error, argc, argv, &word) != OK) {
        fprintf(stderr, "leasehold-sim: %s\n", error);
        return EXIT_USAGE;
    }
    bool readable = read_plan(&plan, &config);
    if (!readable)
        fprintf(stderr,
                "leasehold-sim: --keep takes numbers below %d, --planted the name of a "
                "bug in a build that has them\n",
                SIM_FAULTS_MAX);
    bool well = readable && run(&config, &plan);
    options_finish(&PROGRAM, &config);
    return !readable ? EXIT_USAGE : well ? EXIT_SUCCESS : EXIT_FAILURE;
}
