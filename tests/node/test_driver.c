#include "node/driver.h"

#include "base/file.h"
#include "node/loop.h"
#include "tests/node/network.h"
#include "tests/node/nowhere.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct network network;

/* One validator, run for a while and closed again. */
struct outcome {
    uint64_t number;
    uint64_t epoch;
    uint64_t built;
    uint64_t syncs;
};

static void stop(void *context)
{
    loop_stop(context);
}

static struct outcome run_for(const char *name, uint64_t ms, const struct key *key)
{
    struct loop *loop = loop_create();
    struct counters counters = {0};
    struct store *store = network_store(&network, name);
    struct ledger *ledger = network_ledger(&network, store);
    struct loop_watch *watch = loop_watch_create(loop, stop, loop); /* only for its fd */
    struct loop_timer *end = loop_timer_create(loop, stop, loop);
    struct pool *pool;
    struct driver *driver;
    char votes[32], error[DRIVER_ERROR_SIZE] = "", journal[32];
    snprintf(votes, sizeof votes, "%s.votes", name);
    snprintf(journal, sizeof journal, "%s.journal", name);
    struct pool_setup pool_setup = {store, &network.genesis->config, &ledger_head(ledger)->header,
                                    network_path(&network, journal), loop_watch_fd(watch)};
    assert_int_equal(pool_open(&pool, error, &pool_setup), OK);
    struct driver_setup setup = {.loop = loop,
                                 .ledger = ledger,
                                 .pool = pool,
                                 .config = &network.genesis->config,
                                 .counters = &counters,
                                 .key = key,
                                 .vote_log_path = network_path(&network, votes),
                                 .hash_chain_path = network_path(&network, "hash_chain"),
                                 .wire = NOWHERE};
    enum status opened = driver_open(&driver, error, &setup);
    if (opened != OK) fail_msg("%s", error);
    driver_start(driver);
    loop_timer_set(end, ms);
    loop_run(loop);
    struct outcome outcome = {ledger_head(ledger)->header.number,
                              ledger_head(ledger)->record->epoch.number, counters.blocks_built,
                              counters.log_syncs};
    driver_close(driver);
    pool_close(pool);
    loop_timer_destroy(end);
    loop_watch_destroy(watch);
    ledger_close(ledger);
    store_close(store);
    loop_destroy(loop);
    return outcome;
}

static void makes_blocks_at_its_pace_over_epochs_and_restarts(void **state)
{
    struct outcome before = {0};
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct outcome o = run_for("a", 800, &network.key);
        assert_true(o.number > before.number);
        assert_true(o.number - before.number <= 800 / 50 + 2); /* never faster than its interval */
        assert_true(o.syncs > 0);
        before = o;
    }
    assert_true(before.number > 6);
    assert_true(before.epoch > 0); /* epochs of 6 blocks */
}

static void follows_without_a_key_and_makes_nothing(void **state)
{
    (void)state;
    struct outcome o = run_for("follower", 200, NULL);
    assert_int_equal(o.number, 0);
    assert_int_equal(o.built, 0);
}

static void signs_nothing_after_its_log_was_lost(void **state)
{
    (void)state;
    struct outcome before = run_for("lost", 400, &network.key);
    assert_true(before.number > 0);
    assert_int_equal(unlink(network_path(&network, "lost.votes")), 0);
    for (int i = 0; i < 3; i++) { /* also when started again, with the new log there */
        struct outcome after = run_for("lost", 400, &network.key);
        assert_int_equal(after.number, before.number);
    }
}

static void signs_nothing_after_its_log_was_damaged(void **state)
{
    struct buffer content = {0};
    (void)state;
    struct outcome before = run_for("damaged", 400, &network.key);
    const char *path = network_path(&network, "damaged.votes");
    assert_int_equal(file_read(&content, path, 1 << 24), OK);
    content.data[40] ^= 1; /* in the first record */
    assert_int_equal(file_write_atomic(path, buffer_bytes(&content), 0600), OK);
    for (int i = 0; i < 3; i++) {
        struct outcome after = run_for("damaged", 400, &network.key);
        assert_int_equal(after.number, before.number);
    }
    assert_int_equal(access(network_path(&network, "damaged.votes.damaged"), F_OK), 0);
    buffer_finish(&content);
}

static void refuses_a_hash_chain_that_is_not_its_keys(void **state)
{
    struct network other = network;
    (void)state;
    struct loop *loop = loop_create();
    struct counters counters = {0};
    struct store *store = network_store(&network, "stranger");
    struct ledger *ledger = network_ledger(&network, store);
    struct driver *driver;
    char error[DRIVER_ERROR_SIZE] = "";
    struct epoch_record *record = ledger_head(ledger)->record;
    struct driver_setup setup = {.loop = loop,
                                 .ledger = ledger,
                                 .config = &other.genesis->config,
                                 .counters = &counters,
                                 .key = &network.key,
                                 .vote_log_path = network_path(&network, "stranger.votes"),
                                 .hash_chain_path = network_path(&network, "hash_chain")};
    record->duties[0].revealed.b[0] ^= 1;
    assert_int_equal(driver_open(&driver, error, &setup), E_STATE);
    assert_non_null(strstr(error, "--print-validator"));
    ledger_close(ledger);
    store_close(store);
    loop_destroy(loop);
}

static int make_network(void **state)
{
    (void)state;
    network_make(&network, 50, 6);
    return 0;
}

static int remove_network(void **state)
{
    (void)state;
    network_remove(&network);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_blocks_at_its_pace_over_epochs_and_restarts),
        cmocka_unit_test(follows_without_a_key_and_makes_nothing),
        cmocka_unit_test(signs_nothing_after_its_log_was_lost),
        cmocka_unit_test(signs_nothing_after_its_log_was_damaged),
        cmocka_unit_test(refuses_a_hash_chain_that_is_not_its_keys),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_network, remove_network);
}
