#include "compute/gateway_server.h"

#include "base/fatal.h"
#include "base/log.h"
#include "client/frame_stream.h"
#include "compute/gateway_session.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ENDPOINT_SIZE 300
#define BACKLOG       1024

struct connection {
    struct gateway_server *server;
    pthread_t thread;
    bool started; /* has a thread to join */
    atomic_bool done;
    atomic_bool known;  /* the policy has granted it something */
    uint64_t number;    /* in order of arrival */
    struct address who; /* zero until proved; under the lock */
    int fd;
    struct sockaddr_storage peer;
};

struct gateway_server {
    struct gateway_server_options options;
    char *paths[3]; /* copies of the options' texts */
    SSL_CTX *tls;
    struct hash key_hash;
    char endpoint[ENDPOINT_SIZE];
    int listen_fd;
    atomic_bool stopping;
    pthread_t acceptor;
    bool accepting;
    uint64_t accepted; /* by the acceptor alone */
    struct gateway_meter *meter;
    pthread_mutex_t lock; /* of connections' fds, for stopping, and accounts */
    struct connection connections[GATEWAY_CONNECTIONS_MAX];
};

static bool same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    char left[64];
    char right[64];
    int bad = getnameinfo((const struct sockaddr *)a, sizeof *a, left, sizeof left, NULL, 0,
                          NI_NUMERICHOST);
    bad |= getnameinfo((const struct sockaddr *)b, sizeof *b, right, sizeof right, NULL, 0,
                       NI_NUMERICHOST);
    return !bad && strcmp(left, right) == 0;
}

/* An account beyond its share loses its oldest connection: that is its own, and maybe dead. */
static void on_account(void *owner, const struct address *who)
{
    struct connection *own = owner;
    struct connection *oldest = own;
    size_t count = 1;
    pthread_mutex_lock(&own->server->lock);
    own->who = *who;
    for (size_t i = 0; i < GATEWAY_CONNECTIONS_MAX; i++) {
        struct connection *c = &own->server->connections[i];
        if (c == own || c->fd < 0 || !address_equal(&c->who, who)) continue;
        if (c->number < oldest->number) oldest = c;
        count++;
    }
    if (count > GATEWAY_PER_ACCOUNT_MAX && oldest->fd >= 0) shutdown(oldest->fd, SHUT_RDWR);
    pthread_mutex_unlock(&own->server->lock);
}

static void on_granted(void *owner)
{
    struct connection *own = owner;
    atomic_store(&own->known, true);
}

static void *serve(void *argument)
{
    struct connection *c = argument;
    struct frame_stream stream = {0};
    int fd = dup(c->fd); /* the stream owns its own; c->fd stays valid for shutdown by stop */
    if (fd >= 0 &&
        frame_stream_open(&stream, c->server->tls, fd, true, GATEWAY_HANDSHAKE_MS) == OK) {
        stream.timeout_ms = GATEWAY_FRAME_MS;
        struct gateway_session session = {.stream = &stream,
                                          .options = &c->server->options,
                                          .meter = c->server->meter,
                                          .key_hash = c->server->key_hash,
                                          .on_account = on_account,
                                          .on_granted = on_granted,
                                          .owner = c};
        gateway_session_run(&session);
        frame_stream_close(&stream);
    }
    pthread_mutex_lock(&c->server->lock);
    close(c->fd);
    c->fd = -1;
    c->who = (struct address){0};
    pthread_mutex_unlock(&c->server->lock);
    atomic_store(&c->done, true);
    return NULL;
}

static void reap(struct connection *c)
{
    if (!c->started || !atomic_load(&c->done)) return;
    pthread_join(c->thread, NULL);
    c->started = false;
}

static void stop_connection(struct gateway_server *s, struct connection *c)
{
    if (!c->started) return;
    pthread_mutex_lock(&s->lock);
    if (c->fd >= 0) shutdown(c->fd, SHUT_RDWR);
    pthread_mutex_unlock(&s->lock);
    pthread_join(c->thread, NULL);
    c->started = false;
}

/* The older of two that were not granted anything yet; either may be NULL. */
static struct connection *first_to_go(struct connection *a, struct connection *b)
{
    if (atomic_load(&b->known)) return a;
    return a && a->number < b->number ? a : b;
}

/* A free place; else that of the oldest stranger, from the same host if that has its share. */
static struct connection *place_for(struct gateway_server *s, const struct sockaddr_storage *peer)
{
    struct connection *free_place = NULL, *stranger = NULL, *neighbour = NULL;
    size_t from_there = 0;
    for (size_t i = 0; i < GATEWAY_CONNECTIONS_MAX; i++) {
        struct connection *c = &s->connections[i];
        reap(c);
        if (!c->started) {
            free_place = c;
            continue;
        }
        stranger = first_to_go(stranger, c);
        if (!same_host(&c->peer, peer)) continue;
        neighbour = first_to_go(neighbour, c);
        from_there++;
    }
    bool has_share = from_there >= GATEWAY_PER_ADDRESS_MAX;
    if (free_place && !has_share) return free_place;
    struct connection *gone = has_share ? neighbour : stranger;
    if (gone) stop_connection(s, gone);
    return gone;
}

static void start_connection(struct gateway_server *s, int fd, const struct sockaddr_storage *peer)
{
    struct connection *c = place_for(s, peer);
    if (!c) {
        log_limited(LOG_WARN, "gateway", "connection refused reason=too-many");
        close(fd);
        return;
    }
    pthread_mutex_lock(&s->lock);
    c->server = s;
    c->peer = *peer;
    c->fd = fd;
    c->number = s->accepted++;
    pthread_mutex_unlock(&s->lock);
    atomic_store(&c->done, false);
    atomic_store(&c->known, false);
    c->started = pthread_create(&c->thread, NULL, serve, c) == 0;
    if (c->started) return;
    pthread_mutex_lock(&s->lock);
    c->fd = -1;
    pthread_mutex_unlock(&s->lock);
    close(fd);
}

static void *accept_loop(void *argument)
{
    struct gateway_server *s = argument;
    while (!atomic_load(&s->stopping)) {
        struct pollfd waiting = {.fd = s->listen_fd, .events = POLLIN};
        if (poll(&waiting, 1, 200) <= 0) continue;
        struct sockaddr_storage peer = {0};
        socklen_t size = sizeof peer;
        int fd = accept4(s->listen_fd, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC);
        if (fd >= 0) start_connection(s, fd, &peer);
    }
    return NULL;
}

/* "host:port" or "[v6]:port" into its parts. */
static bool split_endpoint(const char *endpoint, char host[256], char port[8])
{
    const char *colon = strrchr(endpoint, ':');
    if (!colon || colon == endpoint || strlen(colon + 1) == 0 || strlen(colon + 1) > 5)
        return false;
    const char *start = endpoint;
    size_t length = (size_t)(colon - endpoint);
    if (*start == '[') {
        if (endpoint[length - 1] != ']') return false;
        start++;
        length -= 2;
    }
    if (length == 0 || length >= 256) return false;
    snprintf(host, 256, "%.*s", (int)length, start);
    snprintf(port, 8, "%s", colon + 1);
    return strspn(port, "0123456789") == strlen(port);
}

static int bind_first(const struct addrinfo *places)
{
    for (const struct addrinfo *a = places; a; a = a->ai_next) {
        int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0) continue;
        int on = 1;
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
        int saved = errno;
        close(fd);
        errno = saved;
    }
    return -1;
}

static enum status listen_on(struct gateway_server *s, char error[JSON_ERROR_SIZE],
                             const char *endpoint)
{
    char host[256];
    char port[8];
    if (!split_endpoint(endpoint, host, port)) {
        snprintf(error, JSON_ERROR_SIZE, "cannot listen on \"%.100s\": want HOST:PORT", endpoint);
        return E_MALFORMED;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *places = NULL;
    int problem = getaddrinfo(host, port, &hints, &places);
    s->listen_fd = problem ? -1 : bind_first(places);
    if (places) freeaddrinfo(places);
    if (s->listen_fd < 0) {
        snprintf(error, JSON_ERROR_SIZE, "cannot listen on %.100s: %.100s", endpoint,
                 problem ? gai_strerror(problem) : strerror(errno));
        return E_IO;
    }
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    getsockname(s->listen_fd, (struct sockaddr *)&bound, &size);
    getnameinfo((struct sockaddr *)&bound, size, NULL, 0, port, sizeof port, NI_NUMERICSERV);
    const char *bracket = strchr(host, ':') ? "[" : "";
    snprintf(s->endpoint, sizeof s->endpoint, "%s%s%s:%s", bracket, host, *bracket ? "]" : "",
             port);
    return OK;
}

static enum status prepare(struct gateway_server *s, char error[JSON_ERROR_SIZE])
{
    s->tls = tls_context_create(true);
    enum status status =
        tls_identity_load(s->tls, &s->key_hash, s->options.key_path, s->options.certificate_path);
    if (status != OK) {
        snprintf(error, JSON_ERROR_SIZE,
                 "cannot use the TLS identity %.120s: %s; make one with init", s->options.key_path,
                 status_text(status));
        return status;
    }
    return listen_on(s, error, s->options.listen);
}

enum status gateway_server_start(struct gateway_server **out, char error[JSON_ERROR_SIZE],
                                 const struct gateway_server_options *options)
{
    struct gateway_server *s = must_alloc(sizeof *s);
    s->options = *options;
    s->listen_fd = -1;
    s->meter = gateway_meter_create();
    for (size_t i = 0; i < GATEWAY_CONNECTIONS_MAX; i++)
        s->connections[i].fd = -1;
    pthread_mutex_init(&s->lock, NULL);
    s->options.listen = s->paths[0] = must_strdup(options->listen);
    s->options.key_path = s->paths[1] = must_strdup(options->key_path);
    s->options.certificate_path = s->paths[2] = must_strdup(options->certificate_path);
    enum status status = prepare(s, error);
    if (status == OK) {
        s->accepting = pthread_create(&s->acceptor, NULL, accept_loop, s) == 0;
        if (!s->accepting) fatal("the gateway's thread cannot be started");
        *out = s;
        return OK;
    }
    gateway_server_stop(s);
    return status;
}

void gateway_server_stop(struct gateway_server *s)
{
    if (!s) return;
    atomic_store(&s->stopping, true);
    if (s->accepting) pthread_join(s->acceptor, NULL);
    for (size_t i = 0; i < GATEWAY_CONNECTIONS_MAX; i++)
        stop_connection(s, &s->connections[i]);
    if (s->listen_fd >= 0) close(s->listen_fd);
    if (s->tls) SSL_CTX_free(s->tls);
    for (size_t i = 0; i < 3; i++)
        free(s->paths[i]);
    pthread_mutex_destroy(&s->lock);
    gateway_meter_destroy(s->meter);
    free(s);
}

const char *gateway_server_endpoint(const struct gateway_server *s)
{
    return s->endpoint;
}

struct hash gateway_server_key_hash(const struct gateway_server *s)
{
    return s->key_hash;
}
