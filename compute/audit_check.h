/* audit_check.h - what an audit can look at as a whole, without running anything.
 *
 * The beginning, the end, and what launches may not touch. One thread an object. */
#ifndef LEASEHOLD_COMPUTE_AUDIT_CHECK_H
#define LEASEHOLD_COMPUTE_AUDIT_CHECK_H

#include "compute/audit.h"

struct inputs { /* image 0, from the files of the bundle */
    const struct plan *plan;
    uint32_t count;           /* of buffers; outlives the plan */
    int fds[JOB_BUFFERS_MAX]; /* -1 for a buffer that starts as zeros */
};
/* E_IO. inputs_close may follow either way. */
MUST_CHECK enum status inputs_open(struct inputs *in, const struct plan *plan, const char *folder);
void inputs_close(struct inputs *in);
/* A page of image 0. E_IO when the file is not there any more, or shorter. */
MUST_CHECK enum status inputs_page(const struct inputs *in, uint32_t buffer, uint64_t page,
                                   uint8_t out[IMAGE_PAGE_BYTES]);

/* True if it holds; else `why` says what does not. E_IO aside, nothing is this machine's fault. */
MUST_CHECK enum status check_inputs(bool *holds, char why[AUDIT_WHY_SIZE], const struct inputs *in,
                                    const struct trace *trace);
bool check_untouched(char why[AUDIT_WHY_SIZE], uint64_t *step, const struct plan *plan,
                     const struct trace *trace);
/* `folder` holds the result's files. */
MUST_CHECK enum status check_result(bool *holds, char why[AUDIT_WHY_SIZE], const char *folder,
                                    const struct plan *plan, const struct trace *trace);

#endif
