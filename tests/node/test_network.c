#include "tests/node/cluster.h"

#include "chain/tx.h"
#include "node/clock.h"

static uint64_t target;

static bool all_at_target(struct cluster *c)
{
    return cluster_lowest(c) >= target;
}

static void check_all_below(const struct cluster *c)
{
    for (uint64_t n = 0; n <= cluster_lowest(c); n++)
        cluster_check(c, n);
}

static void four_validators_make_one_chain_over_epochs(void **state)
{
    struct cluster *c = cluster_open(4, 6);
    (void)state;
    target = 13;
    assert_true(cluster_run(c, all_at_target, CLUSTER_WAIT_MS));
    check_all_below(c);
    assert_true(ledger_head(c->members[0].ledger)->record->epoch.number >= 2);
    for (size_t i = 0; i < c->count; i++) {
        assert_true(c->members[i].counters.blocks_built > 0); /* each led at least once */
        assert_int_equal(c->members[i].counters.evidence_found, 0);
    }
    cluster_close(c);
}

/* ---- transactions ---- */

static struct hash sent;
static struct address receiver;

static void submit(struct cluster *c, size_t index)
{
    struct tx tx = {.type = TX_DYNAMIC_FEE,
                    .has_chain_id = true,
                    .chain_id = 7117,
                    .gas_limit = 21000,
                    .max_fee_per_gas = u256_from_u64(3000000000),
                    .max_priority_fee_per_gas = u256_from_u64(1000000000),
                    .to = receiver,
                    .value = u256_from_u64(12345)};
    struct buffer wire = {0};
    tx_sign(&tx, &c->rich);
    tx_encode(&wire, &tx);
    assert_int_equal(pool_submit(c->members[index].pool, &sent, buffer_bytes(&wire)), TX_FINE);
    buffer_finish(&wire);
}

static bool all_have_the_money(struct cluster *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct mempool_account a = ledger_account(c->members[i].ledger, &receiver);
        if (!u256_equal(a.balance_wei, u256_from_u64(12345))) return false;
    }
    return true;
}

static void a_transaction_given_to_one_is_final_on_all(void **state)
{
    struct cluster *c = cluster_open(4, 100);
    (void)state;
    memset(receiver.b, 0x77, sizeof receiver.b);
    target = 1;
    assert_true(cluster_run(c, all_at_target, CLUSTER_WAIT_MS));
    submit(c, 3);
    assert_true(cluster_run(c, all_have_the_money, CLUSTER_WAIT_MS));
    check_all_below(c);
    for (size_t i = 0; i < c->count; i++)
        assert_int_equal(pool_count(c->members[i].pool), 0);
    cluster_close(c);
}

/* ---- cut off and back ---- */

static bool nobody_is_connected(struct cluster *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->members[i].counters.peers > 0) return false;
    return true;
}

static bool after_a_while(struct cluster *c)
{
    (void)c;
    return false;
}

static void refuse(struct cluster *c, size_t index, bool everybody)
{
    network_refuse(c->members[index].network, NULL, 0, everybody);
}

static void without_a_quorum_nothing_is_final_and_after_healing_it_goes_on(void **state)
{
    struct cluster *c = cluster_open(4, 100);
    (void)state;
    target = 3;
    assert_true(cluster_run(c, all_at_target, CLUSTER_WAIT_MS));
    for (size_t i = 0; i < c->count; i++)
        refuse(c, i, true);
    assert_true(cluster_run(c, nobody_is_connected, CLUSTER_WAIT_MS));
    uint64_t before = cluster_lowest(c);
    submit(c, 0); /* waits in one pool */
    assert_false(cluster_run(c, after_a_while, 1500));
    for (size_t i = 0; i < c->count; i++)
        assert_true(member_height(&c->members[i]) <= before + 2); /* what was under way */
    for (size_t i = 0; i < c->count; i++)
        refuse(c, i, false);
    target = before + 6;
    assert_true(cluster_run(c, all_at_target, CLUSTER_WAIT_MS));
    assert_true(cluster_run(c, all_have_the_money, CLUSTER_WAIT_MS)); /* told to new peers */
    check_all_below(c);
    cluster_close(c);
}

/* ---- stopped and started ---- */

static void a_member_that_was_away_catches_up_over_epochs(void **state)
{
    struct cluster *c = cluster_open(4, 8);
    (void)state;
    target = 3;
    assert_true(cluster_run(c, all_at_target, CLUSTER_WAIT_MS));
    uint64_t height = member_height(&c->members[3]);
    member_close(&c->members[3]);
    target = height + 20; /* over two ends of epochs */
    assert_true(cluster_run(c, all_at_target, 2 * CLUSTER_WAIT_MS));
    member_open(c, 3);
    target += 5;
    assert_true(cluster_run(c, all_at_target, CLUSTER_WAIT_MS));
    check_all_below(c);
    cluster_close(c);
}

static void all_stopped_and_started_again_go_on(void **state)
{
    struct cluster *c = cluster_open(4, 8);
    (void)state;
    target = 5;
    assert_true(cluster_run(c, all_at_target, CLUSTER_WAIT_MS));
    for (size_t i = 0; i < c->count; i++)
        member_close(&c->members[i]);
    for (size_t i = 0; i < c->count; i++)
        member_open(c, i);
    assert_true(cluster_lowest(c) >= 5);
    target = cluster_lowest(c) + 5;
    assert_true(cluster_run(c, all_at_target, CLUSTER_WAIT_MS));
    check_all_below(c);
    cluster_close(c);
}

/* ---- evidence ---- */

static struct address guilty;

static bool all_have_put_it_out(struct cluster *c)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct epoch *e = &ledger_head(c->members[i].ledger)->record->epoch;
        if (epoch_index_of(e, &guilty) < e->validator_count) return false;
    }
    return true;
}

/* A vote of the guilty one, for a block that is none. */
static struct vote forge(struct cluster *c, uint64_t view, uint8_t block)
{
    const struct consensus *core = driver_consensus(c->members[0].driver);
    struct vote v = {.epoch = consensus_epoch(core)->number,
                     .view = view,
                     .kind = VOTE_FINALIZE,
                     .signer = (uint16_t)epoch_index_of(consensus_epoch(core), &guilty),
                     .block = {{block}}};
    struct hash digest = vote_digest(7117, &v);
    v.signature = key_sign(&c->members[3].key, &digest);
    return v;
}

static void who_signs_two_things_is_reported_and_put_out_of_the_set(void **state)
{
    struct cluster *c = cluster_open(4, 10);
    (void)state;
    target = 2;
    assert_true(cluster_run(c, all_at_target, CLUSTER_WAIT_MS));
    guilty = key_address(&c->members[3].key);
    assert_false(all_have_put_it_out(c));
    uint64_t view = consensus_view(driver_consensus(c->members[0].driver)) + 1;
    struct vote first = forge(c, view, 1), second = forge(c, view, 2);
    assert_int_equal(driver_vote(c->members[0].driver, 1, &first), ADMISSION_NEW);
    (void)driver_vote(c->members[0].driver, 1, &second);
    assert_int_equal(c->members[0].counters.evidence_found, 1);
    assert_true(cluster_run(c, all_have_put_it_out, 2 * CLUSTER_WAIT_MS));
    target = cluster_lowest(c) + 3; /* and the others go on */
    assert_true(cluster_run(c, all_at_target, CLUSTER_WAIT_MS));
    check_all_below(c);
    cluster_close(c);
}

static void a_pool_tells_whom_it_meets(void **state)
{
    struct cluster *c = cluster_open(2, 100); /* both are needed for a quorum */
    (void)state;
    target = 1;
    assert_true(cluster_run(c, all_at_target, CLUSTER_WAIT_MS));
    refuse(c, 0, true);
    assert_true(cluster_run(c, nobody_is_connected, CLUSTER_WAIT_MS));
    submit(c, 1);
    refuse(c, 0, false);
    assert_true(cluster_run(c, all_have_the_money, CLUSTER_WAIT_MS));
    cluster_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_validators_make_one_chain_over_epochs),
        cmocka_unit_test(a_transaction_given_to_one_is_final_on_all),
        cmocka_unit_test(without_a_quorum_nothing_is_final_and_after_healing_it_goes_on),
        cmocka_unit_test(a_member_that_was_away_catches_up_over_epochs),
        cmocka_unit_test(all_stopped_and_started_again_go_on),
        cmocka_unit_test(a_pool_tells_whom_it_meets),
        cmocka_unit_test(who_signs_two_things_is_reported_and_put_out_of_the_set),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, cluster_setup, cluster_teardown);
}
