#include "wallet/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect_short(const char *wei, const char *text)
{
    struct u256 amount;
    char got[AMOUNT_TEXT_SIZE];
    assert_int_equal(u256_from_decimal(&amount, bytes_of_text(wei)), OK);
    amount_to_short(got, amount);
    assert_string_equal(got, text);
}

static void shows_at_most_six_decimals_rounded_down(void **state)
{
    (void)state;
    expect_short("9999971300641772983664", "9999.9713 LSH");
    expect_short("9999971399941772983664", "9999.971399 LSH");
    expect_short("1999999999999999999", "1.999999 LSH");
    expect_short("1000000000000000001", "1 LSH");
    expect_short("123456789012345678", "0.123456 LSH");
}

static void shows_four_digits_of_a_small_amount(void **state)
{
    (void)state;
    expect_short("31281646914000", "0.00003128 LSH");
    expect_short("1934567890123", "0.000001934 LSH");
    expect_short("1000000000000", "0.000001 LSH");
    expect_short("999999999999", "999.999999 gwei");
}

static void leaves_short_amounts_as_they_are(void **state)
{
    (void)state;
    expect_short("0", "0 LSH");
    expect_short("7", "7 wei");
    expect_short("1500000000000000000", "1.5 LSH");
    expect_short("10000000000000000000000", "10000 LSH");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_at_most_six_decimals_rounded_down),
        cmocka_unit_test(shows_four_digits_of_a_small_amount),
        cmocka_unit_test(leaves_short_amounts_as_they_are),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
