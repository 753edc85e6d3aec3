/* job_split.h - a job in parts (compute/split.h): as many at once as there are workers, each with
 * its own escrow and its own agreement, joined here.
 *
 * A part that is refunded is ordered again; one whose program fails ends the whole. Stopped or
 * failed, the same command with the same --output goes on where it was. */
#ifndef LEASEHOLD_WALLET_JOB_SPLIT_H
#define LEASEHOLD_WALLET_JOB_SPLIT_H

#include "wallet/session.h"

/* Into how many parts the job of `folder` is to be done: --split, or what job.json says; 0: it is
 * no split job. */
MUST_CHECK int split_wanted(struct session *s, uint32_t *out_parts, const char *folder);
/* job run, of a split job. */
MUST_CHECK int split_run(struct session *s, uint32_t parts);

#endif
