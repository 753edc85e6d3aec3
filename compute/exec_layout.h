/* exec_layout.h - what the two sandboxes of an exec job see, as bwrap's arguments. Internal to
 * exec.
 *
 * The command's root is a small tmpfs of our own, closed to writing, into which what lies in the
 * image's root is bound, read-only. So no path that bwrap opens leads through a link of the image.
 *   /dev       null, zero, full, random, urandom; and the card's nodes if the job has one
 *   /proc      of its own pid namespace
 *   /job       the one place to write, a tmpfs of disk_mib: in (read-only), out, work, tmp, shm
 *   /tmp, /dev/shm, and /work where the image has none, are links into it
 *   /.leasehold  init, its plan, the cards' libraries */
#ifndef LEASEHOLD_COMPUTE_EXEC_LAYOUT_H
#define LEASEHOLD_COMPUTE_EXEC_LAYOUT_H

#include "base/arena.h"
#include "compute/exec.h"
#include "compute/exec_plan.h"

#define EXEC_LAYOUT_ARGS_MAX 1536

struct exec_layout {
    struct arena *arena; /* the texts; must outlive it */
    size_t count;
    const char *args[EXEC_LAYOUT_ARGS_MAX];
};

/* A text that lives in the arena. */
const char *exec_text(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void exec_layout_unpack(struct exec_layout *layout, const char *helper, const char *image,
                        const char *root);
/* E_LIMIT: too much in the image's root. E_IO. */
MUST_CHECK enum status exec_layout_run(struct exec_layout *layout, const struct exec_run *run,
                                       const char *root, const char *init, const char *plan);
/* The variables that make a program find the card and its libraries. E_LIMIT. */
MUST_CHECK enum status exec_layout_gpu_env(struct exec_plan *plan, const struct gpu *gpu);

#endif
