/* rootfs_tree.h - makes and removes files below a folder, and never goes through a link.
 *
 * Paths are relative and clean, as tree_clean_path leaves them. Any thread; nobody else may write
 * in the folder meanwhile. */
#ifndef LEASEHOLD_COMPUTE_ROOTFS_TREE_H
#define LEASEHOLD_COMPUTE_ROOTFS_TREE_H

#include "base/status.h"
#include "compute/limits.h"

#include <sys/types.h>

/* "./a//b/" becomes "a/b", "." becomes "". E_MALFORMED: absolute, or "..". E_LIMIT: too long, too
 * deep. */
MUST_CHECK enum status tree_clean_path(char out[ROOTFS_PATH_SIZE], const char *path);

/* Opens the folder that holds the path's last part, which *out_name points to; folders that are not
 * there are made. The caller closes *out_fd. E_DENIED: a part on the way is a link or a file. */
MUST_CHECK enum status tree_open_parent(int *out_fd, const char **out_name, int root,
                                        const char *path);

/* All of them replace what is there; a folder only where it is not one already. E_DENIED as above;
 * E_NOT_FOUND when a hard link's target is no file of the tree. */
MUST_CHECK enum status tree_put_folder(int root, const char *path, mode_t mode);
MUST_CHECK enum status tree_put_link(int root, const char *path, const char *target);
MUST_CHECK enum status tree_put_hard_link(int root, const char *path, const char *target);
/* For writing; the caller closes *out_fd. */
MUST_CHECK enum status tree_put_file(int *out_fd, int root, const char *path, mode_t mode);

/* OK when it is not there. */
MUST_CHECK enum status tree_remove(int root, const char *path);
/* What is in a folder, but not itself. OK when it is not there. */
MUST_CHECK enum status tree_clear(int root, const char *path);
/* `name` right inside the folder. */
MUST_CHECK enum status tree_remove_at(int folder, const char *name);

#endif
