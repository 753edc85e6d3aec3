/* rpc_methods.h - the table of JSON-RPC methods: name, handler, least and most parameters.
 *
 * Every handler's context is a `struct session`. docs/rpc.md tells what each takes and answers. */
#ifndef LEASEHOLD_NODE_RPC_METHODS_H
#define LEASEHOLD_NODE_RPC_METHODS_H

#include "node/rpc_session.h"

#define RPC_TIP_WEI         1000000000 /* what is proposed as a tip: 1 gwei */
#define RPC_FEE_HISTORY_MAX 256        /* blocks in one eth_feeHistory */
#define RPC_PERCENTILES_MAX 16

#define RPC_METHODS(X)                                                                             \
    X("web3_clientVersion", rpc_client_version, 0, 0)                                              \
    X("web3_sha3", rpc_sha3, 1, 1)                                                                 \
    X("net_version", rpc_net_version, 0, 0)                                                        \
    X("net_listening", rpc_net_listening, 0, 0)                                                    \
    X("net_peerCount", rpc_peer_count, 0, 0)                                                       \
    X("eth_chainId", rpc_chain_id, 0, 0)                                                           \
    X("eth_syncing", rpc_syncing, 0, 0)                                                            \
    X("eth_accounts", rpc_accounts, 0, 0)                                                          \
    X("eth_blockNumber", rpc_block_number, 0, 0)                                                   \
    X("eth_gasPrice", rpc_gas_price, 0, 0)                                                         \
    X("eth_maxPriorityFeePerGas", rpc_max_priority_fee, 0, 0)                                      \
    X("eth_feeHistory", rpc_fee_history, 2, 3)                                                     \
    X("eth_getBalance", rpc_get_balance, 1, 2)                                                     \
    X("eth_getTransactionCount", rpc_get_transaction_count, 1, 2)                                  \
    X("eth_getCode", rpc_get_code, 1, 2)                                                           \
    X("eth_getStorageAt", rpc_get_storage_at, 2, 3)                                                \
    X("eth_getProof", rpc_get_proof, 2, 3)                                                         \
    X("eth_call", rpc_call, 1, 2)                                                                  \
    X("eth_estimateGas", rpc_estimate_gas, 1, 2)                                                   \
    X("eth_sendRawTransaction", rpc_send_raw, 1, 1)                                                \
    X("eth_getTransactionByHash", rpc_tx_by_hash, 1, 1)                                            \
    X("eth_getTransactionByBlockHashAndIndex", rpc_tx_by_block_hash, 2, 2)                         \
    X("eth_getTransactionByBlockNumberAndIndex", rpc_tx_by_block_number, 2, 2)                     \
    X("eth_getTransactionReceipt", rpc_receipt, 1, 1)                                              \
    X("eth_getBlockReceipts", rpc_block_receipts, 1, 1)                                            \
    X("eth_getBlockByNumber", rpc_block_by_number, 1, 2)                                           \
    X("eth_getBlockByHash", rpc_block_by_hash, 1, 2)                                               \
    X("eth_getBlockTransactionCountByNumber", rpc_tx_count_by_number, 1, 1)                        \
    X("eth_getBlockTransactionCountByHash", rpc_tx_count_by_hash, 1, 1)                            \
    X("eth_getUncleCountByBlockNumber", rpc_uncle_count_by_number, 1, 1)                           \
    X("eth_getUncleCountByBlockHash", rpc_uncle_count_by_hash, 1, 1)                               \
    X("eth_getLogs", rpc_get_logs, 1, 1)                                                           \
    X("eth_newFilter", rpc_new_filter, 1, 1)                                                       \
    X("eth_newBlockFilter", rpc_new_block_filter, 0, 0)                                            \
    X("eth_newPendingTransactionFilter", rpc_new_pending_filter, 0, 1)                             \
    X("eth_getFilterChanges", rpc_filter_changes, 1, 1)                                            \
    X("eth_getFilterLogs", rpc_filter_logs, 1, 1)                                                  \
    X("eth_uninstallFilter", rpc_uninstall_filter, 1, 1)                                           \
    X("leasehold_status", rpc_status, 0, 0)                                                        \
    X("leasehold_peers", rpc_peers, 0, 0)                                                          \
    X("leasehold_evidence", rpc_evidence, 0, 0)                                                    \
    X("leasehold_refusePeers", rpc_refuse_peers, 1, 1)                                             \
    X("leasehold_validators", rpc_validators, 0, 1)                                                \
    X("leasehold_certificate", rpc_certificate, 1, 1)

#define X(name, handler, min, max)                                                                 \
    void handler(void *context, struct rpc_reply *reply, json_t *const *params);
RPC_METHODS(X)
#undef X

#endif
