/* What EIP-7702 adds to the pool's rules: see mempool.h. */
#include "tests/chain/pool_fixture.h"

enum { OWNER = 1, OWNER_TOO = 2, SPONSOR = 5 };

static enum tx_reason add(struct fixture *f, size_t who, uint64_t nonce, uint64_t fee)
{
    return add_tx(f, who, plain(nonce, fee, 10), NULL);
}

static struct authorization signed_by(struct fixture *f, size_t who, uint64_t chain_id)
{
    struct authorization a = {.chain_id = u256_from_u64(chain_id), .nonce = 0};
    a.delegate.b[0] = 0xcc;
    authorization_sign(&a, &f->people[who].key);
    return a;
}

/* The sponsor's transaction with the authorizations of `count` people from OWNER on. */
static enum tx_reason sponsor(struct fixture *f, uint64_t nonce, uint64_t fee, size_t count)
{
    struct authorization list[4];
    struct tx t = plain(nonce, fee, 10);
    assert_true(count <= 4);
    for (size_t i = 0; i < count; i++)
        list[i] = signed_by(f, OWNER + i, CHAIN_ID);
    t.type = TX_SET_CODE;
    t.gas_limit = 21000 + 25000 * count;
    t.authorizations = list;
    t.authorization_count = count;
    return add_tx(f, SPONSOR, t, NULL);
}

static void a_delegated_sender_has_one_transaction_waiting(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    f.people[OWNER].account.is_delegated = true;
    f.people[OWNER].account.nonce = 7;
    assert_int_equal(add(&f, OWNER, 8, 200), TX_DELEGATED_GAP);
    assert_int_equal(add(&f, OWNER, 7, 200), TX_FINE);
    assert_int_equal(add(&f, OWNER, 8, 200), TX_DELEGATED_FULL);
    assert_int_equal(add(&f, OWNER, 7, 210), TX_REPLACE_UNDERPRICED);
    assert_int_equal(add_tx(&f, OWNER, plain(7, 230, 20), NULL), TX_FINE); /* replaced */
    assert_int_equal(mempool_count(f.pool), 1);
    /* Its nonce went by otherwise: what is used up does not stand in the way. */
    f.people[OWNER].account.nonce = 8;
    assert_int_equal(add(&f, OWNER, 8, 200), TX_FINE);
    assert_int_equal(mempool_count(f.pool), 1);
    teardown(&f);
}

static void what_waited_before_the_delegation_may_be_replaced(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    assert_int_equal(add(&f, OWNER, 0, 200), TX_FINE);
    assert_int_equal(add(&f, OWNER, 1, 200), TX_FINE);
    f.people[OWNER].account.is_delegated = true;
    assert_int_equal(add_tx(&f, OWNER, plain(1, 300, 20), NULL), TX_FINE);
    assert_int_equal(add(&f, OWNER, 2, 200), TX_DELEGATED_FULL);
    assert_int_equal(mempool_count(f.pool), 2);
    teardown(&f);
}

static void so_has_one_whose_authorization_waits(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    assert_int_equal(sponsor(&f, 0, 200, 2), TX_FINE);
    assert_int_equal(add(&f, OWNER, 1, 200), TX_DELEGATED_GAP);
    assert_int_equal(add(&f, OWNER, 0, 200), TX_FINE);
    assert_int_equal(add(&f, OWNER, 1, 200), TX_DELEGATED_FULL);
    assert_int_equal(add(&f, OWNER_TOO, 1, 200), TX_DELEGATED_GAP);
    assert_int_equal(add(&f, OWNER_TOO + 1, 1, 200), TX_FINE); /* nobody's authority */
    teardown(&f);
}

static void the_limit_ends_when_the_authorization_leaves(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    assert_int_equal(sponsor(&f, 0, 200, 2), TX_FINE);
    assert_int_equal(sponsor(&f, 1, 200, 1), TX_FINE); /* a second one of the same owner */
    f.people[SPONSOR].account.nonce = 1;
    mempool_on_block(f.pool, &f.world, &f.people[SPONSOR].address, 1);
    assert_int_equal(add(&f, OWNER_TOO, 1, 200), TX_FINE);
    assert_int_equal(add(&f, OWNER, 1, 200), TX_DELEGATED_GAP);
    f.people[SPONSOR].account.nonce = 2;
    mempool_on_block(f.pool, &f.world, &f.people[SPONSOR].address, 1);
    assert_int_equal(add(&f, OWNER, 1, 200), TX_FINE);
    teardown(&f);
}

static void an_authorization_of_one_with_more_waiting_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    assert_int_equal(add(&f, OWNER, 0, 200), TX_FINE);
    assert_int_equal(sponsor(&f, 0, 200, 2), TX_FINE); /* one may wait */
    assert_int_equal(add(&f, OWNER_TOO + 1, 0, 200), TX_FINE);
    assert_int_equal(add(&f, OWNER_TOO + 1, 1, 200), TX_FINE);
    assert_int_equal(sponsor(&f, 1, 200, 3), TX_AUTHORITY_RESERVED);
    assert_int_equal(sponsor(&f, 1, 200, 2), TX_FINE);
    teardown(&f);
}

static void authorizations_without_a_signer_here_bind_nobody(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    struct authorization a = signed_by(&f, OWNER, CHAIN_ID + 1);
    struct tx t = plain(0, 200, 10);
    t.type = TX_SET_CODE;
    t.gas_limit = 46000;
    t.authorizations = &a;
    t.authorization_count = 1;
    assert_int_equal(add_tx(&f, SPONSOR, t, NULL), TX_FINE);
    assert_int_equal(mempool_size_bytes(f.pool), f.wire.size);
    assert_int_equal(add(&f, OWNER, 3, 200), TX_FINE);
    teardown(&f);
}

static void authorizations_count_against_the_pools_size(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    assert_int_equal(sponsor(&f, 0, 200, 4), TX_FINE);
    assert_true(mempool_size_bytes(f.pool) > f.wire.size + 4 * sizeof(struct address));
    assert_int_equal(sponsor(&f, 0, 300, 4), TX_REPLACE_UNDERPRICED); /* the tip is the same */
    f.people[SPONSOR].account.nonce = 1;
    mempool_on_block(f.pool, &f.world, NULL, 0);
    assert_int_equal(mempool_size_bytes(f.pool), 0);
    teardown(&f);
}

static void takes_so_many_authorizations_and_no_more(void **state)
{
    (void)state;
    static struct authorization list[MEMPOOL_AUTHORIZATIONS_MAX + 1]; /* nobody's: no signature */
    struct fixture f;
    setup(&f);
    struct tx t = plain(0, 200, 10);
    t.type = TX_SET_CODE;
    t.gas_limit = 21000 + 25000 * (MEMPOOL_AUTHORIZATIONS_MAX + 1);
    t.authorizations = list;
    t.authorization_count = MEMPOOL_AUTHORIZATIONS_MAX + 1;
    assert_int_equal(add_tx(&f, SPONSOR, t, NULL), TX_AUTHORIZATIONS_MANY);
    t.authorization_count--;
    assert_int_equal(add_tx(&f, SPONSOR, t, NULL), TX_FINE);
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delegated_sender_has_one_transaction_waiting),
        cmocka_unit_test(what_waited_before_the_delegation_may_be_replaced),
        cmocka_unit_test(so_has_one_whose_authorization_waits),
        cmocka_unit_test(the_limit_ends_when_the_authorization_leaves),
        cmocka_unit_test(an_authorization_of_one_with_more_waiting_is_refused),
        cmocka_unit_test(authorizations_without_a_signer_here_bind_nobody),
        cmocka_unit_test(takes_so_many_authorizations_and_no_more),
        cmocka_unit_test(authorizations_count_against_the_pools_size),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
