#include "net/bans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* after setjmp.h and stdarg.h, which it needs */
#include <cmocka.h>

static struct net_address ipv4(uint32_t ip)
{
    struct net_address a = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 30333};
    store_be32(a.ip + 12, ip);
    return a;
}

static void a_score_halves_every_ten_minutes(void **state)
{
    struct score s = {0};
    (void)state;
    score_add(&s, 80, 1000);
    assert_int_equal(score_points(&s, 1000 + PEER_SCORE_HALF_MS - 1), 80);
    assert_int_equal(score_points(&s, 1000 + PEER_SCORE_HALF_MS), 40);
    assert_int_equal(score_points(&s, 1000 + 2 * PEER_SCORE_HALF_MS), 20);
    assert_int_equal(score_points(&s, 1000 + 100ull * PEER_SCORE_HALF_MS), 0);
}

static void adding_often_does_not_stop_the_fading(void **state)
{
    struct score s = {0};
    (void)state;
    score_add(&s, 64, 0);
    for (uint64_t now = 0; now <= 4 * PEER_SCORE_HALF_MS; now += PEER_SCORE_HALF_MS / 3)
        score_add(&s, 0, now);
    assert_int_equal(score_points(&s, 4 * PEER_SCORE_HALF_MS), 4);
}

static void a_score_does_not_wrap(void **state)
{
    struct score s = {0};
    (void)state;
    score_add(&s, UINT32_MAX, 0);
    score_add(&s, 5, 0);
    assert_int_equal(score_points(&s, 0), UINT32_MAX);
}

static void a_banned_address_is_banned_on_every_port_until_its_time(void **state)
{
    struct bans *b = bans_create();
    struct net_address a = ipv4(0x01020304);
    struct net_address neighbour = ipv4(0x01020305);
    (void)state;
    bans_add_address(b, &a, 1000);
    a.port = 1;
    assert_true(bans_has_address(b, &a, 999));
    assert_false(bans_has_address(b, &a, 1000));
    assert_false(bans_has_address(b, &neighbour, 0));
    bans_destroy(b);
}

static void an_ipv6_host_is_banned_with_its_whole_64(void **state)
{
    struct bans *b = bans_create();
    struct net_address a = {{0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 1};
    (void)state;
    bans_add_address(b, &a, 1000);
    a.ip[15] = 77;
    a.ip[8] = 77;
    assert_true(bans_has_address(b, &a, 0));
    a.ip[7] = 77;
    assert_false(bans_has_address(b, &a, 0));
    bans_destroy(b);
}

static void ids_and_addresses_are_not_taken_for_each_other(void **state)
{
    struct bans *b = bans_create();
    struct hash id = {{9}};
    struct hash other = {{8}};
    (void)state;
    bans_add_id(b, &id, 50);
    assert_true(bans_has_id(b, &id, 49));
    assert_false(bans_has_id(b, &id, 50));
    assert_false(bans_has_id(b, &other, 0));
    struct net_address zero = {0};
    struct hash like_zero = {{64}}; /* the bits of ::/64 */
    bans_add_address(b, &zero, 50);
    assert_false(bans_has_id(b, &like_zero, 0));
    bans_destroy(b);
}

static void a_second_ban_never_shortens_the_first(void **state)
{
    struct bans *b = bans_create();
    struct hash id = {{9}};
    (void)state;
    bans_add_id(b, &id, 500);
    bans_add_id(b, &id, 100);
    assert_true(bans_has_id(b, &id, 499));
    bans_destroy(b);
}

static void a_full_list_gives_up_whose_ban_ends_first(void **state)
{
    struct bans *b = bans_create();
    (void)state;
    for (uint32_t i = 0; i < PEER_BANS_MAX; i++) {
        struct net_address a = ipv4(i);
        bans_add_address(b, &a, 1000 + (i * 7919 + 5) % PEER_BANS_MAX);
    }
    struct net_address more = ipv4(1u << 31);
    bans_add_address(b, &more, 9000);
    uint32_t lost = 0;
    for (uint32_t i = 0; i < PEER_BANS_MAX; i++) {
        struct net_address a = ipv4(i);
        if (bans_has_address(b, &a, 0)) continue;
        lost++;
        assert_int_equal((i * 7919 + 5) % PEER_BANS_MAX, 0);
    }
    assert_int_equal(lost, 1);
    assert_true(bans_has_address(b, &more, 8999));
    bans_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_score_halves_every_ten_minutes),
        cmocka_unit_test(adding_often_does_not_stop_the_fading),
        cmocka_unit_test(a_score_does_not_wrap),
        cmocka_unit_test(a_banned_address_is_banned_on_every_port_until_its_time),
        cmocka_unit_test(an_ipv6_host_is_banned_with_its_whole_64),
        cmocka_unit_test(ids_and_addresses_are_not_taken_for_each_other),
        cmocka_unit_test(a_second_ban_never_shortens_the_first),
        cmocka_unit_test(a_full_list_gives_up_whose_ban_ends_first),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
