/* device_files.h - what of this machine a sandbox needs to be shown so that its GPUs work inside.
 *
 * The nodes of NVIDIA's driver (/dev/nvidia*) and the libraries that must be of the driver's own
 * version (libcuda, libnvidia-*), wherever Debian, Fedora, containers and WSL keep them.
 * Any thread. */
#ifndef LEASEHOLD_COMPUTE_DEVICE_FILES_H
#define LEASEHOLD_COMPUTE_DEVICE_FILES_H

#include <stdbool.h>
#include <stddef.h>

#define DEVICE_NODES_MAX     64
#define DEVICE_LIBRARIES_MAX 128
#define DEVICE_PATH_SIZE     192

struct device_files {
    size_t node_count; /* 0: no card here, or no driver */
    size_t library_count;
    char nodes[DEVICE_NODES_MAX][DEVICE_PATH_SIZE];
    char libraries[DEVICE_LIBRARIES_MAX][DEVICE_PATH_SIZE]; /* each file name once, sorted */
};

void device_files_find(struct device_files *out);
/* True for the node of card `number` (/dev/nvidia3 is 3) and for those that all cards share. */
bool device_node_is_for(const char *node, unsigned number);

#endif
