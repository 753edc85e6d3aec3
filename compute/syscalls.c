#include "compute/syscalls.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static const char ALLOWED[] =
    "access alarm arch_prctl brk chdir chmod clock_getres clock_gettime clock_nanosleep close "
    "close_range copy_file_range creat dup dup2 dup3 execve exit exit_group faccessat "
    "faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fcntl fdatasync flock fork fstat "
    "fstatfs fsync ftruncate futex getcwd getdents getdents64 getegid geteuid getgid getpgrp "
    "getpid getppid getrandom getresgid getresuid getrlimit getrusage gettid gettimeofday "
    "getuid ioctl kill link lseek lstat madvise membarrier mkdir mkdirat mmap mprotect mremap "
    "munmap nanosleep newfstatat open openat pause pipe pipe2 poll ppoll prctl pread64 "
    "prlimit64 pselect6 pwrite64 read readlink readlinkat readv rename renameat renameat2 "
    "restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn "
    "rt_sigsuspend rt_sigtimedwait sched_getaffinity sched_yield seccomp select "
    "set_robust_list set_tid_address setpgid setrlimit sigaltstack stat statfs statx symlink "
    "symlinkat sysinfo tgkill time times truncate umask uname unlink unlinkat utime utimensat "
    "vfork wait4 waitid write writev";

static const char UNPACKING[] =
    "access arch_prctl brk clock_gettime close close_range dup dup2 execve exit exit_group "
    "faccessat faccessat2 fchmod fchmodat fcntl fstat fstatfs futex getdents64 getegid "
    "geteuid getgid getpid getrandom gettid getuid linkat lseek madvise mkdirat mmap mprotect "
    "mremap munmap newfstatat openat prctl pread64 prlimit64 read readlink readlinkat rseq "
    "rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity set_robust_list "
    "set_tid_address setrlimit sigaltstack statfs statx symlinkat sysinfo umask uname "
    "unlinkat utimensat write writev";

/* Beyond ALLOWED: as the default profiles of container runtimes. Not there, of what those let pass:
 * ptrace and its kin, System V memory (which outlives who made it), vmsplice, personality, every
 * call that wants a capability. mknod makes fifos; devices want a capability. */
static const char GENERAL[] =
    "accept accept4 bind capget capset chown connect epoll_create epoll_create1 epoll_ctl "
    "epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 execveat fchown fchownat fgetxattr "
    "flistxattr fremovexattr fsetxattr futex_waitv futimesat get_mempolicy get_robust_list "
    "getcpu getgroups getitimer getpeername getpgid getpriority getsid getsockname getsockopt "
    "getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch ioprio_get "
    "ioprio_set landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown "
    "lgetxattr linkat listen listxattr llistxattr lremovexattr lsetxattr mbind memfd_create "
    "mincore mknod mknodat mlock mlock2 mlockall mq_getsetattr mq_notify mq_open "
    "mq_timedreceive mq_timedsend mq_unlink msync munlock munlockall openat2 pidfd_open "
    "pidfd_send_signal pkey_alloc pkey_free pkey_mprotect preadv preadv2 process_mrelease "
    "pwritev pwritev2 readahead recvfrom recvmmsg recvmsg removexattr rt_sigqueueinfo "
    "rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getattr "
    "sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr "
    "sched_setparam sched_setscheduler sendfile sendmmsg sendmsg sendto set_mempolicy "
    "setfsgid setfsuid setitimer setpriority setregid setreuid setsid setsockopt setxattr "
    "shutdown signalfd signalfd4 splice sync sync_file_range syncfs tee timer_create "
    "timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime "
    "timerfd_settime tkill utimes";

static const char CHANGES_USER[] = "setgroups setresgid setresuid setuid setgid";

/* Calls that a libc of this architecture does not have are no error. */
static bool allow(scmp_filter_ctx filter, const char *name)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || number < 0) return true;
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0) == 0;
}

/* Names with one space between. */
static bool allow_all(scmp_filter_ctx filter, const char *names)
{
    char name[32];
    bool good = true;
    while (good && *names != '\0') {
        size_t size = strcspn(names, " ");
        assert(size > 0 && size < sizeof name);
        memcpy(name, names, size);
        name[size] = '\0';
        good = allow(filter, name);
        names += size + (names[size] == ' ');
    }
    return good;
}

static bool allow_processes(scmp_filter_ctx filter)
{
    const scmp_datum_t namespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
                                    CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, namespaces, 0)) == 0;
}

/* Of sockets only those that a network namespace of its own holds back: vsock, for one, would reach
 * the host. */
static bool allow_sockets(scmp_filter_ctx filter)
{
    static const int FAMILIES[] = {AF_UNIX, AF_INET, AF_INET6};
    bool good = true;
    for (size_t i = 0; i < sizeof FAMILIES / sizeof *FAMILIES; i++) {
        const scmp_datum_t family = (scmp_datum_t)FAMILIES[i];
        good = good && seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                                        SCMP_A0(SCMP_CMP_EQ, family)) == 0;
        good = good && seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1,
                                        SCMP_A0(SCMP_CMP_EQ, family)) == 0;
    }
    return good;
}

static bool fill(scmp_filter_ctx filter, enum syscalls_kind kind, bool may_change_user)
{
    bool good = !may_change_user || allow_all(filter, CHANGES_USER);
    switch (kind) {
    case SYSCALLS_RUNNER:
        return good && allow_all(filter, ALLOWED) && allow_processes(filter) &&
               seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 0) == 0;
    case SYSCALLS_UNPACK: return good && allow_all(filter, UNPACKING);
    case SYSCALLS_EXEC:
        return good && allow_all(filter, ALLOWED) && allow_all(filter, GENERAL) &&
               (may_change_user || allow_all(filter, CHANGES_USER)) && allow_processes(filter) &&
               allow_sockets(filter);
    }
    return false;
}

enum status syscalls_filter(int *out_fd, enum syscalls_kind kind, bool may_change_user)
{
    enum status status = E_UNSUPPORTED;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int fd = memfd_create("filter", MFD_CLOEXEC);
    if (filter == NULL || fd < 0) goto fail;
    if (!fill(filter, kind, may_change_user)) goto fail;
    if (seccomp_export_bpf(filter, fd) != 0 || lseek(fd, 0, SEEK_SET) != 0) goto fail;
    seccomp_release(filter);
    *out_fd = fd;
    return OK;
fail:
    if (filter != NULL) seccomp_release(filter);
    if (fd >= 0) close(fd);
    return status;
}
