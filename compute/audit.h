/* audit.h - a traced job looked at by samples: single blocks run again on the memory claimed.
 *
 * A provider has committed to a result and to a trace (trace.h). The auditor has the bundle, the
 * trace's list, the result, and a seed that nobody knew when the trace was committed to. It
 *   - computes image 0 from the bundle, all of it;
 *   - sees that no launch changed a buffer which it was not passed, in all images;
 *   - compares the last image with the result, all of it;
 *   - draws blocks, runs each alone on the image before its launch, page by page as the block
 *     touches it, and compares all that it writes with the image after. What is compared is what
 *     was written, not what was changed: the block runs a second time on pages which already hold
 *     what the provider claims that others wrote there.
 * docs/compute.md says what this finds with which odds and what it cannot find.
 *
 *   - and where a block alone does not do as claimed, runs all blocks of that launch, since in an
 *     honest job blocks may add to the same sums.
 *
 * It accuses nobody: AUDIT_DIFFERS means that the whole job must be run, and judged by
 * its result. All that the provider says is verified against the trace, all that comes out of the
 * sandbox is bounded. Always the cpu executor, one thread. One call may run in each thread. */
#ifndef LEASEHOLD_COMPUTE_AUDIT_H
#define LEASEHOLD_COMPUTE_AUDIT_H

#include "compute/run.h"
#include "compute/trace.h"

#define AUDIT_WHY_SIZE 256

/* How many blocks must be drawn to meet at least one wrong block with the odds (0 to 1, not 1),
 * when at least this fraction (above 0, to 1) is wrong: the least n with 1 - (1 - f)^n >= odds. At
 * most AUDIT_SAMPLES_MAX. */
uint32_t audit_samples_for(double fraction, double odds);

struct audit_draw {
    uint64_t step;
    uint64_t block; /* x fastest, then y, then z */
};
struct audit_wish {
    struct hash seed;
    uint32_t by_block;  /* drawn from all blocks of all launches, each as likely as another */
    uint32_t by_launch; /* a launch first, then a block of it: few large blocks get their share */
};
/* The draws, ascending and each once; a pure function of its arguments, so that provider and
 * auditor know them. `out` has room for all; returns how many. The plan must have a trace. */
size_t audit_draws(struct audit_draw *out, const struct plan *plan, const struct audit_wish *wish);
/* The images that the draws need, ascending, for run_keep.dump_images; `out` has room for two a
 * draw. Image 0 is not among them: the auditor has it. */
size_t audit_images(uint64_t *out, const struct audit_draw *draws, size_t count);

/* Gets a page from the provider, with its proof. Not OK: it cannot be had (now). */
typedef enum status audit_fetch(void *context, const struct trace_page *at,
                                uint8_t out[IMAGE_PAGE_BYTES], struct merkle_proof *proof);

enum audit_verdict {
    AUDIT_CLEAN,   /* nothing is wrong with what was looked at */
    AUDIT_DIFFERS, /* something is, or it could not be run alone: the whole job must be run */
    AUDIT_UNSERVED /* a page was refused, or is not the trace's: a matter of data, not of results */
};

struct audit_options {
    struct run_options run; /* keep and inside are not used */
    struct audit_wish wish;
    const struct hash *trace;    /* as committed to; NULL: believe the list */
    struct bytes list;           /* of the trace */
    const char *result_tar_path; /* NULL: the result is not looked at */
    audit_fetch *fetch;
    void *context;
};

struct audit_result {
    enum audit_verdict verdict;
    char why[AUDIT_WHY_SIZE]; /* one line for people, unless clean */
    uint64_t step;            /* where the audit ended, unless clean */
    uint64_t block;
    uint32_t block_count;  /* of those drawn, that were looked at */
    uint32_t launch_count; /* run as a whole, since a block alone did not do as claimed */
    uint64_t page_count;   /* that were fetched */
    uint64_t fetch_ms;     /* in `fetch` and in verifying */
    uint64_t check_ms;     /* for inputs, list and result */
    uint64_t compile_ms;
    uint64_t blocks_ms; /* from the first block to the last, fetching too */
    uint64_t wall_ms;   /* of the sandbox */
};

/* OK: see the verdict. E_UNSUPPORTED: the job has no trace. Else as run_job. */
MUST_CHECK enum status audit_job(struct audit_result *out, char error[RUN_ERROR_SIZE],
                                 const char *job_path, const struct audit_options *options);

#endif
