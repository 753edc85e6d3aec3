/* ptx_rewrite.h - adds to scanned PTX what the profile promises and the cards do not give.
 *
 * - Kernels that job.json names become lh_kernel_0, lh_kernel_1, ... in the plan's order, and say
 *   how large their blocks will be.
 * - A kernel that uses shared memory, itself or in functions that it calls, starts by setting it to
 *   zeros, and a barrier.
 * - In front of an integer division stands a test: a divisor of zero, or the lowest number divided
 *   by -1, ends the job with REASON_ARITHMETIC, as it does on a processor.
 *
 * libc only. Any thread. */
#ifndef LEASEHOLD_RUNNER_PTX_REWRITE_H
#define LEASEHOLD_RUNNER_PTX_REWRITE_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

#define PTX_SHARED_MAX    128 /* variables in shared memory, of all kernels */
#define PTX_FUNCTIONS_MAX 256

struct ptx_kernels {
    const char *const *names;    /* as NVRTC mangles them, in the plan's order */
    const unsigned *threads_max; /* of a block, in any launch */
    size_t count;
};

/* text must have passed ptx_scan. *out is ended by a zero and freed by the caller. E_LIMIT: more
 * shared variables or functions than above. E_NOT_FOUND: a kernel is missing. E_UNSUPPORTED: a
 * function calls itself, so that nobody knows how much stack it needs. */
MUST_CHECK enum status ptx_rewrite(char **out, const char *text, size_t size,
                                   const struct ptx_kernels *kernels);

#endif
