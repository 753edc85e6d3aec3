/* world.h - one cluster living through one plan, on virtual time, in one thread.
 *
 * The same plan and signer always give the same life, step by step. A life ends well by
 * world_live's return; what must never happen ends the process through world_fail, which is why a
 * life is lived in a process of its own (isolate.h). */
#ifndef LEASEHOLD_TESTS_SIM_WORLD_H
#define LEASEHOLD_TESTS_SIM_WORLD_H

#include "tests/sim/blocks.h"
#include "tests/sim/court.h"
#include "tests/sim/node.h"
#include "tests/sim/queue.h"
#include "tests/sim/wire.h"

/* How long after the faults' end every honest node must have HEALED_BLOCKS new final blocks. Timers
 * end at 16 s a view, and liars may lead several views in a row. */
#define HEAL_MS       400000
#define HEALED_BLOCKS 5
#define FAULTS_END_MS 600000 /* a cluster that crawls is healed then, whatever views it has seen */

#define REPORT_SIZE 512

/* What a life leaves behind; in memory that outlives its process. */
struct report {
    char failure[REPORT_SIZE]; /* empty: none. "check: what was seen" */
    uint64_t failed_at_ms;
    uint64_t steps;
    uint64_t views;  /* that the cluster went through */
    uint64_t blocks; /* that became final */
    uint64_t end_ms;
    uint64_t heal_ms;  /* from the faults' end to the last node's new blocks */
    uint64_t evidence; /* proofs that honest nodes handed out */
    uint64_t forks;    /* above a third only, and convicted */
    uint64_t epochs;
    uint64_t crashes;
    uint64_t sent_bytes[PARCEL_KIND_COUNT];
    uint64_t sent_count[PARCEL_KIND_COUNT];
};

enum phase { PHASE_FAULTS, PHASE_HEALING, PHASE_CALM };

struct world {
    const struct plan *plan;
    const struct signer *signer;
    struct report *report;
    FILE *trace; /* NULL: silent */
    bool audited;
    uint64_t now_ms;
    enum phase phase;
    uint64_t healed_ms;     /* when the faults ended */
    uint64_t target_number; /* what all must reach after it */
    bool over;              /* nothing more to see: a lawful fork */
    uint64_t epoch_views;   /* views of epochs that have ended */
    uint64_t epoch_counted; /* the epoch after those */
    struct dice dice;
    struct queue queue;
    struct parcel_pool parcels;
    struct blocks blocks;
    struct wire wire;
    struct court court;
    struct node *nodes;
    struct actions *actions;   /* of the step that is going on */
    struct proposal *proposal; /* room for a message that is being read */
    struct proposal *lie;      /* and for one that a liar makes */
    struct certificate *certificate;
};

/* Lives through the plan; fills the report. `trace` may be NULL. */
void world_live(const struct plan *plan, const struct signer *signer, struct report *report,
                FILE *trace);
/* What must never happen has happened. `check` names it in a word or two. */
_Noreturn void world_fail(struct world *w, const char *check, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void world_trace(struct world *w, uint32_t node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* All live nodes have final blocks that others know of. */
uint64_t world_views(const struct world *w);
/* The epoch's liars weigh a third or more: forks are lawful if they convict. */
bool world_lawless(const struct world *w, const struct epoch *e);

#endif
