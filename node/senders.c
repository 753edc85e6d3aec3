#include "node/senders.h"

#include "base/fatal.h"
#include "chain/tx.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK 16 /* transactions between two looks at the lock */

struct senders_job {
    struct senders *owner;
    struct senders_job *next_job; /* while some of it is not claimed */
    struct arena arena;
    struct block block;
    struct address *addresses;
    /* Under the lock. */
    size_t claimed, finished; /* transactions */
    bool failed;
};

struct senders {
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    struct senders_job *first, *last; /* jobs to be worked on */
    bool stopping;
    unsigned helper_count;
    pthread_t helpers[SENDERS_HELPERS_MAX];
};

/* ---- the work ---- */

struct chunk {
    struct senders_job *job;
    size_t first, end;
    bool failed;
};

static void unlink_job(struct senders *s, struct senders_job *job)
{
    struct senders_job *before = NULL;
    for (struct senders_job *j = s->first; j != NULL; before = j, j = j->next_job) {
        if (j != job) continue;
        if (before != NULL) before->next_job = j->next_job;
        if (before == NULL) s->first = j->next_job;
        if (s->last == j) s->last = before;
        return;
    }
}

/* Locked. The job must have something left. */
static struct chunk claim(struct senders *s, struct senders_job *job)
{
    size_t first = job->claimed, left = job->block.tx_count - first;
    assert(left > 0);
    job->claimed += left < CHUNK ? left : CHUNK;
    if (job->claimed == job->block.tx_count) unlink_job(s, job);
    return (struct chunk){job, first, job->claimed, false};
}

/* Not locked. */
static void recover(struct chunk *c, struct arena *arena)
{
    for (size_t i = c->first; i < c->end; i++) {
        struct tx t;
        arena_reset(arena);
        bool known = tx_decode(&t, arena, c->job->block.txs[i]) == OK &&
                     tx_sender(&c->job->addresses[i], &t) == OK;
        c->failed = c->failed || !known;
    }
}

/* Locked; not while it works. */
static void work_on(struct senders *s, struct senders_job *job, struct arena *arena)
{
    struct chunk c = claim(s, job);
    pthread_mutex_unlock(&s->lock);
    recover(&c, arena);
    pthread_mutex_lock(&s->lock);
    job->failed = job->failed || c.failed;
    job->finished += c.end - c.first;
    if (job->finished == job->claimed) pthread_cond_broadcast(&s->done);
}

static void *help(void *context)
{
    struct senders *s = context;
    struct arena arena = {0};
    pthread_mutex_lock(&s->lock);
    while (!s->stopping) {
        if (s->first != NULL)
            work_on(s, s->first, &arena);
        else
            pthread_cond_wait(&s->work, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    arena_finish(&arena);
    return NULL;
}

/* ---- helpers ---- */

unsigned senders_helpers(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors > 2 ? 2 : processors == 2 ? 1 : 0;
}

static void start_helpers(struct senders *s)
{
    sigset_t all, old; /* signals are for the main thread */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    for (unsigned i = 0; i < s->helper_count; i++)
        if (pthread_create(&s->helpers[i], NULL, help, s) != 0) fatal("starting a thread");
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

struct senders *senders_create(unsigned helpers)
{
    assert(helpers <= SENDERS_HELPERS_MAX);
    struct senders *s = must_alloc(sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    pthread_cond_init(&s->done, NULL);
    s->helper_count = helpers;
    start_helpers(s);
    return s;
}

void senders_destroy(struct senders *s)
{
    if (s == NULL) return;
    assert(s->first == NULL);
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->work);
    pthread_mutex_unlock(&s->lock);
    for (unsigned i = 0; i < s->helper_count; i++)
        pthread_join(s->helpers[i], NULL);
    pthread_cond_destroy(&s->work);
    pthread_cond_destroy(&s->done);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* ---- jobs ---- */

struct senders_job *senders_begin(struct senders *s, struct bytes block)
{
    struct senders_job *job = must_alloc(sizeof *job);
    job->owner = s;
    enum status status = block_decode(&job->block, &job->arena, block);
    assert(status == OK);
    if (job->block.tx_count == 0) return job;
    job->addresses = must_alloc(job->block.tx_count * sizeof *job->addresses);
    pthread_mutex_lock(&s->lock);
    if (s->last != NULL) s->last->next_job = job;
    if (s->last == NULL) s->first = job;
    s->last = job;
    pthread_cond_signal(&s->work);
    pthread_mutex_unlock(&s->lock);
    return job;
}

/* Locked. What others work on at the moment they finish. */
static void wait_for(struct senders *s, const struct senders_job *job)
{
    while (job->finished < job->claimed)
        pthread_cond_wait(&s->done, &s->lock);
}

const struct address *senders_take(struct senders_job *job)
{
    struct senders *s = job->owner;
    struct arena arena = {0};
    pthread_mutex_lock(&s->lock);
    while (job->claimed < job->block.tx_count)
        work_on(s, job, &arena);
    wait_for(s, job);
    bool failed = job->failed;
    pthread_mutex_unlock(&s->lock);
    arena_finish(&arena);
    return failed ? NULL : job->addresses;
}

void senders_end(struct senders_job *job)
{
    if (job == NULL) return;
    struct senders *s = job->owner;
    pthread_mutex_lock(&s->lock);
    unlink_job(s, job);
    wait_for(s, job);
    pthread_mutex_unlock(&s->lock);
    arena_finish(&job->arena);
    free(job->addresses);
    free(job);
}
