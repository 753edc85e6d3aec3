#include "base/hex.h"
#include "base/units.h"
#include "wallet/handlers.h"
#include "wallet/output.h"
#include "wallet/staking.h"

#include <stdio.h>
#include <string.h>

static const struct u256 ZERO = {{0, 0, 0, 0}};

/* ---- validators ---- */

/* Reads --validator-file and sees to it that it is for the unlocked account and this chain. */
static int read_validator(struct session *s, struct validator_file *out)
{
    char error[JSON_ERROR_SIZE] = "";
    char meant[43];
    const char *path = s->in->values[OPTION_VALIDATOR_FILE];
    if (path == NULL)
        return fail(s, CODE_USAGE,
                    "--validator-file FILE is needed; on the validator's machine: leaseholdd "
                    "--print-validator KEY --operator ADDRESS --chain-id ID > FILE");
    if (validator_file_read(out, error, path) != OK)
        return fail(s, CODE_USAGE, "--validator-file: %s", error);
    int code = session_unlock(s);
    if (code != CODE_DONE) return code;
    address_to_text(meant, &out->operator_address);
    if (!address_equal(&out->operator_address, &s->sender.address))
        return fail(s, CODE_USAGE, "%.100s is for the operator %s, not for this account", path,
                    meant);
    if (out->chain_id != s->sender.chain_id)
        return fail(s, CODE_USAGE, "%.100s is for chain %llu, and this is chain %llu", path,
                    (unsigned long long)out->chain_id, (unsigned long long)s->sender.chain_id);
    return CODE_DONE;
}

static int read_commission(struct session *s, uint64_t *out_bps)
{
    const char *text = s->in->values[OPTION_COMMISSION];
    *out_bps = 0;
    if (text == NULL || percent_to_bps(out_bps, text) == OK) return CODE_DONE;
    return fail(s, CODE_USAGE, "--commission must be 0 to 100 in steps of 0.01, not %.40s", text);
}

int stake_join(struct session *s)
{
    struct validator_file f;
    struct u256 stake;
    struct staking_terms terms;
    uint64_t commission;
    char amount[AMOUNT_TEXT_SIZE], held[32], question[300];
    int code = option_amount(s, &stake, OPTION_STAKE);
    if (code == CODE_DONE) code = read_commission(s, &commission);
    if (code == CODE_DONE) code = read_validator(s, &f);
    if (code == CODE_DONE) code = staking_terms_fetch(s, &terms, NULL);
    if (code != CODE_DONE) return code;
    amount_to_text(amount, stake);
    duration_to_text(held, terms.unbonding_s);
    snprintf(question, sizeof question,
             "Stake %s for a validator? It answers for its votes, and leaving takes %s.", amount,
             held);
    code = session_confirm(s, question);
    if (code != CODE_DONE) return code;
    json_t *args =
        json_pack("[o,o,I,o]", abi_address(&f.consensus_address), abi_hash(&f.hash_chain_end),
                  (json_int_t)commission, abi_bytes(bytes_of(f.proof, sizeof f.proof)));
    return session_act(s, CONTRACT_STAKING, "join", args, stake,
                       "joined; it can be in the set from the next epoch on");
}

int stake_change_key(struct session *s)
{
    struct validator_file f;
    int code = read_validator(s, &f);
    if (code != CODE_DONE) return code;
    json_t *args =
        json_pack("[o,o,o]", abi_address(&f.consensus_address), abi_hash(&f.hash_chain_end),
                  abi_bytes(bytes_of(f.proof, sizeof f.proof)));
    return session_act(s, CONTRACT_STAKING, "changeKey", args, ZERO,
                       "new key taken; a member of the set votes with the old one until the epoch "
                       "ends");
}

int stake_unjail(struct session *s)
{
    return session_act(s, CONTRACT_STAKING, "unjail", json_array(), ZERO,
                       "candidate again; it can be in the set from the next epoch on");
}

/* ---- delegations ---- */

static int fetch_validator(struct session *s, json_t **out, const struct address *a)
{
    return session_call(s, out, CONTRACT_STAKING, "validator", json_pack("[o]", abi_address(a)));
}

/* What the stake would bring there; 0 outside of the next set. */
static int expect_yield(struct session *s, double *out, const struct staking_terms *t,
                        const struct address *to, struct u256 amount)
{
    json_t *set = NULL;
    json_t *validator = NULL;
    uint64_t total = u256_to_u64_saturating(u256_div(amount, u256_from_u64(1000000000)));
    bool member = false;
    int code = fetch_validator(s, &validator, to);
    if (code == CODE_DONE) code = session_call(s, &set, CONTRACT_STAKING, "previewSet", NULL);
    const json_t *list = abi_get(set, "0");
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct address operator_address = abi_get_address(json_array_get(list, i), "operator");
        if (address_equal(&operator_address, to)) member = true;
        total += abi_get_u64(json_array_get(list, i), "weightGwei");
    }
    struct u256 stake = u256_add(abi_get_u256(validator, "stake"), amount);
    uint64_t bps = abi_get_u64(validator, "commissionBps");
    *out = member ? staking_yield(t, total, stake, bps) : 0;
    json_decref(set);
    json_decref(validator);
    return code;
}

int stake_delegate(struct session *s)
{
    struct address to;
    struct u256 amount;
    struct staking_terms terms;
    double yield;
    char text[AMOUNT_TEXT_SIZE], percent[YIELD_TEXT_SIZE], held[32], question[300];
    if (amount_from_text(&amount, s->in->words[1]) != OK || u256_is_zero(amount))
        return fail(s, CODE_USAGE, "%.60s is no amount to delegate; write 100 LSH",
                    s->in->words[1]);
    int code = session_address(s, &to, s->in->words[0]);
    if (code == CODE_DONE) code = session_unlock(s);
    if (code == CODE_DONE) code = staking_terms_fetch(s, &terms, NULL);
    if (code == CODE_DONE) code = expect_yield(s, &yield, &terms, &to, amount);
    if (code != CODE_DONE) return code;
    amount_to_text(text, amount);
    yield_to_text(percent, yield);
    duration_to_text(held, terms.unbonding_s);
    snprintf(question, sizeof question,
             "Delegate %s to %s? Expected yield %s a year; taking it back takes %s.", text,
             session_name(s, &to), percent, held);
    code = session_confirm(s, question);
    if (code != CODE_DONE) return code;
    snprintf(question, sizeof question,
             "delegated %s to %s; expected yield %s a year, unbonding takes %s", text,
             session_name(s, &to), percent, held);
    return session_act(s, CONTRACT_STAKING, "delegate", json_pack("[o]", abi_address(&to)), amount,
                       question);
}

/* The shares that AMOUNT, or all, of what is delegated there stands for. */
static int read_shares(struct session *s, struct u256 *out, const struct address *from,
                       const char *text)
{
    struct u256 held, worth, amount;
    char have[AMOUNT_TEXT_SIZE];
    bool all = strcmp(text, "all") == 0;
    if (!all && (amount_from_text(&amount, text) != OK || u256_is_zero(amount)))
        return fail(s, CODE_USAGE, "%.60s is no amount; write 100 LSH, or all", text);
    int code =
        session_call_u256(s, &held, CONTRACT_STAKING, "sharesOf",
                          json_pack("[o,o]", abi_address(from), abi_address(&s->sender.address)));
    if (code == CODE_DONE)
        code = session_call_u256(
            s, &worth, CONTRACT_STAKING, "delegation",
            json_pack("[o,o]", abi_address(from), abi_address(&s->sender.address)));
    if (code != CODE_DONE) return code;
    *out = held;
    amount_to_text(have, worth);
    if (u256_is_zero(held))
        return fail(s, CODE_REFUSED, "this account has no stake with %s", session_name(s, from));
    if (!all && shares_of_amount(out, amount, held, worth) != OK)
        return fail(s, CODE_REFUSED, "this account has only %s with %s; write all for all of it",
                    have, session_name(s, from));
    return CODE_DONE;
}

/* Says when; the receipt's event names the unbonding. */
static int report_unbonding(struct session *s, const struct tx_receipt *r, const char *what)
{
    char when[DATE_TEXT_SIZE], amount[AMOUNT_TEXT_SIZE], line[300];
    struct staking_terms terms;
    json_t *unbonding = NULL;
    json_t *events = contract_receipt_events(r);
    uint64_t id = abi_get_u64(contract_event_args(events, "Undelegated"), "id");
    json_decref(events);
    int code = staking_terms_fetch(s, &terms, NULL);
    if (code == CODE_DONE)
        code = session_call(s, &unbonding, CONTRACT_STAKING, "unbonding",
                            json_pack("[o]", abi_u64(id)));
    if (code == CODE_DONE) {
        date_to_text(when, abi_get_u64(unbonding, "maturesAt"), terms.now_s);
        amount_to_text(amount, abi_get_u256(unbonding, "amount"));
        snprintf(line, sizeof line, "%s of %s, id %llu, ready %s; then: leasehold stake withdraw",
                 what, amount, (unsigned long long)id, when);
        json_t *more = json_pack("{s:I,s:I}", "id", (json_int_t)id, "maturesAt",
                                 (json_int_t)abi_get_u64(unbonding, "maturesAt"));
        json_set_amount(more, "amount", abi_get_u256(unbonding, "amount"));
        session_report(s, r, line, more);
    }
    json_decref(unbonding);
    return code;
}

static int send_unbonding(struct session *s, const char *function, json_t *args, const char *what)
{
    struct tx_receipt r = {0};
    int code = session_send(s, &r, CONTRACT_STAKING, function, args, ZERO);
    if (code == CODE_DONE) code = report_unbonding(s, &r, what);
    tx_receipt_finish(&r);
    return code;
}

int stake_undelegate(struct session *s)
{
    struct address from;
    struct u256 shares;
    int code = session_address(s, &from, s->in->words[0]);
    if (code == CODE_DONE) code = session_unlock(s);
    if (code == CODE_DONE) code = read_shares(s, &shares, &from, s->in->words[1]);
    if (code != CODE_DONE) return code;
    return send_unbonding(s, "undelegate", json_pack("[o,o]", abi_address(&from), abi_u256(shares)),
                          "unbonding");
}

int stake_redelegate(struct session *s)
{
    struct address from, to;
    struct u256 shares;
    int code = session_address(s, &from, s->in->words[0]);
    if (code == CODE_DONE) code = session_address(s, &to, s->in->words[1]);
    if (code == CODE_DONE) code = session_unlock(s);
    if (code == CODE_DONE) code = read_shares(s, &shares, &from, s->in->words[2]);
    if (code != CODE_DONE) return code;
    json_t *args = json_pack("[o,o,o]", abi_address(&from), abi_address(&to), abi_u256(shares));
    return send_unbonding(s, "redelegate", args, "move");
}

/* ---- taking it out ---- */

static void report_withdrawn(struct session *s, const struct tx_receipt *r)
{
    char amount[AMOUNT_TEXT_SIZE], line[AMOUNT_TEXT_SIZE + 60];
    json_t *events = contract_receipt_events(r);
    const json_t *paid = contract_event_args(events, "Withdrawn");
    amount_to_text(amount, abi_get_u256(paid, "amount"));
    snprintf(line, sizeof line, paid != NULL ? "withdrawn %s" : "what moved has arrived%.0s",
             amount);
    json_t *more = json_object();
    json_set_amount(more, "amount", abi_get_u256(paid, "amount"));
    session_report(s, r, line, more);
    json_decref(events);
}

static int send_withdrawal(struct session *s, const char *function, json_t *args)
{
    struct tx_receipt r = {0};
    int code = session_send(s, &r, CONTRACT_STAKING, function, args, ZERO);
    if (code == CODE_DONE) report_withdrawn(s, &r);
    tx_receipt_finish(&r);
    return code;
}

static int withdraw_one(struct session *s)
{
    struct tx_receipt r = {0};
    struct u256 credit;
    uint64_t id;
    int code = word_number(s, &id, 0, "ID");
    if (code == CODE_DONE) code = session_unlock(s);
    if (code == CODE_DONE)
        code =
            session_send(s, &r, CONTRACT_STAKING, "complete", json_pack("[o]", abi_u64(id)), ZERO);
    if (code == CODE_DONE)
        code = session_call_u256(s, &credit, CONTRACT_STAKING, "credit",
                                 json_pack("[o]", abi_address(&s->sender.address)));
    if (code == CODE_DONE && !u256_is_zero(credit)) {
        code = send_withdrawal(s, "withdraw", json_array());
    } else if (code == CODE_DONE) {
        session_report(s, &r, "completed; nothing to pay out to this account", NULL);
    }
    tx_receipt_finish(&r);
    return code;
}

int stake_withdraw(struct session *s)
{
    if (s->in->word_count > 0) return withdraw_one(s);
    int code = session_unlock(s);
    if (code != CODE_DONE) return code;
    return send_withdrawal(s, "collect", json_pack("[o]", abi_address(&s->sender.address)));
}
