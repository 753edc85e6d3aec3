#include "compute/blob_files.h"

#include "base/file.h"
#include "base/hex.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const suffixes[] = {
    [BLOB_FILE_LEAVES] = ".leaves",
    [BLOB_FILE_PART] = ".part",
    [BLOB_FILE_TREE] = ".tree",
    [BLOB_FILE_WHOLE] = "",
};
#define FILE_KINDS (sizeof suffixes / sizeof *suffixes)

void blob_path(char out[PATH_MAX], const char *folder, const struct blob_key *key,
               enum blob_file which)
{
    char root[67];
    hash_to_text(root, &key->root);
    snprintf(out, PATH_MAX, "%s/%" PRIu64 ".%s%s", folder, key->job, root + 2, suffixes[which]);
}

bool blob_name_read(struct blob_key *out, enum blob_file *out_which, const char *name)
{
    char text[67];
    char *dot = NULL;
    if (name[0] < '0' || name[0] > '9') return false;
    struct blob_key key = {.job = strtoull(name, &dot, 10)};
    if (*dot != '.' || strlen(dot + 1) < 64) return false;
    snprintf(text, sizeof text, "0x%.64s", dot + 1);
    if (hash_from_text(&key.root, bytes_of_text(text)) != OK) return false;
    for (size_t i = 0; i < FILE_KINDS; i++) {
        if (strcmp(dot + 65, suffixes[i]) != 0) continue;
        *out = key;
        *out_which = (enum blob_file)i;
        return true;
    }
    return false;
}

void blob_unlink_all(const char *folder, const struct blob_key *key)
{
    char path[PATH_MAX];
    for (size_t i = 0; i < FILE_KINDS; i++) {
        blob_path(path, folder, key, (enum blob_file)i);
        unlink(path);
    }
}

bool file_read_at(int fd, void *out, size_t size, uint64_t offset)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(fd, (uint8_t *)out + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        done += (size_t)got;
    }
    return true;
}

bool file_write_at(int fd, struct bytes content, uint64_t offset)
{
    for (size_t done = 0; done < content.size;) {
        ssize_t put = pwrite(fd, content.data + done, content.size - done, (off_t)(offset + done));
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        done += (size_t)put;
    }
    return true;
}

enum status blob_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return E_IO;
    int failed = fsync(fd);
    return close(fd) != 0 || failed != 0 ? E_IO : OK;
}

/* The leaf level from the start of a file. */
static enum status load_leaves(struct leaf_tree *t, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return t->leaf_count == 0 ? OK : E_IO;
    bool good = file_read_at(fd, t->nodes, (size_t)t->leaf_count * sizeof *t->nodes, 0);
    close(fd);
    return good ? OK : E_IO;
}

static enum status save_tree(const struct leaf_tree *t, const char *folder,
                             const struct blob_key *key)
{
    char path[PATH_MAX];
    uint64_t nodes = leaf_level_start(t->size_bytes, leaf_levels(t->size_bytes));
    blob_path(path, folder, key, BLOB_FILE_TREE);
    return file_write_atomic(path, bytes_of(t->nodes, (size_t)nodes * sizeof *t->nodes), 0600);
}

/* Joins the leaf level and asks for the root. */
static enum status check_root(struct leaf_tree *t, const struct blob_key *key)
{
    struct hash root = leaf_tree_join(t);
    return hash_equal(&root, &key->root) ? OK : E_MALFORMED;
}

static enum status make_part(const char *folder, const struct blob_key *key, uint64_t size)
{
    char path[PATH_MAX];
    blob_path(path, folder, key, BLOB_FILE_PART);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return E_IO;
    int failed = ftruncate(fd, (off_t)size);
    return close(fd) != 0 || failed != 0 ? E_IO : OK;
}

enum status blob_begin(const char *folder, const struct blob_key *key, uint64_t size)
{
    struct leaf_tree tree;
    char leaves[PATH_MAX];
    leaf_tree_init(&tree, size);
    blob_path(leaves, folder, key, BLOB_FILE_LEAVES);
    enum status status = load_leaves(&tree, leaves);
    if (status == OK) status = check_root(&tree, key);
    if (status == OK) status = save_tree(&tree, folder, key);
    if (status == OK) status = make_part(folder, key, size);
    if (status == OK) unlink(leaves);
    leaf_tree_finish(&tree);
    return status;
}

static enum status hash_whole(struct leaf_tree *t, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return E_IO;
    enum status status = leaf_tree_hash_file(t, fd);
    close(fd);
    return status;
}

enum status blob_make_tree(const char *folder, const struct blob_key *key, uint64_t size)
{
    struct leaf_tree tree;
    char path[PATH_MAX];
    leaf_tree_init(&tree, size);
    blob_path(path, folder, key, BLOB_FILE_TREE);
    enum status status = load_leaves(&tree, path);
    if (status == OK && check_root(&tree, key) == OK) {
        leaf_tree_finish(&tree);
        return OK;
    }
    blob_path(path, folder, key, BLOB_FILE_WHOLE);
    status = hash_whole(&tree, path);
    if (status == OK) status = check_root(&tree, key);
    if (status == OK) status = save_tree(&tree, folder, key);
    leaf_tree_finish(&tree);
    return status;
}

enum status blob_check_part(struct leaf_map *out, const char *folder, const struct blob_key *key,
                            uint64_t size)
{
    struct leaf_tree tree;
    char path[PATH_MAX];
    leaf_tree_init(&tree, size);
    blob_path(path, folder, key, BLOB_FILE_TREE);
    enum status status = load_leaves(&tree, path);
    if (status == OK) status = check_root(&tree, key);
    blob_path(path, folder, key, BLOB_FILE_PART);
    int fd = status == OK ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        leaf_map_init(out, tree.leaf_count);
        leaf_tree_scan(&tree, out, fd);
        close(fd);
    } else if (status == OK) {
        status = E_IO;
    }
    leaf_tree_finish(&tree);
    return status;
}

enum status blob_publish(const char *folder, const struct blob_key *key, const char *from)
{
    char to[PATH_MAX];
    blob_path(to, folder, key, BLOB_FILE_WHOLE);
    enum status status = blob_sync(from);
    if (status == OK && rename(from, to) != 0) status = E_IO;
    return status == OK ? blob_sync(folder) : status;
}
