/* The pool as the node shares it: what strangers send stays within its bounds, on disk too. */
#include "node/pool.h"

#include "tests/node/network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <cmocka.h>

#define DATA_SIZE 100000

static struct network network;

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

/* The same nonce over and over, each time for a quarter more. */
static void put_replacement(struct buffer *out, uint64_t fee_wei)
{
    static const uint8_t zeros[DATA_SIZE];
    struct tx t = {.type = TX_DYNAMIC_FEE,
                   .has_chain_id = true,
                   .chain_id = 7117,
                   .gas_limit = 21000 + 10 * DATA_SIZE,
                   .max_fee_per_gas = u256_from_u64(fee_wei),
                   .max_priority_fee_per_gas = u256_from_u64(fee_wei),
                   .data = bytes_of(zeros, DATA_SIZE)};
    t.to.b[19] = 0xbb;
    tx_sign(&t, &network.rich);
    tx_encode(out, &t);
}

static void the_journal_stays_small_though_no_block_comes(void **state)
{
    struct store *store = network_store(&network, "store");
    struct ledger *ledger = network_ledger(&network, store);
    struct pool *pool = NULL;
    struct stat info;
    char error[POOL_ERROR_SIZE] = "";
    int wake = eventfd(0, EFD_NONBLOCK);
    struct pool_setup setup = {store, &network.genesis->config, &ledger_head(ledger)->header,
                               network_path(&network, "journal"), wake};
    (void)state;
    assert_int_equal(pool_open(&pool, error, &setup), OK);
    uint64_t fee_wei = 2000000000;
    for (int i = 0; i < 50; i++, fee_wei += fee_wei / 4) {
        struct buffer wire = {0};
        struct hash hash;
        put_replacement(&wire, fee_wei);
        assert_int_equal(pool_submit(pool, &hash, buffer_bytes(&wire)), TX_FINE);
        buffer_finish(&wire);
    }
    assert_int_equal(pool_count(pool), 1);
    assert_int_equal(stat(network_path(&network, "journal"), &info), 0);
    assert_true(info.st_size < 2 << 20);
    pool_close(pool);
    assert_int_equal(pool_open(&pool, error, &setup), OK);
    assert_int_equal(pool_count(pool), 1);
    pool_close(pool);
    ledger_close(ledger);
    store_close(store);
    close(wake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_journal_stays_small_though_no_block_comes, make_network,
                                        remove_network),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
