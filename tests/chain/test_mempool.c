/* The pool of waiting transactions; test_mempool_delegation.c has what EIP-7702 adds. */
#include "tests/chain/pool_fixture.h"

static enum tx_reason add(struct fixture *f, size_t who, uint64_t nonce, uint64_t fee, uint64_t tip)
{
    return add_tx(f, who, plain(nonce, fee, tip), NULL);
}

/* --- the order in which transactions come out, as "who:nonce " --- */

static size_t who_is(const struct fixture *f, const struct address *a)
{
    for (size_t i = 0; i < PEOPLE; i++)
        if (address_equal(&f->people[i].address, a)) return i;
    fail_msg("a stranger's transaction");
    return 0;
}

static void assert_picks(struct fixture *f, const char *wanted)
{
    struct buffer found = {0};
    struct mempool_pick *pick = mempool_pick_create(f->pool, &f->world);
    const struct mempool_tx *tx;
    while ((tx = mempool_pick_next(pick)) != NULL)
        buffer_print(&found, "%zu:%llu ", who_is(f, &tx->sender), (unsigned long long)tx->nonce);
    mempool_pick_destroy(pick);
    assert_string_equal(buffer_text(&found), wanted);
    buffer_finish(&found);
}

/* --- tests --- */

static void takes_a_transaction_and_gives_it_back_by_hash(void **state)
{
    (void)state;
    struct fixture f;
    struct hash hash;
    setup(&f);
    assert_int_equal(add_tx(&f, 0, plain(0, 200, 10), &hash), TX_FINE);
    const struct mempool_tx *tx = mempool_find(f.pool, &hash);
    assert_non_null(tx);
    assert_true(address_equal(&tx->sender, &f.people[0].address));
    assert_true(bytes_equal(tx->wire, buffer_bytes(&f.wire)));
    assert_int_equal(u256_to_u64(tx->cost_max_wei), 21000 * 200);
    assert_int_equal(mempool_count(f.pool), 1);
    assert_int_equal(mempool_size_bytes(f.pool), f.wire.size);
    assert_int_equal(add_tx(&f, 0, plain(0, 200, 10), NULL), TX_KNOWN);
    assert_true(mempool_remove(f.pool, &hash));
    assert_false(mempool_remove(f.pool, &hash));
    assert_null(mempool_find(f.pool, &hash));
    assert_int_equal(mempool_size_bytes(f.pool), 0);
    teardown(&f);
}

static void says_why_it_refuses(void **state)
{
    (void)state;
    struct fixture f;
    struct tx t;
    setup(&f);
    f.people[0].account.nonce = 5;
    f.people[1].account.has_code = true;
    f.people[2].account.balance_wei = u256_from_u64(21000 * 200 - 1);
    assert_int_equal(add(&f, 0, 4, 200, 10), TX_NONCE_TOO_LOW);
    assert_int_equal(add(&f, 0, 5 + MEMPOOL_SENDER_MAX, 200, 10), TX_NONCE_TOO_HIGH);
    assert_int_equal(add(&f, 1, 0, 200, 10), TX_SENDER_HAS_CODE);
    assert_int_equal(add(&f, 2, 0, 200, 10), TX_FUNDS);
    assert_int_equal(add(&f, 3, 0, 10, 200), TX_TIP_ABOVE_FEE);
    t = plain(0, 200, 10);
    t.chain_id = 1;
    assert_int_equal(add_tx(&f, 3, t, NULL), TX_WRONG_CHAIN);
    t = plain(0, 1, 1);
    t.gas_limit = 30000001;
    assert_int_equal(add_tx(&f, 3, t, NULL), TX_ABOVE_BLOCK_GAS);
    t.gas_limit = 20999;
    assert_int_equal(add_tx(&f, 3, t, NULL), TX_INTRINSIC_GAS);
    t = plain(0, 200, 10);
    t.value = u256_not(u256_from_u64(0));
    assert_int_equal(add_tx(&f, 3, t, NULL), TX_FUNDS);
    assert_int_equal(mempool_count(f.pool), 0);
    teardown(&f);
}

static void takes_the_sender_from_who_knows_it_and_checks_the_rest(void **state)
{
    (void)state;
    struct fixture f;
    struct hash hash;
    struct tx t = plain(0, 100, 0);
    setup(&f);
    tx_sign(&t, &f.people[0].key);
    tx_encode(&f.wire, &t);
    const struct address *known = &f.people[1].address;
    struct bytes wire = buffer_bytes(&f.wire);
    f.people[1].account.nonce = 1;
    assert_int_equal(mempool_add_from(f.pool, &hash, wire, known, &f.world, 0), TX_NONCE_TOO_LOW);
    f.people[1].account.nonce = 0;
    assert_int_equal(mempool_add_from(f.pool, &hash, wire, known, &f.world, 0), TX_FINE);
    assert_true(address_equal(&mempool_find(f.pool, &hash)->sender, known));
    teardown(&f);
}

static void refuses_bytes_that_are_no_transaction(void **state)
{
    (void)state;
    struct fixture f;
    struct hash hash;
    static const uint8_t blob[] = {3, 0xc0}, later[] = {5, 0xc0};
    setup(&f);
    assert_int_equal(mempool_add(f.pool, &hash, (struct bytes){0}, &f.world, 0), TX_MALFORMED);
    assert_int_equal(mempool_add(f.pool, &hash, bytes_of(blob, 2), &f.world, 0),
                     TX_BLOB_UNSUPPORTED);
    assert_int_equal(mempool_add(f.pool, &hash, bytes_of(later, 2), &f.world, 0),
                     TX_TYPE_UNSUPPORTED);
    buffer_extend(&f.wire, TX_SIZE_MAX + 1)[0] = 2;
    assert_int_equal(mempool_add(f.pool, &hash, buffer_bytes(&f.wire), &f.world, 0), TX_OVERSIZED);
    assert_int_equal(mempool_count(f.pool), 0);
    teardown(&f);
}

static void covers_all_of_a_senders_transactions_with_its_balance(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    f.people[0].account.balance_wei = u256_from_u64(3 * 21000 * 200);
    assert_int_equal(add(&f, 0, 0, 200, 10), TX_FINE);
    assert_int_equal(add(&f, 0, 1, 200, 10), TX_FINE);
    assert_int_equal(add(&f, 0, 2, 201, 10), TX_FUNDS);
    assert_int_equal(add(&f, 0, 1, 401, 11), TX_FUNDS);
    assert_int_equal(add(&f, 0, 1, 400, 11), TX_FINE); /* the replaced one does not count */
    teardown(&f);
}

static void replaces_only_for_a_tenth_more_of_both_fees(void **state)
{
    (void)state;
    struct fixture f;
    struct hash old;
    setup(&f);
    assert_int_equal(add_tx(&f, 0, plain(0, 1000, 105), &old), TX_FINE);
    assert_int_equal(add(&f, 0, 0, 1100, 115), TX_REPLACE_UNDERPRICED); /* 115.5 wanted */
    assert_int_equal(add(&f, 0, 0, 1099, 116), TX_REPLACE_UNDERPRICED);
    assert_non_null(mempool_find(f.pool, &old));
    assert_int_equal(add(&f, 0, 0, 1100, 116), TX_FINE);
    assert_null(mempool_find(f.pool, &old));
    assert_int_equal(mempool_count(f.pool), 1);
    assert_int_equal(add(&f, 1, 0, 100, 0), TX_FINE);
    assert_int_equal(add(&f, 1, 0, 110, 0), TX_REPLACE_UNDERPRICED); /* nothing is no raise */
    assert_int_equal(add(&f, 1, 0, 110, 1), TX_FINE);
    teardown(&f);
}

static void picks_by_tip_and_keeps_each_senders_order(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    assert_int_equal(add(&f, 0, 1, 900, 90), TX_FINE);
    assert_int_equal(add(&f, 0, 0, 900, 10), TX_FINE);
    assert_int_equal(add(&f, 1, 0, 900, 50), TX_FINE);
    assert_int_equal(add(&f, 1, 1, 900, 5), TX_FINE);
    assert_int_equal(add(&f, 2, 0, 120, 100), TX_FINE); /* 20 at this base fee */
    assert_int_equal(add(&f, 3, 0, 900, 10), TX_FINE);  /* as 0:0, but later */
    assert_picks(&f, "1:0 2:0 0:0 0:1 3:0 1:1 ");
    f.world.base_fee = u256_from_u64(60);
    assert_picks(&f, "2:0 1:0 0:0 0:1 3:0 1:1 ");
    teardown(&f);
}

static void leaves_out_gaps_used_nonces_and_fees_below_the_base(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    assert_int_equal(add(&f, 0, 1, 900, 90), TX_FINE); /* behind a gap */
    assert_int_equal(add(&f, 1, 0, 99, 9), TX_FINE);   /* below the base fee */
    assert_int_equal(add(&f, 1, 1, 900, 9), TX_FINE);
    assert_int_equal(add(&f, 2, 0, 900, 9), TX_FINE);
    assert_int_equal(add(&f, 2, 1, 900, 9), TX_FINE);
    assert_int_equal(add(&f, 2, 3, 900, 9), TX_FINE);
    assert_picks(&f, "2:0 2:1 ");
    f.people[2].account.nonce = 1; /* the state ahead of the pool */
    assert_picks(&f, "2:1 ");
    f.people[2].account.nonce = 0;
    assert_int_equal(mempool_next_nonce(f.pool, &f.people[2].address, 0), 2);
    assert_int_equal(mempool_next_nonce(f.pool, &f.people[2].address, 3), 4);
    assert_int_equal(mempool_next_nonce(f.pool, &f.people[0].address, 0), 0);
    assert_int_equal(mempool_next_nonce(f.pool, &f.people[9].address, 7), 7);
    teardown(&f);
}

static void skips_the_rest_of_a_sender_on_request(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    assert_int_equal(add(&f, 0, 0, 900, 90), TX_FINE);
    assert_int_equal(add(&f, 0, 1, 900, 80), TX_FINE);
    assert_int_equal(add(&f, 1, 0, 900, 70), TX_FINE);
    struct mempool_pick *pick = mempool_pick_create(f.pool, &f.world);
    const struct mempool_tx *first = mempool_pick_next(pick);
    assert_int_equal(who_is(&f, &first->sender), 0);
    mempool_pick_skip_sender(pick);
    const struct mempool_tx *second = mempool_pick_next(pick);
    assert_int_equal(who_is(&f, &second->sender), 1);
    assert_null(mempool_pick_next(pick));
    assert_null(mempool_pick_next(pick));
    mempool_pick_destroy(pick);
    teardown(&f);
}

static void drops_after_a_block_what_is_used_or_no_longer_covered(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    for (uint64_t nonce = 0; nonce < 4; nonce++) {
        assert_int_equal(add(&f, 0, nonce, 200, 10), TX_FINE);
        assert_int_equal(add(&f, 1, nonce, 200, 10), TX_FINE);
    }
    f.people[0].account.nonce = 2;
    f.people[1].account.nonce = 1;
    f.people[1].account.balance_wei = u256_from_u64(21000 * 200 * 2);
    mempool_on_block(f.pool, &f.world, &f.people[0].address, 1);
    assert_int_equal(mempool_count(f.pool), 6);
    mempool_on_block(f.pool, &f.world, NULL, 0);
    assert_picks(&f, "1:1 0:2 1:2 0:3 ");
    assert_int_equal(mempool_count(f.pool), 4);
    f.people[0].account.nonce = 9;
    f.people[1].account.nonce = 9;
    mempool_on_block(f.pool, &f.world, NULL, 0);
    assert_int_equal(mempool_count(f.pool), 0);
    assert_int_equal(mempool_size_bytes(f.pool), 0);
    teardown(&f);
}

static void pushes_out_the_least_valuable_tail_when_full(void **state)
{
    (void)state;
    struct fixture f;
    setup_limited(&f, 4, 0);
    assert_int_equal(add(&f, 0, 0, 900, 5), TX_FINE); /* cheap, but not the last of its sender */
    assert_int_equal(add(&f, 0, 1, 900, 50), TX_FINE);
    assert_int_equal(add(&f, 1, 0, 900, 30), TX_FINE);
    assert_int_equal(add(&f, 2, 0, 900, 40), TX_FINE);
    assert_int_equal(add(&f, 3, 0, 900, 30), TX_POOL_FULL); /* no better than 1:0 */
    assert_int_equal(add(&f, 3, 0, 900, 29), TX_POOL_FULL);
    assert_int_equal(mempool_count(f.pool), 4);
    assert_int_equal(add(&f, 3, 0, 900, 31), TX_FINE);
    assert_picks(&f, "2:0 3:0 0:0 0:1 ");
    assert_int_equal(add(&f, 4, 0, 900, 60), TX_FINE);
    assert_picks(&f, "4:0 2:0 0:0 0:1 ");
    teardown(&f);
}

static void pushes_out_what_waits_behind_a_gap_first(void **state)
{
    (void)state;
    struct fixture f;
    setup_limited(&f, 3, 0);
    assert_int_equal(add(&f, 0, 0, 900, 5), TX_FINE);
    assert_int_equal(add(&f, 1, 0, 900, 6), TX_FINE);
    assert_int_equal(add(&f, 2, 7, 900, 700), TX_FINE);
    assert_int_equal(add(&f, 3, 9, 900, 600), TX_POOL_FULL); /* gapped and cheaper than 2:7 */
    assert_int_equal(add(&f, 4, 0, 900, 1), TX_FINE);        /* ready: 2:7 goes */
    assert_picks(&f, "1:0 0:0 4:0 ");
    assert_int_equal(add(&f, 3, 9, 900, 800), TX_POOL_FULL); /* gapped never displaces ready */
    assert_int_equal(add(&f, 0, 1, 900, 800), TX_FINE);      /* 4:0 goes */
    assert_picks(&f, "1:0 0:0 0:1 ");
    teardown(&f);
}

static void keeps_the_byte_limit_and_changes_nothing_when_it_refuses(void **state)
{
    (void)state;
    struct fixture f;
    static uint8_t payload[3000];
    struct tx big = plain(0, 900, 50);
    setup_limited(&f, 0, 5000);
    for (size_t who = 0; who < 8; who++)
        assert_int_equal(add(&f, who, 0, 900, who < 4 ? 10 : 100), TX_FINE);
    big.data = bytes_of(payload, sizeof payload);
    big.gas_limit = 200000;
    assert_int_equal(add_tx(&f, 8, big, NULL), TX_FINE); /* room without pushing */
    assert_int_equal(mempool_count(f.pool), 9);
    size_t before = mempool_size_bytes(f.pool);
    big.max_priority_fee_per_gas = u256_from_u64(40);
    assert_int_equal(add_tx(&f, 9, big, NULL),
                     TX_POOL_FULL); /* the four cheap ones are too small */
    assert_int_equal(mempool_count(f.pool), 9);
    assert_int_equal(mempool_size_bytes(f.pool), before);
    big.max_priority_fee_per_gas = u256_from_u64(60);
    assert_int_equal(add_tx(&f, 9, big, NULL), TX_FINE);
    assert_true(mempool_size_bytes(f.pool) <= 5000);
    assert_picks(&f, "4:0 5:0 6:0 7:0 9:0 ");
    teardown(&f);
}

static void forgets_what_has_waited_too_long(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    assert_int_equal(add(&f, 0, 0, 900, 5), TX_FINE); /* arrives at 1000 */
    mempool_expire(f.pool, 1000 + MEMPOOL_LIFETIME_MS);
    assert_int_equal(mempool_count(f.pool), 1);
    mempool_expire(f.pool, 1001 + MEMPOOL_LIFETIME_MS);
    assert_int_equal(mempool_count(f.pool), 0);
    teardown(&f);
}

static void lists_in_order_of_arrival(void **state)
{
    (void)state;
    struct fixture f;
    const struct mempool_tx *list[8];
    setup(&f);
    for (size_t who = 0; who < 5; who++)
        assert_int_equal(add(&f, who, 0, 900, 50 - who), TX_FINE);
    assert_int_equal(mempool_list(f.pool, list, 8, 0), 5);
    for (size_t who = 0; who < 5; who++)
        assert_int_equal(who_is(&f, &list[who]->sender), who);
    uint64_t third = list[2]->sequence;
    assert_int_equal(mempool_list(f.pool, list, 8, third), 2);
    assert_int_equal(who_is(&f, &list[0]->sender), 3);
    assert_int_equal(mempool_list(f.pool, list, 1, third), 1);
    assert_int_equal(who_is(&f, &list[0]->sender), 3);
    assert_int_equal(mempool_list(f.pool, list, 8, list[0]->sequence + 1), 0);
    teardown(&f);
}

/* --- random calls --- */

static uint64_t random_state;

static uint64_t next_random(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

static void random_call(struct fixture *f)
{
    size_t who = (size_t)next_random(PEOPLE);
    struct person *p = &f->people[who];
    uint64_t tip = next_random(100);
    if (next_random(12) == 0) {
        p->account.nonce = mempool_next_nonce(f->pool, &p->address, p->account.nonce);
        f->world.base_fee = u256_from_u64(50 + next_random(100));
        mempool_on_block(f->pool, &f->world, &p->address, 1);
    } else {
        uint64_t nonce = p->account.nonce + next_random(5);
        (void)add(f, who, nonce, 100 + tip + next_random(100), tip);
    }
}

/* What a pick and a listing show must agree with count and bytes. */
static void assert_sound(struct fixture *f)
{
    const struct mempool_tx *list[40];
    size_t count = mempool_list(f->pool, list, 40, 0);
    size_t size_bytes = 0;
    assert_int_equal(count, mempool_count(f->pool));
    assert_true(count <= 25);
    for (size_t i = 0; i < count; i++) {
        size_bytes += list[i]->wire.size;
        assert_ptr_equal(mempool_find(f->pool, &list[i]->hash), list[i]);
        assert_true(i == 0 || list[i]->sequence > list[i - 1]->sequence);
    }
    assert_int_equal(size_bytes, mempool_size_bytes(f->pool));
    uint64_t next[PEOPLE];
    for (size_t i = 0; i < PEOPLE; i++)
        next[i] = f->people[i].account.nonce;
    struct mempool_pick *pick = mempool_pick_create(f->pool, &f->world);
    const struct mempool_tx *tx;
    while ((tx = mempool_pick_next(pick)) != NULL)
        assert_int_equal(tx->nonce, next[who_is(f, &tx->sender)]++);
    mempool_pick_destroy(pick);
}

static struct buffer play(const uint8_t seed[16])
{
    struct fixture f;
    struct buffer history = {0};
    struct mempool_limits limits = MEMPOOL_DEFAULT_LIMITS;
    setup(&f);
    mempool_destroy(f.pool);
    limits.count_max = 25;
    f.pool = mempool_create(&limits, seed);
    random_state = 42;
    for (size_t i = 0; i < 1500; i++) {
        const struct mempool_tx *list[25];
        random_call(&f);
        assert_sound(&f);
        size_t count = mempool_list(f.pool, list, 25, 0);
        for (size_t k = 0; k < count; k++)
            buffer_append(&history, hash_bytes(&list[k]->hash));
    }
    teardown(&f);
    return history;
}

static void stays_sound_and_the_same_whatever_the_seed(void **state)
{
    (void)state;
    static const uint8_t other[16] = {0xff, 0x17, 0, 99};
    struct buffer a = play(SEED);
    struct buffer b = play(other);
    assert_true(a.size > 1500 * 32 * 10); /* it was not empty most of the time */
    assert_true(bytes_equal(buffer_bytes(&a), buffer_bytes(&b)));
    buffer_finish(&a);
    buffer_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_transaction_and_gives_it_back_by_hash),
        cmocka_unit_test(says_why_it_refuses),
        cmocka_unit_test(takes_the_sender_from_who_knows_it_and_checks_the_rest),
        cmocka_unit_test(refuses_bytes_that_are_no_transaction),
        cmocka_unit_test(covers_all_of_a_senders_transactions_with_its_balance),
        cmocka_unit_test(replaces_only_for_a_tenth_more_of_both_fees),
        cmocka_unit_test(picks_by_tip_and_keeps_each_senders_order),
        cmocka_unit_test(leaves_out_gaps_used_nonces_and_fees_below_the_base),
        cmocka_unit_test(skips_the_rest_of_a_sender_on_request),
        cmocka_unit_test(drops_after_a_block_what_is_used_or_no_longer_covered),
        cmocka_unit_test(pushes_out_the_least_valuable_tail_when_full),
        cmocka_unit_test(pushes_out_what_waits_behind_a_gap_first),
        cmocka_unit_test(keeps_the_byte_limit_and_changes_nothing_when_it_refuses),
        cmocka_unit_test(forgets_what_has_waited_too_long),
        cmocka_unit_test(lists_in_order_of_arrival),
        cmocka_unit_test(stays_sound_and_the_same_whatever_the_seed),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
