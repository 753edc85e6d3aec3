#include "base/hex.h"
#include "base/units.h"
#include "wallet/handlers.h"
#include "wallet/output.h"

#include <stdio.h>
#include <string.h>

static const enum contract_id paying[] = {CONTRACT_JOBS, CONTRACT_PROVIDERS, CONTRACT_STAKING,
                                          CONTRACT_DISPUTES, CONTRACT_CUSTODY};

static int credit_of(struct session *s, struct u256 *out, const struct address *a)
{
    *out = u256_from_u64(0);
    for (size_t i = 0; i < sizeof paying / sizeof *paying; i++) {
        struct u256 part;
        int code =
            session_call_u256(s, &part, paying[i], "credit", json_pack("[o]", abi_address(a)));
        if (code != CODE_DONE) return code;
        *out = u256_add(*out, part);
    }
    return CODE_DONE;
}

/* Adds the amounts of what one of Staking's lists holds for the account. */
static int add_list(struct session *s, struct u256 *sum, const char *function,
                    const struct address *a)
{
    json_t *answer = NULL;
    int code =
        session_call(s, &answer, CONTRACT_STAKING, function, json_pack("[o]", abi_address(a)));
    const json_t *list = abi_get(answer, "0");
    for (size_t i = 0; i < json_array_size(list); i++)
        *sum = u256_add(*sum, abi_get_u256(json_array_get(list, i), "amount"));
    json_decref(answer);
    return code;
}

/* A provider's stake, delegations, and what is unbonding. */
static int stake_of(struct session *s, struct u256 *out, const struct address *a)
{
    json_t *provider = NULL;
    int code = session_call(s, &provider, CONTRACT_PROVIDERS, "provider",
                            json_pack("[o]", abi_address(a)));
    if (code == CODE_DONE) *out = abi_get_u256(provider, "stake");
    json_decref(provider);
    if (code == CODE_DONE) code = add_list(s, out, "delegationsOf", a);
    if (code == CODE_DONE) code = add_list(s, out, "unbondingsOf", a);
    return code;
}

static int one_balance(struct session *s, json_t *all, const struct address *a)
{
    struct u256 balance;
    struct u256 credit;
    struct u256 stake;
    enum status status = rpc_call_u256(s->rpc, &balance, "eth_getBalance",
                                       json_pack("[o,s]", abi_address(a), "latest"));
    if (status != OK) return fail_rpc(s, status, "asking for a balance");
    int code = credit_of(s, &credit, a);
    if (code == CODE_DONE) code = stake_of(s, &stake, a);
    if (code != CODE_DONE) return code;
    json_t *o = json_pack("{s:s,s:o}", "account", session_name(s, a), "address", abi_address(a));
    json_set_amount(o, "balance", balance);
    json_set_amount(o, "credit", credit);
    json_set_amount(o, "stake", stake);
    json_array_append_new(all, o);
    return CODE_DONE;
}

static int every_balance(struct session *s, json_t *all)
{
    struct address a;
    int code = CODE_DONE;
    if (s->in->word_count == 0) {
        code = session_own_address(s, &a);
        return code == CODE_DONE ? one_balance(s, all, &a) : code;
    }
    for (size_t i = 0; i < s->in->word_count && code == CODE_DONE; i++) {
        code = session_address(s, &a, s->in->words[i]);
        if (code == CODE_DONE) code = one_balance(s, all, &a);
    }
    return code;
}

static void print_balances(const json_t *all)
{
    struct table t;
    table_init(&t, 4, (const char *const[]){"ACCOUNT", "BALANCE", "CREDIT", "STAKE"});
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *o = json_array_get(all, i);
        char balance[AMOUNT_TEXT_SIZE];
        char credit[AMOUNT_TEXT_SIZE];
        char stake[AMOUNT_TEXT_SIZE];
        amount_to_short(balance, abi_get_u256(o, "balanceWei"));
        amount_to_short(credit, abi_get_u256(o, "creditWei"));
        amount_to_short(stake, abi_get_u256(o, "stakeWei"));
        table_add(&t, (const char *const[]){abi_get_text(o, "account"), balance, credit, stake});
    }
    table_print(&t);
}

int show_balance(struct session *s)
{
    json_t *all = json_array();
    int code = session_connect(s);
    if (code == CODE_DONE) code = every_balance(s, all);
    if (code == CODE_DONE && s->json) print_json(json_incref(all));
    if (code == CODE_DONE && !s->json) print_balances(all);
    json_decref(all);
    return code;
}

static int read_payment(struct session *s, struct tx_request *q, struct buffer *data)
{
    int code = session_address(s, &q->to, s->in->words[0]);
    if (code != CODE_DONE) return code;
    if (amount_from_text(&q->value, s->in->words[1]) != OK)
        return fail(s, CODE_USAGE, "%.60s is no amount; write 1.5 LSH, 3 gwei or 7 wei",
                    s->in->words[1]);
    const char *text = s->in->values[OPTION_DATA];
    if (text != NULL && hex_decode(data, bytes_of_text(text)) != OK)
        return fail(s, CODE_USAGE, "--data must be 0x and an even number of hex digits, not %.60s",
                    text);
    q->data = buffer_bytes(data);
    return CODE_DONE;
}

static void print_payment(struct session *s, const struct tx_receipt *r, const struct tx_request *q)
{
    char hash[67];
    char amount[AMOUNT_TEXT_SIZE];
    char fee_text[AMOUNT_TEXT_SIZE];
    struct u256 fee = u256_mul(r->gas_price, u256_from_u64(r->gas_used));
    hash_to_text(hash, &r->hash);
    amount_to_text(amount, q->value);
    amount_to_text(fee_text, fee);
    if (s->json) {
        json_t *o = json_pack("{s:s,s:I,s:o,s:I}", "transactionHash", hash, "blockNumber",
                              (json_int_t)r->block_number, "to", abi_address(&q->to), "gasUsed",
                              (json_int_t)r->gas_used);
        json_set_amount(o, "amount", q->value);
        json_set_amount(o, "fee", fee);
        print_json(o);
    } else {
        amount_to_short(fee_text, fee);
        printf("sent %s to %s; fee %s\nfinal in block %llu, tx %s\n", amount,
               session_name(s, &q->to), fee_text, (unsigned long long)r->block_number, hash);
    }
}

int send_money(struct session *s)
{
    struct tx_request q = {0};
    struct buffer data = {0};
    struct tx_receipt r = {0};
    char question[200];
    int code = read_payment(s, &q, &data);
    if (code == CODE_DONE) {
        char amount[AMOUNT_TEXT_SIZE];
        amount_to_text(amount, q.value);
        snprintf(question, sizeof question, "Send %s to %s?", amount, session_name(s, &q.to));
        code = session_unlock(s);
    }
    if (code == CODE_DONE) code = session_confirm(s, question);
    if (code == CODE_DONE) {
        enum status status = sender_send(&s->sender, &r, &q);
        if (status == E_TIMEOUT && !hash_is_zero(&r.hash)) {
            code = fail(s, CODE_NOT_FINAL, "sending: %s", rpc_problem(s->rpc));
        } else if (status != OK) {
            code = fail_rpc(s, status, "sending");
        } else {
            print_payment(s, &r, &q);
        }
    }
    tx_receipt_finish(&r);
    buffer_finish(&data);
    return code;
}
