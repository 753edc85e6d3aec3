/* What an attacker can make of an address book: a bounded part of it, and nothing that works is
 * lost. The bounds follow from BOOK_* of net/limits.h and the reach of a group (net/book_table.c):
 * 16 of the new buckets for a source's group, 1 for an address's group told by a source's, 4 of the
 * tried ones for an address's group. */
#include "tests/net/book_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

/* after setjmp.h and stdarg.h, which it needs */
#include <cmocka.h>

#define HONEST          1000
#define NEW_SOURCE_MAX  (16 * BOOK_BUCKET_SIZE) /* one source's group */
#define NEW_PAIR_MAX    BOOK_BUCKET_SIZE        /* one group told by one source's group */
#define TRIED_GROUP_MAX (4 * BOOK_BUCKET_SIZE)
#define OUTGOING        10
#define TRIALS          12

/* Told by 20 honest sources; the first `tried` were connected. Returns the time after it. */
static uint64_t fill_honest(struct book *b, uint32_t count, uint32_t tried, uint64_t now_s)
{
    for (uint32_t i = 0; i < count; i++, now_s += BOOK_SOURCE_RATE_S) {
        struct wire_peer p = honest(i);
        (void)tell(b, p, honest(4000 + i % 20), now_s);
        if (i < tried) book_connected(b, &p, now_s);
    }
    return now_s;
}

static uint32_t still_there(struct book *b, const bool *before, uint32_t count, uint64_t now_s)
{
    uint32_t lost = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct wire_peer p = honest(i);
        if (before[i] && !has(b, &p, now_s)) lost++;
    }
    return lost;
}

static void remember(struct book *b, bool *out, uint32_t count, uint64_t now_s)
{
    for (uint32_t i = 0; i < count; i++) {
        struct wire_peer p = honest(i);
        out[i] = has(b, &p, now_s);
    }
}

static void ten_sources_and_10000_addresses_of_one_group_fill_four_percent_of_new(void **state)
{
    static bool before[HONEST];
    (void)state;
    for (uint8_t seed = 0; seed < 2; seed++) {
        struct book *b = book_create((const uint8_t[32]){seed});
        uint64_t now_s = fill_honest(b, HONEST, 200, START_S) + LONG_S;
        remember(b, before, HONEST, now_s);
        size_t count = book_count(b), tried = book_tried_count(b);
        for (uint32_t i = 0; i < 10000; i++, now_s++)
            (void)tell(b, attackers(7, i), attackers(100 + i % 10, 1), now_s);
        assert_in_range(book_count(b) - count, NEW_PAIR_MAX, 10 * NEW_PAIR_MAX); /* 160 of 4096 */
        assert_int_equal(book_tried_count(b), tried);
        assert_int_equal(still_there(b, before, HONEST, now_s), 0);
        book_destroy(b);
    }
}

static void a_source_fills_a_sixteenth_of_new_whatever_it_tells(void **state)
{
    struct book *b = book_create(SEED);
    uint64_t now_s = START_S;
    (void)state;
    for (uint32_t i = 0; i < 10000; i++, now_s += BOOK_SOURCE_RATE_S)
        (void)tell(b, attackers(i % 256, i), attackers(9, i % 100), now_s);
    assert_in_range(book_count(b), NEW_SOURCE_MAX / 2, NEW_SOURCE_MAX);
    book_destroy(b);
}

static void addresses_of_one_group_fill_a_sixteenth_of_tried_though_all_work(void **state)
{
    static bool before[HONEST];
    struct book *b = book_create(SEED);
    uint64_t now_s = fill_honest(b, HONEST, 300, START_S) + LONG_S;
    (void)state;
    remember(b, before, HONEST, now_s);
    size_t tried = book_tried_count(b), count = book_count(b);
    assert_int_equal(tried, 300);
    for (uint32_t i = 0; i < 10000; i++, now_s++) {
        struct wire_peer p = attackers(7, i);
        book_connected(b, &p, now_s);
    }
    assert_true(book_tried_count(b) - tried <= TRIED_GROUP_MAX); /* 64 of 1024 */
    assert_true(book_count(b) - count <= TRIED_GROUP_MAX + NEW_PAIR_MAX);
    assert_int_equal(still_there(b, before, HONEST, now_s), 0);
    book_destroy(b);
}

static void no_flood_pushes_out_an_address_that_works(void **state)
{
    static bool before[HONEST];
    struct book *b = book_create(SEED);
    uint64_t now_s = fill_honest(b, HONEST, HONEST, START_S) + LONG_S;
    (void)state;
    remember(b, before, HONEST, now_s);
    for (uint32_t i = 0; i < 20000; i++, now_s++) {
        struct wire_peer p = attackers(i % 256, i);
        (void)tell(b, p, attackers(i % 251, 1), now_s);
        book_connected(b, &p, now_s);
    }
    assert_true(book_count(b) <= (BOOK_NEW_BUCKETS + BOOK_TRIED_BUCKETS) * BOOK_BUCKET_SIZE);
    assert_int_equal(still_there(b, before, HONEST, now_s), 0);
    book_destroy(b);
}

static void an_address_that_is_dead_makes_room(void **state)
{
    struct book *b = book_create(SEED);
    uint64_t now_s = START_S;
    (void)state;
    for (uint32_t i = 0; i < 100; i++, now_s += BOOK_SOURCE_RATE_S)
        (void)tell(b, attackers(7, i), attackers(9, 1), now_s);
    assert_int_equal(book_count(b), NEW_PAIR_MAX);
    struct wire_peer dead = attackers(7, 3), next = attackers(7, 200);
    assert_false(tell(b, next, attackers(9, 1), now_s));
    for (int i = 0; i < 3; i++)
        book_failed(b, &dead.address, now_s);
    assert_true(tell(b, next, attackers(9, 1), now_s + 60));
    assert_false(has(b, &dead, now_s + 3600));
    assert_int_equal(book_count(b), NEW_PAIR_MAX);
    book_destroy(b);
}

static void a_tried_address_is_given_up_after_a_week_of_failures_and_no_sooner(void **state)
{
    struct book *b = book_create(SEED);
    uint64_t now_s = START_S;
    uint32_t n = 0;
    (void)state;
    for (; n < 2000; n++) {
        struct wire_peer p = attackers(7, n);
        book_connected(b, &p, now_s);
    }
    size_t tried = book_tried_count(b);
    for (uint32_t i = 0; i < n; i++)
        for (int k = 0; k < 10; k++) {
            struct wire_peer p = attackers(7, i);
            book_failed(b, &p.address, now_s);
        }
    struct wire_peer early = attackers(7, n), late = attackers(7, n + 1);
    book_connected(b, &early, now_s + 6 * 24 * 3600);
    assert_false(has(b, &early, now_s + 6 * 24 * 3600 + 60)); /* its group's part of new is full */
    book_connected(b, &late, now_s + 8 * 24 * 3600);
    assert_int_equal(book_tried_count(b), tried); /* one for one */
    assert_true(has(b, &late, now_s + 9 * 24 * 3600));
    book_destroy(b);
}

static void filling_buckets_does_not_pay(void **state)
{
    struct book *b = book_create(SEED);
    struct wire_peer found;
    uint32_t bad = 0;
    uint64_t now_s = fill_honest(b, 40, 0, START_S) + LONG_S;
    (void)state;
    for (uint32_t i = 0; i < 10000; i++, now_s++)
        (void)tell(b, attackers(7, i), attackers(100 + i % 10, 1), now_s);
    assert_true(book_count(b) > 150); /* three in four are the attacker's */
    for (uint32_t i = 0; i < 2000; i++) {
        assert_true(book_choose(b, &found, skip_none, NULL, now_s));
        bad += is_attackers(&found);
    }
    assert_true(bad < 2000 / 3);
    book_destroy(b);
}

struct dialled {
    struct wire_peer peers[OUTGOING];
    uint32_t count;
};

/* As the node dials: one outgoing connection a group. */
static bool skip_same_group(void *context, const struct wire_peer *peer)
{
    const struct dialled *d = context;
    struct net_group group = net_address_group(&peer->address);
    for (uint32_t i = 0; i < d->count; i++) {
        struct net_group other = net_address_group(&d->peers[i].address);
        if (net_group_equal(&group, &other)) return true;
    }
    return false;
}

/* How many of the outgoing connections after a restart are the attacker's. 200 honest nodes, 60 of
 * them tried; the attacker tells 400 addresses in each of its groups through as many sources, all
 * of which answer, while the node dials now and then for a day. */
static uint32_t attackers_share(uint8_t seed, uint32_t groups)
{
    struct book *b = book_create((const uint8_t[32]){seed, 99});
    struct dialled d = {.count = 0};
    struct wire_peer found;
    uint32_t bad = 0;
    uint64_t now_s = fill_honest(b, 200, 60, START_S);
    for (uint32_t i = 0; i < 400; i++, now_s += 216) {
        for (uint32_t g = 0; g < groups; g++)
            (void)tell(b, attackers(g, i), attackers(g, 1), now_s);
        if (i % 10 == 0 && book_choose(b, &found, skip_none, NULL, now_s))
            book_connected(b, &found, now_s);
    }
    now_s += LONG_S;
    while (d.count < OUTGOING) {
        assert_true(book_choose(b, &d.peers[d.count], skip_same_group, &d, now_s));
        bad += is_attackers(&d.peers[d.count++]);
    }
    book_destroy(b);
    return bad;
}

static void an_eclipse_needs_many_groups(void **state)
{
    static const uint32_t GROUPS[] = {1, 4, 16, 64};
    (void)state;
    for (size_t i = 0; i < sizeof(GROUPS) / sizeof(GROUPS[0]); i++) {
        uint32_t bad = 0, eclipsed = 0;
        for (uint8_t seed = 0; seed < TRIALS; seed++) {
            uint32_t share = attackers_share(seed, GROUPS[i]);
            bad += share;
            eclipsed += share == OUTGOING;
        }
        print_message("# %2u groups: %u of %u outgoing connections, %u of %u eclipsed\n", GROUPS[i],
                      bad, TRIALS * OUTGOING, eclipsed, TRIALS);
        if (GROUPS[i] == 1) assert_true(bad <= TRIALS);
        if (GROUPS[i] <= 16) assert_int_equal(eclipsed, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_sources_and_10000_addresses_of_one_group_fill_four_percent_of_new),
        cmocka_unit_test(a_source_fills_a_sixteenth_of_new_whatever_it_tells),
        cmocka_unit_test(addresses_of_one_group_fill_a_sixteenth_of_tried_though_all_work),
        cmocka_unit_test(no_flood_pushes_out_an_address_that_works),
        cmocka_unit_test(an_address_that_is_dead_makes_room),
        cmocka_unit_test(a_tried_address_is_given_up_after_a_week_of_failures_and_no_sooner),
        cmocka_unit_test(filling_buckets_does_not_pay),
        cmocka_unit_test(an_eclipse_needs_many_groups),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
