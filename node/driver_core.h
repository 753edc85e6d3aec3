/* driver_core.h - the driver's insides, shared by its files; nobody else includes it. */
#ifndef LEASEHOLD_NODE_DRIVER_CORE_H
#define LEASEHOLD_NODE_DRIVER_CORE_H

#include "node/clock.h"
#include "node/driver.h"
#include "node/loop.h"
#include "node/validator_key.h"
#include "node/vote_log.h"

#define DRIVER_QUEUE_MAX   1024      /* events owed at once; a step asks for far fewer */
#define DRIVER_DELAYED_MAX VIEWS_MAX /* one for each view that is held */

struct timer_slot {
    struct driver *driver;
    struct loop_timer *timer;
    enum timer id;
    uint64_t view;
};

struct driver {
    struct ledger *ledger;
    struct pool *pool;
    const struct chain_config *config;
    struct counters *counters;
    struct driver_wire wire;
    struct address own_address;
    int key_guard;                 /* a socket, see driver_log.c; -1: none */
    struct hash_chain *hash_chain; /* NULL: follow only */
    struct vote_log *log;
    uint64_t log_kept;   /* what the last rewrite had to keep: not worth another one soon */
    char *vote_log_path; /* a copy */
    bool remembers;      /* the log had a vote of ours */
    bool unsure;         /* may have voted and forgotten; until we lived through an epoch's end */
    struct consensus *consensus;
    struct actions *actions;

    struct event queue[DRIVER_QUEUE_MAX]; /* owed; ring */
    size_t queue_start;
    size_t queue_count;
    bool draining;

    struct timer_slot timers[TIMER_COUNT];
    struct loop_timer *sync_timer;
    uint64_t unsynced; /* the highest sequence not yet durable; 0: none */

    bool building; /* the answer to `build` is owed */
    struct block_place build;
    uint64_t build_epoch;
    struct loop_timer *build_timer;

    struct block_place delayed[DRIVER_DELAYED_MAX]; /* to verify once the clock has come so far */
    size_t delayed_count;
    uint64_t swept_number; /* final number when unwanted blocks were last dropped */
    struct loop_timer *delayed_timer;
};

/* driver.c */
void driver_owe(struct driver *d,
                const struct event *event); /* it will be stepped by the next drain */
void driver_drain(struct driver *d);
enum admission driver_feed(struct driver *d, const struct event *event); /* driver_owe, drain */

/* driver_build.c */
void build_asked(struct driver *d, const struct block_place *place);
void build_schedule(struct driver *d);
void build_timer_fired(void *context);

/* driver_blocks.c */
void verify_asked(struct driver *d, const struct block_place *place);
void delayed_fired(void *context);
void fetch_asked(struct driver *d, const struct hash *block);
void commit_asked(struct driver *d, const struct action *a);
void blocks_sweep(struct driver *d);

/* driver_log.c */
void driver_log_persist(struct driver *d, uint64_t sequence, const struct record *record);
void driver_log_fired(void *context);
MUST_CHECK enum status driver_log_open(struct driver *d, char *error,
                                       const struct driver_setup *setup);
void driver_log_stay_silent(struct driver *d, uint64_t sign_from_epoch);
MUST_CHECK enum status driver_log_guard_key(struct driver *d, char *error);

#endif
