/* plan.h - what one seed is: the cluster, who lies and how, the sets of its epochs, its faults.
 *
 * A plan follows from (seed, views) alone. The knobs of `struct plan_cut` take things away from it
 * without shifting what is left; that is how a failing plan is made small, and how the small one is
 * replayed. Pure. */
#ifndef LEASEHOLD_TESTS_SIM_PLAN_H
#define LEASEHOLD_TESTS_SIM_PLAN_H

#include "chain/consensus/consensus.h"
#include "tests/sim/dice.h"

#include <stdio.h>

#define SIM_NODES_MAX  128
#define SIM_FAULTS_MAX 256
#define SIM_CHAIN_ID   7117

/* Ways to lie; a Byzantine validator has one or more. Columns: name, what it does. */
#define ROLES(X)                                                                                   \
    X(EQUIVOCATOR, "proposes two blocks in a view, each to some")                                  \
    X(CONFLICTING_VOTER, "beside each vote, one that contradicts it, to some")                     \
    X(NULLIFIER, "nullifies each view and finalizes it too")                                       \
    X(YES_MAN, "notarizes, finalizes and nullifies whatever it hears of")                          \
    X(BAD_LEADER, "proposes invalid, unjustified or misplaced blocks")                             \
    X(SILENT, "says nothing")                                                                      \
    X(OUTDATED, "says again what was said long ago, by anybody")                                   \
    X(IMPERSONATOR, "signs for others, and certificates for all")                                  \
    X(WITHHOLDER, "keeps certificates and blocks to itself")                                       \
    X(FLOODER, "sends far views, far epochs and damaged messages in bursts")                       \
    X(AMNESIAC, "crashes, forgets its log, and votes on")                                          \
    X(TWIN, "runs twice, with one key and two logs")

#define ROLE_BIT(name, text) ROLE_BIT_##name,
enum role_bit { ROLES(ROLE_BIT) ROLE_BIT_COUNT };
#define ROLE_MASK(name, text) ROLE_##name = 1 << ROLE_BIT_##name,
enum role { ROLES(ROLE_MASK) ROLE_NONE = 0 };

/* Columns: name, what it does, and behind the amount (NULL: it has none). */
#define FAULTS(X)                                                                                  \
    X(LOSS, "the wire loses ", "% of all messages")                                                \
    X(DELAY, "the wire delays messages by up to ", " ms more")                                     \
    X(DUPLICATE, "the wire delivers ", "% of all messages twice")                                  \
    X(PARTITION, "two sides cannot hear each other", NULL)                                         \
    X(ONE_WAY, "one side is not heard by the other", NULL)                                         \
    X(PAUSE, "stands still", NULL)                                                                 \
    X(CRASH, "crashes after ", " more actions")                                                    \
    X(CRASH_ALL, "all crash, within ", " actions")                                                 \
    X(DISK_FULL, "has no room on its disk", NULL)                                                  \
    X(LOSE_LOG, "loses its log, crashing after ", " more actions")                                 \
    X(BUILD_FAILS, "cannot build blocks", NULL)                                                    \
    X(SLOW, "verifies and builds later by ", " ms")                                                \
    X(CLOCK, "runs its timers at ", "% of their length")

#define FAULT_NAME(name, text, rest) FAULT_##name,
enum fault_kind { FAULTS(FAULT_NAME) FAULT_KIND_COUNT };

struct fault {
    enum fault_kind kind;
    uint64_t at_ms;
    uint32_t for_ms;
    uint32_t node; /* whom it hits, where it hits one */
    uint64_t side; /* a set of nodes, where it parts them */
    uint32_t amount;
    bool cut_off; /* taken out of the plan */
};

struct plan {
    uint64_t seed;
    uint32_t views;           /* how many the cluster goes through */
    uint32_t validator_count; /* keys */
    uint32_t node_count;      /* with second instances of twins, which come last */
    uint32_t twin_of[SIM_NODES_MAX];
    uint32_t roles[SIM_NODES_MAX]; /* by key; 0: honest */
    bool over_third;               /* liars weigh more than a third, less than a quorum */
    bool sets_change;
    uint32_t weights[SIM_NODES_MAX];
    uint64_t epoch_blocks;
    struct timing timing;
    uint32_t hop_min_ms;
    uint32_t hop_max_ms;
    uint32_t build_ms;
    uint32_t disk_ms; /* the longest that a sync takes */
    uint32_t loss_percent;
    uint32_t duplicate_percent;
    uint32_t fault_count;
    struct fault faults[SIM_FAULTS_MAX];
};

/* What to take away. Zero takes nothing. */
struct plan_cut {
    uint32_t nodes;         /* validators: this many at most */
    bool honest;            /* nobody lies */
    bool calm;              /* no loss and no duplicates but by faults */
    const bool *keep_fault; /* of SIM_FAULTS_MAX; NULL: all */
};

void plan_make(struct plan *out, uint64_t seed, uint32_t views, const struct plan_cut *cut);
/* A cluster without faults or liars, for measuring. */
void plan_make_calm(struct plan *out, uint32_t nodes, uint32_t views);

uint32_t plan_validator(const struct plan *p, uint32_t node); /* whose key a node has */
bool plan_honest(const struct plan *p, uint32_t node);
/* The set of an epoch; seals it. */
struct epoch plan_epoch(const struct plan *p, uint64_t number, const struct hash *start_block,
                        uint64_t start_number);
/* How much of this epoch's weight lies. */
uint64_t plan_lying_weight(const struct plan *p, const struct epoch *e);

/* In words, for people. */
void plan_print(FILE *out, const struct plan *p);
void fault_print(FILE *out, const struct plan *p, const struct fault *f);

#endif
