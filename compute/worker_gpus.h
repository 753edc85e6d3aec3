/* worker_gpus.h - leasehold-worker gpus. The main thread only. */
#ifndef LEASEHOLD_COMPUTE_WORKER_GPUS_H
#define LEASEHOLD_COMPUTE_WORKER_GPUS_H

#include <stdbool.h>

/* Prints the processor and each card: model, memory, capability, driver, measured speed; or says
 * what was looked for. False if no job can run here at all. runner: NULL as in run.h. */
bool worker_gpus_print(const char *runner, bool json);

#endif
