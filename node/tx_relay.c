#include "node/tx_relay.h"

#include "base/fatal.h"
#include "net/rate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS       4096
#define GREETING_MAX  4096 /* hashes that a new peer is told */
#define ANNOUNCE_MAX  4096 /* of one turn; the rest in the next */
#define OVERHEAD_SIZE 4

struct relay_peer {
    uint64_t peer;
    uint32_t wanted;  /* asked of it, not come yet */
    struct rate vain; /* of what it sent and the pool refused */
    uint64_t known[RELAY_KNOWN];
};

struct wanted { /* a transaction on its way; in a bucket's list, or in the list of free ones */
    struct hash hash;
    uint64_t asked_ms;
    uint64_t announcers[RELAY_ANNOUNCERS]; /* [0] is asked now */
    struct wanted *next;
};

struct tx_relay {
    struct peers *peers;
    struct pool *pool;
    uint64_t key; /* random: nobody can aim at a bucket */
    struct relay_peer **all;
    size_t count;
    size_t room;
    uint64_t announced; /* the pool's sequence up to which peers were told */
    uint64_t announced_ms;
    uint64_t swept_ms;
    struct wanted *buckets[BUCKETS];
    struct wanted *free; /* returned ones; else the next of the storage, touched as used */
    size_t fresh;
    struct wanted storage[RELAY_WANTED_MAX];
};

struct tx_relay *tx_relay_create(struct peers *peers, struct pool *pool)
{
    struct tx_relay *r = must_alloc(sizeof *r);
    r->peers = peers;
    r->pool = pool;
    random_bytes((uint8_t *)&r->key, sizeof r->key);
    return r;
}

void tx_relay_destroy(struct tx_relay *r)
{
    if (r == NULL) return;
    for (size_t i = 0; i < r->count; i++)
        free(r->all[i]);
    free(r->all);
    free(r);
}

static struct relay_peer *find(const struct tx_relay *r, uint64_t peer)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->all[i]->peer == peer) return r->all[i];
    return NULL;
}

/* ---- what a peer knows: forgetful, and right but for 64-bit collisions ---- */

static uint64_t *known_place(struct relay_peer *p, const struct hash *hash)
{
    return &p->known[load_be64(hash->b) % RELAY_KNOWN];
}

static bool knows(struct relay_peer *p, const struct hash *hash)
{
    return *known_place(p, hash) == load_be64(hash->b + 8);
}

static void learn(struct relay_peer *p, const struct hash *hash)
{
    *known_place(p, hash) = load_be64(hash->b + 8);
}

/* ---- announcing ---- */

static void announce(struct tx_relay *r, struct relay_peer *p, struct bytes hashes)
{
    struct hash some[WIRE_HASHES_MAX];
    size_t count = 0;
    struct buffer b = {0};
    for (size_t at = 0; at + 32 <= hashes.size; at += 32) {
        memcpy(some[count].b, hashes.data + at, 32);
        if (!knows(p, &some[count])) learn(p, &some[count++]);
        if (count == 0 || (count < WIRE_HASHES_MAX && at + 64 <= hashes.size)) continue;
        buffer_clear(&b);
        wire_hashes_encode(&b, some, count);
        (void)!peers_send_bytes(r->peers, p->peer, WIRE_TX_ANNOUNCE, buffer_bytes(&b));
        count = 0;
    }
    buffer_finish(&b);
}

static void announce_new(struct tx_relay *r, uint64_t now_ms)
{
    struct buffer hashes = {0};
    if (now_ms - r->announced_ms < RELAY_PAUSE_MS) return;
    r->announced = pool_hashes_after(r->pool, &hashes, r->announced, ANNOUNCE_MAX);
    if (hashes.size > 0) r->announced_ms = now_ms;
    for (size_t i = 0; i < r->count; i++)
        announce(r, r->all[i], buffer_bytes(&hashes));
    buffer_finish(&hashes);
}

/* ---- asking ---- */

static struct wanted **bucket(struct tx_relay *r, const struct hash *hash)
{
    return &r->buckets[(load_be64(hash->b) ^ r->key) * 0x9e3779b97f4a7c15u >> 52];
}

static struct wanted *wanted_find(struct tx_relay *r, const struct hash *hash)
{
    for (struct wanted *w = *bucket(r, hash); w != NULL; w = w->next)
        if (hash_equal(&w->hash, hash)) return w;
    return NULL;
}

/* Whoever was asked is not asked any more. */
static void unask(struct tx_relay *r, struct wanted *w)
{
    struct relay_peer *p = find(r, w->announcers[0]);
    if (p != NULL && p->wanted > 0) p->wanted--;
}

static void wanted_remove(struct tx_relay *r, struct wanted *w)
{
    struct wanted **at = bucket(r, &w->hash);
    while (*at != w)
        at = &(*at)->next;
    unask(r, w);
    *at = w->next;
    w->next = r->free;
    r->free = w;
}

/* False: no room. Those who are here could not fill it, those who hang up and come again can. */
static bool wanted_add(struct tx_relay *r, const struct hash *hash, uint64_t peer, uint64_t now_ms)
{
    struct wanted *w = r->free;
    struct wanted **at = bucket(r, hash);
    if (w != NULL)
        r->free = w->next;
    else if (r->fresh < RELAY_WANTED_MAX)
        w = &r->storage[r->fresh++];
    if (w == NULL) return false;
    *w = (struct wanted){.hash = *hash, .asked_ms = now_ms, .announcers = {peer}, .next = *at};
    *at = w;
    return true;
}

static void remember_announcer(struct wanted *w, uint64_t peer)
{
    for (size_t i = 0; i < RELAY_ANNOUNCERS; i++) {
        if (w->announcers[i] == peer) return;
        if (w->announcers[i] != 0) continue;
        w->announcers[i] = peer;
        return;
    }
}

static void request(struct tx_relay *r, struct relay_peer *p, const struct hash *hashes,
                    size_t count)
{
    struct buffer b = {0};
    if (count == 0) return;
    wire_hashes_encode(&b, hashes, count);
    (void)!peers_send_bytes(r->peers, p->peer, WIRE_TX_REQUEST, buffer_bytes(&b));
    buffer_finish(&b);
}

static void on_announce(struct tx_relay *r, struct relay_peer *from, const struct hash *hashes,
                        size_t count, uint64_t now_ms)
{
    struct hash ask[WIRE_HASHES_MAX];
    size_t asked = 0;
    bool trusted = rate_wait_ms(&from->vain, now_ms) == 0;
    for (size_t i = 0; i < count; i++) {
        struct wanted *w = wanted_find(r, &hashes[i]);
        learn(from, &hashes[i]);
        if (w != NULL) remember_announcer(w, from->peer);
        if (w != NULL || !trusted || from->wanted >= RELAY_PEER_WANTED_MAX) continue;
        if (pool_has(r->pool, &hashes[i])) continue;
        if (!wanted_add(r, &hashes[i], from->peer, now_ms)) break;
        from->wanted++;
        ask[asked++] = hashes[i];
    }
    request(r, from, ask, asked);
}

/* The one that was asked did not answer: the next who has it. */
static void ask_next(struct tx_relay *r, struct wanted *w, uint64_t now_ms)
{
    unask(r, w);
    memmove(w->announcers, w->announcers + 1, sizeof w->announcers - sizeof *w->announcers);
    w->announcers[RELAY_ANNOUNCERS - 1] = 0;
    struct relay_peer *p = find(r, w->announcers[0]);
    w->asked_ms = now_ms;
    if (p == NULL) {
        wanted_remove(r, w);
        return;
    }
    p->wanted++;
    request(r, p, &w->hash, 1);
}

static void sweep(struct tx_relay *r, uint64_t now_ms)
{
    if (now_ms - r->swept_ms < RELAY_ANSWER_MS / 4) return;
    r->swept_ms = now_ms;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct wanted *w = r->buckets[i], *next; w != NULL; w = next) {
            next = w->next;
            bool gone = find(r, w->announcers[0]) == NULL;
            if (gone || now_ms - w->asked_ms >= RELAY_ANSWER_MS) ask_next(r, w, now_ms);
        }
    }
}

/* ---- giving ---- */

static void send_txs(struct tx_relay *r, const struct relay_peer *to, struct buffer *txs)
{
    if (txs->size == 0) return;
    (void)!peers_send_bytes(r->peers, to->peer, WIRE_TXS, buffer_bytes(txs));
    buffer_clear(txs);
}

/* A short question with a long answer: only as fast as the one who asks takes the answers. */
static bool has_room(const struct tx_relay *r, const struct relay_peer *to)
{
    return peers_room(r->peers, to->peer, CHANNEL_TXS) >= WIRE_TXS_SIZE_MAX;
}

static void on_request(struct tx_relay *r, struct relay_peer *from, const struct hash *hashes,
                       size_t count)
{
    struct buffer txs = {0}, one = {0};
    for (size_t i = 0; i < count && has_room(r, from); i++) {
        buffer_clear(&one);
        if (!pool_find(r->pool, &one, &hashes[i])) continue;
        if (txs.size + one.size + OVERHEAD_SIZE > WIRE_TXS_SIZE_MAX) send_txs(r, from, &txs);
        wire_tx_append(&txs, buffer_bytes(&one));
        learn(from, &hashes[i]);
    }
    send_txs(r, from, &txs);
    buffer_finish(&txs);
    buffer_finish(&one);
}

/* ---- taking ---- */

static bool impossible(enum tx_reason reason)
{
    return reason == TX_MALFORMED || reason == TX_BAD_SIGNATURE || reason == TX_WRONG_CHAIN;
}

static void take(struct tx_relay *r, struct relay_peer *from, struct bytes wire, uint64_t now_ms)
{
    struct hash hash = tx_hash_of_wire(wire);
    struct wanted *w = wanted_find(r, &hash);
    if (w == NULL) return; /* late, or never asked for: costs the sender more than us */
    wanted_remove(r, w);
    enum tx_reason reason = pool_submit(r->pool, &hash, wire);
    if (reason != TX_FINE && reason != TX_KNOWN) rate_spend(&from->vain, 1, now_ms);
    if (impossible(reason))
        peers_charge(r->peers, from->peer, OFFENCE_INVALID, "an impossible transaction");
}

static void on_txs(struct tx_relay *r, struct relay_peer *from, struct bytes rest, uint64_t now_ms)
{
    struct bytes wire;
    enum status status = wire_tx_next(&wire, &rest);
    for (; status == OK; status = wire_tx_next(&wire, &rest))
        take(r, from, wire, now_ms);
    if (status != E_NOT_FOUND)
        peers_charge(r->peers, from->peer, OFFENCE_MALFORMED, "transactions that do not decode");
}

void tx_relay_message(struct tx_relay *r, uint64_t peer, enum wire_type type, struct bytes payload,
                      uint64_t now_ms)
{
    struct relay_peer *from = find(r, peer);
    struct hash hashes[WIRE_HASHES_MAX];
    size_t count = 0;
    assert(from != NULL);
    if (type == WIRE_TXS) {
        on_txs(r, from, payload, now_ms);
    } else if (wire_hashes_decode(hashes, &count, WIRE_HASHES_MAX, payload) != OK) {
        peers_charge(r->peers, peer, OFFENCE_MALFORMED, "a list of hashes that does not decode");
    } else if (type == WIRE_TX_ANNOUNCE) {
        on_announce(r, from, hashes, count, now_ms);
    } else {
        assert(type == WIRE_TX_REQUEST);
        on_request(r, from, hashes, count);
    }
}

void tx_relay_turn(struct tx_relay *r, uint64_t now_ms)
{
    announce_new(r, now_ms);
    sweep(r, now_ms);
}

/* ---- peers ---- */

void tx_relay_peer_open(struct tx_relay *r, uint64_t peer, uint64_t now_ms)
{
    struct buffer hashes = {0};
    if (r->count == r->room) {
        r->room = 2 * r->room + 8;
        r->all = must_realloc(r->all, r->room * sizeof(void *));
    }
    struct relay_peer *p = must_alloc(sizeof *p);
    p->peer = peer;
    p->vain = rate_full(RELAY_VAIN_RATE, now_ms);
    r->all[r->count++] = p;
    pool_hashes_after(r->pool, &hashes, 0, GREETING_MAX);
    announce(r, p, buffer_bytes(&hashes));
    buffer_finish(&hashes);
}

void tx_relay_peer_closed(struct tx_relay *r, uint64_t peer)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->all[i]->peer != peer) continue;
        free(r->all[i]);
        r->all[i] = r->all[--r->count];
        return;
    }
}
