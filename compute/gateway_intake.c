#include "compute/gateway_intake.h"

#include "base/fatal.h"
#include "client/chunk_coder.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct task {
    struct buffer frame;
    struct gateway_put put;
    enum status status;
};

struct gateway_intake {
    struct blobs *blobs;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
    uint64_t pushed, done, taken; /* counts; task n lies at n % INTAKE_MAX */
    struct task tasks[INTAKE_MAX];
    struct chunk_coder coder; /* the thread's */
};

static enum status store(struct gateway_intake *i, const struct gateway_put *put)
{
    struct bytes chunk;
    struct blob_key key = {put->name.job, put->name.root};
    if (chunk_unpack(&i->coder, &chunk, &put->piece) != OK) return E_UNSUPPORTED;
    return blobs_put(i->blobs, &key, put->piece.offset, chunk);
}

static void *work(void *argument)
{
    struct gateway_intake *i = argument;
    pthread_mutex_lock(&i->lock);
    while (!i->stopping) {
        if (i->done == i->pushed) {
            pthread_cond_wait(&i->changed, &i->lock);
            continue;
        }
        struct task *task = &i->tasks[i->done % INTAKE_MAX];
        pthread_mutex_unlock(&i->lock);
        enum status status = store(i, &task->put);
        pthread_mutex_lock(&i->lock);
        task->status = status;
        i->done++;
        pthread_cond_broadcast(&i->changed);
    }
    pthread_mutex_unlock(&i->lock);
    return NULL;
}

struct gateway_intake *gateway_intake_create(struct blobs *blobs)
{
    struct gateway_intake *i = must_alloc(sizeof *i);
    i->blobs = blobs;
    pthread_mutex_init(&i->lock, NULL);
    pthread_cond_init(&i->changed, NULL);
    if (pthread_create(&i->thread, NULL, work, i) != 0) fatal("a gateway thread cannot be started");
    return i;
}

void gateway_intake_destroy(struct gateway_intake *i)
{
    if (!i) return;
    pthread_mutex_lock(&i->lock);
    i->stopping = true;
    pthread_cond_broadcast(&i->changed);
    pthread_mutex_unlock(&i->lock);
    pthread_join(i->thread, NULL);
    for (size_t n = 0; n < INTAKE_MAX; n++)
        buffer_finish(&i->tasks[n].frame);
    chunk_coder_finish(&i->coder);
    pthread_cond_destroy(&i->changed);
    pthread_mutex_destroy(&i->lock);
    free(i);
}

size_t gateway_intake_pending(const struct gateway_intake *i)
{
    return i ? (size_t)(i->pushed - i->taken) : 0; /* both are changed by the caller's thread */
}

void gateway_intake_push(struct gateway_intake *i, struct buffer *frame,
                         const struct gateway_put *put)
{
    pthread_mutex_lock(&i->lock);
    assert(i->pushed - i->taken < INTAKE_MAX);
    struct task *task = &i->tasks[i->pushed % INTAKE_MAX];
    struct buffer other = task->frame;
    task->frame = *frame;
    task->put = *put;
    *frame = other;
    i->pushed++;
    pthread_cond_broadcast(&i->changed);
    pthread_mutex_unlock(&i->lock);
}

enum status gateway_intake_take(struct gateway_intake *i, uint64_t *out_offset)
{
    pthread_mutex_lock(&i->lock);
    assert(i->taken < i->pushed);
    while (i->done == i->taken)
        pthread_cond_wait(&i->changed, &i->lock);
    const struct task *task = &i->tasks[i->taken++ % INTAKE_MAX];
    enum status status = task->status;
    *out_offset = task->put.piece.offset;
    pthread_mutex_unlock(&i->lock);
    return status;
}
