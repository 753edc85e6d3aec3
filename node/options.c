#include "node/options.h"

static const struct option_row ROWS[] = {
#define X(...) OPTION_ROW(struct config, __VA_ARGS__)
    OPTIONS(X)
#undef X
};

const struct option_program NODE_PROGRAM = {
    .name = "leaseholdd",
    .summary = "the Leasehold node",
    .synopsis = ".B leaseholdd\n\\fB\\-\\-data\\-dir\\fR=\\fIDIR\\fR [\\fIOPTION\\fR...]",
    .description = "Runs consensus, contracts and state of a Leasehold network and serves "
                   "Ethereum's JSON-RPC over HTTP, and metrics in Prometheus text under /metrics.",
    .epilogue =
        "Example, a chain of one validator:\n"
        "  leaseholdd --data-dir node --genesis genesis.json --validator-key key\n\n"
        "Signals: SIGTERM and SIGINT stop cleanly. The exit status is 0 after a clean stop, 1 when "
        "the start was refused (the reason is on stderr), 64 for a wrong command line.",
    .man_tail =
        ".SH FILES\n.TP\nDIR/genesis.json\nThe network this directory belongs to.\n"
        ".TP\nDIR/store\nFinal blocks and state.\n"
        ".TP\nDIR/votes.log\nWhat this validator signed; never copy it to a second node "
        "and never delete it.\n"
        ".TP\nDIR/hash_chain\nThe validator's future reveals: as secret as its key; made anew "
        "from the key when it is missing.\n"
        ".TP\nDIR/pool.journal\nTransactions that wait for a block.\n"
        ".TP\nDIR/node.key\nThis node's TLS key, from which its node id follows.\n"
        ".TP\nDIR/peers\nAddresses of other nodes.\n"
        ".TP\nDIR/p2p.port\nThe port that other nodes may connect to.\n"
        ".TP\nDIR/rpc.port\nThe port that JSON\\-RPC listens on.\n"
        ".SH EXIT STATUS\n0 after a clean stop by SIGTERM or SIGINT; 1 when the start was "
        "refused; 64 for a wrong command line.\n"
        ".SH EXAMPLE\n.nf\nleaseholdd \\-\\-data\\-dir node \\-\\-genesis genesis.json "
        "\\-\\-validator\\-key key\n.fi\n",
    .rows = ROWS,
    .count = sizeof ROWS / sizeof *ROWS,
};
