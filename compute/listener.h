/* listener.h - hears what the runner says of a job that has a trace or checkpoints, and keeps it.
 *
 * The frames of image.h: rows of roots, images, checkpoints, and the outputs at the end. All of it
 * comes from where a hostile job ran: order, steps and sizes must be exactly those that the plan
 * and the spec ask for, so that no more is written than they say; anything else ends the run. One
 * thread. */
#ifndef LEASEHOLD_COMPUTE_LISTENER_H
#define LEASEHOLD_COMPUTE_LISTENER_H

#include "compute/checkpoint.h"
#include "compute/sandbox.h"
#include "compute/trace.h"

struct listener_spec { /* borrowed for the listener's life */
    const struct plan *plan;
    const struct hash *bundle;
    int outputs_fd;
    const char *checkpoint_path; /* NULL: none may come */
    uint64_t checkpoint_gap_ms;  /* one that comes sooner than half of this is not written */
    const char *dump_folder;     /* gets image-STEP, the pages of all buffers */
    const uint64_t *dump_steps;  /* ascending */
    uint32_t dump_count;
    uint64_t resume_step;    /* the first row's number */
    struct bytes rows_until; /* of the images before it, from the checkpoint */
};

struct listener {
    struct listener_spec spec;
    uint8_t head[sizeof(struct frame)];
    size_t head_used;
    struct frame frame; /* under way, when head_used is whole */
    uint64_t left;      /* bytes of it that have not come */
    struct buffer rows;
    uint32_t dumped;
    int dump_fd; /* -1: none is open */
    struct checkpoint_writer writer;
    uint64_t kept_step; /* of the last checkpoint, and when it came */
    uint64_t kept_ms;
    bool ended; /* the outputs have come whole */
};

void listener_init(struct listener *l, const struct listener_spec *spec);
/* A sandbox_talk; the context is the listener. */
enum sandbox_next listener_hear(void *listener, struct buffer *reply, struct bytes said);
/* True if all came that had to. */
bool listener_is_whole(const struct listener *l);
void listener_finish(struct listener *l);

#endif
