#include "compute/exec_outputs.h"

#include "compute/plan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHUNK_BYTES (64u * 1024u)
#define LINE_SIZE   (JOB_NAME_SIZE + 32)
#define DONE        "done\n"

/* ---- sending ------------------------------------------------------------------------------- */

static enum reason say(char why[EXEC_WHY_SIZE], enum reason reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static enum reason say(char why[EXEC_WHY_SIZE], enum reason reason, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, EXEC_WHY_SIZE, format, args);
    va_end(args);
    return reason;
}

static bool put_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t put = write(fd, data, size);
        if (put < 0 && errno != EINTR) return false;
        if (put <= 0) continue;
        data += put;
        size -= (size_t)put;
    }
    return true;
}

/* Below the folder, through no link, on the same file system. */
static int open_beneath(int folder, const char *path)
{
    struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
                                      RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};
    return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
}

static enum reason send_open(int out, char *why, int fd, const char *name, uint64_t bytes_max)
{
    struct stat s;
    char chunk[CHUNK_BYTES];
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode)) {
        return say(why, REASON_NO_OUTPUT, "output %s is no plain file", name);
    }
    uint64_t left = (uint64_t)s.st_size;
    if (left > bytes_max) {
        return say(why, REASON_OUTPUT, "output %s has %" PRIu64 " bytes, more than %" PRIu64, name,
                   left, bytes_max);
    }
    int size = snprintf(chunk, sizeof chunk, "file %" PRIu64 " %s\n", left, name);
    bool good = put_all(out, chunk, (size_t)size);
    while (good && left > 0) {
        ssize_t got = read(fd, chunk, left < sizeof chunk ? (size_t)left : sizeof chunk);
        good = got > 0 && put_all(out, chunk, (size_t)got);
        if (got > 0) left -= (uint64_t)got;
    }
    return good ? REASON_OK : say(why, REASON_NO_OUTPUT, "output %s cannot be read", name);
}

static enum reason send_one(int out, char *why, int folder, const char *path, const char *name,
                            uint64_t bytes_max)
{
    int fd = open_beneath(folder, path);
    if (fd < 0) {
        return say(why, REASON_NO_OUTPUT, "output %s is not there as a plain file: %s", name,
                   strerror(errno));
    }
    enum reason reason = send_open(out, why, fd, name, bytes_max);
    close(fd);
    return reason;
}

static uint64_t size_of(int folder, const char *name)
{
    struct stat s;
    return fstatat(folder, name, &s, AT_SYMLINK_NOFOLLOW) == 0 ? (uint64_t)s.st_size : 0;
}

static enum reason send_folder(int out, char *why, int folder, uint64_t bytes_max)
{
    enum reason reason = REASON_OK;
    struct dirent *entry;
    size_t count = 0;
    int copy = dup(folder);
    DIR *d = copy < 0 ? NULL : fdopendir(copy);
    if (d == NULL) return say(why, REASON_NO_OUTPUT, "the folder of outputs is gone");
    while (reason == REASON_OK && (entry = readdir(d)) != NULL) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        if (!plan_name_ok(name)) {
            reason = say(why, REASON_NO_OUTPUT, "an output's name is not plain: %.60s", name);
        } else if (++count > BUNDLE_ENTRIES_MAX) {
            reason = say(why, REASON_OUTPUT, "more than %d outputs", BUNDLE_ENTRIES_MAX);
        } else {
            uint64_t size = size_of(folder, name);
            reason = send_one(out, why, folder, name, name, bytes_max);
            bytes_max -= size < bytes_max ? size : bytes_max;
        }
    }
    closedir(d);
    if (reason == REASON_OK && count == 0) {
        return say(why, REASON_NO_OUTPUT, "there is no file in " EXEC_OUT_FOLDER);
    }
    return reason;
}

enum reason exec_outputs_send(int fd, char why[EXEC_WHY_SIZE], const struct exec_plan *plan)
{
    enum reason reason = REASON_OK;
    int folder = open(EXEC_OUT_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0) return say(why, REASON_NO_OUTPUT, "the folder of outputs is gone");
    if (plan->folder_bytes_max > 0) {
        reason = send_folder(fd, why, folder, plan->folder_bytes_max);
    }
    for (uint32_t i = 0; i < plan->output_count && reason == REASON_OK; i++) {
        const struct exec_output *o = &plan->outputs[i];
        const char *below = o->path + sizeof EXEC_OUT_FOLDER; /* behind its slash */
        reason = send_one(fd, why, folder, below, o->name, o->bytes_max);
    }
    close(folder);
    if (reason == REASON_OK && !put_all(fd, DONE, sizeof DONE - 1)) return REASON_NO_OUTPUT;
    return reason;
}

/* ---- receiving ----------------------------------------------------------------------------- */

uint64_t exec_outputs_stream_max(const struct exec_plan *plan)
{
    return exec_plan_output_bytes(plan) + (uint64_t)BUNDLE_ENTRIES_MAX * LINE_SIZE + LINE_SIZE;
}

static bool is_wanted(const struct exec_plan *plan, const char *name, uint64_t size)
{
    for (uint32_t i = 0; i < plan->output_count; i++) {
        if (strcmp(plan->outputs[i].name, name) == 0) return size <= plan->outputs[i].bytes_max;
    }
    return plan->folder_bytes_max > 0 && plan_name_ok(name) && size <= plan->folder_bytes_max;
}

static bool is_there(char names[][JOB_NAME_SIZE], size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) return true;
    }
    return false;
}

static enum status receive_content(const char *folder, const char *name, uint64_t size, FILE *in)
{
    char chunk[CHUNK_BYTES], path[4096];
    int path_size = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (path_size < 0 || (size_t)path_size >= sizeof path) return E_LIMIT;
    FILE *out = fopen(path, "wx");
    enum status status = out == NULL ? E_IO : OK;
    while (status == OK && size > 0) {
        size_t got = fread(chunk, 1, size < sizeof chunk ? (size_t)size : sizeof chunk, in);
        if (got == 0) status = E_MALFORMED;
        if (got > 0 && fwrite(chunk, 1, got, out) != got) status = E_IO;
        size -= got;
    }
    if (out != NULL && fclose(out) != 0 && status == OK) status = E_IO;
    return status;
}

/* "file <size> <name>\n" */
static bool read_line(uint64_t *out_size, char out_name[JOB_NAME_SIZE], const char *line)
{
    char *at;
    size_t size = strlen(line);
    if (size == 0 || line[size - 1] != '\n' || strncmp(line, "file ", 5) != 0) return false;
    if (line[5] < '0' || line[5] > '9') return false;
    errno = 0;
    *out_size = strtoull(line + 5, &at, 10);
    if (errno != 0 || *at != ' ') return false;
    size_t name_size = strlen(at + 1) - 1;
    if (name_size >= JOB_NAME_SIZE) return false;
    memcpy(out_name, at + 1, name_size);
    out_name[name_size] = '\0';
    return true;
}

enum status exec_outputs_receive(char names[BUNDLE_ENTRIES_MAX][JOB_NAME_SIZE], size_t *out_count,
                                 const char *folder, FILE *in, const struct exec_plan *plan)
{
    char line[LINE_SIZE], name[JOB_NAME_SIZE];
    size_t count = 0;
    uint64_t size;
    while (fgets(line, sizeof line, in) != NULL) {
        if (strcmp(line, DONE) == 0) {
            *out_count = count;
            return fgetc(in) == EOF ? OK : E_MALFORMED;
        }
        if (!read_line(&size, name, line) || !is_wanted(plan, name, size)) return E_MALFORMED;
        if (is_there(names, count, name)) return E_MALFORMED;
        if (count >= BUNDLE_ENTRIES_MAX) return E_LIMIT;
        memcpy(names[count++], name, JOB_NAME_SIZE);
        enum status status = receive_content(folder, name, size, in);
        if (status != OK) return status;
    }
    return E_MALFORMED;
}
