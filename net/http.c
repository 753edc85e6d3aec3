#include "net/http.h"

#include "base/fatal.h"
#include "base/log.h"
#include "net/limits.h"
#include "net/monotonic.h"
#include "net/sockets.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* evhttp tells nobody when a connection ends. Each connection's bufferevent is therefore counted
 * by a reference of our own; once evhttp has let go (it clears the callbacks), the next sweep
 * drops ours, which closes the socket. */
struct connection {
    struct bufferevent *events; /* NULL: a free slot */
    uint64_t request_since_ms;  /* the first byte of an unfinished request; 0: none */
};

struct http_server {
    struct event_base *base;
    struct evhttp *http;
    struct evconnlistener *listener;
    struct event *sweep;
    struct http_config config;
    struct http_handlers handlers;
    uint16_t port;
    bool paused;
    size_t connection_count;
    struct connection connections[2 * HTTP_CONNECTIONS_MAX];
};

struct http_request {
    struct evhttp_request *raw; /* NULL once the client has gone */
    struct buffer body;
};

static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *context)
{
    struct connection *c = context;
    (void)input;
    if (info->n_added > 0 && c->request_since_ms == 0) c->request_since_ms = monotonic_ms();
}

static struct bufferevent *on_connection(struct event_base *base, void *context)
{
    struct http_server *s = context;
    struct bufferevent *events = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (events == NULL) fatal("making a connection's buffers");
    for (size_t i = 0; i < 2 * HTTP_CONNECTIONS_MAX; i++) {
        struct connection *c = &s->connections[i];
        if (c->events != NULL) continue;
        bufferevent_incref(events);
        *c = (struct connection){.events = events};
        evbuffer_add_cb(bufferevent_get_input(events), on_input, c);
        s->connection_count++;
        break;
    }
    if (s->connection_count >= s->config.connections && !s->paused) {
        s->paused = true;
        evconnlistener_disable(s->listener);
        log_limited(LOG_WARN, "rpc", "connections at their limit count=%zu", s->connection_count);
    }
    return events;
}

static void connection_sweep(struct http_server *s, struct connection *c, uint64_t now)
{
    bufferevent_data_cb on_read = NULL;
    bufferevent_data_cb on_write = NULL;
    bufferevent_event_cb on_event = NULL;
    void *context = NULL;
    bufferevent_getcb(c->events, &on_read, &on_write, &on_event, &context);
    if (on_read == NULL && on_write == NULL && on_event == NULL) {
        evbuffer_remove_cb(bufferevent_get_input(c->events), on_input, c);
        bufferevent_decref(c->events);
        *c = (struct connection){0};
        s->connection_count--;
        return;
    }
    if (c->request_since_ms != 0 && now - c->request_since_ms > s->config.request_ms) {
        log_limited(LOG_DEBUG, "rpc", "cut off a slow client");
        shutdown(bufferevent_getfd(c->events), SHUT_RDWR);
    }
}

static void on_sweep(evutil_socket_t fd, short what, void *context)
{
    struct http_server *s = context;
    uint64_t now = monotonic_ms();
    (void)fd;
    (void)what;
    for (size_t i = 0; i < 2 * HTTP_CONNECTIONS_MAX; i++)
        if (s->connections[i].events != NULL) connection_sweep(s, &s->connections[i], now);
    if (s->paused && s->connection_count < s->config.connections) {
        s->paused = false;
        evconnlistener_enable(s->listener);
    }
}

/* The request is all here: the clock against slow clients stops. */
static void request_arrived(struct http_server *s, struct evhttp_request *raw)
{
    struct bufferevent *events =
        evhttp_connection_get_bufferevent(evhttp_request_get_connection(raw));
    for (size_t i = 0; i < 2 * HTTP_CONNECTIONS_MAX; i++)
        if (s->connections[i].events == events) s->connections[i].request_since_ms = 0;
}

/* The name in "name", "name:port" or "[v6]:port". */
static size_t host_name_size(const char *host)
{
    if (host[0] == '[') return strcspn(host, "]") + (strchr(host, ']') != NULL);
    return strcspn(host, ":");
}

static bool is_ip_address(const char *name)
{
    unsigned char binary[16];
    char inner[64];
    size_t size = strlen(name);
    if (inet_pton(AF_INET, name, binary) == 1) return true;
    if (size < 3 || name[0] != '[' || name[size - 1] != ']') return false;
    snprintf(inner, sizeof inner, "%.*s", (int)(size - 2), name + 1);
    return inet_pton(AF_INET6, inner, binary) == 1;
}

static bool in_list(const char *list, const char *name)
{
    while (*list != 0) {
        size_t size = strcspn(list, ",");
        if (size == 1 && list[0] == '*') return true;
        if (size == strlen(name) && strncasecmp(list, name, size) == 0) return true;
        list += size + (list[size] == ',');
    }
    return false;
}

/* A page that rebinds its own name to this address sends that name: only known ones pass. */
static bool host_allowed(const struct http_server *s, const char *host)
{
    char name[256];
    if (host == NULL) return true; /* HTTP/1.0: no browser sends this */
    size_t size = host_name_size(host);
    if (size >= sizeof name) return false;
    memcpy(name, host, size);
    name[size] = 0;
    if (strcasecmp(name, "localhost") == 0 || is_ip_address(name)) return true;
    return in_list(s->config.hosts ? s->config.hosts : "", name);
}

static bool is_json(const char *content_type)
{
    static const char want[] = "application/json";
    if (content_type == NULL || strncasecmp(content_type, want, sizeof want - 1) != 0) return false;
    char after = content_type[sizeof want - 1];
    return after == 0 || after == ';' || after == ' ';
}

static void on_gone(struct evhttp_connection *connection, void *context)
{
    struct http_request *r = context;
    (void)connection;
    r->raw = NULL;
}

static struct http_request *request_create(struct evhttp_request *raw)
{
    struct http_request *r = must_alloc(sizeof *r);
    struct evbuffer *input = evhttp_request_get_input_buffer(raw);
    size_t size = evbuffer_get_length(input);
    r->raw = raw;
    if (size > 0) {
        uint8_t *to = buffer_extend(&r->body, size);
        int read = evbuffer_remove(input, to, size);
        assert(read >= 0 && (size_t)read == size);
    }
    evhttp_connection_set_closecb(evhttp_request_get_connection(raw), on_gone, r);
    return r;
}

static void refuse(struct http_request *r, int code, const char *text)
{
    http_reply(r, code, "text/plain", bytes_of_text(text));
}

static void on_request(struct evhttp_request *raw, void *context)
{
    struct http_server *s = context;
    struct evkeyvalq *headers = evhttp_request_get_input_headers(raw);
    struct http_request *r = request_create(raw);
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(raw));
    request_arrived(s, raw);
    if (!host_allowed(s, evhttp_find_header(headers, "Host")))
        refuse(r, 403, "invalid host specified\n");
    else if (evhttp_request_get_command(raw) ==
             EVHTTP_REQ_GET) /* evhttp lets POST through besides */
        s->handlers.on_get(s->handlers.context, r, path ? path : "/");
    else if (!is_json(evhttp_find_header(headers, "Content-Type")))
        refuse(r, 415, "invalid content type, only application/json is supported\n");
    else
        s->handlers.on_post(s->handlers.context, r, buffer_bytes(&r->body));
}

static const char *reason_of(int code)
{
    switch (code) {
    case 200: return "OK";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 415: return "Unsupported Media Type";
    case 503: return "Service Unavailable";
    default: return "Error";
    }
}

void http_reply(struct http_request *r, int code, const char *content_type, struct bytes body)
{
    assert(r != NULL && code >= 200);
    if (r->raw != NULL) {
        struct evbuffer *output = evhttp_request_get_output_buffer(r->raw);
        evhttp_connection_set_closecb(evhttp_request_get_connection(r->raw), NULL, NULL);
        evhttp_add_header(evhttp_request_get_output_headers(r->raw), "Content-Type", content_type);
        if (evbuffer_add(output, body.data, body.size) != 0) fatal("no memory for an HTTP answer");
        evhttp_send_reply(r->raw, code, reason_of(code), NULL);
    }
    buffer_finish(&r->body);
    free(r);
}

static void start_http(struct http_server *s)
{
    struct timeval every = {0, HTTP_SWEEP_MS * 1000};
    int yes = 1; /* accepted sockets inherit it */
    setsockopt(evconnlistener_get_fd(s->listener), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    s->http = evhttp_new(s->base);
    if (s->http == NULL) fatal("starting the HTTP server");
    evhttp_set_max_headers_size(s->http, HTTP_HEADER_BYTES_MAX);
    evhttp_set_max_body_size(s->http, HTTP_BODY_BYTES_MAX);
    evhttp_set_timeout(s->http, HTTP_IDLE_S);
    evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
    evhttp_set_bevcb(s->http, on_connection, s);
    evhttp_set_gencb(s->http, on_request, s);
    if (evhttp_bind_listener(s->http, s->listener) == NULL) fatal("starting the HTTP server");
    s->sweep = event_new(s->base, -1, EV_PERSIST, on_sweep, s);
    if (s->sweep == NULL || event_add(s->sweep, &every) != 0) fatal("starting the HTTP timer");
}

enum status http_server_open(struct http_server **out, char error[HTTP_ERROR_SIZE],
                             struct event_base *base, const struct http_config *config,
                             const struct http_handlers *handlers)
{
    struct net_address on;
    if (!listen_address_from_text(&on, config->listen)) {
        snprintf(error, HTTP_ERROR_SIZE,
                 "cannot listen on \"%s\": want an IP address and a port, as 127.0.0.1:8545",
                 config->listen);
        return E_MALFORMED;
    }
    int fd = socket_listen(&on);
    if (fd < 0) {
        snprintf(error, HTTP_ERROR_SIZE, "cannot listen on %s: %s", config->listen,
                 strerror(errno));
        return E_IO;
    }
    struct evconnlistener *listener =
        evconnlistener_new(base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    if (listener == NULL) fatal("starting the HTTP server");
    struct http_server *s = must_alloc(sizeof *s);
    s->base = base;
    s->listener = listener;
    s->config = *config;
    s->handlers = *handlers;
    if (s->config.request_ms == 0) s->config.request_ms = HTTP_REQUEST_MS;
    if (s->config.connections == 0 || s->config.connections > HTTP_CONNECTIONS_MAX)
        s->config.connections = HTTP_CONNECTIONS_MAX;
    s->port = socket_port(fd);
    start_http(s);
    *out = s;
    return OK;
}

void http_server_close(struct http_server *s)
{
    if (s == NULL) return;
    event_free(s->sweep);
    evhttp_free(s->http); /* frees the listener and every connection */
    for (size_t i = 0; i < 2 * HTTP_CONNECTIONS_MAX; i++) {
        struct connection *c = &s->connections[i];
        if (c->events == NULL) continue;
        evbuffer_remove_cb(bufferevent_get_input(c->events), on_input, c);
        bufferevent_decref(c->events);
    }
    free(s);
}

uint16_t http_server_port(const struct http_server *s)
{
    return s->port;
}

size_t http_server_connections(const struct http_server *s)
{
    return s->connection_count;
}
