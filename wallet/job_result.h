/* job_result.h - fetching an ended job's result, and what it cost. */
#ifndef LEASEHOLD_WALLET_JOB_RESULT_H
#define LEASEHOLD_WALLET_JOB_RESULT_H

#include "wallet/job_follow.h"

struct result_target {
    char output[PATH_MAX];  /* folder; is made, or there and empty */
    char folder[PATH_MAX];  /* the job folder, for pictures; "" when not known */
    char scratch[PATH_MAX]; /* where the tar is kept until it is unpacked */
};

/* Downloads from any worker that was paid, verifies, unpacks, makes pictures. Lines for people are
 * appended to `report`. */
MUST_CHECK int result_fetch(struct follow *f, struct buffer *report,
                            const struct result_target *target);
/* Takes the renter's credit in Jobs out, if there is any. */
MUST_CHECK int result_withdraw(struct follow *f);

#endif
