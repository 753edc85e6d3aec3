#include "client/rpc_answer.h"

#include "base/hex.h"

#include <stdio.h>
#include <string.h>

static void keep_data(struct rpc_error *e, const json_t *data)
{
    const char *text = json_string_value(data);
    if (text == NULL) text = json_string_value(json_object_get(data, "data"));
    if (text == NULL) return;
    struct buffer decoded = {0};
    if (hex_decode(&decoded, bytes_of_text(text)) == OK && decoded.size <= sizeof e->data) {
        if (decoded.size > 0) memcpy(e->data, decoded.data, decoded.size);
        e->data_size = decoded.size;
    }
    buffer_finish(&decoded);
}

static void keep_error(struct rpc_error *e, const json_t *error)
{
    const char *message = json_string_value(json_object_get(error, "message"));
    json_int_t code = json_integer_value(json_object_get(error, "code"));
    *e = (struct rpc_error){0};
    if (code >= INT32_MIN && code <= INT32_MAX) e->code = (int)code;
    snprintf(e->message, sizeof e->message, "%s",
             message != NULL ? message : "the node gave no reason");
    for (char *c = e->message; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = ' ';
    keep_data(e, json_object_get(error, "data"));
}

enum status rpc_answer_read(json_t **out, struct rpc_error *error, struct bytes body, uint64_t id)
{
    char problem[JSON_ERROR_SIZE];
    json_t *answer = NULL;
    if (json_parse(&answer, problem, body) != OK) return E_MALFORMED;
    const json_t *error_object = json_object_get(answer, "error");
    const json_t *answer_id = json_object_get(answer, "id");
    json_t *result = json_object_get(answer, "result");
    enum status status = OK;
    if (json_is_object(error_object)) {
        keep_error(error, error_object);
        status = E_DENIED;
    } else if (result == NULL || !json_is_integer(answer_id) ||
               (uint64_t)json_integer_value(answer_id) != id) {
        status = E_MALFORMED;
    } else {
        *out = json_incref(result);
    }
    json_decref(answer);
    return status;
}
