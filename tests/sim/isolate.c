#include "tests/sim/isolate.h"

#include "base/fatal.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static struct report *assert_report;

void *shared_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fatal("out of shared memory");
    return memory;
}

void isolate_report_to(struct report *report)
{
    const struct itimerval limit = {.it_value = {.tv_sec = LIFE_SECONDS_MAX}};
    assert_report = report;
    setitimer(ITIMER_VIRTUAL, &limit, NULL);
}

/* In glibc's place: the core's asserts are checks like any others. */
_Noreturn void __assert_fail(const char *what, const char *file, unsigned line, const char *where)
{
    if (assert_report)
        snprintf(assert_report->failure, REPORT_SIZE, "assert: %s:%u %s: %s", file, line, where,
                 what);
    else
        fprintf(stderr, "%s:%u %s: not true: %s\n", file, line, where, what);
    if (assert_report) _exit(EXIT_FAILURE);
    abort();
}

bool isolate_wait(pid_t child, struct report *report)
{
    int state = 0;
    if (waitpid(child, &state, 0) != child) fatal("waiting for a life");
    if (WIFEXITED(state) && WEXITSTATUS(state) == EXIT_SUCCESS && report->failure[0] == 0)
        return true;
    if (report->failure[0] != 0) return false;
    if (WIFSIGNALED(state) && WTERMSIG(state) == SIGVTALRM)
        snprintf(report->failure, REPORT_SIZE, "endless: over %d s", LIFE_SECONDS_MAX);
    else
        snprintf(report->failure, REPORT_SIZE, "crash: wait status %d", state);
    return false;
}

bool isolate_live(const struct plan *plan, const struct signer *signer, struct report *report,
                  FILE *trace)
{
    memset(report, 0, sizeof(*report));
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) fatal("fork");
    if (child == 0) {
        isolate_report_to(report);
        world_live(plan, signer, report, trace);
        fflush(NULL);
        _exit(EXIT_SUCCESS);
    }
    return isolate_wait(child, report);
}
