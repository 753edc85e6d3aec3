/* node.h - one node: a real core, its vote log on a simulated disk, and the driver that
 * consensus.h asks for.
 *
 * Faults strike the driver, never the core: a crash ends it between any two actions, a pause holds
 * all that reaches it, a full disk ends it for good until it is started anew. */
#ifndef LEASEHOLD_TESTS_SIM_NODE_H
#define LEASEHOLD_TESTS_SIM_NODE_H

#include "node/vote_log.h"
#include "tests/sim/blocks.h"
#include "tests/sim/disk.h"
#include "tests/sim/parcel.h"
#include "tests/sim/plan.h"
#include "tests/sim/queue.h"

#define OWN_RING        1024 /* views whose own votes a node's driver remembers */
#define PENDING_MAX     1024 /* records between two syncs */
#define LOG_GROWN_BYTES (48u << 10)
#define OLD_WORDS       16
#define YES_MARKS       16

struct world;
struct audit;

struct own_votes {
    uint64_t epoch;
    uint64_t view;
    uint8_t written; /* by kind, a bit each */
    uint8_t durable;
    uint64_t block[VOTE_KIND_COUNT]; /* the first bytes of its hash */
};

struct pending {
    bool is_block;
    uint32_t block;
    uint64_t epoch;
    uint64_t view;
    enum vote_kind kind;
};

struct node {
    struct world *world;
    uint32_t index;
    uint32_t validator;
    uint32_t roles;
    struct consensus *core; /* NULL: down */
    uint32_t life;

    /* its disk: what outlives a crash */
    struct disk disk;
    struct epoch epoch;
    struct final_point final;
    uint32_t final_block;
    uint64_t sign_from_epoch;
    struct parcel **finality; /* by epoch: the highest F that it committed by */
    size_t finality_room;

    /* its memory */
    struct vote_log *log;
    uint64_t log_limit; /* a longer log is replaced by a short one */
    bool sync_owed;     /* a disk sync is under way */
    uint64_t sequence;
    struct pending pending[PENDING_MAX];
    uint32_t pending_count;
    struct own_votes own[OWN_RING];
    uint64_t timer_mark[TIMER_COUNT];
    uint64_t sync_asked_ms; /* 0: never */
    struct audit *audit;

    /* its faults */
    uint64_t paused_until;
    uint64_t builds_fail_until;
    uint64_t slow_until;
    uint64_t clock_until;
    uint64_t disk_full_until;
    uint32_t slow_ms;
    uint32_t clock_percent;
    uint32_t actions_to_crash; /* 0: none is planned */
    bool crash_loses_log;
    uint32_t down_ms; /* after the crash that is planned */

    struct parcel *memory[OLD_WORDS]; /* evil.c: what it heard long ago */
    uint64_t yes_marks[YES_MARKS];    /* and what it has said yes to */
    uint32_t yes_next;
};

void node_init(struct node *n, struct world *w, uint32_t index);
void node_finish(struct node *n);
bool node_honest(const struct node *n);

void node_start(struct node *n);
/* Power off; on again after its down_ms. */
void node_crash(struct node *n);
/* Gives the core an event and carries out what it answers. */
void node_step(struct node *n, const struct event *event);
/* Something local is due: a timer, the disk, a build, a verdict. */
void node_wake(struct node *n, const struct item *item);
/* The block and all its ancestors down to the last final one are final here by this certificate. */
void node_commit(struct node *n, uint32_t block, const struct certificate *by);

/* Appends to the log, and has the disk sync soon. */
void node_persist(struct node *n, const struct record *r, uint64_t sequence);

bool node_holds(const struct node *n, uint32_t block);
/* Held, valid and durable, as rules 1, 2 and 5 ask. */
bool node_can_use(const struct node *n, uint32_t block);
/* Its own votes of a view of the present epoch, or NULL. */
const struct own_votes *node_own_votes(const struct node *n, uint64_t view);

/* deeds.c: what the core asks for. */
void node_carry_out(struct node *n, const struct action *a);

/* post.c: what the wire brings. */
void node_receive(struct node *n, uint32_t from, struct parcel *p);
void node_send_message(struct node *n, const struct message *m);
void node_ask_certificate(struct node *n, uint64_t view);
void node_ask_block(struct node *n, const struct hash *hash);

/* range_sync.c */
void node_ask_sync(struct node *n);
void node_answer_sync(struct node *n, uint32_t from, struct bytes request);
void node_take_sync(struct node *n, uint32_t from, struct bytes answer);
void node_keep_finality(struct node *n, const struct certificate *by);

#endif
