#include "base/hex.h"
#include "base/units.h"
#include "wallet/handlers.h"
#include "wallet/output.h"
#include "wallet/staking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What `leasehold validators` knows of the chain, before it is joined to one list. */
struct view {
    struct staking_terms terms;
    json_t *members;    /* of the running set: leasehold_validators */
    json_t *next;       /* the set if the epoch ended now: {"0": [...]} */
    json_t *candidates; /* {"0": [addresses]} */
    json_t *facts;      /* {"0": [Staking's validators]}, of members and candidates */
};

static void view_finish(struct view *v)
{
    json_decref(v->members);
    json_decref(v->next);
    json_decref(v->candidates);
    json_decref(v->facts);
}

/* The entry of that operator; NULL if there is none. */
static const json_t *find_operator(const json_t *list, const struct address *a)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct address other = abi_get_address(json_array_get(list, i), "operator");
        if (address_equal(&other, a)) return json_array_get(list, i);
    }
    return NULL;
}

/* Members first, then the candidates that are none. */
static json_t *all_operators(const struct view *v)
{
    json_t *all = json_array();
    const json_t *candidates = abi_get(v->candidates, "0");
    for (size_t i = 0; i < json_array_size(v->members); i++)
        json_array_append(all, json_object_get(json_array_get(v->members, i), "operator"));
    for (size_t i = 0; i < json_array_size(candidates); i++) {
        struct address a;
        json_t *text = json_array_get(candidates, i);
        if (address_from_text(&a, bytes_of_text(json_string_value(text))) != OK) continue;
        if (find_operator(v->members, &a) == NULL) json_array_append(all, text);
    }
    return all;
}

static int view_fetch(struct session *s, struct view *v)
{
    int code = staking_terms_fetch(s, &v->terms, &v->members);
    if (code == CODE_DONE) code = session_call(s, &v->next, CONTRACT_STAKING, "previewSet", NULL);
    if (code == CODE_DONE)
        code = session_call(s, &v->candidates, CONTRACT_STAKING, "candidates", NULL);
    if (code == CODE_DONE)
        code = session_call(s, &v->facts, CONTRACT_STAKING, "validators",
                            json_pack("[o]", all_operators(v)));
    return code;
}

static const char *standing(const json_t *fact, bool is_member, bool is_next)
{
    uint64_t status = abi_get_u64(fact, "status");
    if (status == 4) return is_member ? "convicted, leaves" : "convicted";
    if (status == 3) return is_member ? "jailed, leaves" : "jailed";
    if (is_member) return is_next ? "validates" : "leaves";
    return is_next ? "enters" : "waits";
}

static uint64_t total_of(const json_t *set)
{
    uint64_t total = 0;
    for (size_t i = 0; i < json_array_size(set); i++)
        total += abi_get_u64(json_array_get(set, i), "weightGwei");
    return total;
}

/* One validator, joined from everything that is known of it. */
static json_t *join_facts(const struct view *v, const json_t *fact)
{
    struct address a = abi_get_address(fact, "operator");
    const json_t *next_set = abi_get(v->next, "0");
    const json_t *member = find_operator(v->members, &a);
    const json_t *next = find_operator(next_set, &a);
    uint64_t weight = member != NULL ? quantity_of(member, "weightGwei") : 0;
    uint64_t bps = abi_get_u64(fact, "commissionBps");
    double share = v->terms.total_gwei > 0 ? (double)weight / (double)v->terms.total_gwei : 0;
    uint64_t total = member != NULL ? v->terms.total_gwei : total_of(next_set);
    bool earns = member != NULL || next != NULL;
    double yield = earns ? staking_yield(&v->terms, total, abi_get_u256(fact, "stake"), bps) : 0;
    json_t *o =
        json_pack("{s:o,s:s,s:I,s:f,s:I,s:I,s:I,s:I,s:I,s:s,s:f}", "operator", abi_address(&a),
                  "consensusAddress", abi_get_text(fact, "consensusAddress"), "weightGwei",
                  (json_int_t)weight, "share", share, "commissionBps", (json_int_t)bps, "proposed",
                  (json_int_t)abi_get_u64(fact, "proposed"), "missed",
                  (json_int_t)abi_get_u64(fact, "missed"), "proposedNow",
                  (json_int_t)(member != NULL ? quantity_of(member, "proposed") : 0), "missedNow",
                  (json_int_t)(member != NULL ? quantity_of(member, "missed") : 0), "status",
                  standing(fact, member != NULL, next != NULL), "yearlyYield", yield);
    json_set_amount(o, "stake", abi_get_u256(fact, "stake"));
    json_set_amount(o, "selfStake", abi_get_u256(fact, "selfStake"));
    return o;
}

static json_t *view_json(const struct view *v)
{
    json_t *list = json_array();
    const json_t *facts = abi_get(v->facts, "0");
    for (size_t i = 0; i < json_array_size(facts); i++)
        json_array_append_new(list, join_facts(v, json_array_get(facts, i)));
    return json_pack("{s:I,s:I,s:I,s:I,s:f,s:o}", "epoch", (json_int_t)v->terms.epoch,
                     "blockNumber", (json_int_t)v->terms.head_number, "lastBlockOfEpoch",
                     (json_int_t)v->terms.last_number, "totalWeightGwei",
                     (json_int_t)v->terms.total_gwei, "blockSeconds", v->terms.block_s,
                     "validators", list);
}

static void add_row(struct session *s, struct table *t, const json_t *o)
{
    char name[64], stake[AMOUNT_TEXT_SIZE], share[YIELD_TEXT_SIZE], commission[YIELD_TEXT_SIZE];
    char views[64], yield[YIELD_TEXT_SIZE];
    struct address a = abi_get_address(o, "operator");
    double earns = json_real_value(json_object_get(o, "yearlyYield"));
    snprintf(name, sizeof name, "%s", session_name(s, &a));
    amount_to_short(stake, abi_get_u256(o, "stakeWei"));
    yield_to_text(share, json_real_value(json_object_get(o, "share")));
    yield_to_text(commission, (double)abi_get_u64(o, "commissionBps") / BPS_MAX);
    yield_to_text(yield, earns);
    snprintf(views, sizeof views, "%llu/%llu", (unsigned long long)abi_get_u64(o, "proposed"),
             (unsigned long long)abi_get_u64(o, "missed"));
    table_add(t, (const char *const[]){name, stake, share, commission, views, yield,
                                       abi_get_text(o, "status")});
}

static void print_view(struct session *s, const json_t *all, const struct staking_terms *t)
{
    char left[32];
    const json_t *list = json_object_get(all, "validators");
    struct table table;
    table_init(&table, 7,
               (const char *const[]){"VALIDATOR", "STAKE", "SHARE", "COMMISSION", "PROPOSED/MISSED",
                                     "YIELD", "STATUS"});
    for (size_t i = 0; i < json_array_size(list); i++)
        add_row(s, &table, json_array_get(list, i));
    table_print(&table);
    uint64_t blocks = t->last_number > t->head_number ? t->last_number - t->head_number : 0;
    duration_to_text(left, (uint64_t)((double)blocks * t->block_s));
    printf("\nepoch %llu ends with block %llu, in about %s; yields are a year's, estimated\n",
           (unsigned long long)t->epoch, (unsigned long long)t->last_number, left);
}

int list_validators(struct session *s)
{
    struct view v = {0};
    int code = session_connect(s);
    if (code == CODE_DONE) code = view_fetch(s, &v);
    if (code == CODE_DONE) {
        json_t *all = view_json(&v);
        if (!s->json) print_view(s, all, &v.terms);
        if (s->json) print_json(json_incref(all));
        json_decref(all);
    }
    view_finish(&v);
    return code;
}
