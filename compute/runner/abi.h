/* abi.h - what compiled kernels and the runner share. Both read this very text: the runner as C,
 * the kernels as C++ in front of prelude.h. Nothing may be included here. */
#ifndef LEASEHOLD_RUNNER_ABI_H
#define LEASEHOLD_RUNNER_ABI_H

struct lh_index {
    unsigned int x, y, z;
};

/* The block that an operating system thread is working on. Kernels read it through %fs, so it is
 * defined by the runner and found by the kernels at load time. */
struct lh_now {
    struct lh_index thread; /* of the thread that runs now */
    struct lh_index block;
    struct lh_index block_size;
    struct lh_index grid_size;
    struct lh_index next;       /* the thread that starts next */
    unsigned int linear;        /* number of the thread in its block */
    unsigned int started;       /* threads begun so far */
    unsigned int thread_count;  /* in the block */
    unsigned int alive;         /* threads not yet at their end */
    unsigned int suspended;     /* threads that wait for others */
    unsigned int warp_live[32]; /* lanes not yet at their end, a word a warp */
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
