#include "net/attempts.h"

#include "base/fatal.h"
#include "base/sha256.h"

#include <stdlib.h>

#define MINUTE_MS  60000
#define ROW_COUNT  512
#define ROW_PLACES 8

struct attempt {
    struct net_group from;
    uint32_t count; /* 0: free */
    uint64_t since_ms;
};

struct attempts {
    uint8_t seed[32];
    struct attempt rows[ROW_COUNT][ROW_PLACES];
};

struct attempts *attempts_create(const uint8_t seed[32])
{
    struct attempts *a = must_alloc(sizeof *a);
    memcpy(a->seed, seed, sizeof a->seed);
    return a;
}

void attempts_destroy(struct attempts *a)
{
    free(a);
}

static struct attempt *place_of(struct attempts *a, const struct net_group *from)
{
    struct bytes parts[] = {bytes_of(a->seed, sizeof a->seed), bytes_of(from->b, sizeof from->b)};
    struct hash h = sha256_parts(parts, 2);
    struct attempt *row = a->rows[load_be32(h.b) % ROW_COUNT];
    struct attempt *oldest = row;
    for (int i = 0; i < ROW_PLACES; i++) {
        if (row[i].count > 0 && net_group_equal(&row[i].from, from)) return &row[i];
        if (row[i].since_ms < oldest->since_ms) oldest = &row[i];
    }
    *oldest = (struct attempt){.from = *from};
    return oldest;
}

uint32_t attempts_count(struct attempts *a, const struct net_address *from, uint64_t now_ms)
{
    struct net_group host = net_address_prefix(from, 32, 64);
    struct attempt *found = place_of(a, &host);
    if (found->count == 0 || now_ms - found->since_ms >= MINUTE_MS) {
        found->count = 0;
        found->since_ms = now_ms;
    }
    if (found->count < UINT32_MAX) found->count++;
    return found->count;
}
