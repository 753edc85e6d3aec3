/* clock.h - the one place where the node asks for the time. Any thread. */
#ifndef LEASEHOLD_NODE_CLOCK_H
#define LEASEHOLD_NODE_CLOCK_H

#include <stdint.h>

uint64_t clock_ms(void);     /* monotonic; only differences mean something */
uint64_t clock_us(void);     /* the same in microseconds */
uint64_t clock_wall_s(void); /* seconds since 1970 */

#endif
