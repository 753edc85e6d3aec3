/* bench_sync - how fast a node catches up, beside how fast its peers made the chain.
 *
 * A chain of BLOCKS blocks with 100 transfers each in epochs of 500 is made (built, committed one
 * by one, on disk), then an empty node catches up with it: real serve and sync, ledgers and stores,
 * messages handed over in memory. Prints the time of both and their ratio. */
#include "node/clock.h"
#include "node/serve.h"
#include "node/sync.h"
#include "tests/node/finality.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#define BLOCKS     2000
#define TRANSFERS  100
#define PEERS      3
#define MESSAGES   4096
#define EPOCH_LONG 500

struct message {
    uint64_t peer;
    bool to_node;
    enum wire_type type;
    struct buffer payload;
};

struct bench {
    struct finality f;
    struct message queue[MESSAGES]; /* a ring */
    size_t first, count;
    struct serve *serve;
    struct store *store;
    struct ledger *ledger;
    struct sync *sync;
    bool turn_due;
};

static void post(struct bench *b, uint64_t peer, bool to_node, enum wire_type type,
                 struct bytes payload)
{
    if (b->count == MESSAGES) fatal("too many messages");
    struct message *m = &b->queue[(b->first + b->count++) % MESSAGES];
    *m = (struct message){peer, to_node, type, {0}};
    buffer_append(&m->payload, payload);
}

static bool ask(void *context, uint64_t peer, enum wire_type type, struct bytes payload)
{
    post(context, peer, false, type, payload);
    return true;
}

static bool answer(void *context, uint64_t peer, enum wire_type type, struct bytes payload)
{
    post(context, peer, true, type, payload);
    return true;
}

static size_t room(void *context, uint64_t peer, enum channel channel)
{
    (void)context;
    (void)peer;
    (void)channel;
    return 12u << 20;
}

static void charge(void *context, uint64_t peer, enum offence offence, const char *reason)
{
    (void)context;
    fatal("peer %d was charged (%d): %s", (int)peer, (int)offence, reason);
}

static void adopt(void *context, const struct hash *chain, size_t count, struct bytes certificate)
{
    struct bench *b = context;
    struct ledger_commit commit = {.chain = chain, .count = count, .certificate = certificate};
    ledger_commit(b->ledger, &commit);
    buffer_finish(&commit.spenders);
}

static void wake(void *context, uint64_t delay_ms)
{
    struct bench *b = context;
    b->turn_due = b->turn_due || delay_ms == 0;
}

static void make_chain(struct bench *b)
{
    finality_make_in(&b->f, "/tmp", EPOCH_LONG);
    for (size_t i = 0; i < BLOCKS; i++)
        finality_extend(&b->f, 1, TRANSFERS);
}

static void open_node(struct bench *b)
{
    struct serve_setup serve = {.ledger = b->f.ledger,
                                .store = b->f.store,
                                .config = &b->f.genesis->config,
                                .context = b,
                                .send = answer,
                                .room = room,
                                .charge = charge};
    struct sync_setup sync = {.config = &b->f.genesis->config,
                              .signer = &SIGNER_SECP256K1,
                              .context = b,
                              .send = ask,
                              .charge = charge,
                              .adopt = adopt,
                              .wake = wake};
    b->store = finality_store(&b->f, "node");
    b->ledger = finality_ledger(&b->f, b->store);
    sync.ledger = b->ledger;
    b->serve = serve_create(&serve);
    b->sync = sync_create(&sync);
}

static void step(struct bench *b)
{
    if (b->turn_due || b->count == 0) {
        b->turn_due = false;
        sync_turn(b->sync, clock_ms());
        return;
    }
    struct message m = b->queue[b->first];
    b->first = (b->first + 1) % MESSAGES;
    b->count--;
    if (m.to_node)
        sync_message(b->sync, m.peer, m.type, buffer_bytes(&m.payload), clock_ms());
    else
        serve_message(b->serve, m.peer, m.type, buffer_bytes(&m.payload), clock_ms());
    buffer_finish(&m.payload);
}

struct times {              /* seconds, since the start of something */
    double wall, cpu, loop; /* of all threads; of the one that executes */
};

static double used_s(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct times times_now(void)
{
    return (struct times){(double)clock_us() / 1e6, used_s(CLOCK_PROCESS_CPUTIME_ID),
                          used_s(CLOCK_THREAD_CPUTIME_ID)};
}

static struct times times_since(struct times start)
{
    struct times now = times_now();
    return (struct times){now.wall - start.wall, now.cpu - start.cpu, now.loop - start.loop};
}

static void print_times(const char *what, struct times t)
{
    double transfers = (double)BLOCKS * TRANSFERS;
    printf("%-10s %d blocks of %d transfers: %.1f s, %.0f blocks/s, %.0f transfers/s; processor: "
           "%.1f s, of which %.1f s on the loop's thread\n",
           what, BLOCKS, TRANSFERS, t.wall, BLOCKS / t.wall, transfers / t.wall, t.cpu, t.loop);
}

int main(void)
{
    struct bench *b = must_alloc(sizeof *b);
    struct times start = times_now();
    make_chain(b);
    print_times("made", times_since(start));
    open_node(b);
    start = times_now();
    for (uint64_t peer = 1; peer <= PEERS; peer++)
        sync_peer_open(b->sync, peer, BLOCKS, clock_ms());
    while (ledger_head(b->ledger)->header.number < BLOCKS)
        step(b);
    print_times("caught up", times_since(start));
    sync_destroy(b->sync);
    serve_destroy(b->serve);
    ledger_close(b->ledger);
    store_close(b->store);
    finality_remove(&b->f);
    free(b);
    return 0;
}
