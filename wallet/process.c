#include "wallet/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_BYTES_MAX (64u << 10)
#define START_TIME_FIELD 22
#define STEP_MS          20u
#define KILL_MS          2000u

/* 0 when there is no such process, or when it is only waiting to be reaped. */
static uint64_t start_time_of(long pid)
{
    char path[64];
    char text[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    if (size <= 0) return 0;
    text[size] = '\0';
    char *at = strrchr(text, ')'); /* field 2 may hold anything */
    if (at == NULL || at[1] != ' ' || at[2] == 'Z') return 0;
    for (int field = 2; field < START_TIME_FIELD && at != NULL; field++)
        at = strchr(at + 1, ' ');
    return at != NULL ? strtoull(at + 1, NULL, 10) : 0;
}

static void become(char *const argv[], const char *log_path)
{
    int empty = open("/dev/null", O_RDONLY);
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (empty < 0 || log < 0) _exit(127);
    setsid();
    dup2(empty, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
    execv(argv[0], argv);
    _exit(127);
}

enum status process_start(struct process *out, const char *name, char *const argv[],
                          const char *log_path)
{
    if (access(argv[0], X_OK) != 0) return E_NOT_FOUND;
    pid_t pid = fork();
    if (pid < 0) return E_IO;
    if (pid == 0) become(argv, log_path);
    struct process p = {.pid = pid, .start_time = start_time_of(pid)};
    snprintf(p.name, sizeof p.name, "%s", name);
    *out = p;
    return OK;
}

bool process_alive(const struct process *p)
{
    if (p->pid <= 0) return false;
    waitpid((pid_t)p->pid, NULL, WNOHANG); /* if it is a child of ours that has ended */
    uint64_t start = start_time_of(p->pid);
    return start != 0 && start == p->start_time;
}

static void await_end(const struct process *p, uint32_t patience_ms)
{
    struct timespec pause = {.tv_nsec = STEP_MS * 1000000L};
    for (uint32_t waited = 0; waited < patience_ms && process_alive(p); waited += STEP_MS)
        nanosleep(&pause, NULL);
}

void process_ask_to_end(const struct process *p)
{
    if (process_alive(p)) kill((pid_t)p->pid, SIGTERM);
}

void process_interrupt(const struct process *p)
{
    if (process_alive(p)) kill((pid_t)p->pid, SIGINT);
}

void process_end(const struct process *p, uint32_t patience_ms)
{
    process_ask_to_end(p);
    await_end(p, patience_ms);
    process_kill(p);
}

void process_kill(const struct process *p)
{
    if (!process_alive(p)) return;
    kill((pid_t)p->pid, SIGKILL);
    await_end(p, KILL_MS);
}

static enum status read_all(struct buffer *out, int fd)
{
    size_t before = out->size;
    for (;;) {
        char part[4096];
        ssize_t got = read(fd, part, sizeof part);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return E_IO;
        if (got == 0) return OK;
        if (out->size - before + (size_t)got > OUTPUT_BYTES_MAX) return E_LIMIT;
        buffer_append(out, bytes_of(part, (size_t)got));
    }
}

extern char **environ;

enum status process_output(struct buffer *out, char *const argv[])
{
    int pipe_fds[2];
    int exit_status = -1;
    pid_t pid = 0;
    posix_spawn_file_actions_t actions;
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) return E_IO;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDOUT_FILENO);
    int failed = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_fds[1]);
    enum status status = failed == 0 ? read_all(out, pipe_fds[0]) : E_IO;
    close(pipe_fds[0]);
    if (failed != 0) return E_IO;
    while (waitpid(pid, &exit_status, 0) < 0 && errno == EINTR) {
    }
    if (status != OK) return status;
    return WIFEXITED(exit_status) && WEXITSTATUS(exit_status) == 0 ? OK : E_IO;
}

static bool program_in(char *out, size_t size, const char *folder, size_t folder_size,
                       const char *program)
{
    int n = snprintf(out, size, "%.*s/%s", (int)folder_size, folder, program);
    return n > 0 && (size_t)n < size && access(out, X_OK) == 0;
}

enum status process_find_program(char *out, size_t size, const char *program)
{
    char self[PATH_MAX];
    ssize_t self_size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (self_size > 0) {
        self[self_size] = '\0';
        char *slash = strrchr(self, '/');
        if (slash != NULL && program_in(out, size, self, (size_t)(slash - self), program))
            return OK;
    }
    const char *path = getenv("PATH");
    for (const char *at = path != NULL ? path : ""; *at != '\0';) {
        size_t part = strcspn(at, ":");
        if (part > 0 && program_in(out, size, at, part, program)) return OK;
        at += part + (at[part] == ':' ? 1 : 0);
    }
    return E_NOT_FOUND;
}

json_t *process_to_json(const struct process *p)
{
    return json_pack("{s:s,s:I,s:I}", "name", p->name, "pid", (json_int_t)p->pid, "startTime",
                     (json_int_t)p->start_time);
}

bool process_from_json(struct process *out, const json_t *object)
{
    struct process p = {0};
    const char *name = json_string_value(json_object_get(object, "name"));
    if (name == NULL || strlen(name) >= sizeof p.name) return false;
    snprintf(p.name, sizeof p.name, "%s", name);
    p.pid = (long)json_integer_value(json_object_get(object, "pid"));
    p.start_time = (uint64_t)json_integer_value(json_object_get(object, "startTime"));
    *out = p;
    return p.pid > 0;
}
