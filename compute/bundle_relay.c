#include "compute/bundle_relay.h"

#include "base/fatal.h"
#include "base/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct fetch {
    const struct bundle_relay *relay;
    pthread_t thread;
    bool started;
    atomic_bool done;
    atomic_bool stop;
    struct gateway_content content;
    struct address owner;
    struct relay_source sources[RELAY_SOURCES_MAX];
    bool is_liar[RELAY_SOURCES_MAX];
    size_t source_count;
};

struct bundle_relay {
    struct blobs *blobs;
    const struct key *identity;
    struct fetch fetches[RELAYS_MAX];
};

static struct blob_key key_of(const struct fetch *f)
{
    return (struct blob_key){f->content.job, f->content.root};
}

static void wait_ms(const struct fetch *f, uint64_t ms)
{
    struct timespec step = {.tv_nsec = 50 * 1000000L};
    for (uint64_t i = 0; i < ms && !atomic_load(&f->stop); i += 50)
        nanosleep(&step, NULL);
}

/* ---- one worker's turn ---- */

static enum status keep(void *context, uint64_t offset, struct bytes chunk)
{
    struct fetch *f = context;
    struct blob_key key = key_of(f);
    if (atomic_load(&f->stop)) return E_TIMEOUT;
    return blobs_put(f->relay->blobs, &key, offset, chunk);
}

/* Hands on the leaf hashes in pages, from where ours stop. They make the root, or gateway_leaves
 * would have refused them. */
static enum status offer(struct fetch *f, const struct leaf_tree *tree)
{
    struct blobs *blobs = f->relay->blobs;
    struct blob_key key = key_of(f);
    enum status status = OK;
    uint64_t first = blobs_state(blobs, &key).offered;
    while (status == OK && first < tree->leaf_count) {
        uint64_t left = tree->leaf_count - first;
        uint64_t count = left < GATEWAY_HASHES_MAX ? left : GATEWAY_HASHES_MAX;
        struct bytes page = bytes_of(&tree->nodes[first], (size_t)count * sizeof(struct hash));
        status = blobs_offer(blobs, &key, &f->owner, tree->size_bytes, first, page);
        first += count;
    }
    return status == E_RANGE ? OK : status; /* the renter's pages came in between */
}

static enum status take_leaves(struct fetch *f, struct gateway *g)
{
    struct blob_key key = key_of(f);
    struct leaf_tree tree;
    struct blob_state state = blobs_state(f->relay->blobs, &key);
    if (state.size > 0 && state.offered == leaf_count(f->content.size)) return OK;
    enum status status = gateway_leaves(g, &tree, &f->content);
    if (status != OK) return status;
    status = offer(f, &tree);
    leaf_tree_finish(&tree);
    return status;
}

/* What is not to be asked for: what we hold, and what they do not. */
static enum status find_done(struct fetch *f, struct gateway *g, struct leaf_map *done)
{
    struct leaf_map theirs;
    struct buffer bits = {0};
    struct blob_key key = key_of(f);
    uint64_t count = leaf_count(f->content.size);
    enum status status = blobs_map(f->relay->blobs, &bits, &key, 0, &count);
    if (status == OK) status = gateway_held(g, &theirs, &f->content);
    if (status == OK) {
        leaf_map_init(done, count);
        leaf_map_merge(done, 0, buffer_bytes(&bits));
        for (uint64_t first = 0; first < count; first += GATEWAY_CHUNK_MAX / MERKLE_LEAF_BYTES) {
            uint64_t left = count - first, chunk = GATEWAY_CHUNK_MAX / MERKLE_LEAF_BYTES;
            if (left < chunk) chunk = left;
            if (!leaf_map_has(&theirs, first, chunk)) leaf_map_add(done, first, chunk);
        }
        leaf_map_finish(&theirs);
    }
    buffer_finish(&bits);
    return status;
}

static bool is_whole(const struct fetch *f)
{
    struct blob_key key = key_of(f);
    return blobs_state(f->relay->blobs, &key).whole;
}

/* Takes what they have, and what they get while we are there. */
static enum status take_from(struct fetch *f, struct gateway *g)
{
    enum status status = take_leaves(f, g);
    while (status == OK && !is_whole(f) && !atomic_load(&f->stop)) {
        struct leaf_map done = {0};
        status = find_done(f, g, &done);
        bool nothing_new = status == OK && done.set == done.count;
        if (status == OK && !nothing_new) status = gateway_pull(g, &f->content, &done, keep, f);
        leaf_map_finish(&done);
        if (nothing_new) wait_ms(f, RELAY_PAUSE_MS);
    }
    return status;
}

static void ask(struct fetch *f, size_t index)
{
    const struct relay_source *source = &f->sources[index];
    struct gateway_peer peer = {source->endpoint, source->tls_key_hash, RELAY_FRAME_MS,
                                RELAY_TURN_MS};
    struct gateway *g = NULL;
    char problem[JSON_ERROR_SIZE] = "";
    enum status status = gateway_open(&g, problem, &peer, f->relay->identity);
    if (status == OK) status = take_from(f, g);
    if (status == E_MALFORMED) {
        f->is_liar[index] = true;
        log_warn("relay", "job=%" PRIu64 " is not fetched from %s any more: %s", f->content.job,
                 source->endpoint, g ? gateway_problem(g) : problem);
    }
    gateway_close(g);
}

static void *run_fetch(void *context)
{
    struct fetch *f = context;
    while (!atomic_load(&f->stop) && !is_whole(f)) {
        for (size_t i = 0; i < f->source_count && !atomic_load(&f->stop) && !is_whole(f); i++)
            if (!f->is_liar[i]) ask(f, i);
        if (!is_whole(f)) wait_ms(f, RELAY_PAUSE_MS);
    }
    atomic_store(&f->done, true);
    return NULL;
}

/* ---- what the loop calls ---- */

struct bundle_relay *bundle_relay_create(struct blobs *blobs, const struct key *identity)
{
    struct bundle_relay *r = must_alloc(sizeof *r);
    r->blobs = blobs;
    r->identity = identity;
    return r;
}

static void join(struct fetch *f)
{
    if (!f->started) return;
    pthread_join(f->thread, NULL);
    f->started = false;
}

void bundle_relay_destroy(struct bundle_relay *r)
{
    if (!r) return;
    for (size_t i = 0; i < RELAYS_MAX; i++)
        atomic_store(&r->fetches[i].stop, true);
    for (size_t i = 0; i < RELAYS_MAX; i++)
        join(&r->fetches[i]);
    free(r);
}

static struct fetch *find(struct bundle_relay *r, uint64_t job)
{
    for (size_t i = 0; i < RELAYS_MAX; i++)
        if (r->fetches[i].started && r->fetches[i].content.job == job) return &r->fetches[i];
    return NULL;
}

/* One that has ended gives its place. */
static struct fetch *free_place(struct bundle_relay *r)
{
    for (size_t i = 0; i < RELAYS_MAX; i++) {
        struct fetch *f = &r->fetches[i];
        if (f->started && !atomic_load(&f->done)) continue;
        join(f);
        return f;
    }
    return NULL;
}

void bundle_relay_want(struct bundle_relay *r, const struct gateway_content *content,
                       const struct address *owner, const struct relay_source *sources,
                       size_t count)
{
    if (count == 0 || content->size == 0 || find(r, content->job)) return;
    struct fetch *f = free_place(r);
    if (!f) return;
    f->relay = r;
    f->content = *content;
    f->owner = *owner;
    f->source_count = count < RELAY_SOURCES_MAX ? count : RELAY_SOURCES_MAX;
    memcpy(f->sources, sources, f->source_count * sizeof *sources);
    memset(f->is_liar, 0, sizeof f->is_liar);
    atomic_store(&f->done, false);
    atomic_store(&f->stop, false);
    f->started = pthread_create(&f->thread, NULL, run_fetch, f) == 0;
}

void bundle_relay_drop(struct bundle_relay *r, uint64_t job)
{
    struct fetch *f = find(r, job);
    if (f) atomic_store(&f->stop, true); /* its place is taken over when the thread has ended */
}
