/* code_cache.h - machine code for cards, kept from one run to the next.
 *
 * A folder of files named by the SHA-256 of all that the code depends on: the job's sources, the
 * plan's kernels, the runner (and with it prelude, scan and options), the compiler, the card's
 * capability, the driver. The trusted side computes the key and moves what a run left into the
 * folder; no sandbox ever sees more of it than the one file that is its own, read-only. So a job
 * can spoil nothing but what is used for that very job. Files appear whole (rename); the oldest by
 * use go when all together are larger than the bound. Several processes may share a folder. */
#ifndef LEASEHOLD_COMPUTE_CODE_CACHE_H
#define LEASEHOLD_COMPUTE_CODE_CACHE_H

#include "base/bytes.h"
#include "compute/plan.h"

#include <stdbool.h>

#define CODE_CACHE_BYTES_MAX (512ull << 20)
#define CODE_CACHE_FILE_MAX  (64ull << 20) /* a larger one is not kept */

struct code_key_parts {
    const struct plan *plan;
    const char *job_folder; /* the sources are there */
    const char *runner_path;
    const char *compiler; /* whatever tells NVRTC's version and place */
    const char *driver;
    unsigned capability;
};

/* E_IO when a file cannot be read. */
MUST_CHECK enum status code_cache_key(struct hash *out, const struct code_key_parts *parts);
/* The path of what is kept under that key, marked as used now; false if there is nothing. */
bool code_cache_find(char *out, size_t out_size, const char *folder, const struct hash *key);
/* Moves `path` into the cache if it looks like whole machine code (ELF), and makes room. Failures
 * only mean that nothing is kept. */
void code_cache_keep(const char *folder, const struct hash *key, const char *path);

#endif
