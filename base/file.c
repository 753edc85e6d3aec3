#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status read_all(struct buffer *out, int fd, size_t size_max)
{
    uint8_t chunk[65536];
    size_t total = 0;
    for (;;) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return E_IO;
        if (got == 0) return OK;
        total += (size_t)got;
        if (total > size_max) return E_LIMIT;
        buffer_append(out, bytes_of(chunk, (size_t)got));
    }
}

enum status file_read(struct buffer *out, const char *path, size_t size_max)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? E_NOT_FOUND : E_IO;
    size_t before = out->size;
    enum status status = read_all(out, fd, size_max);
    if (status != OK) out->size = before;
    close(fd);
    return status;
}

static enum status write_all(int fd, struct bytes content)
{
    while (content.size > 0) {
        ssize_t put = write(fd, content.data, content.size);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return E_IO;
        content = bytes_slice(content, (size_t)put, content.size - (size_t)put);
    }
    return OK;
}

static enum status sync_directory_of(const char *path)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return E_IO;
    int failed = fsync(fd);
    close(fd);
    return failed ? E_IO : OK;
}

enum status file_write_atomic(const char *path, struct bytes content, unsigned mode)
{
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%s.tmp", path);
    if (length < 0 || (size_t)length >= sizeof temporary) return E_LIMIT;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0) return E_IO;
    enum status status = write_all(fd, content);
    if (status == OK && fsync(fd) != 0) status = E_IO;
    if (close(fd) != 0) status = E_IO;
    if (status == OK && rename(temporary, path) != 0) status = E_IO;
    if (status == OK) return sync_directory_of(path);
    int saved = errno;
    unlink(temporary);
    errno = saved;
    return status;
}

static enum status make_one(const char *path, unsigned mode)
{
    if (mkdir(path, mode) == 0) return OK;
    if (errno != EEXIST) return E_IO;
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode) ? OK : E_IO;
}

enum status directory_make(const char *path, unsigned mode)
{
    char partial[PATH_MAX];
    size_t size = strlen(path);
    if (size == 0 || size >= sizeof partial) return E_LIMIT;
    memcpy(partial, path, size + 1);
    for (size_t i = 1; i < size; i++) {
        if (partial[i] != '/') continue;
        partial[i] = 0;
        enum status status = make_one(partial, 0755);
        if (status != OK) return status;
        partial[i] = '/';
    }
    return make_one(path, mode);
}

enum status file_lock(int *out_fd, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return E_IO;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        enum status status = errno == EWOULDBLOCK ? E_EXISTS : E_IO;
        close(fd);
        return status;
    }
    if (ftruncate(fd, 0) != 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
        close(fd);
        return E_IO;
    }
    *out_fd = fd;
    return OK;
}

long file_lock_holder(const char *path)
{
    struct buffer text = {0};
    long pid = 0;
    if (file_read(&text, path, 64) == OK) pid = strtol(buffer_text(&text), NULL, 10);
    buffer_finish(&text);
    return pid;
}
