/* contracts.h - the system contracts: where they are, their ABIs, calling them, their events.
 *
 * ABIs are embedded at build time (contract_abi.S) and parsed at first use; any thread may ask
 * for them. Functions that take a `struct rpc` follow its rule: one handle a thread. On a revert
 * rpc_problem() holds the custom error with its arguments and rpc_revert_name() its name. */
#ifndef LEASEHOLD_CLIENT_CONTRACTS_H
#define LEASEHOLD_CLIENT_CONTRACTS_H

#include "client/abi.h"
#include "client/rpc.h"
#include "client/transact.h"

/*    id         name         last two bytes of the address */
#define CONTRACTS(X)                                                                               \
    X(STAKING, "Staking", 0x1001)                                                                  \
    X(PROVIDERS, "Providers", 0x1002)                                                              \
    X(JOBS, "Jobs", 0x1003)                                                                        \
    X(SCHEDULER, "Scheduler", 0x1005)                                                              \
    X(DISPUTES, "Disputes", 0x1006)                                                                \
    X(CUSTODY, "Custody", 0x1007)

enum contract_id {
#define X(id, name, low) CONTRACT_##id,
    CONTRACTS(X)
#undef X
        CONTRACT_COUNT
};

const char *contract_name(enum contract_id id);
struct address contract_address(enum contract_id id);
const struct abi *contract_abi(enum contract_id id);
/* The contract at an address; false when it is none of them. */
bool contract_at(enum contract_id *out, const struct address *a);

/* eth_call at the last finalized block. `args` (array; NULL for none) is consumed; the caller
 * decrefs *out, an object as abi_decode_return makes it. Statuses as rpc_call and the encoder. */
MUST_CHECK enum status contract_call(struct rpc *r, json_t **out, enum contract_id id,
                                     const char *function, json_t *args);

/* Sends a call as a transaction and waits until it is final. `args` is consumed. E_DENIED when it
 * would revert (found before anything is sent) or did revert; the receipt is then filled if there
 * is one. */
MUST_CHECK enum status contract_send(struct sender *s, struct tx_receipt *out, enum contract_id id,
                                     const char *function, json_t *args, struct u256 value);

struct event_query {
    const char *event;         /* NULL: all */
    const struct hash *topic1; /* not NULL: must equal the first indexed argument */
    uint64_t from_block;
    uint64_t to_block; /* inclusive */
};
/* The contract's events, oldest first, as an array of {"name", "args", "contract", "blockNumber",
 * "transactionHash", "logIndex"}. Asks in ranges that the node accepts. */
MUST_CHECK enum status contract_events(struct rpc *r, json_t **out, enum contract_id id,
                                       const struct event_query *query);
/* The events of one receipt that belong to system contracts, in the same form. */
json_t *contract_receipt_events(const struct tx_receipt *receipt);
/* The first such event with that name, or NULL; borrowed from `events`: its "args". */
const json_t *contract_event_args(const json_t *events, const char *name);

/* Puts the decoded revert of the last failed call into rpc_problem and rpc_revert_name. */
void contract_explain(struct rpc *r);

#endif
