#include "compute/worker_config.h"

#include <string.h>

static const struct option_row ROWS[] = {
#define X(...) OPTION_ROW(struct worker_config, __VA_ARGS__)
    WORKER_OPTIONS(X)
#undef X
};

const struct option_program WORKER_PROGRAM = {
    .name = "leasehold-worker",
    .summary = "rents this machine's GPUs and cores out on a Leasehold chain",
    .synopsis =
        ".B "
        "leasehold-worker\n[\\fBinit\\fR|\\fBgpus\\fR|\\fBstorage\\fR|\\fBrun\\fR|\\fBjudge\\fR] "
        "[\\fIOPTION\\fR...]",
    .description =
        "Watches the chain for jobs assigned to its provider, takes the bundle from the renter, "
        "runs it in a sandbox, seals and reveals the result's hash, and serves the result. "
        "Commands: run (the default) works until it is told to stop; init makes the data directory "
        "and the TLS identity and prints its tlsKeyHash as JSON; gpus lists what can run jobs; "
        "storage lists the bundles and results on disk; "
        "judge re-runs "
        "disputed jobs for a validator and has options of its own (judge --help).",
    .epilogue =
        "Example:\n"
        "  leasehold-worker init --data-dir worker\n"
        "  leasehold-worker --data-dir worker --owner 0x... --worker-key hot.json\n\n"
        "Signals: SIGTERM drains: new jobs are declined, what runs is finished, and the program "
        "ends when none of its jobs can be asked about any more. A second SIGTERM, or SIGINT, ends "
        "it at once; what was running is taken up again at the next start. Exit status: 0 after a "
        "clean stop, 1 when the start was "
        "refused (the reason is on stderr), 64 for a wrong command line.",
    .man_tail =
        ".SH FILES\n.TP\nDIR/journal\nWhat was run, sealed and revealed; losing it loses the salts "
        "of open seals, and with them stake.\n"
        ".TP\nDIR/blobs\nBundles and results.\n"
        ".TP\nDIR/tls.key, DIR/tls.crt\nThe gateway's identity; its key hash is on the chain.\n"
        ".TP\nDIR/gateway.json\nWhere the gateway listens now.\n"
        ".SH EXIT STATUS\n0 after a clean stop; 1 when the start was refused; 64 for a wrong "
        "command "
        "line.\n",
    .words_doc = "[init|gpus|storage|run|judge]",
    .rows = ROWS,
    .count = sizeof ROWS / sizeof *ROWS,
};

enum status worker_fault_from_text(enum worker_fault *out, const char *text)
{
    static const char *const names[] = {
#define X(id, name) name,
        WORKER_FAULTS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        *out = (enum worker_fault)i;
        return OK;
    }
    return E_NOT_FOUND;
}
