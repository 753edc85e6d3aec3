#include "wallet/job_upload.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FRAME_TIMEOUT_MS 10000u
#define TRY_AGAIN_MS     200u
#define JUDGE_AFTER_MS   5000u  /* so long a first worker may take to show its pace */
#define TOO_LONG_MS      20000u /* at that pace */

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void uploads_init(struct uploads *u, const struct gateway_content *content, const char *path,
                  const struct key *key)
{
    memset(u, 0, sizeof *u);
    u->content = *content;
    u->key = *key;
    snprintf(u->path, sizeof u->path, "%s", path);
}

static bool is_stopped(const struct upload *u)
{
    return __atomic_load_n(&u->all->stop, __ATOMIC_ACQUIRE);
}

static void note_held(struct upload *u, uint64_t bytes)
{
    if (bytes <= atomic_load(&u->held)) return;
    atomic_store(&u->held, bytes);
    atomic_store(&u->grown_ms, now_ms());
}

static bool on_step(void *context, uint64_t done, uint64_t size)
{
    struct upload *u = context;
    (void)size;
    note_held(u, done);
    return !is_stopped(u);
}

static enum status open_gateway(struct upload *u, struct gateway **out)
{
    struct gateway_peer peer = {u->endpoint, u->tls_key_hash, FRAME_TIMEOUT_MS, 0};
    return gateway_open(out, u->problem, &peer, &u->all->key);
}

static enum status send_directly(struct upload *u)
{
    struct gateway *g = NULL;
    struct gateway_progress progress = {on_step, u};
    enum status status = open_gateway(u, &g);
    if (status != OK) return status;
    status = gateway_put(g, &u->all->content, u->all->path, &progress);
    if (status != OK) snprintf(u->problem, sizeof u->problem, "%s", gateway_problem(g));
    gateway_close(g);
    return status;
}

/* ---- a worker that may get it from the first ---- */

static uint64_t quiet_ms(const struct upload *u)
{
    return now_ms() - atomic_load(&u->grown_ms);
}

/* So slow that its pace may be meant to make the others late. */
static bool is_too_slow(const struct upload *first)
{
    uint64_t took_ms = now_ms() - first->start_ms, held = atomic_load(&first->held);
    uint64_t left = first->all->content.size - held;
    if (upload_state(first) != UPLOAD_RUNNING || took_ms < JUDGE_AFTER_MS) return false;
    uint64_t rate = held * 1000 / took_ms;
    return rate < RELAY_SLOW_BYTES && left / (rate + 1) * 1000 > TOO_LONG_MS;
}

static bool is_worth_waiting(const struct upload *u)
{
    const struct upload *first = &u->all->items[0];
    if (u == first || u->all->content.size < RELAY_BYTES_MIN) return false;
    if (upload_state(first) == UPLOAD_FAILED || is_too_slow(first)) return false;
    return quiet_ms(u) < RELAY_PATIENCE_MS;
}

/* OK: it got all of it from others. */
static enum status watch(struct upload *u)
{
    struct gateway *g = NULL;
    struct gateway_sizes sizes;
    enum status status = open_gateway(u, &g);
    while (status == OK && is_worth_waiting(u) && !is_stopped(u)) {
        struct timespec pause = {.tv_nsec = TRY_AGAIN_MS * 1000000L};
        status = gateway_stat(g, &sizes, &u->all->content);
        if (status == OK) note_held(u, sizes.held);
        if (status == OK && sizes.held == u->all->content.size) break;
        if (status == E_STATE) status = OK; /* it has not seen the block yet */
        nanosleep(&pause, NULL);
    }
    gateway_close(g);
    bool whole = atomic_load(&u->held) == u->all->content.size;
    atomic_store(&u->relayed, whole);
    return whole ? OK : E_STATE;
}

static enum status try_once(struct upload *u)
{
    if (is_worth_waiting(u) && watch(u) == OK) return OK;
    return is_worth_waiting(u) ? E_STATE : send_directly(u);
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
        if (status == OK || final_failure(status) || is_stopped(u)) {
            __atomic_store_n(&u->state, status == OK ? UPLOAD_DONE : UPLOAD_FAILED,
                             __ATOMIC_RELEASE);
            return NULL;
        }
        nanosleep(&pause, NULL);
    }
}

/* ---- for the main thread ---- */

void uploads_start(struct uploads *u, unsigned replica, const json_t *object)
{
    struct address provider = abi_get_address(object, "provider");
    if (address_is_zero(&provider) || u->count == UPLOADS_MAX) return;
    for (size_t i = 0; i < u->count; i++)
        if (address_equal(&u->items[i].provider, &provider)) return;
    struct upload *item = &u->items[u->count];
    memset(item, 0, sizeof *item);
    item->replica = replica;
    item->provider = provider;
    item->all = u;
    item->start_ms = now_ms();
    atomic_store(&item->grown_ms, item->start_ms);
    item->tls_key_hash = abi_get_hash(object, "tlsKeyHash");
    snprintf(item->endpoint, sizeof item->endpoint, "%s", abi_get_text(object, "endpoint"));
    if (pthread_create(&item->thread, NULL, run_upload, item) == 0) u->count++;
}

enum upload_state upload_state(const struct upload *u)
{
    return (enum upload_state)__atomic_load_n(&u->state, __ATOMIC_ACQUIRE);
}

bool uploads_text(struct uploads *u, char out[TRANSFER_TEXT_SIZE + 40])
{
    const struct upload *slowest = NULL;
    for (size_t i = 0; i < u->count; i++) {
        const struct upload *item = &u->items[i];
        if (upload_state(item) != UPLOAD_RUNNING) continue;
        if (!slowest || atomic_load(&item->held) < atomic_load(&slowest->held)) slowest = item;
    }
    if (!slowest) return false;
    char text[TRANSFER_TEXT_SIZE];
    transfer_text(text, &u->transfer, atomic_load(&slowest->held), u->content.size, now_ms());
    snprintf(out, TRANSFER_TEXT_SIZE + 40, "uploading to worker %u: %s", slowest->replica + 1,
             text);
    return true;
}

void uploads_stop(struct uploads *u)
{
    __atomic_store_n(&u->stop, true, __ATOMIC_RELEASE);
    for (size_t i = 0; i < u->count; i++)
        pthread_join(u->items[i].thread, NULL);
    u->count = 0;
    key_finish(&u->key);
}
