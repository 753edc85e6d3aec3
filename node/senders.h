/* senders.h - finds out who signed the transactions of blocks that are to be executed, ahead of it
 * and on helper threads: for a block of transfers that is most of the work.
 *
 * The thread that needs a result takes part in what is left of it, so that without helpers, or when
 * they are slow, nothing is lost. What comes out depends on the block only.
 *
 * senders_* are for the one thread that made them; blocks are worked on in the order begun. */
#ifndef LEASEHOLD_NODE_SENDERS_H
#define LEASEHOLD_NODE_SENDERS_H

#include "chain/block.h"

#define SENDERS_HELPERS_MAX 8

struct senders;
struct senders_job;

struct senders *senders_create(unsigned helpers);
/* One helper for each processor but one, at most two. */
unsigned senders_helpers(void);
void senders_destroy(struct senders *s); /* takes NULL; every job has been ended */

/* The bytes must decode as a block (asserted); they are kept until senders_end. */
struct senders_job *senders_begin(struct senders *s, struct bytes block);
/* The senders, one for each transaction, good until senders_end; NULL if some transaction has none,
 * which is for whoever executes the block to say. */
const struct address *senders_take(struct senders_job *job);
void senders_end(struct senders_job *job); /* takes NULL; finished or not */

#endif
