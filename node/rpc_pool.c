#include "node/rpc_pool.h"

#include "base/fatal.h"
#include "node/clock.h"
#include "node/loop.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define DEADLINE_CHECK_MS 20

struct thread {
    struct rpc_worker worker; /* first: rpc_worker_begin gets back from it */
    struct rpc_pool *pool;
    pthread_t id;
    uint64_t deadline_ms; /* under the pool's lock; 0: idle */
};

struct list {
    struct rpc_job *first;
    struct rpc_job *last;
};

struct rpc_pool {
    pthread_mutex_t lock;
    pthread_cond_t work_there;
    struct list waiting;
    struct list done;
    bool stopping;
    rpc_work work;
    uint64_t limit_ms;
    struct loop_watch *done_watch;
    struct loop_timer *deadline_timer;
    size_t thread_count;
    struct thread *threads;
};

static void list_add(struct list *l, struct rpc_job *job)
{
    job->next = NULL;
    if (l->last != NULL)
        l->last->next = job;
    else
        l->first = job;
    l->last = job;
}

static struct rpc_job *list_take(struct list *l)
{
    struct rpc_job *job = l->first;
    if (job == NULL) return NULL;
    l->first = job->next;
    if (l->first == NULL) l->last = NULL;
    return job;
}

static void lock(struct rpc_pool *p)
{
    if (pthread_mutex_lock(&p->lock) != 0) fatal("locking the RPC queue");
}

static void unlock(struct rpc_pool *p)
{
    if (pthread_mutex_unlock(&p->lock) != 0) fatal("unlocking the RPC queue");
}

/* The VM reads the flag as a plain volatile int, by its interface; a late look does no harm. */
__attribute__((noinline, no_sanitize("thread"))) static void set_stop(struct rpc_worker *w, int on)
{
    w->stop = on;
}

void rpc_worker_begin(struct rpc_worker *worker)
{
    struct thread *t = (struct thread *)worker;
    lock(t->pool);
    set_stop(worker, t->pool->stopping);
    t->deadline_ms = clock_ms() + t->pool->limit_ms;
    unlock(t->pool);
}

void rpc_worker_end(struct rpc_worker *worker)
{
    struct thread *t = (struct thread *)worker;
    lock(t->pool);
    t->deadline_ms = 0;
    unlock(t->pool);
}

static void on_deadline_timer(void *context)
{
    struct rpc_pool *p = context;
    uint64_t now = clock_ms();
    lock(p);
    for (size_t i = 0; i < p->thread_count; i++) {
        struct thread *t = &p->threads[i];
        if (t->deadline_ms != 0 && now > t->deadline_ms) set_stop(&t->worker, 1);
    }
    unlock(p);
    loop_timer_set(p->deadline_timer, DEADLINE_CHECK_MS);
}

static void *run(void *context)
{
    struct thread *t = context;
    struct rpc_pool *p = t->pool;
    lock(p);
    while (!p->stopping) {
        struct rpc_job *job = list_take(&p->waiting);
        if (job == NULL) {
            pthread_cond_wait(&p->work_there, &p->lock);
            continue;
        }
        unlock(p);
        p->work(&t->worker, job);
        lock(p);
        list_add(&p->done, job);
        loop_wake(loop_watch_fd(p->done_watch));
    }
    unlock(p);
    return NULL;
}

static void job_finish(struct rpc_job *job)
{
    const char *type = job->is_metrics ? "text/plain; version=0.0.4" : "application/json";
    http_reply(job->request, 200, type, buffer_bytes(&job->answer));
    buffer_finish(&job->answer);
    free(job);
}

static void on_done(void *context)
{
    struct rpc_pool *p = context;
    lock(p);
    struct rpc_job *job = p->done.first;
    p->done = (struct list){0};
    unlock(p);
    while (job != NULL) {
        struct rpc_job *next = job->next;
        job_finish(job);
        job = next;
    }
}

/* Signals belong to the main thread. */
static void start_thread(struct thread *t)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&t->id, NULL, run, t) != 0) fatal("starting an RPC thread");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct rpc_pool *rpc_pool_create(struct loop *loop, size_t threads, uint64_t limit_ms,
                                 rpc_work work, void *const *sessions)
{
    struct rpc_pool *p = must_alloc(sizeof *p);
    assert(threads > 0);
    p->work = work;
    p->limit_ms = limit_ms;
    p->done_watch = loop_watch_create(loop, on_done, p);
    p->deadline_timer = loop_timer_create(loop, on_deadline_timer, p);
    p->thread_count = threads;
    p->threads = must_alloc(threads * sizeof *p->threads);
    if (pthread_mutex_init(&p->lock, NULL) != 0 || pthread_cond_init(&p->work_there, NULL) != 0)
        fatal("making the RPC queue");
    for (size_t i = 0; i < threads; i++) {
        p->threads[i].pool = p;
        p->threads[i].worker.session = sessions[i];
        start_thread(&p->threads[i]);
    }
    loop_timer_set(p->deadline_timer, DEADLINE_CHECK_MS);
    return p;
}

static void drop_all(struct list *l)
{
    for (struct rpc_job *job = list_take(l); job != NULL; job = list_take(l)) {
        http_reply(job->request, 503, "text/plain", bytes_of_text("the node is stopping\n"));
        buffer_finish(&job->answer);
        free(job);
    }
}

void rpc_pool_destroy(struct rpc_pool *p)
{
    if (p == NULL) return;
    lock(p);
    p->stopping = true;
    for (size_t i = 0; i < p->thread_count; i++)
        set_stop(&p->threads[i].worker, 1);
    pthread_cond_broadcast(&p->work_there);
    unlock(p);
    for (size_t i = 0; i < p->thread_count; i++)
        pthread_join(p->threads[i].id, NULL);
    drop_all(&p->waiting);
    drop_all(&p->done);
    loop_watch_destroy(p->done_watch);
    loop_timer_destroy(p->deadline_timer);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->work_there);
    free(p->threads);
    free(p);
}

void rpc_pool_submit(struct rpc_pool *p, struct http_request *request, struct bytes body,
                     bool is_metrics)
{
    struct rpc_job *job = must_alloc(sizeof *job);
    *job = (struct rpc_job){.request = request, .body = body, .is_metrics = is_metrics};
    lock(p);
    list_add(&p->waiting, job);
    pthread_cond_signal(&p->work_there);
    unlock(p);
}
