/* isolate.h - a life in its own process, so that a failed check, an assert of the core, a crash
 * or an endless loop ends that life and nothing else. */
#ifndef LEASEHOLD_TESTS_SIM_ISOLATE_H
#define LEASEHOLD_TESTS_SIM_ISOLATE_H

#include "tests/sim/world.h"

#include <sys/types.h>

#define LIFE_SECONDS_MAX 120 /* of processor time; then it counts as endless */

/* Memory that child processes share; zeroed, never given back. */
void *shared_memory(size_t size);
/* In the process that lives: where an assert of the core is to be written down. */
void isolate_report_to(struct report *report);
/* Waits for the process; if it failed, sees to it that the report says how. True: it lived well. */
bool isolate_wait(pid_t child, struct report *report);
/* Lives through the plan in a child; `report` is shared memory and is cleared first. */
bool isolate_live(const struct plan *plan, const struct signer *signer, struct report *report,
                  FILE *trace);

#endif
