/* bench_peers - what connections between peers carry over loopback, TLS and frames included.
 *
 * The receiver is a process of its own. Its limits on rates are lifted, the sender keeps its queue
 * full. Prints tab-separated: what, amount, unit. The last row is what open connections that rest
 * cost the listening process in memory. */
#include "base/fatal.h"
#include "net/monotonic.h"
#include "net/peers.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN_MS     3000
#define IDLE_COUNT 250

/* Between the two processes. */
struct shared {
    volatile uint64_t port, opened, messages, bytes, resident_kib;
};

static struct shared *shared;
static uint64_t last_peer;

static void on_open(void *context, const struct peer_info *peer)
{
    (void)context;
    last_peer = peer->peer;
    shared->opened++;
}

static void on_message(void *context, uint64_t peer, enum wire_type type, struct bytes payload)
{
    (void)context;
    (void)peer;
    (void)type;
    shared->messages++;
    shared->bytes += payload.size;
}

static void on_close(void *context, uint64_t peer)
{
    (void)context;
    (void)peer;
}

static void ignore_open(void *context, const struct peer_info *peer)
{
    (void)context;
    last_peer = peer->peer;
}

static struct peers *open_peers(struct event_base *base, struct book *book, bool receives)
{
    static struct identity *identities[IDLE_COUNT + 2];
    static size_t count;
    struct peers_handlers handlers = {
        NULL, receives ? on_open : ignore_open, on_message, on_close, NULL, NULL};
    struct peers_config config = {.listen = receives ? "127.0.0.1:0" : "",
                                  .advertise = "",
                                  .in_max = IDLE_COUNT + 1,
                                  .allow_private = true,
                                  .limits = {.rate_bytes = 1ull << 34, .rate_messages = 1 << 30}};
    char error[PEERS_ERROR_SIZE];
    struct peers *p = NULL;
    identities[count] = identity_create();
    if (peers_open(&p, error, base, identities[count++], book, &config, &handlers) != OK)
        fatal("%s", error);
    peers_start(p);
    return p;
}

static uint64_t resident_kib(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL || fscanf(f, "%*u %lu", &pages) != 1) fatal("reading /proc/self/statm");
    fclose(f);
    return pages * 4;
}

static void turn(struct event_base *base)
{
    struct timeval ms = {0, 1000};
    event_base_loopexit(base, &ms);
    event_base_dispatch(base);
}

static void receive_for_ever(void)
{
    uint8_t seed[32] = {1};
    struct event_base *base = event_base_new();
    struct peers *p = open_peers(base, book_create(seed), true);
    shared->port = peers_port(p);
    for (;;) {
        turn(base);
        shared->resident_kib = resident_kib();
    }
}

static void dial(struct peers *p)
{
    struct net_address to = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1},
                             (uint16_t)shared->port};
    peers_add(p, &(struct wire_peer){.address = to});
}

static void time_sending(struct event_base *base, struct peers *p, enum wire_type type, size_t size)
{
    uint8_t *payload = must_alloc(size);
    struct parcel *parcel = parcel_create(type, bytes_of(payload, size));
    uint64_t messages = shared->messages;
    uint64_t begun = monotonic_ms();
    while (monotonic_ms() - begun < RUN_MS) {
        while (peers_room(p, last_peer, wire_row((uint8_t)type)->channel) > 2 * size + 1000)
            (void)peers_send(p, last_peer, parcel);
        event_base_loop(base, EVLOOP_ONCE);
    }
    double seconds = (double)(monotonic_ms() - begun) / 1000;
    double count = (double)(shared->messages - messages);
    printf("%s of %zu bytes\t%.0f\tmessages/s\n", wire_row((uint8_t)type)->name, size,
           count / seconds);
    printf("%s of %zu bytes\t%.1f\tMB/s\n", wire_row((uint8_t)type)->name, size,
           count * (double)size / seconds / 1e6);
    parcel_release(parcel);
    free(payload);
    while (peers_room(p, last_peer, CHANNEL_BLOCKS) < PEER_SEND_BYTES_MAX - 1000)
        event_base_loop(base, EVLOOP_ONCE);
}

/* Each from a node of its own: between two nodes there is one connection. */
static void weigh_idle(struct event_base *base)
{
    uint8_t seed[32] = {2};
    uint64_t before_kib = shared->resident_kib;
    uint64_t before = shared->opened;
    for (size_t i = 0; i < IDLE_COUNT; i++) {
        dial(open_peers(base, book_create(seed), false));
        while (shared->opened < before + i + 1)
            turn(base);
    }
    usleep(500000); /* the receiver counts again */
    printf("memory of an idle connection\t%.1f\tKiB\n",
           (double)(shared->resident_kib - before_kib) / IDLE_COUNT);
}

int main(void)
{
    uint8_t seed[32] = {3};
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t receiver = fork();
    if (receiver == 0) receive_for_ever();
    while (shared->port == 0)
        usleep(1000);
    struct event_base *base = event_base_new();
    struct peers *p = open_peers(base, book_create(seed), false);
    dial(p);
    while (last_peer == 0)
        event_base_loop(base, EVLOOP_ONCE);
    time_sending(base, p, WIRE_VOTE, 124);
    time_sending(base, p, WIRE_BLOCK, 1 << 20);
    weigh_idle(base);
    kill(receiver, SIGKILL);
    waitpid(receiver, NULL, 0);
    return 0;
}
