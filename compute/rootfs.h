/* rootfs.h - unpacks the image of an exec job into a folder.
 *
 * An image is a root tar (plain, gzip or zstd), or an OCI layout in a tar, as `skopeo copy ...
 * oci-archive:x.oci.tar` and umoci make them. Both come from strangers. Nothing is written outside
 * of the folder: parts of a path are opened one by one and never through a link; absolute paths,
 * "..", devices, fifos and hard links to anything but a file of the image are refused; set-id bits
 * are dropped; digests are checked; entries, bytes, depth, layers and the ratio of unpacked to
 * packed bytes are bounded. Links may point anywhere: they are followed by the job alone, whose
 * root this folder is. What lies below /dev, /proc, /sys, /tmp, /job is left out: the sandbox puts
 * its own there.
 *
 * The unpacker runs in a sandbox of its own all the same (unpack_main.c). Any thread. */
#ifndef LEASEHOLD_COMPUTE_ROOTFS_H
#define LEASEHOLD_COMPUTE_ROOTFS_H

#include "base/bytes.h"
#include "compute/exec_plan.h"

#define ROOTFS_ERROR_SIZE 512

struct rootfs_source {
    const char *path;    /* NULL: `memory` */
    struct bytes memory; /* borrowed */
    bool is_layout;      /* an OCI layout; else a root tar */
};

struct rootfs_bounds {
    uint64_t bytes;   /* unpacked, of all layers */
    uint32_t entries; /* of all layers */
    uint32_t ratio;
};
extern const struct rootfs_bounds ROOTFS_BOUNDS; /* what limits.h says */

/* `root` is an open, empty folder. The command, environment and folder of a layout's config go
 * into `defaults`, which must be empty. E_MALFORMED, E_LIMIT, E_UNSUPPORTED (another processor)
 * with an `error` that says what is wrong with the image; E_IO. After a failure what is in the
 * folder is of no use. */
MUST_CHECK enum status rootfs_unpack(struct exec_plan *defaults, char error[ROOTFS_ERROR_SIZE],
                                     int root, const struct rootfs_source *source,
                                     const struct rootfs_bounds *bounds);
/* True for a file name that says that it holds an OCI layout: "x.oci.tar". */
bool rootfs_is_layout(const char *file_name);
/* Removes a folder and whatever an unpacker made in it; OK when it is not there. Nobody else may
 * write in it. E_IO. */
MUST_CHECK enum status rootfs_remove(const char *folder);

#endif
