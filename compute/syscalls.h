/* syscalls.h - the outer filter: what compiler and runner may call inside the sandbox. */
#ifndef LEASEHOLD_COMPUTE_SYSCALLS_H
#define LEASEHOLD_COMPUTE_SYSCALLS_H

#include "base/status.h"

#include <stdbool.h>

/* A file descriptor (close-on-exec) that holds the filter as BPF, for bwrap --seccomp. Calls that
 * are not on the list answer ENOSYS, clone3 among them, so that libc falls back to clone, whose
 * flags can be looked at: no new namespaces. may_change_user: the runner starts as root and becomes
 * nobody. */
MUST_CHECK enum status syscalls_filter(int *out_fd, bool may_change_user);

#endif
