#include "tests/sim/disk.h"

#include <assert.h>
#include <errno.h>
#include <setjmp.h>

#define DISK_FD 1000

static struct disk *mounted;
static jmp_buf *way_out;

void disk_mount(struct disk *d)
{
    mounted = d;
}

static void reorder(struct disk *d, size_t size, struct dice *dice)
{
    for (size_t at = d->synced_size; at < size; at += SECTOR_SIZE - at % SECTOR_SIZE) {
        size_t end = at + SECTOR_SIZE - at % SECTOR_SIZE;
        if (end > size) end = size;
        if (dice_chance(dice, 50)) memset(d->file.data + at, 0, end - at);
    }
}

void disk_power_cut(struct disk *d, enum power_cut cut, struct dice *dice)
{
    assert(d->synced_size <= d->file.size);
    size_t loose = d->file.size - d->synced_size;
    switch (cut) {
    case CUT_LOSES: loose = 0; break;
    case CUT_TEARS: loose = dice_roll(dice, (uint32_t)loose + 1); break;
    case CUT_REORDERS: reorder(d, d->file.size, dice); break;
    case CUT_KEEPS: break;
    }
    d->file.size = d->synced_size + loose;
    d->synced_size = d->file.size;
    d->dying = false;
}

void disk_erase(struct disk *d)
{
    buffer_clear(&d->file);
    d->synced_size = 0;
    d->exists = false;
}

void disk_finish(struct disk *d)
{
    buffer_finish(&d->file);
    *d = (struct disk){0};
}

bool disk_try(void (*act)(void *context), void *context)
{
    jmp_buf here;
    assert(!way_out);
    if (setjmp(here) != 0) {
        way_out = NULL;
        return false;
    }
    way_out = &here;
    act(context);
    way_out = NULL;
    return true;
}

_Noreturn void disk_fatal(const char *format, ...)
{
    (void)format;
    assert(way_out);
    longjmp(*way_out, 1);
}

int disk_open(const char *path, int flags)
{
    (void)path;
    (void)flags;
    assert(mounted->exists);
    return DISK_FD;
}

int disk_close(int fd)
{
    (void)fd;
    return 0;
}

ssize_t disk_pwrite(int fd, const void *from, size_t size, off_t offset)
{
    size_t start = (size_t)offset;
    assert(fd == DISK_FD && start <= mounted->file.size && start >= mounted->synced_size);
    if (mounted->full) {
        errno = ENOSPC;
        return -1;
    }
    mounted->file.size = start;
    buffer_append(&mounted->file, bytes_of(from, size));
    return (ssize_t)size;
}

int disk_sync(int fd)
{
    assert(fd == DISK_FD);
    if (!mounted->dying) mounted->synced_size = mounted->file.size;
    return 0;
}

int disk_truncate(int fd, off_t size)
{
    assert(fd == DISK_FD && (size_t)size <= mounted->file.size);
    mounted->file.size = (size_t)size;
    if (mounted->synced_size > mounted->file.size) mounted->synced_size = mounted->file.size;
    return 0;
}

/* A log's salt keeps strangers' bytes from posing as records; here it need only be there. */
void disk_salt(uint8_t *out, size_t size)
{
    memset(out, 0x5a, size);
}

enum status disk_read(struct buffer *out, const char *path, size_t size_max)
{
    (void)path;
    if (!mounted->exists) return E_NOT_FOUND;
    if (mounted->file.size > size_max) return E_LIMIT;
    buffer_append(out, buffer_bytes(&mounted->file));
    return OK;
}

enum status disk_write_atomic(const char *path, struct bytes content, unsigned mode)
{
    (void)path;
    (void)mode;
    if (mounted->full) {
        errno = ENOSPC;
        return E_IO;
    }
    buffer_clear(&mounted->file);
    buffer_append(&mounted->file, content);
    mounted->synced_size = mounted->file.size;
    mounted->exists = true;
    return OK;
}

enum status disk_lock(int *out_fd, const char *path)
{
    (void)path;
    *out_fd = DISK_FD;
    return OK;
}
