/* straight.h - a kernel compiled by NVRTC and launched through the driver, with nothing of
 * Leasehold's around it: what the cuda executor is compared with. */
#ifndef LEASEHOLD_TESTS_GPU_STRAIGHT_H
#define LEASEHOLD_TESTS_GPU_STRAIGHT_H

#include "base/status.h"

#include <stddef.h>

struct straight {
    const char *source; /* plain CUDA C; kernel k(float *out) */
    unsigned grid, block, times;
    size_t bytes; /* of out */
    int capability;
    int device;
};

/* Milliseconds of all launches by the card's own clock, after one to warm up. `error` has 512
 * bytes. */
MUST_CHECK enum status straight_run(double *out_ms, char *error, const struct straight *s);

#endif
