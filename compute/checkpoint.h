/* checkpoint.h - a job's memory between two launches, as a file that another run goes on from.
 *
 *   128 bytes   "LHSTATE1" | root of the bundle | step | bytes of rows | bytes of image |
 *               root of what follows | SHA-256 of all this   (numbers are u64, big-endian)
 *   rows        a traced job's roots of images 0 to `step` (trace.h); else none
 *   image       the pages of all buffers, in the plan's order (image.h)
 *
 * Written beside its name and renamed into place when it is whole and on disk, so that the file is
 * always one that can be gone on from. Reading believes nothing: sizes must be what the plan says,
 * the bundle must be the same, all hashes are computed, and a traced job's last row must be that of
 * the image. Who made an honest job's memory cannot be seen from it: whoever goes on from another's
 * file answers for the other's work. One thread an object. */
#ifndef LEASEHOLD_COMPUTE_CHECKPOINT_H
#define LEASEHOLD_COMPUTE_CHECKPOINT_H

#include "base/merkle.h"
#include "compute/plan.h"

#include <limits.h>

#define CHECKPOINT_HEADER_BYTES 128
#define CHECKPOINT_ERROR_SIZE   256

struct checkpoint {
    struct hash bundle;
    uint64_t step;
    uint64_t row_bytes;
    uint64_t image_bytes;
    struct hash root; /* of rows and image */
};

void checkpoint_encode(uint8_t out[CHECKPOINT_HEADER_BYTES], const struct checkpoint *c);
/* E_MALFORMED for anything but a whole header. */
MUST_CHECK enum status checkpoint_decode(struct checkpoint *out, struct bytes header);
/* The header alone, to show or choose by. E_NOT_FOUND, E_IO, E_MALFORMED. */
MUST_CHECK enum status checkpoint_look(struct checkpoint *out, const char *path);

/* A file, and the job that it must be of. Borrowed. */
struct checkpoint_source {
    const char *path;
    const struct plan *plan;
    const struct hash *bundle;
};

/* Verifies the whole file. *out_fd stands at the image; the caller closes it. `rows` gets the
 * traced rows. E_NOT_FOUND, E_IO, E_MALFORMED with a clear `error`. */
MUST_CHECK enum status checkpoint_open(int *out_fd, struct checkpoint *out, struct buffer *rows,
                                       char error[CHECKPOINT_ERROR_SIZE],
                                       const struct checkpoint_source *from);

struct checkpoint_writer { /* zero-initialised is closed */
    int fd;
    bool open;
    char path[PATH_MAX];
    struct checkpoint head;
    struct merkle merkle;
};
/* All E_IO with errno kept, after which the writer is closed and nothing of it is left on disk. */
MUST_CHECK enum status checkpoint_begin(struct checkpoint_writer *w, const char *path,
                                        const struct hash *bundle, uint64_t step,
                                        uint64_t image_bytes, struct bytes rows);
MUST_CHECK enum status checkpoint_add(struct checkpoint_writer *w, struct bytes more);
MUST_CHECK enum status checkpoint_commit(struct checkpoint_writer *w);
void checkpoint_abandon(struct checkpoint_writer *w); /* nothing, when it is closed */

#endif
