/* The genesis file: what it accepts, how it refuses, and the block that it makes. */
#include "tests/chain/world.h"

static void makes_the_same_block_each_time(void **state)
{
    (void)state;
    struct world *a = world_create(2, NULL);
    struct world *b = world_create(2, NULL);
    assert_memory_equal(a->tip->hash.b, b->tip->hash.b, 32);
    assert_int_equal(a->tip->block.header.number, 0);
    struct world *c = world_create(1, NULL);
    assert_memory_not_equal(a->tip->hash.b, c->tip->hash.b, 32);
    world_destroy(a);
    world_destroy(b);
    world_destroy(c);
}

static void puts_validators_money_and_code_in_place(void **state)
{
    (void)state;
    struct world *w = world_create(2, NULL);
    struct layer *l = layer_create(w->base, w->tip->layer);
    struct address staking = system_address(SYSTEM_Staking);
    struct account a = layer_account(l, &staking);
    char text[79];
    u256_to_decimal(text, a.balance);
    assert_string_equal(text, "5000000000000000000000"); /* both stakes */
    assert_int_equal(a.nonce, 1);
    assert_true(layer_code(l, &staking).size > 1000);
    u256_to_decimal(text, layer_account(l, &w->addresses[0]).balance);
    assert_string_equal(text, "100000000000000000000");
    const struct epoch *e = &w->tip->record->epoch;
    assert_int_equal(e->validator_count, 2);
    assert_int_equal(e->total_weight, 5000000000000);
    assert_int_equal(e->number, 0);
    assert_int_equal(e->last_number, 4);
    struct hash set = validators_hash(e->validators, e->validator_count);
    assert_memory_equal(set.b, w->tip->block.header.extra.next_validators_hash.b, 32);
    assert_true(w->tip->system_log_count > 0); /* ValidatorJoined */
    layer_release(l);
    world_destroy(w);
}

static void commits_to_rules_that_are_not_in_the_state(void **state)
{
    (void)state;
    struct world *w = world_create(1, NULL);
    struct executed *other;
    char error[JSON_ERROR_SIZE];
    w->genesis->config.epoch_blocks++;
    assert_int_equal(genesis_execute(&other, error, w->genesis, w->base), OK);
    assert_memory_not_equal(other->hash.b, w->tip->hash.b, 32);
    executed_release(other);
    world_destroy(w);
}

/* Replaces the first `from` by `to` and returns the error of parsing. */
static void refused(const char *from, const char *to, const char *expected)
{
    struct world *w = must_alloc(sizeof *w);
    struct buffer text = {0}, changed = {0};
    char error[JSON_ERROR_SIZE] = "";
    world_genesis_text(w, &text, 2);
    const char *all = buffer_text(&text);
    const char *at = strstr(all, from);
    assert_non_null(at);
    buffer_append(&changed, bytes_of(all, (size_t)(at - all)));
    buffer_append(&changed, bytes_of_text(to));
    buffer_append(&changed, bytes_of_text(at + strlen(from)));
    struct genesis *g = NULL;
    assert_int_equal(genesis_parse(&g, error, buffer_bytes(&changed)), E_MALFORMED);
    assert_null(g);
    if (strstr(error, expected) == NULL) {
        print_error("wanted \"%s\" in \"%s\"\n", expected, error);
        fail();
    }
    buffer_finish(&text);
    buffer_finish(&changed);
    free(w);
}

static void names_path_and_value_of_what_is_wrong(void **state)
{
    (void)state;
    refused("\"chainId\":7117", "\"chainId\":0", "chainId");
    refused("\"name\":\"test\"", "\"name\":\"Test\"", "Test");
    refused("\"epochBlocks\":4", "\"epochBlocks\":1", "consensus.epochBlocks");
    refused("\"idleIntervalMs\":1000", "\"idleIntervalMs\":100", "consensus.idleIntervalMs");
    refused("\"parameters\":{}", "\"parameters\":{\"Staking.minSelfSteak\":\"1\"}", "minSelfSteak");
    refused("\"parameters\":{}", "\"parameters\":{\"Jobs.sealGrace\":\"x\"}", "Jobs.sealGrace");
    refused("\"commissionBps\":500", "\"commissionBps\":10001", "validators[0].commissionBps");
    refused("\"balance\":\"100000000000000000000\"", "\"balance\":\"-1\"", "balance");
    refused("\"balance\":\"100000000000000000000\"", "\"balance\":\"0\"", "above 0");
    refused("\"parameters\":{}", "\"parameters\":{},\"extra\":1", "extra");
    refused("\"devnet\":true,", "", "devnet");
    refused("\"alloc\":{",
            "\"alloc\":{\"0x0000000000000000000000000000000000001001\":"
            "{\"balance\":\"1\"},",
            "system contract Staking");
    refused("\"alloc\":{",
            "\"alloc\":{\"0x0000F90827F1C53a10cb7A02335B175320002935\":"
            "{\"balance\":\"1\"},",
            "contract of block hashes");
}

static void refuses_code_of_another_release(void **state)
{
    (void)state;
    refused("\"parameters\":{}",
            "\"parameters\":{},\"contracts\":{\"Staking\":\"0x"
            "1111111111111111111111111111111111111111111111111111111111111111\"}",
            "contracts.Staking");
    refused("\"devnet\":true", "\"devnet\":false", "contracts");
}

static void refuses_a_stake_below_the_contracts_minimum(void **state)
{
    (void)state;
    struct world *w = world_create(1, NULL);
    struct executed *out = NULL;
    char error[JSON_ERROR_SIZE] = "";
    w->genesis->validators[0].stake_wei = u256_from_u64(1);
    assert_int_equal(genesis_execute(&out, error, w->genesis, w->base), E_STATE);
    assert_null(out);
    assert_non_null(strstr(error, "validators[0]"));
    world_destroy(w);
}

static void has_the_defaults_of_the_contracts_parameter_file(void **state)
{
    (void)state;
    json_t *file;
    char error[JSON_ERROR_SIZE];
    assert_int_equal(json_load_path(&file, error, "contracts/parameters.json", 65536), OK);
    assert_int_equal(json_object_size(file), SYSTEM_PARAMETER_COUNT);
    for (size_t p = 0; p < SYSTEM_PARAMETER_COUNT; p++) {
        const char *name = system_parameter_name((enum system_parameter)p);
        const char *value = json_string_value(json_object_get(file, name));
        if (value == NULL) print_error("%s\n", name);
        assert_non_null(value);
        assert_string_equal(value, system_parameter_default((enum system_parameter)p));
    }
    json_decref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_the_same_block_each_time),
        cmocka_unit_test(puts_validators_money_and_code_in_place),
        cmocka_unit_test(commits_to_rules_that_are_not_in_the_state),
        cmocka_unit_test(names_path_and_value_of_what_is_wrong),
        cmocka_unit_test(refuses_code_of_another_release),
        cmocka_unit_test(refuses_a_stake_below_the_contracts_minimum),
        cmocka_unit_test(has_the_defaults_of_the_contracts_parameter_file),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
