/* From a block that is proved final down to what we have, by parent hashes: ranges of headers are
 * asked for side by side, and count once the range above them names their last. */
#include "node/sync_internal.h"

#include "base/fatal.h"
#include "base/keccak.h"

#include <assert.h>
#include <stdlib.h>

#define RANGES_ASKED_MAX 4

/* ---- segments ---- */

static void cut_ranges(struct segment *g)
{
    size_t count = (size_t)(g->end - g->first + 1);
    g->range_count = (count + WIRE_HEADERS_MAX - 1) / WIRE_HEADERS_MAX;
    g->ranges = must_alloc(g->range_count * sizeof *g->ranges);
    for (size_t i = 0; i < g->range_count; i++) {
        size_t left = count - i * WIRE_HEADERS_MAX;
        g->ranges[i].first = g->first + i * WIRE_HEADERS_MAX;
        g->ranges[i].count = (uint16_t)(left < WIRE_HEADERS_MAX ? left : WIRE_HEADERS_MAX);
    }
}

static void segment_add(struct sync *s, uint64_t first, const struct hash *below,
                        const struct proven *end)
{
    assert(s->segment_count < SEGMENTS_MAX && end->number >= first);
    struct segment *g = &s->segments[s->segment_count++];
    *g = (struct segment){.first = first, .end = end->number, .below = *below, .top = end->hash};
    g->hashes = must_alloc((size_t)(g->end - g->first + 1) * sizeof *g->hashes);
    cut_ranges(g);
    buffer_append(&g->certificate, buffer_bytes(&end->certificate));
}

static void segment_drop_first(struct sync *s)
{
    struct segment *g = &s->segments[0];
    for (size_t i = 0; i < g->range_count; i++)
        ask_forget(s, &g->ranges[i].ask);
    free(g->hashes);
    free(g->ranges);
    buffer_finish(&g->certificate);
    s->segments[0] = s->segments[1];
    s->segments[1] = (struct segment){0};
    s->segment_count--;
}

void segments_finish(struct sync *s)
{
    while (s->segment_count > 0)
        segment_drop_first(s);
}

static bool is_linked(const struct segment *g)
{
    return g->linked_count == g->range_count;
}

const struct hash *segments_hash(const struct sync *s, uint64_t number)
{
    for (size_t i = 0; i < s->segment_count; i++) {
        const struct segment *g = &s->segments[i];
        if (number >= g->first && number <= g->end)
            return is_linked(g) ? &g->hashes[number - g->first] : NULL;
    }
    return NULL;
}

/* ---- which ones ---- */

/* A small gap is what consensus closes by itself, while it moves. */
static bool is_due(const struct sync *s, uint64_t now_ms)
{
    return epochs_proved(s) > s->head_number + SYNC_NEAR_BLOCKS || s->urgent ||
           now_ms >= s->level_ms + SYNC_PATIENCE_MS;
}

static void plan_first(struct sync *s, uint64_t now_ms)
{
    const struct proven *end = epochs_end_of(s, s->trail.first);
    if (end == NULL || end->number <= s->head_number) return;
    if (!is_due(s, now_ms)) return;
    segment_add(s, s->head_number + 1, &s->head, end);
    s->urgent = false;
}

static void plan_second(struct sync *s)
{
    const struct segment *g = &s->segments[0];
    if (!config_is_boundary(s->setup.config, g->end)) return;
    const struct proven *end = epochs_end_of(s, g->end / s->setup.config->epoch_blocks);
    if (end == NULL) return;
    assert(end->number > g->end);
    segment_add(s, g->end + 1, &g->top, end);
}

static void drop_done(struct sync *s, uint64_t now_ms)
{
    const struct hash *final = segments_hash(s, s->head_number);
    if (final != NULL && !hash_equal(final, &s->head)) {
        sync_break(s, s->head_number, "the chain that was made final here is another", now_ms);
        return;
    }
    while (s->segment_count > 0 && s->segments[0].end <= s->head_number) {
        segment_drop_first(s);
        if (s->segment_count == 0) s->look_ms = now_ms;
    }
}

void segments_plan(struct sync *s, uint64_t now_ms)
{
    drop_done(s, now_ms);
    if (s->broken) return;
    if (s->segment_count == 0) plan_first(s, now_ms);
    if (s->segment_count == 1) plan_second(s);
}

/* ---- asking ---- */

static bool ask_range(struct sync *s, struct range *r, uint64_t now_ms)
{
    struct buffer payload = {0};
    struct wire_range wanted = {r->first, r->count};
    struct sync_peer *p = peer_pick(s, r->first + r->count - 1u, r->ask.tries, now_ms);
    if (p == NULL) return false;
    wire_range_encode(&payload, &wanted);
    bool sent = peer_request(s, p, WIRE_HEADERS_REQUEST, buffer_bytes(&payload), 1, now_ms);
    buffer_finish(&payload);
    if (sent) ask_begin(s, &r->ask, p, now_ms);
    return sent;
}

static size_t ranges_asked(const struct sync *s)
{
    size_t count = 0;
    for (size_t i = 0; i < s->segment_count; i++)
        for (size_t k = s->segments[i].linked_count; k < s->segments[i].range_count; k++)
            count += s->segments[i].ranges[s->segments[i].range_count - 1 - k].ask.peer != 0;
    return count;
}

void headers_ask(struct sync *s, uint64_t now_ms)
{
    size_t asked = ranges_asked(s);
    for (size_t i = 0; i < s->segment_count; i++) {
        struct segment *g = &s->segments[i];
        for (size_t k = g->linked_count; k < g->range_count && asked < RANGES_ASKED_MAX; k++) {
            struct range *r = &g->ranges[g->range_count - 1 - k];
            if (r->state != RANGE_EMPTY || r->ask.peer != 0) continue;
            if (!ask_range(s, r, now_ms)) return;
            asked++;
        }
    }
}

void headers_expire(struct sync *s, uint64_t now_ms)
{
    for (size_t i = 0; i < s->segment_count; i++)
        for (size_t k = 0; k < s->segments[i].range_count; k++)
            ask_expire(s, &s->segments[i].ranges[k].ask, now_ms);
}

/* ---- answers ---- */

/* The last filled range that what is above does not name was a lie. */
static void link_ranges(struct sync *s, struct segment *g)
{
    while (!is_linked(g)) {
        struct range *r = &g->ranges[g->range_count - 1 - g->linked_count];
        if (r->state != RANGE_FILLED) return;
        const struct hash *last = &g->hashes[r->first + r->count - 1u - g->first];
        const struct hash *named = g->linked_count == 0 ? &g->top : &r[1].parent;
        if (!hash_equal(last, named)) {
            r->state = RANGE_EMPTY;
            r->ask.tries++;
            sync_peer_charge(s, r->filler, OFFENCE_INVALID, "headers of another chain");
            return;
        }
        r->state = RANGE_LINKED;
        g->linked_count++;
    }
}

/* Takes the headers' hashes if they follow each other. */
static bool fill_range(struct segment *g, struct range *r, struct wire_headers *h)
{
    struct hash *hashes = &g->hashes[r->first - g->first];
    for (uint16_t i = 0; i < r->count; i++) {
        struct bytes bytes = wire_header_next(h);
        struct header header;
        if (header_decode(&header, bytes) != OK || header.number != r->first + i) return false;
        if (i == 0) r->parent = header.parent_hash;
        if (i > 0 && !hash_equal(&header.parent_hash, &hashes[i - 1])) return false;
        hashes[i] = keccak256(bytes);
    }
    return true;
}

static struct range *range_at(struct sync *s, uint64_t first, struct segment **segment)
{
    for (size_t i = 0; i < s->segment_count; i++) {
        struct segment *g = &s->segments[i];
        if (first < g->first || first > g->end || (first - g->first) % WIRE_HEADERS_MAX != 0)
            continue;
        *segment = g;
        return &g->ranges[(first - g->first) / WIRE_HEADERS_MAX];
    }
    return NULL;
}

static void take_headers(struct sync *s, struct sync_peer *p, struct segment *g, struct range *r,
                         struct wire_headers *h)
{
    if (h->count != r->count || !fill_range(g, r, h)) {
        if (r->ask.peer == p->id) ask_fail(s, &r->ask);
        sync_peer_charge(s, p->id, OFFENCE_INVALID, "headers that do not follow each other");
        return;
    }
    ask_end(s, &r->ask); /* also if somebody else was asked */
    r->state = RANGE_FILLED;
    r->filler = p->id;
    link_ranges(s, g);
}

void on_headers(struct sync *s, struct sync_peer *p, struct bytes payload, uint64_t now_ms)
{
    struct wire_headers h;
    struct segment *g = NULL;
    if (wire_headers_decode(&h, payload) != OK) {
        sync_peer_charge(s, p->id, OFFENCE_MALFORMED, "HEADERS does not decode");
        return;
    }
    struct range *r = range_at(s, h.first, &g);
    if (r == NULL || r->state != RANGE_EMPTY) return; /* late */
    if (h.count == 0) {
        if (r->ask.peer == p->id) ask_fail(s, &r->ask);
        peer_strike(p, now_ms);
        return;
    }
    peer_answered(p, &r->ask, now_ms);
    take_headers(s, p, g, r, &h);
    if (is_linked(g) && !hash_equal(&g->ranges[0].parent, &g->below))
        sync_break(s, g->first - 1, "the final chain does not stand on it", now_ms);
}
