/* worker_config.h - what leasehold-worker can be told: its option table. */
#ifndef LEASEHOLD_COMPUTE_WORKER_CONFIG_H
#define LEASEHOLD_COMPUTE_WORKER_CONFIG_H

#include "base/options.h"

/* field, flag, kind, argument, default, smallest, largest, help */
#define WORKER_OPTIONS(X)                                                                          \
    X(data_dir, "data-dir", TEXT, "DIR", "", 0, 0,                                                 \
      "Journal, blobs and the TLS identity; made if it is not there. One worker a directory.")     \
    X(rpc, "rpc", TEXT, "URL[,URL...]", "http://127.0.0.1:8545", 0, 0,                             \
      "Nodes to ask; the next one is tried when one does not answer.")                             \
    X(owner, "owner", TEXT, "ADDRESS", "", 0, 0,                                                   \
      "The provider's owner account, as registered. Its key stays elsewhere.")                     \
    X(worker_key, "worker-key", TEXT, "FILE", "", 0, 0,                                            \
      "Key store (V3) of the registered worker key, which signs seals and reveals and pays gas.")  \
    X(password_file, "password-file", TEXT, "FILE", "", 0, 0,                                      \
      "First line is the key store's password; else LEASEHOLD_PASSWORD, else a prompt.")           \
    X(listen, "listen", TEXT, "HOST:PORT", "127.0.0.1:7780", 0, 0,                                 \
      "Where the data gateway listens. Renters reach it at the endpoint that is registered.")      \
    X(slots, "slots", NUMBER, "COUNT", "1", 1, 16, "Jobs that run side by side.")                  \
    X(threads, "threads", NUMBER, "COUNT", "0", 0, 256,                                            \
      "Threads of one job on the cpu executor; 0 is one a core.")                                  \
    X(memory_mib, "memory-mib", NUMBER, "MIB", "0", 0, 262144,                                     \
      "Most memory that one job may ask for; others are declined. 0 is the machine's own.")        \
    X(executor, "executor", TEXT, "KIND", "auto", 0, 0,                                            \
      "cpu, cuda, or auto: cuda if there is a card. What a card cannot do exactly as the "         \
      "processor does is run by the processor all the same.")                                      \
    X(devices, "devices", TEXT, "N[,N...]", "", 0, 0,                                              \
      "Cards to use, as nvidia-smi counts them; one job a card at a time, whatever --slots says. " \
      "By default all.")                                                                           \
    X(nvrtc, "nvrtc", TEXT, "FILE", "", 0, 0,                                                      \
      "NVIDIA's compiler libnvrtc; by default LEASEHOLD_NVRTC, then where it usually is.")         \
    X(json, "json", SWITCH, NULL, "", 0, 0, "gpus: print JSON for programs.")                      \
    X(runner, "runner", TEXT, "FILE", "", 0, 0,                                                    \
      "The program leasehold-run; by default beside this program, then in the PATH.")              \
    X(blob_mib, "blob-mib", NUMBER, "MIB", "4096", 16, 1048576,                                    \
      "Most that stored bundles and results may take.")                                            \
    X(keep_hours, "keep-hours", NUMBER, "HOURS", "72", 1, 8760,                                    \
      "How long a result is served after its job has ended; less when --blob-mib runs short.")     \
    X(upload_seconds, "upload-seconds", NUMBER, "SECONDS", "20", 1, 3600,                          \
      "How long to wait for the renter's bundle to begin before the job is declined.")             \
    X(poll_ms, "poll-ms", NUMBER, "MS", "150", 20, 60000, "How often the chain is looked at.")     \
    X(fault, "fault", TEXT, "KIND", "none", 0, 0,                                                  \
      "Misbehave on purpose, on a devnet only: none, lie, collude, silent, noreveal, withhold.")   \
    X(log_level, "log-level", TEXT, "LEVEL", "info", 0, 0,                                         \
      "Least important lines to log: debug, info, warn or error.")                                 \
    X(config, "config", TEXT, "FILE", "", 0, 0,                                                    \
      "Read options from a file of `name = value` lines; a flag beats the file.")                  \
    X(print_man, "print-man", SWITCH, NULL, "", 0, 0, "Print the manual page (roff), and stop.")

struct worker_config {
    WORKER_OPTIONS(OPTION_FIELD)
};

extern const struct option_program WORKER_PROGRAM;

/*     name         what the worker does wrong */
#define WORKER_FAULTS(X)                                                                           \
    X(NONE, "none")         /* nothing */                                                          \
    X(LIE, "lie")           /* seals and serves a result that is wrong in a way of its own */      \
    X(COLLUDE, "collude")   /* seals and serves the wrong result that all colluders agree on */    \
    X(SILENT, "silent")     /* takes the job and never seals */                                    \
    X(NOREVEAL, "noreveal") /* seals and never reveals */                                          \
    X(WITHHOLD, "withhold") /* right, and paid, but gives its result to nobody */

enum worker_fault {
#define X(id, name) FAULT_##id,
    WORKER_FAULTS(X)
#undef X
};
MUST_CHECK enum status worker_fault_from_text(enum worker_fault *out, const char *text);

#endif
