/* process.h - starting, finding again and ending processes that outlive this program.
 *
 * A process is known by its pid and its start time, so that a pid that the system has given to
 * somebody else is never signalled. Not for threads. */
#ifndef LEASEHOLD_WALLET_PROCESS_H
#define LEASEHOLD_WALLET_PROCESS_H

#include "base/json.h"

struct process {
    char name[32]; /* "worker-1" */
    long pid;
    uint64_t start_time; /* field 22 of /proc/PID/stat */
};

/* Starts argv (NULL-terminated) in a session of its own, stdin empty, output appended to log_path.
 * E_NOT_FOUND: the program is not there. E_IO. */
MUST_CHECK enum status process_start(struct process *out, const char *name, char *const argv[],
                                     const char *log_path);
bool process_alive(const struct process *p);
/* SIGTERM, and no waiting: so that several end side by side before process_end sees each off. */
void process_ask_to_end(const struct process *p);
void process_interrupt(const struct process *p); /* SIGINT, likewise */
/* SIGTERM, and SIGKILL if it is still there after patience_ms. */
void process_end(const struct process *p, uint32_t patience_ms);
/* SIGKILL, as if its power had gone; returns when it is gone. */
void process_kill(const struct process *p);
/* Runs argv to its end and appends what it prints. E_IO: could not start, or another exit status
 * than 0; E_LIMIT: more than 64 KiB. */
MUST_CHECK enum status process_output(struct buffer *out, char *const argv[]);
/* PROGRAM beside this one, else in the PATH. E_NOT_FOUND. */
MUST_CHECK enum status process_find_program(char *out, size_t size, const char *program);

json_t *process_to_json(const struct process *p);
bool process_from_json(struct process *out, const json_t *object);

#endif
