#include "compute/run_pool.h"

#include "base/fatal.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct slot {
    pthread_t thread;
    bool used;
    atomic_bool done;
    char bundle_path[PATH_MAX];
    struct run_options options;
    struct run_keep keep;
    char checkpoint_path[PATH_MAX];
    struct run_outcome outcome;
};

struct run_pool {
    struct slot slots[RUN_SLOTS_MAX];
    size_t count;
    unsigned threads;
    uint32_t memory_mib_max;
    uint32_t seconds_factor;
    bool keeps;
    const char *runner;
    enum run_executor executor;
    struct gpus gpus;
    const char *nvrtc;
    char folder[PATH_MAX - 64];
    char code_folder[PATH_MAX];
    volatile sig_atomic_t cancel;
};

struct run_pool *run_pool_create(const struct run_pool_options *options)
{
    assert(options->slots > 0 && options->slots <= RUN_SLOTS_MAX);
    struct run_pool *p = must_alloc(sizeof *p);
    p->count = options->slots;
    p->threads = options->threads;
    p->memory_mib_max = options->memory_mib_max;
    p->seconds_factor = options->seconds_factor;
    p->keeps = options->keeps;
    p->runner = options->runner;
    p->executor = options->executor;
    p->nvrtc = options->nvrtc;
    if (options->gpus != NULL) p->gpus = *options->gpus;
    snprintf(p->folder, sizeof p->folder, "%s", options->folder);
    snprintf(p->code_folder, sizeof p->code_folder, "%s/cuda", p->folder);
    return p;
}

void run_pool_destroy(struct run_pool *p)
{
    if (!p) return;
    p->cancel = 1;
    for (size_t i = 0; i < p->count; i++) {
        struct slot *s = &p->slots[i];
        if (!s->used) continue;
        pthread_join(s->thread, NULL);
        run_result_finish(&s->outcome.result);
        remove(s->outcome.result_path);
    }
    free(p);
}

static struct slot *free_slot(const struct run_pool *p)
{
    for (size_t i = 0; i < p->count; i++) {
        if (!p->slots[i].used) return (struct slot *)(uintptr_t)&p->slots[i];
    }
    return NULL;
}

/* One job a card at a time, as long as there are no more slots than cards. */
static const struct gpu *card_of(const struct run_pool *p, const struct slot *s)
{
    size_t index = (size_t)(s - p->slots);
    return p->gpus.count > 0 ? &p->gpus.cards[index % p->gpus.count] : NULL;
}

bool run_pool_has_free_slot(const struct run_pool *p)
{
    return free_slot(p) != NULL;
}

bool run_pool_is_running(const struct run_pool *p, uint64_t job)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->slots[i].used && p->slots[i].outcome.job == job) return true;
    }
    return false;
}

static void *run_slot(void *argument)
{
    struct slot *s = argument;
    struct run_outcome *o = &s->outcome;
    o->status = run_job(&o->result, o->error, s->bundle_path, o->result_path, &s->options);
    atomic_store(&s->done, true);
    return NULL;
}

static void checkpoint_path(const struct run_pool *p, char out[PATH_MAX], uint64_t job)
{
    snprintf(out, PATH_MAX, "%s/checkpoint-%" PRIu64, p->folder, job);
}

void run_pool_forget(const struct run_pool *p, uint64_t job)
{
    char path[PATH_MAX];
    checkpoint_path(p, path, job);
    remove(path);
}

static void keep_what_it_leaves(const struct run_pool *p, struct slot *s, uint64_t job)
{
    checkpoint_path(p, s->checkpoint_path, job);
    bool interrupted = access(s->checkpoint_path, R_OK) == 0;
    s->keep = (struct run_keep){.checkpoint_path = s->checkpoint_path,
                                .resume_path = interrupted ? s->checkpoint_path : NULL};
    s->options.keep = &s->keep;
}

void run_pool_start(struct run_pool *p, uint64_t job, const char *bundle_path, uint32_t seconds_max)
{
    struct slot *s = free_slot(p);
    assert(s && !run_pool_is_running(p, job));
    s->outcome = (struct run_outcome){.job = job};
    snprintf(s->outcome.result_path, PATH_MAX, "%s/result-%" PRIu64 ".tar", p->folder, job);
    snprintf(s->bundle_path, sizeof s->bundle_path, "%s", bundle_path);
    s->options = (struct run_options){.runner_path = p->runner,
                                      .threads = p->threads,
                                      .seconds_max = seconds_max,
                                      .seconds_factor = p->seconds_factor,
                                      .memory_mib_max = p->memory_mib_max,
                                      .cancel = &p->cancel,
                                      .executor = p->executor,
                                      .gpu = card_of(p, s),
                                      .nvrtc = p->nvrtc,
                                      .cache_folder = p->code_folder};
    if (p->keeps) keep_what_it_leaves(p, s, job);
    atomic_store(&s->done, false);
    if (pthread_create(&s->thread, NULL, run_slot, s) != 0)
        fatal("a run's thread cannot be started");
    s->used = true;
}

bool run_pool_collect(struct run_pool *p, struct run_outcome *out)
{
    for (size_t i = 0; i < p->count; i++) {
        struct slot *s = &p->slots[i];
        if (!s->used || !atomic_load(&s->done)) continue;
        pthread_join(s->thread, NULL);
        s->used = false;
        *out = s->outcome;
        return true;
    }
    return false;
}
