/* planted.h - chooses among the bugs that are planted in the core (chain/consensus/planted.h). In a
 * normal build there are none. */
#ifndef LEASEHOLD_TESTS_SIM_PLANTED_H
#define LEASEHOLD_TESTS_SIM_PLANTED_H

#include <stdbool.h>
#include <stdint.h>

uint32_t planted_count(void); /* 1: only the one that is none */
void planted_choose(uint32_t bug);
const char *planted_name(uint32_t bug);
const char *planted_text(uint32_t bug); /* what is left out */
bool planted_find(const char *name);    /* chooses it, if there is one of this name */

#endif
