/* The interpreters agree with each other on generated programs, and would be caught if not.
 * EVM_SEED=N and EVM_COUNT=M choose other programs; evm_diff does the same at length. */
#include "tests/vm/tier_check.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#ifdef SANITIZED /* ten times slower */
#define TRIALS 600
#else
#define TRIALS 4000
#endif
#define TWIST_TRIALS 600

static uint64_t number_from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void all_interpreters_agree_on_generated_programs(void **state)
{
    (void)state;
    struct tier_check k;
    uint64_t first = number_from_environment("EVM_SEED", 0);
    uint64_t count = number_from_environment("EVM_COUNT", TRIALS);
    tier_check_open(&k);
    for (uint64_t seed = first; seed < first + count; seed++) {
        struct difference d = compare_seed(&k, seed);
        if (d.what != NULL)
            fail_msg("seed %llu, gas %lld: %s: another %s than plain", (unsigned long long)seed,
                     (long long)d.at.gas, d.contender->name, d.what);
    }
    /* Programs that all fail would agree easily. */
    if (count >= TRIALS) {
        assert_true(k.successes > k.failures / 4);
        assert_true(k.reverts > count / 20 && k.failures > count);
    }
    tier_check_close(&k);
}

/* Opcodes that take and leave as much as another, and cost the same or nearly. */
static const struct twist twists[] = {
    {OP_LT, OP_SLT},         {OP_SLT, OP_LT},
    {OP_GT, OP_SGT},         {OP_SGT, OP_GT},
    {OP_DIV, OP_SDIV},       {OP_SDIV, OP_DIV},
    {OP_MOD, OP_SMOD},       {OP_SMOD, OP_MOD},
    {OP_ADDMOD, OP_MULMOD},  {OP_MULMOD, OP_ADDMOD},
    {OP_SHR, OP_SAR},        {OP_SAR, OP_SHR},
    {OP_AND, OP_OR},         {OP_ADD, OP_XOR},
    {OP_BYTE, OP_SHR},       {OP_DUP1, OP_DUP2},
    {OP_DUP16, OP_DUP15},    {OP_SWAP1, OP_SWAP2},
    {OP_SWAP16, OP_SWAP15},  {OP_SWAP8, OP_SWAP7},
    {OP_MSIZE, OP_PC},       {OP_PC, OP_MSIZE},
    {OP_CALLER, OP_ORIGIN},  {OP_RETURNDATASIZE, OP_CALLDATASIZE},
    {OP_CALLCODE, OP_CALL},  {OP_DELEGATECALL, OP_STATICCALL},
    {OP_CREATE2, OP_CREATE}, {OP_SLOAD, OP_TLOAD},
    {OP_TSTORE, OP_SSTORE},  {OP_MSTORE8, OP_MSTORE},
    {OP_RETURN, OP_REVERT},  {OP_SIGNEXTEND, OP_BYTE},
    {OP_GAS, OP_MSIZE},      {OP_KECCAK256, OP_ADD},
    {OP_EXP, OP_MUL},        {OP_LOG2, OP_LOG1},
    {OP_MCOPY, OP_CODECOPY}, {OP_SELFBALANCE, OP_CALLVALUE},
};

/* Code that is read as data would give the twist away; creates need it all the same. */
static void hide_code(struct trial *t, struct twist twist)
{
    if (twist.from == OP_CREATE2) return;
    for (int contract = 0; contract < MAKER_CONTRACTS; contract++) {
        for (size_t i = 0; i < t->texts[contract].count; i++) {
            struct item *item = &t->texts[contract].items[i];
            if (item->kind != ITEM_BYTE) continue;
            if (item->byte == OP_CODECOPY) item->byte = OP_CALLDATACOPY;
            if (item->byte == OP_EXTCODECOPY) item->byte = OP_LOG2;
        }
    }
}

static void observe_twisted(struct observation *o, struct evm *evm, const struct trial *t,
                            struct twist twist)
{
    struct host host, honest;
    trial_open(&host, t, twist);
    trial_open(&honest, t, no_twist);
    for (int i = 0; i < MAKER_CONTRACTS; i++) {
        struct address a = contract_address((uint32_t)i);
        memory_account_get(&host, &a)->seen.code_hash = memory_account(&honest, &a)->code_hash;
    }
    struct evm_message m = trial_message(&host, t, 0);
    run_contender(o, evm, &host, &contenders[0], &m);
    memory_host_finish(&host);
    memory_host_finish(&honest);
}

static bool twist_shows(struct evm *honest, struct evm *twisted, uint64_t seed, struct twist twist)
{
    struct trial t;
    struct observation a, b;
    struct choices c = choices_from_seed(seed);
    trial_make(&t, &c, WITH_KZG);
    hide_code(&t, twist);
    observe_twisted(&a, honest, &t, no_twist);
    observe_twisted(&b, twisted, &t, twist);
    trial_finish(&t);
    return observation_difference(&a, &b) != NULL;
}

/* Fresh interpreters: these remember programs by hashes that tell nothing of the twist. */
static uint64_t first_seed_that_shows(struct twist twist)
{
    struct evm *honest = evm_create(EVM_CANCUN);
    struct evm *twisted = evm_create(EVM_CANCUN);
    uint64_t seed = 0;
    while (seed < TWIST_TRIALS && !twist_shows(honest, twisted, seed, twist))
        seed++;
    evm_destroy(honest);
    evm_destroy(twisted);
    return seed;
}

static void an_opcode_that_did_the_work_of_another_would_be_noticed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(twists) / sizeof(twists[0]); i++) {
        uint64_t seed = first_seed_that_shows(twists[i]);
        const char *from = opcode_name(twists[i].from);
        const char *to = opcode_name(twists[i].to);
        if (seed == TWIST_TRIALS)
            fail_msg("%s in the place of %s shows in none of %d programs", to, from, TWIST_TRIALS);
        if (getenv("EVM_VERBOSE") != NULL)
            print_message("# %s for %s: seed %llu\n", to, from, (unsigned long long)seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_interpreters_agree_on_generated_programs),
        cmocka_unit_test(an_opcode_that_did_the_work_of_another_would_be_noticed),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
