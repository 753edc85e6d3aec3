#include "compute/judge_chain.h"

#include "base/keccak.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* A view's single value comes back under its name or, unnamed, under "0". */
static const char *const FIRST = "0";

static void read_sources(struct judge_job *out, const json_t *replicas)
{
    size_t index;
    json_t *replica;
    json_array_foreach(replicas, index, replica)
    {
        const char *endpoint = abi_get_text(replica, "endpoint");
        struct fetch_source *s = &out->sources[out->source_count];
        if (out->source_count == FETCH_SOURCES_MAX) return;
        if (endpoint[0] == 0 || strlen(endpoint) >= sizeof s->endpoint) continue;
        snprintf(s->endpoint, sizeof s->endpoint, "%s", endpoint);
        s->tls_key_hash = abi_get_hash(replica, "tlsKeyHash");
        out->source_count++;
    }
}

enum status judge_find_job(struct rpc *rpc, struct judge_job *out, uint64_t job)
{
    json_t *answer = NULL;
    enum status status =
        contract_call(rpc, &answer, CONTRACT_JOBS, "getJob", json_pack("[o]", abi_u64(job)));
    if (status != OK) return status;
    const json_t *spec = abi_get(answer, "spec");
    struct judge_job found = {.id = job};
    found.bundle_root = abi_get_hash(spec, "bundleRoot");
    found.bundle_size = abi_get_u64(spec, "bundleSize");
    found.seconds_limit = (uint32_t)abi_get_u64(spec, "secondsLimit");
    json_decref(answer);
    status =
        contract_call(rpc, &answer, CONTRACT_JOBS, "getReplicas", json_pack("[o]", abi_u64(job)));
    if (status != OK) return status;
    read_sources(&found, abi_get(answer, FIRST));
    json_decref(answer);
    *out = found;
    return OK;
}

enum status judge_read_factor(struct rpc *rpc, uint32_t *out)
{
    json_t *answer = NULL;
    enum status status = contract_call(rpc, &answer, CONTRACT_DISPUTES, "parameters", NULL);
    if (status != OK) return status;
    uint64_t factor = abi_get_u64(answer, abi_get(answer, "judgeFactor") ? "judgeFactor" : FIRST);
    *out = factor < 1 ? 1 : factor > UINT32_MAX ? UINT32_MAX : (uint32_t)factor;
    json_decref(answer);
    return OK;
}

enum status judge_find_key(struct rpc *rpc, struct address *out,
                           const struct address *operator_account)
{
    json_t *answer = NULL;
    enum status status = contract_call(rpc, &answer, CONTRACT_DISPUTES, "judgeOf",
                                       json_pack("[o]", abi_address(operator_account)));
    if (status != OK) return status;
    *out = abi_get_address(answer, FIRST);
    json_decref(answer);
    return OK;
}

struct hash judge_commitment(const struct address *operator_account, unsigned round,
                             const struct journal_entry *entry)
{
    uint8_t words[7][32] = {{0}};
    assert(round < CASE_ROUNDS_MAX);
    store_be64(words[0] + 24, entry->job);
    words[1][31] = (uint8_t)round;
    memcpy(words[2] + 12, operator_account->b, sizeof operator_account->b);
    memcpy(words[3], entry->root.b, 32);
    words[4][31] = entry->exit_reason;
    memcpy(words[5], entry->trace.b, 32);
    memcpy(words[6], entry->salt.b, 32);
    return keccak256(bytes_of(words, sizeof words));
}

static enum status send(struct sender *s, const char *function, json_t *args)
{
    struct tx_receipt receipt = {0};
    enum status status =
        contract_send(s, &receipt, CONTRACT_DISPUTES, function, args, u256_from_u64(0));
    tx_receipt_finish(&receipt);
    return status;
}

enum status judge_seal(struct sender *s, const struct hash *commitment, uint64_t job)
{
    return send(s, "sealVerdict", json_pack("[o,o]", abi_u64(job), abi_hash(commitment)));
}

enum status judge_reveal(struct sender *s, const struct journal_entry *entry)
{
    assert(entry->stage >= JOURNAL_RAN);
    return send(s, "revealVerdict",
                json_pack("[o,o,o,o,o]", abi_u64(entry->job), abi_hash(&entry->root),
                          abi_u64(entry->exit_reason), abi_hash(&entry->trace),
                          abi_hash(&entry->salt)));
}
