/* keeping.h - how long what lies on the worker's disk is kept: bundles while a job needs them,
 * results (and what audits read) for their time, both less when space runs short.
 *
 * What a job that has not ended needs is never dropped. Of the ended, when less than a quarter of
 * the space is free, the renter who takes most of it gives first, and of theirs the job that ended
 * first: so nobody pushes out another's results by filling the disk with their own. One thread, the
 * worker's loop; borrows all three. */
#ifndef LEASEHOLD_COMPUTE_KEEPING_H
#define LEASEHOLD_COMPUTE_KEEPING_H

#include "compute/journal.h"
#include "compute/known_jobs.h"

struct keeping {
    struct journal *journal;
    struct blobs *blobs;
    struct known_jobs *known;
};

/* Ended jobs: forgets those that ended before `before_s`, and more when less than a quarter of the
 * space or of the journal is free. */
void keeping_expire(const struct keeping *k, uint64_t before_s);
/* Drops what is kept of one ended job. False: there is none of which anything is. */
bool keeping_make_room(const struct keeping *k);
/* Takes a result in, if need be in the place of ended jobs'. E_LIMIT, E_IO. */
MUST_CHECK enum status keeping_adopt(const struct keeping *k, const struct blob_key *key,
                                     const char *path);
/* Forgets the jobs that this worker neither has (`active`) nor ever took up: declined or given to
 * another, with what their renters had sent; and blobs of jobs that nobody remembers. */
void keeping_drop_strangers(const struct keeping *k, const uint64_t *active, size_t active_count);
/* The bundle of an ended job. */
void keeping_drop_bundle(const struct keeping *k, uint64_t job, const struct hash *root);

#endif
