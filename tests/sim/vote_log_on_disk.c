/* The real vote log upon the simulator's disk: each call to the system goes to disk.h instead.
 * All headers that it needs come first, so that only its own code is turned. */
#include "tests/sim/disk.h"

#include "base/fatal.h"
#include "base/file.h"
#include "base/keccak.h"
#include "base/key.h"
#include "node/vote_log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define open              disk_open
#define close             disk_close
#define pwrite            disk_pwrite
#define fsync             disk_sync
#define fdatasync         disk_sync
#define ftruncate         disk_truncate
#define random_bytes      disk_salt
#define file_read         disk_read
#define file_write_atomic disk_write_atomic
#define file_lock         disk_lock
#define fatal             disk_fatal
#include "node/vote_log.c" /* NOLINT(bugprone-suspicious-include): that is the point */
