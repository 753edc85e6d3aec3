/* nowhere.h - for tests: the wire of a driver that has no peers. What it would send, ask or report
 * goes nowhere. */
#ifndef LEASEHOLD_TESTS_NODE_NOWHERE_H
#define LEASEHOLD_TESTS_NODE_NOWHERE_H

#include "node/driver.h"

static inline void send_nowhere(void *context, const struct message *m, struct bytes block)
{
    (void)context, (void)m, (void)block;
}

static inline void fetch_nowhere(void *context, const struct hash *block)
{
    (void)context, (void)block;
}

static inline void ask_nowhere(void *context, uint64_t epoch, uint64_t view)
{
    (void)context, (void)epoch, (void)view;
}

static inline void sync_nowhere(void *context, const struct certificate *certificate, uint64_t peer)
{
    (void)context, (void)certificate, (void)peer;
}

static inline void report_nowhere(void *context, const struct evidence *evidence)
{
    (void)context, (void)evidence;
}

static const struct driver_wire NOWHERE = {NULL,        send_nowhere, fetch_nowhere,
                                           ask_nowhere, sync_nowhere, report_nowhere};

#endif
