/* A node that catches up with three peers, and the input says what happens: each request is
 * answered as by an honest peer, with bytes changed, with bytes of the input, or not; time passes;
 * peers come and go. Nothing but the honest chain may ever be adopted, and a peer that only gave
 * honest answers is never charged. */
#include "node/serve.h"
#include "node/sync.h"
#include "tests/node/finality.h"

#include <stdlib.h>

#define PEERS        3
#define BLOCKS       9
#define REQUESTS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct request {
    uint64_t peer;
    enum wire_type type;
    struct buffer payload;
};

static struct {
    struct finality f;
    struct serve *serve;
    struct store *store;
    struct ledger *ledger;
    struct sync *sync;
    struct request requests[REQUESTS_MAX];
    size_t request_count;
    bool lied[PEERS + 1];
    uint64_t now_ms;
    bool moved;
    /* The input, and how an honest answer is to be changed. */
    struct bytes rest;
    size_t changes;
} world;

static uint8_t next_byte(void)
{
    if (world.rest.size == 0) return 0;
    uint8_t byte = world.rest.data[0];
    world.rest = bytes_slice(world.rest, 1, world.rest.size - 1);
    return byte;
}

static bool ask(void *context, uint64_t peer, enum wire_type type, struct bytes payload)
{
    (void)context;
    if (world.request_count == REQUESTS_MAX) return false;
    struct request *r = &world.requests[world.request_count++];
    *r = (struct request){peer, type, {0}};
    buffer_append(&r->payload, payload);
    return true;
}

static bool answer(void *context, uint64_t peer, enum wire_type type, struct bytes payload)
{
    struct buffer changed = {0};
    (void)context;
    buffer_append(&changed, payload);
    for (size_t i = 0; i < world.changes && changed.size > 0; i++) {
        size_t at = (size_t)(next_byte() << 8 | next_byte()) % changed.size;
        changed.data[at] ^= next_byte();
    }
    sync_message(world.sync, peer, type, buffer_bytes(&changed), world.now_ms);
    buffer_finish(&changed);
    return true;
}

static size_t room(void *context, uint64_t peer, enum channel channel)
{
    (void)context;
    (void)peer;
    (void)channel;
    return 1u << 22;
}

static void charge_server(void *context, uint64_t peer, enum offence offence, const char *reason)
{
    (void)context;
    (void)peer;
    (void)offence;
    (void)reason;
    abort(); /* sync asked for what does not decode */
}

static void charge(void *context, uint64_t peer, enum offence offence, const char *reason)
{
    (void)context;
    (void)offence;
    (void)reason;
    if (!world.lied[peer]) abort();
}

static void adopt(void *context, const struct hash *chain, size_t count, struct bytes certificate)
{
    struct store_snapshot *view = store_snapshot_create(world.f.store);
    uint64_t number = ledger_head(world.ledger)->header.number;
    struct hash honest;
    (void)context;
    for (size_t i = 0; i < count; i++)
        if (!store_hash_of_number(view, number + i + 1, &honest) || !hash_equal(&honest, &chain[i]))
            abort();
    store_snapshot_destroy(view);
    struct ledger_commit commit = {.chain = chain, .count = count, .certificate = certificate};
    ledger_commit(world.ledger, &commit);
    buffer_finish(&commit.spenders);
    world.moved = true;
}

static void wake(void *context, uint64_t delay_ms)
{
    (void)context;
    (void)delay_ms;
}

static void open_node(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", finality_path(&world.f, "node"));
    if (system(command) != 0) abort();
    world.store = finality_store(&world.f, "node");
    world.ledger = finality_ledger(&world.f, world.store);
    world.moved = false;
}

static void close_node(void)
{
    ledger_close(world.ledger);
    store_close(world.store);
}

static void forget(void)
{
    close_node();
    serve_destroy(world.serve);
    finality_remove(&world.f);
}

static void make_world(void)
{
    finality_make(&world.f, 4);
    finality_extend(&world.f, BLOCKS, 1);
    struct serve_setup serve = {.ledger = world.f.ledger,
                                .store = world.f.store,
                                .config = &world.f.genesis->config,
                                .send = answer,
                                .room = room,
                                .charge = charge_server};
    world.serve = serve_create(&serve);
    open_node();
    atexit(forget);
}

static void begin(const uint8_t *data, size_t size)
{
    struct sync_setup setup = {.ledger = world.ledger,
                               .config = &world.f.genesis->config,
                               .signer = &SIGNER_SECP256K1,
                               .send = ask,
                               .charge = charge,
                               .adopt = adopt,
                               .wake = wake};
    world.rest = bytes_of(data, size);
    world.now_ms = 100000;
    memset(world.lied, 0, sizeof world.lied);
    world.sync = sync_create(&setup);
    for (uint64_t peer = 1; peer <= PEERS; peer++)
        sync_peer_open(world.sync, peer, peer == 1 ? UINT64_MAX : BLOCKS, world.now_ms);
}

/* One of the first four requests, taken out: answers may overtake each other between peers. */
static bool take_request(struct request *out)
{
    if (world.request_count == 0) return false;
    size_t at = next_byte() % (world.request_count < 4 ? world.request_count : 4);
    *out = world.requests[at];
    world.request_count--;
    memmove(&world.requests[at], &world.requests[at + 1],
            (world.request_count - at) * sizeof *world.requests);
    return true;
}

static void answer_one(size_t changes)
{
    struct request r;
    if (!take_request(&r)) return;
    world.changes = changes;
    if (changes > 0) world.lied[r.peer] = true;
    serve_message(world.serve, r.peer, r.type, buffer_bytes(&r.payload), world.now_ms);
    buffer_finish(&r.payload);
}

static void drop_one(void)
{
    struct request r;
    if (take_request(&r)) buffer_finish(&r.payload);
}

static void send_input(void)
{
    static const enum wire_type types[] = {WIRE_FINAL, WIRE_EPOCH, WIRE_HEADERS, WIRE_BODY};
    uint64_t peer = 1 + next_byte() % PEERS;
    enum wire_type type = types[next_byte() % 4];
    size_t size = (size_t)next_byte() * 8;
    if (size > world.rest.size) size = world.rest.size;
    world.lied[peer] = true;
    sync_message(world.sync, peer, type, bytes_slice(world.rest, 0, size), world.now_ms);
    world.rest = bytes_slice(world.rest, size, world.rest.size - size);
}

static void reopen_peer(void)
{
    uint64_t peer = 1 + next_byte() % PEERS;
    sync_peer_closed(world.sync, peer, world.now_ms);
    for (size_t i = 0; i < world.request_count; i++)
        if (world.requests[i].peer == peer) world.lied[peer] = true; /* answers out of the past */
    sync_peer_open(world.sync, peer, next_byte(), world.now_ms);
}

static void happen(uint8_t what)
{
    switch (what % 8) {
    case 0:
    case 1: answer_one(0); break;
    case 2: answer_one(1 + next_byte() % 4); break;
    case 3: send_input(); break;
    case 4: drop_one(); break;
    case 5: world.now_ms += (uint64_t)next_byte() * 100; break;
    case 6: reopen_peer(); break;
    case 7: sync_want(world.sync, NULL, 1 + next_byte() % PEERS, world.now_ms); break;
    }
    sync_turn(world.sync, world.now_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (world.serve == NULL) make_world();
    begin(data, size);
    while (world.rest.size > 0)
        happen(next_byte());
    sync_destroy(world.sync);
    for (size_t i = 0; i < world.request_count; i++)
        buffer_finish(&world.requests[i].payload);
    world.request_count = 0;
    for (uint64_t peer = 1; peer <= PEERS; peer++)
        serve_peer_closed(world.serve, peer);
    if (!world.moved) return 0;
    close_node();
    open_node();
    return 0;
}
