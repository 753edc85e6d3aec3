/* rootfs_layout.h - an OCI image layout in a tar: index, manifest, config, layers. Internal to
 * rootfs. Sources: OCI image-spec 1.1, image-layout.md, manifest.md, config.md. */
#ifndef LEASEHOLD_COMPUTE_ROOTFS_LAYOUT_H
#define LEASEHOLD_COMPUTE_ROOTFS_LAYOUT_H

#include "compute/rootfs_layer.h"

/* The outer tar is read from its start for each blob: nothing of it is kept on disk. */
MUST_CHECK enum status layout_unpack(struct unpacking *u, struct exec_plan *defaults,
                                     const struct rootfs_source *source);
/* libarchive's answer. */
int rootfs_open_source(struct archive *a, const struct rootfs_source *source);

#endif
