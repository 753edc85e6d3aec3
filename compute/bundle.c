#include "compute/bundle.h"

#include "base/file.h"
#include "base/merkle.h"

#include <archive.h>
#include <archive_entry.h>
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE   4096
#define CHUNK_BYTES (64u * 1024u)

static enum status say(char *error, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static enum status say(char *error, enum status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error, BUNDLE_ERROR_SIZE, format, args);
    va_end(args);
    return status;
}

/* ---- packing ------------------------------------------------------------------------------- */

static enum status copy_content(struct archive *a, int fd, uint64_t size, char *error,
                                const char *name)
{
    uint64_t done = 0;
    char chunk[CHUNK_BYTES];
    while (done < size) {
        size_t want = size - done < sizeof chunk ? (size_t)(size - done) : sizeof chunk;
        ssize_t got = read(fd, chunk, want);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return say(error, E_IO, "%s changed while it was packed", name);
        if (archive_write_data(a, chunk, (size_t)got) != got) {
            return say(error, E_IO, "cannot write the tar: %s", archive_error_string(a));
        }
        done += (uint64_t)got;
    }
    return OK;
}

static enum status pack_open_file(struct archive *a, int fd, const char *name, char *error)
{
    struct stat s;
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode)) {
        return say(error, E_MALFORMED, "%s is no plain file", name);
    }
    struct archive_entry *e = archive_entry_new();
    if (e == NULL) return say(error, E_IO, "no memory for a tar entry");
    archive_entry_set_pathname(e, name);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0644);
    archive_entry_set_size(e, s.st_size);
    archive_entry_set_mtime(e, 0, 0);
    int result = archive_write_header(a, e);
    archive_entry_free(e);
    if (result != ARCHIVE_OK) {
        return say(error, E_IO, "cannot write the tar: %s", archive_error_string(a));
    }
    return copy_content(a, fd, (uint64_t)s.st_size, error, name);
}

static enum status pack_file(struct archive *a, const char *folder, const char *name, char *error)
{
    char path[PATH_SIZE];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) {
        return say(error, E_LIMIT, "the path of %s is too long", name);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return say(error, E_NOT_FOUND, "cannot open %.300s: %s", path, strerror(errno));
    enum status status = pack_open_file(a, fd, name, error);
    close(fd);
    return status;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum status pack_sorted(char *error, const char *folder, const char *const *names,
                               size_t count, const char *tar_path)
{
    struct archive *a = archive_write_new();
    enum status status = OK;
    if (a == NULL) return say(error, E_IO, "no memory for a tar");
    archive_write_set_format_ustar(a);
    archive_write_set_bytes_per_block(a, 512);
    archive_write_set_bytes_in_last_block(a, 512);
    if (archive_write_open_filename(a, tar_path) != ARCHIVE_OK) {
        status = say(error, E_IO, "cannot write %.300s: %s", tar_path, strerror(errno));
    }
    for (size_t i = 0; i < count && status == OK; i++) {
        status = pack_file(a, folder, names[i], error);
    }
    if (status == OK && archive_write_close(a) != ARCHIVE_OK) {
        status = say(error, E_IO, "cannot write %.300s", tar_path);
    }
    archive_write_free(a);
    return status;
}

enum status bundle_pack_files(struct bundle_info *out, char error[BUNDLE_ERROR_SIZE],
                              const char *folder, const char *const *names, size_t count,
                              const char *tar_path)
{
    const char *sorted[BUNDLE_ENTRIES_MAX];
    if (count > BUNDLE_ENTRIES_MAX) return say(error, E_LIMIT, "%zu files are too many", count);
    for (size_t i = 0; i < count; i++)
        sorted[i] = names[i];
    if (count > 0) qsort(sorted, count, sizeof *sorted, compare_texts);
    enum status status = pack_sorted(error, folder, sorted, count, tar_path);
    if (status == OK) {
        status = bundle_info_of_path(out, tar_path);
        if (status != OK) (void)say(error, status, "cannot read %.300s again", tar_path);
    }
    if (status != OK) unlink(tar_path);
    return status;
}

enum status bundle_pack_job(struct bundle_info *out, char error[BUNDLE_ERROR_SIZE],
                            const char *folder, const char *tar_path)
{
    static_assert(BUNDLE_ERROR_SIZE >= JOB_ERROR_SIZE, "errors of jobs must fit");
    struct job *job = NULL;
    char names[JOB_NAMES_MAX][JOB_NAME_SIZE];
    const char *pointers[JOB_NAMES_MAX];
    enum status status = job_load(&job, error, folder);
    if (status != OK) return status;
    size_t count = job_names(job, names);
    for (size_t i = 0; i < count; i++)
        pointers[i] = names[i];
    status = bundle_pack_files(out, error, folder, pointers, count, tar_path);
    job_destroy(job);
    return status;
}

enum status bundle_info_of_path(struct bundle_info *out, const char *tar_path)
{
    struct bundle_info info = {0};
    enum status status = merkle_root_of_path(&info.root, &info.size_bytes, tar_path);
    if (status == OK) *out = info;
    return status;
}

/* ---- unpacking ----------------------------------------------------------------------------- */

struct unpack {
    struct archive *archive;
    const char *folder; /* NULL: only look */
    char *error;
    size_t count;
    uint64_t bytes;
    char names[BUNDLE_ENTRIES_MAX][BUNDLE_PATH_SIZE];
};

static enum status check_entry(struct unpack *u, struct archive_entry *e, const char *name)
{
    if (name == NULL || strlen(name) >= JOB_NAME_SIZE || !plan_name_ok(name)) {
        return say(u->error, E_MALFORMED, "the tar holds \"%.100s\", which is no plain file name",
                   name == NULL ? "" : name);
    }
    if (archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e) != NULL ||
        archive_entry_symlink(e) != NULL) {
        return say(u->error, E_MALFORMED, "%s is no plain file (links and devices are refused)",
                   name);
    }
    if (!archive_entry_size_is_set(e) || archive_entry_size(e) < 0) {
        return say(u->error, E_MALFORMED, "%s has no size", name);
    }
    for (size_t i = 0; i < u->count; i++) {
        if (strcmp(u->names[i], name) == 0) {
            return say(u->error, E_MALFORMED, "%s is in the tar twice", name);
        }
    }
    if (u->count >= BUNDLE_ENTRIES_MAX) {
        return say(u->error, E_LIMIT, "the tar holds more than %d files", BUNDLE_ENTRIES_MAX);
    }
    if ((uint64_t)archive_entry_size(e) > BUNDLE_BYTES_MAX - u->bytes) {
        return say(u->error, E_LIMIT, "the tar unpacks to more than %llu bytes",
                   (unsigned long long)BUNDLE_BYTES_MAX);
    }
    return OK;
}

static enum status put_all(int fd, const char *data, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t put = write(fd, data + done, size - done);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return E_IO;
        done += (size_t)put;
    }
    return OK;
}

/* fd -1: only look. */
static enum status read_content(struct unpack *u, int fd, uint64_t size, const char *name)
{
    char chunk[CHUNK_BYTES];
    uint64_t done = 0;
    for (;;) {
        ssize_t got = (ssize_t)archive_read_data(u->archive, chunk, sizeof chunk);
        if (got < 0) {
            const char *why = archive_error_string(u->archive);
            return say(u->error, E_MALFORMED, "%s: %.200s", name, why == NULL ? "damaged" : why);
        }
        if (got == 0) break;
        done += (uint64_t)got;
        if (done > size) return say(u->error, E_MALFORMED, "%s is longer than it says", name);
        if (fd >= 0 && put_all(fd, chunk, (size_t)got) != OK) {
            return say(u->error, E_IO, "cannot write %s: %s", name, strerror(errno));
        }
    }
    if (done != size) return say(u->error, E_MALFORMED, "%s is shorter than it says", name);
    return OK;
}

static enum status unpack_entry(struct unpack *u, struct archive_entry *e)
{
    char path[PATH_SIZE];
    int fd = -1;
    const char *name = archive_entry_pathname(e);
    enum status status = check_entry(u, e, name);
    if (status != OK) return status;
    uint64_t size = (uint64_t)archive_entry_size(e);
    if (u->folder != NULL) {
        snprintf(path, sizeof path, "%.3900s/%s", u->folder, name);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0) return say(u->error, E_IO, "cannot write %s: %s", name, strerror(errno));
    }
    snprintf(u->names[u->count++], BUNDLE_PATH_SIZE, "%s", name);
    u->bytes += size;
    status = read_content(u, fd, size, name);
    if (fd >= 0 && close(fd) != 0 && status == OK) {
        status = say(u->error, E_IO, "cannot write %s: %s", name, strerror(errno));
    }
    return status;
}

static enum status unpack_all(struct unpack *u)
{
    for (;;) {
        struct archive_entry *e;
        int result = archive_read_next_header(u->archive, &e);
        if (result == ARCHIVE_EOF) return OK;
        if (result != ARCHIVE_OK) {
            const char *why = archive_error_string(u->archive);
            return say(u->error, E_MALFORMED, "this is no good tar: %.200s",
                       why == NULL ? "damaged" : why);
        }
        enum status status = unpack_entry(u, e);
        if (status != OK) return status;
    }
}

static struct archive *tar_reader(void)
{
    struct archive *a = archive_read_new();
    if (a == NULL) return NULL;
    archive_read_support_format_tar(a); /* no filters: a compressed bomb is not even a tar */
    return a;
}

static void remove_unpacked(const struct unpack *u)
{
    char path[PATH_SIZE];
    for (size_t i = 0; u->folder != NULL && i < u->count; i++) {
        snprintf(path, sizeof path, "%.3900s/%s", u->folder, u->names[i]);
        unlink(path);
    }
}

static enum status prepare_folder(const char *folder, char *error)
{
    if (directory_make(folder, 0700) != OK) {
        return say(error, E_IO, "cannot make %.300s: %s", folder, strerror(errno));
    }
    DIR *d = opendir(folder);
    if (d == NULL) return say(error, E_IO, "cannot open %.300s: %s", folder, strerror(errno));
    struct dirent *entry;
    size_t found = 0;
    while ((entry = readdir(d)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) found++;
    }
    closedir(d);
    return found == 0 ? OK : say(error, E_EXISTS, "%.300s is not empty", folder);
}

enum status bundle_unpack(char error[BUNDLE_ERROR_SIZE], const char *tar_path, const char *folder)
{
    enum status status = prepare_folder(folder, error);
    if (status != OK) return status;
    struct unpack *u = calloc(1, sizeof *u);
    if (u == NULL) return say(error, E_IO, "no memory to unpack");
    u->folder = folder;
    u->error = error;
    u->archive = tar_reader();
    if (u->archive == NULL) {
        status = say(error, E_IO, "no memory to unpack");
    } else if (archive_read_open_filename(u->archive, tar_path, CHUNK_BYTES) != ARCHIVE_OK) {
        status = say(error, E_MALFORMED, "cannot read %.300s: %.100s", tar_path,
                     archive_error_string(u->archive));
    } else {
        status = unpack_all(u);
    }
    if (status != OK) remove_unpacked(u);
    archive_read_free(u->archive);
    free(u);
    return status;
}

enum status bundle_check(char error[BUNDLE_ERROR_SIZE], size_t *out_count, struct bytes tar)
{
    struct unpack *u = calloc(1, sizeof *u);
    enum status status;
    if (u == NULL) return say(error, E_IO, "no memory to look at a tar");
    u->error = error;
    u->archive = tar_reader();
    if (u->archive == NULL) {
        status = say(error, E_IO, "no memory to look at a tar");
    } else if (archive_read_open_memory(u->archive, tar.data, tar.size) != ARCHIVE_OK) {
        const char *why = archive_error_string(u->archive);
        status = say(error, E_MALFORMED, "this is no good tar: %.200s", why == NULL ? "" : why);
    } else {
        status = unpack_all(u);
    }
    if (status == OK && out_count != NULL) *out_count = u->count;
    archive_read_free(u->archive);
    free(u);
    return status;
}

enum status folder_remove(const char *folder)
{
    char path[PATH_SIZE];
    struct dirent *entry;
    DIR *d = opendir(folder);
    if (d == NULL) return errno == ENOENT ? OK : E_IO;
    while ((entry = readdir(d)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        snprintf(path, sizeof path, "%.3800s/%s", folder, entry->d_name);
        if (unlink(path) != 0 && (errno == EISDIR || errno == EPERM)) {
            enum status status = folder_remove(path);
            (void)status; /* rmdir below tells */
        }
    }
    closedir(d);
    return rmdir(folder) == 0 ? OK : E_IO;
}
