/* card_run.h - what a run needs of the sandbox so that its kernels reach a card.
 *
 * The nodes of one card and those that all cards share, /proc and what of /sys the driver reads,
 * the driver's libraries where they are not in /usr, NVRTC likewise, compiled code of an earlier
 * run, and a file for new code. Without a card a sandbox has none of it. */
#ifndef LEASEHOLD_COMPUTE_CARD_RUN_H
#define LEASEHOLD_COMPUTE_CARD_RUN_H

#include "base/bytes.h"
#include "compute/gpus.h"
#include "compute/plan.h"
#include "compute/sandbox.h"

#include <limits.h>

#define CARD_RUN_WORDS_MAX 128

struct card_run {
    struct sandbox_card card; /* for the sandbox; points into the rest */
    const char *mounts[CARD_RUN_WORDS_MAX];
    const char *environment[16];
    const char *args[24];
    size_t mount_count, environment_count, arg_count;
    char *kept[CARD_RUN_WORDS_MAX]; /* texts that the words point to */
    size_t kept_count;
    const char *cache_folder; /* NULL: nothing is kept */
    struct hash key;
    char artifact[PATH_MAX]; /* "" if this run leaves none */
};

struct card_run_options {
    const struct gpu *gpu;    /* NULL: only NVRTC, for `job check` */
    const char *nvrtc;        /* a path, or NULL for LEASEHOLD_NVRTC or what is installed */
    const char *cache_folder; /* may be NULL */
    const char *runner_path;
    const char *job_folder;
    const char *run_folder; /* private, for the new code */
    const struct plan *plan;
};

/* E_IO when the folder cannot be written. */
MUST_CHECK enum status card_run_prepare(struct card_run *out, const struct card_run_options *o);
/* After the run: what it compiled goes into the cache. */
void card_run_keep(struct card_run *c);
void card_run_finish(struct card_run *c);

#endif
