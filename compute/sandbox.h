/* sandbox.h - runs the runner on a hostile job under bubblewrap and seccomp.
 *
 * Own user, pid, net, ipc, uts, cgroup and mount namespaces; a read-only root with /usr, the
 * loader's cache and the job's files; a tmpfs work directory; no network, no /proc, no /dev, no
 * environment; an allow-list of system calls; limits on all that can grow. Where user namespaces
 * cannot be had (a chroot entered by root), root's own rights make the other namespaces and the
 * runner gives them up before it reads the job. A guest is never root outside, so that limits on
 * processes bind it and root's files are closed to it. When sandbox_run returns, no process of it
 * is left. One call may run in each thread. */
#ifndef LEASEHOLD_COMPUTE_SANDBOX_H
#define LEASEHOLD_COMPUTE_SANDBOX_H

#include "base/bytes.h"
#include "compute/reason.h"
#include "compute/syscalls.h"

#include <signal.h>

#define SANDBOX_ERROR_SIZE 512
#define SANDBOX_WHY_SIZE   160

/* Hears all that the inside sends, in pieces as they come, in place of output_fd. What it appends
 * to `reply` goes to the inside's stdin, if spec.replies; it should be little, since more than a
 * pipe holds waits in memory. Nothing that is said may be believed. */
enum sandbox_next {
    TALK_ON,
    TALK_ENOUGH, /* the inside's stdin ends, which should end it */
    TALK_WRONG,  /* what was said makes no sense, or is too much: REASON_OUTPUT */
    TALK_FAILED  /* this machine failed: E_IO */
};
typedef enum sandbox_next sandbox_talk(void *context, struct buffer *reply, struct bytes said);

/* Another program than the runner: what it sees and may do. It gets 3 and 4 as the runner does, and
 * says the same on them, if need be with a line "why TEXT" before the last; it knows --drop-to. It
 * is the first process of its pid namespace. */
struct sandbox_guest {
    const char *const *layout;  /* bwrap's arguments that make its root, closed by NULL */
    const char *const *program; /* what runs in it, closed by NULL */
    enum syscalls_kind calls;
    unsigned user;           /* outside, where root starts it */
    unsigned open_files_max; /* a process */
    const char *disk_folder; /* NULL, or: the run fails when this disk is nearly full */
};

/* What the runner gets beside the usual so that it can use a card or NVRTC (card_run.h makes it):
 * more of bwrap's and of its own words, each list closed by NULL. */
struct sandbox_card {
    const char *const *mounts;
    const char *const *environment;
    const char *const *args;
    bool has_device; /* NVIDIA's driver makes calls that only general programs may make */
};

struct sandbox_spec {
    const struct sandbox_guest *guest; /* NULL: the runner */
    const struct sandbox_card *card;   /* NULL: none */
    const char *runner_path;           /* leasehold-run */
    const char *job_folder;            /* plain files, read-only at /job */
    const char *plan_path;             /* read-only at /plan */
    const char *cc;                    /* clang, clang-14, gcc, g++: a name looked up in /usr/bin */
    unsigned threads;                  /* at least 1 */
    uint32_t seconds;                  /* wall clock for compiling and running */
    uint64_t output_bytes; /* what the runner sends must be exactly this long; others: no more */
    int output_fd;         /* where it goes */
    const volatile sig_atomic_t *cancel; /* may be NULL; nonzero ends the run with E_STATE */
    const char *const *more_args;        /* of the runner, NULL at the end; may be NULL */
    int input_fd;                        /* what stdin is inside; 0: there is nothing */
    bool replies;                        /* stdin is what `talk` answers */
    sandbox_talk *talk;                  /* may be NULL; else output_bytes and _fd are not used */
    void *context;
};

struct sandbox_outcome {
    enum reason reason;
    uint64_t wall_ms;    /* from start to end, measured outside */
    uint64_t compile_ms; /* as the runner tells */
    uint64_t kernel_ms;
    struct buffer log;          /* what compiler and job printed, bounded; the caller finishes it */
    char why[SANDBOX_WHY_SIZE]; /* what the program inside says about its end; "" if nothing */
};

/* OK: the job ran, well or badly: see reason. E_UNSUPPORTED: no sandbox can be made here, `error`
 * says what to do. E_STATE: cancelled. E_IO: this machine failed. */
MUST_CHECK enum status sandbox_run(struct sandbox_outcome *out, char error[SANDBOX_ERROR_SIZE],
                                   const struct sandbox_spec *spec);

#endif
