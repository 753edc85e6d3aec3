/* cuda_card.h - one card as the cuda executor holds it: driver, context, stream, and buffers whose
 * ends are guarded.
 *
 * A buffer lies at the end of address space of its own, as the cpu executor's buffers do: what runs
 * past it faults. Every function ends the process when the card fails; before the first launch that
 * declines the job (cuda.h), after it the card's error is the reason. One thread. */
#ifndef LEASEHOLD_RUNNER_CUDA_CARD_H
#define LEASEHOLD_RUNNER_CUDA_CARD_H

#include "compute/runner/cuda.h"
#include "compute/runner/cuda_driver.h"

#define CARD_FAULT_WORDS 8 /* lh_fault in prelude_cuda.h: reason, line, block, thread */

struct card {
    struct cuda_driver driver;
    struct cuda_shared *shared;
    int device;
    void *context;
    void *stream;
    volatile unsigned *fault; /* in memory of ours that kernels can write to */
    bool started;             /* the job's code has begun */
};

/* Context and stream on the device with that number (the only one there is in a sandbox). */
void card_open(struct card *c, unsigned number, struct cuda_shared *shared);
/* Ends the process: with the reason if the job is to blame, else it declines. */
void card_check(struct card *c, int result, const char *doing);
/* Declines; never returns. */
void card_decline(struct card *c, const char *format, ...)
    __attribute__((noreturn, format(printf, 2, 3)));
/* Zeroed. */
cuda_address card_buffer(struct card *c, uint64_t size_bytes);
/* Makes machine code of PTX; *cubin lives as long as the process. */
void card_link(struct card *c, const char *ptx, void **cubin, size_t *size);
void card_wait(struct card *c);

#endif
