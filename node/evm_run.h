/* evm_run.h - what evm-run can be told, and the message that comes of it.
 *
 * evm-run is for people: it runs a piece of EVM code on a world of its own, in memory, that holds
 * nothing but the code and a sender with money. One table makes flags, help and man page
 * (base/options.h). Not for threads. */
#ifndef LEASEHOLD_NODE_EVM_RUN_H
#define LEASEHOLD_NODE_EVM_RUN_H

#include "base/options.h"
#include "vm/evm.h"

#define EVM_RUN_ERROR_SIZE 512

/* field, flag, kind, argument, default, smallest, largest, help */
#define EVM_RUN_OPTIONS(X)                                                                         \
    X(input, "input", TEXT, "HEX", "", 0, 0,                                                       \
      "Calldata: hex digits with or without 0x, @FILE (hex text or binary), or - for stdin.")      \
    X(gas, "gas", NUMBER, "GAS", "30000000", 0, INT64_MAX,                                         \
      "Gas of the call. A transaction's intrinsic gas is not taken from it.")                      \
    X(value, "value", TEXT, "WEI", "0", 0, 0, "Wei that goes along: decimal, or hex after 0x.")    \
    X(sender, "sender", TEXT, "ADDRESS", "0xaa00000000000000000000000000000000000001", 0, 0,       \
      "Who calls, and the transaction's origin. It holds the value, at least 1000000 LSH.")        \
    X(to, "to", TEXT, "ADDRESS", "0xaa00000000000000000000000000000000000002", 0, 0,               \
      "Where the code stands. Without CODE: the precompile to call.")                              \
    X(create, "create", SWITCH, NULL, "", 0, 0,                                                    \
      "CODE is init code: deploy it, and print the contract's address and code.")                  \
    X(is_static, "static", SWITCH, NULL, "", 0, 0, "Call read-only: changes of state fail.")       \
    X(fork, "fork", TEXT, "NAME", "Prague", 0, 0, "The rules: Cancun or Prague.")                  \
    X(tier, "tier", TEXT, "NAME", "auto", 0, 0,                                                    \
      "The interpreter: auto, plain or fast. All give the same result.")                           \
    X(number, "block-number", NUMBER, "N", "1", 0, UINT64_MAX, "What NUMBER answers.")             \
    X(timestamp, "timestamp", NUMBER, "SECONDS", "1", 0, UINT64_MAX, "What TIMESTAMP answers.")    \
    X(chain_id, "chain-id", NUMBER, "N", "1", 0, UINT64_MAX, "What CHAINID answers.")              \
    X(trace, "trace", SWITCH, NULL, "", 0, 0,                                                      \
      "Print each step on stderr, one JSON object a line (EIP-3155), and a summary line.")         \
    X(print_man, "print-man", SWITCH, NULL, "", 0, 0, "Print the manual page (roff), and stop.")

struct evm_run_config {
    EVM_RUN_OPTIONS(OPTION_FIELD)
};

extern const struct option_program EVM_RUN_PROGRAM;

struct evm_run_request {
    enum evm_revision revision;
    const char *fork; /* its name */
    enum evm_tier tier;
    struct buffer code; /* owned; of a call */
    struct buffer data; /* owned; calldata, or init code */
    struct evm_message message;
};

/* `code` is the command line's word, NULL if there is none. Reads files and stdin. On failure
 * `error` says what to change and *out holds nothing. *out points into itself: do not copy it. */
MUST_CHECK enum status evm_run_read(struct evm_run_request *out, char error[EVM_RUN_ERROR_SIZE],
                                    const struct evm_run_config *config, const char *code);
void evm_run_finish(struct evm_run_request *r);

#endif
