#include "tests/sim/parcel.h"

#include "base/fatal.h"

#include <assert.h>
#include <stdlib.h>

struct parcel *parcel_take(struct parcel_pool *pool, enum parcel_kind kind)
{
    struct parcel *p = pool->spare;
    if (p)
        pool->spare = p->next;
    else
        p = must_alloc(sizeof(*p));
    struct buffer bytes = p->bytes;
    buffer_clear(&bytes);
    *p = (struct parcel){.kind = kind, .uses = 1, .bytes = bytes};
    return p;
}

void parcel_drop(struct parcel_pool *pool, struct parcel *p)
{
    if (!p) return;
    assert(p->uses > 0);
    if (--p->uses > 0) return;
    p->next = pool->spare;
    pool->spare = p;
}

void parcel_pool_finish(struct parcel_pool *pool)
{
    while (pool->spare) {
        struct parcel *p = pool->spare;
        pool->spare = p->next;
        buffer_finish(&p->bytes);
        free(p);
    }
}
