/* blob_files.h - the files of one blob: their names, and the slow work on them. Inside of blobs.c.
 *
 * Nothing here locks: blobs.c marks a blob busy while it calls what takes long. */
#ifndef LEASEHOLD_COMPUTE_BLOB_FILES_H
#define LEASEHOLD_COMPUTE_BLOB_FILES_H

#include "client/leaf_map.h"
#include "client/leaf_tree.h"
#include "compute/blobs.h"

enum blob_stage { BLOB_OFFERED, BLOB_ARRIVING, BLOB_WHOLE };
enum blob_file { BLOB_FILE_LEAVES, BLOB_FILE_PART, BLOB_FILE_TREE, BLOB_FILE_WHOLE };

/* FOLDER/JOB.ROOT and what follows. */
void blob_path(char out[PATH_MAX], const char *folder, const struct blob_key *key,
               enum blob_file which);
/* False: not a file of ours. */
MUST_CHECK bool blob_name_read(struct blob_key *out, enum blob_file *out_which, const char *name);
void blob_unlink_all(const char *folder, const struct blob_key *key);

MUST_CHECK enum status blob_sync(const char *path); /* a file or a folder */
/* The offered leaf hashes make the root: writes the tree, makes the part with its full size, drops
 * the hashes. E_MALFORMED: another root. E_IO. */
MUST_CHECK enum status blob_begin(const char *folder, const struct blob_key *key, uint64_t size);
/* Makes the tree of a whole content, unless a good one is there. E_MALFORMED, E_IO. */
MUST_CHECK enum status blob_make_tree(const char *folder, const struct blob_key *key,
                                      uint64_t size);
/* Which leaves of a part are there and right. E_MALFORMED: its tree does not make the root. */
MUST_CHECK enum status blob_check_part(struct leaf_map *out, const char *folder,
                                       const struct blob_key *key, uint64_t size);
/* The part becomes the whole content: synced, then renamed. */
MUST_CHECK enum status blob_publish(const char *folder, const struct blob_key *key,
                                    const char *from);

MUST_CHECK bool file_read_at(int fd, void *out, size_t size, uint64_t offset);
MUST_CHECK bool file_write_at(int fd, struct bytes content, uint64_t offset);

#endif
