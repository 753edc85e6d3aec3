/* unpack_main.c - leasehold-unpack: unpacks an image, inside a sandbox that shows it the image and
 * an empty folder and lets it make files there, nothing else. What the image's config says goes to
 * descriptor 3 (exec_plan.h), how it ended to 4, as leasehold-run does it. */
#include "compute/reason.h"
#include "compute/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <inttypes.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_FD 3
#define STATUS_FD 4

struct unpack {
    struct rootfs_source source;
    const char *root;
    unsigned user; /* 0: stay who one is */
};

_Noreturn static void give_up(const char *what)
{
    dprintf(STDERR_FILENO, "leasehold-unpack: %s: %s\n", what, strerror(errno));
    _exit(REASON_UNSUPPORTED);
}

static void read_options(struct unpack *u, int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"image", required_argument, NULL, 'i'},
                                            {"root", required_argument, NULL, 'r'},
                                            {"drop-to", required_argument, NULL, 'u'},
                                            {"layout", no_argument, NULL, 'l'},
                                            {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        if (option == 'i') u->source.path = optarg;
        if (option == 'r') u->root = optarg;
        if (option == 'u') u->user = (unsigned)strtoul(optarg, NULL, 10);
        if (option == 'l') u->source.is_layout = true;
    }
    errno = EINVAL;
    if (!u->source.path || !u->root || optind != argc) give_up("wants --image and --root");
}

static void limit(int what, uint64_t value)
{
    struct rlimit r = {value, value};
    if (setrlimit((enum __rlimit_resource)what, &r) != 0) give_up("cannot set a limit");
}

static void confine(const struct unpack *u)
{
    unsigned user = u->user;
    if (user != 0 && (setgroups(0, NULL) != 0 || setresgid(user, user, user) != 0 ||
                      setresuid(user, user, user) != 0)) {
        give_up("cannot become an unprivileged user");
    }
    signal(SIGXFSZ, SIG_IGN);
#if !defined(SANITIZED) /* which maps terabytes */
    limit(RLIMIT_AS, (uint64_t)ROOTFS_UNPACK_MIB << 20);
#endif
    limit(RLIMIT_FSIZE, ROOTFS_BYTES_MAX);
    limit(RLIMIT_CORE, 0);
}

static void send_defaults(const struct exec_plan *defaults)
{
    FILE *out = fdopen(OUTPUT_FD, "w");
    if (out == NULL || exec_plan_print(out, defaults) != OK || fclose(out) != 0) {
        give_up("cannot tell what the image says");
    }
}

/* Whatever is wrong with an image is the job's fault; only a failing disk is the machine's. */
static enum reason unpack(const struct unpack *u)
{
    static struct exec_plan defaults;
    char error[ROOTFS_ERROR_SIZE];
    int root = open(u->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) give_up(u->root);
    enum status status = rootfs_unpack(&defaults, error, root, &u->source, &ROOTFS_BOUNDS);
    close(root);
    if (status == OK) {
        send_defaults(&defaults);
        return REASON_OK;
    }
    for (char *at = error; *at != '\0'; at++) {
        if (*at == '\n') *at = ' ';
    }
    dprintf(STATUS_FD, "why %.150s\n", error);
    dprintf(STDERR_FILENO, "%s\n", error);
    return status == E_IO ? REASON_UNSUPPORTED : REASON_BAD_JOB;
}

int main(int argc, char **argv)
{
    struct unpack u = {.root = NULL};
    struct timespec start, end;
    read_options(&u, argc, argv);
    confine(&u);
    setlocale(LC_CTYPE, "C.UTF-8"); /* the names in pax headers */
    umask(0);
    signal(SIGPIPE, SIG_IGN);
    dprintf(STATUS_FD, "ready\n");
    clock_gettime(CLOCK_MONOTONIC, &start);
    enum reason reason = unpack(&u);
    clock_gettime(CLOCK_MONOTONIC, &end);
    int64_t ms =
        (int64_t)(end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
    dprintf(STATUS_FD, "end %d %" PRId64 " 0\n", (int)reason, ms);
    return 0;
}
