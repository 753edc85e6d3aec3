#include "node/rpc_filters.h"

#include "base/fatal.h"
#include "base/key.h"
#include "node/clock.h"

#include <pthread.h>
#include <stdlib.h>

struct filters {
    pthread_mutex_t lock;
    struct filter slots[FILTERS_MAX]; /* id 0: free */
};

static void lock(struct filters *f)
{
    if (pthread_mutex_lock(&f->lock) != 0) fatal("locking the filters");
}

static void unlock(struct filters *f)
{
    if (pthread_mutex_unlock(&f->lock) != 0) fatal("unlocking the filters");
}

static void clear(struct filter *slot)
{
    free(slot->criteria);
    *slot = (struct filter){0};
}

struct filters *filters_create(void)
{
    struct filters *f = must_alloc(sizeof *f);
    if (pthread_mutex_init(&f->lock, NULL) != 0) fatal("making the filters' lock");
    return f;
}

void filters_destroy(struct filters *f)
{
    if (f == NULL) return;
    for (size_t i = 0; i < FILTERS_MAX; i++)
        clear(&f->slots[i]);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

static struct filter *find(struct filters *f, uint64_t id)
{
    uint64_t now = clock_ms();
    for (size_t i = 0; i < FILTERS_MAX; i++) {
        struct filter *slot = &f->slots[i];
        if (slot->id == 0 || slot->id != id) continue;
        if (now - slot->asked_ms <= FILTER_LIFETIME_MS) return slot;
        clear(slot);
    }
    return NULL;
}

/* A free slot, or the one that nobody asked for the longest. */
static struct filter *make_room(struct filters *f)
{
    struct filter *oldest = &f->slots[0];
    for (size_t i = 0; i < FILTERS_MAX; i++) {
        if (f->slots[i].id == 0) return &f->slots[i];
        if (f->slots[i].asked_ms < oldest->asked_ms) oldest = &f->slots[i];
    }
    clear(oldest);
    return oldest;
}

static uint64_t fresh_id(void)
{
    uint64_t id = 0;
    while (id == 0)
        random_bytes((uint8_t *)&id, sizeof id);
    return id;
}

uint64_t filters_add(struct filters *f, enum filter_kind kind, uint64_t position,
                     const char *criteria)
{
    uint64_t id = fresh_id();
    lock(f);
    struct filter *slot = make_room(f);
    *slot =
        (struct filter){id, kind, position, clock_ms(), criteria ? must_strdup(criteria) : NULL};
    unlock(f);
    return id;
}

bool filters_find(struct filters *f, struct filter *out, uint64_t id)
{
    lock(f);
    struct filter *slot = find(f, id);
    if (slot != NULL) {
        slot->asked_ms = clock_ms();
        *out = *slot;
        if (slot->criteria != NULL) out->criteria = must_strdup(slot->criteria);
    }
    unlock(f);
    return slot != NULL;
}

void filters_move(struct filters *f, uint64_t id, uint64_t position)
{
    lock(f);
    struct filter *slot = find(f, id);
    if (slot != NULL) slot->position = position;
    unlock(f);
}

bool filters_remove(struct filters *f, uint64_t id)
{
    lock(f);
    struct filter *slot = find(f, id);
    if (slot != NULL) clear(slot);
    unlock(f);
    return slot != NULL;
}
