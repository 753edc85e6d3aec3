/* image.h - a job's memory as pages, the same for every executor, and the steps between images.
 *
 * A step is one launch as it is executed, repeats counted; image k is the memory before step k, so
 * a job of n steps has images 0 to n. The image of a buffer is its content up to a multiple of
 * 4096 bytes: zeros in front, and behind as many as make its size a multiple of 16, so that its
 * pages are the pages that the cpu executor's kernels see. In buffers that declare f32 or f64 all
 * NaNs are one bit pattern. A job that has a trace or checkpoints is put into this form after each
 * step, so that nothing else can pass from a step to the next.
 *
 * Also the words that runner and trusted side exchange about images. libc only, since the runner
 * links this file too. Any thread. */
#ifndef LEASEHOLD_COMPUTE_IMAGE_H
#define LEASEHOLD_COMPUTE_IMAGE_H

#include "compute/plan.h"

#define IMAGE_PAGE_BYTES 4096u

uint64_t image_pages_of(const struct plan_buffer *buffer);
/* Zeros in front of the first byte, below IMAGE_PAGE_BYTES. */
uint64_t image_offset_of(const struct plan_buffer *buffer);
uint64_t image_pages(const struct plan *plan); /* of all buffers */
/* One page of a buffer's image, in place: one NaN, zeros outside of the content. */
void image_make_canonical(const struct plan_buffer *buffer, uint64_t page,
                          uint8_t bytes[IMAGE_PAGE_BYTES]);
/* All words of a buffer's content, in place: one NaN. */
void image_one_nan(enum plan_type type, void *content, uint64_t size_bytes);

/* How many steps the plan makes. */
uint64_t image_steps(const struct plan *plan);
struct image_step {
    const struct plan_launch *launch;
    uint32_t index; /* of the repetition */
};
/* Asserts that the step is there. */
struct image_step image_step_at(const struct plan *plan, uint64_t step);
uint64_t image_blocks_of(const struct plan_launch *launch);
/* True if the launch is passed the buffer: another one it cannot change. */
bool image_launch_has(const struct plan_launch *launch, uint32_t buffer);
/* True if memory is made canonical after each step. */
bool image_is_kept(const struct plan *plan);

/* What goes through the pipes when more is said than outputs: a frame and `size` bytes after it. */
enum frame_kind {
    /* The runner: the roots of all buffers in image `step`, 32 bytes each. */
    FRAME_ROW = 1,
    /* Image `step`, wanted by --dump: the pages of all buffers in order. */
    FRAME_IMAGE,
    /* Image `step`, to go on from. */
    FRAME_CHECKPOINT,
    /* The end: all outputs, one after another. */
    FRAME_OUTPUTS,
    /* With --audit. Compiled; asks for the first block. */
    FRAME_READY,
    /* Asks for `count` pages of `buffer` from `page`. */
    FRAME_WANT,
    /* The block wrote into `page` of `buffer`, which now is as follows. */
    FRAME_WROTE,
    /* The block has ended. */
    FRAME_DONE,
    /* The trusted side: run block `page` of step `step`, or IMAGE_ALL_BLOCKS of them; the pages of
     * buffers in the mask `count` are of no use any more. What follows, if anything, are other
     * bytes for the pages that the last block wrote, in the order of its frames: then it runs
     * again. */
    FRAME_RUN = 64,
    /* What was asked for. */
    FRAME_PAGES
};
#define IMAGE_ALL_BLOCKS UINT64_MAX
struct frame { /* same machine, same layout on both sides */
    uint32_t kind;
    uint32_t buffer;
    uint64_t step;
    uint64_t page;
    uint64_t count;
    uint64_t size; /* of what follows */
};
#define IMAGE_WINDOW_PAGES 16u /* asked for at once, at most */

#endif
