/* cuda.h - the cuda executor: NVRTC compiles, the scan and the rewriting follow, the driver runs.
 *
 * The cpu executor says what a job's result is; this one is faster and must agree. So whatever it
 * cannot do exactly as the cpu executor does (NVRTC refuses what clang takes, a function calls
 * itself, a block wants more shared memory than the card has) it declines, and the runner goes on
 * with the cpu executor: no verdict on a job depends on what hardware is there. Compiling happens
 * in processes of their own, and what they leave is judged by others, which believe nothing. */
#ifndef LEASEHOLD_RUNNER_CUDA_H
#define LEASEHOLD_RUNNER_CUDA_H

#include "compute/runner/runner.h"

#define CUDA_DECLINED        120 /* exit status of a process that declines */
#define CUDA_WHY_SIZE        512
#define CUDA_PRELUDE_NAME    "prelude"   /* what NVRTC is told the prelude's file is */
#define CUDA_LOCAL_BYTES_MAX (96 * 1024) /* of a thread: the cpu executor's stack has 128 KiB */
#define CUDA_CUBIN_BYTES_MAX (64ull << 20)

struct cuda_row { /* lh_rows of prelude_cuda.h */
    char kinds[JOB_ARGS_MAX + 1];
    unsigned sizes[JOB_ARGS_MAX];
};

/* The plan's kernels without repeats, in order. */
struct cuda_names {
    const char *names[JOB_LAUNCHES_MAX];
    unsigned threads_max[JOB_LAUNCHES_MAX]; /* of a block */
    unsigned count;
};
struct cuda_names cuda_names_of(const struct plan *plan);

/* What the two processes and their parent share. */
struct cuda_shared {
    char why[CUDA_WHY_SIZE]; /* it declined */
    double kernel_ms;        /* between the events around all launches */
};

/* The PTX to run, scanned and completed, for the caller to free; NULL: declined, see `why`. */
char *cuda_compile(const struct runner_options *options, const struct plan *plan,
                   char why[CUDA_WHY_SIZE]);
/* Runs the job and never returns: the exit status is the reason, or CUDA_DECLINED with
 * shared->why. `ptx` may be NULL when options->cached_path is there. */
void cuda_execute(const struct runner_options *options, const struct plan *plan, const char *ptx,
                  struct cuda_shared *shared) __attribute__((noreturn));
/* Both; false: declined, the reason why has been printed. kernel_ms may be NULL. */
bool cuda_run(const struct runner_options *options, const struct plan *plan, enum reason *out,
              double *kernel_ms);
/* For `job check`: prints what NVRTC and the scan find. REASON_OK: nothing, or no NVRTC. */
enum reason cuda_check(const struct runner_options *options, const struct plan *plan);

#endif
