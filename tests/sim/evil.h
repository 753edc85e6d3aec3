/* evil.h - how liars lie: what leaves their node instead of, and beside, what their core says.
 *
 * A liar runs a lawful core, which keeps it in step with the others; its wire is what lies. It
 * signs with its own key only. What it makes up in the name of others is marked as forged, so that
 * the court does not take it for theirs. */
#ifndef LEASEHOLD_TESTS_SIM_EVIL_H
#define LEASEHOLD_TESTS_SIM_EVIL_H

#include "chain/consensus/consensus.h"

struct node;
struct parcel;

/* Its core wants to send this. */
void evil_send(struct node *n, const struct message *m);
/* It has just received this. */
void evil_hear(struct node *n, const struct parcel *p);

#endif
