#include "compute/known_jobs.h"

#include "base/fatal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct known_job job;
    size_t provider_count;
    size_t reader_count;
    size_t root_count;
    struct address providers[PROVIDERS_MAX];
    struct address readers[READERS_MAX];
    struct known_root roots[KNOWN_ROOTS_MAX];
};

struct known_jobs {
    pthread_mutex_t lock;
    size_t count;
    struct entry entries[KNOWN_JOBS_MAX];
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

static struct entry *find(struct known_jobs *k, uint64_t id)
{
    for (size_t i = 0; i < k->count; i++)
        if (k->entries[i].job.id == id) return &k->entries[i];
    return NULL;
}

bool known_jobs_put(struct known_jobs *k, const struct known_job *job)
{
    pthread_mutex_lock(&k->lock);
    struct entry *place = find(k, job->id);
    if (!place && k->count < KNOWN_JOBS_MAX) {
        place = &k->entries[k->count++];
        memset(place, 0, sizeof *place);
    }
    if (place) place->job = *job;
    pthread_mutex_unlock(&k->lock);
    return place != NULL;
}

/* As many as there is room for. */
static size_t keep(void *place, size_t max, const void *items, size_t count, size_t item_bytes)
{
    size_t kept = count < max ? count : max;
    if (kept > 0) memcpy(place, items, kept * item_bytes);
    return kept;
}

bool known_jobs_set_providers(struct known_jobs *k, uint64_t id, const struct address *workers,
                              size_t count)
{
    pthread_mutex_lock(&k->lock);
    struct entry *e = find(k, id);
    if (e) e->provider_count = keep(e->providers, PROVIDERS_MAX, workers, count, sizeof *workers);
    pthread_mutex_unlock(&k->lock);
    return e && count <= PROVIDERS_MAX;
}

bool known_jobs_set_readers(struct known_jobs *k, uint64_t id, const struct address *readers,
                            size_t count)
{
    pthread_mutex_lock(&k->lock);
    struct entry *e = find(k, id);
    if (e) e->reader_count = keep(e->readers, READERS_MAX, readers, count, sizeof *readers);
    pthread_mutex_unlock(&k->lock);
    return e && count <= READERS_MAX;
}

bool known_jobs_set_roots(struct known_jobs *k, uint64_t id, const struct known_root *roots,
                          size_t count)
{
    pthread_mutex_lock(&k->lock);
    struct entry *e = find(k, id);
    if (e) e->root_count = keep(e->roots, KNOWN_ROOTS_MAX, roots, count, sizeof *roots);
    pthread_mutex_unlock(&k->lock);
    return e && count <= KNOWN_ROOTS_MAX;
}

bool known_jobs_find(struct known_jobs *k, struct known_job *out, uint64_t id)
{
    pthread_mutex_lock(&k->lock);
    const struct entry *e = find(k, id);
    if (e) *out = e->job;
    pthread_mutex_unlock(&k->lock);
    return e != NULL;
}

size_t known_jobs_list(struct known_jobs *k, struct known_job out[KNOWN_JOBS_MAX])
{
    pthread_mutex_lock(&k->lock);
    size_t count = k->count;
    for (size_t i = 0; i < count; i++)
        out[i] = k->entries[i].job;
    pthread_mutex_unlock(&k->lock);
    return count;
}

void known_jobs_remove(struct known_jobs *k, uint64_t id)
{
    pthread_mutex_lock(&k->lock);
    struct entry *e = find(k, id);
    if (e) *e = k->entries[--k->count];
    pthread_mutex_unlock(&k->lock);
}

static bool is_among(const struct address *who, const struct address *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (address_equal(who, &list[i])) return true;
    return false;
}

static const struct known_root *find_root(const struct entry *e, const struct hash *root)
{
    for (size_t i = 0; i < e->root_count; i++)
        if (hash_equal(root, &e->roots[i].root)) return &e->roots[i];
    return NULL;
}

static enum gateway_result right_of(const struct entry *e, struct gateway_right *out,
                                    const struct hash *root, const struct address *who)
{
    const struct known_job *job = &e->job;
    bool renter = address_equal(&job->renter, who);
    bool reader = is_among(who, e->readers, e->reader_count);
    bool provider = is_among(who, e->providers, e->provider_count);
    if (!renter && !reader && !provider) return GATEWAY_RESULT_DENIED;
    *out = (struct gateway_right){.may_read = true, .owner = job->renter};
    if (hash_equal(root, &job->bundle_root)) {
        out->may_write = renter && job->takes_bundle;
        out->size = job->bundle_size;
        return GATEWAY_RESULT_OK;
    }
    if (!renter && !reader) return GATEWAY_RESULT_DENIED;
    const struct known_root *further = find_root(e, root);
    bool result = hash_equal(root, &job->result_root) && !hash_is_zero(root);
    if (!result && !further) return GATEWAY_RESULT_NOT_FOUND;
    out->size = result ? job->result_size : further->size;
    return job->gives_result ? GATEWAY_RESULT_OK : GATEWAY_RESULT_NOT_YET;
}

enum gateway_result known_jobs_policy(void *context, struct gateway_right *out,
                                      const struct gateway_name *name, const struct address *who)
{
    struct known_jobs *k = context;
    struct gateway_right right = {0};
    pthread_mutex_lock(&k->lock);
    const struct entry *e = find(k, name->job);
    enum gateway_result code = e ? right_of(e, &right, &name->root, who) : GATEWAY_RESULT_NOT_YET;
    pthread_mutex_unlock(&k->lock);
    if (code == GATEWAY_RESULT_OK) *out = right;
    return code;
}
