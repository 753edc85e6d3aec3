/* traffic.h - how many bytes a view takes when nothing goes wrong, beside what theory says. */
#ifndef LEASEHOLD_TESTS_SIM_TRAFFIC_H
#define LEASEHOLD_TESTS_SIM_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

/* Prints a table for clusters of 4, 21 and 100 validators. */
void traffic_print(uint32_t views);

#endif
