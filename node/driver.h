/* driver.h - joins the consensus step function to the ledger, the vote log, the clock and the pool.
 *
 * Carries out each step's actions in their order; answers become events in a queue, so the step
 * function is never entered from within itself. What it says to persist is synced once a loop turn,
 * and only then reported durable. Pace: a block each block interval while there is something to do,
 * else each idle interval; a transaction that arrives ends the waiting.
 *
 * One thread, that of the event loop. There are no peers yet: what consensus wants sent or fetched
 * from others goes nowhere, so a chain lives as long as this validator holds a quorum alone. */
#ifndef LEASEHOLD_NODE_DRIVER_H
#define LEASEHOLD_NODE_DRIVER_H

#include "base/key.h"
#include "node/counters.h"
#include "node/ledger.h"
#include "node/pool.h"

#define DRIVER_ERROR_SIZE 512

struct loop;
struct driver;

struct driver_setup { /* all kept by pointer, but for the key */
    struct loop *loop;
    struct ledger *ledger;
    struct pool *pool;
    const struct chain_config *config;
    struct counters *counters;
    const struct key *key; /* NULL: follow only */
    const char *vote_log_path;
    const char *hash_chain_path;
};

/* Reads the vote log back. On failure `error` says what to do. */
MUST_CHECK enum status driver_open(struct driver **out, char error[DRIVER_ERROR_SIZE],
                                   const struct driver_setup *setup);
void driver_start(struct driver *d); /* the first step; everything else follows from events */
void driver_close(struct driver *d); /* takes NULL */
/* Transactions have arrived: do not wait any longer than the block interval. */
void driver_poke(struct driver *d);

#endif
