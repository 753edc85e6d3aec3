#include "compute/syscalls.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const ALLOWED[] = {"access",
                                      "alarm",
                                      "arch_prctl",
                                      "brk",
                                      "chdir",
                                      "chmod",
                                      "clock_getres",
                                      "clock_gettime",
                                      "clock_nanosleep",
                                      "close",
                                      "close_range",
                                      "copy_file_range",
                                      "creat",
                                      "dup",
                                      "dup2",
                                      "dup3",
                                      "execve",
                                      "exit",
                                      "exit_group",
                                      "faccessat",
                                      "faccessat2",
                                      "fadvise64",
                                      "fallocate",
                                      "fchdir",
                                      "fchmod",
                                      "fchmodat",
                                      "fcntl",
                                      "fdatasync",
                                      "flock",
                                      "fork",
                                      "fstat",
                                      "fstatfs",
                                      "fsync",
                                      "ftruncate",
                                      "futex",
                                      "getcwd",
                                      "getdents",
                                      "getdents64",
                                      "getegid",
                                      "geteuid",
                                      "getgid",
                                      "getpgrp",
                                      "getpid",
                                      "getppid",
                                      "getrandom",
                                      "getresgid",
                                      "getresuid",
                                      "getrlimit",
                                      "getrusage",
                                      "gettid",
                                      "gettimeofday",
                                      "getuid",
                                      "ioctl",
                                      "kill",
                                      "link",
                                      "lseek",
                                      "lstat",
                                      "madvise",
                                      "membarrier",
                                      "mkdir",
                                      "mkdirat",
                                      "mmap",
                                      "mprotect",
                                      "mremap",
                                      "munmap",
                                      "nanosleep",
                                      "newfstatat",
                                      "open",
                                      "openat",
                                      "pause",
                                      "pipe",
                                      "pipe2",
                                      "poll",
                                      "ppoll",
                                      "prctl",
                                      "pread64",
                                      "prlimit64",
                                      "pselect6",
                                      "pwrite64",
                                      "read",
                                      "readlink",
                                      "readlinkat",
                                      "readv",
                                      "rename",
                                      "renameat",
                                      "renameat2",
                                      "restart_syscall",
                                      "rmdir",
                                      "rseq",
                                      "rt_sigaction",
                                      "rt_sigpending",
                                      "rt_sigprocmask",
                                      "rt_sigreturn",
                                      "rt_sigsuspend",
                                      "rt_sigtimedwait",
                                      "sched_getaffinity",
                                      "sched_yield",
                                      "seccomp",
                                      "select",
                                      "set_robust_list",
                                      "set_tid_address",
                                      "setpgid",
                                      "setrlimit",
                                      "sigaltstack",
                                      "stat",
                                      "statfs",
                                      "statx",
                                      "symlink",
                                      "symlinkat",
                                      "sysinfo",
                                      "tgkill",
                                      "time",
                                      "times",
                                      "truncate",
                                      "umask",
                                      "uname",
                                      "unlink",
                                      "unlinkat",
                                      "utime",
                                      "utimensat",
                                      "vfork",
                                      "wait4",
                                      "waitid",
                                      "write",
                                      "writev"};

static const char *const CHANGES_USER[] = {"setgroups", "setresgid", "setresuid", "setuid",
                                           "setgid"};

/* Calls that a libc of this architecture does not have are no error. */
static bool allow(scmp_filter_ctx filter, const char *name)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || number < 0) return true;
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0) == 0;
}

static bool fill(scmp_filter_ctx filter, bool may_change_user)
{
    const scmp_datum_t namespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
                                    CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    bool good = true;
    for (size_t i = 0; i < sizeof ALLOWED / sizeof *ALLOWED; i++) {
        good = good && allow(filter, ALLOWED[i]);
    }
    for (size_t i = 0; may_change_user && i < sizeof CHANGES_USER / sizeof *CHANGES_USER; i++) {
        good = good && allow(filter, CHANGES_USER[i]);
    }
    good = good && seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                    SCMP_A0(SCMP_CMP_MASKED_EQ, namespaces, 0)) == 0;
    good = good && seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 0) == 0;
    return good;
}

enum status syscalls_filter(int *out_fd, bool may_change_user)
{
    enum status status = E_UNSUPPORTED;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int fd = memfd_create("filter", MFD_CLOEXEC);
    if (filter == NULL || fd < 0) goto fail;
    if (!fill(filter, may_change_user)) goto fail;
    if (seccomp_export_bpf(filter, fd) != 0 || lseek(fd, 0, SEEK_SET) != 0) goto fail;
    seccomp_release(filter);
    *out_fd = fd;
    return OK;
fail:
    if (filter != NULL) seccomp_release(filter);
    if (fd >= 0) close(fd);
    return status;
}
