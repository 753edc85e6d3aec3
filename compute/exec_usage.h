/* exec_usage.h - what the processes of a sandbox take, read from its own /proc.
 *
 * Without cgroups this is how memory and processes are bounded: leasehold-init looks many times a
 * second. libc only. */
#ifndef LEASEHOLD_COMPUTE_EXEC_USAGE_H
#define LEASEHOLD_COMPUTE_EXEC_USAGE_H

#include <stdbool.h>
#include <stdint.h>

struct exec_usage {
    uint32_t tasks;        /* threads of all processes but the asking one */
    uint64_t memory_bytes; /* theirs alone and shared between them; not what files can give back */
};

/* exact: pages that several share count once, which takes longer; else they count for each. */
void exec_usage_read(struct exec_usage *out, bool exact);
/* Of a file of the /proc/N/status or smaps_rollup kind: the sum of the lines "KEY: <n> kB". */
uint64_t exec_usage_kib(const char *text, const char *const *keys);

#endif
