/* worker_home.h - how a worker or judge starts: its data directory, made and locked, and its hot
 * key, opened. One thread; `error` says what is wrong and what to do. */
#ifndef LEASEHOLD_COMPUTE_WORKER_HOME_H
#define LEASEHOLD_COMPUTE_WORKER_HOME_H

#include "base/json.h"
#include "base/key.h"

/* Makes --data-dir if it is not there. */
MUST_CHECK enum status home_make(char error[JSON_ERROR_SIZE], const char *data_dir);
/* The whole of it belongs to this process until *out_fd is closed. `who` is "worker". */
MUST_CHECK enum status home_lock(int *out_fd, char error[JSON_ERROR_SIZE], const char *data_dir,
                                 const char *who);

struct home_key {
    const char *flag;          /* "--worker-key", for messages */
    const char *path;          /* of the key store file */
    const char *password_file; /* "" or NULL: the environment, or a prompt */
    const char *prompt;
};
MUST_CHECK enum status home_open_key(struct key *out, char error[JSON_ERROR_SIZE],
                                     const struct home_key *which);
/* An address out of an option. `what` is "the provider's address". */
MUST_CHECK enum status home_read_address(struct address *out, char error[JSON_ERROR_SIZE],
                                         const char *flag, const char *text, const char *what);
uint32_t home_memory_mib(void); /* the machine's; 0: unknown */
/* Sleeps; signals may end it early. */
void home_pause_ms(uint64_t ms);

#endif
