/* faults.h - lets the plan's faults strike a cluster, and ends them. */
#ifndef LEASEHOLD_TESTS_SIM_FAULTS_H
#define LEASEHOLD_TESTS_SIM_FAULTS_H

#include "tests/sim/plan.h"

struct node;
struct world;

void fault_strike(struct world *w, const struct fault *f);
/* The others of its epoch are a quorum of honest nodes that may sign. Without it a log must not be
 * lost: the epoch would never end. */
bool fault_can_spare(const struct world *w, const struct node *without);
/* Whatever ails the node ends now; if it is down, it starts. */
void fault_heal(struct node *n);

#endif
