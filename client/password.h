/* password.h - where a password comes from: a file, the environment, or a prompt without echo.
 *
 * In that order: the file named by the caller, LEASEHOLD_PASSWORD, LEASEHOLD_PASSWORD_FILE, the
 * terminal. Never the command line, which every user of the machine can read. */
#ifndef LEASEHOLD_CLIENT_PASSWORD_H
#define LEASEHOLD_CLIENT_PASSWORD_H

#include "base/json.h"

#define PASSWORD_SIZE 1024 /* with the closing zero */

struct password_source {
    const char *file;   /* NULL: none named */
    const char *prompt; /* "Password of alice" */
    bool confirm;       /* ask twice (a new password); an empty one is then refused */
};

/* Of a file the first line counts. E_NOT_FOUND: nowhere to get one from (no terminal either).
 * E_MALFORMED: the two did not match or it is empty. `error` says so. Wipe `out` after use. */
MUST_CHECK enum status password_read(char out[PASSWORD_SIZE], char error[JSON_ERROR_SIZE],
                                     const struct password_source *source);
void password_wipe(char password[PASSWORD_SIZE]);

#endif
