/* gpus.h - which NVIDIA cards this machine has, as NVML tells.
 *
 * NVML is opened when it is there, so that one build serves machines with and without cards. One
 * thread at a time. */
#ifndef LEASEHOLD_COMPUTE_GPUS_H
#define LEASEHOLD_COMPUTE_GPUS_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

#define GPUS_MAX        16
#define GPUS_TEXT_SIZE  96
#define GPUS_ERROR_SIZE 512

struct gpu {
    unsigned index; /* as NVML and nvidia-smi count */
    unsigned node;  /* N of /dev/nvidiaN */
    uint32_t vram_mib;
    unsigned capability; /* 89 for 8.9 */
    char model[GPUS_TEXT_SIZE];
    char uuid[GPUS_TEXT_SIZE];
    char driver[GPUS_TEXT_SIZE];
};

struct gpus {
    size_t count;
    struct gpu cards[GPUS_MAX];
    char error[GPUS_ERROR_SIZE]; /* why there are none, and what to do; "" if there are */
};

void gpus_find(struct gpus *out);
/* Leaves only the cards that `list` names by index, "0,2", in its order; "" is all. E_MALFORMED or
 * E_NOT_FOUND, with out->error, when a number is wrong. */
MUST_CHECK enum status gpus_choose(struct gpus *out, const char *list);

#endif
