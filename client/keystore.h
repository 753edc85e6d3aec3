/* keystore.h - key files: Web3 Secret Storage, version 3.
 *
 * Reads scrypt and pbkdf2 (HMAC-SHA256) files with aes-128-ctr; writes scrypt. The files are those
 * of geth, ethers and cast, both ways. An account's optional name stands in the file under
 * "x-leasehold": {"name": ...}, which others ignore. Any thread. Parameters of a file are bounded
 * before any work is done on them: KEYSTORE_SCRYPT_BYTES_MAX, KEYSTORE_PBKDF2_ROUNDS_MAX. */
#ifndef LEASEHOLD_CLIENT_KEYSTORE_H
#define LEASEHOLD_CLIENT_KEYSTORE_H

#include "base/json.h"
#include "base/key.h"

#include <limits.h>

#define KEYSTORE_FILE_BYTES_MAX    (64u << 10)
#define KEYSTORE_SCRYPT_BYTES_MAX  (1u << 30)
#define KEYSTORE_PBKDF2_ROUNDS_MAX 10000000u
#define KEYSTORE_NAME_MAX          64
#define KEYSTORE_ACCOUNTS_MAX      4096

enum keystore_strength {
    KEYSTORE_STANDARD, /* scrypt n = 2^18, r = 8, p = 1: 256 MiB, about a second */
    KEYSTORE_LIGHT,    /* n = 2^12: for devnets and machines' own key files */
};

/* The caller decrefs *out. `name` may be NULL. */
void keystore_encrypt(json_t **out, const struct key *key, const char *password, const char *name,
                      enum keystore_strength strength);
/* E_DENIED: wrong password. E_MALFORMED, E_UNSUPPORTED, E_LIMIT: the file; `error` says what. */
MUST_CHECK enum status keystore_decrypt(struct key *out, char error[JSON_ERROR_SIZE],
                                        const json_t *file, const char *password);

/* Writes DIR/UTC--<time>--<address> (mode 0600, DIR 0700) and puts its path into out_path.
 * E_EXISTS: a file for that address or with that name is there already. */
MUST_CHECK enum status keystore_save(char out_path[PATH_MAX], char error[JSON_ERROR_SIZE],
                                     const char *dir, const json_t *file);
/* One file. Statuses of keystore_decrypt, and E_NOT_FOUND, E_IO. */
MUST_CHECK enum status keystore_load(struct key *out, char error[JSON_ERROR_SIZE], const char *path,
                                     const char *password);
/* The address and name that a file claims, without a password. */
struct keystore_account {
    struct address address;
    char name[KEYSTORE_NAME_MAX + 1]; /* "" for none */
    char path[PATH_MAX];
};
MUST_CHECK enum status keystore_inspect(struct keystore_account *out, char error[JSON_ERROR_SIZE],
                                        const char *path);

struct keystore_list {
    struct keystore_account *accounts; /* by name, then address */
    size_t count;
};
/* A missing folder is an empty list; files that are no key files are passed over. */
MUST_CHECK enum status keystore_list(struct keystore_list *out, const char *dir);
void keystore_list_finish(struct keystore_list *l);
/* `who`: a name or an address. E_NOT_FOUND. */
MUST_CHECK enum status keystore_find(struct keystore_account *out, char error[JSON_ERROR_SIZE],
                                     const char *dir, const char *who);

/* Names are 1 to KEYSTORE_NAME_MAX of letters, digits, '-', '_' and '.', and no address. */
bool keystore_name_ok(const char *name);

#endif
