#include "wallet/job_demand.h"

#include "base/hex.h"
#include "base/key.h"
#include "base/merkle.h"
#include "base/units.h"
#include "wallet/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define POLL_PAUSE_MS 500
#define KIND_RESULT   0
#define KIND_BUNDLE   1

enum demand_state { STATE_NONE, STATE_OPEN, STATE_ANSWERED, STATE_WITHHELD };

static uint64_t id_in_receipt(const struct tx_receipt *r)
{
    json_t *events = contract_receipt_events(r);
    const json_t *args = contract_event_args(events, "Demanded");
    uint64_t id = args != NULL ? abi_get_u64(args, "demand") : 0;
    json_decref(events);
    return id;
}

int demand_send(struct follow *f, uint64_t *out_id, uint64_t replica, bool bundle, uint64_t leaf)
{
    struct session *s = f->session;
    struct tx_receipt r = {0};
    json_t *parameters = NULL;
    int code = session_call(s, &parameters, CONTRACT_CUSTODY, "parameters", NULL);
    if (code != CODE_DONE) return code;
    struct u256 bond = abi_get_u256(parameters, "1");
    json_decref(parameters);
    code = session_send(s, &r, CONTRACT_CUSTODY, "demand",
                        json_pack("[o,o,i,o]", abi_u64(f->job), abi_u64(replica),
                                  bundle ? KIND_BUNDLE : KIND_RESULT, abi_u64(leaf)),
                        bond);
    if (code == CODE_DONE) {
        char hash[67];
        hash_to_text(hash, &r.hash);
        *out_id = id_in_receipt(&r);
        progress_stage(f->progress, &(struct stage){"demanded", r.block_number, hash},
                       "worker %" PRIu64 " must show leaf %" PRIu64 " on the chain", replica + 1,
                       leaf);
    }
    tx_receipt_finish(&r);
    return code;
}

/* Until the demand is answered, or the contract has called it withheld. */
static int wait_for_answer(struct follow *f, uint64_t id, enum demand_state *out)
{
    for (*out = STATE_OPEN; *out == STATE_OPEN;) {
        json_t *demand = NULL;
        struct timespec pause = {.tv_nsec = POLL_PAUSE_MS * 1000000L};
        int code = session_call(f->session, &demand, CONTRACT_CUSTODY, "getDemand",
                                json_pack("[o]", abi_u64(id)));
        if (code != CODE_DONE) return code;
        *out = (enum demand_state)abi_get_u64(demand, "state");
        json_decref(demand);
        if (rpc_stopped(f->session->rpc)) return CODE_STOPPED;
        progress_waiting(f->progress, "waiting for the leaf that was demanded");
        progress_tick(f->progress);
        if (*out == STATE_OPEN) nanosleep(&pause, NULL);
    }
    return CODE_DONE;
}

static uint64_t random_leaf(const json_t *replica)
{
    uint64_t size = abi_get_u64(replica, "outputSize");
    uint64_t leaves = size == 0 ? 1 : (size + MERKLE_LEAF_BYTES - 1) / MERKLE_LEAF_BYTES;
    uint8_t bytes[8];
    random_bytes(bytes, sizeof bytes);
    return load_be64(bytes) % leaves;
}

/* One worker's turn. *out_state stays as it is when the contract refuses the demand. */
static int demand_of(struct follow *f, size_t index, enum demand_state *out_state)
{
    uint64_t id = 0;
    const json_t *replica = json_array_get(f->replicas, index);
    if (abi_get_u64(replica, "state") != REPLICA_PAID) return CODE_DONE;
    int code = demand_send(f, &id, index, false, random_leaf(replica));
    if (code == CODE_DONE) code = wait_for_answer(f, id, out_state);
    return code;
}

static bool stake_is_there(const struct follow *f)
{
    return abi_get_u64(f->state, "challengeBy") > (uint64_t)time(NULL);
}

int demand_result(struct follow *f, enum demand_end *out)
{
    enum demand_state state = STATE_NONE;
    int code = follow_refresh(f);
    *out = DEMAND_TOO_LATE;
    for (size_t i = 0; code == CODE_DONE && i < json_array_size(f->replicas); i++) {
        if (!stake_is_there(f)) break;
        code = demand_of(f, i, &state);
        if (state == STATE_ANSWERED) *out = DEMAND_ANSWERED;
        if (state == STATE_ANSWERED) break;
        if (state == STATE_WITHHELD) *out = DEMAND_WITHHELD;
    }
    if (code == CODE_DONE) code = follow_refresh(f);
    return code;
}
