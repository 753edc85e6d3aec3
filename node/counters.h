/* counters.h - what the node counts: one table for the struct, /metrics and its help texts.
 *
 * Any thread adds and reads; each number is right by itself, not all of them at one instant. */
#ifndef LEASEHOLD_NODE_COUNTERS_H
#define LEASEHOLD_NODE_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

/* field, kind, divisor (1: as it is), name, help */
#define COUNTERS(X)                                                                                \
    X(final_number, gauge, 1, "leasehold_block_number", "Number of the last final block.")         \
    X(view, gauge, 1, "leasehold_consensus_view", "View of the running epoch.")                    \
    X(epoch, gauge, 1, "leasehold_epoch", "Epoch of the next block.")                              \
    X(blocks_final, counter, 1, "leasehold_blocks_final_total", "Blocks made final.")              \
    X(txs_final, counter, 1, "leasehold_transactions_final_total",                                 \
      "Transactions in final blocks.")                                                             \
    X(build_us, counter, 1000000, "leasehold_block_build_seconds_total", "Time spent building.")   \
    X(blocks_built, counter, 1, "leasehold_blocks_built_total", "Blocks built here.")              \
    X(verify_us, counter, 1000000, "leasehold_block_verify_seconds_total",                         \
      "Time spent executing others' blocks.")                                                      \
    X(commit_us, counter, 1000000, "leasehold_block_commit_seconds_total",                         \
      "Time spent making blocks final on disk.")                                                   \
    X(log_syncs, counter, 1, "leasehold_vote_log_syncs_total", "Syncs of the vote log.")           \
    X(peers, gauge, 1, "leasehold_peers", "Connected peers.")                                      \
    X(evidence_found, counter, 1, "leasehold_evidence_total",                                      \
      "Contradictions of validators that this node has seen proved.")                              \
    X(rpc_requests, counter, 1, "leasehold_rpc_requests_total", "JSON-RPC requests.")              \
    X(rpc_errors, counter, 1, "leasehold_rpc_errors_total",                                        \
      "JSON-RPC requests answered with an error.")                                                 \
    X(rpc_us, counter, 1000000, "leasehold_rpc_seconds_total", "Time spent answering requests.")

struct counters {
#define X(field, kind, divisor, name, help) _Atomic uint64_t field;
    COUNTERS(X)
#undef X
};

#endif
