/* Which transactions leave a full pool for a newcomer: see the rules in mempool.h. */
#include "chain/mempool_table.h"

#include <assert.h>

struct rank {
    bool ready; /* no gap before it */
    struct u256 tip;
    struct u256 max_fee;
    uint64_t sequence;
};

static struct rank rank_of(const struct mempool *m, const struct mempool_tx *tx, bool ready)
{
    struct u256 tip = fee_tip(tx->max_fee_per_gas, tx->max_priority_fee_per_gas, m->base_fee);
    return (struct rank){ready, tip, tx->max_fee_per_gas, tx->sequence};
}

static bool worse(const struct rank *a, const struct rank *b)
{
    if (a->ready != b->ready) return b->ready;
    int by_tip = u256_compare(a->tip, b->tip);
    if (by_tip != 0) return by_tip < 0;
    int by_fee = u256_compare(a->max_fee, b->max_fee);
    if (by_fee != 0) return by_fee < 0;
    return a->sequence > b->sequence;
}

/* The last of the sender's queue that is not chosen yet; NULL if there is none. */
static const struct entry *tail_of(const struct sender *s)
{
    size_t left = s->count - s->doomed;
    return left > 0 ? s->queue[left - 1] : NULL;
}

static struct rank rank_of_tail(const struct mempool *m, const struct sender *s)
{
    const struct entry *tail = tail_of(s);
    assert(tail);
    bool ready = tail->tx.nonce - s->nonce < s->count - s->doomed;
    return rank_of(m, &tail->tx, ready);
}

/* The sender with the worst tail, but for `except`; NULL if there is none. */
static struct sender *worst_sender(const struct mempool *m, const struct sender *except)
{
    struct sender *worst = NULL;
    struct rank worst_rank = {0};
    for (struct sender *s = m->senders; s; s = s->by_address.next) {
        if (s == except || !tail_of(s)) continue;
        struct rank rank = rank_of_tail(m, s);
        if (worst && !worse(&rank, &worst_rank)) continue;
        worst = s;
        worst_rank = rank;
    }
    return worst;
}

static void spare_all(struct mempool *m)
{
    for (struct sender *s = m->senders; s; s = s->by_address.next)
        s->doomed = 0;
}

static void evict_doomed(struct mempool *m)
{
    for (struct sender *s = m->senders; s;) {
        struct sender *next = s->by_address.next;
        size_t doomed = s->doomed;
        s->doomed = 0;
        if (doomed > 0) {
            mempool_queue_cut(m, s, s->count - doomed);
            mempool_sender_drop_if_empty(m, s);
        }
        s = next;
    }
}

/* Whether even the first victim is no worse than the newcomer; the answer is kept, so that a flood
 * of cheap transactions does not search the pool each time. */
static bool surely_no_room(struct mempool *m, const struct rank *newcomer)
{
    if (!m->cheapest) {
        const struct sender *s = worst_sender(m, NULL);
        if (!s) return false;
        m->cheapest = tail_of(s);
    }
    const struct sender *s = mempool_sender_find(m, &m->cheapest->tx.sender);
    assert(s && tail_of(s) == m->cheapest);
    struct rank cheapest = rank_of_tail(m, s);
    return !worse(&cheapest, newcomer);
}

struct room {
    size_t count; /* over the limits by so much */
    size_t size_bytes;
};

/* Chooses victims, each worse than the newcomer, until the room is there. All or nothing. */
static bool doom_for(struct mempool *m, const struct rank *newcomer, const struct sender *own,
                     struct room missing)
{
    for (size_t chosen = 0; missing.count > 0 || missing.size_bytes > 0; chosen++) {
        struct sender *s = chosen < MEMPOOL_VICTIMS_MAX ? worst_sender(m, own) : NULL;
        const struct entry *victim = s ? tail_of(s) : NULL;
        struct rank rank = victim ? rank_of_tail(m, s) : *newcomer;
        if (!victim || !worse(&rank, newcomer)) {
            spare_all(m);
            return false;
        }
        size_t freed = victim->tx.size_bytes;
        missing.count -= missing.count > 0;
        missing.size_bytes -= freed < missing.size_bytes ? freed : missing.size_bytes;
        s->doomed++;
    }
    return true;
}

static size_t excess(size_t value, size_t max)
{
    return value > max ? value - max : 0;
}

bool mempool_make_room(struct mempool *m, const struct mempool_tx *tx, bool ready,
                       const struct sender *own, const struct entry *old)
{
    size_t count = mempool_count(m) + (old ? 0 : 1);
    size_t size_bytes = m->size_bytes + tx->size_bytes - (old ? old->tx.size_bytes : 0);
    struct room missing = {excess(count, m->limits.count_max),
                           excess(size_bytes, m->limits.size_bytes_max)};
    if (missing.count == 0 && missing.size_bytes == 0) return true;
    struct rank rank = rank_of(m, tx, ready);
    if (surely_no_room(m, &rank)) return false;
    if (!doom_for(m, &rank, own, missing)) return false;
    evict_doomed(m);
    return true;
}
