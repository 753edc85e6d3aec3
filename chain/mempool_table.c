/* The only code that expands uthash's macros, whose size is not ours: hence no size check here.
 * NOLINTBEGIN(readability-function-size) */
#include "chain/mempool_table.h"

#include <assert.h>

__extension__ typedef unsigned __int128 uint128;

/* Keys are hashes already, so mixing them with the seed by one multiplication a word is enough to
 * keep an outsider from aiming at a bucket. */
unsigned mempool_hash_key(const struct mempool *m, const void *key, size_t size_bytes)
{
    const uint8_t *bytes = key;
    uint64_t state = m->seed[0];
    for (size_t at = 0; at < size_bytes; at += 4) {
        uint128 product = (uint128)(state ^ load_be32(bytes + at)) * (m->seed[1] | 1);
        state = (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    return (unsigned)(state ^ state >> 32);
}

/* --- senders and their queues --- */

struct sender *mempool_sender_find(const struct mempool *m, const struct address *a)
{
    struct sender *s = NULL;
    HASH_FIND(by_address, m->senders, a->b, sizeof a->b, s);
    return s;
}

struct sender *mempool_sender_get(struct mempool *m, const struct address *a)
{
    struct sender *s = mempool_sender_find(m, a);
    if (s) return s;
    s = must_alloc(sizeof *s);
    s->address = *a;
    HASH_ADD(by_address, m->senders, address, sizeof s->address, s);
    return s;
}

void mempool_sender_drop_if_empty(struct mempool *m, struct sender *s)
{
    if (s->count > 0) return;
    HASH_DELETE(by_address, m->senders, s);
    free(s);
}

size_t mempool_queue_position(const struct sender *s, uint64_t nonce)
{
    size_t at = 0;
    while (at < s->count && s->queue[at]->tx.nonce < nonce)
        at++;
    return at;
}

struct entry *mempool_queue_find(const struct sender *s, uint64_t nonce)
{
    size_t at = s ? mempool_queue_position(s, nonce) : 0;
    return s && at < s->count && s->queue[at]->tx.nonce == nonce ? s->queue[at] : NULL;
}

/* --- linking and unlinking one entry --- */

static void link_arrival(struct mempool *m, struct entry *e)
{
    e->older = m->newest;
    if (m->newest)
        m->newest->newer = e;
    else
        m->oldest = e;
    m->newest = e;
}

static void unlink_arrival(struct mempool *m, struct entry *e)
{
    if (e->older)
        e->older->newer = e->newer;
    else
        m->oldest = e->newer;
    if (e->newer)
        e->newer->older = e->older;
    else
        m->newest = e->older;
}

/* --- authorities --- */

static struct authority *authority_find(const struct mempool *m, const struct address *a)
{
    struct authority *found = NULL;
    HASH_FIND(by_authority, m->authorities, a->b, sizeof a->b, found);
    return found;
}

bool mempool_is_authority(const struct mempool *m, const struct address *a)
{
    return authority_find(m, a) != NULL;
}

static void authority_add(struct mempool *m, const struct address *a)
{
    struct authority *found = authority_find(m, a);
    if (!found) {
        found = must_alloc(sizeof *found);
        found->address = *a;
        HASH_ADD(by_authority, m->authorities, address, sizeof found->address, found);
    }
    found->count++;
}

static void authority_drop(struct mempool *m, const struct address *a)
{
    struct authority *found = authority_find(m, a);
    assert(found && found->count > 0);
    if (--found->count > 0) return;
    HASH_DELETE(by_authority, m->authorities, found);
    free(found);
}

void mempool_entry_insert(struct mempool *m, struct sender *s, struct entry *e)
{
    size_t at = mempool_queue_position(s, e->tx.nonce);
    assert(s->count < MEMPOOL_SENDER_MAX);
    for (size_t i = s->count; i > at; i--)
        s->queue[i] = s->queue[i - 1];
    s->queue[at] = e;
    s->count++;
    HASH_ADD(by_hash, m->entries, tx.hash, sizeof e->tx.hash, e);
    link_arrival(m, e);
    for (size_t i = 0; i < e->authority_count; i++)
        authority_add(m, &e->authorities[i]);
    m->size_bytes += e->tx.size_bytes;
    m->cheapest = NULL;
}

void mempool_entry_remove(struct mempool *m, struct sender *s, struct entry *e)
{
    size_t at = mempool_queue_position(s, e->tx.nonce);
    assert(at < s->count && s->queue[at] == e);
    s->count--;
    for (size_t i = at; i < s->count; i++)
        s->queue[i] = s->queue[i + 1];
    HASH_DELETE(by_hash, m->entries, e);
    unlink_arrival(m, e);
    for (size_t i = 0; i < e->authority_count; i++)
        authority_drop(m, &e->authorities[i]);
    assert(m->size_bytes >= e->tx.size_bytes);
    m->size_bytes -= e->tx.size_bytes;
    m->cheapest = NULL;
    free(e);
}

void mempool_queue_cut(struct mempool *m, struct sender *s, size_t from)
{
    while (s->count > from)
        mempool_entry_remove(m, s, s->queue[s->count - 1]);
}

struct entry *mempool_entry_find(const struct mempool *m, const struct hash *hash)
{
    struct entry *e = NULL;
    HASH_FIND(by_hash, m->entries, hash->b, sizeof hash->b, e);
    return e;
}

/* NOLINTEND(readability-function-size) */
