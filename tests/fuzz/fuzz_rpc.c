/* Any body gets a JSON answer or none, whatever the handlers make of it. */
#include "net/rpc.h"

#include "node/rpc_json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every reader of parameters over the same value; what they refuse goes into a reply of their own.
 */
static void read_everything(const json_t *value)
{
    struct rpc_reply reply = {0};
    struct arena arena = {0};
    read_quantity(&reply, value, "quantity");
    read_address(&reply, value, "address");
    read_hash(&reply, value, "hash");
    read_slot(&reply, value);
    read_data(&reply, &arena, value, "data");
    read_bool(&reply, value, "flag");
    read_tag(&reply, value);
    arena_finish(&arena);
}

static void echo(void *context, struct rpc_reply *reply, json_t *const *params)
{
    (void)context;
    if (params[0] != NULL) read_everything(params[0]);
    if (json_is_true(params[0]))
        rpc_error(reply, RPC_REFUSED, "refused");
    else
        rpc_result(reply, params[0] ? json_incref(params[0]) : json_null());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rpc_method methods[] = {{"e", echo, 0, 2}, {"eth_call", echo, 1, 3}};
    static const struct rpc_table table = {methods, 2};
    struct buffer out = {0};
    rpc_handle(&out, NULL, &table, NULL, bytes_of(data, size));
    if (out.size > 0) {
        json_t *answer = json_loadb((const char *)out.data, out.size, JSON_DECODE_ANY, NULL);
        if (answer == NULL) abort();
        json_decref(answer);
    }
    buffer_finish(&out);
    return 0;
}
