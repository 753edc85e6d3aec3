#include "compute/rootfs_tree.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REMOVE_DEPTH_MAX (ROOTFS_DEPTH_MAX + 2) /* and as many open folders */
#define FOLDER           (O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

enum status tree_clean_path(char out[ROOTFS_PATH_SIZE], const char *path)
{
    size_t used = 0, depth = 0;
    if (path[0] == '/') return E_MALFORMED;
    while (*path != '\0') {
        size_t size = strcspn(path, "/");
        if (size == 2 && path[0] == '.' && path[1] == '.') return E_MALFORMED;
        bool nothing = size == 0 || (size == 1 && path[0] == '.');
        if (!nothing) {
            if (size > NAME_MAX || ++depth > ROOTFS_DEPTH_MAX) return E_LIMIT;
            if (used + 1 + size + 1 > ROOTFS_PATH_SIZE) return E_LIMIT;
            if (used > 0) out[used++] = '/';
            memcpy(out + used, path, size);
            used += size;
        }
        path += size;
        if (*path == '/') path++;
    }
    out[used] = '\0';
    return OK;
}

static enum status status_of_errno(void)
{
    return errno == ELOOP || errno == ENOTDIR ? E_DENIED : E_IO;
}

/* One step down, made if need be. */
static int open_or_make(int folder, const char *name)
{
    int fd = openat(folder, name, O_PATH | FOLDER);
    if (fd >= 0 || errno != ENOENT) return fd;
    if (mkdirat(folder, name, 0755) != 0) return -1;
    return openat(folder, name, O_PATH | FOLDER);
}

enum status tree_open_parent(int *out_fd, const char **out_name, int root, const char *path)
{
    char part[NAME_MAX + 1];
    const char *slash;
    assert(path[0] != '\0' && path[0] != '/');
    int fd = openat(root, ".", O_PATH | FOLDER);
    for (; fd >= 0 && (slash = strchr(path, '/')) != NULL; path = slash + 1) {
        size_t size = (size_t)(slash - path);
        assert(size > 0 && size < sizeof part);
        memcpy(part, path, size);
        part[size] = '\0';
        int next = open_or_make(fd, part);
        int saved = errno;
        close(fd);
        errno = saved;
        fd = next;
    }
    if (fd < 0) return status_of_errno();
    *out_fd = fd;
    *out_name = path;
    return OK;
}

/* ---- removing ------------------------------------------------------------------------------ */

static enum status remove_deep(int folder, const char *name, unsigned depth);

static enum status clear_deep(int folder, const char *name, unsigned depth)
{
    enum status status = OK;
    struct dirent *entry;
    if (depth >= REMOVE_DEPTH_MAX) return E_LIMIT;
    int fd = openat(folder, name, O_RDONLY | FOLDER);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (d == NULL) {
        if (fd >= 0) close(fd);
        return E_IO;
    }
    while (status == OK && (entry = readdir(d)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        status = remove_deep(fd, entry->d_name, depth + 1);
    }
    closedir(d);
    return status;
}

static enum status remove_deep(int folder, const char *name, unsigned depth)
{
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT) return OK;
    if (errno != EISDIR && errno != EPERM) return E_IO;
    enum status status = clear_deep(folder, name, depth);
    if (status != OK) return status;
    return unlinkat(folder, name, AT_REMOVEDIR) == 0 ? OK : E_IO;
}

enum status tree_remove_at(int folder, const char *name)
{
    return remove_deep(folder, name, 0);
}

enum status tree_remove(int root, const char *path)
{
    int folder;
    const char *name;
    enum status status = tree_open_parent(&folder, &name, root, path);
    if (status != OK) return status;
    status = remove_deep(folder, name, 0);
    close(folder);
    return status;
}

enum status tree_clear(int root, const char *path)
{
    int folder;
    const char *name;
    struct stat s;
    if (path[0] == '\0') return clear_deep(root, ".", 0);
    enum status status = tree_open_parent(&folder, &name, root, path);
    if (status != OK) return status;
    if (fstatat(folder, name, &s, AT_SYMLINK_NOFOLLOW) != 0) {
        status = errno == ENOENT ? OK : E_IO;
    } else {
        status = S_ISDIR(s.st_mode) ? clear_deep(folder, name, 0) : E_DENIED;
    }
    close(folder);
    return status;
}

/* ---- making -------------------------------------------------------------------------------- */

enum status tree_put_folder(int root, const char *path, mode_t mode)
{
    int folder;
    const char *name;
    struct stat s;
    enum status status = tree_open_parent(&folder, &name, root, path);
    if (status != OK) return status;
    bool there = fstatat(folder, name, &s, AT_SYMLINK_NOFOLLOW) == 0;
    if (there && !S_ISDIR(s.st_mode)) status = remove_deep(folder, name, 0);
    if (status == OK && !(there && S_ISDIR(s.st_mode)) && mkdirat(folder, name, 0700) != 0) {
        status = E_IO;
    }
    if (status == OK && fchmodat(folder, name, mode, 0) != 0) status = E_IO;
    close(folder);
    return status;
}

enum status tree_put_link(int root, const char *path, const char *target)
{
    int folder;
    const char *name;
    enum status status = tree_open_parent(&folder, &name, root, path);
    if (status != OK) return status;
    status = remove_deep(folder, name, 0);
    if (status == OK && symlinkat(target, folder, name) != 0) status = E_IO;
    close(folder);
    return status;
}

enum status tree_put_hard_link(int root, const char *path, const char *target)
{
    int from, to = -1;
    const char *from_name, *name;
    struct stat s;
    if (strcmp(path, target) == 0) return OK;
    enum status status = tree_open_parent(&from, &from_name, root, target);
    if (status != OK) return status;
    if (fstatat(from, from_name, &s, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(s.st_mode)) {
        status = E_NOT_FOUND;
    }
    if (status == OK) status = tree_open_parent(&to, &name, root, path);
    if (status == OK) status = remove_deep(to, name, 0);
    if (status == OK && linkat(from, from_name, to, name, 0) != 0) {
        status = errno == ENOENT ? E_NOT_FOUND : E_IO;
    }
    close(from);
    if (to >= 0) close(to);
    return status;
}

enum status tree_put_file(int *out_fd, int root, const char *path, mode_t mode)
{
    static const int NEW = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int folder;
    const char *name;
    enum status status = tree_open_parent(&folder, &name, root, path);
    if (status != OK) return status;
    int fd = openat(folder, name, NEW, 0600);
    if (fd < 0 && errno == EEXIST) {
        status = remove_deep(folder, name, 0);
        if (status == OK) fd = openat(folder, name, NEW, 0600);
    }
    close(folder);
    if (status != OK) return status;
    if (fd >= 0 && fchmod(fd, mode) == 0) {
        *out_fd = fd;
        return OK;
    }
    if (fd >= 0) close(fd);
    return E_IO;
}
