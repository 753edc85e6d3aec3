#include "net/bans.h"

#include "base/fatal.h"

#include <assert.h>
#include <stdlib.h>

struct ban {
    struct hash who;   /* an id; or the first bits of an address */
    uint64_t until_ms; /* 0: free */
    bool is_id;
};

struct bans {
    size_t count; /* the places in use so far */
    struct ban list[PEER_BANS_MAX];
};

uint32_t score_points(const struct score *s, uint64_t now_ms)
{
    assert(now_ms >= s->at_ms);
    uint64_t halvings = (now_ms - s->at_ms) / PEER_SCORE_HALF_MS;
    return halvings < 32 ? s->points >> halvings : 0;
}

void score_add(struct score *s, uint32_t points, uint64_t now_ms)
{
    uint32_t before = score_points(s, now_ms);
    uint64_t halvings = (now_ms - s->at_ms) / PEER_SCORE_HALF_MS;
    s->at_ms = before == 0 ? now_ms : s->at_ms + halvings * PEER_SCORE_HALF_MS;
    s->points = points > UINT32_MAX - before ? UINT32_MAX : before + points;
}

struct bans *bans_create(void)
{
    return must_alloc(sizeof(struct bans));
}

void bans_destroy(struct bans *b)
{
    free(b);
}

static struct hash who_of_address(const struct net_address *a)
{
    struct hash who = {{0}};
    struct net_group network = net_address_prefix(a, 32, 64);
    memcpy(who.b, network.b, sizeof network.b);
    return who;
}

static bool has(const struct bans *b, const struct hash *who, bool is_id, uint64_t now_ms)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct ban *ban = &b->list[i];
        if (ban->until_ms > now_ms && ban->is_id == is_id && hash_equal(&ban->who, who))
            return true;
    }
    return false;
}

static void add(struct bans *b, const struct hash *who, bool is_id, uint64_t until_ms)
{
    struct ban *place = &b->list[0];
    for (size_t i = 0; i < b->count; i++) {
        struct ban *ban = &b->list[i];
        if (ban->is_id == is_id && hash_equal(&ban->who, who)) {
            if (until_ms > ban->until_ms) ban->until_ms = until_ms;
            return;
        }
        if (ban->until_ms < place->until_ms) place = ban;
    }
    if (b->count < PEER_BANS_MAX) place = &b->list[b->count++];
    *place = (struct ban){*who, until_ms, is_id};
}

void bans_add_address(struct bans *b, const struct net_address *a, uint64_t until_ms)
{
    struct hash who = who_of_address(a);
    add(b, &who, false, until_ms);
}

void bans_add_id(struct bans *b, const struct hash *id, uint64_t until_ms)
{
    add(b, id, true, until_ms);
}

bool bans_has_address(const struct bans *b, const struct net_address *a, uint64_t now_ms)
{
    struct hash who = who_of_address(a);
    return has(b, &who, false, now_ms);
}

bool bans_has_id(const struct bans *b, const struct hash *id, uint64_t now_ms)
{
    return has(b, id, true, now_ms);
}
