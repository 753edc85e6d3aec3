/* alloc_guard.h - counts what is allocated between two calls, to see that a step allocates nothing.
 *
 * The simulator is linked with --wrap=malloc, calloc, realloc, so that all its own objects and the
 * project's libraries are seen; what libc does inside itself is not. */
#ifndef LEASEHOLD_TESTS_SIM_ALLOC_GUARD_H
#define LEASEHOLD_TESTS_SIM_ALLOC_GUARD_H

#include <stdint.h>

void alloc_guard_begin(void);
uint64_t alloc_guard_end(void); /* how often something was allocated since */

#endif
