/* peers_fixture.h - whole nodes of the peers' floor on loopback, all in one loop, and a hostile
 * client that says what it likes over real TCP and TLS. Time is real: waits end when what they
 * wait for is there. */
#ifndef LEASEHOLD_TESTS_NET_PEERS_FIXTURE_H
#define LEASEHOLD_TESTS_NET_PEERS_FIXTURE_H

#include "net/monotonic.h"
#include "net/peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* after setjmp.h and stdarg.h, which it needs */
#include <cmocka.h>

#define CHAIN_ID    4711
#define HEARD_MAX   64
#define WAIT_MAX_MS 10000

struct heard {
    enum wire_type type;
    size_t size;
    uint8_t first; /* byte of the payload */
};

struct node {
    struct peers *peers;
    struct identity *identity;
    struct book *book;
    struct key key; /* the validator's */
    size_t opened, closed, messages;
    size_t by_type[256];
    uint64_t bytes;
    struct peer_info last; /* that opened */
    struct heard heard[HEARD_MAX];
    struct address set[8]; /* the validators */
    size_t set_count;
    bool echo;
};

static struct event_base *loop;

static void node_on_open(void *context, const struct peer_info *peer)
{
    struct node *n = context;
    n->opened++;
    n->last = *peer;
}

static void node_on_close(void *context, uint64_t peer)
{
    struct node *n = context;
    (void)peer;
    n->closed++;
    assert_true(n->closed <= n->opened);
}

static void node_on_message(void *context, uint64_t peer, enum wire_type type, struct bytes payload)
{
    struct node *n = context;
    if (n->messages < HEARD_MAX)
        n->heard[n->messages] =
            (struct heard){type, payload.size, payload.size > 0 ? payload.data[0] : 0};
    n->messages++;
    n->by_type[type]++;
    n->bytes += payload.size;
    if (n->echo) (void)peers_send_bytes(n->peers, peer, type, payload);
}

static bool node_in_set(void *context, const struct address *validator)
{
    struct node *n = context;
    for (size_t i = 0; i < n->set_count; i++)
        if (address_equal(&n->set[i], validator)) return true;
    return false;
}

static void node_head(void *context, uint64_t *epoch, uint64_t *number)
{
    (void)context;
    *epoch = 7;
    *number = 70;
}

static const struct hash GENESIS = {{1, 2, 3}};

static struct peers_config plain_config(void)
{
    return (struct peers_config){.listen = "127.0.0.1:0",
                                 .advertise = "",
                                 .chain_id = CHAIN_ID,
                                 .genesis = GENESIS,
                                 .allow_private = true};
}

/* The config's own key is used, if it has one. */
static void node_open(struct node *n, struct peers_config config)
{
    struct peers_handlers handlers = {n,           node_on_open, node_on_message, node_on_close,
                                      node_in_set, node_head};
    char error[PEERS_ERROR_SIZE] = "";
    uint8_t seed[32];
    random_bytes(seed, sizeof seed);
    n->identity = identity_create();
    n->book = book_create(seed);
    if (peers_open(&n->peers, error, loop, n->identity, n->book, &config, &handlers) != OK)
        fail_msg("%s", error);
    peers_start(n->peers);
}

static void node_close(struct node *n)
{
    peers_close(n->peers);
    book_destroy(n->book);
    identity_destroy(n->identity);
    *n = (struct node){0};
}

static struct net_address local_address(uint16_t port)
{
    return (struct net_address){{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1}, port};
}

static struct wire_peer node_address(const struct node *n)
{
    return (struct wire_peer){local_address(peers_port(n->peers)), identity_id(n->identity)};
}

static void node_dial(struct node *from, const struct node *to)
{
    struct wire_peer address = node_address(to);
    peers_add(from->peers, &address);
}

/* Runs the loop for so long. */
static void turn_ms(uint64_t ms)
{
    struct timeval limit = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};
    event_base_loopexit(loop, &limit);
    event_base_dispatch(loop);
}

/* Runs the loop until the condition holds; fails after WAIT_MAX_MS. */
#define wait_until(condition)                                                                      \
    do {                                                                                           \
        uint64_t until_ms_ = monotonic_ms() + WAIT_MAX_MS;                                         \
        while (!(condition)) {                                                                     \
            if (monotonic_ms() > until_ms_) fail_msg("waited in vain for: %s", #condition);        \
            turn_ms(1);                                                                            \
        }                                                                                          \
    } while (0)

#endif
