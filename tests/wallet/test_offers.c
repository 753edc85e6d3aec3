#include "wallet/offers.h"
#include "wallet/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void reads_runtimes_by_name(void **state)
{
    (void)state;
    char text[40];
    assert_int_equal(runtimes_from_text("cuda-c"), 1);
    assert_int_equal(runtimes_from_text("exec,cuda-c"), 5);
    assert_int_equal(runtimes_from_text("cuda"), 0);
    assert_int_equal(runtimes_from_text("cuda-c,"), 0);
    assert_int_equal(runtimes_from_text(""), 0);
    runtimes_to_text(text, 5);
    assert_string_equal(text, "cuda-c,exec");
}

static int option_value(const char *flag, const char *value, uint64_t *out)
{
    struct invocation in = {0};
    struct session s = {.in = &in};
    (void)flag;
    in.values[OPTION_CAPABILITY] = value;
    return option_capability(&s, out);
}

static void reads_compute_capabilities(void **state)
{
    (void)state;
    uint64_t n = 0;
    assert_int_equal(option_value("capability", "8.9", &n), CODE_DONE);
    assert_int_equal(n, 89);
    assert_int_equal(option_value("capability", "12.0", &n), CODE_DONE);
    assert_int_equal(n, 120);
    assert_int_equal(option_value("capability", "9", &n), CODE_DONE);
    assert_int_equal(n, 90);
    assert_int_equal(option_value("capability", "86", &n), CODE_DONE);
    assert_int_equal(n, 86);
    assert_int_equal(option_value("capability", "0", &n), CODE_DONE);
    assert_int_equal(n, 0);
    assert_int_equal(option_value("capability", "-1", &n), CODE_USAGE);
    assert_int_equal(option_value("capability", "8.99", &n), CODE_USAGE);
    assert_int_equal(option_value("capability", "ada", &n), CODE_USAGE);
}

static void reads_prices_of_a_second(void **state)
{
    (void)state;
    struct invocation in = {0};
    struct session s = {.in = &in};
    struct u256 wei;
    in.values[OPTION_MAX_PRICE] = "0.001 LSH/s";
    assert_int_equal(option_amount(&s, &wei, OPTION_MAX_PRICE), CODE_DONE);
    assert_true(u256_equal(wei, u256_from_u64(1000000000000000)));
    in.values[OPTION_MAX_PRICE] = "3 gwei";
    assert_int_equal(option_amount(&s, &wei, OPTION_MAX_PRICE), CODE_DONE);
    assert_true(u256_equal(wei, u256_from_u64(3000000000)));
    in.values[OPTION_MAX_PRICE] = "cheap";
    assert_int_equal(option_amount(&s, &wei, OPTION_MAX_PRICE), CODE_USAGE);
    in.values[OPTION_MAX_PRICE] = "-1 LSH";
    assert_int_equal(option_amount(&s, &wei, OPTION_MAX_PRICE), CODE_USAGE);
}

static void refuses_numbers_that_are_none_or_too_large(void **state)
{
    (void)state;
    struct invocation in = {0};
    struct session s = {.in = &in};
    uint64_t n = 0;
    assert_int_equal(option_number(&s, &n, OPTION_REPLICAS, 3, 7), CODE_DONE);
    assert_int_equal(n, 3);
    in.values[OPTION_REPLICAS] = "7";
    assert_int_equal(option_number(&s, &n, OPTION_REPLICAS, 3, 7), CODE_DONE);
    assert_int_equal(n, 7);
    static const char *const bad[] = {"8", "-1", "1.5", "", "0x3", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        in.values[OPTION_REPLICAS] = bad[i];
        assert_int_equal(option_number(&s, &n, OPTION_REPLICAS, 3, 7), CODE_USAGE);
    }
}

static void writes_amounts_for_people_and_for_programs(void **state)
{
    (void)state;
    json_t *o = json_object();
    json_set_amount(o, "paid", u256_from_u64(1500000000000000000));
    assert_string_equal(abi_get_text(o, "paid"), "1.5 LSH");
    assert_string_equal(abi_get_text(o, "paidWei"), "1500000000000000000");
    json_decref(o);
    char text[32];
    size_to_text(text, 1536);
    assert_string_equal(text, "1.5 KiB");
    time_to_text(text, 100, 400);
    assert_string_equal(text, "5 min ago");
    time_to_text(text, 430, 400);
    assert_string_equal(text, "in 30 s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_runtimes_by_name),
        cmocka_unit_test(reads_compute_capabilities),
        cmocka_unit_test(reads_prices_of_a_second),
        cmocka_unit_test(refuses_numbers_that_are_none_or_too_large),
        cmocka_unit_test(writes_amounts_for_people_and_for_programs),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
