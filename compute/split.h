/* split.h - a job that is done in parts: the job of each part, and the parts' results as one.
 *
 * A job.json with a "split" key is a pattern. Where a number may stand there may also stand
 *
 *   {"part": true}              the part's number, from 0
 *   {"parts": true}             how many parts there are
 *   {"share": n}                n / parts; n is a multiple of parts
 *   {"share": n, "plus": m}     that and m: rows at the edge that a neighbour has too
 *
 * and every output says "join": "concat": the parts' outputs one behind the other are the whole
 * one. split_make_part writes a job folder without any of that, so that the number of a part is
 * bound by its bundle's root, and neither chain nor worker know of splitting. With one part the
 * pattern is the whole job, and its outputs should not depend on how many there are. Any thread. */
#ifndef LEASEHOLD_COMPUTE_SPLIT_H
#define LEASEHOLD_COMPUTE_SPLIT_H

#include "compute/bundle.h"

#define SPLIT_PARTS_MAX 256

/* How many parts FOLDER/job.json has unless told otherwise; 0: it has no "split" key. */
MUST_CHECK enum status split_read(uint32_t *out_parts, char error[JOB_ERROR_SIZE],
                                  const char *folder);
/* The job as one part, with the renter's views; the caller destroys it. E_MALFORMED also when an
 * output does not say how it is joined. */
MUST_CHECK enum status split_load_whole(struct job **out, char error[JOB_ERROR_SIZE],
                                        const char *folder);
/* Makes part_folder (which must not be there): job.json of that part and the files it names.
 * E_MALFORMED when a share is no multiple of parts. */
MUST_CHECK enum status split_make_part(char error[JOB_ERROR_SIZE], const char *folder,
                                       const char *part_folder, uint32_t part, uint32_t parts);
/* Joins RESULTS/0 ... RESULTS/(parts - 1), folders with a part's outputs each, into `output`, which
 * is made, or is there and empty; *out is what packing it gives: a job of one part has the same. */
MUST_CHECK enum status split_join(struct bundle_info *out, char error[JOB_ERROR_SIZE],
                                  const struct job *whole, const char *results, uint32_t parts,
                                  const char *output);

#endif
