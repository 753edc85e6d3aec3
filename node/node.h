/* node.h - one node, put together: data directory, store, ledger, pool, driver, RPC, loop.
 *
 * Data directory: `lock` (one process; holds its pid), genesis.json, store/, votes.log,
 * hash_chain, pool.journal, rpc.port. The main thread runs the loop with consensus, execution and
 * HTTP; the RPC threads answer calls from store snapshots. */
#ifndef LEASEHOLD_NODE_NODE_H
#define LEASEHOLD_NODE_NODE_H

#include "base/status.h"
#include "node/options.h"

#define NODE_ERROR_SIZE 2048

struct node;

/* On failure `error` says why and what to do; nothing is left open. The config is kept. */
MUST_CHECK enum status node_open(struct node **out, char error[NODE_ERROR_SIZE],
                                 const struct config *config);
void node_run(struct node *n);   /* until SIGTERM or SIGINT */
void node_close(struct node *n); /* takes NULL and half-built ones */

#endif
