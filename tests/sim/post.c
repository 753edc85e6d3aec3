/* What a node sends, and what reaches it. */
#include "tests/sim/evil.h"
#include "tests/sim/keys.h"
#include "tests/sim/node.h"
#include "tests/sim/world.h"

#include <assert.h>

#define ASKED_PEERS 3

/* ---- out ---- */

/* Persist before send: nothing that we sign leaves before it is durable. */
static void check_vote_durable(struct node *n, const struct vote *v)
{
    const struct own_votes *own = node_own_votes(n, v->view);
    if (v->epoch != n->epoch.number) return; /* of the epoch that this very step ended */
    if (!own || !(own->durable >> v->kind & 1))
        world_fail(n->world, "persist before send", "node %u: view %llu kind %d", n->index,
                   (unsigned long long)v->view, (int)v->kind);
}

static void check_certificate_durable(struct node *n, const struct certificate *c)
{
    uint32_t self = epoch_index_of(&n->epoch, sim_address(n->validator));
    const struct own_votes *own = node_own_votes(n, c->view);
    if (c->epoch != n->epoch.number || c->view <= n->final.view || !own) return;
    if ((own->written >> c->kind & 1) && !(own->durable >> c->kind & 1) &&
        certificate_has_signer(c, self))
        world_fail(n->world, "persist before send", "node %u: in a certificate of view %llu",
                   n->index, (unsigned long long)c->view);
}

static void hear_own(struct node *n, const struct message *m)
{
    struct world *w = n->world;
    switch (m->kind) {
    case MESSAGE_VOTE:
        check_vote_durable(n, &m->vote);
        court_hear_vote(w, &n->epoch, &m->vote);
        break;
    case MESSAGE_CERTIFICATE:
        check_certificate_durable(n, m->certificate);
        court_hear_certificate(w, &n->epoch, m->certificate);
        break;
    case MESSAGE_PROPOSAL:
        check_vote_durable(n, &m->proposal->vote);
        court_hear_vote(w, &n->epoch, &m->proposal->vote);
        break;
    }
}

static struct parcel *pack(struct node *n, const struct message *m)
{
    const enum parcel_kind kinds[] = {PARCEL_VOTE, PARCEL_CERTIFICATE, PARCEL_PROPOSAL};
    struct parcel *p = parcel_take(&n->world->parcels, kinds[m->kind]);
    uint8_t body[BLOCK_BYTES_SIZE];
    switch (m->kind) {
    case MESSAGE_VOTE: vote_encode(&p->bytes, &m->vote); break;
    case MESSAGE_CERTIFICATE: certificate_encode(&p->bytes, m->certificate); break;
    case MESSAGE_PROPOSAL:
        blocks_encode(body, blocks_find(&n->world->blocks, &m->proposal->vote.block));
        proposal_encode(&p->bytes, m->proposal, bytes_of(body, sizeof(body)));
        break;
    }
    return p;
}

void node_send_message(struct node *n, const struct message *m)
{
    struct world *w = n->world;
    if (node_honest(n)) hear_own(n, m);
    struct parcel *p = pack(n, m);
    p->seen = node_honest(n);
    if (m->peer == 0)
        wire_send_all(w, n->index, p);
    else
        wire_send(w, n->index, (uint32_t)m->peer - 1, p);
    parcel_drop(&w->parcels, p);
}

static void ask_some(struct node *n, enum parcel_kind kind, struct bytes request)
{
    struct world *w = n->world;
    struct parcel *p = parcel_take(&w->parcels, kind);
    buffer_append(&p->bytes, request);
    uint32_t peers = w->plan->node_count - 1 < ASKED_PEERS ? w->plan->node_count - 1 : ASKED_PEERS;
    uint32_t first = dice_roll(&w->dice, w->plan->node_count);
    for (uint32_t i = 0; i < peers; i++)
        wire_send(w, n->index, (first + i) % w->plan->node_count, p);
    parcel_drop(&w->parcels, p);
}

void node_ask_certificate(struct node *n, uint64_t view)
{
    uint8_t request[16];
    store_be64(request, n->epoch.number);
    store_be64(request + 8, view);
    ask_some(n, PARCEL_CERT_REQUEST, bytes_of(request, sizeof(request)));
}

void node_ask_block(struct node *n, const struct hash *hash)
{
    ask_some(n, PARCEL_BLOCK_REQUEST, hash_bytes(hash));
}

void node_ask_sync(struct node *n)
{
    struct world *w = n->world;
    uint8_t request[16];
    if (n->sync_asked_ms != 0 && w->now_ms < n->sync_asked_ms + 100) return; /* rate limit */
    n->sync_asked_ms = w->now_ms;
    store_be64(request, n->epoch.number);
    store_be64(request + 8, n->final.number);
    ask_some(n, PARCEL_SYNC_REQUEST, bytes_of(request, sizeof(request)));
}

/* ---- in ---- */

static void answer(struct node *n, uint32_t to, struct parcel *p)
{
    wire_send(n->world, n->index, to, p);
    parcel_drop(&n->world->parcels, p);
}

static void answer_certificate(struct node *n, uint32_t from, struct bytes request)
{
    if (request.size != 16) return;
    uint64_t epoch = load_be64(request.data);
    uint64_t view = load_be64(request.data + 8);
    for (int kind = 0; kind < VOTE_KIND_COUNT; kind++) {
        const struct certificate *c =
            consensus_certificate(n->core, epoch, view, (enum vote_kind)kind);
        if (!c) continue;
        struct parcel *p = parcel_take(&n->world->parcels, PARCEL_CERTIFICATE);
        certificate_encode(&p->bytes, c);
        answer(n, from, p);
    }
}

static void answer_block(struct node *n, uint32_t from, struct bytes request)
{
    struct hash hash;
    uint8_t body[BLOCK_BYTES_SIZE];
    if (request.size != sizeof(hash)) return;
    memcpy(hash.b, request.data, sizeof(hash));
    uint32_t block = blocks_find(&n->world->blocks, &hash);
    if (!node_holds(n, block)) return;
    struct parcel *p = parcel_take(&n->world->parcels, PARCEL_BLOCK);
    blocks_encode(body, block);
    buffer_append(&p->bytes, bytes_of(body, sizeof(body)));
    answer(n, from, p);
}

static void take_block(struct node *n, struct bytes body)
{
    uint32_t block = blocks_decode(&n->world->blocks, body);
    if (block == BLOCK_NONE || node_holds(n, block)) return;
    struct sim_block *b = blocks_get(&n->world->blocks, block);
    if (!consensus_wants_block(n->core, &b->hash)) return;
    set_put(&b->held, n->index, true);
    struct event event = {.kind = EVENT_BLOCK_HELD, .block_held = b->hash};
    node_step(n, &event);
}

/* The court hears what an honest node got, once a parcel. What was forged proves nothing. */
static void hear(struct node *n, struct parcel *p, const struct event *event)
{
    if (p->seen || p->forged || !node_honest(n)) return;
    p->seen = true;
    if (event->kind == EVENT_VOTE) court_hear_vote(n->world, &n->epoch, &event->vote);
    if (event->kind == EVENT_CERTIFICATE)
        court_hear_certificate(n->world, &n->epoch, event->certificate);
    if (event->kind != EVENT_PROPOSAL) return;
    const struct proposal *proposal = event->proposal.proposal;
    court_hear_vote(n->world, &n->epoch, &proposal->vote);
    for (uint32_t i = 0; i < proposal->certificate_count; i++)
        court_hear_certificate(n->world, &n->epoch, &proposal->certificates[i]);
}

static bool open_proposal(struct node *n, struct event *event, struct bytes bytes)
{
    struct world *w = n->world;
    struct bytes body;
    event->kind = EVENT_PROPOSAL;
    event->proposal.proposal = w->proposal;
    if (proposal_decode(w->proposal, &body, bytes) != OK) return false;
    uint32_t block = blocks_decode(&w->blocks, body);
    if (block == BLOCK_NONE) return true;
    struct sim_block *b = blocks_get(&w->blocks, block);
    event->proposal.block_held = hash_equal(&b->hash, &w->proposal->vote.block);
    if (event->proposal.block_held) set_put(&b->held, n->index, true);
    return true;
}

static bool open_parcel(struct node *n, struct event *event, const struct parcel *p)
{
    struct world *w = n->world;
    struct bytes bytes = buffer_bytes(&p->bytes);
    if (p->kind == PARCEL_PROPOSAL) return open_proposal(n, event, bytes);
    if (p->kind == PARCEL_VOTE) {
        event->kind = EVENT_VOTE;
        return vote_decode(&event->vote, bytes) == OK;
    }
    event->kind = EVENT_CERTIFICATE;
    event->certificate = w->certificate;
    return certificate_decode(w->certificate, bytes) == OK;
}

static void take_message(struct node *n, uint32_t from, struct parcel *p)
{
    struct world *w = n->world;
    struct event event = {.from = from + 1};
    bool honest = node_honest(&w->nodes[from]);
    if (!open_parcel(n, &event, p)) {
        if (honest) world_fail(w, "codec", "node %u cannot read what node %u sent", n->index, from);
        return;
    }
    hear(n, p, &event);
    uint32_t life = n->life;
    if (w->over) return;
    node_step(n, &event);
    if (n->life != life || !node_honest(n) || !honest) return;
    if (w->actions->admission == ADMISSION_BAD)
        world_fail(w, "ban", "node %u charges the honest node %u with a message of kind %d",
                   n->index, from, (int)p->kind);
}

void node_receive(struct node *n, uint32_t from, struct parcel *p)
{
    struct bytes bytes = buffer_bytes(&p->bytes);
    bool withholds = (n->roles & (ROLE_WITHHOLDER | ROLE_SILENT)) != 0;
    uint32_t life = n->life;
    switch (p->kind) {
    case PARCEL_PROPOSAL:
    case PARCEL_VOTE:
    case PARCEL_CERTIFICATE: take_message(n, from, p); break;
    case PARCEL_CERT_REQUEST:
        if (!withholds) answer_certificate(n, from, bytes);
        break;
    case PARCEL_BLOCK_REQUEST:
        if (!withholds) answer_block(n, from, bytes);
        break;
    case PARCEL_BLOCK: take_block(n, bytes); break;
    case PARCEL_SYNC_REQUEST:
        if (!withholds) node_answer_sync(n, from, bytes);
        break;
    case PARCEL_SYNC_ANSWER: node_take_sync(n, from, bytes); break;
    case PARCEL_KIND_COUNT: break;
    }
    /* Liars do not answer liars: their words would grow without end. */
    bool lies = !node_honest(n) && node_honest(&n->world->nodes[from]);
    if (lies && n->life == life && !n->world->over) evil_hear(n, p);
}
