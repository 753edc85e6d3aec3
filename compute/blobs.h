/* blobs.h - bundles, results and what audits read, on disk; verified leaf by leaf as they arrive.
 *
 * A blob is known by its job and its root: roots are public, so a job gets nothing of what another
 * job brought under the same root. It is first OFFERED (its leaf hashes arrive, in order), then
 * ARRIVING (the hashes make the root; chunks are taken in any order, each checked against them),
 * then WHOLE. Files, in one folder:
 *
 *   JOB.ROOT.leaves  hashes so far
 *   JOB.ROOT.tree    all levels of the tree (client/leaf_tree.h)
 *   JOB.ROOT.part    the content, with holes, of its full size
 *   JOB.ROOT         the whole content
 *
 * The disk is checked, not believed: after a restart the tree must make the root, and a part's
 * leaves count only if they have the hashes that the tree names. So no chunk is synced on its own
 * (writing back is begun early, that the end need not wait for all of it); a content is synced
 * before it gets its name.
 *
 * All blobs together, counting what arriving ones will become, stay within the quota; those of one
 * job within half of it, those of one owner (the job's renter) within three quarters, so that one
 * renter leaves room for others. Any thread: guarded by one lock, which is not held while contents
 * are hashed, read or written. */
#ifndef LEASEHOLD_COMPUTE_BLOBS_H
#define LEASEHOLD_COMPUTE_BLOBS_H

#include "base/bytes.h"

#include <limits.h>

#define BLOBS_MAX     4096
#define BLOBS_PER_JOB 64

struct blobs;

struct blob_key {
    uint64_t job;
    struct hash root;
};
struct blob_state {
    uint64_t size;    /* of the content; 0 while unknown */
    uint64_t held;    /* bytes that are there and verified */
    uint64_t offered; /* leaf hashes that are there; all once they make the root */
    bool whole;
};
struct blob_info {
    struct blob_key key;
    struct address owner; /* zero: not known yet */
    struct blob_state state;
};

/* Makes the folder if need be and counts what is in it. E_IO. */
MUST_CHECK enum status blobs_open(struct blobs **out, const char *folder, uint64_t quota_bytes);
void blobs_close(struct blobs *b);

/* Zeros if it is unknown. Checks the disk first if nobody has since the start. */
struct blob_state blobs_state(struct blobs *b, const struct blob_key *key);

/* A page of the leaf hashes of a content of `size` bytes; none of them for no bytes.
 * E_RANGE: `first` is not what was offered so far. E_LIMIT: over a quota. E_MALFORMED: they are all
 * here now and make another root; they were dropped. E_IO. OK also if all are here already. */
MUST_CHECK enum status blobs_offer(struct blobs *b, const struct blob_key *key,
                                   const struct address *owner, uint64_t size, uint64_t first,
                                   struct bytes hashes);
/* Whole leaves, at most LEAF_RUN_BYTES_MAX, or up to the end. E_STATE: the leaf hashes come first.
 * E_MALFORMED: not the content; nothing was changed. E_RANGE: beyond its end, or not whole leaves.
 * E_IO. OK also if they are here already. */
MUST_CHECK enum status blobs_put(struct blobs *b, const struct blob_key *key, uint64_t offset,
                                 struct bytes chunk);

/* Appends bytes of a content, cut at its end. E_NOT_FOUND, E_STATE (some are not here yet), E_RANGE
 * (beyond it), E_IO. */
MUST_CHECK enum status blobs_read(struct blobs *b, struct buffer *out, const struct blob_key *key,
                                  uint64_t offset, size_t length);
/* Appends node hashes of a level (0: leaves), cut at its end. Makes the tree of a whole content
 * that has none. E_NOT_FOUND, E_STATE (not all leaf hashes are here), E_RANGE, E_IO. */
MUST_CHECK enum status blobs_nodes(struct blobs *b, struct buffer *out, const struct blob_key *key,
                                   unsigned level, uint64_t first, uint64_t count);
/* Appends one bit a leaf: which are here; *count is cut at the end. `first` is a multiple of 8. As
 * blobs_nodes. */
MUST_CHECK enum status blobs_map(struct blobs *b, struct buffer *out, const struct blob_key *key,
                                 uint64_t first, uint64_t *count);

/* Takes a finished file in (renames it, syncs it and the folder); the caller has computed the root.
 * E_LIMIT: over a quota; the file stays. E_IO. */
MUST_CHECK enum status blobs_adopt(struct blobs *b, const struct blob_key *key,
                                   const struct address *owner, const char *path);
/* The path of a whole content; E_NOT_FOUND. */
MUST_CHECK enum status blobs_path(struct blobs *b, char out[PATH_MAX], const struct blob_key *key);

/* Says whose the job's blobs are (after a restart nobody knows). */
void blobs_own(struct blobs *b, uint64_t job, const struct address *owner);
void blobs_remove(struct blobs *b, const struct blob_key *key); /* fine if there is none */
void blobs_remove_job(struct blobs *b, uint64_t job);

/* Bytes promised or held, and the most that they may be. */
uint64_t blobs_used(struct blobs *b);
uint64_t blobs_used_by(struct blobs *b, const struct address *owner);
uint64_t blobs_quota(const struct blobs *b);
/* Copies up to `max`, without looking at the disk; returns how many there are. */
size_t blobs_list(struct blobs *b, struct blob_info *out, size_t max);

#endif
