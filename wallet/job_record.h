/* job_record.h - what this machine remembers of a job that it submitted.
 *
 * HOME/jobs/<chain>-<first bytes of the genesis hash>/<id>/: job.json (this record) and bundle.tar.
 */
#ifndef LEASEHOLD_WALLET_JOB_RECORD_H
#define LEASEHOLD_WALLET_JOB_RECORD_H

#include "wallet/session.h"

struct job_record {
    uint64_t job;
    uint64_t submitted_block;
    struct hash bundle_root;
    uint64_t bundle_size;
    char folder[PATH_MAX];    /* the job folder; absolute */
    char output[PATH_MAX];    /* where the result goes; absolute */
    char directory[PATH_MAX]; /* of this record */
};

/* The folder of this network's records, made if need be. Asks the node for its genesis. */
MUST_CHECK int job_records_folder(struct session *s, char out[PATH_MAX]);
MUST_CHECK int job_record_save(struct session *s, const struct job_record *r);
/* False if this machine knows nothing of that job. */
bool job_record_load(struct session *s, struct job_record *out, uint64_t job);
/* Says so when `folder` is there and is no empty folder: a result would not go into it. */
MUST_CHECK int check_empty_folder(struct session *s, const char *folder);
/* An absolute path of one that may be relative; the last part need not exist. */
MUST_CHECK int absolute_path(struct session *s, char out[PATH_MAX], const char *path);

#endif
