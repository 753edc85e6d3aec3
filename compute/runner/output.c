/* output.c - whole messages through the runner's pipes. */
#include "compute/runner/runner.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void send_all(int fd, const void *data, uint64_t size)
{
    const char *at = data;
    while (size > 0) {
        ssize_t put = write(fd, at, size);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) give_up(REASON_NO_OUTPUT, "cannot send the outputs: %s", strerror(errno));
        at += put;
        size -= (uint64_t)put;
    }
}

void send_frame(int fd, const struct frame *frame)
{
    send_all(fd, frame, sizeof *frame);
}

bool receive_all(int fd, void *out, uint64_t size)
{
    char *at = out;
    while (size > 0) {
        ssize_t got = read(fd, at, size);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        size -= (uint64_t)got;
    }
    return true;
}
