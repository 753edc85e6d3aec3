/* exec.h - runs an exec job: a command in an image, files in, files out.
 *
 * Two sandboxes, one after the other: leasehold-unpack turns the image into a folder, then
 * leasehold-init runs the command in it, read-only, with one tmpfs for all that it writes. Nobody
 * else can check the result by running it again. Any thread. */
#ifndef LEASEHOLD_COMPUTE_EXEC_H
#define LEASEHOLD_COMPUTE_EXEC_H

#include "compute/bundle.h"
#include "compute/sandbox.h"

struct gpu; /* gpus.h */

#define EXEC_ERROR_SIZE 512

struct exec_run {
    const struct job *job;       /* of runtime exec */
    const char *job_folder;      /* its files */
    const char *folder;          /* empty or nearly, private to this run; the caller removes it */
    const char *runner_path;     /* leasehold-run: the helpers are beside it */
    const char *result_tar_path; /* written when the job succeeds */
    uint32_t seconds;            /* for unpacking and running */
    const struct gpu *gpu;       /* NULL: no card for this job */
    const volatile sig_atomic_t *cancel; /* may be NULL */
};

/* As run_job: OK, then see out->reason and, if that is REASON_OK, *info; compile_ms is what
 * unpacking took. The caller finishes out->log. E_UNSUPPORTED, E_STATE, E_IO with an `error`. */
MUST_CHECK enum status exec_run(struct sandbox_outcome *out, struct bundle_info *info,
                                char error[EXEC_ERROR_SIZE], const struct exec_run *run);

#endif
