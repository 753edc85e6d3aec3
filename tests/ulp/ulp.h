/* ulp.h - what the parts of the tool share: ulp.c sweeps over floats, samples.c draws arguments for
 * functions of doubles and of two floats. One thread. */
#ifndef LEASEHOLD_TESTS_ULP_ULP_H
#define LEASEHOLD_TESTS_ULP_ULP_H

#include <stdbool.h>
#include <stdio.h>

/* Loops over arrays for the functions of samples.c, in the language of the prelude. */
void samples_write(FILE *out);
/* Measures the function on `count` drawn arguments and prints a line; false: no such function. */
bool samples_measure(const char *name, void *library, unsigned long long count);
void samples_measure_all(void *library, unsigned long long count);

/* Sets the pointer that `out` points to, to the library's loop over `name`. */
void ulp_find(void *out, void *library, const char *name);

#endif
