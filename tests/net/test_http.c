#include "net/http.h"

#include "net/limits.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* A server and the loop that runs it, driven by hand from the same thread as its clients. */
struct fixture {
    struct event_base *base;
    struct http_server *server;
    struct http_request *kept; /* when `keep` is set, a request to be answered later */
    bool keep;
};

static void on_post(void *context, struct http_request *request, struct bytes body)
{
    struct fixture *f = context;
    if (f->keep)
        f->kept = request;
    else
        http_reply(request, 200, "application/json", body);
}

static void on_get(void *context, struct http_request *request, const char *path)
{
    (void)context;
    http_reply(request, 200, "text/plain", bytes_of_text(path));
}

static void setup(struct fixture *f, struct http_config config)
{
    struct http_handlers handlers = {f, on_post, on_get};
    char error[HTTP_ERROR_SIZE];
    *f = (struct fixture){0};
    f->base = event_base_new();
    if (config.listen == NULL) config.listen = "127.0.0.1:0";
    assert_int_equal(http_server_open(&f->server, error, f->base, &config, &handlers), OK);
    assert_int_not_equal(http_server_port(f->server), 0);
}

static void teardown(struct fixture *f)
{
    http_server_close(f->server);
    event_base_free(f->base);
}

static int dial(const struct fixture *f)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(http_server_port(f->server)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static void turn(struct fixture *f, int ms)
{
    struct timeval limit = {0, ms * 1000};
    event_base_loopexit(f->base, &limit);
    event_base_dispatch(f->base);
}

static void say(struct fixture *f, int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, text, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return; /* the server hung up */
        if (sent > 0) {
            text += sent;
            size -= (size_t)sent;
        }
        turn(f, 1);
    }
}

/* What the server says until `want` shows up, it closes, or two seconds pass. */
static const char *hear(struct fixture *f, int fd, const char *want)
{
    static char text[65536];
    static const char closed[] = "<closed>";
    size_t size = 0;
    for (int i = 0; i < 400; i++) {
        turn(f, 5);
        ssize_t got = recv(fd, text + size, sizeof text - sizeof closed - size, 0);
        if (got > 0) size += (size_t)got;
        text[size] = 0;
        if (got == 0 || (got < 0 && errno != EAGAIN)) memcpy(text + size, closed, sizeof closed);
        if (strstr(text, want) || strstr(text, closed)) break;
    }
    return text;
}

static void expect(struct fixture *f, const char *request, const char *want)
{
    int fd = dial(f);
    say(f, fd, request, strlen(request));
    const char *got = hear(f, fd, want);
    if (strstr(got, want) == NULL) fail_msg("got %s", got);
    close(fd);
}

static void serves_posts_and_gets(void **state)
{
    struct fixture f;
    (void)state;
    setup(&f, (struct http_config){0});
    expect(&f,
           "POST / HTTP/1.1\r\nHost: localhost:1\r\nContent-Type: application/json\r\n"
           "Content-Length: 4\r\n\r\n[42]",
           "[42]");
    expect(&f, "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "/metrics");
    expect(&f, "GET /v6 HTTP/1.1\r\nHost: [::1]:99\r\n\r\n", "/v6");
    teardown(&f);
}

static void refuses_names_that_a_rebinding_page_would_send(void **state)
{
    struct fixture f;
    (void)state;
    setup(&f, (struct http_config){.hosts = "node.example,other"});
    expect(&f, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "403 Forbidden");
    expect(&f, "GET / HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", "403 Forbidden");
    expect(&f, "GET / HTTP/1.1\r\nHost: [evil]\r\n\r\n", "403 Forbidden");
    expect(&f, "GET / HTTP/1.1\r\nHost: Node.Example:8545\r\n\r\n", "200 OK");
    expect(&f, "GET / HTTP/1.1\r\nHost: other\r\n\r\n", "200 OK");
    teardown(&f);
}

static void refuses_what_a_page_can_send_without_asking(void **state)
{
    struct fixture f;
    (void)state;
    setup(&f, (struct http_config){0});
    expect(&f,
           "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
           "Content-Length: 2\r\n\r\n{}",
           "415 Unsupported Media Type");
    expect(&f, "OPTIONS / HTTP/1.1\r\nHost: localhost\r\n\r\n", "501 Not Implemented");
    expect(&f, "DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n", "501 Not Implemented");
    teardown(&f);
}

static void refuses_big_bodies_and_headers(void **state)
{
    struct fixture f;
    (void)state;
    setup(&f, (struct http_config){0});
    expect(&f,
           "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
           "Content-Length: 2097153\r\n\r\n",
           "413 ");
    int fd = dial(&f);
    char line[1100];
    memset(line, 'a', sizeof line);
    memcpy(line, "X: ", 3);
    memcpy(line + sizeof line - 2, "\r\n", 2);
    say(&f, fd, "GET / HTTP/1.1\r\nHost: localhost\r\n", 33);
    for (int i = 0; i < 20; i++)
        say(&f, fd, line, sizeof line);
    const char *got = hear(&f, fd, "<closed>");
    assert_null(strstr(got, "200 OK"));
    assert_non_null(strstr(got, "<closed>"));
    close(fd);
    teardown(&f);
}

static void cuts_off_a_client_that_sends_forever(void **state)
{
    struct fixture f;
    (void)state;
    setup(&f, (struct http_config){.request_ms = 150});
    int fd = dial(&f);
    bool closed = false;
    say(&f, fd, "POST / HTTP/1.1\r\n", 17);
    for (int i = 0; i < 200 && !closed; i++) {
        char byte = 'x';
        send(fd, &byte, 1, MSG_NOSIGNAL); /* never quiet, never done */
        turn(&f, 10);
        ssize_t got = recv(fd, &byte, 1, 0);
        closed = got == 0 || (got < 0 && errno != EAGAIN);
    }
    assert_true(closed);
    close(fd);
    turn(&f, 2 * HTTP_SWEEP_MS + 50);
    assert_int_equal(http_server_connections(f.server), 0);
    teardown(&f);
}

static void holds_connections_at_the_limit_and_goes_on_after(void **state)
{
    struct fixture f;
    int fds[8];
    (void)state;
    setup(&f, (struct http_config){.connections = 4});
    for (int i = 0; i < 8; i++)
        fds[i] = dial(&f);
    turn(&f, 100);
    assert_int_equal(http_server_connections(f.server), 4);
    for (int i = 0; i < 8; i++)
        close(fds[i]);
    turn(&f, 3 * HTTP_SWEEP_MS + 100);
    expect(&f, "GET /alive HTTP/1.1\r\nHost: localhost\r\n\r\n", "/alive");
    teardown(&f);
}

static void keeps_a_request_valid_after_its_client_left(void **state)
{
    struct fixture f;
    (void)state;
    setup(&f, (struct http_config){0});
    f.keep = true;
    int fd = dial(&f);
    const char *request = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
                          "Content-Type: application/json\r\n\r\n{}";
    say(&f, fd, request, strlen(request));
    turn(&f, 50);
    assert_non_null(f.kept);
    close(fd);
    turn(&f, 50);
    http_server_close(f.server);
    f.server = NULL;
    http_reply(f.kept, 200, "application/json", bytes_of_text("late"));
    teardown(&f);
}

static void says_what_is_wrong_with_a_listen_address(void **state)
{
    struct event_base *base = event_base_new();
    struct http_server *server = NULL;
    struct http_handlers handlers = {NULL, on_post, on_get};
    char error[HTTP_ERROR_SIZE];
    const char *bad[] = {"", "8545", "localhost:8545", "127.0.0.1", "127.0.0.1:", "1.2.3.4:x"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct http_config config = {.listen = bad[i]};
        assert_int_equal(http_server_open(&server, error, base, &config, &handlers), E_MALFORMED);
        assert_non_null(strstr(error, "want an IP address and a port"));
    }
    struct http_config far = {.listen = "203.0.113.7:0"};
    assert_int_equal(http_server_open(&server, error, base, &far, &handlers), E_IO);
    event_base_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_posts_and_gets),
        cmocka_unit_test(refuses_names_that_a_rebinding_page_would_send),
        cmocka_unit_test(refuses_what_a_page_can_send_without_asking),
        cmocka_unit_test(refuses_big_bodies_and_headers),
        cmocka_unit_test(cuts_off_a_client_that_sends_forever),
        cmocka_unit_test(holds_connections_at_the_limit_and_goes_on_after),
        cmocka_unit_test(keeps_a_request_valid_after_its_client_left),
        cmocka_unit_test(says_what_is_wrong_with_a_listen_address),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
