/* blobs.h - bundles and results on disk, each under its root; uploads continue where they stopped.
 *
 * DIR/<root> is a whole content, checked against its root before it got that name;
 * DIR/<root>.<job>.part is one that is arriving for that job, contiguous from its start: roots are
 * public, so each job has its own until one of them proves whole. All contents together, counting
 * what parts will become, stay within the quota. Any thread: guarded by one lock, which is not held
 * while a whole content is hashed. */
#ifndef LEASEHOLD_COMPUTE_BLOBS_H
#define LEASEHOLD_COMPUTE_BLOBS_H

#include "base/bytes.h"

#include <limits.h>

#define BLOBS_MAX 4096

struct blobs;

/* Makes the folder if need be and counts what is in it. E_IO. */
MUST_CHECK enum status blobs_open(struct blobs **out, const char *folder, uint64_t quota_bytes);
void blobs_close(struct blobs *b);

/* Bytes of `root` that the job may count on: the size when whole, less while it arrives, 0 when
 * unknown. */
uint64_t blobs_held(struct blobs *b, uint64_t job, const struct hash *root, bool *out_whole);
/* Adds a chunk of a content of `size` bytes that is sent for the job. E_RANGE: `offset` is not what
 * is held. E_LIMIT: over the quota. E_MALFORMED: it is all here now and its root is another; it was
 * dropped. E_IO. */
MUST_CHECK enum status blobs_append(struct blobs *b, uint64_t job, const struct hash *root,
                                    uint64_t size, uint64_t offset, struct bytes chunk);
/* After a restart: a part may hold all bytes of a content of `size` bytes that nobody has checked
 * yet; checks it as blobs_append does. OK also when there is nothing to do. */
MUST_CHECK enum status blobs_finish(struct blobs *b, uint64_t job, const struct hash *root,
                                    uint64_t size);
/* Appends bytes of a whole content, cut at its end. E_NOT_FOUND, E_RANGE (beyond it), E_IO. */
MUST_CHECK enum status blobs_read(struct blobs *b, struct buffer *out, const struct hash *root,
                                  uint64_t offset, size_t length);
/* Takes a finished file in under its root (renames it, syncs the folder); the caller has computed
 * the root. E_LIMIT, E_IO. */
MUST_CHECK enum status blobs_adopt(struct blobs *b, const struct hash *root, const char *path);
/* The path of a whole content; E_NOT_FOUND. */
MUST_CHECK enum status blobs_path(struct blobs *b, char out[PATH_MAX], const struct hash *root);
/* Bytes promised or held, and the most that they may be. */
uint64_t blobs_used(struct blobs *b);
uint64_t blobs_quota(const struct blobs *b);
void blobs_remove(struct blobs *b, const struct hash *root); /* whole and parts; fine if none */

#endif
