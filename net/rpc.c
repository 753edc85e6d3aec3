#include "net/rpc.h"

#include "base/fatal.h"
#include "base/json.h"
#include "net/limits.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void rpc_result(struct rpc_reply *reply, json_t *value)
{
    assert(reply->result == NULL && reply->code == 0);
    if (value == NULL) fatal("no memory for an RPC result");
    reply->result = value;
}

void rpc_error(struct rpc_reply *reply, int code, const char *format, ...)
{
    assert(code != 0);
    if (reply->code != 0) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reply->message, sizeof reply->message, format, arguments);
    va_end(arguments);
    reply->code = code;
    json_decref(reply->result);
    reply->result = NULL;
}

bool rpc_failed(const struct rpc_reply *reply)
{
    return reply->code != 0;
}

void rpc_error_data(struct rpc_reply *reply, json_t *data)
{
    assert(reply->code != 0 && reply->data == NULL);
    reply->data = data;
}

static void reply_finish(struct rpc_reply *reply)
{
    json_decref(reply->result);
    json_decref(reply->data);
    *reply = (struct rpc_reply){0};
}

static const struct rpc_method *method_find(const struct rpc_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->methods[i].name, name) == 0) return &table->methods[i];
    return NULL;
}

/* Lays the positional parameters out; JSON null counts as absent. */
static void read_params(json_t **out, struct rpc_reply *reply, const struct rpc_method *method,
                        json_t *params)
{
    assert(method->params_min <= method->params_max && method->params_max <= RPC_PARAMS_MAX);
    if (params != NULL && !json_is_array(params) && !json_is_null(params)) {
        rpc_error(reply, RPC_INVALID_PARAMS, "non-array args");
        return;
    }
    size_t given = json_array_size(params);
    if (given > method->params_max) {
        rpc_error(reply, RPC_INVALID_PARAMS, "too many arguments, want at most %zu",
                  method->params_max);
        return;
    }
    for (size_t i = 0; i < method->params_max; i++) {
        json_t *value = json_array_get(params, i);
        out[i] = json_is_null(value) ? NULL : value;
        if (i < method->params_min && out[i] == NULL)
            rpc_error(reply, RPC_INVALID_PARAMS, "missing value for required argument %zu", i);
    }
}

static bool is_id(const json_t *id)
{
    if (json_is_string(id)) return json_string_length(id) <= RPC_ID_BYTES_MAX;
    return json_is_number(id) || json_is_null(id);
}

static bool is_request(const json_t *request)
{
    const char *version = json_string_value(json_object_get(request, "jsonrpc"));
    const json_t *id = json_object_get(request, "id");
    if (version == NULL || strcmp(version, "2.0") != 0) return false;
    if (!json_is_string(json_object_get(request, "method"))) return false;
    return id == NULL || is_id(id);
}

static void call(struct rpc_reply *reply, const struct rpc_table *table, void *context,
                 const json_t *request)
{
    json_t *params[RPC_PARAMS_MAX] = {NULL};
    const char *name = json_string_value(json_object_get(request, "method"));
    const struct rpc_method *method = method_find(table, name);
    if (method == NULL) {
        rpc_error(reply, RPC_METHOD_NOT_FOUND, "the method %.100s does not exist/is not available",
                  name);
        return;
    }
    read_params(params, reply, method, json_object_get(request, "params"));
    if (rpc_failed(reply)) return;
    method->handle(context, reply, params);
    assert((reply->result != NULL) != (reply->code != 0)); /* a handler answers exactly once */
}

static json_t *error_object(const struct rpc_reply *reply)
{
    json_t *error = json_object();
    /* A message may quote what the caller sent; bytes that are no UTF-8 must not lose it. */
    json_t *message = json_string(reply->message);
    json_object_set_new(error, "code", json_integer(reply->code));
    json_object_set_new(error, "message", message ? message : json_string("invalid request"));
    if (reply->data) json_object_set(error, "data", reply->data);
    return error;
}

static int append_text(const char *text, size_t size, void *out)
{
    buffer_append(out, bytes_of(text, size));
    return 0;
}

static void append_json(struct buffer *out, const json_t *value)
{
    if (json_dump_callback(value, append_text, out, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
        fatal("writing an RPC answer as JSON");
}

static void append_reply(struct buffer *out, const struct rpc_reply *reply, json_t *id)
{
    json_t *envelope = json_object();
    json_object_set_new(envelope, "jsonrpc", json_string("2.0"));
    json_object_set_new(envelope, "id", id ? json_incref(id) : json_null());
    if (reply->code == 0)
        json_object_set(envelope, "result", reply->result);
    else
        json_object_set_new(envelope, "error", error_object(reply));
    append_json(out, envelope);
    json_decref(envelope);
}

static void append_error(struct buffer *out, json_t *id, int code, const char *message)
{
    struct rpc_reply reply = {0};
    rpc_error(&reply, code, "%s", message);
    append_reply(out, &reply, id);
    reply_finish(&reply);
}

/* True when something was appended: a notification gets no answer. */
static bool answer(struct buffer *out, struct rpc_counts *counts, const struct rpc_table *table,
                   void *context, const json_t *request)
{
    counts->requests++;
    if (!is_request(request)) {
        counts->errors++;
        json_t *id = json_object_get(request, "id");
        append_error(out, id && is_id(id) ? id : NULL, RPC_INVALID_REQUEST, "invalid request");
        return true;
    }
    struct rpc_reply reply = {0};
    json_t *id = json_object_get(request, "id");
    call(&reply, table, context, request);
    counts->errors += reply.code != 0;
    if (id != NULL) append_reply(out, &reply, id);
    reply_finish(&reply);
    return id != NULL;
}

static void answer_batch(struct buffer *out, struct rpc_counts *counts,
                         const struct rpc_table *table, void *context, const json_t *batch)
{
    size_t start = out->size, answers = 0;
    for (size_t i = 0; i < json_array_size(batch); i++) {
        const json_t *request = json_array_get(batch, i);
        size_t before = out->size;
        buffer_append_byte(out, answers == 0 ? '[' : ',');
        bool answered;
        if (before - start > RPC_RESPONSE_BYTES_MAX) {
            counts->requests++;
            counts->errors++;
            append_error(out, json_object_get(request, "id"), RPC_TOO_LARGE, "response too large");
            answered = true;
        } else {
            answered = answer(out, counts, table, context, request);
        }
        if (answered)
            answers++;
        else
            out->size = before;
    }
    if (answers > 0) buffer_append_byte(out, ']');
}

/* jansson needs some 100 bytes for each "[]": the count is bounded before it parses. */
static bool too_many_nodes(struct bytes body)
{
    size_t count = 0;
    for (size_t i = 0; i < body.size; i++)
        count += body.data[i] == ',' || body.data[i] == '{' || body.data[i] == '[';
    return count > RPC_NODES_MAX;
}

static void answer_root(struct buffer *out, struct rpc_counts *counts,
                        const struct rpc_table *table, void *context, const json_t *root)
{
    if (!json_is_array(root)) {
        answer(out, counts, table, context, root);
        return;
    }
    size_t size = json_array_size(root);
    if (size > 0 && size <= RPC_BATCH_MAX) {
        answer_batch(out, counts, table, context, root);
        return;
    }
    counts->requests++;
    counts->errors++;
    append_error(out, NULL, RPC_INVALID_REQUEST, size == 0 ? "empty batch" : "batch too large");
}

void rpc_handle(struct buffer *out, struct rpc_counts *counts, const struct rpc_table *table,
                void *context, struct bytes body)
{
    struct rpc_counts unused = {0};
    json_t *root = NULL;
    char error[JSON_ERROR_SIZE];
    if (counts == NULL) counts = &unused;
    bool complex = too_many_nodes(body);
    if (complex || json_parse(&root, error, body) != OK) {
        counts->requests++;
        counts->errors++;
        append_error(out, NULL, complex ? RPC_INVALID_REQUEST : RPC_PARSE_ERROR,
                     complex ? "request has too many values" : "parse error");
        return;
    }
    answer_root(out, counts, table, context, root);
    json_decref(root);
}
