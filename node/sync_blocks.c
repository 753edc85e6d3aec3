/* The blocks of the window above the head: asked for by hash, a few at a time of each peer, the
 * lowest of the quickest. */
#include "node/sync_internal.h"

#include "base/keccak.h"
#include "base/rlp.h"

#include <assert.h>

#define PEER_BYTES       (2u << 20) /* of expected blocks asked of one peer at once */
#define PEER_AHEAD_MS    1000       /* and not more than it sends in so long */
#define EXPECTED_PER_NEW 8

static struct body *slot_of(struct sync *s, uint64_t number)
{
    return &s->bodies[number % SYNC_WINDOW_BLOCKS];
}

static void slot_clear(struct sync *s, struct body *b)
{
    ask_forget(s, &b->ask);
    senders_end(b->senders);
    b->senders = NULL;
    s->held_bytes -= b->bytes.size;
    buffer_finish(&b->bytes);
    b->number = NO_NUMBER;
    b->ready = false;
}

void bodies_finish(struct sync *s)
{
    for (size_t i = 0; i < SYNC_WINDOW_BLOCKS; i++)
        slot_clear(s, &s->bodies[i]);
    senders_destroy(s->senders);
}

/* What is executed needs no slot any more; what comes into the window gets one. */
void bodies_follow(struct sync *s)
{
    uint64_t next = sync_tip(s) + 1;
    for (size_t i = 0; i < SYNC_WINDOW_BLOCKS; i++) {
        struct body *b = slot_of(s, next + i);
        const struct hash *hash = segments_hash(s, next + i);
        bool same = hash != NULL && b->number == next + i && hash_equal(&b->hash, hash);
        if (same) continue;
        if (b->number != NO_NUMBER) slot_clear(s, b);
        if (hash == NULL) continue;
        b->number = next + i;
        b->hash = *hash;
        b->ready = ledger_holds(s->setup.ledger, hash);
    }
}

void body_drop(struct sync *s, uint64_t number)
{
    struct body *b = slot_of(s, number);
    if (b->number == number) slot_clear(s, b);
}

struct body *body_ready(struct sync *s, uint64_t number)
{
    struct body *b = slot_of(s, number);
    return b->number == number && b->ready ? b : NULL;
}

/* ---- asking ---- */

struct wanted {
    struct body *bodies[SYNC_WINDOW_BLOCKS]; /* by number, ascending */
    size_t first, end;                       /* not yet asked for */
};

static struct wanted list_wanted(struct sync *s)
{
    struct wanted w = {0};
    uint64_t next = sync_tip(s) + 1;
    size_t bytes = s->held_bytes;
    for (size_t i = 0; i < SYNC_WINDOW_BLOCKS; i++) {
        struct body *b = slot_of(s, next + i);
        if (b->number == NO_NUMBER) break;
        if (b->ready) continue;
        bytes += s->expected_bytes;
        if (i > 0 && bytes > SYNC_WINDOW_BYTES) break;
        if (b->ask.peer == 0) w.bodies[w.end++] = b;
    }
    return w;
}

static size_t share_of(const struct sync *s, const struct sync_peer *p)
{
    size_t share = SYNC_PEER_ASKS - p->in_flight;
    size_t by_bytes = PEER_BYTES / s->expected_bytes + 1;
    size_t by_pace = PEER_AHEAD_MS / (p->pace_ms + 1) + 1;
    if (p->strikes > 0) return 1;
    if (share > WIRE_BLOCKS_MAX) share = WIRE_BLOCKS_MAX;
    if (share > by_bytes) share = by_bytes;
    return share < by_pace ? share : by_pace;
}

static bool ask_bodies(struct sync *s, struct sync_peer *p, struct body **bodies, size_t count,
                       uint64_t now_ms)
{
    struct hash hashes[WIRE_BLOCKS_MAX];
    struct buffer payload = {0};
    assert(count > 0 && count <= WIRE_BLOCKS_MAX);
    for (size_t i = 0; i < count; i++)
        hashes[i] = bodies[i]->hash;
    wire_hashes_encode(&payload, hashes, count);
    bool sent =
        peer_request(s, p, WIRE_BODY_REQUEST, buffer_bytes(&payload), (uint32_t)count, now_ms);
    buffer_finish(&payload);
    for (size_t i = 0; sent && i < count; i++)
        ask_begin(s, &bodies[i]->ask, p, now_ms);
    return sent;
}

/* A peer that failed lately gets one block, and the one that is needed last if there are others to
 * ask for the first. */
static bool ask_lowest(struct sync *s, struct wanted *w, uint64_t now_ms)
{
    struct body *lowest = w->bodies[w->first];
    struct sync_peer *p = peer_pick(s, lowest->number, lowest->ask.tries, now_ms);
    if (p == NULL) return false;
    size_t count = 0, share = share_of(s, p);
    while (count < share && w->first + count < w->end &&
           w->bodies[w->first + count]->number <= p->hint)
        count++;
    if (!ask_bodies(s, p, &w->bodies[w->first], count, now_ms)) return true; /* it pauses now */
    w->first += count;
    return true;
}

static void try_struck(struct sync *s, struct wanted *w, uint64_t now_ms)
{
    for (size_t i = 0; i < s->peer_count && w->first < w->end; i++) {
        struct sync_peer *p = &s->peers[i];
        struct body *last = w->bodies[w->end - 1];
        if (p->strikes == 0 || p->in_flight > 0 || !peer_may_be_asked(p, last->number, now_ms))
            continue;
        if (ask_bodies(s, p, &last, 1, now_ms)) w->end--;
    }
}

void bodies_ask(struct sync *s, uint64_t now_ms)
{
    struct wanted w = list_wanted(s);
    if (w.first == w.end) return;
    if (peers_some_clean(s, w.bodies[w.first]->number, now_ms)) try_struck(s, &w, now_ms);
    while (w.first < w.end)
        if (!ask_lowest(s, &w, now_ms)) break;
}

void bodies_expire(struct sync *s, uint64_t now_ms)
{
    for (size_t i = 0; i < SYNC_WINDOW_BLOCKS; i++)
        ask_expire(s, &s->bodies[i].ask, now_ms);
}

/* ---- answers ---- */

static struct body *find_body(struct sync *s, const struct hash *hash)
{
    for (size_t i = 0; i < SYNC_WINDOW_BLOCKS; i++)
        if (s->bodies[i].number != NO_NUMBER && hash_equal(&s->bodies[i].hash, hash))
            return &s->bodies[i];
    return NULL;
}

/* A peer answers in order: what it was asked before this one and did not send, it left out. */
static void fail_left_out(struct sync *s, const struct sync_peer *p, uint64_t serial)
{
    for (size_t i = 0; i < SYNC_WINDOW_BLOCKS; i++) {
        struct ask *a = &s->bodies[i].ask;
        if (a->peer == p->id && a->serial < serial) ask_fail(s, a);
    }
}

/* NULL if the bytes are this block and all of it. */
static const char *check_block(struct bytes bytes, const struct hash *hash)
{
    struct rlp_reader whole = rlp_reader_over(bytes);
    struct rlp_reader list = rlp_list(&whole);
    struct hash real = keccak256(rlp_item(&list));
    struct arena arena = {0};
    struct block block;
    if (!hash_equal(&real, hash)) return "another block than was asked for";
    bool fits = block_decode(&block, &arena, bytes) == OK && block_check_body(&block) == OK;
    arena_finish(&arena);
    return fits ? NULL : "a block with other transactions";
}

static void learn_size(struct sync *s, size_t size)
{
    size_t sum = s->expected_bytes * (EXPECTED_PER_NEW - 1) + size;
    s->expected_bytes = sum / EXPECTED_PER_NEW + 1;
}

static void take_body(struct sync *s, struct sync_peer *p, struct body *b, struct bytes bytes,
                      uint64_t now_ms)
{
    const char *wrong = check_block(bytes, &b->hash);
    if (wrong != NULL) {
        if (b->ask.peer == p->id) ask_fail(s, &b->ask);
        sync_peer_charge(s, p->id, OFFENCE_INVALID, wrong);
        return;
    }
    peer_answered(p, &b->ask, now_ms);
    ask_end(s, &b->ask);
    learn_size(s, bytes.size);
    bool next = b->number == sync_tip(s) + 1;
    if (!next && s->held_bytes + bytes.size > SYNC_WINDOW_BYTES) return; /* asked for again */
    buffer_append(&b->bytes, bytes);
    s->held_bytes += bytes.size;
    b->ready = true;
    if (s->senders == NULL) s->senders = senders_create(senders_helpers());
    b->senders = senders_begin(s->senders, buffer_bytes(&b->bytes));
}

void on_body(struct sync *s, struct sync_peer *p, struct bytes payload, uint64_t now_ms)
{
    struct wire_block w;
    if (wire_block_decode(&w, payload) != OK) {
        sync_peer_charge(s, p->id, OFFENCE_MALFORMED, "BODY does not decode");
        return;
    }
    struct body *b = find_body(s, &w.hash);
    if (b == NULL || b->ready) return; /* late */
    if (b->ask.peer == p->id) fail_left_out(s, p, b->ask.serial);
    if (w.block.size > 0) {
        take_body(s, p, b, w.block, now_ms);
        return;
    }
    if (b->ask.peer == p->id) ask_fail(s, &b->ask);
    peer_strike(p, now_ms);
}
