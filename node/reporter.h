/* reporter.h - tells the Staking contract of validators that contradicted themselves.
 *
 * Evidence that consensus found is sent as a transaction, slash(first, second), from the account of
 * this node's consensus key (it needs a little money for gas; the reporter's part of the slash is
 * credited to it). So that not all validators pay for the same report, each waits its turn: the one
 * after the accused in the set first, then every REPORT_TURN_MS the next. Before it sends, a node
 * runs the call upon its last final state, and lets it be if the contract would refuse it: another
 * has reported, or it is too old. What was sent is looked after until the contract refuses it as
 * known. A node without a validator key reports nothing.
 *
 * At most REPORTS_MAX cases wait; they are not kept over a restart (others saw them too). One
 * thread, the loop's. */
#ifndef LEASEHOLD_NODE_REPORTER_H
#define LEASEHOLD_NODE_REPORTER_H

#include "chain/consensus/evidence.h"
#include "node/ledger.h"
#include "node/pool.h"

#define REPORTS_MAX     64
#define REPORT_TURN_MS  3000
#define REPORT_AGAIN_MS 30000
#define REPORT_GAS_MAX  2000000
#define REPORT_TIP_WEI  1000000000

struct reporter;

/* Kept by pointer, but for the key; NULL: reports nothing. */
struct reporter *reporter_create(struct ledger *ledger, struct pool *pool,
                                 const struct chain_config *config, const struct key *key);
void reporter_destroy(struct reporter *r); /* wipes the key; takes NULL */
void reporter_add(struct reporter *r, const struct evidence *evidence, uint64_t now_ms);
void reporter_turn(struct reporter *r, uint64_t now_ms); /* each second or so */

/* The call's data: slash((uint64,uint64,uint8,uint64,bytes32,bytes),(same)), ABI-encoded. */
void report_encode(struct buffer *out, const struct evidence *e);

#endif
