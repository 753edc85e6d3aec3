/* case_chain.h - what workers and judges read of a job's case: who judges it, and how far it is.
 *
 * Everything is of the last finalized block. Statuses are those of client/contracts.h; one thread
 * (it holds the RPC handle). */
#ifndef LEASEHOLD_COMPUTE_CASE_CHAIN_H
#define LEASEHOLD_COMPUTE_CASE_CHAIN_H

#include "client/contracts.h"

#define CASE_ROUNDS_MAX 200 /* of one job: each case and each appeal has the next number */
#define CASE_SEATS_MAX  32  /* of one round, with the absent */
#define DUTIES_MAX      64  /* IDisputes.dutiesOf */

/* IDisputes.Kind, Phase and SeatState, in their order. */
enum case_kind { CASE_NONE, CASE_AUDIT, CASE_DISPUTE, CASE_CHALLENGE };
enum case_phase {
    CASE_IDLE,
    CASE_DRAWING,
    CASE_SEALING,
    CASE_REVEALING,
    CASE_APPEALABLE,
    CASE_CLOSED,
};
enum seat_state {
    SEAT_VACANT,
    SEAT_SEATED,
    SEAT_SEALED,
    SEAT_REVEALED,
    SEAT_ABSENT, /* never sealed */
    SEAT_SILENT, /* sealed, never revealed */
    SEAT_PAID,
    SEAT_OFF,
};

struct chain_case {
    uint64_t job;
    enum case_kind kind;
    enum case_phase phase;
    unsigned round;
    uint64_t deadline_s; /* of the phase */
    struct hash seed;
    struct address readers[2 * CASE_SEATS_MAX]; /* this round's operators and their judges */
    size_t reader_count;
    bool mine; /* the operator that was asked for has a seat; the rest is that seat's */
    enum seat_state seat;
    uint64_t seated_at_s;
    uint64_t seal_by_s;
    struct hash commitment;
};

/* `operator_account` may be NULL: then no seat is `mine`. A job without a case has kind NONE. */
MUST_CHECK enum status chain_find_case(struct rpc *rpc, struct chain_case *out, uint64_t job,
                                       const struct address *operator_account);
/* Jobs in which the operator must still seal or reveal. */
MUST_CHECK enum status chain_duties(struct rpc *rpc, uint64_t out[DUTIES_MAX], size_t *out_count,
                                    const struct address *operator_account);
/* The ids that a view answered with, at most `max`. */
size_t chain_read_ids(uint64_t *out, size_t max, const json_t *answer);

#endif
