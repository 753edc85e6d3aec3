#include "wallet/job_upload.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FRAME_TIMEOUT_MS 10000u
#define TRY_AGAIN_MS     200u

void uploads_init(struct uploads *u, const struct gateway_content *content, const char *path,
                  const struct key *key)
{
    *u = (struct uploads){.content = *content, .key = *key};
    snprintf(u->path, sizeof u->path, "%s", path);
}

static enum status try_once(struct upload *u)
{
    struct gateway_peer peer = {u->endpoint, u->tls_key_hash, FRAME_TIMEOUT_MS, 0};
    struct gateway *g = NULL;
    enum status status = gateway_open(&g, u->problem, &peer, &u->all->key);
    if (status != OK) return status;
    status = gateway_put(g, &u->all->content, u->all->path, NULL);
    if (status != OK) snprintf(u->problem, sizeof u->problem, "%s", gateway_problem(g));
    gateway_close(g);
    return status;
}

static bool final_failure(enum status status)
{
    return status == E_LIMIT || status == E_MALFORMED || status == E_UNSUPPORTED;
}

static void *run_upload(void *context)
{
    struct upload *u = context;
    for (;;) {
        enum status status = try_once(u);
        struct timespec pause = {.tv_nsec = TRY_AGAIN_MS * 1000000L};
        bool stop = __atomic_load_n(&u->all->stop, __ATOMIC_ACQUIRE);
        if (status == OK || final_failure(status) || stop) {
            __atomic_store_n(&u->state, status == OK ? UPLOAD_DONE : UPLOAD_FAILED,
                             __ATOMIC_RELEASE);
            return NULL;
        }
        nanosleep(&pause, NULL);
    }
}

void uploads_start(struct uploads *u, unsigned replica, const json_t *object)
{
    struct address provider = abi_get_address(object, "provider");
    if (address_is_zero(&provider) || u->count == UPLOADS_MAX) return;
    for (size_t i = 0; i < u->count; i++)
        if (address_equal(&u->items[i].provider, &provider)) return;
    struct upload *item = &u->items[u->count];
    *item = (struct upload){.replica = replica, .provider = provider, .all = u};
    item->tls_key_hash = abi_get_hash(object, "tlsKeyHash");
    snprintf(item->endpoint, sizeof item->endpoint, "%s", abi_get_text(object, "endpoint"));
    if (pthread_create(&item->thread, NULL, run_upload, item) == 0) u->count++;
}

enum upload_state upload_state(const struct upload *u)
{
    return (enum upload_state)__atomic_load_n(&u->state, __ATOMIC_ACQUIRE);
}

void uploads_stop(struct uploads *u)
{
    __atomic_store_n(&u->stop, true, __ATOMIC_RELEASE);
    for (size_t i = 0; i < u->count; i++)
        pthread_join(u->items[i].thread, NULL);
    u->count = 0;
    key_finish(&u->key);
}
