#include "wallet/staking.h"

#include "base/hex.h"
#include "base/units.h"
#include "wallet/output.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define YEAR_S             (365.0 * 86400)
#define MEASURED_MIN_S     10 /* less is no measure: times are whole seconds */
#define MEASURED_BLOCKS    1000
#define VALIDATOR_FILE_MAX 4096

uint64_t quantity_of(const json_t *object, const char *key)
{
    struct u256 n;
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL || u256_from_quantity(&n, bytes_of_text(text)) != OK) return 0;
    return u256_to_u64_saturating(n);
}

/* ---- the network's terms ---- */

static int fetch(struct session *s, json_t **out, const char *method, json_t *params)
{
    enum status status = rpc_call(s->rpc, out, method, params);
    return status == OK ? CODE_DONE : fail_rpc(s, status, method);
}

static int fetch_time(struct session *s, uint64_t *out, uint64_t number)
{
    json_t *block = NULL;
    char text[67];
    u256_to_quantity(text, u256_from_u64(number));
    int code = fetch(s, &block, "eth_getBlockByNumber", json_pack("[s,b]", text, 0));
    *out = quantity_of(block, "timestamp");
    json_decref(block);
    return code;
}

static int measure(struct session *s, struct staking_terms *t, uint64_t preset_ms)
{
    uint64_t start_s = 0;
    uint64_t first = t->head_number > MEASURED_BLOCKS ? t->head_number - MEASURED_BLOCKS : 1;
    /* Block 0 carries the time that genesis was written at, not that of the start. */
    t->block_s = (double)preset_ms / 1000;
    int code = fetch_time(s, &t->now_s, t->head_number);
    if (code != CODE_DONE || first >= t->head_number) return code;
    code = fetch_time(s, &start_s, first);
    if (t->now_s >= start_s + MEASURED_MIN_S)
        t->block_s = (double)(t->now_s - start_s) / (double)(t->head_number - first);
    return code;
}

static int fetch_parameters(struct session *s, struct staking_terms *t)
{
    json_t *p = NULL;
    int code = session_call(s, &p, CONTRACT_STAKING, "parameters", NULL);
    t->unbonding_s = abi_get_u64(p, "unbondingSeconds");
    t->evidence_s = abi_get_u64(p, "evidenceSeconds");
    t->min_self_stake_wei = abi_get_u256(p, "minSelfStake");
    json_decref(p);
    return code;
}

static int fetch_set(struct session *s, struct staking_terms *t, json_t **members)
{
    json_t *set = NULL;
    int code = fetch(s, &set, "leasehold_validators", NULL);
    if (code != CODE_DONE) return code;
    const json_t *list = json_object_get(set, "validators");
    t->epoch = quantity_of(set, "epoch");
    t->last_number = quantity_of(set, "lastNumber");
    for (size_t i = 0; i < json_array_size(list); i++)
        t->total_gwei += quantity_of(json_array_get(list, i), "weightGwei");
    if (members != NULL) *members = json_incref(json_object_get(set, "validators"));
    json_decref(set);
    return CODE_DONE;
}

int staking_terms_fetch(struct session *s, struct staking_terms *out, json_t **members)
{
    json_t *status = NULL;
    *out = (struct staking_terms){0};
    int code = fetch(s, &status, "leasehold_status", NULL);
    if (code != CODE_DONE) return code;
    const char *reward = json_string_value(json_object_get(status, "epochRewardWei"));
    uint64_t interval_ms = quantity_of(status, "idleIntervalMs");
    out->head_number = quantity_of(status, "finalizedNumber");
    out->epoch_blocks = quantity_of(status, "epochBlocks");
    if (reward == NULL || u256_from_quantity(&out->reward_wei, bytes_of_text(reward)) != OK)
        out->reward_wei = (struct u256){0};
    json_decref(status);
    code = measure(s, out, interval_ms);
    if (code == CODE_DONE) code = fetch_parameters(s, out);
    if (code == CODE_DONE) code = fetch_set(s, out, members);
    return code;
}

/* ---- yields, dates, amounts ---- */

static double gwei_of(struct u256 wei)
{
    return (double)u256_to_u64_saturating(u256_div(wei, u256_from_u64(1000000000)));
}

double staking_yield(const struct staking_terms *t, uint64_t total_gwei, struct u256 stake_wei,
                     uint64_t commission_bps)
{
    double epoch_s = t->block_s * (double)t->epoch_blocks;
    double stake_gwei = gwei_of(stake_wei);
    if (epoch_s <= 0 || total_gwei == 0 || commission_bps > BPS_MAX) return 0;
    double yield = gwei_of(t->reward_wei) / (double)total_gwei * (YEAR_S / epoch_s) *
                   (double)(BPS_MAX - commission_bps) / BPS_MAX;
    bool capped = stake_gwei > (double)WEIGHT_MAX_GWEI;
    return capped ? yield * (double)WEIGHT_MAX_GWEI / stake_gwei : yield;
}

void yield_to_text(char out[YIELD_TEXT_SIZE], double yield)
{
    snprintf(out, YIELD_TEXT_SIZE, yield >= 10 ? "%.0f %%" : "%.2f %%", 100 * yield);
}

void duration_to_text(char out[32], uint64_t seconds)
{
    uint64_t n = seconds;
    const char *unit = "s";
    if (seconds >= (uint64_t)2 * 86400) {
        n = seconds / 86400;
        unit = "days";
    } else if (seconds >= 7200) {
        n = seconds / 3600;
        unit = "h";
    } else if (seconds >= 120) {
        n = seconds / 60;
        unit = "min";
    }
    snprintf(out, 32, "%llu %s", (unsigned long long)n, unit);
}

void date_to_text(char out[DATE_TEXT_SIZE], uint64_t when_s, uint64_t now_s)
{
    char distance[32];
    char date[DATE_TEXT_SIZE - sizeof distance - 2];
    struct tm tm;
    time_t when = (time_t)when_s;
    time_to_text(distance, when_s, now_s);
    if (gmtime_r(&when, &tm) == NULL || strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", &tm) == 0)
        snprintf(date, sizeof date, "?");
    snprintf(out, DATE_TEXT_SIZE, "%s, %s", date, distance);
}

enum status percent_to_bps(uint64_t *out_bps, const char *text)
{
    struct u256 scaled;
    char copy[32];
    size_t size = strnlen(text, sizeof copy);
    if (size > 0 && text[size - 1] == '%') size--;
    if (size == 0 || size >= sizeof copy - 4) return E_MALFORMED;
    if (text[size - 1] < '0' || text[size - 1] > '9') return E_MALFORMED; /* no unit, no blank */
    snprintf(copy, sizeof copy, "%.*s", (int)size, text);
    enum status status = amount_from_text(&scaled, copy); /* percents of 10^18 */
    if (status != OK) return status;
    struct u256 step = u256_from_u64(10000000000000000);
    if (!u256_is_zero(u256_mod(scaled, step))) return E_RANGE;
    uint64_t bps = u256_to_u64_saturating(u256_div(scaled, step));
    if (bps > BPS_MAX) return E_RANGE;
    *out_bps = bps;
    return OK;
}

enum status shares_of_amount(struct u256 *out, struct u256 amount, struct u256 held,
                             struct u256 worth)
{
    struct u256 product;
    if (u256_is_zero(worth) || u256_compare(amount, worth) > 0) return E_RANGE;
    if (!u256_mul_checked(&product, amount, held)) return E_RANGE;
    struct u256 shares = u256_div(product, worth);
    if (!u256_is_zero(u256_mod(product, worth))) shares = u256_add(shares, u256_from_u64(1));
    *out = u256_compare(shares, held) > 0 ? held : shares;
    return OK;
}

/* ---- the validator's file ---- */

static void read_proof(struct json_reader *r, struct validator_file *out)
{
    const char *text = json_get_text(r, "proof");
    if (hex_decode_exact(out->proof, sizeof out->proof, bytes_of_text(text)) != OK)
        json_problem(r, "proof", "must be 0x and 130 hex digits");
}

static enum status read_fields(struct validator_file *out, char *error, const json_t *root)
{
    struct validator_file f = {0};
    struct json_reader r = json_reader_over(root, "", error);
    f.consensus_address = json_get_address(&r, "consensusAddress");
    f.hash_chain_end = json_get_hash(&r, "hashChainEnd");
    f.operator_address = json_get_address(&r, "operator");
    f.chain_id = json_get_u64(&r, "chainId", 1, INT64_MAX);
    read_proof(&r, &f);
    enum status status = json_end(&r);
    if (status == OK) *out = f;
    return status;
}

enum status validator_file_read(struct validator_file *out, char error[JSON_ERROR_SIZE],
                                const char *path)
{
    json_t *root = NULL;
    enum status status = json_load_path(&root, error, path, VALIDATOR_FILE_MAX);
    if (status == OK) status = read_fields(out, error, root);
    json_decref(root);
    return status;
}
