/* The JSON-RPC client against a socket that answers as it is told, right or wrong. */
#include "client/rpc.h"

#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct server {
    int listener;
    char url[64];
    pthread_t thread;
    const char *bodies[4]; /* one a request; NULL: hang up without an answer */
    size_t count;
    int http_status;
    unsigned delay_ms;
};

static void read_request(int fd)
{
    char text[8192];
    size_t size = 0;
    while (size < sizeof text - 1) {
        ssize_t got = read(fd, text + size, sizeof text - 1 - size);
        if (got <= 0) return;
        size += (size_t)got;
        text[size] = '\0';
        const char *end = strstr(text, "\r\n\r\n");
        const char *length = strstr(text, "Content-Length: ");
        if (end == NULL || length == NULL) continue;
        size_t body = (size_t)strtoul(length + 16, NULL, 10);
        if (size >= (size_t)(end - text) + 4 + body) return;
    }
}

static void *run_server(void *context)
{
    struct server *s = context;
    for (size_t i = 0; i < s->count; i++) {
        int fd = accept(s->listener, NULL, NULL);
        if (fd < 0) return NULL;
        read_request(fd);
        usleep(s->delay_ms * 1000);
        if (s->bodies[i] != NULL)
            dprintf(fd, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                    s->http_status, strlen(s->bodies[i]), s->bodies[i]);
        close(fd);
    }
    return NULL;
}

static void start(struct server *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    if (s->http_status == 0) s->http_status = 200;
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s->listener, 4), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &size), 0);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u", ntohs(at.sin_port));
    assert_int_equal(pthread_create(&s->thread, NULL, run_server, s), 0);
}

static void stop(struct server *s)
{
    pthread_join(s->thread, NULL);
    close(s->listener);
}

static struct rpc *client_of(const char *urls, uint32_t timeout_ms)
{
    struct rpc *r = NULL;
    char error[JSON_ERROR_SIZE];
    struct rpc_options options = {.urls = urls, .timeout_ms = timeout_ms};
    assert_int_equal(rpc_create(&r, &options, error), OK);
    return r;
}

static void reads_a_result(void **state)
{
    (void)state;
    struct server s = {.bodies = {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x1bcd\"}"},
                       .count = 1};
    start(&s);
    struct rpc *r = client_of(s.url, 2000);
    uint64_t value = 0;
    assert_int_equal(rpc_call_u64(r, &value, "eth_chainId", NULL), OK);
    assert_int_equal(value, 7117);
    rpc_destroy(r);
    stop(&s);
}

static void keeps_an_error_object_with_its_data(void **state)
{
    (void)state;
    struct server s = {.bodies = {"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":3,\"message\":"
                                  "\"execution reverted\\u0007\",\"data\":\"0x01020304\"}}"},
                       .count = 1};
    start(&s);
    struct rpc *r = client_of(s.url, 2000);
    json_t *out = NULL;
    assert_int_equal(rpc_call(r, &out, "eth_call", NULL), E_DENIED);
    assert_null(out);
    assert_int_equal(rpc_error(r)->code, 3);
    assert_int_equal(rpc_error(r)->data_size, 4);
    assert_string_equal(rpc_problem(r), "execution reverted ");
    rpc_destroy(r);
    stop(&s);
}

static void goes_on_to_the_next_node(void **state)
{
    (void)state;
    struct server good = {
        .bodies = {"{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":false}", /* no sync */
                   "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x1\"}",
                   "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":\"0x2\"}"},
        .count = 3};
    struct server broken = {.bodies = {"<html>"}, .count = 1, .http_status = 502};
    char urls[256];
    start(&good);
    start(&broken);
    snprintf(urls, sizeof urls, "http://127.0.0.1:1,%s,%s", broken.url, good.url);
    struct rpc *r = client_of(urls, 2000);
    uint64_t value = 0;
    assert_int_equal(rpc_call_u64(r, &value, "eth_blockNumber", NULL), OK);
    assert_int_equal(value, 1);
    assert_string_equal(rpc_url(r), good.url);
    assert_int_equal(rpc_call_u64(r, &value, "eth_blockNumber", NULL), OK);
    assert_int_equal(value, 2);
    rpc_destroy(r);
    stop(&good);
    stop(&broken);
}

static void tries_again_while_it_has_patience(void **state)
{
    (void)state;
    struct server s = {.bodies = {NULL, NULL, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x7\"}"},
                       .count = 3};
    start(&s);
    struct rpc *r = client_of(s.url, 2000);
    uint64_t value = 0;
    rpc_set_patience(r, 5000);
    assert_int_equal(rpc_call_u64(r, &value, "eth_blockNumber", NULL), OK);
    assert_int_equal(value, 7);
    rpc_destroy(r);
    stop(&s);
}

static void check_malformed(const char *body)
{
    struct server s = {.bodies = {body}, .count = 1};
    start(&s);
    struct rpc *r = client_of(s.url, 2000);
    uint64_t value = 77;
    assert_int_equal(rpc_call_u64(r, &value, "eth_blockNumber", NULL), E_MALFORMED);
    assert_int_equal(value, 77);
    assert_true(strlen(rpc_problem(r)) > 0);
    rpc_destroy(r);
    stop(&s);
}

static void believes_no_answer_that_is_not_json_rpc(void **state)
{
    (void)state;
    check_malformed("hello");
    check_malformed("[]");
    check_malformed("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":\"0x1\"}");
    check_malformed("{\"jsonrpc\":\"2.0\",\"id\":1}");
    check_malformed("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x\"}");
    check_malformed("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":12}");
    check_malformed("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x1ffffffffffffffff\"}");
}

static void says_which_node_it_cannot_reach(void **state)
{
    (void)state;
    struct rpc *r = client_of("http://127.0.0.1:1", 1000);
    uint64_t value = 0;
    assert_int_equal(rpc_call_u64(r, &value, "eth_blockNumber", NULL), E_IO);
    assert_non_null(strstr(rpc_problem(r), "cannot reach a node at http://127.0.0.1:1"));
    rpc_destroy(r);
}

static void gives_up_on_a_node_that_does_not_answer(void **state)
{
    (void)state;
    struct server s = {.bodies = {"{}"}, .count = 1, .delay_ms = 600};
    start(&s);
    struct rpc *r = client_of(s.url, 200);
    uint64_t value = 0;
    assert_int_equal(rpc_call_u64(r, &value, "eth_blockNumber", NULL), E_TIMEOUT);
    rpc_destroy(r);
    stop(&s);
}

static void refuses_urls_that_are_none(void **state)
{
    (void)state;
    static const char *const urls[] = {"", "127.0.0.1:8545", "ftp://x", "http://",
                                       "http://127.0.0.1:1,,"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct rpc *r = NULL;
        char error[JSON_ERROR_SIZE] = "";
        struct rpc_options options = {.urls = urls[i]};
        assert_int_equal(rpc_create(&r, &options, error), E_MALFORMED);
        assert_null(r);
        assert_true(strlen(error) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_result),
        cmocka_unit_test(keeps_an_error_object_with_its_data),
        cmocka_unit_test(goes_on_to_the_next_node),
        cmocka_unit_test(tries_again_while_it_has_patience),
        cmocka_unit_test(believes_no_answer_that_is_not_json_rpc),
        cmocka_unit_test(says_which_node_it_cannot_reach),
        cmocka_unit_test(gives_up_on_a_node_that_does_not_answer),
        cmocka_unit_test(refuses_urls_that_are_none),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
