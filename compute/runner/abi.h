/* abi.h - what compiled kernels and the runner share. Both read this very text: the runner as C,
 * the kernels as C++ in front of prelude.h. Nothing may be included here. */
#ifndef LEASEHOLD_RUNNER_ABI_H
#define LEASEHOLD_RUNNER_ABI_H

#define LH_ARGS_MAX 33 /* JOB_ARGS_MAX, and one that nobody uses */

struct lh_index {
    unsigned int x, y, z;
};

/* A thread of a block that waits, or the one that runs. The first three words are known to the
 * assembly in fiber_switch.S and prelude_threads.h. */
#define LH_UNHEARD 0xffffffffu
struct lh_fiber {
    void *sp;
    void *pc; /* where it goes on */
    void *bp;
    struct lh_fiber *next; /* ring of fibers that hold a thread */
    struct lh_fiber *prev;
    unsigned long long wait; /* runnable when the block's generation has come this far */
    struct lh_index thread;  /* valid once the thread has waited */
    unsigned int linear;     /* its number in the block; LH_UNHEARD: not yet worked out */
};

/* The block that an operating system thread is working on. Kernels read it through %fs, so it is
 * defined by the runner and found by the kernels at load time. */
struct lh_now {
    struct lh_fiber *current;
    unsigned long long generation; /* of the barrier */
    unsigned int waiting;          /* threads at the barrier */
    unsigned int site;             /* of the barrier; 0 while only lh_wait may be asked */
    unsigned int votes;
    unsigned int vote_result[2];
    struct lh_index block;
    struct lh_index block_size;
    struct lh_index grid_size;
    struct lh_index next; /* the thread that starts next, as far as the runner has heard */
    const unsigned long long *args;
    void *dynamic_shared;
};

/* What warp operations exist. */
enum lh_warp_kind {
    LH_WARP_SYNC,
    LH_WARP_BALLOT,
    LH_WARP_SHFL,
    LH_WARP_SHFL_UP,
    LH_WARP_SHFL_DOWN,
    LH_WARP_SHFL_XOR
};

/* One row for each kernel that job.json names; the compiled module exports the table
 * `lh_kernels`, which ends with a row whose name is null. */
struct lh_kernel {
    const char *name;
    void (*run)(void);         /* runs all threads of the block that have not started */
    const char *kinds;         /* a letter an argument: p i u l m f d, or ? for any other type */
    const unsigned int *sizes; /* what a pointer points to, in bytes; 1 for void */
};

#endif
