#include "node/gossip.h"

#include "base/fatal.h"
#include "base/keccak.h"
#include "net/rate.h"
#include "node/clock.h"
#include "node/fetch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct gossip_peer {
    uint64_t peer;
    struct address validator; /* zero: it proved none */
    struct wire_mesh mesh;
    struct rate answers;
    uint64_t known[GOSSIP_KNOWN];
};

struct pending { /* a proposal that goes on once its block is here */
    struct hash block;
    uint32_t signer;
    uint64_t id;
    struct parcel *parcel; /* NULL: an empty place */
};

struct gossip {
    struct pending pending[GOSSIP_PENDING];
    size_t pending_next;
    struct peers *peers;
    struct driver *driver;
    struct fetch *fetch;
    struct gossip_peer **all;
    size_t count;
    size_t room;
    struct wire_mesh mesh; /* as last told */
    struct certificate *certificate;
    struct proposal *proposal;
};

struct gossip *gossip_create(struct peers *peers, struct driver *driver, struct fetch *fetch)
{
    struct gossip *g = must_alloc(sizeof *g);
    g->peers = peers;
    g->driver = driver;
    g->fetch = fetch;
    g->certificate = must_alloc(sizeof *g->certificate);
    g->proposal = must_alloc(sizeof *g->proposal);
    return g;
}

void gossip_destroy(struct gossip *g)
{
    if (g == NULL) return;
    for (size_t i = 0; i < g->count; i++)
        free(g->all[i]);
    for (size_t i = 0; i < GOSSIP_PENDING; i++)
        parcel_release(g->pending[i].parcel);
    free(g->all);
    free(g->certificate);
    free(g->proposal);
    free(g);
}

static struct gossip_peer *find(const struct gossip *g, uint64_t peer)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->all[i]->peer == peer) return g->all[i];
    return NULL;
}

static const struct epoch *epoch_now(const struct gossip *g)
{
    return consensus_epoch(driver_consensus(g->driver));
}

/* ---- what each peer knows ---- */

static uint64_t digest_of(struct bytes content)
{
    struct hash h = keccak256(content);
    return load_be64(h.b) | 1; /* 0 is an empty place */
}

static uint64_t vote_id(const struct vote *v)
{
    struct buffer b = {0};
    vote_encode(&b, v);
    uint64_t id = digest_of(buffer_bytes(&b));
    buffer_finish(&b);
    return id;
}

/* Whoever signed it: two certificates that say the same are one message. */
static uint64_t certificate_id(const struct certificate *c)
{
    uint8_t said[8 + 8 + 1 + 32];
    store_be64(said, c->epoch);
    store_be64(said + 8, c->view);
    said[16] = (uint8_t)c->kind;
    memcpy(said + 17, c->block.b, 32);
    return digest_of(bytes_of(said, sizeof said));
}

static bool knows(const struct gossip_peer *p, uint64_t id)
{
    return p->known[id / 2 % GOSSIP_KNOWN] == id;
}

static void learn(struct gossip_peer *p, uint64_t id)
{
    p->known[id / 2 % GOSSIP_KNOWN] = id;
}

static void tell(struct gossip *g, struct gossip_peer *p, uint64_t id, struct parcel *parcel)
{
    if (!knows(p, id) && peers_send(g->peers, p->peer, parcel)) learn(p, id);
}

/* ---- the mesh ---- */

static uint32_t index_of(const struct gossip *g, const struct address *validator)
{
    return address_is_zero(validator) ? VALIDATORS_MAX : epoch_index_of(epoch_now(g), validator);
}

static bool in_set(const struct gossip *g, const struct gossip_peer *p)
{
    return index_of(g, &p->validator) < epoch_now(g)->validator_count;
}

static bool reaches(const struct gossip *g, const struct gossip_peer *p, uint32_t signer)
{
    if (p->mesh.epoch != epoch_now(g)->number || signer >= VALIDATORS_MAX) return false;
    return (p->mesh.validators[signer / 8] >> (signer % 8) & 1) != 0;
}

static void mark(const struct gossip *g, struct wire_mesh *m, const struct address *validator)
{
    uint32_t index = index_of(g, validator);
    if (index < epoch_now(g)->validator_count)
        m->validators[index / 8] |= (uint8_t)(1u << (index % 8));
}

static struct wire_mesh mesh_now(const struct gossip *g)
{
    struct wire_mesh m = {.epoch = epoch_now(g)->number};
    struct address own = driver_address(g->driver);
    mark(g, &m, &own);
    for (size_t i = 0; i < g->count; i++)
        mark(g, &m, &g->all[i]->validator);
    return m;
}

static void send_mesh(struct gossip *g, uint64_t peer)
{
    struct buffer b = {0};
    wire_mesh_encode(&b, &g->mesh);
    (void)!peers_send_bytes(g->peers, peer, WIRE_MESH, buffer_bytes(&b));
    buffer_finish(&b);
}

static void renew_mesh(struct gossip *g)
{
    struct wire_mesh now = mesh_now(g);
    if (memcmp(&now, &g->mesh, sizeof now) == 0) return;
    g->mesh = now;
    for (size_t i = 0; i < g->count; i++)
        send_mesh(g, g->all[i]->peer);
}

void gossip_epoch(struct gossip *g)
{
    renew_mesh(g);
}

/* ---- sending ---- */

static struct parcel *vote_parcel(const struct vote *v)
{
    struct buffer b = {0};
    vote_encode(&b, v);
    struct parcel *parcel = parcel_create(WIRE_VOTE, buffer_bytes(&b));
    buffer_finish(&b);
    return parcel;
}

static struct parcel *certificate_parcel(const struct certificate *c)
{
    struct buffer b = {0};
    certificate_encode(&b, c);
    struct parcel *parcel = parcel_create(WIRE_CERTIFICATE, buffer_bytes(&b));
    buffer_finish(&b);
    return parcel;
}

static struct parcel *proposal_parcel(const struct proposal *p, struct bytes block)
{
    struct buffer b = {0};
    proposal_encode(&b, p, block);
    struct parcel *parcel = parcel_create(WIRE_PROPOSAL, buffer_bytes(&b));
    buffer_finish(&b);
    return parcel;
}

/* One peer when `peer` is not 0, even if it seems to know: consensus has a reason. */
static void send_to(struct gossip *g, uint64_t peer, uint64_t id, struct parcel *parcel)
{
    struct gossip_peer *one = peer != 0 ? find(g, peer) : NULL;
    if (one != NULL && peers_send(g->peers, peer, parcel)) learn(one, id);
    for (size_t i = 0; peer == 0 && i < g->count; i++)
        tell(g, g->all[i], id, parcel);
    parcel_release(parcel);
}

/* Own votes sent again by the retry rule must go out, known or not: a lost one is why. */
static void send_vote_out(struct gossip *g, uint64_t peer, const struct vote *v)
{
    struct parcel *parcel = vote_parcel(v);
    uint64_t id = vote_id(v);
    for (size_t i = 0; i < g->count; i++) {
        struct gossip_peer *p = g->all[i];
        if (peer != 0 && p->peer != peer) continue;
        if (peers_send(g->peers, p->peer, parcel)) learn(p, id);
    }
    parcel_release(parcel);
}

static void send_proposal_out(struct gossip *g, const struct proposal *p, struct bytes block)
{
    struct parcel *whole = proposal_parcel(p, block);
    struct parcel *bare = proposal_parcel(p, (struct bytes){0});
    uint64_t id = vote_id(&p->vote);
    for (size_t i = 0; i < g->count; i++) {
        struct gossip_peer *to = g->all[i];
        if (peers_send(g->peers, to->peer, in_set(g, to) ? whole : bare)) learn(to, id);
    }
    parcel_release(whole);
    parcel_release(bare);
}

/* A short message with a long answer: within a budget, and only if the answer has room. */
static bool spend_answer(struct gossip *g, struct gossip_peer *to)
{
    uint64_t now_ms = clock_ms();
    bool room = peers_room(g->peers, to->peer, CHANNEL_VOTES) > 3 * CERTIFICATE_SIZE_MAX;
    if (!room || rate_wait_ms(&to->answers, now_ms) > 0) return false;
    rate_spend(&to->answers, 1, now_ms);
    return true;
}

void gossip_send(struct gossip *g, const struct message *m, struct bytes block)
{
    struct gossip_peer *asker = m->peer != 0 ? find(g, m->peer) : NULL;
    switch (m->kind) {
    case MESSAGE_VOTE: send_vote_out(g, m->peer, &m->vote); break;
    case MESSAGE_CERTIFICATE:
        if (asker != NULL && !spend_answer(g, asker)) break;
        send_to(g, m->peer, certificate_id(m->certificate), certificate_parcel(m->certificate));
        break;
    case MESSAGE_PROPOSAL: send_proposal_out(g, m->proposal, block); break;
    }
}

/* ---- passing on ---- */

/* The few that get a vote although they should have it from its signer: by lot, but the same lot
 * wherever it is drawn twice. */
static uint64_t lot(uint64_t id, uint64_t peer)
{
    uint64_t x = id ^ (peer * 0x9e3779b97f4a7c15u);
    x ^= x >> 31;
    return x * 0xbf58476d1ce4e5b9u;
}

static void fan_out(struct gossip *g, uint64_t from, uint64_t id, struct parcel *parcel)
{
    for (int n = 0; n < GOSSIP_FANOUT; n++) {
        struct gossip_peer *best = NULL;
        for (size_t i = 0; i < g->count; i++) {
            struct gossip_peer *p = g->all[i];
            if (p->peer == from || knows(p, id)) continue;
            if (best == NULL || lot(id, p->peer) < lot(id, best->peer)) best = p;
        }
        if (best == NULL) return;
        tell(g, best, id, parcel);
        learn(best, id); /* also when its queue is full: the next one is another */
    }
}

static void pass_vote(struct gossip *g, uint64_t from, const struct vote *v)
{
    struct parcel *parcel = vote_parcel(v);
    uint64_t id = vote_id(v);
    for (size_t i = 0; i < g->count; i++)
        if (!reaches(g, g->all[i], v->signer)) tell(g, g->all[i], id, parcel);
    fan_out(g, from, id, parcel);
    parcel_release(parcel);
}

static void pass_pending(struct gossip *g, struct pending *p)
{
    for (size_t i = 0; i < g->count; i++)
        if (!reaches(g, g->all[i], p->signer)) tell(g, g->all[i], p->id, p->parcel);
    parcel_release(p->parcel);
    p->parcel = NULL;
}

void gossip_block_came(struct gossip *g)
{
    for (size_t i = 0; i < GOSSIP_PENDING; i++) {
        struct pending *p = &g->pending[i];
        if (p->parcel != NULL && driver_holds(g->driver, &p->block)) pass_pending(g, p);
    }
}

/* What consensus knew already it did not verify again, so the sender's signatures may be anything:
 * only the certificates that we hold go on. Who lacks another asks for it. */
static void put_own_certificates(const struct gossip *g, struct proposal *p)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->certificate_count; i++) {
        const struct certificate *theirs = &p->certificates[i];
        const struct certificate *ours = consensus_certificate(
            driver_consensus(g->driver), theirs->epoch, theirs->view, theirs->kind);
        if (ours == NULL || ours->view != theirs->view) continue;
        certificate_copy(&p->certificates[count++], ours);
    }
    p->certificate_count = count;
}

/* Without the block: who wants it asks for it, so it goes on when we can answer. Those who are
 * connected with the leader get the leader's vote only. */
static void pass_proposal(struct gossip *g, struct proposal *p)
{
    put_own_certificates(g, p);
    uint64_t id = vote_id(&p->vote);
    struct pending *place = &g->pending[g->pending_next++ % GOSSIP_PENDING];
    parcel_release(place->parcel);
    *place =
        (struct pending){p->vote.block, p->vote.signer, id, proposal_parcel(p, (struct bytes){0})};
    gossip_block_came(g);
    struct parcel *vote = vote_parcel(&p->vote);
    for (size_t i = 0; i < g->count; i++)
        if (reaches(g, g->all[i], p->vote.signer)) tell(g, g->all[i], id, vote);
    parcel_release(vote);
}

/* ---- receiving ---- */

static bool genuine(struct gossip *g, uint64_t peer, enum admission admission, const char *what)
{
    if (admission == ADMISSION_BAD) peers_charge(g->peers, peer, OFFENCE_FORGED, what);
    return admission == ADMISSION_NEW;
}

static void on_vote(struct gossip *g, struct gossip_peer *from, struct bytes payload)
{
    struct vote v;
    if (vote_decode(&v, payload) != OK) {
        peers_charge(g->peers, from->peer, OFFENCE_MALFORMED, "a vote that does not decode");
        return;
    }
    learn(from, vote_id(&v));
    if (v.kind == VOTE_NOTARIZE) fetch_hint(g->fetch, &v.block, from->peer);
    if (genuine(g, from->peer, driver_vote(g->driver, from->peer, &v), "a forged vote"))
        pass_vote(g, from->peer, &v);
}

static void on_certificate(struct gossip *g, struct gossip_peer *from, struct bytes payload)
{
    struct certificate *c = g->certificate;
    if (certificate_decode(c, payload) != OK) {
        peers_charge(g->peers, from->peer, OFFENCE_MALFORMED, "a certificate that does not decode");
        return;
    }
    learn(from, certificate_id(c));
    if (c->kind != VOTE_NULLIFY) fetch_hint(g->fetch, &c->block, from->peer);
    enum admission admission = driver_certificate(g->driver, from->peer, c);
    if (genuine(g, from->peer, admission, "a forged certificate"))
        send_to(g, 0, certificate_id(c), certificate_parcel(c));
}

static void on_proposal(struct gossip *g, struct gossip_peer *from, struct bytes payload)
{
    struct proposal *p = g->proposal;
    struct bytes block;
    bool held = false;
    if (proposal_decode(p, &block, payload) != OK) {
        peers_charge(g->peers, from->peer, OFFENCE_MALFORMED, "a proposal that does not decode");
        return;
    }
    learn(from, vote_id(&p->vote));
    fetch_hint(g->fetch, &p->vote.block, from->peer);
    enum admission admission = driver_proposal(g->driver, from->peer, p, block, &held);
    if (held) fetch_done(g->fetch, &p->vote.block);
    if (genuine(g, from->peer, admission, "a forged proposal")) pass_proposal(g, p);
}

static void on_mesh(struct gossip *g, struct gossip_peer *from, struct bytes payload)
{
    if (wire_mesh_decode(&from->mesh, payload) != OK)
        peers_charge(g->peers, from->peer, OFFENCE_MALFORMED, "a mesh that does not decode");
}

static void answer_view(struct gossip *g, struct gossip_peer *to, const struct wire_view *v)
{
    for (int kind = 0; kind < VOTE_KIND_COUNT; kind++) {
        const struct certificate *c = consensus_certificate(driver_consensus(g->driver), v->epoch,
                                                            v->view, (enum vote_kind)kind);
        if (c != NULL) send_to(g, to->peer, certificate_id(c), certificate_parcel(c));
    }
}

static void on_certificate_request(struct gossip *g, struct gossip_peer *from, struct bytes payload)
{
    struct wire_view v;
    if (wire_view_decode(&v, payload) != OK)
        peers_charge(g->peers, from->peer, OFFENCE_MALFORMED, "a request that does not decode");
    else if (spend_answer(g, from))
        answer_view(g, from, &v);
}

void gossip_message(struct gossip *g, uint64_t peer, enum wire_type type, struct bytes payload)
{
    struct gossip_peer *from = find(g, peer);
    assert(from != NULL);
    if (type == WIRE_VOTE) on_vote(g, from, payload);
    if (type == WIRE_CERTIFICATE) on_certificate(g, from, payload);
    if (type == WIRE_PROPOSAL) on_proposal(g, from, payload);
    if (type == WIRE_MESH) on_mesh(g, from, payload);
    if (type == WIRE_CERTIFICATE_REQUEST) on_certificate_request(g, from, payload);
}

/* ---- peers ---- */

/* What lets a newcomer, or one from behind a healed partition, catch up at once: the highest F and
 * the certificates of the views above it, the newest first. */
static void greet(struct gossip *g, struct gossip_peer *p)
{
    const struct consensus *c = driver_consensus(g->driver);
    const struct certificate *final = consensus_highest_final(c);
    uint64_t epoch = epoch_now(g)->number;
    int sent = 0;
    if (final != NULL) send_to(g, p->peer, certificate_id(final), certificate_parcel(final));
    for (uint64_t v = consensus_view(c); v > consensus_final(c).view && sent < GOSSIP_GREETING;
         v--, sent++)
        answer_view(g, p, &(struct wire_view){epoch, v});
}

void gossip_peer_open(struct gossip *g, const struct peer_info *info)
{
    assert(find(g, info->peer) == NULL);
    if (g->count == g->room) {
        g->room = 2 * g->room + 8;
        g->all = must_realloc(g->all, g->room * sizeof(void *));
    }
    struct gossip_peer *p = must_alloc(sizeof *p);
    p->peer = info->peer;
    p->answers = rate_full(GOSSIP_ANSWER_RATE, clock_ms());
    if (info->is_validator) p->validator = info->validator;
    g->all[g->count++] = p;
    g->mesh.epoch = UINT64_MAX; /* so that the newcomer is told too */
    renew_mesh(g);
    greet(g, p);
}

void gossip_peer_closed(struct gossip *g, uint64_t peer)
{
    for (size_t i = 0; i < g->count; i++) {
        if (g->all[i]->peer != peer) continue;
        free(g->all[i]);
        g->all[i] = g->all[--g->count];
        break;
    }
    renew_mesh(g);
}
