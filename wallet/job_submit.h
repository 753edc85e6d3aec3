/* job_submit.h - an order on its way to the chain: is there the money, Jobs.submit, the record. */
#ifndef LEASEHOLD_WALLET_JOB_SUBMIT_H
#define LEASEHOLD_WALLET_JOB_SUBMIT_H

#include "wallet/job_order.h"
#include "wallet/job_record.h"
#include "wallet/progress.h"

/* Says so when the sender has less than `total`; else it is the stage "funded". */
MUST_CHECK int submit_check_funds(struct session *s, struct progress *p, struct u256 total);
/* Locks the price and waits until that is final; then record->job and submitted_block are set. */
MUST_CHECK int submit_order(struct session *s, struct progress *p, const struct job_order *o,
                            struct job_record *record);
/* Makes the record's folder in `records` and moves the packed bundle there. The record is not saved
 * yet: it has no output. */
MUST_CHECK int submit_keep(struct session *s, struct job_order *o, struct job_record *record,
                           const char *records);

#endif
