/* driver.h - joins the consensus step function to the ledger, the vote log, the clock, the pool and
 * the other nodes.
 *
 * Carries out each step's actions in their order; answers become events in a queue, so the step
 * function is never entered from within itself. What it says to persist is synced once a loop turn,
 * and only then reported durable. Pace: a block each block interval while there is something to do,
 * else each idle interval; a transaction that arrives ends the waiting.
 *
 * What it wants of other nodes it says through `struct driver_wire`; what comes from them enters by
 * driver_vote, _certificate, _proposal, _block and _adopt. It knows no sockets. One thread, that of
 * the event loop. Files: driver.c (queue, actions, life), driver_build.c, driver_blocks.c (others'
 * blocks: held, verified, final), driver_log.c (the vote log); driver_core.h is what they share. */
#ifndef LEASEHOLD_NODE_DRIVER_H
#define LEASEHOLD_NODE_DRIVER_H

#include "base/key.h"
#include "chain/consensus/consensus.h"
#include "node/counters.h"
#include "node/ledger.h"
#include "node/pool.h"

#define DRIVER_ERROR_SIZE 512

struct driver;
struct loop;

/* Called in the middle of a step: queue, and do not call the driver back. Pointers are good for the
 * call. */
struct driver_wire {
    void *context;
    /* To m->peer, or to everybody when that is 0. `block`: the bytes that go with a proposal. */
    void (*send)(void *context, const struct message *m, struct bytes block);
    void (*fetch_block)(void *context, const struct hash *block);
    void (*fetch_certificates)(void *context, uint64_t epoch, uint64_t view);
    /* As ACTION_SYNC. */
    void (*sync)(void *context, const struct certificate *certificate, uint64_t peer);
    void (*evidence)(void *context, const struct evidence *evidence);
};

struct driver_setup { /* parts are kept by pointer; key, paths and wire are copied */
    struct loop *loop;
    struct ledger *ledger;
    struct pool *pool;
    const struct chain_config *config;
    struct counters *counters;
    const struct key *key; /* NULL: follow only */
    const char *vote_log_path;
    const char *hash_chain_path;
    struct driver_wire wire;
};

/* Reads the vote log back. On failure `error` says what to do: also when another process on this
 * machine signs with this key (E_EXISTS). */
MUST_CHECK enum status driver_open(struct driver **out, char error[DRIVER_ERROR_SIZE],
                                   const struct driver_setup *setup);
void driver_start(struct driver *d); /* the first step; everything else follows from events */
void driver_close(struct driver *d); /* takes NULL */
/* Transactions have arrived: do not wait any longer than the block interval. */
void driver_poke(struct driver *d);

/* What a peer sent, decoded; `peer` is not 0. */
enum admission driver_vote(struct driver *d, uint64_t peer, const struct vote *v);
enum admission driver_certificate(struct driver *d, uint64_t peer, const struct certificate *c);
/* `block`: its bytes, or empty. *out_held tells whether they are (now) held. ADMISSION_BAD also
 * when the bytes are not that block's. */
enum admission driver_proposal(struct driver *d, uint64_t peer, const struct proposal *p,
                               struct bytes block, bool *out_held);
/* A block that was asked for. OK: held, or held already; E_STATE: nobody wants it any more;
 * E_MALFORMED: its hash is another; E_LIMIT: no room now. */
MUST_CHECK enum status driver_block(struct driver *d, const struct hash *hash, struct bytes block);
bool driver_holds(const struct driver *d, const struct hash *block);
/* chain[0..count), all held and executed, the first upon the head, are known to be final. The
 * certificate finalizes the last, or is empty. */
void driver_adopt(struct driver *d, const struct hash *chain, size_t count,
                  struct bytes certificate);

/* For questions only: consensus.h. */
const struct consensus *driver_consensus(const struct driver *d);
struct address driver_address(const struct driver *d); /* of the key; zero: follows only */

#endif
