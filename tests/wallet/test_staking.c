/* Yields, dates, commissions, shares, and the file that a validator's machine prints. */
#include "wallet/staking.h"

#include "base/hex.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LSH 1000000000000000000ull

static struct u256 lsh(uint64_t n)
{
    return u256_mul(u256_from_u64(n), u256_from_u64(LSH));
}

static void assert_close(double got, double expected)
{
    if (fabs(got - expected) > 1e-9 * fabs(expected)) fail_msg("%.12f, not %.12f", got, expected);
}

static void a_yield_is_a_years_issuance_over_the_stake(void **state)
{
    (void)state;
    struct staking_terms t = {.block_s = 2, .epoch_blocks = 1800, .reward_wei = lsh(10)};
    /* 8760 epochs of an hour, 10 LSH each, upon 1,752,000 LSH: 5 % */
    uint64_t total_gwei = 1752000ull * 1000000000;
    assert_close(staking_yield(&t, total_gwei, lsh(5), 0), 0.05);
    assert_close(staking_yield(&t, total_gwei, lsh(5), 1000), 0.045);
    assert_close(staking_yield(&t, 2 * total_gwei, lsh(5), 0), 0.025);
    assert_true(staking_yield(&t, total_gwei, lsh(5), BPS_MAX) == 0);
    assert_true(staking_yield(&t, 0, lsh(5), 0) == 0);
    t.block_s = 0;
    assert_true(staking_yield(&t, total_gwei, lsh(5), 0) == 0);
}

static void what_a_validator_has_above_the_greatest_weight_earns_nothing(void **state)
{
    (void)state;
    struct staking_terms t = {.block_s = 2, .epoch_blocks = 1800, .reward_wei = lsh(1000)};
    struct u256 most = u256_mul(u256_from_u64(WEIGHT_MAX_GWEI), u256_from_u64(1000000000));
    double full = staking_yield(&t, 4 * WEIGHT_MAX_GWEI, most, 0);
    assert_true(full > 0);
    assert_close(staking_yield(&t, 4 * WEIGHT_MAX_GWEI, u256_add(most, most), 0), full / 2);
}

static void yields_and_dates_read_well(void **state)
{
    (void)state;
    char text[DATE_TEXT_SIZE];
    yield_to_text(text, 0.0525);
    assert_string_equal(text, "5.25 %");
    yield_to_text(text, 12.5);
    assert_string_equal(text, "1250 %");
    date_to_text(text, 1750003600, 1750000000);
    assert_string_equal(text, "2025-06-15 16:06 UTC, in 60 min");
    date_to_text(text, 1750000000, 1750000000 + 3 * 86400);
    assert_string_equal(text, "2025-06-15 15:06 UTC, 3 days ago");
    date_to_text(text, UINT64_MAX, 0); /* no calendar goes so far */
    duration_to_text(text, 21 * 86400);
    assert_string_equal(text, "21 days");
    duration_to_text(text, 119);
    assert_string_equal(text, "119 s");
}

static void takes_commissions_in_hundredths_of_a_percent(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bps;
    } good[] = {{"0", 0}, {"5", 500}, {"2.5", 250}, {"2.5%", 250}, {"0.01", 1}, {"100", 10000}};
    static const char *const bad[] = {
        "",     "%",   "5 %", "-1",      "100.01", "0.001", "5 LSH", "5gwei",
        "five", "1e2", "5%%", "1000000", "0x5",    "5 ",    ".",     "99999999999999999999999999"};
    uint64_t bps = 77;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_not_equal(percent_to_bps(&bps, bad[i]), OK);
        assert_int_equal(bps, 77);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(percent_to_bps(&bps, good[i].text), OK);
        assert_int_equal(bps, good[i].bps);
    }
}

static void an_amount_is_as_many_shares_as_it_needs_and_never_more_than_there_are(void **state)
{
    (void)state;
    struct u256 shares;
    assert_int_equal(shares_of_amount(&shares, lsh(1), lsh(100), lsh(200)), OK);
    assert_true(u256_equal(shares, u256_from_u64(LSH / 2)));
    assert_int_equal(shares_of_amount(&shares, u256_from_u64(1), lsh(1), lsh(3)), OK);
    assert_int_equal(u256_to_u64(shares), 1); /* a third of a share: one */
    assert_int_equal(shares_of_amount(&shares, lsh(3), lsh(1), lsh(3)), OK);
    assert_true(u256_equal(shares, lsh(1)));
    assert_int_equal(shares_of_amount(&shares, lsh(4), lsh(1), lsh(3)), E_RANGE);
    assert_int_equal(shares_of_amount(&shares, lsh(1), lsh(1), lsh(0)), E_RANGE);
    struct u256 huge = u256_not(u256_from_u64(0));
    assert_int_equal(shares_of_amount(&shares, huge, huge, huge), E_RANGE);
}

/* ---- the file ---- */

static char path[] = "/tmp/leasehold-validator-XXXXXX";

static void write_file(const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

#define ADDRESS "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
#define HASH    "0x1111111111111111111111111111111111111111111111111111111111111111"
#define PROOF                                                                                      \
    "0x2222222222222222222222222222222222222222222222222222222222222222222222222222222222222222"   \
    "222222222222222222222222222222222222222222"
#define FILE_OF(chain, proof, more)                                                                \
    "{\"consensusAddress\":\"" ADDRESS "\",\"hashChainEnd\":\"" HASH "\",\"operator\":\"" ADDRESS  \
    "\",\"chainId\":" chain ",\"proof\":\"" proof "\"" more "}"

static void reads_what_the_node_prints(void **state)
{
    (void)state;
    struct validator_file f;
    char error[JSON_ERROR_SIZE] = "";
    char text[43];
    write_file(FILE_OF("7117", PROOF, ""));
    assert_int_equal(validator_file_read(&f, error, path), OK);
    address_to_text(text, &f.operator_address);
    assert_string_equal(text, ADDRESS);
    assert_int_equal(f.chain_id, 7117);
    assert_int_equal(f.hash_chain_end.b[31], 0x11);
    assert_int_equal(f.proof[64], 0x22);
}

static void says_what_is_wrong_with_another_file(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *problem;
    } bad[] = {
        {FILE_OF("0", PROOF, ""), "chainId"},
        {FILE_OF("7117", "0x22", ""), "proof"},
        {FILE_OF("7117", PROOF, ",\"secretKey\":\"0x1\""), "secretKey"},
        {"{\"consensusAddress\":\"" ADDRESS "\",\"hashChainEnd\":\"" HASH "\"}", "operator"},
        {"[]", "object"},
        {"", "line"},
    };
    struct validator_file f = {.chain_id = 77};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char error[JSON_ERROR_SIZE] = "";
        write_file(bad[i].text);
        assert_int_not_equal(validator_file_read(&f, error, path), OK);
        if (strstr(error, bad[i].problem) == NULL) fail_msg("\"%s\" for %s", error, bad[i].text);
        assert_int_equal(f.chain_id, 77);
    }
    char error[JSON_ERROR_SIZE] = "";
    assert_int_not_equal(validator_file_read(&f, error, "/nowhere/at/all"), OK);
    assert_non_null(strstr(error, "/nowhere/at/all"));
}

static int make_path(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? 1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_yield_is_a_years_issuance_over_the_stake),
        cmocka_unit_test(what_a_validator_has_above_the_greatest_weight_earns_nothing),
        cmocka_unit_test(yields_and_dates_read_well),
        cmocka_unit_test(takes_commissions_in_hundredths_of_a_percent),
        cmocka_unit_test(an_amount_is_as_many_shares_as_it_needs_and_never_more_than_there_are),
        cmocka_unit_test(reads_what_the_node_prints),
        cmocka_unit_test(says_what_is_wrong_with_another_file),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
