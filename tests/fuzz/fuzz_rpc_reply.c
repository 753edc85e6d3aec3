/* What a node, or whoever sits at its port, may answer: any text, and logs with any content. */
#include "client/contracts.h"
#include "client/rpc_answer.h"

#include "base/cursor.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_answer(struct bytes text)
{
    json_t *result = NULL;
    struct rpc_error error = {0};
    if (rpc_answer_read(&result, &error, text, 1) != OK) return;
    struct tx_receipt receipt = {.logs = result}; /* as if it were a receipt's logs */
    json_t *events = contract_receipt_events(&receipt);
    json_decref(events);
    json_decref(result);
}

static json_t *log_from(struct cursor *c)
{
    uint8_t kind = cursor_u8(c);
    struct address at = contract_address((enum contract_id)(kind % CONTRACT_COUNT));
    json_t *topics = json_array();
    for (int i = 0; i < kind / 64 + 1; i++) {
        struct hash h = cursor_hash(c);
        json_array_append_new(topics, abi_hash(&h));
    }
    struct bytes data = cursor_bytes(c, c->rest.size);
    return json_pack("[{s:o,s:o,s:o,s:s}]", "address", abi_address(&at), "topics", topics, "data",
                     abi_bytes(data), "blockNumber", "0x1");
}

static json_t *error_from(struct cursor *c)
{
    uint32_t code = cursor_u32(c);
    struct bytes data = cursor_bytes(c, c->rest.size);
    return json_pack("{s:I,s:s,s:o}", "code", (json_int_t)(int32_t)code, "message", "\x01", "data",
                     abi_bytes(data));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cursor_over(bytes_of(data, size));
    read_answer(bytes_of(data, size));
    bool log = cursor_u8(&c) % 2 == 0;
    json_t *answer = json_pack("{s:s,s:i,s:o}", "jsonrpc", "2.0", "id", 1, log ? "result" : "error",
                               log ? log_from(&c) : error_from(&c));
    char *text = json_dumps(answer, JSON_COMPACT);
    read_answer(bytes_of_text(text));
    free(text);
    json_decref(answer);
    return 0;
}
