/* The JSON-RPC client among several nodes: small servers that have a height, may be catching up,
 * and can be stopped. */
#include "client/rpc.h"
#include "client/transact.h"

#include "base/hex.h"

#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct node {
    int listener;
    char url[64];
    pthread_t thread;
    bool syncing;
    bool deaf; /* takes a transaction and forgets it */
    atomic_uint height;
    atomic_bool has_tx;    /* final at once */
    atomic_uint asked;     /* calls other than looks */
    atomic_uint txs_taken; /* eth_sendRawTransaction */
};

static size_t read_request(int fd, char *text, size_t size_max)
{
    size_t size = 0;
    while (size < size_max - 1) {
        ssize_t got = read(fd, text + size, size_max - 1 - size);
        if (got <= 0) return 0;
        size += (size_t)got;
        text[size] = '\0';
        const char *end = strstr(text, "\r\n\r\n");
        const char *length = strstr(text, "Content-Length: ");
        if (end == NULL || length == NULL) continue;
        size_t body = (size_t)strtoul(length + 16, NULL, 10);
        if (size >= (size_t)(end - text) + 4 + body) return size;
    }
    return 0;
}

/* The result of one call, as JSON text. */
static void answer(struct node *n, char *out, size_t size, const char *request)
{
    const char *result = "\"0x1\"";
    char text[200];
    if (strstr(request, "\"eth_syncing\"") != NULL) {
        result = n->syncing ? "{\"currentBlock\":\"0x1\"}" : "false";
    } else if (strstr(request, "\"eth_blockNumber\"") != NULL) {
        snprintf(text, sizeof text, "\"0x%x\"", (unsigned)n->height);
        result = text;
    } else if (strstr(request, "\"eth_getBlockByNumber\"") != NULL) {
        snprintf(text, sizeof text, "{\"number\":\"0x%x\",\"baseFeePerGas\":\"0x7\"}",
                 (unsigned)n->height);
        result = text;
    } else if (strstr(request, "\"eth_sendRawTransaction\"") != NULL) {
        n->txs_taken++;
        n->has_tx = !n->deaf;
    } else if (strstr(request, "\"eth_getTransactionReceipt\"") != NULL) {
        result = n->has_tx ? "{\"blockNumber\":\"0x9\",\"status\":\"0x1\",\"logs\":[]}" : "null";
    } else if (strstr(request, "\"eth_getTransactionByHash\"") != NULL) {
        result = n->has_tx ? "{}" : "null";
    }
    const char *id = strstr(request, "\"id\":");
    snprintf(out, size, "{\"jsonrpc\":\"2.0\",\"id\":%lu,\"result\":%s}",
             id != NULL ? strtoul(id + 5, NULL, 10) : 0, result);
}

static void *serve(void *context)
{
    struct node *n = context;
    char request[8192];
    char body[400];
    for (;;) {
        int fd = accept(n->listener, NULL, NULL);
        if (fd < 0) return NULL;
        if (read_request(fd, request, sizeof request) > 0) {
            if (strstr(request, "\"id\":0") == NULL) n->asked++;
            answer(n, body, sizeof body, request);
            dprintf(fd, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                    strlen(body), body);
        }
        close(fd);
    }
}

static void start(struct node *n)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    n->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(n->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(n->listener, 4), 0);
    assert_int_equal(getsockname(n->listener, (struct sockaddr *)&at, &size), 0);
    snprintf(n->url, sizeof n->url, "http://127.0.0.1:%u", ntohs(at.sin_port));
    assert_int_equal(pthread_create(&n->thread, NULL, serve, n), 0);
}

static void stop(struct node *n)
{
    if (n->listener < 0) return;
    shutdown(n->listener, SHUT_RDWR); /* wakes accept */
    pthread_join(n->thread, NULL);
    close(n->listener);
    n->listener = -1;
}

static struct rpc *client_of(struct node *a, struct node *b, struct node *c)
{
    struct rpc *r = NULL;
    char error[JSON_ERROR_SIZE];
    char urls[256];
    struct rpc_options options = {.urls = urls, .timeout_ms = 2000};
    start(a);
    start(b);
    if (c != NULL) start(c);
    snprintf(urls, sizeof urls, "%s,%s%s%s", a->url, b->url, c != NULL ? "," : "",
             c != NULL ? c->url : "");
    assert_int_equal(rpc_create(&r, &options, error), OK);
    return r;
}

static uint64_t height_by(struct rpc *r)
{
    uint64_t height = 0;
    assert_int_equal(rpc_call_u64(r, &height, "eth_blockNumber", NULL), OK);
    return height;
}

static void stays_with_the_node_that_answers(void **state)
{
    (void)state;
    struct node a = {.height = 5}, b = {.height = 9};
    struct rpc *r = client_of(&a, &b, NULL);
    assert_int_equal(height_by(r), 5);
    assert_int_equal(height_by(r), 5);
    rpc_destroy(r);
    stop(&a);
    stop(&b);
    assert_int_equal(a.asked, 2);
    assert_int_equal(b.asked, 0);
}

static void outlives_the_death_of_a_node(void **state)
{
    (void)state;
    struct node a = {.height = 5}, b = {.height = 6};
    struct rpc *r = client_of(&a, &b, NULL);
    assert_int_equal(height_by(r), 5);
    stop(&a);
    assert_int_equal(height_by(r), 6);
    assert_string_equal(rpc_url(r), b.url);
    rpc_destroy(r);
    stop(&b);
}

static void never_goes_back_in_time(void **state)
{
    (void)state;
    struct node a = {.height = 50}, behind = {.height = 49}, level = {.height = 50};
    struct rpc *r = client_of(&a, &behind, &level);
    assert_int_equal(height_by(r), 50);
    stop(&a);
    json_t *out = NULL;
    assert_int_equal(rpc_call(r, &out, "eth_call", NULL), OK); /* any call, not only heights */
    json_decref(out);
    assert_string_equal(rpc_url(r), level.url);
    stop(&level);
    uint64_t height = 0;
    assert_int_equal(rpc_call_u64(r, &height, "eth_blockNumber", NULL), E_IO);
    rpc_destroy(r);
    stop(&behind);
    assert_int_equal(behind.asked, 0); /* looked at, not asked */
}

static void waits_for_a_node_that_is_behind(void **state)
{
    (void)state;
    struct node a = {.height = 50}, behind = {.height = 49};
    struct rpc *r = client_of(&a, &behind, NULL);
    assert_int_equal(height_by(r), 50);
    stop(&a);
    uint64_t height = 0;
    assert_int_equal(rpc_call_u64(r, &height, "eth_blockNumber", NULL), E_IO);
    assert_non_null(strstr(rpc_problem(r), "127.0.0.1"));
    behind.height = 51;
    assert_int_equal(height_by(r), 51);
    rpc_destroy(r);
    stop(&behind);
}

static void passes_over_a_node_that_is_catching_up(void **state)
{
    (void)state;
    struct node a = {.height = 3, .syncing = true}, b = {.height = 90};
    struct rpc *r = client_of(&a, &b, NULL);
    assert_int_equal(height_by(r), 90);
    rpc_destroy(r);
    stop(&a);
    stop(&b);
    assert_int_equal(a.asked, 0);
}

static void asks_a_node_that_is_catching_up_rather_than_none(void **state)
{
    (void)state;
    struct node a = {.height = 3, .syncing = true}, b = {.height = 4, .syncing = true};
    struct rpc *r = client_of(&a, &b, NULL);
    assert_int_equal(height_by(r), 3);
    rpc_destroy(r);
    stop(&a);
    stop(&b);
}

static void leaves_a_node_that_stands_still(void **state)
{
    (void)state;
    struct node a = {.height = 7}, b = {.height = 20};
    struct rpc *r = client_of(&a, &b, NULL);
    uint64_t height = 0;
    for (int i = 0; i < 150 && height != 20; i++) { /* 5 s, and some for a busy machine */
        height = height_by(r);
        usleep(100000);
    }
    assert_int_equal(height, 20);
    rpc_destroy(r);
    stop(&a);
    stop(&b);
}

static void asks_a_single_node_nothing_more_than_it_was_told_to(void **state)
{
    (void)state;
    struct node a = {.height = 5}, unused = {.height = 5};
    struct rpc *both = client_of(&a, &unused, NULL);
    struct rpc *r = NULL;
    char error[JSON_ERROR_SIZE];
    struct rpc_options options = {.urls = a.url};
    assert_int_equal(rpc_create(&r, &options, error), OK);
    assert_int_equal(height_by(r), 5);
    a.height = 4; /* one's own node is believed */
    assert_int_equal(height_by(r), 4);
    rpc_destroy(r);
    rpc_destroy(both);
    stop(&a);
    stop(&unused);
}

/* The first node takes the transaction, tells nobody and dies. */
static void *kill_soon(void *context)
{
    struct node *n = context;
    while (n->txs_taken == 0)
        usleep(10000);
    usleep(100000);
    stop(n);
    return NULL;
}

static void sends_a_transaction_again_when_its_node_dies(void **state)
{
    (void)state;
    struct node a = {.height = 5, .deaf = true}, b = {.height = 5};
    struct rpc *r = client_of(&a, &b, NULL);
    struct key key = {0};
    struct sender sender;
    struct tx_receipt receipt = {0};
    struct tx_request request = {.gas_limit = 21000};
    pthread_t killer;
    key.secret[31] = 7;
    assert_int_equal(sender_init(&sender, r, &key), OK);
    assert_int_equal(pthread_create(&killer, NULL, kill_soon, &a), 0);
    assert_int_equal(sender_send(&sender, &receipt, &request), OK);
    pthread_join(killer, NULL);
    assert_true(receipt.success);
    assert_int_equal(receipt.block_number, 9);
    assert_int_equal(b.txs_taken, 1);
    tx_receipt_finish(&receipt);
    sender_finish(&sender);
    rpc_destroy(r);
    stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stays_with_the_node_that_answers),
        cmocka_unit_test(outlives_the_death_of_a_node),
        cmocka_unit_test(never_goes_back_in_time),
        cmocka_unit_test(waits_for_a_node_that_is_behind),
        cmocka_unit_test(passes_over_a_node_that_is_catching_up),
        cmocka_unit_test(asks_a_node_that_is_catching_up_rather_than_none),
        cmocka_unit_test(leaves_a_node_that_stands_still),
        cmocka_unit_test(asks_a_single_node_nothing_more_than_it_was_told_to),
        cmocka_unit_test(sends_a_transaction_again_when_its_node_dies),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
