/* wire.h - carries parcels from node to node, late, twice, out of order, or not at all. */
#ifndef LEASEHOLD_TESTS_SIM_WIRE_H
#define LEASEHOLD_TESTS_SIM_WIRE_H

#include "tests/sim/parcel.h"
#include "tests/sim/plan.h"

struct world;

struct wire {
    uint64_t *cut_until; /* [from * node_count + to]: deaf until then */
    uint64_t loss_until;
    uint64_t delay_until;
    uint64_t duplicate_until;
    uint32_t loss_percent;
    uint32_t delay_ms;
    uint32_t duplicate_percent;
    bool healed; /* the plan's own loss and duplicates have ended too */
    uint64_t sent_bytes[PARCEL_KIND_COUNT];
    uint64_t sent_count[PARCEL_KIND_COUNT];
};

void wire_init(struct wire *wire, const struct plan *plan);
void wire_finish(struct wire *wire);
/* Faults end here and now. */
void wire_heal(struct wire *wire, const struct plan *plan);
/* Cuts the links from one side to the other, and back if `both`. */
void wire_cut(struct wire *wire, const struct plan *plan, uint64_t side, bool both, uint64_t until);

/* Each takes its own use of the parcel; the caller keeps the caller's. */
void wire_send(struct world *w, uint32_t from, uint32_t to, struct parcel *p);
void wire_send_all(struct world *w, uint32_t from, struct parcel *p);
/* To each other node with this chance. */
void wire_send_some(struct world *w, uint32_t from, struct parcel *p, uint32_t percent);

#endif
