/* bus.h - a cluster of consensus cores in one thread, on virtual time, replayable from a seed.
 *
 * The bus is each core's driver: it keeps the logs, the blocks, the timers and the wire. Messages
 * travel encoded, so that every hop goes through the codecs. On every step it checks what must
 * never happen: two nodes that commit different blocks at one height, and an honest node whose
 * votes, over all its crashes, are evidence against it. Signatures are stubs unless told otherwise.
 */
#ifndef LEASEHOLD_TESTS_CHAIN_BUS_H
#define LEASEHOLD_TESTS_CHAIN_BUS_H

#include "base/keccak.h"
#include "chain/consensus/consensus.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUS_API static __attribute__((unused)) /* not every test uses all of it */

#define BUS_NODES_MAX  7
#define BUS_BLOCKS_MAX 8192
#define BUS_HEIGHT_MAX 4096
#define BUS_VOTES_MAX  8192
#define BUS_VIEWS_MAX  96

enum item_kind {
    ITEM_VOTE,
    ITEM_CERTIFICATE,
    ITEM_PROPOSAL,
    ITEM_CERT_REQUEST,
    ITEM_TIMER,
    ITEM_DURABLE,
    ITEM_BUILT,
    ITEM_VERDICT,
    ITEM_BLOCK,
    ITEM_EPOCH,
    ITEM_SYNC,
    ITEM_RESTART
};

struct item {
    uint64_t time_ms;
    uint64_t order;
    enum item_kind kind;
    uint32_t to;
    uint32_t from;
    uint32_t life; /* of the receiver, for what is local to it */
    uint64_t view;
    uint64_t number; /* timer id, generation, sequence, epoch */
    bool flag;
    struct hash block;
    struct buffer bytes;
};

struct bus_block {
    struct hash hash;
    struct hash parent;
    uint64_t epoch;
    uint64_t view;
    uint64_t parent_view;
    uint64_t number;
    bool invalid;
};

struct bus_record {
    enum record_kind kind;
    struct buffer payload;
};

struct bus_node {
    struct consensus *core; /* NULL: down */
    struct key key;
    uint32_t life;
    bool observer;    /* has no key */
    bool equivocates; /* its wire is evil; its core is not */
    bool never_builds;
    bool never_verifies;
    struct bus_record *log;
    size_t log_count;
    size_t log_durable;
    size_t log_room;
    uint64_t sequence_base; /* log index of sequence 1 in this life */
    bool sync_queued;
    uint64_t timer_generation[TIMER_COUNT];
    bool held[BUS_BLOCKS_MAX];
    struct hash chain[BUS_HEIGHT_MAX]; /* committed, by height */
    struct final_point final;          /* its "database" */
    struct epoch epoch;
    struct vote signed_votes[BUS_VOTES_MAX]; /* all it ever sent, by epoch and view */
    bool signed_held[BUS_VOTES_MAX];
};

struct bus {
    uint64_t seed; /* for messages; the state of the generator is `random` */
    uint64_t random;
    uint64_t now_ms;
    uint64_t order;
    uint32_t node_count;
    uint32_t loss_percent;
    uint32_t delay_min_ms;
    uint32_t delay_max_ms;
    uint32_t build_ms;
    uint64_t epoch_blocks;
    bool duplicate;
    struct timing timing;
    const struct signer *signer;
    bool cut[BUS_NODES_MAX][BUS_NODES_MAX];
    struct bus_node *nodes;
    struct bus_block *blocks;
    uint32_t block_count;
    struct hash canonical[BUS_HEIGHT_MAX];
    struct item *heap;
    size_t heap_count;
    size_t heap_room;
    struct actions *actions;
    struct proposal *proposal;
    struct certificate *certificate;
    uint64_t evidence_count;
    uint64_t evidence_honest; /* against a node that is not evil: must stay 0 */
    uint64_t steps;
    uint64_t nullified_views; /* X certificates seen on the wire, repeats included */
};

/* Signatures that cost nothing: the address, and the digest it goes with. */
static struct address bus_addresses[BUS_NODES_MAX];

static struct signature stub_sign(const struct key *key, const struct hash *digest)
{
    struct signature s = {{0}};
    memcpy(s.b, bus_addresses[key->secret[31] - 1].b, 20);
    memcpy(s.b + 33, digest->b, 31);
    return s;
}

static enum status stub_recover(struct address *out, const struct signature *s,
                                const struct hash *digest)
{
    if (memcmp(s->b + 33, digest->b, 31) != 0) return E_SIGNATURE;
    memcpy(out->b, s->b, 20);
    return OK;
}

static const struct signer SIGNER_STUB = {stub_sign, stub_recover};

static uint32_t bus_random(struct bus *b, uint32_t bound)
{
    b->random ^= b->random << 13; /* xorshift64 */
    b->random ^= b->random >> 7;
    b->random ^= b->random << 17;
    return (uint32_t)((b->random >> 16) % bound);
}

#define BUS_CHECK(b, condition)                                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "seed %llu, %llu ms: not true: %s\n", (unsigned long long)(b)->seed,   \
                    (unsigned long long)(b)->now_ms, #condition);                                  \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* ---- the queue: a binary heap by time, then order of insertion ---- */

static bool item_before(const struct item *a, const struct item *b)
{
    return a->time_ms != b->time_ms ? a->time_ms < b->time_ms : a->order < b->order;
}

static void heap_swap(struct bus *b, size_t i, size_t j)
{
    struct item t = b->heap[i];
    b->heap[i] = b->heap[j];
    b->heap[j] = t;
}

static void bus_push(struct bus *b, struct item item, uint64_t delay_ms)
{
    if (b->heap_count == b->heap_room) {
        b->heap_room = b->heap_room ? 2 * b->heap_room : 1024;
        b->heap = realloc(b->heap, b->heap_room * sizeof(*b->heap));
        assert(b->heap);
    }
    item.time_ms = b->now_ms + delay_ms;
    item.order = b->order++;
    size_t i = b->heap_count++;
    b->heap[i] = item;
    for (; i > 0 && item_before(&b->heap[i], &b->heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap_swap(b, i, (i - 1) / 2);
}

static struct item bus_pop(struct bus *b)
{
    struct item top = b->heap[0];
    b->heap[0] = b->heap[--b->heap_count];
    for (size_t i = 0;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < b->heap_count; child++)
            if (item_before(&b->heap[child], &b->heap[least])) least = child;
        if (least == i) return top;
        heap_swap(b, i, least);
        i = least;
    }
}

static void push_local(struct bus *b, uint32_t node, struct item item, uint64_t delay_ms)
{
    item.to = node;
    item.life = b->nodes[node].life;
    bus_push(b, item, delay_ms);
}

static uint64_t hop_ms(struct bus *b)
{
    return b->delay_min_ms + bus_random(b, b->delay_max_ms - b->delay_min_ms + 1);
}

static void push_remote(struct bus *b, uint32_t from, uint32_t to, struct item item)
{
    if (from == to || b->cut[from][to] || bus_random(b, 100) < b->loss_percent) {
        buffer_finish(&item.bytes);
        return;
    }
    item.from = from;
    item.to = to;
    bus_push(b, item, hop_ms(b));
}

/* ---- blocks and epochs ---- */

BUS_API struct epoch bus_epoch(const struct bus *b, uint64_t number, const struct hash *start_block,
                               uint64_t start_number)
{
    struct epoch e = {.chain_id = 7117, .number = number, .start_block = *start_block};
    uint8_t seed[8];
    store_be64(seed, number);
    e.seed = keccak256(bytes_of(seed, 8));
    e.start_number = start_number;
    e.last_number = start_number + b->epoch_blocks;
    for (uint32_t i = 0; i < b->node_count; i++) {
        if (b->nodes[i].observer) continue;
        struct validator *v = &e.validators[e.validator_count++];
        v->consensus_address = v->operator_address = bus_addresses[i];
        v->weight = 100 + (i + number) % 3; /* a new set every epoch */
    }
    enum status status = epoch_seal(&e);
    assert(status == OK);
    (void)status;
    return e;
}

static uint32_t find_block(const struct bus *b, const struct hash *hash)
{
    for (uint32_t i = b->block_count; i > 0; i--)
        if (hash_equal(&b->blocks[i - 1].hash, hash)) return i - 1;
    return b->block_count;
}

static uint32_t make_block(struct bus *b, const struct bus_block *fields, uint32_t author)
{
    uint8_t bytes[72] = {0};
    assert(b->block_count < BUS_BLOCKS_MAX);
    struct bus_block *block = &b->blocks[b->block_count];
    *block = *fields;
    memcpy(bytes, fields->parent.b, 32);
    store_be64(bytes + 32, fields->epoch);
    store_be64(bytes + 40, fields->view);
    store_be64(bytes + 48, fields->number);
    store_be32(bytes + 56, author);
    store_be64(bytes + 64, b->block_count);
    block->hash = keccak256(bytes_of(bytes, sizeof(bytes)));
    return b->block_count++;
}

static bool block_fits(const struct bus_block *block, const struct epoch *e,
                       const struct block_place *place)
{
    return !block->invalid && block->epoch == e->number && block->view == place->view &&
           block->parent_view == place->parent_view && block->number == place->number &&
           hash_equal(&block->parent, &place->parent);
}

/* ---- the log ---- */

static void log_append(struct bus *b, struct bus_node *n, const struct record *record)
{
    if (n->log_count == n->log_room) {
        n->log_room = n->log_room ? 2 * n->log_room : 64;
        n->log = realloc(n->log, n->log_room * sizeof(*n->log));
        assert(n->log);
    }
    struct bus_record *r = &n->log[n->log_count++];
    *r = (struct bus_record){.kind = record->kind};
    record_encode(&r->payload, record, bytes_of_text("body"));
    (void)b;
}

static void log_cut(struct bus_node *n, size_t count)
{
    while (n->log_count > count)
        buffer_finish(&n->log[--n->log_count].payload);
}

static void replay_record(struct bus *b, struct bus_node *n, const struct bus_record *r)
{
    struct record record;
    struct bytes body;
    enum status status =
        record_decode(&record, b->certificate, &body, r->kind, buffer_bytes(&r->payload));
    BUS_CHECK(b, status == OK);
    if (record.kind == RECORD_BLOCK) {
        uint32_t index = find_block(b, &record.block.block);
        BUS_CHECK(b, index < b->block_count && bytes_equal(body, bytes_of_text("body")));
        n->held[index] = true;
    }
    BUS_CHECK(b, consensus_restore(n->core, &record) == OK);
}

/* ---- stepping ---- */

static void bus_step(struct bus *b, uint32_t node, const struct event *event);

BUS_API void bus_start(struct bus *b, uint32_t node)
{
    struct bus_node *n = &b->nodes[node];
    struct consensus_config config = {.epoch = n->epoch,
                                      .final = n->final,
                                      .key = n->observer ? NULL : &n->key,
                                      .signer = b->signer,
                                      .timing = b->timing,
                                      .views_max = BUS_VIEWS_MAX};
    assert(!n->core);
    n->core = consensus_create(&config);
    n->life++;
    n->sync_queued = false;
    for (size_t i = 0; i < n->log_count; i++)
        replay_record(b, n, &n->log[i]);
    n->sequence_base = n->log_count;
    struct event start = {.kind = EVENT_START};
    bus_step(b, node, &start);
}

/* Power off: what was not synced is lost, but for a random whole part of it. */
BUS_API void bus_crash(struct bus *b, uint32_t node)
{
    struct bus_node *n = &b->nodes[node];
    size_t unsynced = n->log_count - n->log_durable;
    assert(n->core);
    consensus_destroy(n->core);
    n->core = NULL;
    n->life++;
    log_cut(n, n->log_durable + bus_random(b, (uint32_t)unsynced + 1));
    n->log_durable = n->log_count;
    for (uint32_t i = 0; i < b->block_count; i++) /* memory is gone; the committed are on disk */
        n->held[i] = b->blocks[i].number <= n->final.number &&
                     hash_equal(&n->chain[b->blocks[i].number], &b->blocks[i].hash);
}

static void check_vote(struct bus *b, uint32_t node, const struct vote *v)
{
    struct bus_node *n = &b->nodes[node];
    for (int kind = 0; kind < VOTE_KIND_COUNT; kind++) {
        size_t at = ((v->epoch * 1021 + v->view) * 3 + (size_t)kind) % BUS_VOTES_MAX;
        struct vote *before = &n->signed_votes[at];
        bool there = n->signed_held[at] && before->epoch == v->epoch && before->view == v->view &&
                     before->kind == (enum vote_kind)kind;
        if (there) BUS_CHECK(b, evidence_between(before, v) == EVIDENCE_NONE);
        if (kind == (int)v->kind) {
            n->signed_votes[at] = *v;
            n->signed_held[at] = true;
        }
    }
}

static void broadcast(struct bus *b, uint32_t from, uint64_t peer, enum item_kind kind,
                      struct bytes bytes)
{
    for (uint32_t to = 0; to < b->node_count; to++) {
        struct item item = {.kind = kind};
        if (peer != 0 && peer != to + 1) continue;
        buffer_append(&item.bytes, bytes);
        push_remote(b, from, to, item);
        if (!b->duplicate || bus_random(b, 4) != 0) continue;
        struct item twin = {.kind = kind};
        buffer_append(&twin.bytes, bytes);
        push_remote(b, from, to, twin);
    }
}

static struct vote evil_vote(struct bus *b, const struct bus_node *n, struct vote v)
{
    struct hash digest = vote_digest(n->epoch.chain_id, &v);
    v.signature = b->signer->sign(&n->key, &digest);
    return v;
}

/* Beside the lawful vote, one that contradicts it, to whom chance picks. */
static void send_evil_vote(struct bus *b, uint32_t from, const struct vote *lawful)
{
    struct vote v = *lawful;
    struct buffer bytes = {0};
    if (v.kind == VOTE_NULLIFY || bus_random(b, 2) == 0) return;
    if (v.kind == VOTE_NOTARIZE) {
        v.kind = VOTE_FINALIZE;
        v.parent_view = 0;
        v.block.b[0] ^= (uint8_t)bus_random(b, 2);
    } else {
        v.kind = VOTE_NULLIFY;
        memset(&v.block, 0, sizeof(v.block));
    }
    v = evil_vote(b, &b->nodes[from], v);
    vote_encode(&bytes, &v);
    broadcast(b, from, 1 + bus_random(b, b->node_count), ITEM_VOTE, buffer_bytes(&bytes));
    buffer_finish(&bytes);
}

/* A second block for the same view, to every other node. */
static void send_evil_proposal(struct bus *b, uint32_t from, const struct proposal *lawful)
{
    uint32_t index = find_block(b, &lawful->vote.block);
    BUS_CHECK(b, index < b->block_count);
    struct bus_block fields = b->blocks[index];
    if (fields.view != lawful->vote.view) return; /* the boundary block again */
    index = make_block(b, &fields, from);
    b->nodes[from].held[index] = true;
    *b->proposal = *lawful;
    b->proposal->vote.block = b->blocks[index].hash;
    b->proposal->vote = evil_vote(b, &b->nodes[from], b->proposal->vote);
    struct buffer bytes = {0};
    proposal_encode(&bytes, b->proposal, bytes_of_text("body"));
    for (uint32_t to = 0; to < b->node_count; to += 2)
        broadcast(b, from, to + 1, ITEM_PROPOSAL, buffer_bytes(&bytes));
    buffer_finish(&bytes);
}

static void do_send(struct bus *b, uint32_t node, const struct message *m)
{
    struct bus_node *n = &b->nodes[node];
    struct buffer bytes = {0};
    switch (m->kind) {
    case MESSAGE_VOTE:
        check_vote(b, node, &m->vote);
        vote_encode(&bytes, &m->vote);
        broadcast(b, node, m->peer, ITEM_VOTE, buffer_bytes(&bytes));
        if (n->equivocates) send_evil_vote(b, node, &m->vote);
        break;
    case MESSAGE_CERTIFICATE:
        if (m->certificate->kind == VOTE_NULLIFY) b->nullified_views++;
        certificate_encode(&bytes, m->certificate);
        broadcast(b, node, m->peer, ITEM_CERTIFICATE, buffer_bytes(&bytes));
        break;
    case MESSAGE_PROPOSAL:
        check_vote(b, node, &m->proposal->vote);
        if (n->equivocates) send_evil_proposal(b, node, m->proposal);
        proposal_encode(&bytes, m->proposal, bytes_of_text("body"));
        broadcast(b, node, m->peer, ITEM_PROPOSAL, buffer_bytes(&bytes));
        break;
    }
    buffer_finish(&bytes);
}

static void do_persist(struct bus *b, uint32_t node, const struct action *a)
{
    struct bus_node *n = &b->nodes[node];
    log_append(b, n, &a->persist.record);
    BUS_CHECK(b, a->persist.sequence == n->log_count - n->sequence_base);
    struct item item = {.kind = ITEM_DURABLE, .number = a->persist.sequence};
    push_local(b, node, item, 1 + bus_random(b, 4));
}

static void do_build(struct bus *b, uint32_t node, const struct action *a)
{
    struct bus_node *n = &b->nodes[node];
    const struct block_place *place = &a->build.place;
    struct item item = {.kind = ITEM_BUILT,
                        .view = place->view,
                        .number = n->epoch.number,
                        .flag = !n->never_builds};
    struct bus_block fields = {.parent = place->parent,
                               .epoch = n->epoch.number,
                               .view = place->view,
                               .parent_view = place->parent_view,
                               .number = place->number};
    uint32_t index = make_block(b, &fields, node);
    n->held[index] = true;
    item.block = b->blocks[index].hash;
    push_local(b, node, item, b->build_ms);
}

static void do_verify(struct bus *b, uint32_t node, const struct action *a)
{
    struct bus_node *n = &b->nodes[node];
    uint32_t index = find_block(b, &a->verify.block);
    BUS_CHECK(b, index < b->block_count && n->held[index]);
    struct item item = {.kind = ITEM_VERDICT, .view = a->verify.view, .block = a->verify.block};
    item.flag = block_fits(&b->blocks[index], &n->epoch, &a->verify);
    if (!n->never_verifies) push_local(b, node, item, 1 + bus_random(b, 5));
}

static void do_fetch_block(struct bus *b, uint32_t node, const struct action *a)
{
    uint32_t index = find_block(b, &a->fetch_block.block);
    struct item item = {.kind = ITEM_BLOCK, .block = a->fetch_block.block};
    if (index == b->block_count) return;
    for (uint32_t i = 0; i < b->node_count; i++) {
        bool at_home = i == node;
        if (!b->nodes[i].core || !b->nodes[i].held[index] || b->cut[i][node]) continue;
        if (!at_home && bus_random(b, 100) < b->loss_percent) continue;
        push_local(b, node, item, at_home ? 0 : hop_ms(b) + hop_ms(b));
        return;
    }
}

static void do_commit(struct bus *b, uint32_t node, const struct action *a)
{
    struct bus_node *n = &b->nodes[node];
    for (uint32_t i = 0; i < a->commit.count; i++) {
        const struct block_place *p = &a->commit.chain[i];
        BUS_CHECK(b, p->number == n->final.number + 1 && p->number < BUS_HEIGHT_MAX);
        BUS_CHECK(b, hash_equal(&p->parent, &n->final.block));
        if (hash_is_zero(&b->canonical[p->number])) b->canonical[p->number] = p->block;
        BUS_CHECK(b, hash_equal(&b->canonical[p->number], &p->block));
        n->chain[p->number] = p->block;
        n->final = (struct final_point){p->view, p->block, p->number};
    }
    BUS_CHECK(b, certificate_verify(a->commit.certificate, &n->epoch, b->signer) == OK);
    BUS_CHECK(b, hash_equal(&a->commit.certificate->block, &n->final.block));
    n->final.view = a->commit.certificate->view;
    if (!a->commit.epoch_ends) return;
    n->epoch = bus_epoch(b, n->epoch.number + 1, &n->final.block, n->final.number);
    n->final.view = 0;
    struct item item = {.kind = ITEM_EPOCH};
    push_local(b, node, item, 1);
}

static void do_evidence(struct bus *b, uint32_t node, const struct evidence *e)
{
    const struct epoch *epoch = consensus_epoch(b->nodes[node].core);
    BUS_CHECK(b, evidence_between(&e->first, &e->second) == e->kind);
    b->evidence_count++;
    for (uint32_t i = 0; i < b->node_count; i++)
        if (address_equal(&bus_addresses[i],
                          &epoch->validators[e->first.signer].consensus_address) &&
            !b->nodes[i].equivocates)
            b->evidence_honest++;
    BUS_CHECK(b, b->evidence_honest == 0);
}

static void do_action(struct bus *b, uint32_t node, const struct action *a)
{
    struct bus_node *n = &b->nodes[node];
    struct item item = {.kind = ITEM_TIMER};
    switch (a->kind) {
    case ACTION_PERSIST: do_persist(b, node, a); break;
    case ACTION_SEND: do_send(b, node, &a->send); break;
    case ACTION_SET_TIMER:
        item.view = a->set_timer.view;
        item.number = a->set_timer.timer;
        item.order = ++n->timer_generation[a->set_timer.timer];
        store_be64(item.block.b, item.order);
        push_local(b, node, item, a->set_timer.delay_ms);
        break;
    case ACTION_BUILD: do_build(b, node, a); break;
    case ACTION_VERIFY: do_verify(b, node, a); break;
    case ACTION_FETCH_BLOCK: do_fetch_block(b, node, a); break;
    case ACTION_FETCH_CERT:
        item = (struct item){
            .kind = ITEM_CERT_REQUEST, .view = a->fetch_cert.view, .number = n->epoch.number};
        push_remote(b, node, bus_random(b, b->node_count), item);
        break;
    case ACTION_COMMIT: do_commit(b, node, a); break;
    case ACTION_SYNC:
        item.kind = ITEM_SYNC;
        if (!n->sync_queued) push_local(b, node, item, 100);
        n->sync_queued = true;
        break;
    case ACTION_EVIDENCE: do_evidence(b, node, &a->evidence); break;
    }
}

static void bus_step(struct bus *b, uint32_t node, const struct event *event)
{
    b->steps++;
    consensus_step(b->nodes[node].core, event, b->actions);
    for (uint32_t i = 0; i < b->actions->count; i++)
        do_action(b, node, &b->actions->items[i]);
}

/* ---- what arrives ---- */

static void on_message(struct bus *b, const struct item *item)
{
    struct event event = {.from = item->from + 1};
    struct bytes bytes = buffer_bytes(&item->bytes);
    struct bytes body;
    enum status status = E_MALFORMED;
    if (item->kind == ITEM_VOTE) {
        event.kind = EVENT_VOTE;
        status = vote_decode(&event.vote, bytes);
    } else if (item->kind == ITEM_CERTIFICATE) {
        event.kind = EVENT_CERTIFICATE;
        event.certificate = b->certificate;
        status = certificate_decode(b->certificate, bytes);
    } else {
        event.kind = EVENT_PROPOSAL;
        event.proposal.proposal = b->proposal;
        status = proposal_decode(b->proposal, &body, bytes);
        uint32_t index = find_block(b, &b->proposal->vote.block);
        event.proposal.block_held = status == OK && index < b->block_count;
        if (event.proposal.block_held) b->nodes[item->to].held[index] = true;
    }
    BUS_CHECK(b, status == OK);
    bus_step(b, item->to, &event);
}

static void on_cert_request(struct bus *b, const struct item *item)
{
    for (int kind = 0; kind < VOTE_KIND_COUNT; kind++) {
        const struct certificate *cert = consensus_certificate(
            b->nodes[item->to].core, item->number, item->view, (enum vote_kind)kind);
        struct item reply = {.kind = ITEM_CERTIFICATE};
        if (!cert) continue;
        certificate_encode(&reply.bytes, cert);
        push_remote(b, item->to, item->from, reply);
    }
}

/* Copies the committed chain of the best reachable node, as range sync would. */
static void on_sync(struct bus *b, uint32_t node)
{
    struct bus_node *n = &b->nodes[node];
    struct bus_node *best = n;
    n->sync_queued = false;
    for (uint32_t i = 0; i < b->node_count; i++)
        if (b->nodes[i].core && !b->cut[i][node] && b->nodes[i].final.number > best->final.number)
            best = &b->nodes[i];
    if (best == n) return;
    for (uint64_t h = n->final.number + 1; h <= best->final.number; h++)
        n->chain[h] = best->chain[h];
    for (uint32_t i = 0; i < b->block_count; i++)
        if (b->blocks[i].number <= best->final.number &&
            hash_equal(&n->chain[b->blocks[i].number], &b->blocks[i].hash))
            n->held[i] = true;
    n->final = best->final;
    struct event event = {.kind = EVENT_EPOCH, .epoch = &n->epoch};
    if (consensus_epoch(n->core)->number < best->epoch.number) {
        n->epoch = best->epoch;
        bus_step(b, node, &event);
    }
    event = (struct event){.kind = EVENT_SYNCED, .synced = n->final};
    bus_step(b, node, &event);
}

static void on_local(struct bus *b, const struct item *item)
{
    struct bus_node *n = &b->nodes[item->to];
    struct event event = {.kind = EVENT_TIMER};
    uint32_t index;
    switch (item->kind) {
    case ITEM_TIMER:
        if (load_be64(item->block.b) != n->timer_generation[item->number]) return;
        event.timer.timer = (enum timer)item->number;
        event.timer.view = item->view;
        break;
    case ITEM_DURABLE:
        event.kind = EVENT_DURABLE;
        event.durable_sequence = item->number;
        if (n->sequence_base + item->number > n->log_durable)
            n->log_durable = n->sequence_base + item->number;
        break;
    case ITEM_BUILT:
        event.kind = EVENT_BUILT;
        event.built.view = item->view;
        event.built.ok = item->flag;
        event.built.epoch = item->number;
        event.built.block = item->block;
        break;
    case ITEM_VERDICT:
        event.kind = EVENT_VERDICT;
        event.verdict.view = item->view;
        event.verdict.block = item->block;
        event.verdict.valid = item->flag;
        break;
    case ITEM_BLOCK:
        event.kind = EVENT_BLOCK_HELD;
        event.block_held = item->block;
        index = find_block(b, &item->block);
        n->held[index] = true;
        break;
    case ITEM_EPOCH:
        event.kind = EVENT_EPOCH;
        event.epoch = &n->epoch;
        break;
    case ITEM_SYNC: on_sync(b, item->to); return;
    case ITEM_VOTE:
    case ITEM_CERTIFICATE:
    case ITEM_PROPOSAL:
    case ITEM_CERT_REQUEST:
    case ITEM_RESTART: assert(0 && "not local"); return;
    }
    bus_step(b, item->to, &event);
}

static void bus_deliver(struct bus *b, const struct item *item)
{
    struct bus_node *n = &b->nodes[item->to];
    switch (item->kind) {
    case ITEM_VOTE:
    case ITEM_CERTIFICATE:
    case ITEM_PROPOSAL:
        if (n->core) on_message(b, item);
        break;
    case ITEM_CERT_REQUEST:
        if (n->core) on_cert_request(b, item);
        break;
    case ITEM_RESTART:
        if (!n->core) bus_start(b, item->to);
        break;
    case ITEM_TIMER:
    case ITEM_DURABLE:
    case ITEM_BUILT:
    case ITEM_VERDICT:
    case ITEM_BLOCK:
    case ITEM_EPOCH:
    case ITEM_SYNC:
        if (n->core && n->life == item->life) on_local(b, item);
        break;
    }
}

BUS_API void bus_run_until(struct bus *b, uint64_t time_ms)
{
    while (b->heap_count > 0 && b->heap[0].time_ms <= time_ms) {
        struct item item = bus_pop(b);
        b->now_ms = item.time_ms;
        bus_deliver(b, &item);
        buffer_finish(&item.bytes);
    }
    b->now_ms = time_ms;
}

BUS_API uint64_t bus_lowest_final(const struct bus *b)
{
    uint64_t lowest = UINT64_MAX;
    for (uint32_t i = 0; i < b->node_count; i++)
        if (b->nodes[i].core && b->nodes[i].final.number < lowest)
            lowest = b->nodes[i].final.number;
    return lowest;
}

/* False if some live node has not committed `number` within `limit_ms`. */
BUS_API bool bus_run_to_height(struct bus *b, uint64_t number, uint64_t limit_ms)
{
    uint64_t end = b->now_ms + limit_ms;
    while (bus_lowest_final(b) < number && b->now_ms < end)
        bus_run_until(b, b->now_ms + 50);
    return bus_lowest_final(b) >= number;
}

/* ---- life ---- */

BUS_API struct bus *bus_create(uint32_t node_count, uint64_t seed, const struct signer *signer)
{
    struct bus *b = calloc(1, sizeof(*b));
    assert(b && node_count <= BUS_NODES_MAX);
    b->seed = seed;
    b->random = seed * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du;
    b->node_count = node_count;
    b->delay_min_ms = 5;
    b->delay_max_ms = 20;
    b->build_ms = 30;
    b->epoch_blocks = 1000;
    b->timing = (struct timing){.delta_ms = 100, .idle_interval_ms = 50};
    b->signer = signer;
    b->nodes = calloc(node_count, sizeof(*b->nodes));
    b->blocks = calloc(BUS_BLOCKS_MAX, sizeof(*b->blocks));
    b->actions = calloc(1, sizeof(*b->actions));
    b->proposal = calloc(1, sizeof(*b->proposal));
    b->certificate = calloc(1, sizeof(*b->certificate));
    assert(b->nodes && b->blocks && b->actions && b->proposal && b->certificate);
    for (uint32_t i = 0; i < node_count; i++) {
        b->nodes[i].key.secret[31] = (uint8_t)(i + 1);
        bus_addresses[i] = key_address(&b->nodes[i].key);
    }
    return b;
}

/* After the caller has set what it wants otherwise. */
BUS_API void bus_begin(struct bus *b)
{
    struct bus_block genesis = {.number = 0};
    uint32_t index = make_block(b, &genesis, 99);
    for (uint32_t i = 0; i < b->node_count; i++) {
        struct bus_node *n = &b->nodes[i];
        n->epoch = bus_epoch(b, 0, &b->blocks[index].hash, 0);
        n->final = (struct final_point){0, b->blocks[index].hash, 0};
        n->chain[0] = b->blocks[index].hash;
        n->held[index] = true;
    }
    for (uint32_t i = 0; i < b->node_count; i++)
        bus_start(b, i);
}

BUS_API void bus_partition(struct bus *b, uint32_t side_mask, bool cut)
{
    for (uint32_t i = 0; i < b->node_count; i++)
        for (uint32_t j = 0; j < b->node_count; j++)
            if ((side_mask >> i & 1) != (side_mask >> j & 1)) b->cut[i][j] = cut;
}

BUS_API void bus_destroy(struct bus *b)
{
    for (uint32_t i = 0; i < b->node_count; i++) {
        consensus_destroy(b->nodes[i].core);
        log_cut(&b->nodes[i], 0);
        free(b->nodes[i].log);
    }
    for (size_t i = 0; i < b->heap_count; i++)
        buffer_finish(&b->heap[i].bytes);
    free(b->heap);
    free(b->nodes);
    free(b->blocks);
    free(b->actions);
    free(b->proposal);
    free(b->certificate);
    free(b);
}

#endif
