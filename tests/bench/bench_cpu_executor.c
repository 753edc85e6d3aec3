/* bench_cpu_executor - what the cpu executor does with two classical kernels, compilation aside.
 *
 * The jobs of tests/bench/jobs run in the sandbox like any other. The time is the runner's for all
 * launches; each job repeats its kernel often enough that nothing else shows. The best of three
 * runs counts. Run from the top of the tree; leasehold-run is that of the same build. */
#include "compute/run.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUNS 3

static const struct {
    const char *folder;
    const char *what;
    const char *unit;
    double work; /* in 10^9 units, all repeats together */
} JOBS[] = {
    {"matmul", "1024^2 matrix product, 16 x 16 tiles", "GFLOP/s",
     4 * 2.0 * 1024 * 1024 * 1024 / 1e9},
    {"nbody", "8192 bodies, all pairs", "G interactions/s", 20 * 8192.0 * 8192.0 / 1e9},
    {"nbody-lanes", "8192 bodies, all pairs, 16 sums a thread", "G interactions/s",
     20 * 8192.0 * 8192.0 / 1e9},
};

static const char *const COMPILERS[] = {"clang", "g++"};

static void runner_of_this_build(char out[PATH_MAX])
{
    static const char NAME[] = "/bin/leasehold-run";
    char *slash = out;
    ssize_t size = readlink("/proc/self/exe", out, PATH_MAX - sizeof NAME);
    assert(size > 0);
    out[size] = '\0';
    for (int i = 0; i < 3; i++) { /* OUT/tests/bench/bench_x */
        slash = strrchr(out, '/');
        assert(slash != NULL);
        *slash = '\0';
    }
    memcpy(slash, NAME, sizeof NAME);
}

/* Milliseconds of one run; 0 if it failed, with a line that says why. */
static uint64_t run_once(const char *folder, const struct run_options *options)
{
    struct run_result result;
    char error[RUN_ERROR_SIZE], path[PATH_MAX];
    char tar[] = "/tmp/leasehold-bench-XXXXXX";
    uint64_t took_ms = 0;
    int fd = mkstemp(tar);
    assert(fd >= 0);
    close(fd);
    snprintf(path, sizeof path, "tests/bench/jobs/%s", folder);
    if (run_job(&result, error, path, tar, options) != OK) {
        fprintf(stderr, "%s: %s\n", path, error);
    } else {
        if (result.reason == REASON_OK) took_ms = result.kernel_ms > 0 ? result.kernel_ms : 1;
        if (result.reason != REASON_OK) fprintf(stderr, "%s: %s\n", path, result.message);
        run_result_finish(&result);
    }
    unlink(tar);
    return took_ms;
}

static bool measure(size_t job, const struct run_options *options)
{
    uint64_t best_ms = 0;
    for (int i = 0; i < RUNS; i++) {
        uint64_t took_ms = run_once(JOBS[job].folder, options);
        if (took_ms == 0) return false;
        if (best_ms == 0 || took_ms < best_ms) best_ms = took_ms;
    }
    printf("%-42s %-6s %7.2f %s (%.2f s)\n", JOBS[job].what, options->cc,
           JOBS[job].work / ((double)best_ms / 1e3), JOBS[job].unit, (double)best_ms / 1e3);
    return true;
}

int main(void)
{
    char runner[PATH_MAX];
    struct run_options options = {.runner_path = runner};
    bool all = true;
    runner_of_this_build(runner);
    printf("cpu executor, %ld cores\n", sysconf(_SC_NPROCESSORS_ONLN));
    for (size_t c = 0; c < sizeof COMPILERS / sizeof *COMPILERS; c++) {
        options.cc = COMPILERS[c];
        for (size_t i = 0; i < sizeof JOBS / sizeof *JOBS; i++)
            all = measure(i, &options) && all;
    }
    return all ? EXIT_SUCCESS : EXIT_FAILURE;
}
