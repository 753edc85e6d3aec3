#include "compute/rootfs.h"

#include "compute/rootfs_layer.h"
#include "compute/rootfs_layout.h"
#include "compute/rootfs_tree.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_BYTES (64u * 1024u)

const struct rootfs_bounds ROOTFS_BOUNDS = {ROOTFS_BYTES_MAX, ROOTFS_ENTRIES_MAX, ROOTFS_RATIO_MAX};

bool rootfs_is_layout(const char *file_name)
{
    static const char END[] = ".oci.tar";
    size_t size = strlen(file_name);
    return size >= sizeof END - 1 && strcmp(file_name + size - (sizeof END - 1), END) == 0;
}

int rootfs_open_source(struct archive *a, const struct rootfs_source *source)
{
    if (source->path != NULL) return archive_read_open_filename(a, source->path, CHUNK_BYTES);
    return archive_read_open_memory(a, source->memory.data, source->memory.size);
}

static enum status unpack_root_tar(struct unpacking *u, const struct rootfs_source *source)
{
    enum status status;
    struct archive *a = layer_reader();
    if (a == NULL) return unpacking_say(u, E_IO, "no memory to unpack");
    if (rootfs_open_source(a, source) == ARCHIVE_OK) {
        status = layer_unpack(u, a);
    } else {
        const char *why = archive_error_string(a);
        status = unpacking_say(u, E_MALFORMED, "this is no good tar: %.200s", why ? why : "");
    }
    archive_read_free(a);
    return status;
}

enum status rootfs_unpack(struct exec_plan *defaults, char error[ROOTFS_ERROR_SIZE], int root,
                          const struct rootfs_source *source, const struct rootfs_bounds *bounds)
{
    struct unpacking u = {.root = root, .error = error, .bounds = bounds};
    assert(bounds->ratio > 0 && defaults->arg_count == 0);
    error[0] = '\0';
    if (!source->is_layout) return unpack_root_tar(&u, source);
    u.whiteouts = true;
    return layout_unpack(&u, defaults, source);
}

enum status rootfs_remove(const char *folder)
{
    if (access(folder, F_OK) != 0 && errno == ENOENT) return OK;
    return tree_remove_at(AT_FDCWD, folder);
}
