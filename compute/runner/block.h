/* block.h - what block.c and warp.c know of the thread block that this core works on.
 *
 * Every operating system thread has one, which it alone touches. The runner hears of a thread only
 * when that waits for the first time: `started` counts up to there, and those before it that were
 * never heard of have ended. */
#ifndef LEASEHOLD_RUNNER_BLOCK_H
#define LEASEHOLD_RUNNER_BLOCK_H

#include "compute/runner/runner.h"

#define RUNNABLE   0
#define NEVER      UINT64_MAX /* until a warp operation is complete */
#define FIBERS_MAX JOB_BLOCK_THREADS_MAX
#define LANES      32
#define WARPS_MAX  (JOB_BLOCK_THREADS_MAX / LANES)

struct lane { /* of a warp operation under way */
    uint64_t value;
    uint64_t result;
    struct lh_fiber *fiber;
    unsigned mask;
    unsigned param;
    enum lh_warp_kind kind;
};

struct block {
    unsigned started;      /* threads heard of, and those before them */
    unsigned thread_count; /* in the block */
    unsigned alive;        /* threads not known to have ended */
    unsigned site;         /* of the barrier that some wait at */
    unsigned fiber_count;  /* ever made */
    unsigned free_count;
    unsigned warp_live[WARPS_MAX];    /* lanes not known to have ended, a word a warp */
    unsigned warp_waiting[WARPS_MAX]; /* lanes waiting */
    char *shared;                     /* this thread's copy of the module's __shared__ */
    size_t shared_bytes;
    char *dynamic;
    size_t dynamic_bytes;
    struct lane *lanes;
    struct lh_fiber *free[FIBERS_MAX];
    struct lh_fiber main; /* where block_run goes on */
    struct lh_fiber fibers[FIBERS_MAX];
};

struct block *block_here(void);
/* Hears of the running thread, which `current->thread` names; its number in the block. */
unsigned block_arrive(struct block *b);
/* Hears that the threads before the running one have ended, unless they wait. */
unsigned block_pass(struct block *b);
/* The running thread goes on when its `wait` allows. */
void block_suspend(struct block *b);
_Noreturn void block_diverged(const char *what);

/* warp.c: lanes have ended; gives those that waited for them alone their results. */
void warp_settle(struct block *b, unsigned warp_number);

#endif
