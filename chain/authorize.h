/* authorize.h - what a type 4 transaction does before its call runs (EIP-7702).
 *
 * A pure function of the layer and the list. What it did is not undone when the call fails. */
#ifndef LEASEHOLD_CHAIN_AUTHORIZE_H
#define LEASEHOLD_CHAIN_AUTHORIZE_H

#include "chain/state.h"
#include "chain/tx.h"

struct authorizations {
    const struct authorization *list;
    size_t count;
    uint64_t chain_id; /* of this chain */
};

/* In order; one that does not hold is left out. Warms each authority whose signature holds, sets or
 * clears its delegation and raises its nonce. Returns the gas to refund: every authorization has
 * paid for an account that was not there yet. */
uint64_t authorize(struct layer *l, const struct authorizations *a);

/* Whether the account's code is another one's to run: such an account may still send
 * transactions. */
bool layer_is_delegated(struct layer *l, const struct address *a);

#endif
