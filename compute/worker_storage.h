/* worker_storage.h - the command `leasehold-worker storage`: what lies in a worker's blobs, a line
 * a content, and how much of --blob-mib it takes. Reads the directory only; the worker may run. */
#ifndef LEASEHOLD_COMPUTE_WORKER_STORAGE_H
#define LEASEHOLD_COMPUTE_WORKER_STORAGE_H

#include "compute/worker_config.h"

#include <stdio.h>

/* E_IO, E_NOT_FOUND: there is no such directory. */
MUST_CHECK enum status worker_storage_print(FILE *out, const struct worker_config *config);

#endif
