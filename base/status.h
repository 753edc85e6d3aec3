/* status.h - what a function that can refuse its input answers.
 *
 * One table is the single truth: code, number, short text. A status other than OK means that every
 * output is untouched. `status_text` never fails and allocates nothing; any thread may call it. */
#ifndef LEASEHOLD_BASE_STATUS_H
#define LEASEHOLD_BASE_STATUS_H

#define MUST_CHECK __attribute__((warn_unused_result))

#define STATUSES(X)                                                                                \
    X(OK, "ok")                                                                                    \
    X(E_MALFORMED, "malformed")                                                                    \
    X(E_LIMIT, "over a limit")                                                                     \
    X(E_NOT_FOUND, "not found")                                                                    \
    X(E_EXISTS, "already there")                                                                   \
    X(E_RANGE, "out of range")                                                                     \
    X(E_SIGNATURE, "bad signature")                                                                \
    X(E_STATE, "not possible now")                                                                 \
    X(E_DENIED, "not allowed")                                                                     \
    X(E_IO, "input/output error")                                                                  \
    X(E_TIMEOUT, "timed out")                                                                      \
    X(E_UNSUPPORTED, "not supported")

enum status {
#define X(name, text) name,
    STATUSES(X)
#undef X
        STATUS_COUNT
};

/* The short text of the table; "unknown status" for a number outside it. */
const char *status_text(enum status status);

#endif
