#include "wallet/latency.h"

#include "base/fatal.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ENDPOINT_SIZE 132

static uint64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* "host:port" or "[v6]:port" to an address that can be connected to; NULL if it is none. */
static struct addrinfo *resolve(const char *endpoint)
{
    char host[ENDPOINT_SIZE];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    const char *colon = strrchr(endpoint, ':');
    if (colon == NULL || (size_t)(colon - endpoint) >= sizeof host) return NULL;
    bool bracketed = endpoint[0] == '[' && colon > endpoint + 1 && colon[-1] == ']';
    snprintf(host, sizeof host, "%.*s", (int)(colon - endpoint) - 2 * bracketed,
             endpoint + bracketed);
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0) return NULL;
    return found;
}

/* A socket that is connecting, or -1. */
static int begin(const char *endpoint)
{
    struct addrinfo *to = resolve(endpoint);
    if (to == NULL) return -1;
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, to->ai_addr, to->ai_addrlen) != 0 && errno != EINPROGRESS) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(to);
    return fd;
}

static bool is_connected(int fd)
{
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

static void collect(struct pollfd *polls, uint32_t *out_ms, const uint64_t *began, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (polls[i].fd < 0 || polls[i].revents == 0) continue;
        if (is_connected(polls[i].fd)) out_ms[i] = (uint32_t)(clock_ms() - began[i]);
        close(polls[i].fd);
        polls[i].fd = -1;
    }
}

static size_t open_count(const struct pollfd *polls, size_t count)
{
    size_t open = 0;
    for (size_t i = 0; i < count; i++)
        open += polls[i].fd >= 0;
    return open;
}

static void measure_some(uint32_t *out_ms, const char *const *endpoints, size_t count)
{
    struct pollfd polls[LATENCY_MAX];
    uint64_t began[LATENCY_MAX];
    for (size_t i = 0; i < count; i++) {
        out_ms[i] = LATENCY_NONE;
        polls[i] = (struct pollfd){.fd = begin(endpoints[i]), .events = POLLOUT};
        began[i] = clock_ms();
    }
    uint64_t end = clock_ms() + LATENCY_WAIT_MS;
    for (uint64_t now = clock_ms(); now < end && open_count(polls, count) > 0; now = clock_ms()) {
        if (poll(polls, count, (int)(end - now)) < 0 && errno != EINTR) break;
        collect(polls, out_ms, began, count);
    }
    for (size_t i = 0; i < count; i++)
        if (polls[i].fd >= 0) close(polls[i].fd);
}

void latency_measure(uint32_t *out_ms, const char *const *endpoints, size_t count)
{
    for (size_t at = 0; at < count; at += LATENCY_MAX) {
        size_t some = count - at < LATENCY_MAX ? count - at : LATENCY_MAX;
        measure_some(out_ms + at, endpoints + at, some);
    }
}

static json_t *latency_json(uint32_t ms)
{
    return ms == LATENCY_NONE ? json_null() : json_integer(ms);
}

void latency_of_offers(json_t *offers)
{
    size_t count = json_array_size(offers);
    const char **endpoints = must_alloc((count + 1) * sizeof *endpoints);
    uint32_t *ms = must_alloc((count + 1) * sizeof *ms);
    json_t *place = json_object(); /* endpoint -> its number */
    size_t distinct = 0;
    for (size_t i = 0; i < count; i++) {
        const char *endpoint = abi_get_text(json_array_get(offers, i), "endpoint");
        if (json_object_get(place, endpoint) != NULL) continue;
        json_object_set_new(place, endpoint, json_integer((json_int_t)distinct));
        endpoints[distinct++] = endpoint;
    }
    latency_measure(ms, endpoints, distinct);
    for (size_t i = 0; i < count; i++) {
        json_t *offer = json_array_get(offers, i);
        json_t *number = json_object_get(place, abi_get_text(offer, "endpoint"));
        json_object_set_new(offer, "latencyMs", latency_json(ms[json_integer_value(number)]));
    }
    json_decref(place);
    free(ms);
    free(endpoints);
}

uint32_t latency_of(const json_t *offer)
{
    const json_t *ms = json_object_get(offer, "latencyMs");
    return json_is_integer(ms) ? (uint32_t)json_integer_value(ms) : LATENCY_NONE;
}
