#include "net/net_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

/* after setjmp.h and stdarg.h, which it needs */
#include <cmocka.h>

static struct net_address parsed(const char *text)
{
    struct wire_peer p;
    if (wire_peer_from_text(&p, text) != OK) fail_msg("%s is not taken", text);
    return p.address;
}

static void text_reads_back(void **state)
{
    static const char *const TEXTS[] = {"1.2.3.4:30333", "255.0.0.1:1", "[::1]:65535",
                                        "[2001:db8::ff:0:1]:30333"};
    char text[NET_ADDRESS_TEXT_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        struct net_address a = parsed(TEXTS[i]);
        net_address_to_text(text, &a);
        assert_string_equal(text, TEXTS[i]);
    }
}

static void an_ipv4_address_is_the_same_however_it_is_written(void **state)
{
    struct net_address a = parsed("1.2.3.4:5"), b = parsed("[::ffff:1.2.3.4]:5");
    (void)state;
    assert_true(net_address_equal(&a, &b));
    assert_true(net_address_is_ipv4(&b));
}

static void the_longest_address_fits_its_text(void **state)
{
    char text[NET_ADDRESS_TEXT_SIZE];
    struct net_address a = {.port = 65535};
    (void)state;
    memset(a.ip, 0xab, sizeof(a.ip));
    net_address_to_text(text, &a);
    assert_string_equal(text, "[abab:abab:abab:abab:abab:abab:abab:abab]:65535");
}

static void an_id_stands_before_the_at_sign(void **state)
{
    struct wire_peer p;
    (void)state;
    assert_int_equal(
        wire_peer_from_text(
            &p, "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF@9.8.7.6:54"),
        OK);
    assert_int_equal(p.id.b[1], 0x11);
    assert_int_equal(p.id.b[31], 0xff);
    assert_int_equal(p.address.port, 54);
    assert_int_equal(wire_peer_from_text(&p, "9.8.7.6:54"), OK);
    assert_true(hash_is_zero(&p.id));
}

static void what_is_no_peer_is_refused(void **state)
{
    static const char *const TEXTS[] = {
        "",
        ":",
        "@",
        "1.2.3.4",
        "1.2.3.4:",
        "1.2.3.4:0",
        "1.2.3.4:080",
        "1.2.3.4:65536",
        "1.2.3.4:100000",
        "1.2.3.4:80x",
        "1.2.3.4:-1",
        " 1.2.3.4:80",
        "1.2.3:80",
        "1.2.3.256:80",
        "1.2.3.4.5:80",
        "::1:80",
        "[::1:80",
        "[::1]80",
        "[]:80",
        "[1.2.3.4]:80",
        "[fe80::1%eth0]:80",
        "[::1]]:80",
        "example.org:80",
        "@1.2.3.4:80",
        "00@1.2.3.4:80",
        "0x112233445566778899aabbccddeeff00112233445566778899aabbccddeeff@1.2.3.4:80",
        "0011223344556677889900112233445566778899001122334455667788990011@1.2.3.4@5.6.7.8:80",
        "zz112233445566778899aabbccddeeff00112233445566778899aabbccddeeff@1.2.3.4:80",
    };
    struct wire_peer p = {.address = {.port = 99}};
    (void)state;
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++)
        if (wire_peer_from_text(&p, TEXTS[i]) != E_MALFORMED) fail_msg("%s is taken", TEXTS[i]);
    assert_int_equal(p.address.port, 99);
}

struct case_of_address {
    const char *text;
    bool public, private; /* taken with allow_private false, true */
};

static void only_global_unicast_addresses_are_routable(void **state)
{
    static const struct case_of_address CASES[] = {
        {"8.8.8.8:1", true, true},
        {"1.0.0.1:1", true, true},
        {"223.255.255.255:1", true, true},
        {"0.0.0.0:1", false, false},
        {"0.1.2.3:1", false, false},
        {"10.0.0.1:1", false, true},
        {"11.0.0.1:1", true, true},
        {"100.63.255.255:1", true, true},
        {"100.64.0.0:1", false, true},
        {"100.127.255.255:1", false, true},
        {"100.128.0.0:1", true, true},
        {"127.0.0.1:1", false, true},
        {"169.254.9.9:1", false, true},
        {"172.15.255.255:1", true, true},
        {"172.16.0.1:1", false, true},
        {"172.31.255.255:1", false, true},
        {"172.32.0.0:1", true, true},
        {"192.0.0.8:1", false, true},
        {"192.0.2.7:1", false, true},
        {"192.0.3.7:1", true, true},
        {"192.168.1.1:1", false, true},
        {"198.17.0.1:1", true, true},
        {"198.19.255.255:1", false, true},
        {"198.51.100.1:1", false, true},
        {"203.0.113.1:1", false, true},
        {"224.0.0.1:1", false, false},
        {"239.1.2.3:1", false, false},
        {"240.0.0.1:1", false, false},
        {"255.255.255.255:1", false, false},
        {"[::]:1", false, false},
        {"[::1]:1", false, true},
        {"[::8.8.8.8]:1", false, true},
        {"[64:ff9b::1]:1", false, true},
        {"[2001:0:1::1]:1", false, true},
        {"[2001:1ff:1::1]:1", false, true},
        {"[2001:200::1]:1", true, true},
        {"[2001:db8::1]:1", false, true},
        {"[2002:808:808::1]:1", false, true},
        {"[2a00:1450::1]:1", true, true},
        {"[3fff:fff::1]:1", false, true},
        {"[3fff:1000::1]:1", true, true},
        {"[4000::1]:1", false, true},
        {"[fc00::1]:1", false, true},
        {"[fdff::1]:1", false, true},
        {"[fe80::1]:1", false, true},
        {"[ff02::1]:1", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct net_address a = parsed(CASES[i].text);
        if (net_address_is_routable(&a, false) != CASES[i].public)
            fail_msg("%s in public", CASES[i].text);
        if (net_address_is_routable(&a, true) != CASES[i].private)
            fail_msg("%s in private", CASES[i].text);
        a.port = 0;
        assert_false(net_address_is_routable(&a, true));
    }
}

static void groups_are_16_bits_of_ipv4_and_32_of_ipv6(void **state)
{
    struct net_address a[4] = {parsed("1.2.3.4:5"), parsed("1.2.9.9:7"), parsed("1.3.3.4:5"),
                               parsed("[::102:304]:5")};
    struct net_address b[3] = {parsed("[2a00:1::1]:1"), parsed("[2a00:1:9::2]:2"),
                               parsed("[2a00:2::1]:1")};
    struct net_group g[4], h[3];
    (void)state;
    for (size_t i = 0; i < 4; i++)
        g[i] = net_address_group(&a[i]);
    for (size_t i = 0; i < 3; i++)
        h[i] = net_address_group(&b[i]);
    assert_true(net_group_equal(&g[0], &g[1]) && !net_group_equal(&g[0], &g[2]));
    assert_false(net_group_equal(&g[0], &g[3]));
    assert_true(net_group_equal(&h[0], &h[1]) && !net_group_equal(&h[0], &h[2]));
}

static void loopback_is_127_and_one(void **state)
{
    struct net_address a = parsed("127.9.9.9:5"), b = parsed("[::1]:5"), c = parsed("128.0.0.1:5"),
                       d = parsed("[::2]:5");
    (void)state;
    assert_true(net_address_is_loopback(&a) && net_address_is_loopback(&b));
    assert_false(net_address_is_loopback(&c) || net_address_is_loopback(&d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_reads_back),
        cmocka_unit_test(an_ipv4_address_is_the_same_however_it_is_written),
        cmocka_unit_test(the_longest_address_fits_its_text),
        cmocka_unit_test(an_id_stands_before_the_at_sign),
        cmocka_unit_test(what_is_no_peer_is_refused),
        cmocka_unit_test(only_global_unicast_addresses_are_routable),
        cmocka_unit_test(groups_are_16_bits_of_ipv4_and_32_of_ipv6),
        cmocka_unit_test(loopback_is_127_and_one),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
