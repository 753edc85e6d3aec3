/* Whole blocks: what is built verifies, what is changed does not, epochs turn. */
#include "chain/history.h"
#include "tests/chain/world.h"

static const uint8_t POOL_SEED[16] = {1};

static void add_to_pool(struct world *w, struct mempool *pool, size_t from, uint64_t nonce,
                        const struct tx *fields)
{
    struct buffer wire = {0};
    struct hash hash;
    struct mempool_world view = world_view(w);
    world_tx(w, &wire, from, nonce, fields);
    assert_int_equal(mempool_add(pool, &hash, buffer_bytes(&wire), &view, 0), TX_FINE);
    layer_release(view.context);
    buffer_finish(&wire);
}

static struct tx transfer_to(const struct address *to, uint64_t wei)
{
    return (struct tx){.to = *to, .value = u256_from_u64(wei)};
}

static struct u256 balance(struct world *w, const struct address *a)
{
    return layer_account(w->tip->layer, a).balance;
}

static void carries_transfers_from_pool_to_receipts(void **state)
{
    (void)state;
    struct world *w = world_create(1, NULL);
    struct mempool *pool = mempool_create(&MEMPOOL_DEFAULT_LIMITS, POOL_SEED);
    struct tx t = transfer_to(&w->addresses[3], 5);
    for (uint64_t nonce = 0; nonce < 3; nonce++)
        add_to_pool(w, pool, 0, nonce, &t);
    add_to_pool(w, pool, 1, 0, &t);
    world_step(w, pool, 0);
    assert_int_equal(w->tip->block.tx_count, 4);
    assert_int_equal(w->tip->block.header.gas_used, 4 * 21000);
    assert_int_equal(mempool_count(pool), 0);
    for (size_t i = 0; i < 4; i++) {
        assert_true(w->tip->receipts[i].succeeded);
        assert_int_equal(w->tip->receipts[i].cumulative_gas_used, 21000 * (i + 1));
    }
    struct u256 grown = u256_sub(balance(w, &w->addresses[3]), balance(w, &w->addresses[2]));
    assert_int_equal(u256_to_u64(grown), 20);
    struct u256 tips = balance(w, &w->operators[0]); /* 2 gwei a gas, the base fee is burned */
    assert_int_equal(u256_to_u64(tips), 4ull * 21000 * 2000000000);
    mempool_destroy(pool);
    world_destroy(w);
}

static void empty_blocks_follow_each_other_through_epochs(void **state)
{
    (void)state;
    struct world *w = world_create(2, NULL);
    for (uint64_t n = 1; n <= 9; n++) {
        world_step(w, NULL, n == 3 ? 2 : 0);
        const struct header *h = &w->tip->block.header;
        assert_int_equal(h->number, n);
        assert_int_equal(h->extra.epoch, (n - 1) / 4);
        assert_false(w->tip->tick_failed);
        assert_false(w->tip->turn_failed);
        assert_int_equal(hash_is_zero(&h->extra.next_validators_hash), n % 4 != 0);
        if (n % 4 != 0) continue;
        const struct epoch *e = &w->tip->record->epoch;
        assert_int_equal(e->number, n / 4);
        assert_int_equal(e->start_number, n);
        assert_int_equal(e->last_number, n + 4);
        assert_memory_equal(e->start_block.b, w->tip->hash.b, 32);
        assert_true(w->tip->system_log_count > 0); /* EpochEnded */
        assert_int_equal(w->tip->record->last_view, 0);
    }
    world_destroy(w);
}

/* So that a validator which leaves the set and comes back goes on where it was. */
static void staking_learns_how_far_each_chain_was_opened(void **state)
{
    (void)state;
    struct world *w = world_create(2, NULL);
    struct epoch_record *before = must_alloc(sizeof *before);
    for (int n = 1; n <= 8; n++) {
        *before = *w->tip->record;
        world_step(w, NULL, 0);
        if (n % 4 != 0) continue;
        uint32_t leader = epoch_record_leader(before, w->tip->block.header.extra.view);
        const struct epoch_duty *duties = w->tip->record->duties;
        struct hash revealed = w->tip->block.header.extra.reveal;
        assert_true(hash_equal(&duties[leader].chain_end, &revealed)); /* read from Staking */
        for (size_t i = 0; i < 2; i++)
            assert_true(hash_equal(&duties[i].chain_end, &duties[i].revealed));
    }
    free(before);
    world_destroy(w);
}

static void counts_who_proposed_and_who_was_skipped(void **state)
{
    (void)state;
    struct world *w = world_create(2, NULL);
    world_step(w, NULL, 0);
    world_step(w, NULL, 3);
    uint32_t proposed = 0, missed = 0;
    for (size_t i = 0; i < 2; i++) {
        proposed += w->tip->record->duties[i].proposed;
        missed += w->tip->record->duties[i].missed;
    }
    assert_int_equal(proposed, 2);
    assert_int_equal(missed, 3);
    assert_int_equal(w->tip->record->last_view, 5);
    world_destroy(w);
}

static void issues_the_reward_at_the_epochs_end(void **state)
{
    (void)state;
    struct world *w = world_create(1, NULL);
    struct address staking = system_address(SYSTEM_Staking);
    w->genesis->config.epoch_reward_wei = u256_from_u64(1000000);
    struct u256 before = balance(w, &staking);
    for (int n = 0; n < 4; n++)
        world_step(w, NULL, 0);
    assert_false(w->tip->turn_failed);
    assert_int_equal(u256_to_u64(u256_sub(balance(w, &staking), before)), 1000000);
    assert_true(u256_is_zero(balance(w, &SYSTEM_ADDRESS)));
    world_destroy(w);
}

/* A system contract that breaks (here: its code is replaced by REVERT) must not stop the chain. */
static void break_contract(struct world *w, enum system_contract c)
{
    struct address a = system_address(c);
    struct layer *broken = layer_create(w->base, w->tip->layer);
    layer_set_code(broken, &a, bytes_of("\x60\x00\x60\x00\xfd", 5));
    layer_seal(broken);
    layer_release(w->tip->layer);
    w->tip->layer = broken;
}

static void a_broken_contract_does_not_stop_the_chain(void **state)
{
    (void)state;
    struct world *w = world_create(2, NULL);
    struct hash set = w->tip->record->validators_hash;
    break_contract(w, SYSTEM_Staking);
    break_contract(w, SYSTEM_Scheduler);
    for (int n = 1; n <= 5; n++) {
        world_step(w, NULL, 0);
        assert_true(w->tip->tick_failed);
        assert_int_equal(w->tip->turn_failed, n == 4);
    }
    assert_int_equal(w->tip->record->epoch.number, 1);
    assert_memory_equal(w->tip->record->validators_hash.b, set.b, 32);
    world_destroy(w);
}

static void many_skipped_views_are_charged_up_to_a_bound(void **state)
{
    (void)state;
    struct world *w = world_create(1, NULL);
    world_step(w, NULL, 1000000000);
    assert_int_equal(w->tip->record->duties[0].missed, SKIPPED_VIEWS_MAX);
    assert_int_equal(w->tip->record->last_view, 1000000001);
    world_destroy(w);
}

/* ---- verification refuses ---- */

struct wrong {
    const char *expected;
    void (*change)(struct block *b);
};

static void change_parent(struct block *b)
{
    b->header.parent_hash.b[0] ^= 1;
}
static void change_number(struct block *b)
{
    b->header.number++;
}
static void change_time(struct block *b)
{
    b->header.timestamp_s = 1749999999;
}
static void change_gas_limit(struct block *b)
{
    b->header.gas_limit++;
}
static void change_base_fee(struct block *b)
{
    b->header.base_fee = u256_from_u64(7);
}
static void change_view(struct block *b)
{
    b->header.extra.view = 0;
}
static void change_parent_view(struct block *b)
{
    b->header.extra.view = 9;
    b->header.extra.parent_view = 8;
}
static void change_epoch(struct block *b)
{
    b->header.extra.epoch++;
}
static void change_set(struct block *b)
{
    b->header.extra.validators_hash.b[0] ^= 1;
}
static void change_next_set(struct block *b)
{
    b->header.extra.next_validators_hash.b[0] ^= 1;
}
static void change_coinbase(struct block *b)
{
    b->header.coinbase.b[0] ^= 1;
}
static void change_reveal(struct block *b)
{
    b->header.extra.reveal.b[0] ^= 1;
}
static void change_mix(struct block *b)
{
    b->header.mix_hash.b[0] ^= 1;
}
static void change_tx_root(struct block *b)
{
    b->header.tx_root.b[0] ^= 1;
}
static void change_gas_used(struct block *b)
{
    b->header.gas_used++;
}
static void change_state_root(struct block *b)
{
    b->header.state_root.b[0] ^= 1;
}
static void change_receipts_root(struct block *b)
{
    b->header.receipts_root.b[0] ^= 1;
}
static void change_bloom(struct block *b)
{
    b->header.logs_bloom.b[0] ^= 1;
}
static void drop_transactions(struct block *b)
{
    b->tx_count = 0;
}
static void repeat_first_transaction(struct block *b)
{
    static struct bytes twice[2];
    twice[0] = twice[1] = b->txs[0];
    b->txs = twice;
    b->tx_count = 2;
    b->header.tx_root = block_tx_root(twice, 2);
}
static void break_transaction(struct block *b)
{
    static uint8_t junk[3] = {0x02, 0xc1, 0x80};
    static struct bytes one;
    one = bytes_of(junk, sizeof junk);
    b->txs = &one;
    b->tx_count = 1;
    b->header.tx_root = block_tx_root(&one, 1);
}

static const struct wrong WRONGS[] = {
    {"parent hash", change_parent},
    {"number", change_number},
    {"time", change_time},
    {"gas limit", change_gas_limit},
    {"base fee", change_base_fee},
    {"view", change_view},
    {"parent's view", change_parent_view},
    {"epoch", change_epoch},
    {"validators' hash", change_set},
    {"next validators hash", change_next_set},
    {"coinbase", change_coinbase},
    {"reveal", change_reveal},
    {"mixHash", change_mix},
    {"transactions' root", change_tx_root},
    {"gas used", change_gas_used},
    {"state root", change_state_root},
    {"receipts root", change_receipts_root},
    {"logs bloom", change_bloom},
    {"transactions' root", drop_transactions},
    {"transaction 1: nonce too low", repeat_first_transaction},
    {"transaction 0: malformed", break_transaction},
};

static void refuse_one(struct world *w, const struct block_parent *parent,
                       const struct block *built, const struct wrong *wrong)
{
    struct block changed = *built;
    struct executed *out = NULL;
    char error[BLOCK_ERROR_SIZE] = "";
    wrong->change(&changed);
    enum status status = block_verify(&out, error, &w->genesis->config, w->evm, parent, &changed);
    if (status != E_MALFORMED || strstr(error, wrong->expected) == NULL) {
        print_error("wanted \"%s\", got \"%s\"\n", wrong->expected, error);
        fail();
    }
    assert_null(out);
}

static void refuses_every_changed_field(void **state)
{
    (void)state;
    struct world *w = world_create(1, NULL);
    struct mempool *pool = mempool_create(&MEMPOOL_DEFAULT_LIMITS, POOL_SEED);
    struct tx t = transfer_to(&w->addresses[3], 5);
    struct block_parent parent = world_parent(w);
    struct block_plan plan = world_plan(w, 0);
    struct mempool_world view = world_view(w);
    add_to_pool(w, pool, 0, 0, &t);
    struct mempool_pick *pick = mempool_pick_create(pool, &view);
    struct executed *built = block_build(&w->genesis->config, w->evm, &parent, &plan, pick, NULL);
    mempool_pick_destroy(pick);
    assert_int_equal(built->block.tx_count, 1);
    for (size_t i = 0; i < sizeof WRONGS / sizeof WRONGS[0]; i++) {
        refuse_one(w, &parent, &built->block, &WRONGS[i]);
    }
    executed_release(built);
    layer_release(view.context);
    mempool_destroy(pool);
    world_destroy(w);
}

static void leaves_out_what_no_longer_fits(void **state)
{
    (void)state;
    struct world *w = world_create(1, NULL);
    struct mempool *pool = mempool_create(&MEMPOOL_DEFAULT_LIMITS, POOL_SEED);
    struct tx big = transfer_to(&w->addresses[3], 5);
    struct block_parent parent = world_parent(w);
    struct block_plan plan = world_plan(w, 0);
    uint8_t data[3000] = {0};
    big.data = bytes_of(data, sizeof data);
    big.gas_limit = 100000;
    for (size_t i = 0; i < 3; i++)
        add_to_pool(w, pool, i, 0, &big);
    struct mempool_world view = world_view(w);
    struct mempool_pick *pick = mempool_pick_create(pool, &view);
    plan.size_bytes_max = 8000;
    struct executed *built = block_build(&w->genesis->config, w->evm, &parent, &plan, pick, NULL);
    struct buffer wire = {0};
    block_encode(&wire, &built->block);
    assert_int_equal(built->block.tx_count, 2);
    assert_true(wire.size <= 8000);
    buffer_finish(&wire);
    mempool_pick_destroy(pick);
    executed_release(built);
    layer_release(view.context);
    mempool_destroy(pool);
    world_destroy(w);
}

/* EIP-2935: the code's hash is that of the EIP's text; each block finds its parent's hash. */
static void each_block_notes_its_parents_hash(void **state)
{
    (void)state;
    struct world *w = world_create(1, NULL);
    struct layer *l = layer_create(w->base, w->tip->layer);
    assert_int_equal(layer_account(l, &HISTORY_ADDRESS).nonce, 1);
    assert_int_equal(layer_code(l, &HISTORY_ADDRESS).size, 83);
    layer_release(l);
    for (uint64_t n = 1; n <= 3; n++)
        world_step(w, NULL, 0);
    l = layer_create(w->base, w->tip->layer);
    for (uint64_t n = 0; n < 3; n++) {
        struct u256 noted = layer_storage(l, &HISTORY_ADDRESS, u256_from_u64(n));
        assert_true(u256_equal(noted, u256_from_be(hash_bytes(&w->hashes[n]))));
    }
    assert_true(u256_is_zero(layer_storage(l, &HISTORY_ADDRESS, u256_from_u64(3))));
    layer_release(l);
    world_destroy(w);
}

static void history_answers_for_8191_blocks_and_only_the_protocol_writes(void **state)
{
    (void)state;
    struct world *w = world_create(1, NULL);
    struct execution x;
    struct header h = {.number = 10000, .gas_limit = 30000000};
    struct layer *l = layer_create(w->base, w->tip->layer);
    struct hash parent = {{0x5a, 1}}, slot = {{0}};
    struct tx_outcome o;
    struct call_request r = {.to = HISTORY_ADDRESS, .data = hash_bytes(&slot), .gas_limit = 100000};
    execution_init(&x, w->evm, l, &w->genesis->config, &h);
    history_record(&x, &parent);
    u256_to_be(slot.b, u256_from_u64(9999));
    assert_int_equal(execute_call(&x, &o, &r, NULL), TX_FINE);
    assert_int_equal(o.output.size, 32);
    assert_memory_equal(o.output.data, parent.b, 32);
    static const uint64_t outside[] = {10000, 10000 - 8192};
    for (size_t i = 0; i < 2; i++) {
        u256_to_be(slot.b, u256_from_u64(outside[i]));
        assert_int_equal(execute_call(&x, &o, &r, NULL), TX_FINE);
        assert_int_equal(o.result, EVM_REVERT);
    }
    u256_to_be(slot.b, u256_from_u64(10000 - 8191)); /* the oldest: not written here */
    assert_int_equal(execute_call(&x, &o, &r, NULL), TX_FINE);
    assert_int_equal(o.result, EVM_SUCCESS);
    layer_release(l);
    world_destroy(w);
}

/* Its nonce went by an authorization, its money by a stranger's call: neither sent anything. */
static void delegated_accounts_lose_what_waits_without_sending(void **state)
{
    (void)state;
    struct world *w = world_create(1, NULL);
    struct mempool *pool = mempool_create(&MEMPOOL_DEFAULT_LIMITS, POOL_SEED);
    struct address spender = {{0x55}};
    struct authorization a = {.delegate = spender};
    authorization_sign(&a, &w->keys[1]);
    struct tx plain = transfer_to(&w->addresses[3], 1);
    add_to_pool(w, pool, 1, 0, &plain);
    struct tx authorize = {.to = w->addresses[3], .gas_limit = 46000};
    authorize.authorizations = &a;
    authorize.authorization_count = 1;
    add_to_pool(w, pool, 0, 0, &authorize);
    struct mempool *only = mempool_create(&MEMPOOL_DEFAULT_LIMITS, POOL_SEED);
    add_to_pool(w, only, 0, 0, &authorize);
    world_step(w, only, 0); /* a block of another proposer: without the plain one */
    struct buffer spenders = {0};
    layer_spenders(w->tip->layer, &spenders);
    struct mempool_world view = world_view(w);
    mempool_on_block(pool, &view, NULL, 0);
    assert_int_equal(mempool_count(pool), 0);
    bool told = false;
    for (size_t i = 0; i < spenders.size; i += 20)
        told |= memcmp(spenders.data + i, w->addresses[1].b, 20) == 0;
    assert_true(told);
    layer_release(view.context);
    buffer_finish(&spenders);
    mempool_destroy(only);
    mempool_destroy(pool);
    world_destroy(w);
}

static void forks_do_not_see_each_other(void **state)
{
    (void)state;
    struct world *w = world_create(1, NULL);
    struct mempool *pool = mempool_create(&MEMPOOL_DEFAULT_LIMITS, POOL_SEED);
    struct tx t = transfer_to(&w->addresses[3], 5);
    struct block_parent parent = world_parent(w);
    struct block_plan plan = world_plan(w, 0);
    struct mempool_world view = world_view(w);
    add_to_pool(w, pool, 0, 0, &t);
    struct executed *empty = block_build(&w->genesis->config, w->evm, &parent, &plan, NULL, NULL);
    struct mempool_pick *pick = mempool_pick_create(pool, &view);
    struct executed *full = block_build(&w->genesis->config, w->evm, &parent, &plan, pick, NULL);
    struct u256 before = layer_account(empty->layer, &w->addresses[3]).balance;
    struct u256 after = layer_account(full->layer, &w->addresses[3]).balance;
    assert_int_equal(u256_to_u64(u256_sub(after, before)), 5);
    assert_memory_not_equal(empty->hash.b, full->hash.b, 32);
    mempool_pick_destroy(pick);
    executed_release(empty);
    executed_release(full);
    layer_release(view.context);
    mempool_destroy(pool);
    world_destroy(w);
}

/* ---- stored forms ---- */

static void stored_forms_come_back(void **state)
{
    (void)state;
    struct world *w = world_create(1, NULL);
    struct buffer logs = {0}, record = {0};
    struct arena arena = {0};
    struct log_entry *decoded;
    size_t count;
    logs_encode(&logs, w->tip->system_logs, w->tip->system_log_count);
    assert_int_equal(logs_decode(&decoded, &count, &arena, buffer_bytes(&logs)), OK);
    assert_int_equal(count, w->tip->system_log_count);
    for (size_t i = 0; i < count; i++) {
        assert_true(bytes_equal(decoded[i].data, w->tip->system_logs[i].data));
        assert_int_equal(decoded[i].topic_count, w->tip->system_logs[i].topic_count);
    }
    for (size_t size = 0; size < logs.size; size++) {
        assert_int_not_equal(logs_decode(&decoded, &count, &arena, bytes_of(logs.data, size)), OK);
    }
    struct epoch_record *back = must_alloc(sizeof *back);
    epoch_record_encode(&record, w->tip->record);
    assert_int_equal(epoch_record_decode(back, buffer_bytes(&record)), OK);
    assert_memory_equal(back, w->tip->record, sizeof *back);
    free(back);
    buffer_finish(&logs);
    buffer_finish(&record);
    arena_finish(&arena);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carries_transfers_from_pool_to_receipts),
        cmocka_unit_test(empty_blocks_follow_each_other_through_epochs),
        cmocka_unit_test(staking_learns_how_far_each_chain_was_opened),
        cmocka_unit_test(counts_who_proposed_and_who_was_skipped),
        cmocka_unit_test(issues_the_reward_at_the_epochs_end),
        cmocka_unit_test(a_broken_contract_does_not_stop_the_chain),
        cmocka_unit_test(many_skipped_views_are_charged_up_to_a_bound),
        cmocka_unit_test(refuses_every_changed_field),
        cmocka_unit_test(leaves_out_what_no_longer_fits),
        cmocka_unit_test(each_block_notes_its_parents_hash),
        cmocka_unit_test(history_answers_for_8191_blocks_and_only_the_protocol_writes),
        cmocka_unit_test(delegated_accounts_lose_what_waits_without_sending),
        cmocka_unit_test(forks_do_not_see_each_other),
        cmocka_unit_test(stored_forms_come_back),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
