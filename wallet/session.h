/* session.h - what every command works with: what was typed, the node, the account.
 *
 * Things that can fail return an exit code (0: fine) after having said what is wrong, so that a
 * command hands the first non-zero one on. One line on stderr, and with --json also an object with
 * "error" on stdout. */
#ifndef LEASEHOLD_WALLET_SESSION_H
#define LEASEHOLD_WALLET_SESSION_H

#include "client/contracts.h"
#include "client/keystore.h"
#include "client/transact.h"
#include "wallet/options.h"

/* number, name, what the man page says */
#define EXIT_CODES(X)                                                                              \
    X(0, DONE, "Everything was done.")                                                             \
    X(1, FAILED, "It could not be done; the line on stderr says why.")                             \
    X(2, USAGE, "The command line makes no sense.")                                                \
    X(3, UNREACHABLE, "No node could be reached, or it did not answer in time.")                   \
    X(4, REFUSED, "The chain or a contract refused: funds, nonce, a custom error.")                \
    X(5, PASSWORD, "Wrong password, or none was given.")                                           \
    X(6, JOB_FAILED, "The job ended without a result: it failed, or was refunded.")                \
    X(7, NOT_FINAL, "Sent, but not final in time; it may still become so.")                        \
    X(8, NO_MATCH, "No open offer fits what was asked for.")                                       \
    X(130, STOPPED, "Stopped by Ctrl-C.")

enum exit_code {
#define X(number, name, text) CODE_##name = number,
    EXIT_CODES(X)
#undef X
};

struct session {
    const struct invocation *in;
    bool json;
    char home[PATH_MAX]; /* LEASEHOLD_HOME, else ~/.leasehold */
    char keystore[PATH_MAX];
    struct rpc *rpc;      /* after session_connect */
    struct sender sender; /* after session_unlock */
    bool unlocked;
    bool tells_stop; /* the command itself says what to do after Ctrl-C */
};

MUST_CHECK int session_init(struct session *s, const struct invocation *in);
void session_finish(struct session *s);

/* Says what is wrong and returns the code. */
int fail(const struct session *s, enum exit_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for the last failure of the node's client; `what` is what was being done. */
int fail_rpc(const struct session *s, enum status status, const char *what);

MUST_CHECK int session_connect(struct session *s);
/* Connects, finds the account, asks for its password, asks the chain for its id. */
MUST_CHECK int session_unlock(struct session *s);
/* The address of --from without a password. */
MUST_CHECK int session_own_address(struct session *s, struct address *out);
/* An account of the key store by name, or any address. */
MUST_CHECK int session_address(struct session *s, struct address *out, const char *who);
/* The account's name in the key store, or its address; valid until the next call. */
const char *session_name(struct session *s, const struct address *a);

/* Option values; when not given, `preset`. */
MUST_CHECK int option_number(struct session *s, uint64_t *out, enum wallet_option id,
                             uint64_t preset, uint64_t max);
/* "/s" behind it is taken; 0 is refused. */
MUST_CHECK int option_amount(struct session *s, struct u256 *out, enum wallet_option id);
/* A job's number among the words. */
MUST_CHECK int word_number(struct session *s, uint64_t *out, size_t index, const char *what);

/* Asks "text [y/N]" unless --yes; without a terminal, --yes must be given. */
MUST_CHECK int session_confirm(struct session *s, const char *text);

/* Sends a contract call from the unlocked account; says so when it fails. */
MUST_CHECK int session_send(struct session *s, struct tx_receipt *out, enum contract_id id,
                            const char *function, json_t *args, struct u256 value);
/* The same from --from, unlocked first, and a line (or JSON) that says what was done. */
MUST_CHECK int session_act(struct session *s, enum contract_id id, const char *function,
                           json_t *args, struct u256 value, const char *done);
/* Prints that line. `more` (consumed; may be NULL) joins the JSON object. */
void session_report(const struct session *s, const struct tx_receipt *r, const char *done,
                    json_t *more);
MUST_CHECK int session_call(struct session *s, json_t **out, enum contract_id id,
                            const char *function, json_t *args);
/* A view's single unnamed number. */
MUST_CHECK int session_call_u256(struct session *s, struct u256 *out, enum contract_id id,
                                 const char *function, json_t *args);

#endif
