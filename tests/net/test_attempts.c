#include "net/attempts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* after setjmp.h and stdarg.h, which it needs */
#include <cmocka.h>

static const uint8_t SEED[32] = {1};

static struct net_address ipv4(uint32_t ip)
{
    struct net_address a = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 30333};
    store_be32(a.ip + 12, ip);
    return a;
}

static void counts_each_address_by_itself_for_a_minute(void **state)
{
    struct attempts *t = attempts_create(SEED);
    struct net_address a = ipv4(1);
    struct net_address b = ipv4(2);
    (void)state;
    assert_int_equal(attempts_count(t, &a, 500), 1);
    a.port++;
    assert_int_equal(attempts_count(t, &a, 501), 2);
    assert_int_equal(attempts_count(t, &b, 502), 1);
    assert_int_equal(attempts_count(t, &a, 60499), 3);
    assert_int_equal(attempts_count(t, &a, 60500), 1);
    attempts_destroy(t);
}

static void counts_an_ipv6_host_by_its_64(void **state)
{
    struct attempts *t = attempts_create(SEED);
    struct net_address a = {{0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 1};
    (void)state;
    for (uint8_t i = 0; i < 100; i++) {
        a.ip[15] = i;
        assert_int_equal(attempts_count(t, &a, 0), i + 1);
    }
    attempts_destroy(t);
}

static void a_million_addresses_do_not_hide_the_one_that_goes_on(void **state)
{
    struct attempts *t = attempts_create(SEED);
    struct net_address persistent = ipv4(0);
    uint32_t last = 0;
    (void)state;
    for (uint32_t i = 1; i <= 1000000; i++) {
        struct net_address a = ipv4(i);
        (void)attempts_count(t, &a, i / 100);
        if (i % 1000 == 0) last = attempts_count(t, &persistent, i / 100);
    }
    assert_true(last > 0); /* it is counted still; some of it is forgiven, which is what it costs */
    attempts_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_each_address_by_itself_for_a_minute),
        cmocka_unit_test(counts_an_ipv6_host_by_its_64),
        cmocka_unit_test(a_million_addresses_do_not_hide_the_one_that_goes_on),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
