/* init_main.c - leasehold-init: the first process in an exec job's sandbox.
 *
 * Runs the job's command as an unprivileged user, watches what all its processes take, kills
 * whatever is left when the command has ended, and sends the outputs. The job cannot stop it (the
 * first process of a pid namespace gets no signals from inside), nor look into it (it is not
 * dumpable, so that its memory and descriptors under /proc are closed). Linked statically: the
 * image it runs in is somebody else's. libc only. */
#include "compute/exec_outputs.h"
#include "compute/exec_usage.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS    25
#define CANNOT_RUN 127
#define SPARE_MIB  1024u /* address space that need not be touched */
#define OUTPUT_FD  3
#define STATUS_FD  4
#define JOB_FOLDER "/job"

struct init {
    const char *plan_path;
    unsigned user; /* 0: stay who one is */
    struct exec_plan plan;
    pid_t child;
    bool child_ended;
    int child_status;
    char why[EXEC_WHY_SIZE];
};

_Noreturn static void give_up(const char *what)
{
    dprintf(STDERR_FILENO, "leasehold-init: %s: %s\n", what, strerror(errno));
    _exit(REASON_UNSUPPORTED);
}

static void read_options(struct init *init, int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"plan", required_argument, NULL, 'p'},
                                            {"drop-to", required_argument, NULL, 'u'},
                                            {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        if (option == 'p') init->plan_path = optarg;
        if (option == 'u') init->user = (unsigned)strtoul(optarg, NULL, 10);
    }
    errno = EINVAL;
    if (init->plan_path == NULL || optind != argc)
        give_up("is run by leasehold-worker, with --plan");
}

static void read_plan(struct init *init)
{
    static char text[EXEC_PLAN_BYTES_MAX];
    size_t used = 0;
    int fd = open(init->plan_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) give_up(init->plan_path);
    for (;;) {
        ssize_t got = read(fd, text + used, sizeof text - used);
        if (got < 0) give_up(init->plan_path);
        if (got == 0) break;
        used += (size_t)got;
    }
    close(fd);
    errno = EINVAL;
    if (exec_plan_parse(&init->plan, text, used) != OK) give_up(init->plan_path);
}

static void become_user(const struct init *init)
{
    unsigned user = init->user;
    if (user == 0) return;
    if (setgroups(0, NULL) != 0 || setresgid(user, user, user) != 0 ||
        setresuid(user, user, user) != 0) {
        give_up("cannot become an unprivileged user");
    }
}

/* ---- the command --------------------------------------------------------------------------- */

static void limit(int what, uint64_t value)
{
    struct rlimit r = {value, value};
    if (setrlimit((enum __rlimit_resource)what, &r) != 0) give_up("cannot set a limit");
}

/* What is looked at many times a second is also bounded for good, with room for the looking:
 * memory that is only reserved counts for nothing there and for something here. */
static void limit_job(const struct exec_plan *plan)
{
    limit(RLIMIT_NPROC, plan->processes + 2); /* init, and one too many */
    limit(RLIMIT_CORE, 0);
    if (!plan->device) limit(RLIMIT_DATA, 2 * plan->memory_bytes + ((uint64_t)SPARE_MIB << 20));
}

_Noreturn static void run_command(struct init *init)
{
    sigset_t none;
    const struct exec_plan *plan = &init->plan;
    const char *folder = plan->workdir != NULL ? plan->workdir : EXEC_WORK_FOLDER;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    limit_job(plan);
    if (chdir(folder) != 0) {
        dprintf(STDERR_FILENO, "leasehold-init: cannot enter %s: %s\n", folder, strerror(errno));
        _exit(CANNOT_RUN);
    }
    environ = (char **)(uintptr_t)plan->env;
    execvp(plan->args[0], (char *const *)(uintptr_t)plan->args);
    dprintf(STDERR_FILENO, "leasehold-init: cannot run %s: %s\n", plan->args[0], strerror(errno));
    _exit(CANNOT_RUN);
}

/* ---- watching ------------------------------------------------------------------------------ */

static void bury(struct init *init, int options)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, options)) > 0 || (pid < 0 && errno == EINTR)) {
        if (pid != init->child) continue;
        init->child_ended = true;
        init->child_status = status;
    }
}

static enum reason say(struct init *init, enum reason reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static enum reason say(struct init *init, enum reason reason, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(init->why, sizeof init->why, format, args);
    va_end(args);
    return reason;
}

static enum reason check_disk(struct init *init)
{
    struct statvfs v;
    if (statvfs(JOB_FOLDER, &v) != 0) return REASON_OK;
    uint64_t mib = (uint64_t)v.f_blocks * v.f_frsize >> 20;
    if (v.f_bfree == 0) return say(init, REASON_DISK, "%" PRIu64 " MiB", mib);
    if (v.f_files - v.f_ffree > EXEC_FILES_MAX) {
        return say(init, REASON_DISK, "with more than %u files", EXEC_FILES_MAX);
    }
    return REASON_OK;
}

static enum reason check_usage(struct init *init)
{
    struct exec_usage usage;
    const struct exec_plan *plan = &init->plan;
    exec_usage_read(&usage, false);
    if (usage.tasks > plan->processes) {
        return say(init, REASON_PROCESSES, "more than %" PRIu32, plan->processes);
    }
    if (usage.memory_bytes <= plan->memory_bytes) return REASON_OK;
    exec_usage_read(&usage, true);
    if (usage.memory_bytes <= plan->memory_bytes) return REASON_OK;
    return say(init, REASON_MEMORY, "%" PRIu64 " MiB", plan->memory_bytes >> 20);
}

/* Until the command has ended or its processes have taken too much. */
static enum reason watch(struct init *init)
{
    const struct timespec tick = {0, TICK_MS * 1000000L};
    enum reason reason = REASON_OK;
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    for (;;) {
        bury(init, WNOHANG);
        if (init->child_ended) return REASON_OK;
        reason = check_usage(init);
        if (reason == REASON_OK) reason = check_disk(init);
        if (reason != REASON_OK) return reason;
        sigtimedwait(&child, NULL, &tick);
    }
}

static enum reason reason_of_status(struct init *init)
{
    int status = init->child_status;
    if (WIFEXITED(status)) {
        if (WEXITSTATUS(status) == 0) return REASON_OK;
        return say(init, REASON_EXIT_STATUS, "%d", WEXITSTATUS(status));
    }
    return say(init, REASON_SIGNAL, "%d", WTERMSIG(status));
}

/* From here on nothing of the job runs. */
static void kill_all(struct init *init)
{
    kill(-1, SIGKILL);
    bury(init, 0);
}

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void start_command(struct init *init)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    init->child = fork();
    if (init->child < 0) give_up("cannot start the command");
    if (init->child == 0) run_command(init);
}

static enum reason run(struct init *init)
{
    start_command(init);
    enum reason reason = watch(init);
    kill_all(init);
    if (reason == REASON_OK) reason = check_disk(init);
    if (reason == REASON_OK) reason = reason_of_status(init);
    if (reason == REASON_OK) reason = exec_outputs_send(OUTPUT_FD, init->why, &init->plan);
    return reason;
}

int main(int argc, char **argv)
{
    static struct init init;
    read_options(&init, argc, argv);
    fcntl(OUTPUT_FD, F_SETFD, FD_CLOEXEC);
    fcntl(STATUS_FD, F_SETFD, FD_CLOEXEC);
    read_plan(&init);
    become_user(&init);
    umask(022);
    signal(SIGPIPE, SIG_IGN);
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) give_up("cannot hide");
    dprintf(STATUS_FD, "ready\n");
    uint64_t start_ms = now_ms();
    enum reason reason = run(&init);
    if (init.why[0] != '\0') dprintf(STATUS_FD, "why %s\n", init.why);
    dprintf(STATUS_FD, "end %d 0 %" PRIu64 "\n", (int)reason, now_ms() - start_ms);
    return 0;
}
