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

static inline void node_on_open(void *context, const struct peer_info *peer)
{
    struct node *n = context;
    n->opened++;
    n->last = *peer;
}

static inline void node_on_close(void *context, uint64_t peer)
{
    struct node *n = context;
    (void)peer;
    n->closed++;
    assert_true(n->closed <= n->opened);
}

static inline void node_on_message(void *context, uint64_t peer, enum wire_type type,
                                   struct bytes payload)
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

static inline bool node_in_set(void *context, const struct address *validator)
{
    struct node *n = context;
    for (size_t i = 0; i < n->set_count; i++)
        if (address_equal(&n->set[i], validator)) return true;
    return false;
}

static inline void node_head(void *context, uint64_t *epoch, uint64_t *number)
{
    (void)context;
    *epoch = 7;
    *number = 70;
}

static const struct hash GENESIS = {{1, 2, 3}};

static inline struct peers_config plain_config(void)
{
    return (struct peers_config){.listen = "127.0.0.1:0",
                                 .advertise = "",
                                 .chain_id = CHAIN_ID,
                                 .genesis = GENESIS,
                                 .allow_private = true};
}

/* The config's own key is used, if it has one. */
static inline void node_open(struct node *n, struct peers_config config)
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

static inline void node_close(struct node *n)
{
    peers_close(n->peers);
    book_destroy(n->book);
    identity_destroy(n->identity);
    *n = (struct node){0};
}

static inline struct net_address local_address(uint16_t port)
{
    return (struct net_address){{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1}, port};
}

static inline struct wire_peer node_address(const struct node *n)
{
    return (struct wire_peer){local_address(peers_port(n->peers)), identity_id(n->identity)};
}

static inline void node_dial(struct node *from, const struct node *to)
{
    struct wire_peer address = node_address(to);
    peers_add(from->peers, &address);
}

/* Runs the loop for so long. */
static inline void turn_ms(uint64_t ms)
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

static inline bool node_has_heard(const struct node *n, enum wire_type type)
{
    return n->by_type[type] > 0;
}

/* -------------------------------------------------------------------- the hostile client */

#define LOCALHOST 0x7f000001u

struct client {
    struct identity *identity;
    int fd;
    SSL *ssl; /* NULL: plain TCP */
    uint8_t in[65536];
    size_t in_size;
    bool gone;
};

static inline void client_dial(struct client *c, const struct node *to, uint32_t from_ip)
{
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = {htonl(from_ip)}};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(peers_port(to->peers)),
                                  .sin_addr = {htonl(LOCALHOST)}};
    *c = (struct client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_int_equal(bind(c->fd, (struct sockaddr *)&from, sizeof from), 0);
    assert_int_equal(connect(c->fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(fcntl(c->fd, F_SETFL, O_NONBLOCK), 0);
}

static inline void client_use_tls(struct client *c)
{
    c->identity = identity_create();
    c->ssl = SSL_new(identity_context(c->identity));
    SSL_set_fd(c->ssl, c->fd);
    SSL_set_connect_state(c->ssl);
}

static inline void client_close(struct client *c)
{
    SSL_free(c->ssl);
    identity_destroy(c->identity);
    close(c->fd);
}

static inline bool client_must_wait(struct client *c, int answer)
{
    int error = SSL_get_error(c->ssl, answer);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) c->gone = true;
    if (!c->gone) turn_ms(1);
    return !c->gone;
}

/* False: refused. In TLS 1.3 a client may learn of that with its first reading only. */
static inline bool client_shake(struct client *c)
{
    uint64_t until = monotonic_ms() + WAIT_MAX_MS;
    while (!c->gone && monotonic_ms() < until) {
        int answer = SSL_do_handshake(c->ssl);
        if (answer == 1) return true;
        if (!client_must_wait(c, answer)) return false;
    }
    return false;
}

static inline void client_send(struct client *c, struct bytes bytes)
{
    size_t size;
    while (bytes.size > 0 && !c->gone) {
        int answer = SSL_write_ex(c->ssl, bytes.data, bytes.size, &size);
        if (answer != 1 && !client_must_wait(c, answer)) return;
        if (answer == 1) bytes = bytes_slice(bytes, size, bytes.size - size);
    }
}

static inline void client_send_frame(struct client *c, uint8_t type, struct bytes payload)
{
    struct buffer frame = {0};
    store_be32(buffer_extend(&frame, 4), (uint32_t)(1 + payload.size));
    buffer_append_byte(&frame, type);
    buffer_append(&frame, payload);
    client_send(c, buffer_bytes(&frame));
    buffer_finish(&frame);
}

static inline void client_read(struct client *c)
{
    size_t size = 0;
    if (c->gone || c->in_size == sizeof c->in) return;
    int answer = SSL_read_ex(c->ssl, c->in + c->in_size, sizeof c->in - c->in_size, &size);
    if (answer == 1)
        c->in_size += size;
    else
        (void)client_must_wait(c, answer);
}

/* Whether the node hangs up before long. */
static inline bool client_is_dropped(struct client *c)
{
    uint64_t until = monotonic_ms() + WAIT_MAX_MS;
    char byte;
    while (!c->gone && monotonic_ms() < until) {
        turn_ms(1);
        c->in_size = 0;
        if (c->ssl != NULL) {
            client_read(c);
        } else {
            ssize_t got = recv(c->fd, &byte, 1, 0);
            c->gone = got == 0 || (got < 0 && errno != EAGAIN);
        }
    }
    return c->gone;
}

static inline struct wire_hello plain_hello(void)
{
    return (struct wire_hello){.version = WIRE_VERSION, .chain_id = CHAIN_ID, .genesis = GENESIS};
}

static inline void client_prove(const struct client *c, struct wire_hello *hello,
                                const struct key *key)
{
    static const char label[] = "EXPORTER-leasehold-peer-v1";
    uint8_t exporter[32];
    struct hash id = identity_id(c->identity);
    assert_int_equal(SSL_export_keying_material(c->ssl, exporter, sizeof exporter, label,
                                                sizeof label - 1, NULL, 0, 0),
                     1);
    struct hash digest = peers_proof_digest(CHAIN_ID, &id, exporter);
    hello->proof = key_sign(key, &digest);
}

static inline void client_send_hello(struct client *c, const struct wire_hello *hello)
{
    struct buffer payload = {0};
    wire_hello_encode(&payload, hello);
    client_send_frame(c, WIRE_HELLO, buffer_bytes(&payload));
    buffer_finish(&payload);
}

/* Up to its HELLO, which is sent. */
static inline void client_greet(struct client *c, const struct node *to, uint32_t from_ip,
                                const struct key *key)
{
    struct wire_hello hello = plain_hello();
    client_dial(c, to, from_ip);
    client_use_tls(c);
    assert_true(client_shake(c));
    if (key != NULL) client_prove(c, &hello, key);
    client_send_hello(c, &hello);
}

/* The node's HELLO, which is the first that it sends. */
static inline struct wire_hello client_hear_hello(struct client *c)
{
    struct wire_hello hello = {0};
    uint64_t until = monotonic_ms() + WAIT_MAX_MS;
    while (!c->gone && c->in_size < FRAME_HEAD_SIZE + 1 && monotonic_ms() < until)
        client_read(c);
    assert_int_equal(c->in[4], WIRE_HELLO);
    struct bytes payload = bytes_of(c->in + FRAME_HEAD_SIZE, load_be32(c->in) - 1);
    assert_int_equal(wire_hello_decode(&hello, payload), OK);
    return hello;
}

#endif
