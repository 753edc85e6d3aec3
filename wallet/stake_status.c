#include "base/hex.h"
#include "base/units.h"
#include "wallet/handlers.h"
#include "wallet/output.h"
#include "wallet/staking.h"

#include <stdio.h>
#include <string.h>

/* Of `answer`'s only value, a list; amounts also as text. */
static json_t *take_list(const json_t *answer)
{
    json_t *list = json_deep_copy(abi_get(answer, "0"));
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *o = json_array_get(list, i);
        json_set_amount(o, "amount", abi_get_u256(o, "amount"));
        if (abi_get(o, "id") != NULL) /* counted from 1: a number for programs too */
            json_object_set_new(o, "id", json_integer((json_int_t)abi_get_u64(o, "id")));
    }
    return list;
}

static int fetch_list(struct session *s, json_t *out, const char *key, const char *function,
                      const struct address *a)
{
    json_t *answer = NULL;
    int code =
        session_call(s, &answer, CONTRACT_STAKING, function, json_pack("[o]", abi_address(a)));
    if (code == CODE_DONE) json_object_set_new(out, key, take_list(answer));
    json_decref(answer);
    return code;
}

static void add_validator_amounts(json_t *v)
{
    static const char *const keys[] = {"stake", "selfStake", "unbonding"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        json_set_amount(v, keys[i], abi_get_u256(v, keys[i]));
}

static int fetch_all(struct session *s, json_t *out, const struct address *a)
{
    struct u256 credit;
    json_t *validator = NULL;
    int code = fetch_list(s, out, "delegations", "delegationsOf", a);
    if (code == CODE_DONE) code = fetch_list(s, out, "unbondings", "unbondingsOf", a);
    if (code == CODE_DONE)
        code = session_call_u256(s, &credit, CONTRACT_STAKING, "credit",
                                 json_pack("[o]", abi_address(a)));
    if (code == CODE_DONE)
        code = session_call(s, &validator, CONTRACT_STAKING, "validator",
                            json_pack("[o]", abi_address(a)));
    if (code != CODE_DONE) return code;
    json_set_amount(out, "credit", credit);
    bool is_validator = abi_get_u64(validator, "status") != 0;
    if (is_validator) add_validator_amounts(validator);
    json_object_set_new(out, "validator", is_validator ? json_incref(validator) : json_null());
    json_decref(validator);
    return CODE_DONE;
}

static void print_delegations(struct session *s, const json_t *list)
{
    struct u256 total = {{0, 0, 0, 0}};
    char amount[AMOUNT_TEXT_SIZE];
    struct table t;
    table_init(&t, 2, (const char *const[]){"DELEGATED TO", "WORTH"});
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        struct address to = abi_get_address(o, "validator");
        struct u256 worth = abi_get_u256(o, "amountWei");
        total = u256_add(total, worth);
        amount_to_short(amount, worth);
        table_add(&t, (const char *const[]){session_name(s, &to), amount});
    }
    amount_to_short(amount, total);
    if (json_array_size(list) == 0) printf("nothing delegated\n");
    if (json_array_size(list) > 1) table_add(&t, (const char *const[]){"together", amount});
    if (json_array_size(list) > 0) {
        table_print(&t);
    } else {
        json_decref(t.rows);
    }
}

static void print_unbondings(struct session *s, const json_t *list, uint64_t now_s)
{
    struct table t;
    if (json_array_size(list) == 0) return;
    table_init(&t, 5, (const char *const[]){"ID", "LEFT", "AMOUNT", "READY", "GOES TO"});
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        char id[32], from[64], amount[AMOUNT_TEXT_SIZE], when[DATE_TEXT_SIZE];
        struct address left = abi_get_address(o, "validator");
        struct address target = abi_get_address(o, "target");
        uint64_t matures_s = abi_get_u64(o, "maturesAt");
        snprintf(id, sizeof id, "%llu", (unsigned long long)abi_get_u64(o, "id"));
        snprintf(from, sizeof from, "%s", session_name(s, &left));
        amount_to_short(amount, abi_get_u256(o, "amountWei"));
        date_to_text(when, matures_s, now_s);
        table_add(&t, (const char *const[]){id, from, amount, matures_s <= now_s ? "now" : when,
                                            address_is_zero(&target) ? "this account"
                                                                     : session_name(s, &target)});
    }
    printf("\n");
    table_print(&t);
}

static const char *status_word(uint64_t status)
{
    static const char *const words[] = {"none", "candidate", "inactive", "jailed", "convicted"};
    return status < sizeof words / sizeof *words ? words[status] : "?";
}

/* What the operator should do, if anything. */
static void print_advice(const json_t *v, uint64_t now_s)
{
    char when[DATE_TEXT_SIZE];
    uint64_t status = abi_get_u64(v, "status");
    uint64_t until_s = abi_get_u64(v, "jailedUntil");
    uint64_t revealed = abi_get_u64(v, "revealed");
    struct address next = abi_get_address(v, "nextConsensusAddress");
    date_to_text(when, until_s, now_s);
    if (status == 3 && until_s > now_s)
        printf("           jailed for missing its views; leasehold stake unjail: %s\n", when);
    if (status == 2 || (status == 3 && until_s <= now_s))
        printf("           not a candidate; with enough stake: leasehold stake unjail\n");
    if (status == 4) printf("           convicted of conflicting votes: out for good\n");
    if (!address_is_zero(&next))
        printf("           new key from the next epoch on: %s\n",
               abi_get_text(v, "nextConsensusAddress"));
    if (revealed > HASH_CHAIN_WARNING)
        printf("           its hash chain is nearly used up: leasehold stake change-key\n");
}

static void print_validator(const json_t *v, uint64_t now_s)
{
    char stake[AMOUNT_TEXT_SIZE], own[AMOUNT_TEXT_SIZE];
    uint64_t bps = abi_get_u64(v, "commissionBps");
    amount_to_short(stake, abi_get_u256(v, "stakeWei"));
    amount_to_short(own, abi_get_u256(v, "selfStakeWei"));
    printf("\nvalidator  %s, commission %llu.%02llu %%\n", status_word(abi_get_u64(v, "status")),
           (unsigned long long)(bps / 100), (unsigned long long)(bps % 100));
    printf("stake      %s, of it %s its own\n", stake, own);
    printf("key        %s, %llu of %u reveals used\n", abi_get_text(v, "consensusAddress"),
           (unsigned long long)abi_get_u64(v, "revealed"), HASH_CHAIN_REVEALS);
    printf("record     %llu proposed, %llu missed\n",
           (unsigned long long)abi_get_u64(v, "proposed"),
           (unsigned long long)abi_get_u64(v, "missed"));
    print_advice(v, now_s);
}

static void print_status(struct session *s, const json_t *all, const struct staking_terms *t)
{
    char credit[AMOUNT_TEXT_SIZE];
    struct u256 wei = abi_get_u256(all, "creditWei");
    print_delegations(s, json_object_get(all, "delegations"));
    print_unbondings(s, json_object_get(all, "unbondings"), t->now_s);
    amount_to_short(credit, wei);
    if (!u256_is_zero(wei)) printf("\n%s to take out: leasehold stake withdraw\n", credit);
    const json_t *v = json_object_get(all, "validator");
    if (!json_is_null(v)) print_validator(v, t->now_s);
}

int stake_status(struct session *s)
{
    struct address a;
    struct staking_terms terms;
    json_t *all = json_object();
    int code = s->in->word_count > 0 ? session_address(s, &a, s->in->words[0])
                                     : session_own_address(s, &a);
    if (code == CODE_DONE) code = session_connect(s);
    if (code == CODE_DONE) code = staking_terms_fetch(s, &terms, NULL);
    if (code == CODE_DONE) {
        json_object_set_new(all, "address", abi_address(&a));
        code = fetch_all(s, all, &a);
    }
    if (code == CODE_DONE && s->json) print_json(json_incref(all));
    if (code == CODE_DONE && !s->json) print_status(s, all, &terms);
    json_decref(all);
    return code;
}
