/* gpu_speed.h - how fast a card or this processor multiplies and adds, by a job like any other. */
#ifndef LEASEHOLD_COMPUTE_GPU_SPEED_H
#define LEASEHOLD_COMPUTE_GPU_SPEED_H

#include "compute/gpus.h"
#include "compute/run.h"

/* Billions of float operations a second in chains of fused multiply-adds. gpu: NULL for the
 * processor. Other than OK: `error` says why it could not be measured. */
MUST_CHECK enum status gpu_speed(double *out_gflops, char error[RUN_ERROR_SIZE],
                                 const struct gpu *gpu, const char *runner);

#endif
