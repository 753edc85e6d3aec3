#include "net/book.h"

#include "base/fatal.h"
#include "net/book_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define COOL_DOWN_S           60
#define COOL_DOWN_MAX_S       3600
#define FIXED_COOL_DOWN_S     1
#define FIXED_COOL_DOWN_MAX_S 30
#define SAVED_MAX_S           (BOOK_SOURCE_BURST * BOOK_SOURCE_RATE_S)

struct book *book_create(const uint8_t seed[32])
{
    struct book *b = must_alloc(sizeof(*b));
    memcpy(b->placement_key, seed, sizeof(b->placement_key));
    memcpy(b->draw_key, seed, sizeof(b->draw_key));
    return b;
}

void book_destroy(struct book *b)
{
    free(b);
}

void book_allow_private(struct book *b, bool allow)
{
    b->allow_private = allow;
}

size_t book_count(const struct book *b)
{
    size_t count = b->fixed_count;
    for (uint32_t i = 0; i < BOOK_BUCKETS; i++)
        count += b->buckets[i].count;
    return count;
}

size_t book_tried_count(const struct book *b)
{
    size_t count = 0;
    for (uint32_t i = BOOK_NEW_BUCKETS; i < BOOK_BUCKETS; i++)
        count += b->buckets[i].count;
    return count;
}

/* The source's savings; a new source's, or one's that was forgotten, are full. When there are too
 * many, the one that was silent longest is forgotten. */
static struct book_source *source_of(struct book *b, const struct net_address *a, uint64_t now_s)
{
    struct net_group who = net_address_prefix(a, 32, 64);
    struct book_source *oldest = &b->sources[0];
    for (uint32_t i = 0; i < b->source_count; i++) {
        if (net_group_equal(&b->sources[i].who, &who)) return &b->sources[i];
        if (b->sources[i].seen_s < oldest->seen_s) oldest = &b->sources[i];
    }
    if (b->source_count < BOOK_SOURCES_MAX) oldest = &b->sources[b->source_count++];
    *oldest = (struct book_source){who, now_s, SAVED_MAX_S};
    return oldest;
}

static bool source_may_add(struct book *b, const struct net_address *a, uint64_t now_s)
{
    struct book_source *s = source_of(b, a, now_s);
    uint64_t passed_s = now_s > s->seen_s ? now_s - s->seen_s : 0;
    s->saved_s = passed_s < SAVED_MAX_S - s->saved_s ? s->saved_s + passed_s : SAVED_MAX_S;
    s->seen_s = now_s;
    if (s->saved_s < BOOK_SOURCE_RATE_S) return false;
    s->saved_s -= BOOK_SOURCE_RATE_S;
    return true;
}

/* Heard again. Two who name different ids: none is believed until somebody answers there. */
static void heard_again(struct book_entry *e, const struct wire_peer *peer, uint64_t now_s)
{
    if (e->heard_s < now_s) e->heard_s = now_s;
    if (e->connected_s != 0 || hash_is_zero(&peer->id)) return;
    if (!hash_equal(&e->peer.id, &peer->id)) e->peer.id = (struct hash){{0}};
}

bool book_add(struct book *b, const struct wire_peer *peer, const struct net_address *source,
              uint64_t now_s)
{
    uint32_t bucket;
    if (!net_address_is_routable(&peer->address, b->allow_private)) return false;
    if (!source_may_add(b, source, now_s)) return false;
    if (book_find_fixed(b, &peer->address)) return false;
    struct book_entry *known = book_find(b, &peer->address, &bucket);
    if (known) {
        heard_again(known, peer, now_s);
        return false;
    }
    struct book_entry e = {.peer = *peer, .heard_s = now_s};
    bucket = book_new_bucket(b, &peer->address, source);
    return book_put(b, bucket, &e, now_s) != NULL;
}

void book_add_fixed(struct book *b, const struct wire_peer *peer)
{
    uint32_t bucket;
    struct book_entry *known = book_find_fixed(b, &peer->address);
    if (known) {
        if (!hash_is_zero(&peer->id)) known->peer.id = peer->id;
        return;
    }
    if (b->fixed_count == BOOK_FIXED_MAX) return;
    known = book_find(b, &peer->address, &bucket);
    if (known) book_remove(b, bucket, known);
    b->fixed[b->fixed_count++] = (struct book_entry){.peer = *peer};
}

bool book_is_fixed(const struct book *b, const struct net_address *a)
{
    for (uint32_t i = 0; i < b->fixed_count; i++)
        if (net_address_equal(&b->fixed[i].peer.address, a)) return true;
    return false;
}

static struct book_entry *find_any(struct book *b, const struct net_address *a)
{
    uint32_t bucket;
    struct book_entry *e = book_find_fixed(b, a);
    return e ? e : book_find(b, a, &bucket);
}

void book_attempted(struct book *b, const struct net_address *a, uint64_t now_s)
{
    struct book_entry *e = find_any(b, a);
    if (e) e->attempted_s = now_s;
}

void book_failed(struct book *b, const struct net_address *a, uint64_t now_s)
{
    struct book_entry *e = find_any(b, a);
    if (!e) return;
    e->attempted_s = now_s;
    if (e->failures < UINT8_MAX) e->failures++;
}

/* From new to tried, or up to date where it is. One that finds no room among the tried stays where
 * it was: what works is never pushed out by what works too. */
static void into_tried(struct book *b, const struct book_entry *e, uint64_t now_s)
{
    uint32_t bucket;
    struct book_entry *known = book_find(b, &e->peer.address, &bucket);
    if (known) *known = *e;
    if (known && book_bucket_is_tried(bucket)) return;
    bool placed = book_put(b, book_tried_bucket(b, &e->peer.address), e, now_s) != NULL;
    if (placed && known) book_remove(b, bucket, known);
    if (placed || known) return;
    bucket = book_new_bucket(b, &e->peer.address, &e->peer.address);
    (void)book_put(b, bucket, e, now_s);
}

void book_connected(struct book *b, const struct wire_peer *peer, uint64_t now_s)
{
    struct book_entry e = {
        .peer = *peer, .heard_s = now_s, .connected_s = now_s, .attempted_s = now_s};
    struct book_entry *fixed = book_find_fixed(b, &peer->address);
    if (fixed)
        *fixed = e;
    else if (net_address_is_routable(&peer->address, b->allow_private))
        into_tried(b, &e, now_s);
}

void book_set_anchors(struct book *b, const struct wire_peer *peers, size_t count)
{
    b->anchor_count = (uint32_t)(count < BOOK_ANCHORS ? count : BOOK_ANCHORS);
    if (count > 0) memcpy(b->anchors, peers, b->anchor_count * sizeof(peers[0]));
}

/* first_s, doubled by each failure up to max_s. A clock that went back waits for nobody. */
static bool is_due(const struct book_entry *e, uint64_t first_s, uint64_t max_s, uint64_t now_s)
{
    uint64_t wait_s = e->failures < 16 ? first_s << e->failures : max_s;
    if (wait_s > max_s) wait_s = max_s;
    if (e->attempted_s == 0 || e->attempted_s > now_s) return true;
    return now_s - e->attempted_s >= wait_s;
}

struct search {
    bool (*skip)(void *context, const struct wire_peer *peer);
    void *context;
    uint64_t now_s;
};

static bool choose_anchor(struct book *b, struct wire_peer *out, const struct search *s)
{
    while (b->pending_count > 0) {
        struct wire_peer peer = b->pending[--b->pending_count];
        if (!net_address_is_routable(&peer.address, b->allow_private)) continue;
        if (s->skip(s->context, &peer)) continue;
        *out = peer;
        return true;
    }
    return false;
}

static bool choose_fixed(struct book *b, struct wire_peer *out, const struct search *s)
{
    uint32_t fitting = 0;
    for (uint32_t i = 0; i < b->fixed_count; i++) {
        const struct book_entry *e = &b->fixed[i];
        if (!is_due(e, FIXED_COOL_DOWN_S, FIXED_COOL_DOWN_MAX_S, s->now_s)) continue;
        if (s->skip(s->context, &e->peer)) continue;
        if (book_draw(b, ++fitting) == 0) *out = e->peer; /* each as likely as the other */
    }
    return fitting > 0;
}

static bool choose_in_bucket(struct book *b, uint32_t bucket, struct wire_peer *out,
                             const struct search *s)
{
    uint32_t fitting = 0;
    for (uint32_t i = 0; i < b->buckets[bucket].count; i++) {
        const struct book_entry *e = &b->buckets[bucket].entries[i];
        if (!is_due(e, COOL_DOWN_S, COOL_DOWN_MAX_S, s->now_s)) continue;
        if (!net_address_is_routable(&e->peer.address, b->allow_private)) continue;
        if (s->skip(s->context, &e->peer)) continue;
        if (book_draw(b, ++fitting) == 0) *out = e->peer;
    }
    return fitting > 0;
}

/* Buckets first, entries second: who fills a bucket is not chosen more often than who is alone. */
static bool choose_in_table(struct book *b, bool tried, struct wire_peer *out,
                            const struct search *s)
{
    uint32_t order[BOOK_BUCKETS];
    uint32_t count = tried ? BOOK_TRIED_BUCKETS : BOOK_NEW_BUCKETS;
    book_shuffle(b, order, tried ? BOOK_NEW_BUCKETS : 0, count);
    for (uint32_t i = 0; i < count; i++)
        if (choose_in_bucket(b, order[i], out, s)) return true;
    return false;
}

bool book_choose(struct book *b, struct wire_peer *out,
                 bool (*skip)(void *context, const struct wire_peer *peer), void *context,
                 uint64_t now_s)
{
    struct search s = {skip, context, now_s};
    if (choose_anchor(b, out, &s) || choose_fixed(b, out, &s)) return true;
    bool tried_first = book_draw(b, 2) == 0;
    return choose_in_table(b, tried_first, out, &s) || choose_in_table(b, !tried_first, out, &s);
}

/* One of each bucket in random order, then the next of each: see choose_in_table. */
size_t book_sample(struct book *b, struct wire_peer *out, size_t count_max, uint64_t now_s)
{
    uint32_t order[BOOK_BUCKETS];
    size_t count = 0;
    book_shuffle(b, order, 0, BOOK_BUCKETS);
    for (uint32_t round = 0; round < BOOK_BUCKET_SIZE; round++) {
        for (uint32_t i = 0; i < BOOK_BUCKETS && count < count_max; i++) {
            const struct book_bucket *from = &b->buckets[order[i]];
            if (round >= from->count) continue;
            const struct book_entry *e = &from->entries[(order[i] + round) % from->count];
            if (book_is_hopeless(e, now_s)) continue;
            if (!net_address_is_routable(&e->peer.address, b->allow_private)) continue;
            out[count++] = e->peer;
        }
    }
    return count;
}
