/* delay-proxy - TCP links that take time, for measuring nodes as if they stood far apart.
 *
 *   delay-proxy DELAY_MS PORT...
 *
 * For each PORT of 127.0.0.1 it listens on another port of 127.0.0.1, prints "LISTENING PORT", and
 * whoever connects there talks to PORT with every byte DELAY_MS late, both ways. Connecting itself
 * is not delayed; throughput is not limited, and what is under way is held in memory without bound.
 * It ends with its standard input, so it never outlives who started it. */
#include "base/fatal.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DELAY_MS_MAX 60000
#define LINKS_MAX    64

struct parcel { /* bytes that arrived together; without any: the end */
    uint64_t due_us;
    struct evbuffer *bytes;
    struct parcel *next;
};

struct way { /* one direction of a connection */
    struct pair *pair;
    struct bufferevent *from, *to;
    struct parcel *first, **end;
    struct event *timer;
};

struct proxy {
    struct event_base *base;
    uint64_t delay_us;
};

struct pair {
    struct proxy *proxy;
    struct way there, back;
};

struct link { /* a port that is listened on */
    struct proxy *proxy;
    uint16_t port;
};

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

/* ---- one direction ---- */

static void way_finish(struct way *w)
{
    while (w->first != NULL) {
        struct parcel *p = w->first;
        w->first = p->next;
        evbuffer_free(p->bytes);
        free(p);
    }
    event_free(w->timer);
}

static void pair_destroy(struct pair *p)
{
    way_finish(&p->there);
    way_finish(&p->back);
    bufferevent_free(p->there.from);
    bufferevent_free(p->there.to);
    free(p);
}

static void arm(struct way *w)
{
    uint64_t now = now_us();
    uint64_t wait_us = w->first->due_us > now ? w->first->due_us - now : 0;
    struct timeval t = {(time_t)(wait_us / 1000000), (suseconds_t)(wait_us % 1000000)};
    evtimer_add(w->timer, &t);
}

static void deliver(evutil_socket_t fd, short what, void *context)
{
    struct way *w = context;
    (void)fd;
    (void)what;
    while (w->first != NULL && w->first->due_us <= now_us()) {
        struct parcel *p = w->first;
        if (evbuffer_get_length(p->bytes) == 0) {
            pair_destroy(w->pair);
            return;
        }
        bufferevent_write_buffer(w->to, p->bytes);
        w->first = p->next;
        if (w->first == NULL) w->end = &w->first;
        evbuffer_free(p->bytes);
        free(p);
    }
    if (w->first != NULL) arm(w);
}

static void enqueue(struct way *w)
{
    struct parcel *p = must_alloc(sizeof *p);
    *p = (struct parcel){.due_us = now_us() + w->pair->proxy->delay_us, .bytes = evbuffer_new()};
    if (p->bytes == NULL) fatal("no memory");
    evbuffer_add_buffer(p->bytes, bufferevent_get_input(w->from));
    *w->end = p;
    w->end = &p->next;
    if (w->first == p) arm(w);
}

/* ---- connections ---- */

static struct way *way_from(struct pair *p, const struct bufferevent *from)
{
    return p->there.from == from ? &p->there : &p->back;
}

static void on_read(struct bufferevent *from, void *context)
{
    enqueue(way_from(context, from));
}

static void on_event(struct bufferevent *from, short what, void *context)
{
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) == 0) return;
    bufferevent_disable(from, EV_READ);
    if (evbuffer_get_length(bufferevent_get_input(from)) > 0) enqueue(way_from(context, from));
    enqueue(way_from(context, from));
}

static void way_init(struct way *w, struct pair *pair, struct bufferevent *from,
                     struct bufferevent *to)
{
    *w = (struct way){.pair = pair, .from = from, .to = to, .end = &w->first};
    w->timer = evtimer_new(pair->proxy->base, deliver, w);
    if (w->timer == NULL) fatal("no memory");
}

static void start(struct bufferevent *end, struct pair *pair)
{
    bufferevent_setcb(end, on_read, NULL, on_event, pair);
    bufferevent_enable(end, EV_READ | EV_WRITE);
}

static void hurry(evutil_socket_t fd)
{
    int one = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
                      int from_size, void *context)
{
    const struct link *link = context;
    struct event_base *base = link->proxy->base;
    struct pair *pair = must_alloc(sizeof *pair);
    struct sockaddr_in to = loopback(link->port);
    struct bufferevent *near = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    struct bufferevent *far = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    (void)listener;
    (void)from;
    (void)from_size;
    if (near == NULL || far == NULL) fatal("no memory");
    pair->proxy = link->proxy;
    way_init(&pair->there, pair, near, far);
    way_init(&pair->back, pair, far, near);
    hurry(fd);
    start(near, pair);
    start(far, pair);
    if (bufferevent_socket_connect(far, (struct sockaddr *)&to, sizeof to) == 0)
        hurry(bufferevent_getfd(far));
}

static void listen_for(struct link *link)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    struct evconnlistener *l =
        evconnlistener_new_bind(link->proxy->base, on_accept, link, LEV_OPT_CLOSE_ON_FREE, 64,
                                (struct sockaddr *)&address, sizeof address);
    if (l == NULL) fatal("listening: %s", strerror(errno));
    getsockname(evconnlistener_get_fd(l), (struct sockaddr *)&address, &size);
    printf("%u %u\n", (unsigned)ntohs(address.sin_port), (unsigned)link->port);
}

static void on_input(evutil_socket_t fd, short what, void *context)
{
    char ignored[256];
    (void)what;
    (void)context;
    if (read(fd, ignored, sizeof ignored) <= 0) exit(0);
}

static long number_of(const char *text, long most)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (*end == 0 && n >= 0 && n <= most) return n;
    fprintf(stderr, "delay-proxy: want a number from 0 to %ld, not \"%s\"\n", most, text);
    exit(64);
}

static struct event_base *make_base(void)
{
    struct event_config *config = event_config_new();
    if (config == NULL) fatal("no memory");
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    if (base == NULL) fatal("starting the event loop");
    return base;
}

int main(int argc, char **argv)
{
    struct proxy proxy = {.base = make_base()};
    struct link links[LINKS_MAX];
    if (argc < 3 || argc - 2 > LINKS_MAX) {
        fprintf(stderr, "usage: delay-proxy DELAY_MS PORT...\n");
        return 64;
    }
    signal(SIGPIPE, SIG_IGN); /* whoever went away is seen as an error */
    proxy.delay_us = (uint64_t)number_of(argv[1], DELAY_MS_MAX) * 1000;
    for (int i = 2; i < argc; i++) {
        links[i - 2] = (struct link){&proxy, (uint16_t)number_of(argv[i], 65535)};
        listen_for(&links[i - 2]);
    }
    fflush(stdout);
    struct event *input = event_new(proxy.base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, NULL);
    if (input == NULL || event_add(input, NULL) != 0) fatal("watching the input");
    return event_base_dispatch(proxy.base) == 0 ? 0 : 1;
}
