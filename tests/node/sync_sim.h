/* sync_sim.h - for tests: one node that catches up, and peers that serve it, lie to it or are
 * silent, joined in memory by a queue with seeded loss and delay. Real ledgers, stores, serve and
 * sync; virtual time. */
#ifndef LEASEHOLD_TESTS_NODE_SYNC_SIM_H
#define LEASEHOLD_TESTS_NODE_SYNC_SIM_H

#include "node/serve.h"
#include "node/sync.h"
#include "tests/node/finality.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SIM_PEERS_MAX 12
#define SIM_QUEUE_MAX 65536
#define SIM_FAST_MS   20

/* The chain of the tests, and where copies of it were made. */
#define SIM_EPOCH_BLOCKS 6
#define SIM_TINY         4  /* less than an epoch */
#define SIM_EVEN         18 /* an epoch's end */
#define SIM_SHORT        21
#define SIM_WHOLE        40

enum manner {
    HONEST,
    SLOW,       /* honest, each message takes seconds */
    BEHIND,     /* honest, with a shorter chain */
    SILENT,     /* never answers */
    LACKING,    /* claims everything, has nothing */
    HALF,       /* answers every second request only */
    FORGER,     /* certificates with a signature changed */
    MINORITY,   /* certificates below the quorum */
    OTHER_SET,  /* another set than the header's */
    OLD_SET,    /* certificates signed by others than the epoch's */
    UNLINKED,   /* headers with one replaced */
    SHIFTED,    /* headers of another place in the chain */
    OTHER_BODY, /* another block than was asked for */
    OTHER_TXS,  /* the right header over other transactions */
    GARBAGE,    /* bytes that do not decode */
    CHATTY,     /* answers that nobody asked for */
    DRIPPING,   /* leaves out the first block of each request */
    MANNERS
};

static inline bool manner_is_honest(enum manner m)
{
    return m <= BEHIND;
}

struct sim_message {
    uint64_t at_ms;
    uint64_t serial;
    uint64_t peer;
    bool to_node;
    enum wire_type type;
    struct buffer payload;
};

struct sim_peer {
    uint64_t id;
    enum manner manner;
    size_t source;
    uint64_t last_ms[2]; /* what was sent each way arrives in order */
    uint64_t requests;   /* of it */
    uint64_t charges;    /* against it */
    uint64_t bodies;     /* it was asked for */
    bool gone;
};

struct sim_source { /* a chain to serve from */
    struct store *store;
    struct ledger *ledger;
};

struct sim {
    const struct finality *f;
    uint64_t random;
    uint64_t now_ms;
    uint64_t serial;
    uint32_t loss;     /* of 1000 messages */
    uint32_t delay_ms; /* up to */
    struct sim_message *queue;
    size_t queue_count;
    struct sim_source sources[2]; /* the whole chain, a shorter one */
    struct serve *serves[2];
    struct sim_peer peers[SIM_PEERS_MAX];
    size_t peer_count;
    /* The node. */
    const char *name;
    struct store *store;
    struct ledger *ledger;
    struct sync *sync;
    uint64_t wake_at_ms;
    uint64_t adopted, adoptions, turns;
};

/* What a failure prints, so that it can be replayed. */
static uint64_t sim_running_seed;

static inline uint64_t sim_random(struct sim *sim, uint64_t below)
{
    sim->random = sim->random * 6364136223846793005u + 1442695040888963407u;
    return (sim->random >> 33) % below;
}

static inline struct sim_peer *sim_peer_of(struct sim *sim, uint64_t id)
{
    for (size_t i = 0; i < sim->peer_count; i++)
        if (sim->peers[i].id == id) return &sim->peers[i];
    return NULL;
}

/* ---- the chain ---- */

static inline struct sim_source sim_source_open(const struct finality *f, const char *name)
{
    struct store *store = finality_store(f, name);
    return (struct sim_source){store, finality_ledger(f, store)};
}

static inline void sim_source_close(const struct sim_source *source)
{
    ledger_close(source->ledger);
    store_close(source->store);
}

/* Stores "tiny", "even", "short"; f itself holds the whole. */
static inline void sim_make_chain(struct finality *f)
{
    const struct {
        const char *name;
        uint64_t number;
    } cuts[] = {{"tiny", SIM_TINY}, {"even", SIM_EVEN}, {"short", SIM_SHORT}};
    finality_make(f, SIM_EPOCH_BLOCKS);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        finality_extend(f, cuts[i].number - ledger_head(f->ledger)->header.number, 2);
        finality_close(f);
        finality_copy(f, "source", cuts[i].name);
        finality_open(f);
    }
    finality_extend(f, SIM_WHOLE - SIM_SHORT, 2);
}

/* ---- the wire ---- */

static inline void sim_post(struct sim *sim, struct sim_peer *p, bool to_node, enum wire_type type,
                            struct bytes payload)
{
    if (sim_random(sim, 1000) < sim->loss) return;
    uint64_t delay_ms = 1 + sim_random(sim, sim->delay_ms);
    if (p->manner == SLOW) delay_ms += 1000 + sim_random(sim, 2000);
    uint64_t at_ms = sim->now_ms + delay_ms;
    if (at_ms < p->last_ms[to_node]) at_ms = p->last_ms[to_node];
    p->last_ms[to_node] = at_ms;
    if (sim->queue_count == SIM_QUEUE_MAX) fail_msg("the queue grows without end");
    struct sim_message *m = &sim->queue[sim->queue_count++];
    *m = (struct sim_message){at_ms, sim->serial++, p->id, to_node, type, {0}};
    buffer_append(&m->payload, payload);
}

static inline size_t sim_first(const struct sim *sim)
{
    size_t first = 0;
    for (size_t i = 1; i < sim->queue_count; i++) {
        const struct sim_message *a = &sim->queue[i], *b = &sim->queue[first];
        if (a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->serial < b->serial)) first = i;
    }
    return first;
}

static inline bool sim_node_send(void *context, uint64_t peer, enum wire_type type,
                                 struct bytes payload)
{
    struct sim *sim = context;
    struct sim_peer *p = sim_peer_of(sim, peer);
    if (p == NULL || p->gone) return false;
    assert_non_null(wire_row((uint8_t)type));
    assert_true(payload.size <= wire_row((uint8_t)type)->size_max);
    sim_post(sim, p, false, type, payload);
    return true;
}

static inline void sim_node_charge(void *context, uint64_t peer, enum offence offence,
                                   const char *reason)
{
    struct sim *sim = context;
    struct sim_peer *p = sim_peer_of(sim, peer);
    assert(p != NULL);
    p->charges++;
    if (manner_is_honest(p->manner))
        fail_msg("SYNC_SEED=%llu: an honest peer (manner %d) was charged: %s (%d)",
                 (unsigned long long)sim_running_seed, (int)p->manner, reason, (int)offence);
}

static inline void sim_node_wake(void *context, uint64_t delay_ms)
{
    struct sim *sim = context;
    sim->wake_at_ms = sim->now_ms + delay_ms;
}

/* Each block takes so long that a turn is over after a few. */
static inline uint64_t sim_clock(void)
{
    static uint64_t ms;
    return ms += SYNC_TURN_MS / 4;
}

/* ---- liars ---- */

struct sim_answer {
    enum wire_type type;
    struct buffer bytes;
};

static inline void sim_change_certificate(struct sim *sim, struct sim_peer *p, struct buffer *bytes)
{
    size_t at = bytes->size; /* the certificate stands at the end: find its head by its size */
    struct certificate c;
    for (at = 0; at < bytes->size; at++)
        if (certificate_decode(&c, bytes_slice(buffer_bytes(bytes), at, bytes->size - at)) == OK &&
            c.kind == VOTE_FINALIZE && c.signature_count > 0)
            break;
    if (at == bytes->size) return;
    if (p->manner == FORGER) {
        c.signatures[sim_random(sim, c.signature_count)][5] ^= 1;
    } else if (p->manner == MINORITY) {
        uint32_t last = 0;
        for (uint32_t i = 0; i < VALIDATORS_MAX; i++)
            if (certificate_has_signer(&c, i)) last = i;
        c.signers[last / 8] = (uint8_t)(c.signers[last / 8] & ~(1u << last % 8));
        c.signature_count--;
    } else { /* OLD_SET: strangers sign what is asked for */
        for (uint32_t i = 0; i < c.signature_count; i++) {
            struct vote v = certificate_vote(&c, i);
            struct hash digest = vote_digest(FINALITY_CHAIN_ID, &v);
            struct key stranger = network_key((uint8_t)(100 + i));
            struct signature s = key_sign(&stranger, &digest);
            memcpy(c.signatures[i], s.b, 64);
            c.signatures[i][32] = (uint8_t)(c.signatures[i][32] | s.b[64] << 7);
        }
    }
    bytes->size = at;
    certificate_encode(bytes, &c);
}

static inline void sim_change_set(struct sim *sim, struct buffer *bytes)
{
    struct wire_epoch *e = must_alloc(sizeof *e);
    struct buffer changed = {0};
    if (wire_epoch_decode(e, buffer_bytes(bytes)) == OK && e->validator_count > 0) {
        e->validators[sim_random(sim, e->validator_count)].weight++;
        wire_epoch_encode(&changed, e);
        buffer_clear(bytes);
        buffer_append(bytes, buffer_bytes(&changed));
    }
    buffer_finish(&changed);
    free(e);
}

static inline void sim_change_headers(struct sim *sim, struct sim_peer *p, struct buffer *bytes)
{
    struct wire_headers h;
    struct buffer changed = {0}, one = {0};
    if (wire_headers_decode(&h, buffer_bytes(bytes)) != OK || h.count == 0) return;
    uint16_t count = h.count;
    uint64_t first = h.first, victim = sim_random(sim, count);
    wire_headers_begin(&changed, first);
    for (uint16_t i = 0; i < count; i++) {
        struct header header;
        struct bytes bytes_of_one = wire_header_next(&h);
        if (header_decode(&header, bytes_of_one) != OK) fail_msg("a header does not decode");
        if (p->manner == SHIFTED && i + 1 == count) header.gas_used++; /* linked, of no chain */
        if (p->manner == UNLINKED && i == victim) header.timestamp_s++;
        buffer_clear(&one);
        header_encode(&one, &header);
        wire_headers_add(&changed, 0, buffer_bytes(&one));
    }
    buffer_clear(bytes);
    buffer_append(bytes, buffer_bytes(&changed));
    buffer_finish(&changed);
    buffer_finish(&one);
}

static inline void sim_change_body(struct sim_peer *p, struct buffer *bytes)
{
    struct wire_block w;
    struct block block;
    struct arena arena = {0};
    struct buffer changed = {0};
    if (wire_block_decode(&w, buffer_bytes(bytes)) == OK && w.block.size > 0 &&
        block_decode(&block, &arena, w.block) == OK) {
        struct hash hash = w.hash;
        if (p->manner == OTHER_BODY) block.header.gas_used++;
        if (p->manner == OTHER_TXS) {
            static const uint8_t wire[] = {0x02, 0xc0};
            static const struct bytes other[] = {{wire, sizeof wire}};
            block.txs = block.tx_count > 0 ? block.txs + 1 : other;
            block.tx_count = block.tx_count > 0 ? block.tx_count - 1 : 1;
        }
        block_encode(&changed, &block);
        struct wire_block lie = {hash, buffer_bytes(&changed)};
        struct buffer encoded = {0};
        wire_block_encode(&encoded, &lie);
        buffer_clear(bytes);
        buffer_append(bytes, buffer_bytes(&encoded));
        buffer_finish(&encoded);
    }
    arena_finish(&arena);
    buffer_finish(&changed);
}

static inline void sim_empty_answer(struct sim_answer *a)
{
    size_t head = a->type == WIRE_BODY ? 32 : a->type == WIRE_FINAL ? 0 : 10;
    if (a->bytes.size < head) return;
    a->bytes.size = head;
    if (head == 10) a->bytes.data[8] = a->bytes.data[9] = 0;
}

/* What the peer makes of the answer that an honest one would give. */
static inline void sim_lie(struct sim *sim, struct sim_peer *p, struct sim_answer *a)
{
    bool certified = a->type == WIRE_FINAL || a->type == WIRE_EPOCH;
    switch (p->manner) {
    case HONEST:
    case SLOW:
    case BEHIND:
    case SILENT:
    case HALF:
    case CHATTY:
    case DRIPPING:
    case MANNERS: break;
    case LACKING:
        if (a->type != WIRE_FINAL) sim_empty_answer(a);
        break;
    case FORGER:
    case MINORITY:
    case OLD_SET:
        if (certified) sim_change_certificate(sim, p, &a->bytes);
        break;
    case OTHER_SET:
        if (a->type == WIRE_EPOCH) sim_change_set(sim, &a->bytes);
        break;
    case UNLINKED:
    case SHIFTED:
        if (a->type == WIRE_HEADERS) sim_change_headers(sim, p, &a->bytes);
        break;
    case OTHER_BODY:
    case OTHER_TXS:
        if (a->type == WIRE_BODY) sim_change_body(p, &a->bytes);
        break;
    case GARBAGE:
        for (size_t i = 0; i < a->bytes.size; i++)
            a->bytes.data[i] = (uint8_t)sim_random(sim, 256);
        if (a->bytes.size == 0) buffer_append_byte(&a->bytes, 7);
        break;
    }
}

static inline bool sim_peer_send(void *context, uint64_t peer, enum wire_type type,
                                 struct bytes payload)
{
    struct sim *sim = context;
    struct sim_peer *p = sim_peer_of(sim, peer);
    struct sim_answer a = {type, {0}};
    assert(p != NULL);
    assert_true(payload.size <= wire_row((uint8_t)type)->size_max);
    if (p->manner == DRIPPING && type == WIRE_BODY && p->bodies++ == 0) return true;
    buffer_append(&a.bytes, payload);
    sim_lie(sim, p, &a);
    sim_post(sim, p, true, a.type, buffer_bytes(&a.bytes));
    for (int i = 0; p->manner == CHATTY && i < 3; i++)
        sim_post(sim, p, true, a.type, buffer_bytes(&a.bytes));
    buffer_finish(&a.bytes);
    return true;
}

static inline size_t sim_peer_room(void *context, uint64_t peer, enum channel channel)
{
    (void)context;
    (void)peer;
    (void)channel;
    return 12u << 20;
}

static inline void sim_peer_charge(void *context, uint64_t peer, enum offence offence,
                                   const char *reason)
{
    (void)context;
    (void)peer;
    (void)offence;
    fail_msg("the node was charged: %s", reason);
}

static inline void sim_ask_peer(struct sim *sim, struct sim_peer *p, const struct sim_message *m)
{
    p->requests++;
    p->bodies = 0;
    if (p->manner == SILENT || (p->manner == HALF && p->requests % 2 == 0)) return;
    serve_message(sim->serves[p->source], p->id, m->type, buffer_bytes(&m->payload), sim->now_ms);
}

/* ---- the node ---- */

static inline struct hash sim_hash(const struct sim *sim, uint64_t number)
{
    struct hash hash;
    struct store_snapshot *view = store_snapshot_create(sim->sources[0].store);
    if (!store_hash_of_number(view, number, &hash)) fail_msg("above the honest chain");
    store_snapshot_destroy(view);
    return hash;
}

/* As the driver will; and everything that is committed must be of the honest chain. */
static inline void sim_adopt(void *context, const struct hash *chain, size_t count,
                             struct bytes certificate)
{
    struct sim *sim = context;
    uint64_t number = ledger_head(sim->ledger)->header.number;
    struct epoch epoch = ledger_head(sim->ledger)->record->epoch;
    struct certificate c;
    assert_in_range(count, 1, SYNC_BATCH_BLOCKS);
    for (size_t i = 0; i < count; i++) {
        struct hash honest = sim_hash(sim, number + i + 1);
        if (!hash_equal(&honest, &chain[i]))
            fail_msg("SYNC_SEED=%llu: block %llu is another", (unsigned long long)sim_running_seed,
                     (unsigned long long)(number + i + 1));
    }
    assert_true(number + count <= epoch.last_number);
    if (number + count == epoch.last_number) assert_true(certificate.size > 0);
    if (certificate.size > 0) {
        assert_int_equal(certificate_decode(&c, certificate), OK);
        assert_int_equal(certificate_verify(&c, &epoch, &SIGNER_SECP256K1), OK);
        assert_memory_equal(c.block.b, chain[count - 1].b, 32);
    }
    struct ledger_commit commit = {.chain = chain, .count = count, .certificate = certificate};
    ledger_commit(sim->ledger, &commit);
    buffer_finish(&commit.spenders);
    sim->adopted += count;
    sim->adoptions++;
    if (sim_random(sim, 4) == 0) sync_want(sim->sync, NULL, 0, sim->now_ms);
}

static inline void sim_open_node(struct sim *sim)
{
    sim->store = finality_store(sim->f, sim->name);
    sim->ledger = finality_ledger(sim->f, sim->store);
    struct sync_setup setup = {.ledger = sim->ledger,
                               .config = &sim->f->genesis->config,
                               .signer = &SIGNER_SECP256K1,
                               .context = sim,
                               .send = sim_node_send,
                               .charge = sim_node_charge,
                               .adopt = sim_adopt,
                               .wake = sim_node_wake,
                               .clock_ms = sim_clock};
    sim->sync = sync_create(&setup);
}

static inline void sim_close_node(struct sim *sim)
{
    sync_destroy(sim->sync);
    ledger_close(sim->ledger);
    store_close(sim->store);
}

/* `sources`: opened stores and ledgers of the chain. The node starts from nothing, or from a copy
 * of the store `from`. */
static inline struct sim *sim_create(const struct finality *f, const struct sim_source sources[2],
                                     const char *from, uint64_t seed)
{
    struct sim *sim = must_alloc(sizeof *sim);
    char command[200];
    sim->f = f;
    sim->random = seed * 0x9e3779b97f4a7c15u + 1;
    sim->now_ms = 1000000;
    sim->delay_ms = SIM_FAST_MS;
    sim->queue = must_alloc(SIM_QUEUE_MAX * sizeof *sim->queue);
    sim->name = "node";
    sim->wake_at_ms = sim->now_ms;
    snprintf(command, sizeof command, "rm -rf %s", finality_path(f, sim->name));
    if (from != NULL) finality_copy(f, from, sim->name);
    if (from == NULL && system(command) != 0) fatal("removing");
    for (size_t i = 0; i < 2; i++) {
        struct serve_setup setup = {.ledger = sources[i].ledger,
                                    .store = sources[i].store,
                                    .config = &f->genesis->config,
                                    .context = sim,
                                    .send = sim_peer_send,
                                    .room = sim_peer_room,
                                    .charge = sim_peer_charge};
        sim->sources[i] = sources[i];
        sim->serves[i] = serve_create(&setup);
    }
    sim_open_node(sim);
    return sim;
}

static inline void sim_clear_queue(struct sim *sim)
{
    for (size_t i = 0; i < sim->queue_count; i++)
        buffer_finish(&sim->queue[i].payload);
    sim->queue_count = 0;
}

static inline void sim_destroy(struct sim *sim)
{
    sim_close_node(sim);
    sim_clear_queue(sim);
    serve_destroy(sim->serves[0]);
    serve_destroy(sim->serves[1]);
    free(sim->queue);
    free(sim);
}

static inline struct sim_peer *sim_add(struct sim *sim, enum manner manner)
{
    struct sim_peer *p = &sim->peers[sim->peer_count++];
    uint64_t head = ledger_head(sim->sources[manner == BEHIND].ledger)->header.number;
    uint64_t claim = manner_is_honest(manner) ? head : sim_random(sim, 2) ? UINT64_MAX : head;
    *p = (struct sim_peer){.id = 100 + sim->serial++, .manner = manner, .source = manner == BEHIND};
    sync_peer_open(sim->sync, p->id, claim, sim->now_ms);
    return p;
}

static inline void sim_close_peer(struct sim *sim, struct sim_peer *p)
{
    p->gone = true;
    sync_peer_closed(sim->sync, p->id, sim->now_ms);
}

/* kill -9: what was under way is lost; the same peers are found again. */
static inline void sim_kill(struct sim *sim)
{
    size_t count = sim->peer_count;
    sim_close_node(sim);
    sim_clear_queue(sim);
    sim_open_node(sim);
    sim->wake_at_ms = sim->now_ms;
    sim->peer_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct sim_peer old = sim->peers[i];
        struct sim_peer *p = sim_add(sim, old.manner);
        p->charges = old.charges;
    }
}

static inline void sim_deliver(struct sim *sim, size_t index)
{
    struct sim_message m = sim->queue[index];
    struct sim_peer *p = sim_peer_of(sim, m.peer);
    sim->queue[index] = sim->queue[--sim->queue_count];
    if (m.at_ms > sim->now_ms) sim->now_ms = m.at_ms;
    bool alive = p != NULL && !p->gone;
    if (alive && m.to_node)
        sync_message(sim->sync, m.peer, m.type, buffer_bytes(&m.payload), sim->now_ms);
    if (alive && !m.to_node) sim_ask_peer(sim, p, &m);
    buffer_finish(&m.payload);
}

/* The next thing that happens. */
static inline void sim_step(struct sim *sim)
{
    size_t first = sim_first(sim);
    bool message = sim->queue_count > 0 && sim->queue[first].at_ms <= sim->wake_at_ms;
    if (message) {
        sim_deliver(sim, first);
        return;
    }
    assert_true(sim->wake_at_ms != UINT64_MAX); /* it never sleeps for ever */
    if (sim->wake_at_ms > sim->now_ms) sim->now_ms = sim->wake_at_ms;
    sim->wake_at_ms = UINT64_MAX;
    sim->turns++;
    sync_turn(sim->sync, sim->now_ms);
}

static inline uint64_t sim_head(const struct sim *sim)
{
    return ledger_head(sim->ledger)->header.number;
}

/* What is asked of the node and answered by it, as by a peer, without a wire. */
static inline uint64_t sim_requests(const struct sim *sim)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < sim->peer_count; i++)
        sum += sim->peers[i].requests;
    return sum;
}

static inline void sim_wait(struct sim *sim, uint64_t ms)
{
    uint64_t end_ms = sim->now_ms + ms;
    while (sim->now_ms < end_ms)
        sim_step(sim);
}

/* Until the node's head is there; false: not within so long. */
static inline bool sim_run(struct sim *sim, uint64_t number, uint64_t ms)
{
    uint64_t end_ms = sim->now_ms + ms;
    while (sim_head(sim) < number && sim->now_ms < end_ms)
        sim_step(sim);
    return sim_head(sim) >= number;
}

#endif
