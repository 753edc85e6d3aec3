/* monotonic.h - the time as the network floor needs it. Any thread. */
#ifndef LEASEHOLD_NET_MONOTONIC_H
#define LEASEHOLD_NET_MONOTONIC_H

#include <stdint.h>

uint64_t monotonic_ms(void); /* never goes back; only differences mean something */
uint64_t calendar_s(void);   /* since 1970: for what is kept over restarts */

#endif
