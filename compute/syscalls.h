/* syscalls.h - the outer filters: what may be called inside of a sandbox. */
#ifndef LEASEHOLD_COMPUTE_SYSCALLS_H
#define LEASEHOLD_COMPUTE_SYSCALLS_H

#include "base/status.h"

#include <stdbool.h>

enum syscalls_kind {
    SYSCALLS_RUNNER, /* compiler and runner */
    SYSCALLS_UNPACK, /* the unpacker of images: files, nothing else */
    SYSCALLS_EXEC    /* general programs */
};

/* A file descriptor (close-on-exec) that holds the filter as BPF, for bwrap --seccomp. Calls that
 * are not on the list answer ENOSYS, clone3 among them, so that libc falls back to clone, whose
 * flags can be looked at: no new namespaces. may_change_user: the runner starts as root and becomes
 * nobody. */
MUST_CHECK enum status syscalls_filter(int *out_fd, enum syscalls_kind kind, bool may_change_user);

#endif
