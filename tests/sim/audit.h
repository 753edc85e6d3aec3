/* audit.h - holds an honest node to the rules of docs/consensus.md, one by one.
 *
 * Some broken rules do no harm that can be seen for long: two safeguards stand behind one another,
 * or only speed is lost. The audit judges each step from outside, by what the node was told, what
 * it holds (consensus_certificate) and what it answered; it knows nothing of the core's insides.
 * Each check names its rule. Where the audit cannot know, it keeps still. */
#ifndef LEASEHOLD_TESTS_SIM_AUDIT_H
#define LEASEHOLD_TESTS_SIM_AUDIT_H

#include "chain/consensus/consensus.h"

struct node;
struct audit;

struct audit *audit_create(struct node *n);
void audit_destroy(struct audit *a); /* takes NULL, as does audit_forget */
void audit_forget(struct audit *a);  /* the node has crashed */
/* Around each step, before its actions are carried out. */
void audit_before(struct audit *a, const struct event *event);
void audit_after(struct audit *a, const struct event *event, const struct actions *actions);

#endif
