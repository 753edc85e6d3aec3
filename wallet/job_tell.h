/* job_tell.h - what a person is told of each event of a job.
 *
 * Each event that matters becomes a stage of the job's progress. */
#ifndef LEASEHOLD_WALLET_JOB_TELL_H
#define LEASEHOLD_WALLET_JOB_TELL_H

#include "wallet/job_follow.h"

/* Tells the events of contract_events, of several contracts in turn, in the order of the chain. */
void job_tell_events(struct follow *f, const json_t *events);

#endif
