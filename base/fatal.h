/* fatal.h - the end, when the world is broken: no memory, disk error, corrupt database.
 *
 * Not for bad input (return a status) and not for bugs (assert). */
#ifndef LEASEHOLD_BASE_FATAL_H
#define LEASEHOLD_BASE_FATAL_H

#include <stddef.h>

/* Prints one line "fatal: <what was being done>" on stderr and aborts the process. */
_Noreturn void fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* malloc and friends that call fatal() instead of returning NULL; size 0 is a bug. Zeroed. */
void *must_alloc(size_t size_bytes);
void *must_realloc(void *old, size_t size_bytes);
char *must_strdup(const char *text);

#endif
