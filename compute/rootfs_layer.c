#include "compute/rootfs_layer.h"

#include "compute/rootfs_tree.h"

#include <archive_entry.h>
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES     (64u * 1024u)
#define WHITEOUT        ".wh."
#define WHITEOUT_ALL    ".wh..wh..opq"
#define WHITEOUT_OTHERS ".wh..wh."

struct entry {
    struct archive *archive;
    struct archive_entry *header;
    const char *raw;             /* as the tar says it */
    char path[ROOTFS_PATH_SIZE]; /* clean */
};

enum status unpacking_say(struct unpacking *u, enum status status, const char *format, ...)
{
    va_list args;
    assert(status != OK);
    if (u->error[0] != '\0') return status;
    va_start(args, format);
    vsnprintf(u->error, ROOTFS_ERROR_SIZE, format, args);
    va_end(args);
    return status;
}

struct archive *layer_reader(void)
{
    struct archive *a = archive_read_new();
    if (a == NULL) return NULL;
    archive_read_support_format_tar(a);
    archive_read_support_filter_gzip(a);
    archive_read_support_filter_zstd(a);
    return a;
}

/* What has come out so far, and of how much: bombs stop here, whatever they hide in. A sparse
 * file's holes are in no stream, so contents count too. */
static enum status check_volume(struct unpacking *u, struct archive *a)
{
    uint64_t out = (uint64_t)archive_filter_bytes(a, 0);
    uint64_t in = (uint64_t)archive_filter_bytes(a, -1);
    if (out < u->content) out = u->content;
    if (out > u->bounds->bytes || u->bytes > u->bounds->bytes - out) {
        return unpacking_say(u, E_LIMIT, "the image unpacks to more than %" PRIu64 " bytes",
                             u->bounds->bytes);
    }
    if (out > ROOTFS_RATIO_FREE_BYTES && out / u->bounds->ratio > in) {
        return unpacking_say(u, E_LIMIT,
                             "the image unpacks to more than %" PRIu32 " times its size",
                             u->bounds->ratio);
    }
    return OK;
}

/* A status of the tree, as a sentence about the entry. */
static enum status explain(struct unpacking *u, enum status status, const char *path)
{
    switch (status) {
    case OK: return OK;
    case E_DENIED:
        return unpacking_say(u, E_MALFORMED,
                             "%.200s lies behind a link or a file, where a folder should be", path);
    case E_NOT_FOUND:
        return unpacking_say(u, E_MALFORMED, "%.200s is a hard link to no file of the image", path);
    case E_LIMIT: return unpacking_say(u, E_LIMIT, "%.200s is too deep", path);
    case E_IO:
    case E_MALFORMED:
    case E_EXISTS:
    case E_RANGE:
    case E_SIGNATURE:
    case E_STATE:
    case E_TIMEOUT:
    case E_UNSUPPORTED:
    case STATUS_COUNT: break;
    }
    return unpacking_say(u, E_IO, "cannot write %.200s: %s", path, strerror(errno));
}

static enum status clean(struct unpacking *u, char out[ROOTFS_PATH_SIZE], const char *raw)
{
    enum status status = tree_clean_path(out, raw);
    if (status == E_LIMIT) return unpacking_say(u, status, "%.100s... is too deep or long", raw);
    if (status != OK) {
        return unpacking_say(u, status, "%.200s is no path inside of the image (absolute, or ..)",
                             raw);
    }
    return OK;
}

/* ---- contents ------------------------------------------------------------------------------ */

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

/* fd -1: what nobody sees is read all the same, so that it counts. */
static enum status copy_content(struct unpacking *u, const struct entry *e, int fd)
{
    char chunk[CHUNK_BYTES];
    for (;;) {
        ssize_t got = (ssize_t)archive_read_data(e->archive, chunk, sizeof chunk);
        if (got == 0) return OK;
        if (got < 0) {
            const char *why = archive_error_string(e->archive);
            return unpacking_say(u, E_MALFORMED, "%.200s: %.100s", e->raw, why ? why : "damaged");
        }
        u->content += (uint64_t)got;
        enum status status = check_volume(u, e->archive);
        if (status != OK) return status;
        if (fd >= 0 && !put_all(fd, chunk, (size_t)got)) return explain(u, E_IO, e->path);
    }
}

static enum status put_file(struct unpacking *u, const struct entry *e)
{
    int fd = -1;
    mode_t mode = (archive_entry_perm(e->header) & 0777) | 0400; /* no set-id bits */
    enum status status = explain(u, tree_put_file(&fd, u->root, e->path, mode), e->path);
    if (status != OK) return status;
    status = copy_content(u, e, fd);
    time_t when = archive_entry_mtime(e->header);
    const struct timespec times[2] = {{when > 0 ? when : 0, 0}, {when > 0 ? when : 0, 0}};
    if (status == OK && futimens(fd, times) != 0) status = explain(u, E_IO, e->path);
    if (close(fd) != 0 && status == OK) status = explain(u, E_IO, e->path);
    return status;
}

static enum status put_hard_link(struct unpacking *u, const struct entry *e)
{
    char target[ROOTFS_PATH_SIZE];
    enum status status = clean(u, target, archive_entry_hardlink(e->header));
    if (status != OK) return status;
    if (target[0] == '\0') return explain(u, E_NOT_FOUND, e->path);
    return explain(u, tree_put_hard_link(u->root, e->path, target), e->path);
}

static enum status put_link(struct unpacking *u, const struct entry *e)
{
    const char *target = archive_entry_symlink(e->header);
    if (target == NULL || target[0] == '\0' || strlen(target) >= PATH_MAX) {
        return unpacking_say(u, E_MALFORMED, "%.200s is a link to nothing", e->path);
    }
    return explain(u, tree_put_link(u->root, e->path, target), e->path);
}

static enum status put_entry(struct unpacking *u, const struct entry *e)
{
    if (archive_entry_hardlink(e->header) != NULL) return put_hard_link(u, e);
    mode_t mode = archive_entry_perm(e->header) & 0777;
    switch (archive_entry_filetype(e->header)) { /* a number from outside */
    case AE_IFREG: return put_file(u, e);
    case AE_IFLNK: return put_link(u, e);
    case AE_IFDIR: return explain(u, tree_put_folder(u->root, e->path, mode | 0700), e->path);
    default:
        return unpacking_say(u, E_MALFORMED,
                             "%.200s is a device, a fifo or a socket: images may not hold those",
                             e->path);
    }
}

/* ---- whiteouts (OCI image spec, layer.md) -------------------------------------------------- */

static enum status white_out(struct unpacking *u, const struct entry *e, const char *name)
{
    char path[ROOTFS_PATH_SIZE];
    size_t folder_size = (size_t)(name - e->path);
    memcpy(path, e->path, folder_size);
    path[folder_size] = '\0';
    if (strcmp(name, WHITEOUT_ALL) == 0) {
        if (folder_size > 0) path[folder_size - 1] = '\0';
        return explain(u, tree_clear(u->root, path), e->path);
    }
    if (strncmp(name, WHITEOUT_OTHERS, strlen(WHITEOUT_OTHERS)) == 0) return OK;
    const char *gone = name + strlen(WHITEOUT);
    if (gone[0] == '\0' || strcmp(gone, ".") == 0 || strcmp(gone, "..") == 0) {
        return unpacking_say(u, E_MALFORMED, "%.200s whites out no file", e->path);
    }
    snprintf(path + folder_size, sizeof path - folder_size, "%s", gone);
    return explain(u, tree_remove(u->root, path), e->path);
}

/* ---- entries ------------------------------------------------------------------------------- */

/* What the sandbox lays its own things over. */
static bool is_hidden(const char *path)
{
    static const char *const TOPS[] = {"dev", "proc", "sys", "tmp", "job", ".leasehold"};
    size_t size = strcspn(path, "/");
    for (size_t i = 0; i < sizeof TOPS / sizeof *TOPS; i++) {
        if (strlen(TOPS[i]) == size && strncmp(path, TOPS[i], size) == 0) return true;
    }
    return false;
}

static enum status unpack_entry(struct unpacking *u, struct entry *e)
{
    e->raw = archive_entry_pathname(e->header);
    if (e->raw == NULL) return unpacking_say(u, E_MALFORMED, "an entry has no readable name");
    if (++u->entries > u->bounds->entries) {
        return unpacking_say(u, E_LIMIT, "the image holds more than %" PRIu32 " files",
                             u->bounds->entries);
    }
    enum status status = check_volume(u, e->archive);
    if (status == OK) status = clean(u, e->path, e->raw);
    if (status != OK) return status;
    if (e->path[0] == '\0') return OK; /* the root itself */
    if (is_hidden(e->path)) return copy_content(u, e, -1);
    const char *slash = strrchr(e->path, '/');
    const char *name = slash == NULL ? e->path : slash + 1;
    if (u->whiteouts && strncmp(name, WHITEOUT, strlen(WHITEOUT)) == 0) {
        return white_out(u, e, name);
    }
    return put_entry(u, e);
}

enum status layer_unpack(struct unpacking *u, struct archive *a)
{
    struct entry e = {.archive = a};
    enum status status = OK;
    u->content = 0;
    while (status == OK) {
        int result = archive_read_next_header(a, &e.header);
        if (result == ARCHIVE_EOF) break;
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
            const char *why = archive_error_string(a);
            return unpacking_say(u, E_MALFORMED, "this is no good tar: %.200s",
                                 why ? why : "damaged");
        }
        if (archive_filter_count(a) > 2) { /* one, and the file itself */
            return unpacking_say(u, E_MALFORMED, "the image is packed twice over");
        }
        status = unpack_entry(u, &e);
    }
    if (status == OK) status = check_volume(u, a);
    uint64_t out = (uint64_t)archive_filter_bytes(a, 0);
    if (status == OK) u->bytes += out < u->content ? u->content : out;
    return status;
}
