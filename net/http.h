/* http.h - the HTTP server under JSON-RPC and metrics: libevent's evhttp with every limit set.
 *
 * Limits (net/limits.h): connections, header and body size, idle time, and the time from a
 * request's first byte to its last, so that a client that sends a byte a second is cut off too.
 * At the connection limit new ones wait in the kernel's queue.
 *
 * Against web pages that reach for the node through a browser: a POST must be application/json,
 * which a page cannot send across origins without being asked first, and such questions
 * (OPTIONS) are refused; the Host header must be an IP address, localhost or a configured name.
 *
 * All calls from the thread that runs the event loop. A handler may answer later; the request
 * stays valid until http_reply, also when its client has gone. */
#ifndef LEASEHOLD_NET_HTTP_H
#define LEASEHOLD_NET_HTTP_H

#include "base/bytes.h"

#define HTTP_ERROR_SIZE 256

struct event_base;
struct http_server;
struct http_request;

struct http_config {
    const char *listen;  /* "127.0.0.1:8545", "[::1]:0"; port 0 lets the system choose */
    const char *hosts;   /* further names for the Host header, comma-separated; "*" is any */
    uint64_t request_ms; /* 0: HTTP_REQUEST_MS */
    size_t connections;  /* 0: HTTP_CONNECTIONS_MAX */
};

struct http_handlers {
    void *context;
    /* The body is borrowed until http_reply. */
    void (*on_post)(void *context, struct http_request *request, struct bytes body);
    void (*on_get)(void *context, struct http_request *request, const char *path);
};

/* Keeps the base; config and handlers are copied, their texts borrowed. On failure `error` says
 * what to change. */
MUST_CHECK enum status http_server_open(struct http_server **out, char error[HTTP_ERROR_SIZE],
                                        struct event_base *base, const struct http_config *config,
                                        const struct http_handlers *handlers);
void http_server_close(struct http_server *server); /* takes NULL */
uint16_t http_server_port(const struct http_server *server);
size_t http_server_connections(const struct http_server *server);

/* Answers and ends the request. A body of 0 bytes is fine. */
void http_reply(struct http_request *request, int code, const char *content_type,
                struct bytes body);

#endif
