/* rootfs_layer.h - one tar of an image, put over what is below it. Internal to rootfs. */
#ifndef LEASEHOLD_COMPUTE_ROOTFS_LAYER_H
#define LEASEHOLD_COMPUTE_ROOTFS_LAYER_H

#include "compute/rootfs.h"

#include <archive.h>

struct unpacking { /* what is carried from layer to layer */
    int root;
    char *error;
    const struct rootfs_bounds *bounds;
    uint32_t entries;
    uint64_t bytes;   /* of the layers that are done, with their headers and padding */
    uint64_t content; /* of this layer's files */
    bool whiteouts;   /* ".wh." names remove what is below */
};

/* The first problem is kept in the error. Returns `status`. */
enum status unpacking_say(struct unpacking *u, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A reader of tars that are plain, gzip or zstd; the caller opens and frees it. NULL: no memory. */
struct archive *layer_reader(void);
/* Reads an open archive to its end. */
MUST_CHECK enum status layer_unpack(struct unpacking *u, struct archive *a);

#endif
