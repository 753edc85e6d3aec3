/* reason.h - why a job ended: one table for the runner, the worker, the chain and people.
 *
 * The number is what `Jobs` keeps as exitReason (0 is success): contracts/src/interfaces/IJobs.sol
 * has the same table as EXIT_*, and a test compares them. Numbers are never reused and stay below
 * 32. libc only since the runner links this file too. Any thread. */
#ifndef LEASEHOLD_COMPUTE_REASON_H
#define LEASEHOLD_COMPUTE_REASON_H

#define REASONS(X) /* number  name  short name  what a person reads */                             \
    X(0, OK, "ok", "finished")                                                                     \
    X(1, BAD_JOB, "bad-job", "the bundle or its job.json is not valid")                            \
    X(2, COMPILE, "compile-error", "the source does not compile")                                  \
    X(3, LAUNCH, "bad-launch", "a launch does not fit its kernel")                                 \
    X(4, TIME, "time-limit", "ran longer than its limit of seconds")                               \
    X(5, MEMORY, "memory-limit", "wanted more memory than its limit")                              \
    X(6, OUTPUT, "output-limit", "printed or wrote more than allowed")                             \
    X(7, DISK, "disk-limit", "filled its work directory")                                          \
    X(8, PROCESSES, "process-limit", "tried to start processes or threads")                        \
    X(9, FAULT, "memory-fault", "touched memory outside its buffers")                              \
    X(10, ARITHMETIC, "arithmetic-fault", "divided an integer by zero")                            \
    X(11, BARRIER, "barrier-divergence", "threads of a block wait at different barriers")          \
    X(12, FILES, "file-access", "tried to open a file")                                            \
    X(13, NETWORK, "network-access", "tried to use the network")                                   \
    X(14, SYSCALL, "denied-call", "made a system call that jobs may not make")                     \
    X(15, SIGNAL, "killed-by-signal", "was ended by a signal")                                     \
    X(16, NO_OUTPUT, "no-output", "ended early, without its outputs")                              \
    X(17, UNSUPPORTED, "unsupported", "needs a runtime that is not there yet")                     \
    X(18, TRAP, "trap", "stopped itself: assert, __trap or an illegal instruction")                \
    X(19, EXIT_STATUS, "exit-status", "its command ended with a status other than 0")

enum reason {
#define X(number, name, text, sentence) REASON_##name = number,
    REASONS(X)
#undef X
        REASON_COUNT
};

/* What only a judge says: nobody gave it the bundle (contracts: Reasons.VERDICT_NO_DATA). */
#define VERDICT_NO_DATA 63

/* "memory-limit"; "unknown" for a number outside the table. */
const char *reason_name(unsigned reason);
/* "wanted more memory than its limit" */
const char *reason_text(unsigned reason);

#endif
