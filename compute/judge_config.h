/* judge_config.h - what `leasehold-worker judge` can be told: its option table. */
#ifndef LEASEHOLD_COMPUTE_JUDGE_CONFIG_H
#define LEASEHOLD_COMPUTE_JUDGE_CONFIG_H

#include "base/options.h"

/* field, flag, kind, argument, default, smallest, largest, help */
#define JUDGE_OPTIONS(X)                                                                           \
    X(data_dir, "data-dir", TEXT, "DIR", "", 0, 0,                                                 \
      "Journal and the bundles of running cases; made if it is not there. One judge a directory.") \
    X(rpc, "rpc", TEXT, "URL[,URL...]", "http://127.0.0.1:8545", 0, 0,                             \
      "Nodes to ask; the next one is tried when one does not answer.")                             \
    X(operator_account, "operator", TEXT, "ADDRESS", "", 0, 0,                                     \
      "The validator's operator account that this judges for. Its key stays elsewhere.")           \
    X(judge_key, "judge-key", TEXT, "FILE", "", 0, 0,                                              \
      "Key store (V3) of the key that the operator named with Disputes.setJudge; it pays gas.")    \
    X(password_file, "password-file", TEXT, "FILE", "", 0, 0,                                      \
      "First line is the key store's password; else LEASEHOLD_PASSWORD, else a prompt.")           \
    X(slots, "slots", NUMBER, "COUNT", "1", 1, 16, "Cases that are run side by side.")             \
    X(threads, "threads", NUMBER, "COUNT", "0", 0, 256, "Threads of one run; 0 is one a core.")    \
    X(memory_mib, "memory-mib", NUMBER, "MIB", "0", 0, 262144,                                     \
      "Most memory that one run may take. 0 is the machine's own.")                                \
    X(disk_mib, "disk-mib", NUMBER, "MIB", "8192", 16, 1048576,                                    \
      "Most that the bundles of running cases may take together.")                                 \
    X(runner, "runner", TEXT, "FILE", "", 0, 0,                                                    \
      "The program leasehold-run; by default beside this program, then in the PATH.")              \
    X(poll_ms, "poll-ms", NUMBER, "MS", "250", 20, 60000, "How often the chain is looked at.")     \
    X(fault, "fault", TEXT, "KIND", "none", 0, 0,                                                  \
      "Misbehave on purpose, on a devnet only: none, lie, silent, noreveal.")                      \
    X(log_level, "log-level", TEXT, "LEVEL", "info", 0, 0,                                         \
      "Least important lines to log: debug, info, warn or error.")                                 \
    X(config, "config", TEXT, "FILE", "", 0, 0,                                                    \
      "Read options from a file of `name = value` lines; a flag beats the file.")                  \
    X(print_man, "print-man", SWITCH, NULL, "", 0, 0, "Print the manual page (roff), and stop.")

struct judge_config {
    JUDGE_OPTIONS(OPTION_FIELD)
};

extern const struct option_program JUDGE_PROGRAM;

/*     name         what the judge does wrong */
#define JUDGE_FAULTS(X)                                                                            \
    X(NONE, "none")         /* nothing */                                                          \
    X(LIE, "lie")           /* says another root than it found */                                  \
    X(SILENT, "silent")     /* never seals */                                                      \
    X(NOREVEAL, "noreveal") /* seals and never reveals */

enum judge_fault {
#define X(id, name) JUDGE_FAULT_##id,
    JUDGE_FAULTS(X)
#undef X
};
MUST_CHECK enum status judge_fault_from_text(enum judge_fault *out, const char *text);

#endif
