/* film.h - pictures one behind the other as an animated WebP, for browsers to show. Any thread. */
#ifndef LEASEHOLD_COMPUTE_FILM_H
#define LEASEHOLD_COMPUTE_FILM_H

#include "compute/job.h"

/* `content` is whole frames of view's size and format. E_IO: `path` could not be written, or the
 * library would not have it. */
MUST_CHECK enum status film_write(const char *path, const struct job_view *view,
                                  struct bytes content);

#endif
