#include "compute/gateway_meter.h"

#include "base/fatal.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct reading {
    struct gateway_name name;
    struct address who;
    uint64_t bytes;
    uint64_t since_s;
    uint64_t used; /* a count that grows: the smallest was used longest ago; 0: free */
};

struct gateway_meter {
    pthread_mutex_t lock;
    uint64_t uses;
    struct reading readings[METER_ENTRIES_MAX];
};

struct gateway_meter *gateway_meter_create(void)
{
    struct gateway_meter *m = must_alloc(sizeof *m);
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

void gateway_meter_destroy(struct gateway_meter *m)
{
    if (!m) return;
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static uint64_t now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec;
}

static bool is_of(const struct reading *r, const struct gateway_name *name,
                  const struct address *who)
{
    return r->used > 0 && r->name.job == name->job && hash_equal(&r->name.root, &name->root) &&
           address_equal(&r->who, who);
}

static struct reading *find(struct gateway_meter *m, const struct gateway_name *name,
                            const struct address *who)
{
    struct reading *oldest = &m->readings[0];
    for (size_t i = 0; i < METER_ENTRIES_MAX; i++) {
        struct reading *r = &m->readings[i];
        if (is_of(r, name, who)) return r;
        if (r->used < oldest->used) oldest = r;
    }
    *oldest = (struct reading){.name = *name, .who = *who, .since_s = now_s()};
    return oldest;
}

uint64_t gateway_meter_limit(uint64_t size)
{
    return METER_TIMES * size + METER_ROOM_BYTES;
}

bool gateway_meter_add(struct gateway_meter *m, const struct gateway_name *name,
                       const struct address *who, uint64_t size, uint64_t bytes)
{
    pthread_mutex_lock(&m->lock);
    struct reading *r = find(m, name, who);
    uint64_t now = now_s();
    if (now - r->since_s >= METER_SECONDS) {
        r->bytes = 0;
        r->since_s = now;
    }
    r->used = ++m->uses;
    bool granted = bytes <= gateway_meter_limit(size) - r->bytes;
    if (granted) r->bytes += bytes;
    pthread_mutex_unlock(&m->lock);
    return granted;
}
