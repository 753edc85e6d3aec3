/* evm-corpus [--seed N] [--count M] - generated programs and what this EVM made of them, as JSON
 * for an outside EVM to judge: tests/evm-referee.
 *
 * One line a program: the world before, the message, and for each of a few gas limits the outcome
 * with the accounts and slots that it left. Every precompile is called but 0x0a: outside, its
 * trusted setup is a matter of its own. Numbers are quantities, as in JSON-RPC. */
#include "base/hex.h"
#include "tests/vm/tier_check.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>

static json_t *json_hex(struct bytes raw)
{
    struct buffer text = {.size = 0};
    hex_append(&text, raw);
    json_t *value = json_string(buffer_text(&text));
    buffer_finish(&text);
    return value;
}

static json_t *json_word(struct u256 value)
{
    char text[67];
    u256_to_quantity(text, value);
    return json_string(text);
}

static json_t *json_number(uint64_t value)
{
    return json_word(u256_from_u64(value));
}

/* The object's entry for this account, made when it is asked for first. */
static json_t *account_entry(json_t *accounts, const struct address *a)
{
    struct buffer key = {.size = 0};
    hex_append(&key, address_bytes(a));
    json_t *entry = json_object_get(accounts, buffer_text(&key));
    if (entry == NULL) {
        entry = json_pack("{s:s, s:s, s:{}}", "balance", "0x0", "nonce", "0x0", "storage");
        json_object_set_new(accounts, buffer_text(&key), entry);
    }
    buffer_finish(&key);
    return entry;
}

enum detail { WITH_CODE, WITH_CODE_HASH };

static void write_account(json_t *accounts, const struct memory_account *a, enum detail detail)
{
    if (u256_is_zero(a->seen.balance) && a->seen.nonce == 0 && a->code.size == 0) return;
    json_t *entry = account_entry(accounts, &a->address);
    json_object_set_new(entry, "balance", json_word(a->seen.balance));
    json_object_set_new(entry, "nonce", json_number(a->seen.nonce));
    if (detail == WITH_CODE)
        json_object_set_new(entry, "code", json_hex(a->code));
    else
        json_object_set_new(entry, "codeHash", json_hex(hash_bytes(&a->seen.code_hash)));
}

static void write_slot(json_t *accounts, const struct memory_slot *s)
{
    char key[67];
    if (u256_is_zero(s->seen.now)) return;
    u256_to_quantity(key, s->key);
    json_t *storage = json_object_get(account_entry(accounts, &s->address), "storage");
    json_object_set_new(storage, key, json_word(s->seen.now));
}

/* Every account that exists and every slot that is not zero. */
static json_t *world_to_json(const struct host *h, enum detail detail)
{
    json_t *accounts = json_object();
    for (size_t i = 0; i < h->account_count; i++)
        write_account(accounts, &h->accounts[i], detail);
    for (size_t i = 0; i < h->slot_count; i++)
        write_slot(accounts, &h->slots[i]);
    return accounts;
}

static json_t *logs_to_json(const struct host *h)
{
    json_t *logs = json_array();
    for (size_t i = 0; i < h->log_count; i++) {
        const struct log_entry *log = &h->logs[i];
        json_t *topics = json_array();
        for (size_t j = 0; j < log->topic_count; j++)
            json_array_append_new(topics, json_hex(hash_bytes(&log->topics[j])));
        json_array_append_new(logs, json_pack("[o, o, o]", json_hex(address_bytes(&log->address)),
                                              topics, json_hex(log->data)));
    }
    return logs;
}

static json_t *context_to_json(const struct evm_context *c, const struct hash *block_hash)
{
    json_t *o = json_object();
    json_object_set_new(o, "chainId", json_number(c->chain_id));
    json_object_set_new(o, "number", json_number(c->number));
    json_object_set_new(o, "timestamp", json_number(c->timestamp_s));
    json_object_set_new(o, "gasLimit", json_number(c->gas_limit));
    json_object_set_new(o, "coinbase", json_hex(address_bytes(&c->coinbase)));
    json_object_set_new(o, "prevRandao", json_hex(hash_bytes(&c->prev_randao)));
    json_object_set_new(o, "baseFee", json_word(c->base_fee));
    json_object_set_new(o, "blobBaseFee", json_word(c->blob_base_fee));
    json_object_set_new(o, "origin", json_hex(address_bytes(&c->origin)));
    json_object_set_new(o, "gasPrice", json_word(c->gas_price));
    json_object_set_new(o, "blockHash", json_hex(hash_bytes(block_hash)));
    return o;
}

static json_t *message_to_json(const struct evm_message *m)
{
    json_t *o = json_object();
    json_object_set_new(o, "create", json_boolean(m->kind == EVM_CREATE));
    json_object_set_new(o, "static", json_boolean(m->is_static));
    json_object_set_new(o, "sender", json_hex(address_bytes(&m->sender)));
    json_object_set_new(o, "recipient", json_hex(address_bytes(&m->recipient)));
    json_object_set_new(o, "value", json_word(m->value));
    json_object_set_new(o, "input", json_hex(m->input));
    return o;
}

static const char *result_class(enum evm_result r)
{
    if (r == EVM_SUCCESS) return "success";
    return r == EVM_REVERT ? "revert" : "failure";
}

/* Runs the message, appends what came of it, rewinds. Returns the gas used. */
static int64_t write_run(json_t *runs, struct evm *evm, struct host *h, const struct evm_message *m)
{
    struct evm_outcome out;
    evm_execute(evm, &out, &memory_host_table, h, m);
    json_t *o = json_object();
    json_object_set_new(o, "gas", json_number((uint64_t)m->gas));
    json_object_set_new(o, "result", json_string(result_class(out.result)));
    json_object_set_new(o, "reason", json_string(evm_result_text(out.result)));
    json_object_set_new(o, "gasUsed", json_number((uint64_t)(m->gas - out.gas_left)));
    json_object_set_new(o, "refund", json_number((uint64_t)out.gas_refund));
    json_object_set_new(o, "output", json_hex(out.output));
    json_object_set_new(o, "logs", logs_to_json(h));
    json_object_set_new(o, "post", world_to_json(h, WITH_CODE_HASH));
    json_array_append_new(runs, o);
    memory_host_rewind(h);
    return m->gas - out.gas_left;
}

static json_t *runs_to_json(struct evm *evm, struct host *h, const struct trial *t,
                            struct choices *c)
{
    json_t *runs = json_array();
    struct evm_message m = trial_message(h, t, 0);
    int64_t used = write_run(runs, evm, h, &m);
    m.gas = used > 0 ? used - 1 : 0;
    write_run(runs, evm, h, &m);
    m.gas = (int64_t)choose(c, (uint32_t)used + 1);
    write_run(runs, evm, h, &m);
    return runs;
}

static void write_program(struct evm *const evms[TRIAL_REVISIONS], uint64_t seed)
{
    struct trial t;
    struct host host;
    struct choices c = choices_from_seed(seed);
    trial_make(&t, &c, WITHOUT_KZG);
    trial_open(&host, &t, no_twist);
    struct evm_message m = trial_message(&host, &t, 0);
    json_t *line = json_object();
    json_object_set_new(line, "seed", json_integer((json_int_t)seed));
    json_object_set_new(line, "revision",
                        json_string(t.revision == EVM_CANCUN ? "Cancun" : "Prague"));
    json_object_set_new(line, "context", context_to_json(&host.context, &host.block_hash_answer));
    json_object_set_new(line, "pre", world_to_json(&host, WITH_CODE));
    json_object_set_new(line, "message", message_to_json(&m));
    json_object_set_new(line, "runs", runs_to_json(evms[t.revision], &host, &t, &c));
    json_dumpf(line, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(line);
    memory_host_finish(&host);
    trial_finish(&t);
}

int main(int argc, char **argv)
{
    static const struct option flags[] = {
        {"seed", required_argument, NULL, 's'},
        {"count", required_argument, NULL, 'c'},
        {NULL, 0, NULL, 0},
    };
    uint64_t first = 0, count = 2000;
    int flag;
    while ((flag = getopt_long(argc, argv, "", flags, NULL)) != -1) {
        if (flag == '?') {
            fprintf(stderr, "usage: evm-corpus [--seed N] [--count M]\n");
            return 2;
        }
        if (flag == 's') first = strtoull(optarg, NULL, 10);
        if (flag == 'c') count = strtoull(optarg, NULL, 10);
    }
    struct evm *evms[TRIAL_REVISIONS] = {evm_create(EVM_CANCUN), evm_create(EVM_PRAGUE)};
    for (uint64_t seed = first; seed < first + count; seed++)
        write_program(evms, seed);
    for (int revision = 0; revision < TRIAL_REVISIONS; revision++)
        evm_destroy(evms[revision]);
    return 0;
}
