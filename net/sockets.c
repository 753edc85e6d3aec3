#include "net/sockets.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTEN_BACKLOG 512

union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t to_system(union socket_address *out, const struct net_address *a)
{
    memset(out, 0, sizeof *out);
    if (net_address_is_ipv4(a)) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(a->port);
        memcpy(&out->v4.sin_addr, a->ip + 12, 4);
        return sizeof out->v4;
    }
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(a->port);
    memcpy(&out->v6.sin6_addr, a->ip, 16);
    return sizeof out->v6;
}

static void set_ipv4(struct net_address *out, const struct in_addr *ip)
{
    memset(out->ip, 0, 10);
    memset(out->ip + 10, 0xff, 2);
    memcpy(out->ip + 12, ip, 4);
}

static struct net_address from_system(const union socket_address *a)
{
    struct net_address out = {0};
    if (a->any.sa_family == AF_INET) {
        set_ipv4(&out, &a->v4.sin_addr);
        out.port = ntohs(a->v4.sin_port);
    } else {
        memcpy(out.ip, &a->v6.sin6_addr, 16);
        out.port = ntohs(a->v6.sin6_port);
    }
    return out;
}

/* "HOST:PORT" taken apart; the port is all digits and at most 65535. */
static bool split_text(char host[64], uint16_t *port, const char *text)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text || colon - text >= 64) return false;
    size_t digits = strspn(colon + 1, "0123456789");
    if (digits == 0 || digits > 5 || colon[1 + digits] != 0) return false;
    unsigned long number = strtoul(colon + 1, NULL, 10);
    if (number > 65535) return false;
    snprintf(host, 64, "%.*s", (int)(colon - text), text);
    *port = (uint16_t)number;
    return true;
}

bool listen_address_from_text(struct net_address *out, const char *text)
{
    struct net_address a = {0};
    struct in_addr v4;
    char host[64] = "";
    if (!split_text(host, &a.port, text)) return false;
    size_t size = strlen(host);
    if (inet_pton(AF_INET, host, &v4) == 1) {
        set_ipv4(&a, &v4);
    } else {
        if (host[0] != '[' || host[size - 1] != ']') return false;
        host[size - 1] = 0;
        if (inet_pton(AF_INET6, host + 1, a.ip) != 1) return false;
    }
    *out = a;
    return true;
}

static int fresh_socket(const struct net_address *a)
{
    int family = net_address_is_ipv4(a) ? AF_INET : AF_INET6;
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int close_keeping_errno(int fd)
{
    int kept = errno;
    close(fd);
    errno = kept;
    return -1;
}

int socket_listen(const struct net_address *on)
{
    union socket_address address;
    socklen_t size = to_system(&address, on);
    int yes = 1;
    int fd = fresh_socket(on);
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, &address.any, size) != 0 || listen(fd, LISTEN_BACKLOG) != 0)
        return close_keeping_errno(fd);
    return fd;
}

uint16_t socket_port(int fd)
{
    union socket_address address = {0};
    socklen_t size = sizeof address;
    if (getsockname(fd, &address.any, &size) != 0) return 0;
    return from_system(&address).port;
}

int socket_dial(const struct net_address *to)
{
    union socket_address address;
    socklen_t size = to_system(&address, to);
    int fd = fresh_socket(to);
    if (fd < 0) return -1;
    socket_tune(fd);
    if (connect(fd, &address.any, size) != 0 && errno != EINPROGRESS)
        return close_keeping_errno(fd);
    return fd;
}

int socket_error(int fd)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
    return error;
}

int socket_accept(struct net_address *out_from, int listener)
{
    union socket_address address = {0};
    socklen_t size = sizeof address;
    int fd = accept4(listener, &address.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return -1;
    socket_tune(fd);
    *out_from = from_system(&address);
    return fd;
}

void socket_tune(int fd)
{
    int yes = 1;
    int unsent_max = PEER_UNSENT_BYTES_MAX;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_max, sizeof unsent_max);
}
