/* machine.h - what all executors have in common: the job's buffers in this process's memory, the
 * check of launches against the kernels' parameters, the outputs.
 *
 * Whatever fails ends the process with its reason. One thread. */
#ifndef LEASEHOLD_RUNNER_MACHINE_H
#define LEASEHOLD_RUNNER_MACHINE_H

#include "compute/runner/runner.h"

struct machine {
    const struct plan *plan;
    const struct lh_kernel *kernels;
    const void *module_base;
    char *memory[JOB_BUFFERS_MAX];
    uint64_t step;        /* launches so far, as executed */
    uint64_t resume_step; /* those before were another run's */
};

/* Maps every buffer and fills it from its file, or, if m->resume_step is not 0, from stdin. */
void machine_make_buffers(struct machine *m, const char *folder);
/* REASON_LAUNCH if there is none. */
const struct lh_kernel *machine_find_kernel(const struct machine *m, const char *name);
/* Every launch must fit its kernel in m->kernels, or the job ends with REASON_LAUNCH. */
void machine_check_launches(const struct machine *m);
/* All outputs, with one NaN. */
void machine_send_outputs(const struct runner_options *options, const struct machine *m);

#endif
