#include "tests/sim/queue.h"

#include "base/fatal.h"

#include <assert.h>
#include <stdlib.h>

static bool before(const struct item *a, const struct item *b)
{
    return a->time_ms != b->time_ms ? a->time_ms < b->time_ms : a->order < b->order;
}

void queue_put(struct queue *q, struct item item, uint64_t time_ms)
{
    if (q->count == q->room) {
        q->room = q->room ? 2 * q->room : 1024;
        q->items = must_realloc(q->items, q->room * sizeof(*q->items));
    }
    item.time_ms = time_ms;
    item.order = q->order++;
    size_t i = q->count++;
    for (; i > 0 && before(&item, &q->items[(i - 1) / 2]); i = (i - 1) / 2)
        q->items[i] = q->items[(i - 1) / 2];
    q->items[i] = item;
}

const struct item *queue_first(const struct queue *q)
{
    return q->count > 0 ? &q->items[0] : NULL;
}

struct item queue_take(struct queue *q)
{
    assert(q->count > 0);
    struct item top = q->items[0];
    struct item last = q->items[--q->count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= q->count) break;
        if (child + 1 < q->count && before(&q->items[child + 1], &q->items[child])) child++;
        if (!before(&q->items[child], &last)) break;
        q->items[i] = q->items[child];
        i = child;
    }
    q->items[i] = last;
    return top;
}

void queue_finish(struct queue *q)
{
    free(q->items);
    *q = (struct queue){0};
}
