/* shrink.h - takes away from a failing plan whatever the failure does not need. */
#ifndef LEASEHOLD_TESTS_SIM_SHRINK_H
#define LEASEHOLD_TESTS_SIM_SHRINK_H

#include "tests/sim/world.h"

struct small_plan {
    uint64_t seed;
    uint32_t views;
    struct plan_cut cut;
    bool keep[SIM_FAULTS_MAX]; /* cut.keep_fault points here */
    uint32_t lives;            /* that it took */
};

/* Starts from a life that failed as `report` (shared memory) says; the report ends as the smallest
 * one's. Failures are the same if the same check failed. */
void shrink(struct small_plan *s, const struct signer *signer, struct report *report);

#endif
