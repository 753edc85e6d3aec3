/* bundle.h - folders as canonical tars, so that equal content has an equal root.
 *
 * Canonical: ustar, plain files only, sorted by name bytewise, mode 0644, owner 0, time 0, closed
 * by two zero blocks and nothing more. The root is base/merkle.h's over the tar's bytes. Unpacking
 * trusts nothing: names are single plain components, no links, devices, folders, duplicates, and
 * counts and bytes are bounded by limits.h. Any thread. */
#ifndef LEASEHOLD_COMPUTE_BUNDLE_H
#define LEASEHOLD_COMPUTE_BUNDLE_H

#include "base/bytes.h"
#include "compute/job.h"

#define BUNDLE_ERROR_SIZE 512

struct bundle_info {
    struct hash root;
    uint64_t size_bytes; /* of the tar */
};

/* Checks the job folder and packs job.json with the files that it names, nothing else. E_MALFORMED
 * and E_NOT_FOUND with a clear `error`; E_IO. tar_path is replaced. */
MUST_CHECK enum status bundle_pack_job(struct bundle_info *out, char error[BUNDLE_ERROR_SIZE],
                                       const char *folder, const char *tar_path);
/* Packs `count` named files of a folder (sorted here). For results. */
MUST_CHECK enum status bundle_pack_files(struct bundle_info *out, char error[BUNDLE_ERROR_SIZE],
                                         const char *folder, const char *const *names, size_t count,
                                         const char *tar_path);
/* Unpacks into a folder that is made, or is there and empty. E_MALFORMED, E_LIMIT, E_EXISTS with a
 * clear `error`; what was written before a failure is removed again. */
MUST_CHECK enum status bundle_unpack(char error[BUNDLE_ERROR_SIZE], const char *tar_path,
                                     const char *folder);
/* Reads the tar in memory with the same checks and writes nothing; *out_count may be NULL. */
MUST_CHECK enum status bundle_check(char error[BUNDLE_ERROR_SIZE], size_t *out_count,
                                    struct bytes tar);
/* Root and size of a tar on disk. */
MUST_CHECK enum status bundle_info_of_path(struct bundle_info *out, const char *tar_path);
/* Removes a folder that holds plain files and such folders; OK when it is not there. */
MUST_CHECK enum status folder_remove(const char *folder);

#endif
