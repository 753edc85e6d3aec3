/* trace.h - what a job's memory was between its launches: a list of roots, and the root of the
 * list.
 *
 * For images 0 to n of a job of n launches (image.h), in order, the root of each buffer's pages
 * (base/merkle.h over the pages, in the plan's order of buffers), 32 bytes each. The root over the
 * whole list is the job's trace: what a provider commits to beside its result. A root for each
 * buffer and not one for all, so that a launch that changed a buffer which it was not passed is
 * seen without any page. A list has a fixed size for a plan and at most 8 MiB. Any thread. */
#ifndef LEASEHOLD_COMPUTE_TRACE_H
#define LEASEHOLD_COMPUTE_TRACE_H

#include "base/merkle.h"
#include "compute/image.h"

struct trace {
    struct hash root; /* of the list */
    uint32_t buffer_count;
    uint64_t step_count;
    struct buffer list;
};

uint64_t trace_list_bytes(const struct plan *plan);
/* E_MALFORMED if the list is not as long as the plan's, or has not the root `wanted` (which may be
 * NULL). Keeps a copy; trace_finish frees it. */
MUST_CHECK enum status trace_read(struct trace *out, struct bytes list, const struct plan *plan,
                                  const struct hash *wanted);
void trace_finish(struct trace *trace);
/* Of a buffer in an image; both must be there. */
struct hash trace_buffer_root(const struct trace *trace, uint64_t image, uint32_t buffer);

/* A page of an image: where it stands, and what proves it. */
struct trace_page {
    uint64_t image;
    uint32_t buffer;
    uint64_t page;
};
/* True if the page with these bytes belongs there. */
bool trace_verify(const struct trace *trace, const struct plan *plan, const struct trace_page *at,
                  const uint8_t bytes[IMAGE_PAGE_BYTES], const struct merkle_proof *proof);

#endif
