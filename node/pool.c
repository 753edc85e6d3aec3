#include "node/pool.h"

#include "base/fatal.h"
#include "base/key.h"
#include "base/log.h"
#include "chain/build.h"
#include "node/clock.h"
#include "node/loop.h"
#include "node/pool_journal.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOURNAL_SLACK_BYTES (1u << 20) /* written anew when this much and more is of no use */
#define EXPIRE_EVERY_MS     60000

struct pool {
    pthread_mutex_t lock;
    struct mempool *mempool;
    struct pool_journal *journal;
    struct store *store;
    const struct chain_config *config;
    struct u256 base_fee; /* of the next block */
    int wake_fd;
    uint64_t expired_ms;
};

/* ---- the world: the last final state ---- */

struct view {
    struct store_snapshot *snapshot;
    struct layer *layer;
};

static struct mempool_account account_of(void *context, const struct address *a)
{
    const struct view *view = context;
    return pool_account(view->layer, a);
}

static struct mempool_world world_open(const struct pool *p, struct view *view)
{
    view->snapshot = store_snapshot_create(p->store);
    view->layer = layer_create(store_snapshot_base(view->snapshot), NULL);
    return (struct mempool_world){
        .context = view,
        .account = account_of,
        .chain_id = p->config->chain_id,
        .block_gas_limit = p->config->gas_limit,
        .base_fee = p->base_fee,
    };
}

static void world_close(struct view *view)
{
    layer_release(view->layer);
    store_snapshot_destroy(view->snapshot);
}

/* ---- journal ---- */

struct replay {
    struct pool *pool;
    struct mempool_world world;
    size_t kept;
};

static void replay_one(void *context, struct bytes wire)
{
    struct replay *r = context;
    struct hash hash;
    r->kept += mempool_add(r->pool->mempool, &hash, wire, &r->world, clock_ms()) == TX_FINE;
}

static void rewrite_journal(struct pool *p)
{
    size_t count = mempool_count(p->mempool);
    if (pool_journal_size(p->journal) < 2 * mempool_size_bytes(p->mempool) + JOURNAL_SLACK_BYTES)
        return;
    const struct mempool_tx **txs = must_alloc((count + 1) * sizeof(void *));
    struct bytes *wires = must_alloc((count + 1) * sizeof *wires);
    count = mempool_list(p->mempool, txs, count, 0);
    for (size_t i = 0; i < count; i++)
        wires[i] = txs[i]->wire;
    pool_journal_rewrite(p->journal, wires, count);
    free(wires);
    free(txs);
}

enum status pool_open(struct pool **out, char error[POOL_ERROR_SIZE],
                      const struct pool_setup *setup)
{
    struct pool *p = must_alloc(sizeof *p);
    struct view view;
    uint8_t seed[16];
    struct replay replay = {.pool = p};
    random_bytes(seed, sizeof seed);
    p->store = setup->store;
    p->config = setup->config;
    p->wake_fd = setup->wake_fd;
    p->base_fee = block_next_base_fee(setup->config, setup->head);
    p->mempool = mempool_create(&MEMPOOL_DEFAULT_LIMITS, seed);
    p->expired_ms = clock_ms();
    if (pthread_mutex_init(&p->lock, NULL) != 0) fatal("making the pool's lock");
    replay.world = world_open(p, &view);
    enum status status = pool_journal_open(&p->journal, setup->journal_path, replay_one, &replay);
    world_close(&view);
    if (status != OK) {
        snprintf(error, POOL_ERROR_SIZE, "cannot open %.150s: %s; it may be deleted",
                 setup->journal_path, status_text(status));
        pool_close(p);
        return status;
    }
    if (replay.kept > 0) log_info("pool", "waiting transactions read back count=%zu", replay.kept);
    rewrite_journal(p);
    *out = p;
    return OK;
}

void pool_close(struct pool *p)
{
    if (p == NULL) return;
    pool_journal_close(p->journal);
    mempool_destroy(p->mempool);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

struct mempool *pool_lock(struct pool *p)
{
    if (pthread_mutex_lock(&p->lock) != 0) fatal("locking the pool");
    return p->mempool;
}

void pool_unlock(struct pool *p)
{
    if (pthread_mutex_unlock(&p->lock) != 0) fatal("unlocking the pool");
}

/* The dearest of all checks needs nothing of the pool: it is made outside of the lock, by threads
 * side by side. Whatever is wrong the pool itself finds. */
static const struct address *find_sender(struct pool *p, struct address *out, struct bytes wire)
{
    struct arena arena = {0};
    struct tx t;
    struct hash hash = tx_hash_of_wire(wire);
    bool found =
        !pool_has(p, &hash) && tx_decode(&t, &arena, wire) == OK &&
        tx_check_static(&t, CHAIN_REVISION, p->config->chain_id, p->config->gas_limit) == TX_FINE &&
        tx_sender(out, &t) == OK;
    arena_finish(&arena);
    return found ? out : NULL;
}

enum tx_reason pool_submit(struct pool *p, struct hash *out_hash, struct bytes wire)
{
    struct view view;
    struct address signer;
    const struct address *sender = find_sender(p, &signer, wire);
    pool_lock(p);
    struct mempool_world world = world_open(p, &view);
    enum tx_reason reason =
        mempool_add_from(p->mempool, out_hash, wire, sender, &world, clock_ms());
    if (reason == TX_FINE) {
        pool_journal_append(p->journal, wire);
        rewrite_journal(p); /* replacements alone must not fill the disk while no block comes */
    }
    world_close(&view);
    pool_unlock(p);
    if (reason == TX_FINE) loop_wake(p->wake_fd);
    return reason;
}

uint64_t pool_next_nonce(struct pool *p, const struct address *sender, uint64_t account_nonce)
{
    pool_lock(p);
    uint64_t nonce = mempool_next_nonce(p->mempool, sender, account_nonce);
    pool_unlock(p);
    return nonce;
}

bool pool_has(struct pool *p, const struct hash *hash)
{
    pool_lock(p);
    bool found = mempool_find(p->mempool, hash) != NULL;
    pool_unlock(p);
    return found;
}

bool pool_find(struct pool *p, struct buffer *out, const struct hash *hash)
{
    pool_lock(p);
    const struct mempool_tx *t = mempool_find(p->mempool, hash);
    if (t != NULL) buffer_append(out, t->wire);
    pool_unlock(p);
    return t != NULL;
}

void pool_senders(struct pool *p, struct address *out, const struct hash *hashes, size_t count)
{
    pool_lock(p);
    for (size_t i = 0; i < count; i++) {
        const struct mempool_tx *t = mempool_find(p->mempool, &hashes[i]);
        out[i] = t != NULL ? t->sender : (struct address){{0}};
    }
    pool_unlock(p);
}

size_t pool_count(struct pool *p)
{
    pool_lock(p);
    size_t count = mempool_count(p->mempool);
    pool_unlock(p);
    return count;
}

size_t pool_size_bytes(struct pool *p)
{
    pool_lock(p);
    size_t size = mempool_size_bytes(p->mempool);
    pool_unlock(p);
    return size;
}

struct u256 pool_base_fee(struct pool *p)
{
    pool_lock(p);
    struct u256 fee = p->base_fee;
    pool_unlock(p);
    return fee;
}

uint64_t pool_hashes_after(struct pool *p, struct buffer *out, uint64_t sequence, size_t count_max)
{
    const struct mempool_tx **txs = must_alloc(count_max * sizeof(void *));
    pool_lock(p);
    size_t count = mempool_list(p->mempool, txs, count_max, sequence);
    for (size_t i = 0; i < count; i++)
        buffer_append(out, hash_bytes(&txs[i]->hash));
    if (count > 0) sequence = txs[count - 1]->sequence;
    pool_unlock(p);
    free(txs);
    return sequence;
}

void pool_on_final(struct pool *p, const struct header *head, struct bytes spenders)
{
    struct view view;
    size_t count = spenders.size / sizeof(struct address);
    p->base_fee = block_next_base_fee(p->config, head);
    struct mempool_world world = world_open(p, &view);
    /* count 0 with NULL would mean "all": an empty block changes nobody, but the fee moves. */
    struct address none = {{0}};
    struct address *list = count > 0 ? must_alloc(spenders.size) : &none;
    if (count > 0) memcpy(list, spenders.data, spenders.size);
    mempool_on_block(p->mempool, &world, list, count);
    if (count > 0) free(list);
    if (clock_ms() - p->expired_ms > EXPIRE_EVERY_MS) {
        p->expired_ms = clock_ms();
        mempool_expire(p->mempool, p->expired_ms);
    }
    rewrite_journal(p);
    world_close(&view);
}
