/* A driver that follows, and a leader whose blocks say that they stand elsewhere than its votes. */
#include "node/driver.h"

#include "node/loop.h"
#include "tests/node/network.h"
#include "tests/node/nowhere.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define WAIT_MS 60 /* for the log to be synced, many times over */

static struct network network;

struct follower {
    struct loop *loop;
    struct loop_watch *watch;
    struct loop_timer *end;
    struct counters counters;
    struct store *store;
    struct ledger *ledger;
    struct pool *pool;
    struct driver *driver;
    /* Of the leader. */
    struct store *maker_store;
    struct ledger *maker;
    struct mempool *nothing;
};

static void stop(void *context)
{
    loop_stop(context);
}

static void open_driver(struct follower *f, const char *name)
{
    char votes[32], error[DRIVER_ERROR_SIZE] = "";
    snprintf(votes, sizeof votes, "%s.votes", name);
    struct driver_setup setup = {.loop = f->loop,
                                 .ledger = f->ledger,
                                 .pool = f->pool,
                                 .config = &network.genesis->config,
                                 .counters = &f->counters,
                                 .vote_log_path = network_path(&network, votes),
                                 .hash_chain_path = network_path(&network, "hash_chain"),
                                 .wire = NOWHERE};
    if (driver_open(&f->driver, error, &setup) != OK) fail_msg("%s", error);
    driver_start(f->driver);
}

static void follower_open(struct follower *f, const char *name)
{
    static const uint8_t SEED[16] = {1};
    char other[32], journal[32], error[POOL_ERROR_SIZE] = "";
    memset(f, 0, sizeof *f);
    snprintf(other, sizeof other, "%s.maker", name);
    snprintf(journal, sizeof journal, "%s.journal", name);
    f->loop = loop_create();
    f->watch = loop_watch_create(f->loop, stop, f->loop);
    f->end = loop_timer_create(f->loop, stop, f->loop);
    f->store = network_store(&network, name);
    f->ledger = network_ledger(&network, f->store);
    f->maker_store = network_store(&network, other);
    f->maker = network_ledger(&network, f->maker_store);
    f->nothing = mempool_create(&MEMPOOL_DEFAULT_LIMITS, SEED);
    struct pool_setup setup = {f->store, &network.genesis->config, &ledger_head(f->ledger)->header,
                               network_path(&network, journal), loop_watch_fd(f->watch)};
    assert_int_equal(pool_open(&f->pool, error, &setup), OK);
    open_driver(f, name);
}

static void follower_close(struct follower *f)
{
    driver_close(f->driver);
    pool_close(f->pool);
    mempool_destroy(f->nothing);
    ledger_close(f->maker);
    store_close(f->maker_store);
    ledger_close(f->ledger);
    store_close(f->store);
    loop_timer_destroy(f->end);
    loop_watch_destroy(f->watch);
    loop_destroy(f->loop);
}

static void wait_a_while(struct follower *f)
{
    loop_timer_set(f->end, WAIT_MS);
    loop_run(f->loop);
}

/* A block that is valid in itself, whose header says these views. */
static struct hash make_block(struct follower *f, const struct hash *parent, uint64_t view)
{
    struct hash block;
    const struct epoch_record *record = ledger_record(f->maker, parent);
    struct ledger_build build = {
        .parent = *parent,
        .plan = {.timestamp_s = 1750000000, .view = view, .parent_view = record->last_view},
        .mempool = f->nothing};
    assert_true(hash_chain_before(network.chain, &build.plan.reveal, &record->duties[0].revealed));
    assert_int_equal(ledger_build(f->maker, &block, &build, 1), OK);
    buffer_finish(&build.dropped);
    return block;
}

static struct vote sign(enum vote_kind kind, uint64_t view, uint64_t parent_view, struct hash block)
{
    struct vote v = {.view = view, .kind = kind, .parent_view = parent_view, .block = block};
    struct hash digest = vote_digest(network.genesis->config.chain_id, &v);
    v.signature = key_sign(&network.key, &digest);
    return v;
}

static void give_certificate(struct follower *f, struct vote v)
{
    struct certificate *c = must_alloc(sizeof *c);
    certificate_start(c, &v);
    certificate_add(c, &v);
    (void)driver_certificate(f->driver, 1, c);
    free(c);
}

/* Proposed, notarized and finalized in `view`, whatever the block says of itself. */
static void push(struct follower *f, struct hash block, uint64_t view, uint64_t parent_view)
{
    struct proposal *p = must_alloc(sizeof *p);
    bool held = false;
    p->vote = sign(VOTE_NOTARIZE, view, parent_view, block);
    (void)driver_proposal(f->driver, 1, p, ledger_bytes(f->maker, &block), &held);
    assert_true(held);
    free(p);
    give_certificate(f, sign(VOTE_NOTARIZE, view, parent_view, block));
    wait_a_while(f);
}

static void finish(struct follower *f, struct hash block, uint64_t view)
{
    give_certificate(f, sign(VOTE_FINALIZE, view, 0, block));
    wait_a_while(f);
}

static void makes_final_what_says_where_it_stands(void **state)
{
    struct follower f;
    (void)state;
    follower_open(&f, "right");
    struct hash first = make_block(&f, &ledger_head(f.maker)->hash, 1);
    struct hash second = make_block(&f, &first, 2);
    push(&f, first, 1, 0);
    push(&f, second, 2, 1);
    finish(&f, second, 2);
    assert_int_equal(ledger_head(f.ledger)->header.number, 2);
    follower_close(&f);
}

static void refuses_a_block_that_says_another_view_than_its_proposal(void **state)
{
    struct follower f;
    (void)state;
    follower_open(&f, "view");
    struct hash block = make_block(&f, &ledger_head(f.maker)->hash, 1000);
    push(&f, block, 1, 0);
    finish(&f, block, 1);
    assert_int_equal(ledger_head(f.ledger)->header.number, 0);
    follower_close(&f);
}

static void refuses_a_block_that_stands_on_another_than_its_proposal(void **state)
{
    struct follower f;
    (void)state;
    follower_open(&f, "parent");
    struct hash first = make_block(&f, &ledger_head(f.maker)->hash, 1);
    struct hash beside = make_block(&f, &ledger_head(f.maker)->hash, 2);
    push(&f, first, 1, 0);
    push(&f, beside, 2, 1);
    finish(&f, beside, 2);
    assert_int_equal(ledger_head(f.ledger)->header.number, 0);
    follower_close(&f);
}

static int make_network(void **state)
{
    (void)state;
    network_make(&network, 50, 100);
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
        cmocka_unit_test(makes_final_what_says_where_it_stands),
        cmocka_unit_test(refuses_a_block_that_says_another_view_than_its_proposal),
        cmocka_unit_test(refuses_a_block_that_stands_on_another_than_its_proposal),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_network, remove_network);
}
