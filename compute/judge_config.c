#include "compute/judge_config.h"

#include <string.h>

static const struct option_row ROWS[] = {
#define X(...) OPTION_ROW(struct judge_config, __VA_ARGS__)
    JUDGE_OPTIONS(X)
#undef X
};

const struct option_program JUDGE_PROGRAM = {
    .name = "leasehold-worker judge",
    .summary = "re-runs disputed jobs for a validator and seals what it finds",
    .synopsis = ".B leasehold-worker judge\n[\\fIOPTION\\fR...]",
    .description =
        "Waits until the chain draws its operator into a committee, takes the job's bundle from "
        "any of the replicas' gateways, runs it in the sandbox, and seals and reveals the "
        "verdict in time. An idle judge costs one question to the node a block.",
    .epilogue =
        "Example:\n"
        "  leasehold-worker judge --data-dir judge --operator 0x... --judge-key judge.json\n\n"
        "Signals: SIGTERM and SIGINT stop it; a case that it was at goes on at the next start. "
        "Exit status: 0 after a clean stop, 1 when the start was refused, 64 for a wrong command "
        "line.",
    .man_tail = ".SH FILES\n.TP\nDIR/journal\nVerdicts and their salts; losing it loses open "
                "seals, and with them stake.\n"
                ".TP\nDIR/judge.json\nWho judges for whom, and counts of what was done.\n"
                ".SH EXIT STATUS\n0 after a clean stop; 1 when the start was refused; 64 for a "
                "wrong command line.\n",
    .words_doc = "judge",
    .rows = ROWS,
    .count = sizeof ROWS / sizeof *ROWS,
};

enum status judge_fault_from_text(enum judge_fault *out, const char *text)
{
    static const char *const names[] = {
#define X(id, name) name,
        JUDGE_FAULTS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        *out = (enum judge_fault)i;
        return OK;
    }
    return E_NOT_FOUND;
}
