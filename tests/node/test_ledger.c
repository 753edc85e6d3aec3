#include "node/ledger.h"

#include "node/pool.h"
#include "tests/node/network.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/eventfd.h>

#include <cmocka.h>

/* One node's chain and pool, without consensus: the test says what is built and what is final. */
struct chain {
    struct network *network;
    struct store *store;
    struct ledger *ledger;
    struct pool *pool;
    int wake_fd;
};

static struct network network;

static void open_chain(struct chain *c, const char *name)
{
    char journal[32], error[POOL_ERROR_SIZE];
    snprintf(journal, sizeof journal, "%s.journal", name);
    c->network = &network;
    c->store = network_store(&network, name);
    c->ledger = network_ledger(&network, c->store);
    c->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct pool_setup setup = {c->store, &network.genesis->config, &ledger_head(c->ledger)->header,
                               network_path(&network, journal), c->wake_fd};
    assert_int_equal(pool_open(&c->pool, error, &setup), OK);
}

static void close_chain(struct chain *c)
{
    pool_close(c->pool);
    ledger_close(c->ledger);
    store_close(c->store);
    close(c->wake_fd);
}

static struct hash build_on(struct chain *c, const struct hash *parent, uint64_t view)
{
    struct hash block;
    const struct epoch_record *record = ledger_record(c->ledger, parent);
    struct ledger_build build = {
        .parent = *parent,
        .plan = {.timestamp_s = 1750000000 + view, .view = view, .parent_view = record->last_view}};
    assert_true(hash_chain_before(network.chain, &build.plan.reveal, &record->duties[0].revealed));
    build.mempool = pool_lock(c->pool);
    assert_int_equal(ledger_build(c->ledger, &block, &build, 5), OK);
    pool_unlock(c->pool);
    buffer_finish(&build.dropped);
    return block;
}

static void make_final(struct chain *c, const struct hash *blocks, size_t count)
{
    struct ledger_commit commit = {.chain = blocks, .count = count};
    commit.certificate = bytes_of_text("certificate");
    pool_lock(c->pool);
    ledger_commit(c->ledger, &commit);
    pool_on_final(c->pool, &ledger_head(c->ledger)->header, buffer_bytes(&commit.spenders));
    pool_unlock(c->pool);
    buffer_finish(&commit.spenders);
}

static enum tx_reason submit(struct chain *c, uint64_t nonce)
{
    struct buffer wire = {0};
    struct hash hash;
    network_transfer(&network, &wire, nonce);
    enum tx_reason reason = pool_submit(c->pool, &hash, buffer_bytes(&wire));
    buffer_finish(&wire);
    return reason;
}

static void final_blocks_are_there_after_opening_again_and_others_are_not(void **state)
{
    struct chain c;
    struct hash chain[3], at;
    (void)state;
    open_chain(&c, "a");
    at = ledger_head(c.ledger)->hash;
    for (size_t i = 0; i < 3; i++)
        at = chain[i] = build_on(&c, &at, i + 1);
    make_final(&c, chain, 2);
    assert_int_equal(ledger_head(c.ledger)->header.number, 2);
    assert_true(ledger_is_executed(c.ledger, &chain[2])); /* stands on the head: kept */
    close_chain(&c);
    open_chain(&c, "a");
    assert_int_equal(ledger_head(c.ledger)->header.number, 2);
    assert_true(hash_equal(&ledger_head(c.ledger)->hash, &chain[1]));
    assert_false(ledger_holds(c.ledger, &chain[2]));
    struct hash again = build_on(&c, &chain[1], 3); /* the same block as before */
    assert_true(hash_equal(&again, &chain[2]));
    close_chain(&c);
}

/* A restart offers every block of the vote log again, most of them long final. */
static void blocks_that_are_final_take_no_room_when_they_are_offered_again(void **state)
{
    struct chain c;
    struct buffer logged[LEDGER_BLOCKS_MAX + 1] = {{0}};
    struct hash hashes[LEDGER_BLOCKS_MAX + 1], at;
    (void)state;
    open_chain(&c, "long");
    at = ledger_head(c.ledger)->hash;
    for (size_t i = 0; i <= LEDGER_BLOCKS_MAX; i++) {
        at = hashes[i] = build_on(&c, &at, ledger_head(c.ledger)->record->last_view + 1);
        buffer_append(&logged[i], ledger_bytes(c.ledger, &at));
        make_final(&c, &at, 1);
    }
    close_chain(&c);
    open_chain(&c, "long");
    for (size_t i = 0; i <= LEDGER_BLOCKS_MAX; i++) {
        assert_int_equal(ledger_hold(c.ledger, &hashes[i], buffer_bytes(&logged[i])), E_EXISTS);
        buffer_finish(&logged[i]);
    }
    (void)build_on(&c, &at, ledger_head(c.ledger)->record->last_view + 1);
    close_chain(&c);
}

static void another_node_verifies_what_one_builds(void **state)
{
    struct chain a, b;
    struct buffer bytes = {0};
    char error[LEDGER_ERROR_SIZE];
    (void)state;
    open_chain(&a, "builder");
    open_chain(&b, "verifier");
    assert_int_equal(submit(&a, 0), TX_FINE);
    struct hash genesis = ledger_head(a.ledger)->hash;
    struct hash block = build_on(&a, &genesis, 1);
    buffer_append(&bytes, ledger_bytes(a.ledger, &block));

    assert_int_equal(ledger_verify(b.ledger, error, &block, 1), E_NOT_FOUND);
    assert_int_equal(ledger_hold(b.ledger, &genesis, buffer_bytes(&bytes)), E_EXISTS);
    assert_int_equal(ledger_hold(b.ledger, &(struct hash){{1}}, buffer_bytes(&bytes)), E_MALFORMED);
    assert_int_equal(ledger_hold(b.ledger, &block, buffer_bytes(&bytes)), OK);
    assert_int_equal(ledger_hold(b.ledger, &block, buffer_bytes(&bytes)), E_EXISTS);
    assert_int_equal(ledger_verify(b.ledger, error, &block, 1), OK);
    make_final(&b, &block, 1);
    assert_true(hash_equal(&ledger_head(b.ledger)->hash, &block));
    buffer_finish(&bytes);
    close_chain(&a);
    close_chain(&b);
}

/* The builder's block with one field of its header changed. */
static struct hash tampered(struct buffer *out, struct bytes original,
                            void (*change)(struct header *))
{
    struct arena arena = {0};
    struct block block;
    assert_int_equal(block_decode(&block, &arena, original), OK);
    change(&block.header);
    buffer_clear(out);
    block_encode(out, &block);
    struct hash hash = block_hash(&block);
    arena_finish(&arena);
    return hash;
}

static void other_state(struct header *h)
{
    h->state_root.b[3] ^= 1;
}
static void other_receipts(struct header *h)
{
    h->receipts_root.b[3] ^= 1;
}
static void more_gas(struct header *h)
{
    h->gas_used++;
}
static void other_fee(struct header *h)
{
    h->base_fee = u256_add(h->base_fee, u256_from_u64(1));
}
static void other_reveal(struct header *h)
{
    h->extra.reveal.b[0] ^= 1;
}
static void other_coinbase(struct header *h)
{
    h->coinbase.b[0] ^= 1;
}
static void skipped_number(struct header *h)
{
    h->number++;
}

static void refuses_a_block_that_lies_about_anything(void **state)
{
    void (*const changes[])(struct header *) = {other_state,   other_receipts, more_gas,
                                                other_fee,     other_reveal,   other_coinbase,
                                                skipped_number};
    struct chain a, b;
    struct buffer bytes = {0};
    char error[LEDGER_ERROR_SIZE];
    (void)state;
    open_chain(&a, "liar");
    open_chain(&b, "judge");
    struct hash block = build_on(&a, &ledger_head(a.ledger)->hash, 1);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct hash hash = tampered(&bytes, ledger_bytes(a.ledger, &block), changes[i]);
        assert_int_equal(ledger_hold(b.ledger, &hash, buffer_bytes(&bytes)), OK);
        error[0] = 0;
        assert_int_equal(ledger_verify(b.ledger, error, &hash, 1), E_MALFORMED);
        assert_true(strlen(error) > 0);
        assert_false(ledger_is_executed(b.ledger, &hash));
    }
    buffer_finish(&bytes);
    close_chain(&a);
    close_chain(&b);
}

/* The hash is the header's alone: whoever passes the block on could change the rest. */
static void refuses_other_transactions_under_a_blocks_hash(void **state)
{
    struct chain a, b;
    struct buffer bytes = {0};
    struct arena arena = {0};
    struct block block;
    (void)state;
    open_chain(&a, "proposer");
    open_chain(&b, "receiver");
    assert_int_equal(submit(&a, 0), TX_FINE);
    struct hash hash = build_on(&a, &ledger_head(a.ledger)->hash, 1);
    assert_int_equal(block_decode(&block, &arena, ledger_bytes(a.ledger, &hash)), OK);
    assert_int_equal(block.tx_count, 1);
    block.tx_count = 0;
    block_encode(&bytes, &block);
    assert_int_equal(ledger_hold(b.ledger, &hash, buffer_bytes(&bytes)), E_MALFORMED);
    assert_false(ledger_holds(b.ledger, &hash));
    buffer_finish(&bytes);
    arena_finish(&arena);
    close_chain(&a);
    close_chain(&b);
}

static void drops_forks_that_can_no_longer_be_final(void **state)
{
    struct chain c;
    (void)state;
    open_chain(&c, "forks");
    struct hash genesis = ledger_head(c.ledger)->hash;
    struct hash left = build_on(&c, &genesis, 1);
    struct hash right = build_on(&c, &genesis, 2);
    struct hash right_child = build_on(&c, &right, 3);
    make_final(&c, &left, 1);
    assert_false(ledger_holds(c.ledger, &right));
    assert_false(ledger_holds(c.ledger, &right_child));
    struct hash next = build_on(&c, &left, 4); /* what is left can be read and built upon */
    make_final(&c, &next, 1);
    close_chain(&c);
}

static void refuses_another_networks_directory(void **state)
{
    struct ledger *ledger;
    char error[LEDGER_ERROR_SIZE];
    struct store *store = network_store(&network, "a");
    uint64_t chain_id = network.genesis->config.chain_id;
    (void)state;
    network.genesis->config.chain_id = 1;
    assert_int_equal(ledger_open(&ledger, error, store, network.genesis), E_STATE);
    assert_non_null(strstr(error, "belongs to another network"));
    network.genesis->config.chain_id = chain_id;
    store_close(store);
}

static void an_accepted_transaction_wakes_the_builder_and_survives_a_restart(void **state)
{
    struct chain c;
    struct buffer wire = {0};
    uint64_t woken = 0;
    (void)state;
    open_chain(&c, "pool");
    assert_int_equal(submit(&c, 0), TX_FINE);
    assert_int_equal(submit(&c, 1), TX_FINE);
    assert_int_equal(submit(&c, 1), TX_KNOWN);
    assert_int_equal(read(c.wake_fd, &woken, sizeof woken), sizeof woken);
    assert_int_equal(woken, 2);
    struct address rich = key_address(&network.rich);
    assert_int_equal(pool_next_nonce(c.pool, &rich, 0), 2);
    close_chain(&c);
    open_chain(&c, "pool");
    assert_int_equal(pool_count(c.pool), 2);
    struct hash genesis = ledger_head(c.ledger)->hash;
    struct hash block = build_on(&c, &genesis, 1);
    make_final(&c, &block, 1);
    assert_int_equal(pool_count(c.pool), 0);
    assert_int_equal(submit(&c, 0), TX_NONCE_TOO_LOW);
    close_chain(&c);
    open_chain(&c, "pool"); /* the journal still names them: they are spent */
    assert_int_equal(pool_count(c.pool), 0);
    buffer_finish(&wire);
    close_chain(&c);
}

static int make_network(void **state)
{
    (void)state;
    network_make(&network, 100, 50);
    return 0;
}

struct told { /* what was asked, and the answer */
    struct address sender;
    size_t asked;
};

static void tell_sender(void *context, struct address *out, const struct hash *hashes, size_t count)
{
    struct told *t = context;
    (void)hashes;
    t->asked += count;
    for (size_t i = 0; i < count; i++)
        out[i] = t->sender;
}

/* Verifies b's copy of a block of one transaction, told that this address signed it. */
static enum status verify_told(struct address sender)
{
    struct chain a, b;
    struct told told = {.sender = sender};
    char error[LEDGER_ERROR_SIZE];
    open_chain(&a, "knows");
    open_chain(&b, "asks");
    assert_int_equal(submit(&a, 0), TX_FINE);
    struct hash block = build_on(&a, &ledger_head(a.ledger)->hash, 1);
    assert_int_equal(ledger_hold(b.ledger, &block, ledger_bytes(a.ledger, &block)), OK);
    ledger_ask_senders(b.ledger, tell_sender, &told);
    enum status status = ledger_verify(b.ledger, error, &block, 5);
    assert_int_equal(told.asked, 1);
    close_chain(&a);
    close_chain(&b);
    char path[160];
    snprintf(path, sizeof path, "rm -rf %s/knows* %s/asks*", network.dir, network.dir);
    assert_int_equal(system(path), 0);
    return status;
}

static void takes_senders_that_are_known_and_finds_out_the_others(void **state)
{
    struct address none = {{0}}, other = {{7}};
    (void)state;
    assert_int_equal(verify_told(key_address(&network.rich)), OK);
    assert_int_equal(verify_told(none), OK);
    assert_int_equal(verify_told(other), E_MALFORMED); /* it was indeed not recovered again */
}

/* A creation that stores the hashes of the four blocks before its own. */
static void submit_hash_keeper(struct chain *c)
{
    static const uint8_t code[] = {
        0x43, 0x60, 1, 0x90, 0x03, 0x40, 0x60, 1,    0x55, /* NUMBER - 1 BLOCKHASH 1 SSTORE */
        0x43, 0x60, 2, 0x90, 0x03, 0x40, 0x60, 2,    0x55, 0x43, 0x60, 3, 0x90, 0x03,
        0x40, 0x60, 3, 0x55, 0x43, 0x60, 4,    0x90, 0x03, 0x40, 0x60, 4, 0x55};
    struct tx t = {.type = TX_DYNAMIC_FEE,
                   .has_chain_id = true,
                   .is_create = true,
                   .chain_id = 7117,
                   .gas_limit = 300000,
                   .max_fee_per_gas = u256_from_u64(2000000000),
                   .data = bytes_of(code, sizeof code)};
    struct buffer wire = {0};
    struct hash hash;
    tx_sign(&t, &network.rich);
    tx_encode(&wire, &t);
    assert_int_equal(pool_submit(c->pool, &hash, buffer_bytes(&wire)), TX_FINE);
    buffer_finish(&wire);
}

static void block_hashes_are_the_same_of_held_and_of_final_ancestors(void **state)
{
    struct chain a, b;
    struct hash chain[5], at;
    char error[LEDGER_ERROR_SIZE] = "";
    (void)state;
    open_chain(&a, "held");
    open_chain(&b, "final");
    at = ledger_head(a.ledger)->hash;
    for (size_t i = 0; i < 5; i++) {
        if (i == 4) submit_hash_keeper(&a);
        at = chain[i] = build_on(&a, &at, i + 1);
        assert_int_equal(ledger_hold(b.ledger, &at, ledger_bytes(a.ledger, &at)), OK);
        assert_int_equal(ledger_verify(b.ledger, error, &at, 5), OK);
        if (i < 4) make_final(&b, &at, 1); /* in a they all wait above the head */
    }
    struct address created = key_address(&network.rich);
    created = address_of_create(&created, 0);
    make_final(&a, chain, 5);
    const struct state_base *base = store_base(a.store);
    struct layer *layer = layer_create(base, NULL);
    for (uint64_t k = 1; k <= 4; k++) {
        struct u256 kept = layer_storage(layer, &created, u256_from_u64(k));
        assert_true(u256_equal(kept, u256_from_be(hash_bytes(&chain[4 - k]))));
    }
    layer_release(layer);
    close_chain(&a);
    close_chain(&b);
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
        cmocka_unit_test(final_blocks_are_there_after_opening_again_and_others_are_not),
        cmocka_unit_test(blocks_that_are_final_take_no_room_when_they_are_offered_again),
        cmocka_unit_test(another_node_verifies_what_one_builds),
        cmocka_unit_test(refuses_a_block_that_lies_about_anything),
        cmocka_unit_test(refuses_other_transactions_under_a_blocks_hash),
        cmocka_unit_test(takes_senders_that_are_known_and_finds_out_the_others),
        cmocka_unit_test(block_hashes_are_the_same_of_held_and_of_final_ancestors),
        cmocka_unit_test(drops_forks_that_can_no_longer_be_final),
        cmocka_unit_test(refuses_another_networks_directory),
        cmocka_unit_test(an_accepted_transaction_wakes_the_builder_and_survives_a_restart),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_network, remove_network);
}
