/* job_demand.h - when no worker gives a paid result out: a demand on the chain for one leaf of it.
 *
 * Custody asks each holder, who must show the leaf in time or loses the stake that stands behind
 * its replica; the renter is made whole out of it. The bond comes back with the answer's failure
 * and goes to the holder with its success. One thread; the session must be unlocked. */
#ifndef LEASEHOLD_WALLET_JOB_DEMAND_H
#define LEASEHOLD_WALLET_JOB_DEMAND_H

#include "wallet/job_follow.h"

enum demand_end {
    DEMAND_TOO_LATE, /* nobody's stake stands behind the result any more */
    DEMAND_ANSWERED, /* the holder is there after all: downloading again may work */
    DEMAND_WITHHELD, /* the holder has lost its stake */
};

/* Demands a leaf of the agreed result from each paid replica in turn until one answers; waits for
 * each. CODE_DONE: see *out. */
MUST_CHECK int demand_result(struct follow *f, enum demand_end *out);
/* One demand, sent; its number in *out_id. `bundle`: of the job's bundle instead of the result. */
MUST_CHECK int demand_send(struct follow *f, uint64_t *out_id, uint64_t replica, bool bundle,
                           uint64_t leaf);

#endif
