#include "compute/sandbox.h"

#include "base/fatal.h"
#include "compute/limits.h"
#include "compute/sandbox_users.h"
#include "compute/syscalls.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGS_MAX        1700
#define CARD_FILES_MAX  512u /* NVIDIA's library opens its nodes many times */
#define TEXTS_BYTES     4096 /* numbers and links that arguments point to */
#define STATUS_BYTES    256
#define TICK_MS         50
#define REPLY_BYTES_MAX ((AUDIT_WRITTEN_MAX + 64) * 4096ull) /* that the inside has not yet taken */
#define NOBODY          64999u /* the user of a job where there is no user namespace */

/* What the inside finds where. */
enum { FD_OUTPUT = 3, FD_STATUS = 4, FD_INFO = 5, FD_FILTER = 6, FD_USERS = 7, FD_FIRST_FREE = 8 };

/* Ways to make the sandbox, tried in this order. */
enum way { WAY_MAPPED_USER, WAY_USER_NAMESPACE, WAY_ROOT, WAY_ROOT_IN_CHROOT, WAY_COUNT };

struct command {
    const char *args[ARGS_MAX];
    size_t count;
    char texts[TEXTS_BYTES];
    size_t used;
};

struct sandbox {
    const struct sandbox_spec *spec;
    struct sandbox_outcome *out;
    enum way way;
    pid_t bwrap;
    int inner;                             /* pidfd of the pid namespace's first process, or -1 */
    int output, log, status, info, filter; /* our ends; -1 when closed */
    int input;                             /* the same, to the inside's stdin */
    int users;                             /* a user namespace made beforehand, or -1 */
    struct buffer reply;                   /* for there */
    size_t replied;                        /* bytes of it that were taken */
    char status_text[STATUS_BYTES];
    size_t status_size;
    char info_text[STATUS_BYTES];
    size_t info_size;
    uint64_t output_bytes;
    uint64_t log_bytes;
    uint64_t start_ms;
    bool ended; /* a reason is known */
    bool cancelled;
    bool io_failed;
};

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- the command --------------------------------------------------------------------------- */

static void add(struct command *c, const char *arg)
{
    assert(c->count + 1 < ARGS_MAX);
    c->args[c->count++] = arg;
    c->args[c->count] = NULL;
}

static void add_all(struct command *c, const char *const *args)
{
    for (size_t i = 0; args[i] != NULL; i++)
        add(c, args[i]);
}

static const char *keep(struct command *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static const char *keep(struct command *c, const char *format, ...)
{
    va_list args;
    char *at = c->texts + c->used;
    va_start(args, format);
    int size = vsnprintf(at, sizeof c->texts - c->used, format, args);
    va_end(args);
    assert(size >= 0 && (size_t)size < sizeof c->texts - c->used);
    c->used += (size_t)size + 1;
    return at;
}

/* /bin and its like: links into /usr on merged systems, folders on others. */
static void add_system_folder(struct command *c, const char *path)
{
    char target[256];
    struct stat s;
    if (lstat(path, &s) != 0) return;
    if (S_ISLNK(s.st_mode)) {
        ssize_t size = readlink(path, target, sizeof target - 1);
        if (size <= 0) return;
        target[size] = '\0';
        add(c, "--symlink");
        add(c, keep(c, "%s", target));
        add(c, path);
    } else if (S_ISDIR(s.st_mode)) {
        add(c, "--ro-bind");
        add(c, path);
        add(c, path);
    }
}

static void add_namespaces(struct command *c, enum way way)
{
    static const char *const ALL[] = {"bwrap",
                                      "--die-with-parent",
                                      "--new-session",
                                      "--unshare-pid",
                                      "--unshare-net",
                                      "--unshare-ipc",
                                      "--unshare-uts",
                                      "--unshare-cgroup-try",
                                      "--hostname",
                                      "job",
                                      NULL};
    static const char *const WITH_USERS[] = {"--unshare-user", "--uid", "65534",
                                             "--gid",          "65534", NULL};
    static const char *const WITHOUT_USERS[] = {
        "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", NULL};
    static const char *const MAPPED[] = {"--userns", "7", NULL};
    add_all(c, ALL);
    if (way == WAY_MAPPED_USER) add_all(c, MAPPED);
    add_all(c, way == WAY_USER_NAMESPACE ? WITH_USERS : WITHOUT_USERS);
}

static void add_files(struct command *c, const struct sandbox_spec *spec, enum way way)
{
    static const char *const SYSTEM[] = {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};
    static const char *const CACHE[] = {
        "--ro-bind", "/usr", "/usr", "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", NULL};
    add_all(c, CACHE);
    for (size_t i = 0; i < sizeof SYSTEM / sizeof *SYSTEM; i++)
        add_system_folder(c, SYSTEM[i]);
    if (spec->card != NULL) add_all(c, spec->card->mounts);
    const char *const own[] = {"--ro-bind",
                               spec->runner_path,
                               "/leasehold-run",
                               "--ro-bind",
                               spec->job_folder,
                               "/job",
                               "--ro-bind",
                               spec->plan_path,
                               "/plan",
                               "--perms",
                               way == WAY_USER_NAMESPACE ? "0700" : "0777",
                               "--size",
                               keep(c, "%u", RUN_WORK_MIB << 20),
                               "--tmpfs",
                               "/work",
                               "--remount-ro",
                               "/",
                               "--chdir",
                               "/work",
                               NULL};
    add_all(c, own);
}

static void add_rest(struct command *c, const struct sandbox_spec *spec, enum way way)
{
    static const char *const ENVIRONMENT[] = {"--clearenv",
                                              "--setenv",
                                              "PATH",
                                              "/usr/bin",
                                              "--setenv",
                                              "TMPDIR",
                                              "/work",
                                              "--setenv",
                                              "LC_ALL",
                                              "C",
                                              "--setenv",
                                              "GLIBC_TUNABLES",
                                              "glibc.rtld.optional_static_tls=262144",
                                              NULL};
    const char *const program[] = {
        "--info-fd",   "5",
        "--seccomp",   "6",
        "--",          "/leasehold-run",
        "--plan",      "/plan",
        "--job",       "/job",
        "--work",      "/work",
        "--output-fd", "3",
        "--status-fd", "4",
        "--cc",        spec->cc[0] == '/' ? spec->cc : keep(c, "/usr/bin/%.200s", spec->cc),
        "--threads",   keep(c, "%u", spec->threads),
        NULL};
    add_all(c, ENVIRONMENT);
    if (spec->card != NULL) add_all(c, spec->card->environment);
    add_all(c, program);
    if (spec->card != NULL) add_all(c, spec->card->args);
    if (spec->more_args != NULL) add_all(c, spec->more_args);
    if (way != WAY_USER_NAMESPACE) {
        add(c, "--drop-to");
        add(c, keep(c, "%u", NOBODY));
    }
}

static void add_guest(struct command *c, const struct sandbox_guest *guest, enum way way)
{
    static const char *const REST[] = {"--cap-drop", "ALL",       "--clearenv", "--info-fd",
                                       "5",          "--seccomp", "6",          NULL};
    if (way == WAY_USER_NAMESPACE)
        add_all(c, REST);
    else
        add_all(c, REST + 2);
    add(c, "--as-pid-1");
    add_all(c, guest->layout);
    add(c, "--");
    add_all(c, guest->program);
    if (way != WAY_USER_NAMESPACE) {
        add(c, "--drop-to");
        add(c, keep(c, "%u", guest->user));
    }
}

static void make_command(struct command *c, const struct sandbox_spec *spec, enum way way)
{
    add_namespaces(c, way);
    if (spec->guest != NULL) {
        add_guest(c, spec->guest, way);
        return;
    }
    add_files(c, spec, way);
    add_rest(c, spec, way);
}

/* ---- the child before bwrap ---------------------------------------------------------------- */

/* bwrap wants to pivot away from a root that is a mount point, which a plain chroot's is not. So,
 * in a mount namespace of its own: to the namespace's real root, where everything can be made
 * private (else the next step would show outside), bind the chroot over itself, back into it. */
static bool cover_root(void)
{
    char path[4096];
    if (unshare(CLONE_NEWNS) != 0) return false;
    int here = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int space = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    return here >= 0 && space >= 0 && setns(space, CLONE_NEWNS) == 0 &&
           mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && fchdir(here) == 0 &&
           getcwd(path, sizeof path) != NULL &&
           mount(path, path, NULL, MS_BIND | MS_REC, NULL) == 0 && chdir(path) == 0 &&
           chroot(".") == 0;
}

static void limit(int what, rlim_t value)
{
    struct rlimit r = {value, value};
    (void)setrlimit((enum __rlimit_resource)what, &r);
}

/* If memory runs out all the same, the kernel should look here first. */
static void be_first_to_go(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    ssize_t put = write(fd, "1000", 4);
    (void)put;
    close(fd);
}

static bool has_device(const struct sandbox_spec *spec)
{
    return spec->card != NULL && spec->card->has_device;
}

/* fds: what becomes 0 to 7 inside. Only calls that are safe after fork. */
_Noreturn static void become_bwrap(const struct command *c, const int fds[FD_FIRST_FREE],
                                   const struct sandbox_spec *spec, enum way way)
{
    sigset_t none;
    const struct sandbox_guest *guest = spec->guest;
    unsigned files_max = has_device(spec) ? CARD_FILES_MAX : RUN_FILES_MAX;
    if (guest != NULL) files_max = guest->open_files_max;
    int high[FD_FIRST_FREE];
    int count = fds[FD_USERS] < 0 ? FD_USERS : FD_FIRST_FREE;
    for (int i = 0; i < count; i++)
        high[i] = fcntl(fds[i], F_DUPFD, 64 + i);
    for (int i = 0; i < count; i++) {
        if (high[i] < 0 || dup2(high[i], i) != i) _exit(126);
    }
    syscall(SYS_close_range, (unsigned)count, ~0u, 0u);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (way == WAY_ROOT_IN_CHROOT && !cover_root()) {
        dprintf(STDERR_FILENO, "cannot leave the chroot: %s\n", strerror(errno));
        _exit(126);
    }
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, files_max);
    if (guest != NULL) be_first_to_go();
    execvp("bwrap", (char *const *)(uintptr_t)c->args);
    dprintf(STDERR_FILENO, "bwrap: %s\n", strerror(errno));
    _exit(126);
}

static void close_fd(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* At its end from the start; no /dev in a bare chroot. */
static int open_nothing(void)
{
    int ends[2];
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd >= 0 || pipe2(ends, O_CLOEXEC) != 0) return fd;
    close(ends[1]);
    return ends[0];
}

/* What the inside reads; -1 if it cannot be had. */
static int open_input(struct sandbox *s)
{
    int ends[2];
    if (s->spec->input_fd > 0) return fcntl(s->spec->input_fd, F_DUPFD_CLOEXEC, 0);
    if (!s->spec->replies) return open_nothing();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return -1;
    s->input = ends[1];
    return ends[0];
}

static enum syscalls_kind calls_of(const struct sandbox_spec *spec)
{
    if (spec->guest != NULL) return spec->guest->calls;
    return has_device(spec) ? SYSCALLS_EXEC : SYSCALLS_RUNNER;
}

static bool start(struct sandbox *s)
{
    int pipes[4][2] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}}; /* log, output, status, info */
    int input = open_input(s);
    bool good = input >= 0;
    for (int i = 0; i < 4; i++)
        good = good && pipe2(pipes[i], O_CLOEXEC) == 0;
    good =
        good && syscalls_filter(&s->filter, calls_of(s->spec), s->way != WAY_USER_NAMESPACE) == OK;
    if (good) {
        struct command c = {.count = 0};
        make_command(&c, s->spec, s->way);
        const int fds[FD_FIRST_FREE] = {input,       pipes[0][1], pipes[0][1], pipes[1][1],
                                        pipes[2][1], pipes[3][1], s->filter,   s->users};
        s->bwrap = fork();
        if (s->bwrap == 0) become_bwrap(&c, fds, s->spec, s->way);
        good = s->bwrap > 0;
    }
    for (int i = 0; i < 4; i++)
        close_fd(&pipes[i][1]);
    close_fd(&input);
    close_fd(&s->filter);
    close_fd(&s->users);
    s->log = pipes[0][0], s->output = pipes[1][0], s->status = pipes[2][0], s->info = pipes[3][0];
    s->start_ms = now_ms();
    return good;
}

/* ---- watching ------------------------------------------------------------------------------ */

static void end_with(struct sandbox *s, enum reason reason)
{
    if (s->ended) return;
    s->ended = true;
    s->out->reason = reason;
}

static void send_reply(struct sandbox *s)
{
    if (s->input < 0 || s->reply.size == 0) return;
    ssize_t put = send(s->input, s->reply.data + s->replied, s->reply.size - s->replied,
                       MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put <= 0) return; /* full for now, or gone: then the end comes by itself */
    s->replied += (size_t)put;
    if (s->replied < s->reply.size) return;
    buffer_clear(&s->reply);
    s->replied = 0;
}

static void on_talk(struct sandbox *s, const char *data, size_t size)
{
    switch (s->spec->talk(s->spec->context, &s->reply, bytes_of(data, size))) {
    case TALK_ON: break;
    case TALK_ENOUGH: close_fd(&s->input); break;
    case TALK_WRONG: end_with(s, REASON_OUTPUT); break;
    case TALK_FAILED: s->io_failed = true; break;
    }
    if (s->reply.size - s->replied > REPLY_BYTES_MAX) end_with(s, REASON_OUTPUT);
    send_reply(s);
}

static void on_output(struct sandbox *s, const char *data, size_t size)
{
    if (s->spec->talk != NULL) {
        on_talk(s, data, size);
        return;
    }
    s->output_bytes += size;
    if (s->output_bytes > s->spec->output_bytes) {
        end_with(s, REASON_OUTPUT);
        return;
    }
    for (size_t done = 0; done < size;) {
        ssize_t put = write(s->spec->output_fd, data + done, size - done);
        if (put < 0 && errno != EINTR) {
            s->io_failed = true;
            return;
        }
        if (put > 0) done += (size_t)put;
    }
}

static void on_log(struct sandbox *s, const char *data, size_t size)
{
    struct buffer *log = &s->out->log;
    size_t room = RUN_LOG_BYTES_MAX > log->size ? RUN_LOG_BYTES_MAX - log->size : 0;
    buffer_append(log, bytes_of(data, size < room ? size : room));
    s->log_bytes += size;
    if (s->log_bytes > RUN_CHATTER_BYTES_MAX) end_with(s, REASON_OUTPUT);
}

static void keep_text(char text[STATUS_BYTES], size_t *used, const char *data, size_t size)
{
    size_t room = STATUS_BYTES - 1 - *used;
    if (size > room) size = room;
    memcpy(text + *used, data, size);
    *used += size;
    text[*used] = '\0';
}

static void on_info(struct sandbox *s, const char *data, size_t size)
{
    keep_text(s->info_text, &s->info_size, data, size);
    const char *at = strstr(s->info_text, "\"child-pid\":");
    if (at == NULL || s->inner >= 0) return;
    s->inner =
        (int)syscall(SYS_pidfd_open, (pid_t)strtol(at + strlen("\"child-pid\":"), NULL, 10), 0);
}

static bool is_ready(const struct sandbox *s)
{
    return strncmp(s->status_text, "ready\n", 6) == 0;
}

static void on_status(struct sandbox *s, const char *data, size_t size)
{
    bool was_ready = is_ready(s);
    keep_text(s->status_text, &s->status_size, data, size);
    if (!was_ready && is_ready(s)) s->start_ms = now_ms();
}

typedef void on_data(struct sandbox *s, const char *data, size_t size);

/* One chunk; at the end, or on an error, the descriptor is closed. */
static void take(struct sandbox *s, int *fd, on_data *handle)
{
    char chunk[64 * 1024];
    ssize_t got = read(*fd, chunk, sizeof chunk);
    if (got > 0) handle(s, chunk, (size_t)got);
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) close_fd(fd);
}

static void take_what_is_there(struct sandbox *s, int timeout_ms)
{
    int *const fds[] = {&s->output, &s->log, &s->status, &s->info};
    on_data *const handlers[] = {on_output, on_log, on_status, on_info};
    struct pollfd polled[5];
    for (int i = 0; i < 4; i++)
        polled[i] = (struct pollfd){*fds[i], POLLIN, 0};
    polled[4] = (struct pollfd){s->reply.size > 0 ? s->input : -1, POLLOUT, 0};
    if (poll(polled, 5, timeout_ms) <= 0) return;
    if (polled[4].revents != 0) send_reply(s);
    for (int i = 0; i < 4; i++) {
        if (*fds[i] >= 0 && polled[i].revents != 0) take(s, fds[i], handlers[i]);
    }
}

static bool all_closed(const struct sandbox *s)
{
    return s->output < 0 && s->log < 0 && s->status < 0;
}

static bool disk_is_nearly_full(const struct sandbox *s)
{
    struct statvfs v;
    const struct sandbox_guest *guest = s->spec->guest;
    if (guest == NULL || guest->disk_folder == NULL) return false;
    return statvfs(guest->disk_folder, &v) == 0 &&
           (uint64_t)v.f_bavail * v.f_frsize < ROOTFS_DISK_LEFT_MIN;
}

/* Until everything is said, time is up, or somebody has had enough. */
static void watch(struct sandbox *s)
{
    const volatile sig_atomic_t *cancel = s->spec->cancel;
    uint64_t limit_ms = (uint64_t)s->spec->seconds * 1000;
    while (!all_closed(s) && !s->ended && !s->cancelled && !s->io_failed) {
        uint64_t spent = now_ms() - s->start_ms;
        if (!is_ready(s)) {
            if (spent > RUN_GRACE_SECONDS * 4000) return; /* the sandbox itself hangs */
        } else if (spent >= limit_ms) {
            end_with(s, REASON_TIME);
        }
        if (cancel != NULL && *cancel != 0) s->cancelled = true;
        if (disk_is_nearly_full(s)) {
            snprintf(s->out->why, sizeof s->out->why, "this machine's disk is nearly full");
            s->io_failed = true;
        }
        uint64_t left = limit_ms > spent ? limit_ms - spent : 0;
        if (!s->ended) take_what_is_there(s, left < TICK_MS ? (int)left : TICK_MS);
    }
    s->out->wall_ms = now_ms() - s->start_ms;
}

/* ---- the verdict --------------------------------------------------------------------------- */

static void read_why(struct sandbox *s)
{
    const char *line = strstr(s->status_text, "\nwhy ");
    if (line == NULL) return;
    line += strlen("\nwhy ");
    snprintf(s->out->why, sizeof s->out->why, "%.*s", (int)strcspn(line, "\n"), line);
}

/* "end <reason> <compile ms> <kernel ms>" */
static bool read_end_line(struct sandbox *s)
{
    char *at;
    read_why(s);
    const char *line = strstr(s->status_text, "\nend ");
    if (line == NULL) return false;
    unsigned long code = strtoul(line + strlen("\nend "), &at, 10);
    s->out->compile_ms = strtoul(at, &at, 10);
    s->out->kernel_ms = strtoul(at, &at, 10);
    if (*at != '\n') return false;
    end_with(s, code < REASON_COUNT ? (enum reason)code : REASON_SIGNAL);
    return true;
}

/* Without an end line (the runner gave up, or was killed) the exit status has to say it. */
static void judge(struct sandbox *s, int exit_status)
{
    if (!s->ended && read_end_line(s)) exit_status = 0;
    int code_of_runner = WIFEXITED(exit_status) ? WEXITSTATUS(exit_status) : 0;
    if (code_of_runner > 0 && code_of_runner < REASON_COUNT) {
        end_with(s, (enum reason)code_of_runner);
    }
    end_with(s, REASON_SIGNAL);
    if (s->spec->talk != NULL || s->spec->guest != NULL) return; /* who heard it all must know */
    if (s->out->reason == REASON_OK && s->output_bytes != s->spec->output_bytes) {
        s->out->reason = REASON_NO_OUTPUT;
    }
}

/* The first process of a pid namespace takes all others with it and is gone only after them. Once
 * it is, nothing of the job is left. */
static void end_inner(struct sandbox *s)
{
    struct pollfd end = {s->inner, POLLIN, 0};
    if (s->inner < 0) return;
    (void)syscall(SYS_pidfd_send_signal, s->inner, SIGKILL, NULL, 0);
    while (poll(&end, 1, -1) < 0 && errno == EINTR) {
    }
    close_fd(&s->inner);
}

/* Ends what is left, and waits until nothing is. */
static int reap(struct sandbox *s)
{
    int status = 0;
    bool by_itself = all_closed(s) && !s->ended && !s->cancelled;
    if (s->info >= 0 && s->inner < 0) take_what_is_there(s, 0);
    for (int i = 0; by_itself && i < 1000; i++) { /* it is on its way out */
        struct timespec pause = {0, 1000000};
        if (waitpid(s->bwrap, &status, WNOHANG) == s->bwrap) {
            end_inner(s);
            return status;
        }
        nanosleep(&pause, NULL);
    }
    end_inner(s);
    kill(s->bwrap, SIGKILL);
    while (waitpid(s->bwrap, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

static void close_all(struct sandbox *s)
{
    close_fd(&s->output);
    close_fd(&s->log);
    close_fd(&s->status);
    close_fd(&s->info);
    close_fd(&s->input);
    buffer_finish(&s->reply);
}

/* One try. E_UNSUPPORTED when this way does not lead to a running runner. */
static enum status run_one_way(struct sandbox *s)
{
    if (!start(s)) {
        close_all(s);
        if (s->bwrap > 0) (void)reap(s);
        return E_IO;
    }
    watch(s);
    int exit_status = reap(s);
    while (s->log >= 0 && !s->ended)
        take_what_is_there(s, 0); /* what was said last */
    close_all(s);
    if (s->cancelled) return E_STATE;
    if (s->io_failed) return E_IO;
    if (!is_ready(s)) return E_UNSUPPORTED;
    judge(s, exit_status);
    if (s->spec->guest != NULL && s->out->reason == REASON_UNSUPPORTED) return E_IO;
    return s->out->reason == REASON_UNSUPPORTED ? E_UNSUPPORTED : OK;
}

/* Of several ways that failed the first tells most: it is the one that should have worked. */
static void explain(char *error, struct sandbox *s, enum status status)
{
    if (status == E_UNSUPPORTED && error[0] != '\0') return;
    if (status == E_STATE) {
        snprintf(error, SANDBOX_ERROR_SIZE, "cancelled");
    } else if (status == E_UNSUPPORTED) {
        snprintf(error, SANDBOX_ERROR_SIZE,
                 "no sandbox can be made here: %.300s(install bubblewrap; allow user namespaces, "
                 "or run as root)",
                 buffer_text(&s->out->log));
    } else if (s->out->why[0] != '\0') {
        snprintf(error, SANDBOX_ERROR_SIZE, "%s", s->out->why);
    } else {
        snprintf(error, SANDBOX_ERROR_SIZE, "cannot run the sandbox: %s", strerror(errno));
    }
}

/* Root has other ways than being root inside; a guest must not be that outside either, unless this
 * root is one of a user namespace already. */
static bool way_is_open(const struct sandbox_spec *spec, enum way way)
{
    bool root = geteuid() == 0;
    switch (way) {
    case WAY_MAPPED_USER: return root && spec->guest != NULL;
    case WAY_USER_NAMESPACE: return !root || spec->guest == NULL || !users_is_real_root();
    case WAY_ROOT:
    case WAY_ROOT_IN_CHROOT: return root;
    case WAY_COUNT: break;
    }
    return false;
}

enum status sandbox_run(struct sandbox_outcome *out, char error[SANDBOX_ERROR_SIZE],
                        const struct sandbox_spec *spec)
{
    enum status status = E_UNSUPPORTED;
    struct sandbox_outcome outcome = {.reason = REASON_OK};
    assert((spec->threads >= 1 || spec->guest != NULL) && spec->seconds >= 1);
    error[0] = '\0';
    for (int way = 0; way < WAY_COUNT && status == E_UNSUPPORTED; way++) {
        if (!way_is_open(spec, (enum way)way)) continue;
        buffer_finish(&outcome.log);
        outcome = (struct sandbox_outcome){.reason = REASON_OK};
        struct sandbox s = {.spec = spec, .out = &outcome, .way = (enum way)way, .filter = -1};
        s.output = s.log = s.status = s.info = s.inner = s.input = s.users = -1;
        if (way == WAY_MAPPED_USER && (s.users = users_open_mapped(spec->guest->user)) < 0)
            continue;
        status = run_one_way(&s);
        if (status != OK) explain(error, &s, status);
    }
    if (status != OK) {
        buffer_finish(&outcome.log);
        return status;
    }
    *out = outcome;
    return OK;
}
