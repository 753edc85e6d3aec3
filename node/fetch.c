#include "node/fetch.h"

#include "base/fatal.h"
#include "node/driver.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define HINTS_MAX 256
#define ASKED_MAX 512
#define PEERS_MAX (PEERS_IN_MAX + PEERS_OUT_MAX + PEERS_VALIDATOR_SLOTS * PEERS_VALIDATOR_EACH)

struct wanted {
    struct hash block;
    bool used;
    uint64_t since_ms;
    uint64_t peer; /* asked now; 0: nobody */
    uint64_t asked_ms;
    uint64_t tried[FETCH_TRIES_MAX];
    size_t tried_count;
};

struct hint {
    struct hash block;
    uint64_t peer;
};

struct fetch {
    struct peers *peers;
    uint64_t answer_ms;
    struct wanted wanted[FETCH_BLOCKS_MAX];
    struct hint hints[HINTS_MAX];
    size_t hint_next;
    struct { /* requests that a peer has not answered yet, however late it will */
        uint64_t peer;
        uint32_t count;
    } asked[ASKED_MAX];
    struct {
        uint64_t epoch, view, asked_ms;
    } views[FETCH_VIEWS];
    uint64_t turn; /* whom to begin with */
};

struct fetch *fetch_create(struct peers *peers, uint64_t answer_ms)
{
    struct fetch *f = must_alloc(sizeof *f);
    f->peers = peers;
    f->answer_ms = answer_ms;
    return f;
}

void fetch_destroy(struct fetch *f)
{
    free(f);
}

static struct wanted *find(struct fetch *f, const struct hash *block)
{
    for (size_t i = 0; i < FETCH_BLOCKS_MAX; i++)
        if (f->wanted[i].used && hash_equal(&f->wanted[i].block, block)) return &f->wanted[i];
    return NULL;
}

/* ---- who owes us an answer ---- */

static uint32_t *owed(struct fetch *f, uint64_t peer, bool add)
{
    uint32_t *empty = NULL;
    for (size_t i = 0; i < ASKED_MAX; i++) {
        if (f->asked[i].count > 0 && f->asked[i].peer == peer) return &f->asked[i].count;
        if (f->asked[i].count > 0 || empty != NULL) continue;
        empty = &f->asked[i].count;
        if (add) f->asked[i].peer = peer;
    }
    return add ? empty : NULL;
}

/* ---- asking ---- */

static bool was_tried(const struct wanted *w, uint64_t peer)
{
    for (size_t i = 0; i < w->tried_count; i++)
        if (w->tried[i] == peer) return true;
    return false;
}

static uint64_t hinted(const struct fetch *f, const struct wanted *w)
{
    for (size_t n = 0; n < HINTS_MAX; n++) {
        const struct hint *h = &f->hints[(f->hint_next + HINTS_MAX - 1 - n) % HINTS_MAX];
        if (h->peer != 0 && hash_equal(&h->block, &w->block) && !was_tried(w, h->peer))
            return h->peer;
    }
    return 0;
}

static uint64_t another(struct fetch *f, const struct wanted *w)
{
    struct peer_info all[PEERS_MAX];
    size_t count = peers_list(f->peers, all, PEERS_MAX);
    for (size_t i = 0; i < count; i++) {
        uint64_t peer = all[(i + f->turn) % count].peer;
        if (was_tried(w, peer)) continue;
        f->turn++;
        return peer;
    }
    return 0;
}

static void ask(struct fetch *f, struct wanted *w, uint64_t peer, uint64_t now_ms)
{
    struct buffer b = {0};
    wire_hashes_encode(&b, &w->block, 1);
    w->tried[w->tried_count++] = peer;
    if (peers_send_bytes(f->peers, peer, WIRE_BLOCK_REQUEST, buffer_bytes(&b))) {
        uint32_t *count = owed(f, peer, true);
        if (count != NULL) (*count)++;
        w->peer = peer;
        w->asked_ms = now_ms;
    }
    buffer_finish(&b);
}

/* Asks the next one; nobody left: it waits until consensus asks again. */
static void go_on(struct fetch *f, struct wanted *w, uint64_t now_ms)
{
    w->peer = 0;
    while (w->peer == 0 && w->tried_count < FETCH_TRIES_MAX) {
        uint64_t peer = hinted(f, w);
        if (peer == 0) peer = another(f, w);
        if (peer == 0) break;
        ask(f, w, peer, now_ms);
    }
    if (w->peer == 0) w->used = false;
}

void fetch_block(struct fetch *f, const struct hash *block, uint64_t now_ms)
{
    struct wanted *oldest = &f->wanted[0];
    if (find(f, block) != NULL) return;
    for (size_t i = 0; i < FETCH_BLOCKS_MAX; i++) {
        if (oldest->used && (!f->wanted[i].used || f->wanted[i].since_ms < oldest->since_ms))
            oldest = &f->wanted[i];
    }
    *oldest = (struct wanted){.block = *block, .used = true, .since_ms = now_ms};
}

void fetch_hint(struct fetch *f, const struct hash *block, uint64_t peer)
{
    struct hint *last = &f->hints[(f->hint_next + HINTS_MAX - 1) % HINTS_MAX];
    if (last->peer == peer && hash_equal(&last->block, block)) return;
    f->hints[f->hint_next] = (struct hint){*block, peer};
    f->hint_next = (f->hint_next + 1) % HINTS_MAX;
}

void fetch_done(struct fetch *f, const struct hash *block)
{
    struct wanted *w = find(f, block);
    if (w != NULL) w->used = false;
}

void fetch_peer_closed(struct fetch *f, uint64_t peer)
{
    uint32_t *count = owed(f, peer, false);
    if (count != NULL) *count = 0;
    for (size_t i = 0; i < HINTS_MAX; i++)
        if (f->hints[i].peer == peer) f->hints[i].peer = 0;
    for (size_t i = 0; i < FETCH_BLOCKS_MAX; i++)
        if (f->wanted[i].used && f->wanted[i].peer == peer)
            f->wanted[i].asked_ms = 0; /* its time is up */
}

void fetch_turn(struct fetch *f, uint64_t now_ms)
{
    for (size_t i = 0; i < FETCH_BLOCKS_MAX; i++) {
        struct wanted *w = &f->wanted[i];
        if (!w->used) continue;
        bool late = w->peer == 0 ? now_ms - w->since_ms >= FETCH_GRACE_MS
                                 : now_ms - w->asked_ms >= f->answer_ms;
        if (late) go_on(f, w, now_ms);
    }
}

/* ---- certificates ---- */

static bool asked_lately(struct fetch *f, uint64_t epoch, uint64_t view, uint64_t now_ms)
{
    size_t at = view % FETCH_VIEWS;
    bool same = f->views[at].epoch == epoch && f->views[at].view == view;
    if (same && now_ms - f->views[at].asked_ms < f->answer_ms / 4) return true;
    f->views[at].epoch = epoch;
    f->views[at].view = view;
    f->views[at].asked_ms = now_ms;
    return false;
}

void fetch_certificates(struct fetch *f, uint64_t epoch, uint64_t view, uint64_t now_ms)
{
    struct peer_info all[PEERS_MAX];
    struct buffer b = {0};
    if (asked_lately(f, epoch, view, now_ms)) return;
    size_t count = peers_list(f->peers, all, PEERS_MAX);
    wire_view_encode(&b, &(struct wire_view){epoch, view});
    for (size_t i = 0; i < count && i < 2; i++)
        (void)!peers_send_bytes(f->peers, all[f->turn++ % count].peer, WIRE_CERTIFICATE_REQUEST,
                                buffer_bytes(&b));
    buffer_finish(&b);
}

/* ---- answers ---- */

static void take(struct fetch *f, struct driver *driver, uint64_t peer, const struct wire_block *b)
{
    struct wanted *w = find(f, &b->hash);
    if (w == NULL) return; /* came another way in the meantime */
    if (b->block.size == 0) {
        if (w->peer == peer) w->asked_ms = 0; /* does not have it: the next one, at once */
        return;
    }
    enum status status = driver_block(driver, &b->hash, b->block);
    if (status == E_MALFORMED)
        peers_charge(f->peers, peer, OFFENCE_INVALID, "a block with another hash");
    else
        w->used = false;
}

void fetch_message(struct fetch *f, struct driver *driver, uint64_t peer, struct bytes payload)
{
    struct wire_block b;
    uint32_t *count = owed(f, peer, false);
    if (wire_block_decode(&b, payload) != OK) {
        peers_charge(f->peers, peer, OFFENCE_MALFORMED, "a block that does not decode");
    } else if (count == NULL) {
        peers_charge(f->peers, peer, OFFENCE_UNASKED, "a block that was not asked for");
    } else {
        (*count)--;
        take(f, driver, peer, &b);
    }
}
