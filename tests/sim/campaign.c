#include "tests/sim/campaign.h"

#include "base/fatal.h"
#include "tests/sim/isolate.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS_MAX 64

/* One worker's, in shared memory: its process may end at any moment. */
struct desk {
    pid_t pid;
    uint64_t seed; /* that it is at */
    struct report report;
    struct tally tally;
};

static void count(struct tally *t, const struct report *r, uint64_t seed)
{
    t->seeds++;
    t->steps += r->steps;
    t->views += r->views;
    t->blocks += r->blocks;
    t->epochs += r->epochs;
    t->crashes += r->crashes;
    t->evidence += r->evidence;
    t->forks += r->forks;
    if (r->heal_ms <= t->heal_ms_max) return;
    t->heal_ms_max = r->heal_ms;
    t->heal_seed = seed;
}

static void add(struct tally *sum, const struct tally *t)
{
    sum->seeds += t->seeds;
    sum->steps += t->steps;
    sum->views += t->views;
    sum->blocks += t->blocks;
    sum->epochs += t->epochs;
    sum->crashes += t->crashes;
    sum->evidence += t->evidence;
    sum->forks += t->forks;
    if (t->heal_ms_max <= sum->heal_ms_max) return;
    sum->heal_ms_max = t->heal_ms_max;
    sum->heal_seed = t->heal_seed;
}

static void work(const struct campaign *c, struct desk *desk, uint32_t worker)
{
    struct plan *plan = must_alloc(sizeof(*plan));
    for (uint64_t i = worker; i < c->count; i += c->jobs) {
        desk->seed = c->first + i;
        memset(&desk->report, 0, sizeof(desk->report));
        isolate_report_to(&desk->report);
        plan_make(plan, desk->seed, c->views, &c->cut);
        world_live(plan, c->signer, &desk->report, NULL);
        count(&desk->tally, &desk->report, desk->seed);
    }
    free(plan);
    _exit(EXIT_SUCCESS);
}

static void start_all(const struct campaign *c, struct desk *desks)
{
    fflush(NULL);
    for (uint32_t i = 0; i < c->jobs; i++) {
        pid_t pid = fork();
        if (pid < 0) fatal("fork");
        if (pid == 0) work(c, &desks[i], i);
        desks[i].pid = pid;
    }
}

/* Waits for all; at the first failure the others are told to stop. */
static struct desk *wait_all(const struct campaign *c, struct desk *desks)
{
    struct desk *failed = NULL;
    for (uint32_t left = c->jobs; left > 0; left--) {
        siginfo_t info;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) != 0) fatal("waiting for workers");
        uint32_t i = 0;
        while (i < c->jobs && desks[i].pid != info.si_pid)
            i++;
        assert(i < c->jobs);
        bool well = isolate_wait(info.si_pid, &desks[i].report);
        desks[i].pid = 0;
        if (well || failed) continue;
        failed = &desks[i];
        for (uint32_t j = 0; j < c->jobs; j++)
            if (desks[j].pid != 0) kill(desks[j].pid, SIGTERM);
    }
    return failed;
}

bool campaign_run(const struct campaign *c, struct tally *tally, uint64_t *out_seed,
                  struct report *report)
{
    assert(c->jobs > 0 && c->jobs <= JOBS_MAX);
    size_t size = c->jobs * sizeof(struct desk);
    struct desk *desks = shared_memory(size);
    start_all(c, desks);
    const struct desk *failed = wait_all(c, desks);
    memset(tally, 0, sizeof(*tally));
    for (uint32_t i = 0; i < c->jobs; i++)
        add(tally, &desks[i].tally);
    if (failed) {
        *out_seed = failed->seed;
        *report = failed->report;
    }
    bool well = failed == NULL;
    munmap(desks, size);
    return well;
}
