/* disk.h - one file on a disk that can lose power, and the system calls of the real vote log.
 *
 * node/vote_log.c is compiled into the simulator with its calls to the system turned to the disk_*
 * functions here (vote_log_on_disk.c); they act on the disk that was mounted last. What was written
 * but not synced is at the mercy of disk_power_cut. A failed call of fatal() comes back to the
 * disk_try that it happened in: that is how a node with a full disk ends. */
#ifndef LEASEHOLD_TESTS_SIM_DISK_H
#define LEASEHOLD_TESTS_SIM_DISK_H

#include "base/bytes.h"
#include "tests/sim/dice.h"

#include <sys/types.h>

#define SECTOR_SIZE 512

struct disk {
    bool exists; /* the file */
    bool full;   /* every further write fails */
    bool dying;  /* power fails: syncs do nothing any more */
    struct buffer file;
    size_t synced_size;
};

enum power_cut {
    CUT_LOSES,    /* what was not synced is gone */
    CUT_TEARS,    /* some of it is there, up to a byte */
    CUT_REORDERS, /* some sectors of it are there, others are zeros */
    CUT_KEEPS     /* all of it is there */
};

void disk_mount(struct disk *d);
void disk_power_cut(struct disk *d, enum power_cut cut, struct dice *dice);
void disk_erase(struct disk *d);  /* the file is gone */
void disk_finish(struct disk *d); /* frees */
/* Calls act(context); false if it ended in fatal(). */
bool disk_try(void (*act)(void *context), void *context);

/* Like the functions they are named after. */
int disk_open(const char *path, int flags);
int disk_close(int fd);
ssize_t disk_pwrite(int fd, const void *from, size_t size, off_t offset);
int disk_sync(int fd);
int disk_truncate(int fd, off_t size);
void disk_salt(uint8_t *out, size_t size);
MUST_CHECK enum status disk_read(struct buffer *out, const char *path, size_t size_max);
MUST_CHECK enum status disk_write_atomic(const char *path, struct bytes content, unsigned mode);
MUST_CHECK enum status disk_lock(int *out_fd, const char *path);
_Noreturn void disk_fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
