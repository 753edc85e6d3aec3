/* audit_core.h - the audit's insides, shared by its files; nobody else includes it. */
#ifndef LEASEHOLD_TESTS_SIM_AUDIT_CORE_H
#define LEASEHOLD_TESTS_SIM_AUDIT_CORE_H

#include "tests/sim/audit.h"
#include "tests/sim/world.h"

/* What the node's core has been shown in one view. */
struct heard {
    uint64_t epoch;
    uint64_t view;
    bool leader_timer;
    bool advance_timer;
    bool built;   /* it was asked to build */
    bool excused; /* a failed build, an invalid block: a cause to nullify */
    struct said *said;
};

struct audit {
    struct node *node;
    uint64_t epoch;
    uint64_t view;    /* before the step */
    bool epoch_began; /* in this step */
    uint64_t last_heard[VALIDATORS_MAX];
    uint64_t last_heard_epoch;
    uint64_t guilty[VALIDATORS_MAX / 64];          /* since this step */
    uint64_t stall_epoch, stall_view, stall_final; /* when the stall timer last ran out */
    struct heard *ring;
    struct said *said;
};

#define RULE(a, condition, rule)                                                                   \
    do {                                                                                           \
        if (!(condition)) breach(a, rule, #condition);                                             \
    } while (0)

_Noreturn void breach(struct audit *a, const char *rule, const char *what);

/* audit.c: what the node's core has been shown, what it holds, what it has said. */
const struct certificate *held(const struct audit *a, uint64_t view, enum vote_kind kind);
uint32_t block_of(const struct audit *a, const struct hash *hash);
bool holds_valid(const struct audit *a, uint32_t block);
bool justified(const struct audit *a, uint64_t view, uint64_t parent_view);
const struct vote *written_vote(const struct actions *actions, enum vote_kind kind);
uint8_t own_kinds(const struct audit *a, uint64_t view);
bool has_own(const struct audit *a, uint64_t view, enum vote_kind kind);
bool muted(const struct audit *a);
bool epoch_over(const struct audit *a);
struct heard *heard_of(struct audit *a, uint64_t view);

/* audit_acts.c: rules 1, 2, 3, 5 and 6, on what the node does. */
void check_acts(struct audit *a, const struct event *event, const struct actions *actions);
/* audit_duties.c: what it must do, and what it must leave. */
void check_duties(struct audit *a, const struct event *event, const struct actions *actions);

#endif
