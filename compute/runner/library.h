/* library.h - NVIDIA's libraries, opened when they are there: a table of functions, filled by name.
 *
 * One build serves machines with and without them. libc only. Any thread. */
#ifndef LEASEHOLD_RUNNER_LIBRARY_H
#define LEASEHOLD_RUNNER_LIBRARY_H

#include "base/status.h"

#include <stddef.h>

#define LIBRARY_ERROR_SIZE 512

struct library_symbol {
    const char *name;
    size_t offset; /* of the function pointer in the table */
};

struct library {
    const char *what;         /* "NVIDIA's driver (libcuda.so.1)" */
    const char *install;      /* what to do when it is missing */
    const char *const *paths; /* names and paths, tried in this order; NULL behind the last */
    const struct library_symbol *symbols;
    size_t symbol_count;
};

/* Opens the first that is there and has all symbols, for as long as the process lives. `preferred`
 * (may be NULL or "") is the only path tried when given. E_NOT_FOUND: `error` says what was sought
 * and what to install. */
MUST_CHECK enum status library_open(void *table, char error[LIBRARY_ERROR_SIZE],
                                    const struct library *library, const char *preferred);
/* The folder of the library that a function is from; "" if unknown. */
void library_folder(char *out, size_t out_size, const void *function);

#endif
