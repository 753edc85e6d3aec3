#include "compute/judge_fetch.h"

#include "base/fatal.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FRAME_MS 5000u
#define TOTAL_MS 60000u /* then another asking goes on where this one was */

struct fetch {
    pthread_t thread;
    bool used;
    atomic_bool done;
    const struct key *key;
    struct gateway_content content;
    struct fetch_source from;
    char path[PATH_MAX]; /* of its own, until it is whole */
    struct fetch_outcome outcome;
};

struct judge_fetch {
    const struct key *key;
    char folder[PATH_MAX - 96];
    struct fetch all[FETCHES_MAX];
};

struct judge_fetch *judge_fetch_create(const char *folder, const struct key *key)
{
    struct judge_fetch *f = must_alloc(sizeof *f);
    snprintf(f->folder, sizeof f->folder, "%s", folder);
    f->key = key;
    return f;
}

static void source_path(const struct judge_fetch *f, char out[PATH_MAX], uint64_t job,
                        size_t source)
{
    snprintf(out, PATH_MAX, "%s/bundle-%" PRIu64 "-%zu.tar", f->folder, job, source);
}

/* With what the client keeps beside it for the next try. */
static void remove_files(const char *path)
{
    char beside[PATH_MAX + 8];
    snprintf(beside, sizeof beside, "%s.part", path);
    unlink(beside);
    snprintf(beside, sizeof beside, "%s.leaves", path);
    unlink(beside);
    unlink(path);
}

void judge_fetch_destroy(struct judge_fetch *f)
{
    if (f == NULL) return;
    for (size_t i = 0; i < FETCHES_MAX; i++) {
        if (!f->all[i].used) continue;
        pthread_join(f->all[i].thread, NULL);
        remove_files(f->all[i].path);
    }
    free(f);
}

void judge_fetch_path(const struct judge_fetch *f, char out[PATH_MAX], uint64_t job)
{
    snprintf(out, PATH_MAX, "%s/bundle-%" PRIu64 ".tar", f->folder, job);
}

static bool is_asked(const struct judge_fetch *f, uint64_t job, size_t source)
{
    for (size_t i = 0; i < FETCHES_MAX; i++) {
        const struct fetch *one = &f->all[i];
        if (one->used && one->outcome.job == job && one->outcome.source == source) return true;
    }
    return false;
}

void judge_fetch_forget(const struct judge_fetch *f, uint64_t job)
{
    char path[PATH_MAX];
    judge_fetch_path(f, path, job);
    remove_files(path);
    for (size_t source = 0; source < FETCH_SOURCES_MAX; source++) {
        source_path(f, path, job, source);
        if (!is_asked(f, job, source)) remove_files(path);
    }
}

size_t judge_fetch_count(const struct judge_fetch *f, uint64_t job)
{
    size_t count = 0;
    for (size_t i = 0; i < FETCHES_MAX; i++)
        count += f->all[i].used && f->all[i].outcome.job == job;
    return count;
}

static void *run_fetch(void *context)
{
    struct fetch *one = context;
    struct fetch_outcome *o = &one->outcome;
    struct gateway *g = NULL;
    struct gateway_progress silent = {0};
    struct gateway_peer peer = {.endpoint = one->from.endpoint,
                                .tls_key_hash = one->from.tls_key_hash,
                                .timeout_ms = FRAME_MS,
                                .total_ms = TOTAL_MS};
    o->status = gateway_open(&g, o->problem, &peer, one->key);
    if (o->status == OK) {
        o->status = gateway_get(g, &one->content, one->path, &silent);
        if (o->status != OK) snprintf(o->problem, sizeof o->problem, "%.200s", gateway_problem(g));
        gateway_close(g);
    }
    atomic_store(&one->done, true);
    return NULL;
}

static struct fetch *free_place(struct judge_fetch *f)
{
    for (size_t i = 0; i < FETCHES_MAX; i++)
        if (!f->all[i].used) return &f->all[i];
    return NULL;
}

bool judge_fetch_start(struct judge_fetch *f, const struct gateway_content *content, size_t source,
                       const struct fetch_source *from)
{
    struct fetch *one = free_place(f);
    if (one == NULL || is_asked(f, content->job, source)) return false;
    one->key = f->key;
    one->content = *content;
    one->from = *from;
    one->outcome =
        (struct fetch_outcome){.job = content->job, .root = content->root, .source = source};
    source_path(f, one->path, content->job, source);
    atomic_store(&one->done, false);
    if (pthread_create(&one->thread, NULL, run_fetch, one) != 0)
        fatal("a thread that fetches a bundle cannot be started");
    one->used = true;
    return true;
}

static void hand_over(const struct judge_fetch *f, struct fetch *one)
{
    char path[PATH_MAX];
    judge_fetch_path(f, path, one->outcome.job);
    if (one->outcome.status == OK && rename(one->path, path) != 0) {
        one->outcome.status = E_IO;
        snprintf(one->outcome.problem, sizeof one->outcome.problem, "cannot rename %.200s",
                 one->path);
    }
}

bool judge_fetch_collect(struct judge_fetch *f, struct fetch_outcome *out)
{
    for (size_t i = 0; i < FETCHES_MAX; i++) {
        struct fetch *one = &f->all[i];
        if (!one->used || !atomic_load(&one->done)) continue;
        pthread_join(one->thread, NULL);
        hand_over(f, one);
        one->used = false;
        *out = one->outcome;
        return true;
    }
    return false;
}
