/* sandbox_users.h - user namespaces that root makes for guests of the sandbox. Any thread. */
#ifndef LEASEHOLD_COMPUTE_SANDBOX_USERS_H
#define LEASEHOLD_COMPUTE_SANDBOX_USERS_H

#include <stdbool.h>

/* A new user namespace in which there are root (who makes the sandbox) and `user` (who then lives
 * in it), each being the same outside. A descriptor that the caller closes; -1 if it cannot be had:
 * only the machine's root can have it. */
int users_open_mapped(unsigned user);
/* False for the root of a container whose users are mapped to others outside. */
bool users_is_real_root(void);

#endif
