#include "node/loop.h"

#include "base/fatal.h"
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SIGNALS_MAX 4

struct loop {
    struct event_base *base;
    struct event *signals[SIGNALS_MAX];
    int signal_count;
};

struct loop_timer {
    struct event *event;
    loop_call call;
    void *context;
};

struct loop_watch {
    struct event *event;
    int fd;
    loop_call call;
    void *context;
};

struct loop *loop_create(void)
{
    struct loop *l = must_alloc(sizeof *l);
    struct event_config *config = event_config_new();
    /* The coarse clock would let timers run out some milliseconds early. */
    if (config == NULL || event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER) != 0)
        fatal("configuring the event loop");
    l->base = event_base_new_with_config(config);
    event_config_free(config);
    if (l->base == NULL) fatal("starting the event loop");
    return l;
}

void loop_destroy(struct loop *l)
{
    if (l == NULL) return;
    for (int i = 0; i < l->signal_count; i++)
        event_free(l->signals[i]);
    event_base_free(l->base);
    free(l);
}

struct event_base *loop_base(struct loop *l)
{
    return l->base;
}

void loop_run(struct loop *l)
{
    if (event_base_dispatch(l->base) < 0) fatal("running the event loop: %s", strerror(errno));
}

void loop_stop(struct loop *l)
{
    event_base_loopexit(l->base, NULL); /* the turn is finished first */
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
    (void)what;
    log_info("node", "stopping signal=%d", (int)number);
    loop_stop(context);
}

void loop_stop_on(struct loop *l, int number)
{
    assert(l->signal_count < SIGNALS_MAX);
    struct event *e = evsignal_new(l->base, number, on_signal, l);
    if (e == NULL || event_add(e, NULL) != 0) fatal("watching signal %d", number);
    l->signals[l->signal_count++] = e;
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct loop_timer *t = context;
    (void)fd;
    (void)what;
    t->call(t->context);
}

struct loop_timer *loop_timer_create(struct loop *l, loop_call call, void *context)
{
    struct loop_timer *t = must_alloc(sizeof *t);
    t->call = call;
    t->context = context;
    t->event = evtimer_new(l->base, on_timer, t);
    if (t->event == NULL) fatal("making a timer");
    return t;
}

void loop_timer_destroy(struct loop_timer *t)
{
    if (t == NULL) return;
    event_free(t->event);
    free(t);
}

void loop_timer_set(struct loop_timer *t, uint64_t delay_ms)
{
    struct timeval delay = {(time_t)(delay_ms / 1000), (suseconds_t)(delay_ms % 1000 * 1000)};
    if (evtimer_add(t->event, &delay) != 0) fatal("setting a timer");
}

static void on_watch(evutil_socket_t fd, short what, void *context)
{
    struct loop_watch *w = context;
    uint64_t count;
    (void)what;
    if (read(fd, &count, sizeof count) < 0 && errno != EAGAIN)
        fatal("reading a wake-up: %s", strerror(errno));
    w->call(w->context);
}

struct loop_watch *loop_watch_create(struct loop *l, loop_call call, void *context)
{
    struct loop_watch *w = must_alloc(sizeof *w);
    w->call = call;
    w->context = context;
    w->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (w->fd < 0) fatal("making a wake-up: %s", strerror(errno));
    w->event = event_new(l->base, w->fd, EV_READ | EV_PERSIST, on_watch, w);
    if (w->event == NULL || event_add(w->event, NULL) != 0) fatal("watching a wake-up");
    return w;
}

void loop_watch_destroy(struct loop_watch *w)
{
    if (w == NULL) return;
    event_free(w->event);
    close(w->fd);
    free(w);
}

int loop_watch_fd(const struct loop_watch *w)
{
    return w->fd;
}

void loop_wake(int watch_fd)
{
    uint64_t one = 1;
    if (write(watch_fd, &one, sizeof one) < 0 && errno != EAGAIN)
        fatal("writing a wake-up: %s", strerror(errno));
}
