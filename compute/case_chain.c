#include "compute/case_chain.h"

/* A view's single value comes back under its name or, unnamed, under "0". */
static const char *const FIRST = "0";

size_t chain_read_ids(uint64_t *out, size_t max, const json_t *answer)
{
    const json_t *ids = abi_get(answer, FIRST);
    size_t count = 0;
    for (; count < json_array_size(ids) && count < max; count++) {
        json_t *holder = json_pack("{s:O}", "id", json_array_get(ids, count));
        out[count] = abi_get_u64(holder, "id");
        json_decref(holder);
    }
    return count;
}

static void add_reader(struct chain_case *c, const struct address *who)
{
    if (address_is_zero(who) || c->reader_count == 2 * CASE_SEATS_MAX) return;
    c->readers[c->reader_count++] = *who;
}

static void read_seat(struct chain_case *c, const json_t *seat,
                      const struct address *operator_account)
{
    struct address holder = abi_get_address(seat, "operator");
    struct address judge = abi_get_address(seat, "judge");
    enum seat_state state = (enum seat_state)abi_get_u64(seat, "state");
    if (state == SEAT_VACANT) return;
    add_reader(c, &holder);
    add_reader(c, &judge);
    if (operator_account == NULL || !address_equal(&holder, operator_account)) return;
    c->mine = true;
    c->seat = state;
    c->seated_at_s = abi_get_u64(seat, "seatedAt");
    c->seal_by_s = abi_get_u64(seat, "sealBy");
    c->commitment = abi_get_hash(seat, "commitment");
}

enum status chain_find_case(struct rpc *rpc, struct chain_case *out, uint64_t job,
                            const struct address *operator_account)
{
    json_t *answer = NULL;
    enum status status =
        contract_call(rpc, &answer, CONTRACT_DISPUTES, "getCase", json_pack("[o]", abi_u64(job)));
    if (status != OK) return status;
    struct chain_case c = {.job = job};
    c.kind = (enum case_kind)abi_get_u64(answer, "kind");
    c.phase = (enum case_phase)abi_get_u64(answer, "phase");
    c.round = (unsigned)abi_get_u64(answer, "round");
    c.deadline_s = abi_get_u64(answer, "deadline");
    c.seed = abi_get_hash(answer, "seed");
    const json_t *seats = abi_get(answer, "seats");
    for (size_t i = 0; i < json_array_size(seats); i++)
        read_seat(&c, json_array_get(seats, i), operator_account);
    json_decref(answer);
    if (c.kind > CASE_CHALLENGE || c.phase > CASE_CLOSED || c.round >= CASE_ROUNDS_MAX)
        return E_MALFORMED; /* a chain of another release */
    *out = c;
    return OK;
}

enum status chain_duties(struct rpc *rpc, uint64_t out[DUTIES_MAX], size_t *out_count,
                         const struct address *operator_account)
{
    json_t *answer = NULL;
    enum status status = contract_call(rpc, &answer, CONTRACT_DISPUTES, "dutiesOf",
                                       json_pack("[o]", abi_address(operator_account)));
    if (status != OK) return status;
    *out_count = chain_read_ids(out, DUTIES_MAX, answer);
    json_decref(answer);
    return OK;
}
