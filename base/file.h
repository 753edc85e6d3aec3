/* file.h - whole files, safely: bounded reads, atomic writes, private directories, locks. */
#ifndef LEASEHOLD_BASE_FILE_H
#define LEASEHOLD_BASE_FILE_H

#include "base/bytes.h"

/* Appends the whole file. E_NOT_FOUND, E_LIMIT (over size_max), E_IO. */
MUST_CHECK enum status file_read(struct buffer *out, const char *path, size_t size_max);
/* path.tmp, write, fsync, rename, fsync of the directory. E_IO with errno kept. */
MUST_CHECK enum status file_write_atomic(const char *path, struct bytes content, unsigned mode);
/* Like mkdir -p with the mode for the last part. OK if it is there already. */
MUST_CHECK enum status directory_make(const char *path, unsigned mode);
/* An exclusive lock (flock) on path, created if need be, the holder's pid written into it.
 * E_EXISTS when another process holds it; *out_fd is closed to release. */
MUST_CHECK enum status file_lock(int *out_fd, const char *path);
/* Reads a pid written by file_lock; 0 when there is none. */
long file_lock_holder(const char *path);

#endif
