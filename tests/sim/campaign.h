/* campaign.h - many seeds, in several processes, until all are through or one fails. */
#ifndef LEASEHOLD_TESTS_SIM_CAMPAIGN_H
#define LEASEHOLD_TESTS_SIM_CAMPAIGN_H

#include "tests/sim/world.h"

struct campaign {
    uint64_t first;
    uint64_t count;
    uint32_t views;
    uint32_t jobs;
    struct plan_cut cut;
    const struct signer *signer;
};

/* The sums of all lives that ended well. */
struct tally {
    uint64_t seeds;
    uint64_t steps;
    uint64_t views;
    uint64_t blocks;
    uint64_t epochs;
    uint64_t crashes;
    uint64_t evidence;
    uint64_t forks;
    uint64_t heal_ms_max;
    uint64_t heal_seed; /* of that one */
};

/* True: all is well. Else *out_seed failed, and how is in the report. */
bool campaign_run(const struct campaign *c, struct tally *tally, uint64_t *out_seed,
                  struct report *report);

#endif
