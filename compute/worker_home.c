#include "compute/worker_home.h"

#include "base/file.h"
#include "base/hex.h"
#include "client/keystore.h"
#include "client/password.h"

#include <limits.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum status home_make(char error[JSON_ERROR_SIZE], const char *data_dir)
{
    if (data_dir[0] == 0) {
        snprintf(error, JSON_ERROR_SIZE, "--data-dir is missing: name a directory of its own");
        return E_MALFORMED;
    }
    enum status status = directory_make(data_dir, 0700);
    if (status != OK)
        snprintf(error, JSON_ERROR_SIZE, "cannot make the data directory %.150s: %s", data_dir,
                 status_text(status));
    return status;
}

enum status home_lock(int *out_fd, char error[JSON_ERROR_SIZE], const char *data_dir,
                      const char *who)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.4000s/lock", data_dir);
    enum status status = file_lock(out_fd, path);
    if (status == E_EXISTS)
        snprintf(error, JSON_ERROR_SIZE,
                 "another %s (pid %ld) uses %.150s; stop it or name another --data-dir", who,
                 file_lock_holder(path), data_dir);
    else if (status != OK)
        snprintf(error, JSON_ERROR_SIZE, "cannot lock %.150s: %s", path, status_text(status));
    return status;
}

enum status home_open_key(struct key *out, char error[JSON_ERROR_SIZE],
                          const struct home_key *which)
{
    if (which->path[0] == 0) {
        snprintf(error, JSON_ERROR_SIZE, "%s is missing: name a key store file", which->flag);
        return E_MALFORMED;
    }
    char password[PASSWORD_SIZE];
    const char *file = which->password_file;
    struct password_source source = {.file = file && file[0] ? file : NULL,
                                     .prompt = which->prompt};
    enum status status = password_read(password, error, &source);
    if (status == OK) status = keystore_load(out, error, which->path, password);
    password_wipe(password);
    return status;
}

enum status home_read_address(struct address *out, char error[JSON_ERROR_SIZE], const char *flag,
                              const char *text, const char *what)
{
    enum status status = address_from_text(out, bytes_of_text(text));
    if (status != OK)
        snprintf(error, JSON_ERROR_SIZE, "%s is \"%.60s\", must be %s", flag, text, what);
    return status;
}

uint32_t home_memory_mib(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_size = sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page_size <= 0) return 0;
    return (uint32_t)((uint64_t)pages * (uint64_t)page_size >> 20);
}

void home_pause_ms(uint64_t ms)
{
    struct timespec wait = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&wait, NULL);
}
