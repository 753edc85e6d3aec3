/* A heap with one transaction of each sender that has one due: its next by nonce. */
#include "chain/mempool_table.h"

#include <assert.h>

struct head {
    const struct sender *sender;
    size_t index; /* in the sender's queue */
    struct u256 tip;
    uint64_t sequence;
};

struct mempool_pick {
    struct u256 base_fee;
    struct head *heap; /* best first */
    size_t count;
    struct head last; /* handed out; its successor is not in the heap yet */
    bool has_last;
};

static bool better(const struct head *a, const struct head *b)
{
    int by_tip = u256_compare(a->tip, b->tip);
    if (by_tip != 0) return by_tip > 0;
    return a->sequence < b->sequence;
}

static void swap(struct head *a, struct head *b)
{
    struct head kept = *a;
    *a = *b;
    *b = kept;
}

static void heap_push(struct mempool_pick *p, struct head head)
{
    size_t i = p->count++;
    p->heap[i] = head;
    while (i > 0 && better(&p->heap[i], &p->heap[(i - 1) / 2])) {
        swap(&p->heap[i], &p->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}

static struct head heap_pop(struct mempool_pick *p)
{
    assert(p->count > 0);
    struct head top = p->heap[0];
    p->heap[0] = p->heap[--p->count];
    for (size_t i = 0;;) {
        size_t best = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
            if (child < p->count && better(&p->heap[child], &p->heap[best])) best = child;
        if (best == i) return top;
        swap(&p->heap[i], &p->heap[best]);
        i = best;
    }
}

/* The sender's transaction at `index` joins the heap if it has that nonce and pays the base fee. */
static void offer(struct mempool_pick *p, const struct sender *s, size_t index, uint64_t nonce)
{
    if (index >= s->count) return;
    const struct mempool_tx *tx = &s->queue[index]->tx;
    if (tx->nonce != nonce || u256_compare(tx->max_fee_per_gas, p->base_fee) < 0) return;
    struct u256 tip = fee_tip(tx->max_fee_per_gas, tx->max_priority_fee_per_gas, p->base_fee);
    heap_push(p, (struct head){s, index, tip, tx->sequence});
}

struct mempool_pick *mempool_pick_create(const struct mempool *m, const struct mempool_world *world)
{
    struct mempool_pick *p = must_alloc(sizeof *p);
    p->base_fee = world->base_fee;
    p->heap = must_alloc((HASH_CNT(by_address, m->senders) + 1) * sizeof *p->heap);
    for (const struct sender *s = m->senders; s; s = s->by_address.next) {
        uint64_t nonce = world->account(world->context, &s->address).nonce;
        size_t index = 0;
        while (index < s->count && s->queue[index]->tx.nonce < nonce)
            index++;
        offer(p, s, index, nonce);
    }
    return p;
}

void mempool_pick_destroy(struct mempool_pick *p)
{
    if (!p) return;
    free(p->heap);
    free(p);
}

const struct mempool_tx *mempool_pick_next(struct mempool_pick *p)
{
    if (p->has_last) {
        const struct sender *s = p->last.sender;
        offer(p, s, p->last.index + 1, s->queue[p->last.index]->tx.nonce + 1);
    }
    p->has_last = p->count > 0;
    if (!p->has_last) return NULL;
    p->last = heap_pop(p);
    return &p->last.sender->queue[p->last.index]->tx;
}

void mempool_pick_skip_sender(struct mempool_pick *p)
{
    assert(p->has_last);
    p->has_last = false;
}
