/* The methods as a client meets them: a whole node in a process of its own, asked over HTTP. */
#include "node/node.h"

#include "base/file.h"
#include "node/options.h"
#include "tests/node/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#define SECRET "0x0000000000000000000000000000000000000000000000000000000000000007"

static struct network network;
static pid_t node_process;
static uint16_t port;

static void be_the_node(void)
{
    struct node *node = NULL;
    char error[NODE_ERROR_SIZE] = "";
    struct config config = {.data_dir = network_path(&network, "data"),
                            .genesis = network_path(&network, "genesis.json"),
                            .validator_key = network_path(&network, "key"),
                            .rpc_listen = "127.0.0.1:0",
                            .rpc_hosts = "",
                            .listen = "",
                            .advertise = "",
                            .peers = "",
                            .rpc_threads = 2,
                            .rpc_gas_cap = 50000000,
                            .rpc_call_ms = 5000,
                            .rpc_log_range = 10000,
                            .rpc_log_count = 10000};
    if (node_open(&node, error, &config) != OK) fatal("%s", error);
    node_run(node);
    node_close(node);
    network_forget(&network);
    exit(0);
}

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static int start_node(void **state)
{
    struct buffer text = {0};
    (void)state;
    network_make(&network, 50, 1000);
    if (file_write_atomic(network_path(&network, "key"), bytes_of_text(SECRET "\n"), 0600) != OK)
        return -1;
    node_process = fork();
    if (node_process == 0) be_the_node();
    for (int i = 0; i < 200 && text.size == 0; i++) {
        pause_ms(50);
        if (file_read(&text, network_path(&network, "data/rpc.port"), 16) != OK) continue;
    }
    port = (uint16_t)strtoul(buffer_text(&text), NULL, 10);
    buffer_finish(&text);
    return node_process > 0 && port != 0 ? 0 : -1;
}

static int stop_node(void **state)
{
    int result = -1;
    (void)state;
    kill(node_process, SIGTERM);
    waitpid(node_process, &result, 0);
    network_remove(&network);
    return WIFEXITED(result) && WEXITSTATUS(result) == 0 ? 0 : -1;
}

/* What the node answers; NULL if it did not. */
static json_t *ask(const char *body)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct buffer text = {0};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return NULL;
    }
    buffer_print(&text,
                 "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                 "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                 strlen(body), body);
    ssize_t got = write(fd, text.data, text.size);
    buffer_clear(&text);
    while (got > 0) {
        got = read(fd, buffer_extend(&text, 4096), 4096);
        text.size -= got > 0 ? 4096 - (size_t)got : 4096;
    }
    close(fd);
    const char *start = text.size > 0 ? strstr(buffer_text(&text), "\r\n\r\n") : NULL;
    json_t *answer = start ? json_loads(start + 4, 0, NULL) : NULL;
    buffer_finish(&text);
    return answer;
}

static json_t *call(const char *method, const char *params)
{
    struct buffer body = {0};
    buffer_print(&body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method,
                 params);
    json_t *answer = ask(buffer_text(&body));
    buffer_finish(&body);
    return answer;
}

static void expect_code(const char *method, const char *params, int code)
{
    json_t *answer = call(method, params);
    if (answer == NULL) fail_msg("no answer to %s %s", method, params);
    json_int_t got = json_integer_value(json_object_get(json_object_get(answer, "error"), "code"));
    if (got != code) fail_msg("%s %s: code %d", method, params, (int)got);
    json_decref(answer);
}

static void refuses_a_filter_whose_blocks_it_cannot_read(void **state)
{
    static const char *const wrong[] = {
        "[{\"fromBlock\":\"banana\"}]", "[{\"toBlock\":\"0xzz\"}]", "[{\"fromBlock\":7}]",
        "[{\"blockHash\":\"0x12\"}]",
        "[{\"fromBlock\":\"0x1111111111111111111111111111111111111111111111111111111111111111\"}]"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        json_t *answer = call("eth_newFilter", wrong[i]);
        assert_non_null(answer);
        json_t *id = json_object_get(answer, "result");
        if (id != NULL) { /* asking it for news must not end the node either */
            char params[64];
            snprintf(params, sizeof params, "[\"%s\"]", json_string_value(id));
            json_decref(call("eth_getFilterChanges", params));
        }
        if (id != NULL) fail_msg("took %s", wrong[i]);
        json_decref(answer);
    }
    expect_code("eth_newFilter", wrong[0], -32602);
    assert_int_equal(waitpid(node_process, NULL, WNOHANG), 0); /* it lives */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_a_filter_whose_blocks_it_cannot_read),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, start_node, stop_node);
}
