/* exec_outputs.h - the files that a command leaves, from inside its sandbox to the outside.
 *
 * leasehold-init sends them when nothing of the job runs any more: a line "file <size> <name>" and
 * the bytes for each, then "done". Names lead to plain files of the tmpfs or to nothing: links,
 * fifos, other file systems are refused. libc only, since init links this file too. */
#ifndef LEASEHOLD_COMPUTE_EXEC_OUTPUTS_H
#define LEASEHOLD_COMPUTE_EXEC_OUTPUTS_H

#include "compute/exec_plan.h"
#include "compute/reason.h"

#define EXEC_WHY_SIZE 160

/* REASON_OK, or why the outputs are not what the plan says, with a sentence. */
enum reason exec_outputs_send(int fd, char why[EXEC_WHY_SIZE], const struct exec_plan *plan);

/* What exec_outputs_send says at most. */
uint64_t exec_outputs_stream_max(const struct exec_plan *plan);
/* Writes the files into `folder`, and their names, unsorted. Believes nothing. E_MALFORMED,
 * E_LIMIT, E_IO. */
MUST_CHECK enum status exec_outputs_receive(char names[BUNDLE_ENTRIES_MAX][JOB_NAME_SIZE],
                                            size_t *out_count, const char *folder, FILE *in,
                                            const struct exec_plan *plan);

#endif
