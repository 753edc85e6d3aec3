/* options.h - what leaseholdd can be told: one table makes flags, config keys, defaults, help and
 * man page.
 *
 * base/options.h reads it. Texts in the config live until options_finish. */
#ifndef LEASEHOLD_NODE_OPTIONS_H
#define LEASEHOLD_NODE_OPTIONS_H

#include "base/options.h"

/* field, flag, kind, argument, default, smallest, largest, help */
#define OPTIONS(X)                                                                                 \
    X(data_dir, "data-dir", TEXT, "DIR", "", 0, 0,                                                 \
      "Where the chain is kept; made if it is not there. One node a directory.")                   \
    X(genesis, "genesis", TEXT, "FILE", "", 0, 0,                                                  \
      "The network's genesis file. Needed at the first start; later it is only compared.")         \
    X(validator_key, "validator-key", TEXT, "FILE", "", 0, 0,                                      \
      "Produce blocks with this key: a file of mode 0600 that holds 0x and 64 hex digits, or "     \
      "{\"secretKey\": \"0x...\"}. Without it the node only follows.")                             \
    X(listen, "listen", TEXT, "ADDRESS:PORT", "", 0, 0,                                            \
      "Where other nodes may connect, such as 0.0.0.0:30333. Without it this node only dials. "    \
      "Port 0 lets the system choose; the port is written to DIR/p2p.port.")                       \
    X(advertise, "advertise", TEXT, "ADDRESS:PORT", "", 0, 0,                                      \
      "What others should dial to reach this node, if it is behind NAT or a forwarded port.")      \
    X(peers, "peers", TEXT, "LIST", "", 0, 0,                                                      \
      "Nodes to stay connected with, comma-separated: ADDRESS:PORT, or NODEID@ADDRESS:PORT to "    \
      "insist on the node id. More are learned from them.")                                        \
    X(rpc_listen, "rpc-listen", TEXT, "ADDRESS:PORT", "127.0.0.1:8545", 0, 0,                      \
      "Where JSON-RPC and /metrics are served. Port 0 lets the system choose; the port is "        \
      "printed and written to DIR/rpc.port.")                                                      \
    X(rpc_hosts, "rpc-hosts", TEXT, "NAMES", "", 0, 0,                                             \
      "Host names, comma-separated, under which the RPC may be reached besides localhost and "     \
      "IP addresses; * is any.")                                                                   \
    X(rpc_control, "rpc-control", SWITCH, NULL, "", 0, 0,                                          \
      "Serve leasehold_refusePeers too, with which whoever reaches the RPC can cut this node "     \
      "off from others. For test networks.")                                                       \
    X(rpc_threads, "rpc-threads", NUMBER, "COUNT", "2", 1, 16, "Threads that answer RPC calls.")   \
    X(rpc_gas_cap, "rpc-gas-cap", NUMBER, "GAS", "50000000", 100000, 1000000000,                   \
      "Most gas that one eth_call or eth_estimateGas may use.")                                    \
    X(rpc_call_ms, "rpc-call-ms", NUMBER, "MS", "5000", 10, 60000,                                 \
      "Longest time that one call may run.")                                                       \
    X(rpc_log_range, "rpc-log-range", NUMBER, "BLOCKS", "10000", 1, 1000000,                       \
      "Most blocks that one eth_getLogs may span.")                                                \
    X(rpc_log_count, "rpc-log-count", NUMBER, "COUNT", "10000", 1, 100000,                         \
      "Most logs that one eth_getLogs may return.")                                                \
    X(log_level, "log-level", TEXT, "LEVEL", "info", 0, 0,                                         \
      "Least important lines to log: debug, info, warn or error.")                                 \
    X(config, "config", TEXT, "FILE", "", 0, 0,                                                    \
      "Read options from a file of `name = value` lines; a flag beats the file.")                  \
    X(print_validator, "print-validator", TEXT, "FILE", "", 0, 0,                                  \
      "Print what a genesis file needs of this validator key (consensusAddress, hashChainEnd) as " \
      "JSON, and stop. With --operator and --chain-id also the proof that `leasehold stake join` " \
      "hands in.")                                                                                 \
    X(operator_address, "operator", TEXT, "ADDRESS", "", 0, 0,                                     \
      "With --print-validator: the account that will stake for this key.")                         \
    X(chain_id, "chain-id", NUMBER, "ID", "0", 0, INT64_MAX,                                       \
      "With --print-validator and --operator: the network's chain id.")                            \
    X(print_man, "print-man", SWITCH, NULL, "", 0, 0, "Print the manual page (roff), and stop.")

struct config {
    OPTIONS(OPTION_FIELD)
};

extern const struct option_program NODE_PROGRAM; /* for options_read, options_finish, man page */

#endif
