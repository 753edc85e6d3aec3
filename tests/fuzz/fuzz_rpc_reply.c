/* What a node, or whoever sits at its port, may answer. */
#include "client/contracts.h"
#include "client/rpc_answer.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *result = NULL;
    struct rpc_error error = {0};
    enum status status = rpc_answer_read(&result, &error, bytes_of(data, size), 1);
    if (status != OK) return 0;
    struct tx_receipt receipt = {.logs = result}; /* as if it were a receipt's logs */
    json_t *events = contract_receipt_events(&receipt);
    json_decref(events);
    json_decref(result);
    return 0;
}
