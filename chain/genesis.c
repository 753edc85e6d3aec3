#include "chain/genesis.h"

#include "base/fatal.h"
#include "base/hex.h"
#include "base/keccak.h"
#include "base/rlp.h"
#include "chain/history.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN_ID_MAX       ((1ull << 53) - 1) /* what wallets in JavaScript can hold */
#define GAS_LIMIT_MIN      1000000
#define GAS_LIMIT_MAX      1000000000
#define INTERVAL_MS_MIN    10
#define INTERVAL_MS_MAX    600000
#define EPOCH_BLOCKS_MAX   1000000
#define COMMISSION_BPS_MAX 10000
#define MONEY_BITS_MAX     128 /* of one amount: sums then never overflow */
#define PATH_SIZE          64

/* ---- the parts of the file ---- */

static struct u256 get_wei(struct json_reader *r, const char *key)
{
    struct u256 wei = json_get_u256(r, key);
    if (u256_bit_length(wei) > MONEY_BITS_MAX) json_problem(r, key, "more than 2^128 wei");
    return wei;
}

static void read_name(struct json_reader *r, struct chain_config *c)
{
    const char *name = json_get_text(r, "name");
    size_t size = strlen(name);
    if (size == 0 || size > NETWORK_NAME_MAX) {
        json_problem(r, "name", "must have 1 to %d characters, found \"%.40s\"", NETWORK_NAME_MAX,
                     name);
        return;
    }
    for (size_t i = 0; i < size; i++) {
        bool fine = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') ||
                    name[i] == '-';
        if (!fine) json_problem(r, "name", "only a-z, 0-9 and -, found \"%.40s\"", name);
    }
    memcpy(c->name, name, size + 1);
}

static void read_consensus(const json_t *object, char *error, struct chain_config *c)
{
    struct json_reader r = json_reader_over(object, "consensus", error);
    c->block_interval_ms = json_get_u64(&r, "blockIntervalMs", INTERVAL_MS_MIN, INTERVAL_MS_MAX);
    c->idle_interval_ms = json_get_u64(&r, "idleIntervalMs", INTERVAL_MS_MIN, IDLE_MS_MAX);
    c->delta_ms = json_get_u64(&r, "deltaMs", INTERVAL_MS_MIN, DELTA_MS_MAX);
    c->epoch_blocks = json_get_u64(&r, "epochBlocks", 2, EPOCH_BLOCKS_MAX);
    if (json_has(&r, "epochRewardWei")) c->epoch_reward_wei = get_wei(&r, "epochRewardWei");
    if (c->idle_interval_ms < c->block_interval_ms) {
        json_problem(&r, "idleIntervalMs", "below blockIntervalMs");
    }
    (void)!json_end(&r); /* the problem stays in `error`, which the caller asks */
}

static void read_parameters(const json_t *object, char *error, struct u256 *out)
{
    struct json_reader r = json_reader_over(object, "parameters", error);
    for (size_t p = 0; p < SYSTEM_PARAMETER_COUNT; p++) {
        const char *name = system_parameter_name((enum system_parameter)p);
        const char *value = system_parameter_default((enum system_parameter)p);
        if (json_has(&r, name)) {
            out[p] = json_get_u256(&r, name);
        } else if (u256_from_decimal(&out[p], bytes_of_text(value)) != OK) {
            fatal("reading the default of %s: not a number", name);
        }
    }
    (void)!json_end(&r);
}

static void read_validator(const json_t *object, size_t index, char *error,
                           struct genesis_validator *v)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "validators[%zu]", index);
    struct json_reader r = json_reader_over(object, path, error);
    v->operator_address = json_get_address(&r, "operator");
    v->consensus_address = json_get_address(&r, "consensusAddress");
    v->hash_chain_end = json_get_hash(&r, "hashChainEnd");
    v->stake_wei = get_wei(&r, "stakeWei");
    v->commission_bps = json_get_u64(&r, "commissionBps", 0, COMMISSION_BPS_MAX);
    (void)!json_end(&r);
}

static void check_twice(const struct genesis *g, size_t index, struct json_reader *r)
{
    const struct genesis_validator *v = &g->validators[index];
    for (size_t i = 0; i < index; i++) {
        const struct genesis_validator *w = &g->validators[i];
        if (address_equal(&v->operator_address, &w->operator_address)) {
            json_problem(r, "validators", "%zu and %zu have the same operator", i, index);
        }
        if (address_equal(&v->consensus_address, &w->consensus_address)) {
            json_problem(r, "validators", "%zu and %zu have the same consensusAddress", i, index);
        }
    }
}

static void read_validators(struct json_reader *root, char *error, struct genesis *g)
{
    const json_t *array = json_get_array(root, "validators", VALIDATORS_MAX);
    if (array == NULL) return;
    g->validator_count = json_array_size(array);
    if (g->validator_count == 0) json_problem(root, "validators", "needs at least one");
    for (size_t i = 0; i < g->validator_count; i++) {
        read_validator(json_array_get(array, i), i, error, &g->validators[i]);
        check_twice(g, i, root);
    }
}

static int by_address(const void *a, const void *b)
{
    const struct genesis_account *x = a, *y = b;
    return memcmp(x->address.b, y->address.b, sizeof x->address.b);
}

static void read_account(const char *key, const json_t *object, char *error,
                         struct genesis_account *a)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "alloc.%.50s", key);
    struct json_reader r = json_reader_over(object, path, error);
    if (address_from_text(&a->address, bytes_of_text(key)) != OK) {
        json_problem(&r, "address", "not an address (0x, 40 hex digits, checksum if mixed case)");
    }
    a->balance_wei = get_wei(&r, "balance");
    if (u256_is_zero(a->balance_wei)) json_problem(&r, "balance", "must be above 0");
    (void)!json_end(&r);
}

static void check_accounts(const struct genesis *g, struct json_reader *root)
{
    for (size_t i = 0; i < g->account_count; i++) {
        char text[43];
        address_to_text(text, &g->accounts[i].address);
        if (i > 0 && by_address(&g->accounts[i - 1], &g->accounts[i]) == 0) {
            json_problem(root, "alloc", "%s stands there twice", text);
        }
        if (address_equal(&HISTORY_ADDRESS, &g->accounts[i].address)) {
            json_problem(root, "alloc", "%s is the contract of block hashes", text);
        }
        for (size_t c = 0; c < SYSTEM_CONTRACT_COUNT; c++) {
            struct address system = system_address((enum system_contract)c);
            if (!address_equal(&system, &g->accounts[i].address)) continue;
            json_problem(root, "alloc", "%s is the system contract %s", text,
                         system_name((enum system_contract)c));
        }
    }
}

static void read_alloc(struct json_reader *root, char *error, struct genesis *g)
{
    const json_t *found = json_get_object(root, "alloc");
    if (found == NULL) return;
    json_t *object = (json_t *)(uintptr_t)found; /* jansson iterates writable objects only */
    size_t count = json_object_size(object);
    if (count > GENESIS_ACCOUNTS_MAX) {
        json_problem(root, "alloc", "at most %d accounts, found %zu", GENESIS_ACCOUNTS_MAX, count);
        return;
    }
    const char *key;
    json_t *value;
    if (count > 0) g->accounts = must_alloc(count * sizeof *g->accounts);
    json_object_foreach(object, key, value)
    {
        read_account(key, value, error, &g->accounts[g->account_count++]);
    }
    if (count > 0) qsort(g->accounts, count, sizeof *g->accounts, by_address);
    check_accounts(g, root);
}

static void check_contract(struct json_reader *r, enum system_contract c, bool required)
{
    const char *name = system_name(c);
    struct buffer code = {0};
    char found[67], embedded[67];
    if (!required && !json_has(r, name)) return;
    struct hash claimed = json_get_hash(r, name);
    system_code(&code, c);
    struct hash have = keccak256(buffer_bytes(&code));
    buffer_finish(&code);
    if (hash_equal(&claimed, &have)) return;
    hash_to_text(found, &claimed);
    hash_to_text(embedded, &have);
    json_problem(r, name,
                 "this program carries code %s, the file wants %s: use the release that "
                 "this network names",
                 embedded, found);
}

static void check_contracts(struct json_reader *root, char *error, bool devnet)
{
    if (devnet && !json_has(root, "contracts")) return;
    const json_t *object = json_get_object(root, "contracts");
    if (object == NULL) return;
    struct json_reader r = json_reader_over(object, "contracts", error);
    for (size_t c = 0; c < SYSTEM_CONTRACT_COUNT; c++) {
        check_contract(&r, (enum system_contract)c, !devnet);
    }
    (void)!json_end(&r);
}

static void read_bootnodes(struct json_reader *root, struct genesis *g)
{
    if (!json_has(root, "bootnodes")) return;
    const json_t *array = json_get_array(root, "bootnodes", GENESIS_BOOTNODES_MAX);
    size_t count = json_array_size(array);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(array, i));
        if (text == NULL || strlen(text) >= GENESIS_BOOTNODE_SIZE)
            json_problem(root, "bootnodes", "%zu is no text of less than %d bytes", i,
                         GENESIS_BOOTNODE_SIZE);
        else
            snprintf(g->bootnodes[g->bootnode_count++], GENESIS_BOOTNODE_SIZE, "%s", text);
    }
}

/* ---- the file ---- */

static enum status read_all(struct genesis *g, char *error, const json_t *object)
{
    struct json_reader r = json_reader_over(object, "", error);
    read_name(&r, &g->config);
    g->config.devnet = json_get_bool(&r, "devnet");
    g->config.chain_id = json_get_u64(&r, "chainId", 1, CHAIN_ID_MAX);
    g->timestamp_s = json_get_u64(&r, "timestamp", 0, UINT32_MAX);
    g->config.gas_limit = json_get_u64(&r, "gasLimit", GAS_LIMIT_MIN, GAS_LIMIT_MAX);
    g->base_fee = get_wei(&r, "baseFee");
    const json_t *consensus = json_get_object(&r, "consensus");
    if (consensus != NULL) read_consensus(consensus, error, &g->config);
    const json_t *parameters = json_get_object(&r, "parameters");
    if (parameters != NULL) read_parameters(parameters, error, g->parameters);
    read_validators(&r, error, g);
    read_alloc(&r, error, g);
    check_contracts(&r, error, g->config.devnet);
    read_bootnodes(&r, g);
    return json_end(&r) != OK || error[0] != 0 ? E_MALFORMED : OK;
}

static enum status from_json(struct genesis **out, char *error, json_t *root)
{
    struct genesis *g = must_alloc(sizeof *g);
    error[0] = 0;
    enum status status = read_all(g, error, root);
    json_decref(root);
    if (status == OK) {
        *out = g;
    } else {
        genesis_destroy(g);
    }
    return status;
}

enum status genesis_parse(struct genesis **out, char error[JSON_ERROR_SIZE], struct bytes text)
{
    json_t *root;
    enum status status = json_parse(&root, error, text);
    return status == OK ? from_json(out, error, root) : status;
}

void genesis_destroy(struct genesis *g)
{
    if (g == NULL) return;
    free(g->accounts);
    free(g);
}

/* ---- block 0 ---- */

/* Rules and beginnings that no root commits to go into the first randomness. */
static struct hash commit_to_rules(const struct genesis *g)
{
    const struct chain_config *c = &g->config;
    struct buffer b = {0};
    size_t list = rlp_list_open(&b);
    rlp_put_bytes(&b, bytes_of_text("Leasehold genesis v1"));
    rlp_put_bytes(&b, bytes_of_text(evm_revision_name(CHAIN_REVISION)));
    rlp_put_bytes(&b, bytes_of_text(c->name));
    rlp_put_u64(&b, c->devnet);
    rlp_put_u64(&b, c->chain_id);
    rlp_put_u64(&b, c->block_interval_ms);
    rlp_put_u64(&b, c->idle_interval_ms);
    rlp_put_u64(&b, c->delta_ms);
    rlp_put_u64(&b, c->epoch_blocks);
    rlp_put_u256(&b, c->epoch_reward_wei);
    for (size_t i = 0; i < g->validator_count; i++) {
        rlp_put_hash(&b, &g->validators[i].hash_chain_end);
    }
    rlp_list_close(&b, list);
    struct hash h = keccak256(buffer_bytes(&b));
    buffer_finish(&b);
    return h;
}

static void place_accounts(struct layer *l, const struct genesis *g)
{
    layer_begin(l);
    for (size_t i = 0; i < g->account_count; i++) {
        layer_set_balance(l, &g->accounts[i].address, g->accounts[i].balance_wei);
    }
    for (size_t c = 0; c < SYSTEM_CONTRACT_COUNT; c++) {
        struct address a = system_address((enum system_contract)c);
        struct buffer code = {0};
        system_code(&code, (enum system_contract)c);
        layer_set_code(l, &a, buffer_bytes(&code));
        layer_set_nonce(l, &a, 1); /* as any contract has (EIP-161) */
        buffer_finish(&code);
    }
    history_place(l);
    layer_end(l);
}

static enum status explain(char error[JSON_ERROR_SIZE], const char *what,
                           const struct tx_outcome *o)
{
    size_t shown = o->output.size < 68 ? o->output.size : 68;
    char data[2 * 68 + 3] = "nothing";
    if (shown > 0) hex_encode(data, bytes_slice(o->output, 0, shown));
    snprintf(error, JSON_ERROR_SIZE, "%.60s: %.40s, answering %s", what, evm_result_text(o->result),
             data);
    return E_STATE;
}

static enum status initialize_contracts(struct execution *x, struct executed *e,
                                        char error[JSON_ERROR_SIZE], const struct genesis *g)
{
    struct tx_outcome o;
    char what[PATH_SIZE];
    for (size_t c = 0; c < SYSTEM_CONTRACT_COUNT; c++) {
        system_initialize(x, &o, (enum system_contract)c, g->parameters);
        snprintf(what, sizeof what, "parameters of %s", system_name((enum system_contract)c));
        if (o.result != EVM_SUCCESS) return explain(error, what, &o);
        executed_keep_logs(e, &o);
    }
    for (size_t i = 0; i < g->validator_count; i++) {
        system_genesis_validator(x, &o, &g->validators[i]);
        snprintf(what, sizeof what, "validators[%zu]", i);
        if (o.result != EVM_SUCCESS) return explain(error, what, &o);
        executed_keep_logs(e, &o);
    }
    return OK;
}

static struct header first_header(const struct genesis *g)
{
    return (struct header){
        .gas_limit = g->config.gas_limit,
        .timestamp_s = g->timestamp_s,
        .mix_hash = commit_to_rules(g),
        .base_fee = g->base_fee,
        .extra = {.version = HEADER_VERSION},
        .tx_root = EMPTY_TRIE_ROOT,
        .receipts_root = EMPTY_TRIE_ROOT,
    };
}

static enum status finish_genesis(struct executed *e, char error[JSON_ERROR_SIZE],
                                  const struct genesis *g, const struct validator_set *set)
{
    struct header *h = &e->block.header;
    h->extra.next_validators_hash = validators_hash(set->validators, set->count);
    h->state_root = layer_seal(e->layer);
    e->hash = header_hash(h);
    if (epoch_record_first(e->record, set, &g->config, h) == OK) return OK;
    snprintf(error, JSON_ERROR_SIZE, "validators: they make no valid set of 1 to %d",
             VALIDATORS_MAX);
    return E_STATE;
}

static enum status run_genesis(struct executed *e, struct evm *evm, char error[JSON_ERROR_SIZE],
                               const struct genesis *g)
{
    struct execution x;
    e->block.header = first_header(g);
    place_accounts(e->layer, g);
    execution_init(&x, evm, e->layer, &g->config, &e->block.header);
    enum status status = initialize_contracts(&x, e, error, g);
    if (status != OK) return status;
    struct validator_set *set = must_alloc(sizeof *set);
    if (system_next_set(&x, set)) {
        status = finish_genesis(e, error, g, set);
    } else {
        snprintf(error, JSON_ERROR_SIZE, "validators: Staking.nextSet gives no valid set");
        status = E_STATE;
    }
    free(set);
    return status;
}

enum status genesis_execute(struct executed **out, char error[JSON_ERROR_SIZE],
                            const struct genesis *g, const struct state_base *base)
{
    assert(hash_equal(&base->root, &EMPTY_TRIE_ROOT));
    struct evm *evm = evm_create(CHAIN_REVISION);
    struct executed *e = executed_create(base, NULL);
    enum status status = run_genesis(e, evm, error, g);
    evm_destroy(evm);
    if (status == OK) {
        *out = e;
    } else {
        executed_release(e);
    }
    return status;
}
