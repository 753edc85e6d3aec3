#include "net/rpc.h"

#include "base/json.h"
#include "net/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void echo(void *context, struct rpc_reply *reply, json_t *const *params)
{
    (void)context;
    rpc_result(reply, json_pack("[O?, O?]", params[0], params[1]));
}

static void count_up(void *context, struct rpc_reply *reply, json_t *const *params)
{
    int *calls = context;
    (void)params;
    rpc_result(reply, json_integer(++*calls));
}

static void revert(void *context, struct rpc_reply *reply, json_t *const *params)
{
    (void)context;
    (void)params;
    rpc_error(reply, RPC_REVERTED, "execution reverted: %s", "no");
    rpc_error(reply, RPC_INTERNAL_ERROR, "only the first error is kept");
    rpc_error_data(reply, json_string("0x08c379a0"));
}

static const struct rpc_method METHODS[] = {
    {"t_echo", echo, 1, 2},
    {"t_count", count_up, 0, 0},
    {"t_revert", revert, 0, 0},
};
static const struct rpc_table TABLE = {METHODS, 3};

/* The answer as JSON; NULL when there is none. The caller decrefs. */
static json_t *ask(const char *body)
{
    int calls = 0;
    struct buffer out = {0};
    json_t *answer = NULL;
    rpc_handle(&out, NULL, &TABLE, &calls, bytes_of_text(body));
    if (out.size > 0) {
        answer = json_loadb((const char *)out.data, out.size, 0, NULL);
        assert_non_null(answer);
    }
    buffer_finish(&out);
    return answer;
}

static void expect_error(const char *body, int code, const char *message)
{
    json_t *answer = ask(body);
    json_t *error = json_object_get(answer, "error");
    assert_non_null(error);
    assert_null(json_object_get(answer, "result"));
    assert_string_equal(json_string_value(json_object_get(answer, "jsonrpc")), "2.0");
    assert_int_equal(json_integer_value(json_object_get(error, "code")), code);
    assert_string_equal(json_string_value(json_object_get(error, "message")), message);
    json_decref(answer);
}

static void expect_answer(const char *body, const char *want_text)
{
    json_t *answer = ask(body);
    json_t *want = json_loads(want_text, 0, NULL);
    assert_non_null(want);
    if (!json_equal(answer, want)) {
        char *got = json_dumps(answer, JSON_ENCODE_ANY);
        fail_msg("answered %s to %s", got ? got : "nothing", body);
    }
    json_decref(answer);
    json_decref(want);
}

static void gives_absent_parameters_as_null(void **state)
{
    (void)state;
    expect_answer("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"t_echo\",\"params\":[7]}",
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[7,null]}");
    expect_answer("{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"t_echo\",\"params\":[7,null]}",
                  "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":[7,null]}");
    expect_answer("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"t_count\"}",
                  "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":1}");
}

static void words_errors_as_other_clients_do(void **state)
{
    (void)state;
    expect_error("{", RPC_PARSE_ERROR, "parse error");
    expect_error("", RPC_PARSE_ERROR, "parse error");
    expect_error("\xff\xfe", RPC_PARSE_ERROR, "parse error");
    expect_error("{\"id\":1,\"id\":2}", RPC_PARSE_ERROR, "parse error");
    expect_error("{}", RPC_INVALID_REQUEST, "invalid request");
    expect_error("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"t_count\"}", RPC_INVALID_REQUEST,
                 "invalid request");
    expect_error("{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"t_count\"}", RPC_INVALID_REQUEST,
                 "invalid request");
    expect_error("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":5}", RPC_INVALID_REQUEST,
                 "invalid request");
    expect_error("[]", RPC_INVALID_REQUEST, "empty batch");
    expect_error("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no_such\"}", RPC_METHOD_NOT_FOUND,
                 "the method no_such does not exist/is not available");
    expect_error("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"t_echo\"}", RPC_INVALID_PARAMS,
                 "missing value for required argument 0");
    expect_error("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"t_count\",\"params\":[1]}",
                 RPC_INVALID_PARAMS, "too many arguments, want at most 0");
    expect_error("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"t_echo\",\"params\":{\"a\":1}}",
                 RPC_INVALID_PARAMS, "non-array args");
}

static void puts_what_a_revert_returned_into_data(void **state)
{
    (void)state;
    expect_answer("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"t_revert\"}",
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":3,"
                  "\"message\":\"execution reverted: no\",\"data\":\"0x08c379a0\"}}");
}

static void answers_no_notification(void **state)
{
    (void)state;
    assert_null(ask("{\"jsonrpc\":\"2.0\",\"method\":\"t_count\"}"));
    assert_null(ask("[{\"jsonrpc\":\"2.0\",\"method\":\"t_count\"}]"));
    expect_answer("[{\"jsonrpc\":\"2.0\",\"method\":\"t_count\"},"
                  "{\"jsonrpc\":\"2.0\",\"method\":\"t_count\",\"id\":9},"
                  "{\"jsonrpc\":\"2.0\",\"method\":\"t_count\"}]",
                  "[{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":2}]");
}

static void answers_a_batch_in_order_with_bad_parts_in_place(void **state)
{
    (void)state;
    expect_answer("[{\"jsonrpc\":\"2.0\",\"method\":\"t_count\",\"id\":1}, 5,"
                  "{\"jsonrpc\":\"2.0\",\"method\":\"t_count\",\"id\":2}]",
                  "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1},"
                  "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,"
                  "\"message\":\"invalid request\"}},"
                  "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":2}]");
}

static void refuses_a_batch_over_the_limit_whole(void **state)
{
    (void)state;
    struct buffer body = {0};
    buffer_print(&body, "[");
    for (int i = 0; i <= RPC_BATCH_MAX; i++)
        buffer_print(&body, "%s{\"jsonrpc\":\"2.0\",\"method\":\"t_count\",\"id\":%d}",
                     i ? "," : "", i);
    buffer_print(&body, "]");
    expect_error(buffer_text(&body), RPC_INVALID_REQUEST, "batch too large");
    buffer_finish(&body);
}

static void refuses_a_body_of_too_many_values_before_parsing(void **state)
{
    (void)state;
    struct buffer body = {0};
    for (int i = 0; i <= RPC_NODES_MAX; i++)
        buffer_append_byte(&body, '[');
    expect_error(buffer_text(&body), RPC_INVALID_REQUEST, "request has too many values");
    buffer_finish(&body);
}

static void counts_requests_and_errors(void **state)
{
    (void)state;
    struct rpc_counts counts = {0};
    struct buffer out = {0};
    int calls = 0;
    rpc_handle(&out, &counts, &TABLE, &calls,
               bytes_of_text("[{\"jsonrpc\":\"2.0\",\"method\":\"t_count\",\"id\":1},"
                             "{\"jsonrpc\":\"2.0\",\"method\":\"t_none\",\"id\":1},7]"));
    assert_int_equal(counts.requests, 3);
    assert_int_equal(counts.errors, 2);
    buffer_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_absent_parameters_as_null),
        cmocka_unit_test(words_errors_as_other_clients_do),
        cmocka_unit_test(puts_what_a_revert_returned_into_data),
        cmocka_unit_test(answers_no_notification),
        cmocka_unit_test(answers_a_batch_in_order_with_bad_parts_in_place),
        cmocka_unit_test(refuses_a_batch_over_the_limit_whole),
        cmocka_unit_test(refuses_a_body_of_too_many_values_before_parsing),
        cmocka_unit_test(counts_requests_and_errors),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
