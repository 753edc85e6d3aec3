/* confine.c - limits, and the filter under which the job's own code runs.
 *
 * The sandbox outside is the wall; this is the inner one, and what gives each kind of misconduct
 * its own reason. Calls that a kernel has no business with raise SIGSYS; the handler names the
 * reason and ends the process. Three it answers itself, through one gate whose address the filter
 * knows: memory (so that a refusal ends the job as over its limit), the loader's opening of the
 * compiled module, and signal masks, which stay as they are. */
#include "compute/runner/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define SIGNAL_STACK_BYTES (64u * 1024u)
#define RUNNER_OWN_BYTES   (96ull << 20) /* address space of libc and of the runner itself */
#define THREAD_OWN_BYTES   (4ull << 20)  /* and of each of its threads */

static int module_fd = -1; /* the handlers' only way to know; one job a process */
static const char *module_name;

void give_up(enum reason reason, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    if (size < 0) size = 0;
    if ((size_t)size > sizeof line - 2) size = sizeof line - 2;
    line[size] = '\n';
    ssize_t put = write(STDERR_FILENO, line, (size_t)size + 1);
    (void)put;
    _exit((int)reason);
}

static void limit(int what, uint64_t value)
{
    struct rlimit r = {value, value};
    if (setrlimit((enum __rlimit_resource)what, &r) != 0)
        give_up(REASON_UNSUPPORTED, "cannot set limit %d", what);
}

void limit_compiler(void)
{
    limit(RLIMIT_AS, (uint64_t)RUN_COMPILE_MIB << 20);
    limit(RLIMIT_CPU, RUN_COMPILE_SECONDS);
    limit(RLIMIT_FSIZE, (uint64_t)RUN_WORK_MIB << 20);
    limit(RLIMIT_NPROC, RUN_PROCESSES_MAX);
    limit(RLIMIT_CORE, 0);
}

/* What the job asked for, and beside it what its blocks' stacks may take at most. */
void limit_job(const struct runner_options *options, const struct plan *plan)
{
    uint64_t threads_of_block = 1;
    for (uint32_t i = 0; i < plan->launch_count; i++) {
        const uint32_t *b = plan->launches[i].block;
        uint64_t count = (uint64_t)b[0] * b[1] * b[2];
        if (count > threads_of_block) threads_of_block = count;
    }
    uint64_t each = threads_of_block * (FIBER_STACK_BYTES + 4096) + THREAD_OWN_BYTES;
    limit(RLIMIT_AS, plan->memory_bytes + trace_memory_bytes(plan) + RUNNER_OWN_BYTES +
                         options->threads * each);
    limit(RLIMIT_CPU, (uint64_t)plan->seconds * options->threads + RUN_GRACE_SECONDS);
    limit(RLIMIT_NPROC, RUN_PROCESSES_MAX + options->threads);
    limit(RLIMIT_CORE, 0);
}

void become_nobody(unsigned user)
{
    if (user == 0) return;
    if (setgroups(0, NULL) != 0 || setresgid(user, user, user) != 0 ||
        setresuid(user, user, user) != 0) {
        give_up(REASON_UNSUPPORTED, "cannot become user %u: %s", user, strerror(errno));
    }
}

#if defined(__x86_64__)

long gate_call(long number, long a, long b, long c, long d, long e, long f);
extern const char gate_return[];

#define REASON_OF_CALLS(X)                                                                         \
    X(SYS_fork, PROCESSES)                                                                         \
    X(SYS_vfork, PROCESSES)                                                                        \
    X(SYS_clone, PROCESSES)                                                                        \
    X(SYS_clone3, PROCESSES)                                                                       \
    X(SYS_execve, PROCESSES)                                                                       \
    X(SYS_execveat, PROCESSES)                                                                     \
    X(SYS_open, FILES)                                                                             \
    X(SYS_openat, FILES)                                                                           \
    X(SYS_openat2, FILES)                                                                          \
    X(SYS_creat, FILES)                                                                            \
    X(SYS_stat, FILES)                                                                             \
    X(SYS_lstat, FILES)                                                                            \
    X(SYS_newfstatat, FILES)                                                                       \
    X(SYS_statx, FILES)                                                                            \
    X(SYS_access, FILES)                                                                           \
    X(SYS_faccessat, FILES)                                                                        \
    X(SYS_readlink, FILES)                                                                         \
    X(SYS_readlinkat, FILES)                                                                       \
    X(SYS_getdents64, FILES)                                                                       \
    X(SYS_mkdir, FILES)                                                                            \
    X(SYS_unlink, FILES)                                                                           \
    X(SYS_unlinkat, FILES)                                                                         \
    X(SYS_rename, FILES)                                                                           \
    X(SYS_chmod, FILES)                                                                            \
    X(SYS_chdir, FILES)                                                                            \
    X(SYS_memfd_create, FILES)                                                                     \
    X(SYS_socket, NETWORK)                                                                         \
    X(SYS_socketpair, NETWORK)                                                                     \
    X(SYS_connect, NETWORK)                                                                        \
    X(SYS_bind, NETWORK)                                                                           \
    X(SYS_listen, NETWORK)                                                                         \
    X(SYS_accept, NETWORK)                                                                         \
    X(SYS_accept4, NETWORK)                                                                        \
    X(SYS_sendto, NETWORK)                                                                         \
    X(SYS_sendmsg, NETWORK)                                                                        \
    X(SYS_recvfrom, NETWORK)                                                                       \
    X(SYS_recvmsg, NETWORK)                                                                        \
    X(SYS_kill, TRAP)                                                                              \
    X(SYS_tkill, TRAP)                                                                             \
    X(SYS_tgkill, TRAP)

static enum reason reason_of_call(long number)
{
    switch (number) {
#define X(call, reason)                                                                            \
    case call: return REASON_##reason;
        REASON_OF_CALLS(X)
#undef X
    default: return REASON_SYSCALL; /* a number from outside, not an enum */
    }
}

static bool is_module(const char *path)
{
    return module_name != NULL && path != NULL && strcmp(path, module_name) == 0;
}

static void on_denied_call(int signal, siginfo_t *info, void *context)
{
    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    long number = info->si_syscall;
    int saved = errno;
    (void)signal;
    if (number == SYS_mmap || number == SYS_mremap || number == SYS_brk) {
        r[REG_RAX] =
            gate_call(number, r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8], r[REG_R9]);
        bool refused = number == SYS_brk ? r[REG_RAX] < r[REG_RDI] : r[REG_RAX] == -ENOMEM;
        if (refused) give_up(REASON_MEMORY, "memory is over the job's limit");
    } else if (number == SYS_openat && is_module((const char *)r[REG_RSI])) {
        r[REG_RAX] = gate_call(SYS_dup, module_fd, 0, 0, 0, 0, 0);
    } else if (number == SYS_rt_sigprocmask) {
        r[REG_RAX] = 0;
    } else {
        enum reason reason = reason_of_call(number);
        give_up(reason, "%s (system call %ld)", reason_text(reason), number);
    }
    errno = saved;
}

#define ALLOW       BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define TRAP        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP)
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_ARG(n, half)                                                                          \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (n) + 4 * (half))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define PERMIT(call)        UNLESS(call, 1), ALLOW

static void install_filter(void)
{
    uint64_t gate = (uint64_t)(uintptr_t)gate_return;
    struct sock_filter filter[] = {
        LOAD(arch),
        UNLESS(AUDIT_ARCH_X86_64, 1),
        BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
        PERMIT(SYS_futex),
        PERMIT(SYS_munmap),
        PERMIT(SYS_mprotect),
        PERMIT(SYS_madvise),
        PERMIT(SYS_read),
        PERMIT(SYS_pread64),
        PERMIT(SYS_fstat),
        PERMIT(SYS_close),
        PERMIT(SYS_lseek),
        PERMIT(SYS_exit),
        PERMIT(SYS_exit_group),
        PERMIT(SYS_rt_sigreturn),
        PERMIT(SYS_sched_yield),
        PERMIT(SYS_clock_gettime),
        PERMIT(SYS_getpid),
        PERMIT(SYS_gettid),
        /* write to the three pipes that there are */
        UNLESS(SYS_write, 4),
        LOAD_ARG(0, 0),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 3, 1, 0),
        ALLOW,
        TRAP,
        /* fstat by another name: an empty path */
        UNLESS(SYS_newfstatat, 4),
        LOAD_ARG(3, 0),
        UNLESS(AT_EMPTY_PATH, 1),
        ALLOW,
        TRAP,
        /* the gate's own few */
        UNLESS(SYS_mmap, 1),
        BPF_JUMP(BPF_JMP | BPF_JA, 6, 0, 0),
        UNLESS(SYS_mremap, 1),
        BPF_JUMP(BPF_JMP | BPF_JA, 4, 0, 0),
        UNLESS(SYS_brk, 1),
        BPF_JUMP(BPF_JMP | BPF_JA, 2, 0, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_dup, 1, 0),
        TRAP,
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer)),
        UNLESS((uint32_t)gate, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer) + 4),
        UNLESS((uint32_t)(gate >> 32), 1),
        ALLOW,
        TRAP,
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0) {
        give_up(REASON_UNSUPPORTED, "cannot confine the job: %s", strerror(errno));
    }
}

#else

static void install_filter(void) /* elsewhere the sandbox's own filter must do */
{
}

static void on_denied_call(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    give_up(REASON_SYSCALL, "system call %d is not allowed", info->si_syscall);
}

#endif

void confine_job(const char *module_path)
{
    module_fd = open(module_path, O_RDONLY | O_CLOEXEC);
    if (module_fd < 0) give_up(REASON_COMPILE, "there are no compiled kernels");
    module_name = module_path;
    install_filter();
}

/* Where the processor does not say, a read; then a write faults once more. */
static bool is_write(const void *context)
{
#if defined(__x86_64__)
    return (((const ucontext_t *)context)->uc_mcontext.gregs[REG_ERR] & 2) != 0;
#else
    (void)context;
    return false;
#endif
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    enum reason reason = REASON_FAULT;
    if (signal == SIGSEGV && audit_serve(info->si_addr, is_write(context))) return;
    if (signal == SIGFPE) reason = REASON_ARITHMETIC;
    if (signal == SIGILL || signal == SIGTRAP) reason = REASON_TRAP;
    give_up(reason, "block (%u,%u,%u) %s", lh_now.block.x, lh_now.block.y, lh_now.block.z,
            reason_text(reason));
}

void prepare_thread_for_faults(void)
{
    void *at =
        mmap(NULL, SIGNAL_STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) give_up(REASON_MEMORY, "no memory for signal stacks");
    stack_t stack = {.ss_sp = at, .ss_size = SIGNAL_STACK_BYTES};
    if (sigaltstack(&stack, NULL) != 0) give_up(REASON_UNSUPPORTED, "no signal stack");
}

void catch_faults(void)
{
    static const int FAULTS[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    action.sa_sigaction = on_fault;
    for (size_t i = 0; i < sizeof FAULTS / sizeof *FAULTS; i++) {
        if (sigaction(FAULTS[i], &action, NULL) != 0) give_up(REASON_UNSUPPORTED, "no handler");
    }
    action.sa_sigaction = on_denied_call;
    if (sigaction(SIGSYS, &action, NULL) != 0) give_up(REASON_UNSUPPORTED, "no handler");
}
