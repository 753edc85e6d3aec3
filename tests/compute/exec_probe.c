/* What runs inside the images of test_exec.c: one deed for each word. Linked statically. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void put(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    if (out == NULL) {
        fprintf(stderr, "cannot write %s: %s\n", path, strerror(errno));
        exit(9);
    }
    fputs(text, out);
    fclose(out);
}

/* copy FROM TO */
static int copy(char **argv)
{
    char chunk[4096];
    FILE *in = fopen(argv[2], "r"), *out = fopen(argv[3], "w");
    size_t got;
    if (in == NULL || out == NULL) return 9;
    while ((got = fread(chunk, 1, sizeof chunk, in)) > 0)
        fwrite(chunk, 1, got, out);
    fclose(in);
    return fclose(out) == 0 ? 0 : 9;
}

static int print_world(void)
{
    char cwd[256];
    FILE *out = fopen("/job/out/world", "w");
    if (out == NULL) return 9;
    fprintf(out, "cwd=%s pid1=%d uid=%d word=%s home=%s path=%s\n", getcwd(cwd, sizeof cwd),
            getppid() == 1, getuid() != 0, getenv("WORD"), getenv("HOME"), getenv("PATH"));
    return fclose(out);
}

static int bomb(void)
{
    for (;;)
        fork();
}

static void *sleep_long(void *unused)
{
    pause();
    return unused;
}

static int threads(int count)
{
    pthread_t t;
    for (int i = 0; i < count; i++) {
        if (pthread_create(&t, NULL, sleep_long, NULL) != 0) break;
    }
    sleep(1);
    put("/job/out/x", "threads");
    return 0;
}

static void touch(volatile char *at, size_t size)
{
    for (size_t i = 0; i < size; i += 4096)
        at[i] = 1;
}

static int hog(int kind)
{
    for (;;) {
        size_t size = 4 << 20;
        int flags = kind == 's' ? MAP_SHARED | MAP_ANONYMOUS : MAP_PRIVATE | MAP_ANONYMOUS;
        void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
        if (at != MAP_FAILED) touch(at, size);
        if (kind == 'f' && fork() != 0) pause();
    }
}

/* Much that is shared: it is there once. */
static int share(void)
{
    size_t size = 40 << 20;
    char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    touch(at, size);
    for (int i = 0; i < 4; i++) {
        if (fork() == 0) {
            sleep(1);
            _exit(0);
        }
    }
    while (wait(NULL) > 0) {
    }
    put("/job/out/x", "shared");
    return 0;
}

static int fill_disk(const char *folder)
{
    static char chunk[1 << 20];
    char path[256];
    snprintf(path, sizeof path, "%s/big", folder);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    for (;;) {
        if (write(fd, chunk, sizeof chunk) < 0) usleep(1000);
    }
}

static int fill_inodes(void)
{
    char path[64];
    for (long i = 0;; i++) {
        snprintf(path, sizeof path, "/job/work/%ld", i);
        int fd = open(path, O_WRONLY | O_CREAT, 0600);
        if (fd >= 0) close(fd);
    }
}

static int reach_network(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(53)};
    to.sin_addr.s_addr = htonl(0x08080808);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        fprintf(stderr, "connect: %s\n", strerror(errno));
        return 4;
    }
    return 0;
}

/* A server and its client, both in here. */
static int use_loopback(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof at;
    char byte = 0;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(server, (struct sockaddr *)&at, size) != 0 || listen(server, 1) != 0) return 2;
    getsockname(server, (struct sockaddr *)&at, &size);
    if (connect(client, (struct sockaddr *)&at, size) != 0) return 3;
    int other = accept(server, NULL, NULL);
    if (write(client, "x", 1) != 1 || read(other, &byte, 1) != 1) return 4;
    put("/job/out/x", "loopback");
    return 0;
}

static int can_open(const char *path, int flags)
{
    int fd = open(path, flags);
    if (fd < 0) return 0;
    close(fd);
    fprintf(stderr, "%s can be opened\n", path);
    return 1;
}

/* What must be closed; 0 if all is. */
static int break_out(void)
{
    int bad = 0;
    bad += can_open("/etc/shadow", O_RDONLY) + can_open("/root", O_RDONLY);
    bad += can_open("/proc/1/mem", O_RDWR) + can_open("/proc/1/root/etc", O_RDONLY);
    bad += can_open("/proc/1/environ", O_RDONLY) + can_open("/proc/1/fd/4", O_WRONLY);
    bad += can_open("/proc/sys/kernel/core_pattern", O_WRONLY);
    bad += can_open("/proc/sysrq-trigger", O_WRONLY) + can_open("/proc/kcore", O_RDONLY);
    bad += can_open("/probe", O_WRONLY) + can_open("/.leasehold/plan", O_WRONLY);
    bad += can_open("/new", O_WRONLY | O_CREAT) + can_open("/dev/new", O_WRONLY | O_CREAT);
    bad += kill(1, SIGKILL) == 0 ? 0 : 1; /* is allowed and does nothing */
    bad += mount("none", "/job/work", "tmpfs", 0, "") == 0;
    bad += unshare(CLONE_NEWUSER) == 0;
    bad += syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0) >= 0;
    bad += ptrace(PTRACE_TRACEME, 0, 0, 0) == 0;
    bad += syscall(SYS_bpf, 0, 0, 0) >= 0 || errno != ENOSYS;
    bad += syscall(SYS_keyctl, 0, 0, 0) >= 0 || errno != ENOSYS;
    bad += syscall(SYS_io_uring_setup, 1, 0) >= 0 || errno != ENOSYS;
    bad += syscall(SYS_userfaultfd, 0) >= 0 || errno != ENOSYS;
    bad += syscall(SYS_perf_event_open, 0, 0, 0, 0, 0) >= 0 || errno != ENOSYS;
    bad += syscall(SYS_clone3, 0, 0) >= 0 || errno != ENOSYS;
    bad += socket(AF_VSOCK, SOCK_STREAM, 0) >= 0;
    bad += socket(AF_NETLINK, SOCK_RAW, 0) >= 0;
    bad += mknod("/job/work/null", S_IFCHR | 0666, 0x103) == 0;
    bad += setuid(0) == 0 || setgid(0) == 0;
    bad += prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
    put("/job/out/x", bad == 0 ? "closed" : "open");
    return 0;
}

static int leave(const char *what)
{
    const char *at = "/job/out/x";
    int bad = 0;
    if (strcmp(what, "link") == 0) bad = symlink("/proc/self/status", at);
    if (strcmp(what, "host") == 0) bad = symlink("../../../../../../etc/passwd", at);
    if (strcmp(what, "fifo") == 0) bad = mkfifo(at, 0666);
    if (strcmp(what, "folder") == 0) bad = mkdir(at, 0777);
    if (strcmp(what, "sub") == 0) {
        bad = mkdir("/job/work/y", 0777) + symlink("/job/work/y", "/job/out/sub");
        put("/job/work/y/x", "behind a link");
    }
    if (strcmp(what, "big") == 0) bad = truncate((put(at, ""), at), 5000);
    if (strcmp(what, "many") == 0) {
        for (int i = 0; i < 300; i++) {
            char path[64];
            snprintf(path, sizeof path, "/job/out/%d", i);
            put(path, "x");
        }
    }
    return bad;
}

/* Everything that should go on when its parent has ended. */
static int stay(void)
{
    for (int i = 0; i < 8; i++) {
        if (fork() != 0) continue;
        setsid();
        signal(SIGTERM, SIG_IGN);
        for (;;)
            put("/job/out/x", "late");
    }
    usleep(100000);
    return 0;
}

int main(int argc, char **argv)
{
    const char *deed = argc > 1 ? argv[1] : "hello";
    const char *word = argc > 2 ? argv[2] : "";
    if (strcmp(deed, "hello") == 0) return put("/job/out/x", "hello\n"), 0;
    if (strcmp(deed, "copy") == 0) return copy(argv);
    if (strcmp(deed, "world") == 0) return print_world();
    if (strcmp(deed, "status") == 0) return (int)strtol(word, NULL, 10);
    if (strcmp(deed, "crash") == 0) return raise(SIGSEGV);
    if (strcmp(deed, "sleep") == 0) return pause();
    if (strcmp(deed, "bomb") == 0) return bomb();
    if (strcmp(deed, "threads") == 0) return threads((int)strtol(word, NULL, 10));
    if (strcmp(deed, "hog") == 0) return hog(word[0]);
    if (strcmp(deed, "share") == 0) return share();
    if (strcmp(deed, "fill") == 0) return fill_disk(word);
    if (strcmp(deed, "inodes") == 0) return fill_inodes();
    if (strcmp(deed, "network") == 0) return reach_network();
    if (strcmp(deed, "loopback") == 0) return use_loopback();
    if (strcmp(deed, "break") == 0) return break_out();
    if (strcmp(deed, "leave") == 0) return leave(word);
    if (strcmp(deed, "stay") == 0) return stay();
    if (strcmp(deed, "print") == 0) {
        for (;;)
            puts("printed without end");
    }
    return 99;
}
