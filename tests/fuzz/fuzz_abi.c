/* Returns, events, errors and calls of the embedded ABIs from hostile bytes; and ABIs themselves.
 */
#include "client/contracts.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const functions[CONTRACT_COUNT][4] = {
    [CONTRACT_STAKING] = {"validator", "nextSet", "candidates", "unbonding"},
    [CONTRACT_PROVIDERS] = {"provider", "offers", "gpu", "providerCount"},
    [CONTRACT_JOBS] = {"getJob", "getReplicas", "jobsOf", "parameters"},
    [CONTRACT_SCHEDULER] = {"cursor", "pending", "pendingAt", "liabilities"},
    [CONTRACT_DISPUTES] = {"getCase", "seatsOf", "dutiesOf", "parameters"},
    [CONTRACT_CUSTODY] = {"getDemand", "demandsOf", "parameters", "liabilities"},
};

static void use(json_t *decoded, enum status status)
{
    char line[ABI_PROBLEM_SIZE];
    if (status != OK) return;
    abi_describe(line, decoded);
    json_decref(decoded);
}

static void decode_all(const struct abi *a, const char *function, struct bytes rest)
{
    json_t *out = NULL;
    struct hash topics[3] = {0};
    enum status status = abi_decode_return(&out, a, function, rest);
    if (status == OK) json_decref(out);
    status = abi_decode_error(&out, a, rest);
    use(out, status);
    status = abi_decode_call(&out, a, rest);
    use(out, status);
    if (rest.size < sizeof topics) return;
    memcpy(topics, rest.data, sizeof topics);
    struct bytes data = bytes_slice(rest, sizeof topics, rest.size - sizeof topics);
    for (size_t count = 1; count <= 3; count++) {
        status = abi_decode_event(&out, a, topics, count, data);
        use(out, status);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    struct bytes rest = bytes_of(data + 2, size - 2);
    unsigned id = data[0] % (CONTRACT_COUNT + 1);
    if (id == CONTRACT_COUNT) {
        struct abi *a = NULL;
        char error[JSON_ERROR_SIZE];
        if (abi_parse(&a, error, rest) == OK) abi_destroy(a);
        return 0;
    }
    decode_all(contract_abi((enum contract_id)id), functions[id][data[1] % 4], rest);
    return 0;
}
