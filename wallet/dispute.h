/* dispute.h - a job's case before the committee, for `job show`. */
#ifndef LEASEHOLD_WALLET_DISPUTE_H
#define LEASEHOLD_WALLET_DISPUTE_H

#include "wallet/session.h"

/* Numbers of IDisputes.SeatState that reveal something. */
enum seat_state { SEAT_REVEALED = 3, SEAT_PAID = 5, SEAT_OFF = 6 };

/* Disputes.getCase; phase 0 when there never was one. The caller decrefs *out. */
MUST_CHECK int dispute_fetch(struct session *s, json_t **out, uint64_t job);
/* Nothing when there never was a case. */
void dispute_print(const json_t *c);

#endif
