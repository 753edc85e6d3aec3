/* keeping.h - how long what lies on the worker's disk is kept: bundles while a job needs them,
 * results for their time, both less when space runs short, so that new jobs always find room.
 *
 * One thread, the worker's loop; borrows all three. */
#ifndef LEASEHOLD_COMPUTE_KEEPING_H
#define LEASEHOLD_COMPUTE_KEEPING_H

#include "compute/journal.h"
#include "compute/known_jobs.h"

struct keeping {
    struct journal *journal;
    struct blobs *blobs;
    struct known_jobs *known;
};

/* Ended jobs: forgets those that ended before `before_s`, and the oldest when less than a quarter
 * of the space or of the journal is free. */
void keeping_expire(const struct keeping *k, uint64_t before_s);
/* Forgets the job that ended first, with its result. False: there is none. */
bool keeping_expire_oldest(const struct keeping *k);
/* Takes a result in, if need be in the place of the oldest. E_LIMIT, E_IO. */
MUST_CHECK enum status keeping_adopt(const struct keeping *k, const struct hash *root,
                                     const char *path);
/* Forgets the jobs that this worker neither has (`active`) nor ever took up: declined or given to
 * another, with what their renters had sent. */
void keeping_drop_strangers(const struct keeping *k, const uint64_t *active, size_t active_count);
/* The bundle of an ended job, unless another job needs it. */
void keeping_drop_bundle(const struct keeping *k, uint64_t job, const struct hash *root);

#endif
