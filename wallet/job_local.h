/* job_local.h - a job on this machine, for free: the same program, sandbox and root as a worker's.
 */
#ifndef LEASEHOLD_WALLET_JOB_LOCAL_H
#define LEASEHOLD_WALLET_JOB_LOCAL_H

#include "wallet/progress.h"
#include "wallet/session.h"

/* Runs the job folder and unpacks its outputs into `output`, which is made; *out_root (may be NULL)
 * is what workers would agree on. A job that fails: its log goes to stderr, CODE_JOB_FAILED. */
MUST_CHECK int local_run(struct session *s, struct progress *p, const char *folder,
                         const char *output, struct hash *out_root);
/* job run --local of a job that is not split. */
MUST_CHECK int local_job(struct session *s);

#endif
