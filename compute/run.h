/* run.h - a job folder or bundle in, a result bundle and a reason out.
 *
 * Used by the worker, by `leasehold job run --local` and by validators who judge a dispute. The
 * result is a canonical tar with one file for each output buffer, named as the buffer. A job that
 * does not end with REASON_OK has no result file and the root is zero. One call may run in each
 * thread. */
#ifndef LEASEHOLD_COMPUTE_RUN_H
#define LEASEHOLD_COMPUTE_RUN_H

#include "compute/bundle.h"
#include "compute/sandbox.h"

#define RUN_ERROR_SIZE   512
#define RUN_MESSAGE_SIZE 512

/* What is kept of jobs whose job.json has "trace" or "checkpoint"; of others nothing is. Paths may
 * be NULL. Files are written while the job runs, and stay if it fails. */
struct run_keep {
    const char *trace_path;      /* the list of roots (trace.h), if the job ends well */
    const char *checkpoint_path; /* the newest memory to go on from (checkpoint.h) */
    bool checkpoint_always;      /* after each launch, and not as seldom as the job says */
    const char *resume_path;     /* go on from this file: E_NOT_FOUND, E_MALFORMED if it is bad */
    const char *dump_folder;     /* gets image-K for each K of dump_images */
    const uint64_t *dump_images; /* ascending; not together with resume_path */
    uint32_t dump_count;         /* up to TRACE_DUMPS_MAX; a traced job's only */
    uint64_t dump_bytes_max;     /* of all together; more is E_LIMIT. 0: any */
};

/* Another use of job, compiler and sandbox than a whole run: audit.c. */
struct run_inside {
    const char *const *runner_args; /* NULL at the end */
    sandbox_talk *talk;
    void *context;
    /* The job is read, and unpacked into FOLDER/job; FOLDER/result is there and empty. Other than
     * OK, with `error`, ends it here. */
    enum status (*prepare)(void *context, char error[RUN_ERROR_SIZE], const struct job *job,
                           const char *folder);
};

struct gpu;

/* Which executor: with AUTO a card if run_options has one. What a card cannot do exactly as the
 * processor does is run by the processor all the same; CUDA refuses only if there is no card. */
enum run_executor { RUN_AUTO, RUN_CPU, RUN_CUDA };

struct run_options {         /* zero-initialised is good */
    const char *runner_path; /* NULL: leasehold-run beside this program, then in the PATH */
    const char *cc;          /* NULL: clang if it is there, else g++ */
    const char
        *work_folder;     /* NULL: $TMPDIR or /tmp; a private folder inside is used and removed */
    unsigned threads;     /* 0: one a core */
    uint32_t seconds_max; /* 0: the job's own limit, which it can only lower */
    uint32_t seconds_factor; /* 0: 1; a judge may be slower: that many times the limit, for it */
    uint32_t memory_mib_max; /* 0: the job's own limit; more is E_UNSUPPORTED */
    const volatile sig_atomic_t *cancel; /* may be NULL */
    const struct run_keep *keep;         /* may be NULL */
    const struct run_inside *inside;     /* may be NULL */
    enum run_executor executor;
    const struct gpu *gpu; /* the card to use, as gpus.h found it; may be NULL */
    const char *nvrtc;     /* NVIDIA's compiler; NULL: LEASEHOLD_NVRTC, then where it usually is */
    const char *cache_folder; /* compiled code for cards (code_cache.h); NULL: none is kept */
    bool check; /* run nothing: REASON_OK or _COMPILE, and the log says what was found */
};

struct run_result {
    enum reason reason;
    struct hash root;    /* of the result's tar; zero unless REASON_OK */
    uint64_t size_bytes; /* of the result's tar; 0 unless REASON_OK */
    struct hash trace;   /* root of the trace's list; zero unless the job wants a trace */
    uint32_t seconds;    /* what is billed: whole seconds, rounded up, at least 1 */
    uint64_t wall_ms;
    uint64_t compile_ms;
    uint64_t kernel_ms;
    char message[RUN_MESSAGE_SIZE]; /* one line for people: what happened */
    char *log;                      /* what compiler and job printed; NULL if nothing */
};

/* job_path is a folder or a tar; result_tar_path is written when the job succeeds. OK: see
 * out->reason. E_UNSUPPORTED (no sandbox, no runner, no compiler), E_STATE (cancelled), E_IO: this
 * machine could not run it, and the job is not to blame; `error` says why. */
MUST_CHECK enum status run_job(struct run_result *out, char error[RUN_ERROR_SIZE],
                               const char *job_path, const char *result_tar_path,
                               const struct run_options *options);
void run_result_finish(struct run_result *result);
/* The runner that options leave open, into a caller's array. E_NOT_FOUND. */
MUST_CHECK enum status run_find_runner(char *out, size_t out_size);

#endif
