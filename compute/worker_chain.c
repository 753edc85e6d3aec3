#include "compute/worker_chain.h"

#include "base/keccak.h"

#include <assert.h>
#include <string.h>

/* A view's single value comes back under its name or, unnamed, under "0". */
static const char *const FIRST = "0";

enum status chain_is_devnet(struct rpc *rpc, bool *out)
{
    json_t *answer = NULL;
    enum status status = rpc_call(rpc, &answer, "leasehold_status", NULL);
    if (status != OK) return status;
    *out = json_is_true(json_object_get(answer, "devnet"));
    json_decref(answer);
    return OK;
}

enum status chain_read_parameters(struct worker_chain *c)
{
    json_t *answer = NULL;
    enum status status = contract_call(c->rpc, &answer, CONTRACT_JOBS, "parameters", NULL);
    if (status != OK) return status;
    c->decline_window_s = abi_get_u64(answer, "declineWindow");
    json_decref(answer);
    return OK;
}

static enum status read_quantity(uint64_t *out, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    struct u256 value;
    if (!text || u256_from_quantity(&value, bytes_of_text(text)) != OK) return E_MALFORMED;
    *out = u256_to_u64_saturating(value);
    return OK;
}

enum status chain_head(struct worker_chain *c, uint64_t *out_number, uint64_t *out_time_s)
{
    json_t *block = NULL;
    enum status status =
        rpc_call(c->rpc, &block, "eth_getBlockByNumber", json_pack("[s,b]", "latest", 0));
    if (status != OK) return status;
    status = read_quantity(out_number, block, "number");
    if (status == OK) status = read_quantity(out_time_s, block, "timestamp");
    json_decref(block);
    return status;
}

enum status chain_registration(struct worker_chain *c, struct address *out_worker,
                               struct hash *out_tls_key_hash)
{
    json_t *p = NULL;
    enum status status = contract_call(c->rpc, &p, CONTRACT_PROVIDERS, "provider",
                                       json_pack("[o]", abi_address(&c->owner)));
    if (status != OK) return status;
    *out_worker = abi_get_address(p, "worker");
    *out_tls_key_hash = abi_get_hash(p, "tlsKeyHash");
    bool registered = abi_get_u64(p, "status") != 0;
    json_decref(p);
    return registered ? OK : E_NOT_FOUND;
}

enum status chain_active_jobs(struct worker_chain *c, uint64_t out[WORKER_JOBS_MAX],
                              size_t *out_count)
{
    json_t *answer = NULL;
    enum status status = contract_call(c->rpc, &answer, CONTRACT_JOBS, "activeJobs",
                                       json_pack("[o]", abi_address(&c->owner)));
    if (status != OK) return status;
    *out_count = chain_read_ids(out, WORKER_JOBS_MAX, answer);
    json_decref(answer);
    return OK;
}

static void note_other(struct chain_job *job, const json_t *replica)
{
    enum chain_replica_state state = (enum chain_replica_state)abi_get_u64(replica, "state");
    const char *endpoint = abi_get_text(replica, "endpoint");
    if (state == CHAIN_REPLICA_VACANT || state >= CHAIN_REPLICA_FAULTED) return;
    if (job->other_count == CHAIN_REPLICAS_MAX || strlen(endpoint) >= ENDPOINT_BYTES) return;
    struct relay_source *other = &job->others[job->other_count++];
    *other = (struct relay_source){.tls_key_hash = abi_get_hash(replica, "tlsKeyHash")};
    memcpy(other->endpoint, endpoint, strlen(endpoint) + 1);
}

static enum status read_replicas(struct worker_chain *c, struct chain_job *job)
{
    json_t *answer = NULL;
    enum status status = contract_call(c->rpc, &answer, CONTRACT_JOBS, "getReplicas",
                                       json_pack("[o]", abi_u64(job->id)));
    if (status != OK) return status;
    size_t index;
    json_t *replica;
    json_array_foreach(abi_get(answer, FIRST), index, replica)
    {
        struct address provider = abi_get_address(replica, "provider");
        if (job->worker_count < CHAIN_REPLICAS_MAX)
            job->workers[job->worker_count++] = abi_get_address(replica, "worker");
        if (!address_equal(&provider, &c->owner)) {
            note_other(job, replica);
            continue;
        }
        job->mine = true;
        job->replica = (enum chain_replica_state)abi_get_u64(replica, "state");
        job->assigned_at_s = abi_get_u64(replica, "assignedAt");
        job->seal_by_s = abi_get_u64(replica, "sealBy");
        job->at_risk = job->in_case || !u256_is_zero(abi_get_u256(replica, "reserved"));
    }
    json_decref(answer);
    return OK;
}

enum status chain_find_job(struct worker_chain *c, struct chain_job *out, uint64_t job)
{
    json_t *j = NULL;
    enum status status =
        contract_call(c->rpc, &j, CONTRACT_JOBS, "getJob", json_pack("[o]", abi_u64(job)));
    if (status != OK) return status;
    const json_t *spec = abi_get(j, "spec");
    struct chain_job found = {.id = job};
    found.state = (enum chain_job_state)abi_get_u64(j, "state");
    found.renter = abi_get_address(j, "renter");
    found.ended_at_s = found.state >= CHAIN_JOB_AGREED ? abi_get_u64(j, "deadline") : 0;
    found.in_case = abi_get_bool(j, "inCase");
    found.bundle_root = abi_get_hash(spec, "bundleRoot");
    found.bundle_size = abi_get_u64(spec, "bundleSize");
    found.seconds_limit = (uint32_t)abi_get_u64(spec, "secondsLimit");
    found.runtime = (uint8_t)abi_get_u64(spec, "runtime");
    json_decref(j);
    status = read_replicas(c, &found);
    if (status == OK) *out = found;
    return status;
}

enum status chain_credit(struct worker_chain *c, struct u256 *out_wei, enum contract_id id)
{
    json_t *answer = NULL;
    enum status status =
        contract_call(c->rpc, &answer, id, "credit", json_pack("[o]", abi_address(&c->owner)));
    if (status != OK) return status;
    *out_wei = abi_get_u256(answer, FIRST);
    json_decref(answer);
    return OK;
}

struct hash chain_commitment(const struct address *owner, const struct journal_entry *entry)
{
    uint8_t words[6][32] = {{0}};
    store_be64(words[0] + 24, entry->job);
    memcpy(words[1] + 12, owner->b, sizeof owner->b);
    memcpy(words[2], entry->root.b, 32);
    words[3][31] = entry->exit_reason;
    memcpy(words[4], entry->trace.b, 32);
    memcpy(words[5], entry->salt.b, 32);
    return keccak256(bytes_of(words, sizeof words));
}

static enum status send_to(struct worker_chain *c, enum contract_id id, const char *function,
                           json_t *args)
{
    struct tx_receipt receipt = {0};
    enum status status = contract_send(c->sender, &receipt, id, function, args, u256_from_u64(0));
    tx_receipt_finish(&receipt);
    return status;
}

static enum status send(struct worker_chain *c, const char *function, json_t *args)
{
    return send_to(c, CONTRACT_JOBS, function, args);
}

enum status chain_seal(struct worker_chain *c, const struct journal_entry *entry)
{
    assert(entry->stage >= JOURNAL_RAN); /* the salt is safe on disk */
    struct hash commitment = chain_commitment(&c->owner, entry);
    return send(c, "seal", json_pack("[o,o]", abi_u64(entry->job), abi_hash(&commitment)));
}

enum status chain_reveal(struct worker_chain *c, const struct journal_entry *entry)
{
    assert(entry->stage >= JOURNAL_RAN);
    return send(c, "reveal",
                json_pack("[o,o,o,o,o,o,o]", abi_u64(entry->job), abi_hash(&entry->root),
                          abi_u64(entry->exit_reason), abi_hash(&entry->trace),
                          abi_u64(entry->output_size), abi_u64(entry->seconds),
                          abi_hash(&entry->salt)));
}

enum status chain_decline(struct worker_chain *c, uint64_t job, enum decline_reason why)
{
    return send(c, "decline", json_pack("[o,o]", abi_u64(job), abi_u64((uint64_t)why)));
}

enum status chain_sweep(struct worker_chain *c, enum contract_id id)
{
    return send_to(c, id, "withdrawFor", json_pack("[o]", abi_address(&c->owner)));
}

enum status chain_demands(struct worker_chain *c, uint64_t out[DEMANDS_MAX], size_t *out_count)
{
    json_t *answer = NULL;
    enum status status = contract_call(c->rpc, &answer, CONTRACT_CUSTODY, "demandsOf",
                                       json_pack("[o]", abi_address(&c->owner)));
    if (status != OK) return status;
    *out_count = chain_read_ids(out, DEMANDS_MAX, answer);
    json_decref(answer);
    return OK;
}

enum status chain_find_demand(struct worker_chain *c, struct chain_demand *out, uint64_t id)
{
    json_t *d = NULL;
    enum status status =
        contract_call(c->rpc, &d, CONTRACT_CUSTODY, "getDemand", json_pack("[o]", abi_u64(id)));
    if (status != OK) return status;
    *out = (struct chain_demand){.id = id,
                                 .open = abi_get_u64(d, "state") == DEMAND_OPEN,
                                 .job = abi_get_u64(d, "job"),
                                 .root = abi_get_hash(d, "root"),
                                 .leaf = abi_get_u64(d, "leaf"),
                                 .size = abi_get_u64(d, "size"),
                                 .answer_by_s = abi_get_u64(d, "answerBy")};
    json_decref(d);
    return OK;
}

enum status chain_answer(struct worker_chain *c, uint64_t id, struct bytes leaf,
                         const struct merkle_proof *proof)
{
    json_t *path = json_array();
    for (size_t i = 0; i < proof->count; i++)
        json_array_append_new(path, abi_hash(&proof->siblings[i]));
    return send_to(c, CONTRACT_CUSTODY, "answer",
                   json_pack("[o,o,o]", abi_u64(id), abi_bytes(leaf), path));
}
