#include "chain/system.h"

#include "base/fatal.h"
#include "base/hex.h"
#include "base/keccak.h"
#include "chain/system_code.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- the table ---- */

static const struct contract_facts {
    const char *name;
    uint16_t number;
    const char *code;
    const char *code_end;
} CONTRACTS[] = {
#define X(name, number) {#name, number, system_code_##name, system_code_##name##_end},
    SYSTEM_CONTRACTS(X)
#undef X
};

static const struct parameter_facts {
    enum system_contract contract;
    const char *name;
    const char *value;
} PARAMETERS[] = {
#define X(contract, name, value) {SYSTEM_##contract, #contract "." #name, value},
    SYSTEM_PARAMETERS(X)
#undef X
};

const char *system_name(enum system_contract c)
{
    assert(c < SYSTEM_CONTRACT_COUNT);
    return CONTRACTS[c].name;
}

struct address system_address(enum system_contract c)
{
    struct address a = {{0}};
    assert(c < SYSTEM_CONTRACT_COUNT);
    a.b[18] = (uint8_t)(CONTRACTS[c].number >> 8);
    a.b[19] = (uint8_t)CONTRACTS[c].number;
    return a;
}

void system_code(struct buffer *out, enum system_contract c)
{
    assert(c < SYSTEM_CONTRACT_COUNT);
    const char *end = CONTRACTS[c].code_end;
    while (end > CONTRACTS[c].code && (end[-1] == '\n' || end[-1] == '\r'))
        end--;
    struct bytes text = bytes_of(CONTRACTS[c].code, (size_t)(end - CONTRACTS[c].code));
    if (hex_decode(out, text) != OK) {
        fatal("reading the embedded code of %s: not hex; build again", CONTRACTS[c].name);
    }
}

const char *system_parameter_name(enum system_parameter p)
{
    assert(p < SYSTEM_PARAMETER_COUNT);
    return PARAMETERS[p].name;
}

const char *system_parameter_default(enum system_parameter p)
{
    assert(p < SYSTEM_PARAMETER_COUNT);
    return PARAMETERS[p].value;
}

/* ---- the few types that the calls need (Solidity's ABI specification) ---- */

static void put_selector(struct buffer *out, const char *signature)
{
    struct hash h = keccak256(bytes_of_text(signature));
    buffer_append(out, bytes_of(h.b, 4));
}

static void put_word(struct buffer *out, struct u256 value)
{
    u256_to_be(buffer_extend(out, 32), value);
}

static void put_number(struct buffer *out, uint64_t value)
{
    put_word(out, u256_from_u64(value));
}

static void put_address(struct buffer *out, const struct address *a)
{
    memcpy(buffer_extend(out, 32) + 12, a->b, sizeof a->b);
}

static void call(struct execution *x, struct tx_outcome *out, enum system_contract c,
                 struct buffer *input, struct u256 value)
{
    struct system_message m = {system_address(c), buffer_bytes(input), value, false};
    execute_system(x, out, &m);
    buffer_finish(input);
}

/* ---- calls ---- */

void system_initialize(struct execution *x, struct tx_outcome *out, enum system_contract c,
                       const struct u256 parameters[SYSTEM_PARAMETER_COUNT])
{
    struct buffer signature = {0}, arguments = {0}, input = {0};
    buffer_print(&signature, "initialize(");
    for (size_t p = 0; p < SYSTEM_PARAMETER_COUNT; p++) {
        if (PARAMETERS[p].contract != c) continue;
        buffer_print(&signature, "%suint256", arguments.size == 0 ? "" : ",");
        put_word(&arguments, parameters[p]);
    }
    buffer_print(&signature, ")");
    put_selector(&input, buffer_text(&signature));
    if (arguments.size > 0) buffer_append(&input, buffer_bytes(&arguments));
    buffer_finish(&signature);
    buffer_finish(&arguments);
    call(x, out, c, &input, (struct u256){0});
}

void system_genesis_validator(struct execution *x, struct tx_outcome *out,
                              const struct genesis_validator *v)
{
    struct buffer input = {0};
    put_selector(&input, "genesisValidator(address,address,bytes32,uint16)");
    put_address(&input, &v->operator_address);
    put_address(&input, &v->consensus_address);
    buffer_append(&input, hash_bytes(&v->hash_chain_end));
    put_number(&input, v->commission_bps);
    call(x, out, SYSTEM_Staking, &input, v->stake_wei);
}

void system_tick(struct execution *x, struct tx_outcome *out)
{
    struct buffer input = {0};
    put_selector(&input, "tick()");
    call(x, out, SYSTEM_Scheduler, &input, (struct u256){0});
}

static bool has_worked(const struct epoch_duty *d)
{
    return d->proposed > 0 || d->missed > 0;
}

/* An array of (operator, proposed, missed, revealed), of those who did or missed anything. */
static void put_work(struct buffer *out, const struct epoch_record *r)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < r->epoch.validator_count; i++) {
        if (has_worked(&r->duties[i])) count++;
    }
    put_number(out, count);
    for (uint32_t i = 0; i < r->epoch.validator_count; i++) {
        const struct epoch_duty *d = &r->duties[i];
        if (!has_worked(d)) continue;
        put_address(out, &r->epoch.validators[i].operator_address);
        put_number(out, d->proposed);
        put_number(out, d->missed);
        buffer_append(out, hash_bytes(&d->revealed));
    }
}

void system_end_epoch(struct execution *x, struct tx_outcome *out, const struct epoch_record *r)
{
    struct buffer input = {0};
    put_selector(&input, "endEpoch(uint64,(address,uint32,uint32,bytes32)[])");
    put_number(&input, r->epoch.number);
    put_number(&input, 64); /* where the array is */
    put_work(&input, r);
    call(x, out, SYSTEM_Staking, &input, x->config->epoch_reward_wei);
}

/* ---- reading the set ---- */

struct words { /* an ABI answer read left to right; fails for good */
    struct bytes rest;
    bool failed;
};

static struct u256 next_word(struct words *w)
{
    if (w->rest.size < 32) {
        w->failed = true;
        return (struct u256){0};
    }
    struct u256 value = u256_from_be(bytes_slice(w->rest, 0, 32));
    w->rest = bytes_slice(w->rest, 32, w->rest.size - 32);
    return value;
}

static uint64_t next_number(struct words *w, uint64_t max)
{
    struct u256 value = next_word(w);
    if (!u256_fits_u64(value) || u256_to_u64(value) > max) {
        w->failed = true;
        return 0;
    }
    return u256_to_u64(value);
}

static struct address next_address(struct words *w)
{
    struct address a;
    uint8_t be[32];
    struct u256 value = next_word(w);
    if (u256_bit_length(value) > 160) w->failed = true;
    u256_to_be(be, value);
    memcpy(a.b, be + 12, sizeof a.b);
    return a;
}

/* Static call; output is the evm's until its next message. */
static bool ask(struct execution *x, struct words *out, struct buffer *input)
{
    struct tx_outcome o;
    struct system_message m = {
        .to = system_address(SYSTEM_Staking), .input = buffer_bytes(input), .is_static = true};
    execute_system(x, &o, &m);
    buffer_finish(input);
    *out = (struct words){o.output, false};
    return o.result == EVM_SUCCESS;
}

static bool read_members(struct execution *x, struct validator_set *out)
{
    struct buffer input = {0};
    struct words w;
    put_selector(&input, "nextSet()");
    if (!ask(x, &w, &input)) return false;
    if (next_number(&w, 32) != 32) return false;
    uint64_t count = next_number(&w, VALIDATORS_MAX);
    if (w.failed || count == 0) return false;
    for (size_t i = 0; i < count; i++) {
        out->validators[i].operator_address = next_address(&w);
        out->validators[i].consensus_address = next_address(&w);
        out->validators[i].weight = next_number(&w, WEIGHT_TOTAL_MAX);
    }
    out->count = (uint32_t)count;
    return !w.failed;
}

static bool read_chain_end(struct execution *x, struct hash *out, const struct address *operator)
{
    struct buffer input = {0};
    struct words w;
    put_selector(&input, "validator(address)");
    put_address(&input, operator);
    if (!ask(x, &w, &input)) return false;
    (void)next_word(&w); /* status */
    (void)next_word(&w); /* consensus address */
    u256_to_be(out->b, next_word(&w));
    return !w.failed;
}

bool system_next_set(struct execution *x, struct validator_set *out)
{
    struct validator_set *set = must_alloc(sizeof *set);
    bool valid = read_members(x, set);
    for (uint32_t i = 0; valid && i < set->count; i++) {
        valid = read_chain_end(x, &set->chain_ends[i], &set->validators[i].operator_address);
    }
    if (valid) *out = *set;
    free(set);
    return valid;
}
