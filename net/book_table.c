#include "net/book_table.h"

#include "base/keccak.h"

#include <assert.h>
#include <string.h>

#define BUCKETS_OF_SOURCE  16 /* of new ones, that one source's group can reach */
#define BUCKETS_OF_GROUP   4  /* of tried ones, that one group can fill */
#define NEW_FAILURES_MAX   3
#define TRIED_FAILURES_MAX 10
#define TRIED_PATIENCE_S   (7 * 24 * 3600)
#define CLOCK_TOLERANCE_S  600

/* A number that only this book can foretell: keyed by a secret, over a label and two parts. */
static uint64_t keyed(const struct book *b, char label, struct bytes first, struct bytes second)
{
    struct keccak k;
    keccak_init(&k);
    keccak_update(&k, bytes_of(b->placement_key, sizeof(b->placement_key)));
    keccak_update(&k, bytes_of(&label, 1));
    keccak_update(&k, first);
    keccak_update(&k, second);
    struct hash h = keccak_finish(&k);
    return load_be64(h.b);
}

/* The group of the address and of who told us choose one of the few buckets that the teller's group
 * reaches: Bitcoin's rule, so that a teller fills 1/16 of the table whatever it tells. */
uint32_t book_new_bucket(const struct book *b, const struct net_address *a,
                         const struct net_address *source)
{
    struct net_group group = net_address_group(a), told_by = net_address_group(source);
    struct bytes teller = bytes_of(told_by.b, sizeof(told_by.b));
    uint64_t choice = keyed(b, 'n', bytes_of(group.b, sizeof(group.b)), teller);
    uint8_t slot = (uint8_t)(choice % BUCKETS_OF_SOURCE);
    return (uint32_t)(keyed(b, 's', teller, bytes_of(&slot, 1)) % BOOK_NEW_BUCKETS);
}

uint32_t book_tried_bucket(const struct book *b, const struct net_address *a)
{
    struct net_group group = net_address_group(a);
    uint8_t port[2];
    store_be16(port, a->port);
    uint64_t choice = keyed(b, 'a', bytes_of(a->ip, sizeof(a->ip)), bytes_of(port, 2));
    uint8_t slot = (uint8_t)(choice % BUCKETS_OF_GROUP);
    uint64_t bucket = keyed(b, 't', bytes_of(group.b, sizeof(group.b)), bytes_of(&slot, 1));
    return BOOK_NEW_BUCKETS + (uint32_t)(bucket % BOOK_TRIED_BUCKETS);
}

static struct book_entry *find_in(struct book_entry *entries, uint32_t count,
                                  const struct net_address *a)
{
    for (uint32_t i = 0; i < count; i++)
        if (net_address_equal(&entries[i].peer.address, a)) return &entries[i];
    return NULL;
}

struct book_entry *book_find(struct book *b, const struct net_address *a, uint32_t *out_bucket)
{
    for (uint32_t i = 0; i < BOOK_BUCKETS; i++) {
        struct book_entry *e = find_in(b->buckets[i].entries, b->buckets[i].count, a);
        if (!e) continue;
        *out_bucket = i;
        return e;
    }
    return NULL;
}

struct book_entry *book_find_fixed(struct book *b, const struct net_address *a)
{
    return find_in(b->fixed, b->fixed_count, a);
}

static uint64_t age_s(uint64_t then_s, uint64_t now_s)
{
    return now_s > then_s ? now_s - then_s : 0;
}

bool book_is_hopeless(const struct book_entry *e, uint64_t now_s)
{
    uint64_t last_s = e->connected_s > e->heard_s ? e->connected_s : e->heard_s;
    if (last_s > now_s + CLOCK_TOLERANCE_S) return true; /* else it would never be too old */
    if (age_s(last_s, now_s) > BOOK_STALE_S) return true;
    if (e->connected_s == 0) return e->failures >= NEW_FAILURES_MAX;
    return e->failures >= TRIED_FAILURES_MAX && age_s(e->connected_s, now_s) > TRIED_PATIENCE_S;
}

/* Most failures, then longest unheard. */
static bool is_worse(const struct book_entry *a, const struct book_entry *b)
{
    if (a->failures != b->failures) return a->failures > b->failures;
    return a->heard_s < b->heard_s;
}

static struct book_entry *worst_hopeless(struct book_bucket *bucket, uint64_t now_s)
{
    struct book_entry *worst = NULL;
    for (uint32_t i = 0; i < bucket->count; i++) {
        struct book_entry *e = &bucket->entries[i];
        if (book_is_hopeless(e, now_s) && (!worst || is_worse(e, worst))) worst = e;
    }
    return worst;
}

struct book_entry *book_put(struct book *b, uint32_t bucket, const struct book_entry *e,
                            uint64_t now_s)
{
    assert(bucket < BOOK_BUCKETS);
    struct book_bucket *into = &b->buckets[bucket];
    assert(into->count <= BOOK_BUCKET_SIZE);
    struct book_entry *place = into->count < BOOK_BUCKET_SIZE ? &into->entries[into->count++]
                                                              : worst_hopeless(into, now_s);
    if (place) *place = *e;
    return place;
}

void book_remove(struct book *b, uint32_t bucket, struct book_entry *e)
{
    struct book_bucket *from = &b->buckets[bucket];
    assert(from->count > 0 && e >= from->entries && e < from->entries + from->count);
    *e = from->entries[--from->count];
}

uint64_t book_draw(struct book *b, uint64_t bound)
{
    uint8_t preimage[40];
    assert(bound > 0);
    if (b->draw_count % 4 == 0) {
        memcpy(preimage, b->draw_key, 32);
        store_be64(preimage + 32, b->draw_count / 4);
        b->draws = keccak256(bytes_of(preimage, sizeof(preimage)));
    }
    uint64_t x = load_be64(b->draws.b + 8 * (b->draw_count++ % 4));
    return x % bound; /* bounds are small: the bias is below 2^-50 */
}

void book_shuffle(struct book *b, uint32_t *out, uint32_t from, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t j = (uint32_t)book_draw(b, i + 1);
        out[i] = out[j];
        out[j] = from + i;
    }
}
