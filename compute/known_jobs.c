#include "compute/known_jobs.h"

#include "base/fatal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct known_jobs {
    pthread_mutex_t lock;
    size_t count;
    struct known_job jobs[KNOWN_JOBS_MAX];
};

struct known_jobs *known_jobs_create(void)
{
    struct known_jobs *k = must_alloc(sizeof *k);
    pthread_mutex_init(&k->lock, NULL);
    return k;
}

void known_jobs_destroy(struct known_jobs *k)
{
    if (!k) return;
    pthread_mutex_destroy(&k->lock);
    free(k);
}

static struct known_job *find(struct known_jobs *k, uint64_t id)
{
    for (size_t i = 0; i < k->count; i++) {
        if (k->jobs[i].id == id) return &k->jobs[i];
    }
    return NULL;
}

bool known_jobs_put(struct known_jobs *k, const struct known_job *job)
{
    pthread_mutex_lock(&k->lock);
    struct known_job *place = find(k, job->id);
    if (!place && k->count < KNOWN_JOBS_MAX) place = &k->jobs[k->count++];
    if (place) *place = *job;
    pthread_mutex_unlock(&k->lock);
    return place != NULL;
}

size_t known_jobs_list(struct known_jobs *k, struct known_job out[KNOWN_JOBS_MAX])
{
    pthread_mutex_lock(&k->lock);
    size_t count = k->count;
    memcpy(out, k->jobs, count * sizeof *out);
    pthread_mutex_unlock(&k->lock);
    return count;
}

void known_jobs_remove(struct known_jobs *k, uint64_t id)
{
    pthread_mutex_lock(&k->lock);
    struct known_job *job = find(k, id);
    if (job) *job = k->jobs[--k->count];
    pthread_mutex_unlock(&k->lock);
}

bool known_jobs_uses(struct known_jobs *k, uint64_t id, const struct hash *root)
{
    bool used = false;
    pthread_mutex_lock(&k->lock);
    for (size_t i = 0; i < k->count; i++) {
        const struct known_job *job = &k->jobs[i];
        if (job->id == id) continue;
        used |= !job->over && hash_equal(&job->bundle_root, root);
        used |= hash_equal(&job->result_root, root);
    }
    pthread_mutex_unlock(&k->lock);
    return used;
}

static enum gateway_result right_of(const struct known_job *job, struct gateway_right *out,
                                    const struct hash *root)
{
    if (hash_equal(root, &job->bundle_root)) {
        *out = (struct gateway_right){
            .may_write = job->takes_bundle, .may_read = true, .size = job->bundle_size};
        return GATEWAY_RESULT_OK;
    }
    if (!hash_equal(root, &job->result_root)) return GATEWAY_RESULT_NOT_FOUND;
    if (!job->gives_result) return GATEWAY_RESULT_NOT_YET;
    *out = (struct gateway_right){.may_read = true, .size = job->result_size};
    return GATEWAY_RESULT_OK;
}

enum gateway_result known_jobs_policy(void *context, struct gateway_right *out, uint64_t job,
                                      const struct hash *root, const struct address *who)
{
    struct known_jobs *k = context;
    pthread_mutex_lock(&k->lock);
    const struct known_job *known = find(k, job);
    enum gateway_result code = GATEWAY_RESULT_NOT_YET;
    if (known)
        code =
            address_equal(&known->renter, who) ? right_of(known, out, root) : GATEWAY_RESULT_DENIED;
    pthread_mutex_unlock(&k->lock);
    return code;
}
