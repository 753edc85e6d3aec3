/* court.h - everything that was ever signed and seen, and what it proves.
 *
 * Reads each parcel that leaves an honest node or reaches one. Keeps, for each view, what each
 * validator said in it, and which certificates there are. From that alone it tells whether an
 * honest validator satisfies E1-E4 over all its lives, whether X and F meet in a view, whether two
 * final blocks conflict, and, when they do, whom the signatures convict. */
#ifndef LEASEHOLD_TESTS_SIM_COURT_H
#define LEASEHOLD_TESTS_SIM_COURT_H

#include "tests/sim/plan.h"

struct world;

/* What one validator said in one view; blocks by the first bytes of their hashes. */
struct said {
    uint64_t notarized[2];
    uint64_t finalized[2];
    bool nullified;
    bool hearsay; /* audit.c: the core may know more than this */
};

struct view_file {
    uint64_t epoch;
    uint64_t view;
    uint64_t notarized; /* the block of its N, 0: none seen */
    uint64_t finalized; /* of its F */
    bool nullified;
    struct said *said; /* by index in the set; lent from an arena of the court */
};

struct court {
    struct view_file **files; /* open addressing by epoch and view; NULL: free */
    uint32_t count;
    uint32_t room;
    uint32_t said_count;
    uint32_t *final; /* by height: the final block; BLOCK_NONE */
    uint64_t final_room;
    uint64_t highest;
    uint64_t proofs; /* that honest nodes handed out */
};

uint64_t hash_head(const struct hash *h);
/* Adds the vote; true if that makes the signer guilty for the first time in this view. */
bool said_add(struct said *s, const struct vote *v);
bool said_guilty(const struct said *s);

void court_init(struct court *court, uint32_t said_count);
void court_finish(struct court *court);
void court_hear_vote(struct world *w, const struct epoch *e, const struct vote *v);
void court_hear_certificate(struct world *w, const struct epoch *e, const struct certificate *c);
/* The block is final for somebody: it and its ancestors must be for everybody. */
void court_hear_final(struct world *w, const struct epoch *e, uint32_t block);
/* An honest node hands out a proof: it must be one, and against a liar. */
void court_hear_evidence(struct world *w, const struct epoch *e, const struct evidence *proof);

#endif
