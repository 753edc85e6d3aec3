/* loop.h - the main thread's event loop, as much of libevent as the node needs.
 *
 * Keeps libevent's `struct event` away from consensus' own. One thread, but for loop_wake. */
#ifndef LEASEHOLD_NODE_LOOP_H
#define LEASEHOLD_NODE_LOOP_H

#include <stdint.h>

struct event_base;
struct loop;
struct loop_timer;
struct loop_watch;

struct loop *loop_create(void);
void loop_destroy(struct loop *l); /* takes NULL */
struct event_base *loop_base(struct loop *l);
void loop_run(struct loop *l); /* until loop_stop or a signal given to loop_stop_on */
void loop_stop(struct loop *l);
void loop_stop_on(struct loop *l, int signal);

typedef void (*loop_call)(void *context);

struct loop_timer *loop_timer_create(struct loop *l, loop_call call, void *context);
void loop_timer_destroy(struct loop_timer *t); /* takes NULL */
/* Once, after delay_ms; 0 is in the next turn of the loop. An earlier setting is forgotten. */
void loop_timer_set(struct loop_timer *t, uint64_t delay_ms);

/* An eventfd: writing to loop_watch_fd from any thread makes the loop call once or more. */
struct loop_watch *loop_watch_create(struct loop *l, loop_call call, void *context);
void loop_watch_destroy(struct loop_watch *w); /* takes NULL */
int loop_watch_fd(const struct loop_watch *w);
void loop_wake(int watch_fd);

#endif
