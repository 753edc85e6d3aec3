/* RLP, hex, cursor, units, JSON fields: what they take, and above all what they refuse. */
#include "base/cursor.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/rlp.h"
#include "base/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct buffer from_hex(const char *text)
{
    struct buffer out = {0};
    assert_int_equal(hex_decode(&out, bytes_of_text(text)), OK);
    return out;
}

static void assert_encoded(struct buffer *out, const char *expected)
{
    struct buffer text = {0};
    hex_append(&text, buffer_bytes(out));
    assert_string_equal(buffer_text(&text), expected);
    buffer_finish(&text);
    buffer_finish(out);
}

static void rlp_writes_the_yellow_papers_examples(void **state)
{
    (void)state;
    struct buffer out = {0};
    rlp_put_bytes(&out, bytes_of_text("dog"));
    assert_encoded(&out, "0x83646f67");
    size_t mark = rlp_list_open(&out);
    rlp_put_bytes(&out, bytes_of_text("cat"));
    rlp_put_bytes(&out, bytes_of_text("dog"));
    rlp_list_close(&out, mark);
    assert_encoded(&out, "0xc88363617483646f67");
    rlp_put_u64(&out, 0);
    rlp_put_u64(&out, 15);
    rlp_put_u64(&out, 1024);
    assert_encoded(&out, "0x800f820400");
    mark = rlp_list_open(&out);
    rlp_list_close(&out, mark);
    assert_encoded(&out, "0xc0");
}

static void rlp_round_trips_every_size_near_its_borders(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 55, 56, 57, 255, 256, 257, 65535, 65536};
    static uint8_t data[65536];
    memset(data, 0xab, sizeof data);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct buffer out = {0};
        size_t mark = rlp_list_open(&out);
        rlp_put_bytes(&out, bytes_of(data, sizes[i]));
        rlp_list_close(&out, mark);
        struct rlp_reader r = rlp_reader_over(buffer_bytes(&out));
        struct rlp_reader list = rlp_list(&r);
        struct bytes item = rlp_bytes(&list);
        assert_true(bytes_equal(item, bytes_of(data, sizes[i])));
        assert_int_equal(rlp_end(&list), OK);
        assert_int_equal(rlp_end(&r), OK);
        buffer_finish(&out);
    }
}

static void rlp_refuses_what_is_not_canonical(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "0x8101",               /* a byte below 0x80 with a prefix */
        "0xb800",               /* long form of nothing */
        "0xb837",               /* long form of 55, and cut short */
        "0xb90038",             /* leading zero in the size */
        "0x83646f",             /* cut short */
        "0xc883636174",         /* list cut short */
        "0xbfffffffffffffffff", /* a size near 2^64 */
        "0xf800",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buffer input = from_hex(bad[i]);
        struct rlp_reader r = rlp_reader_over(buffer_bytes(&input));
        (void)rlp_item(&r);
        assert_int_equal(rlp_end(&r), E_MALFORMED);
        buffer_finish(&input);
    }
}

static void rlp_numbers_refuse_leading_zeros_and_overflow(void **state)
{
    (void)state;
    static const char *const bad[] = {"0x00", "0x820001", "0x89010000000000000000", "0xc0"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buffer input = from_hex(bad[i]);
        struct rlp_reader r = rlp_reader_over(buffer_bytes(&input));
        assert_int_equal(rlp_u64(&r), 0);
        assert_int_equal(rlp_end(&r), E_MALFORMED);
        buffer_finish(&input);
    }
}

static void a_failed_rlp_reader_stays_failed(void **state)
{
    (void)state;
    struct buffer input = from_hex("0xc00102");
    struct rlp_reader r = rlp_reader_over(buffer_bytes(&input));
    (void)rlp_u64(&r);
    assert_int_equal(rlp_u64(&r), 0);
    assert_int_equal(rlp_bytes(&r).size, 0);
    assert_int_equal(rlp_end(&r), E_MALFORMED);
    buffer_finish(&input);
}

static void cursor_never_reads_past_the_end(void **state)
{
    (void)state;
    uint8_t raw[12] = {0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 9};
    struct cursor c = cursor_over(bytes_of(raw, sizeof raw));
    assert_int_equal(cursor_u64(&c), 5);
    assert_int_equal(cursor_u32(&c), 9);
    assert_int_equal(cursor_end(&c), OK);
    c = cursor_over(bytes_of(raw, sizeof raw));
    assert_int_equal(cursor_u64(&c), 5);
    assert_int_equal(cursor_u64(&c), 0);
    assert_int_equal(cursor_u32(&c), 0); /* failed for good, though four bytes are there */
    assert_int_equal(cursor_end(&c), E_MALFORMED);
    c = cursor_over(bytes_of(raw, sizeof raw));
    (void)cursor_u64(&c);
    assert_int_equal(cursor_end(&c), E_MALFORMED); /* something is left */
}

static void addresses_carry_their_checksum(void **state)
{
    (void)state;
    const char *good = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"; /* EIP-55's own example */
    struct address a;
    char text[43];
    assert_int_equal(address_from_text(&a, bytes_of_text(good)), OK);
    address_to_text(text, &a);
    assert_string_equal(text, good);
    const char *lower = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
    assert_int_equal(address_from_text(&a, bytes_of_text(lower)), OK);
    const char *wrong = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed";
    assert_int_equal(address_from_text(&a, bytes_of_text(wrong)), E_MALFORMED);
    const char *cut = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe";
    assert_int_equal(address_from_text(&a, bytes_of_text(cut)), E_MALFORMED);
}

static void amounts_are_read_and_shown_as_people_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wei, *shown;
    } rows[] = {
        {"1.5 LSH", "1500000000000000000", "1.5 LSH"},
        {"3 gwei", "3000000000", "3 gwei"},
        {"7wei", "7", "7 wei"},
        {"2", "2000000000000000000", "2 LSH"},
        {"0.000001 lsh", "1000000000000", "0.000001 LSH"},
        {"0", "0", "0 LSH"},
        {"12.25gwei", "12250000000", "12.25 gwei"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct u256 wei;
        char text[AMOUNT_TEXT_SIZE];
        assert_int_equal(amount_from_text(&wei, rows[i].text), OK);
        u256_to_decimal(text, wei);
        assert_string_equal(text, rows[i].wei);
        amount_to_text(text, wei);
        assert_string_equal(text, rows[i].shown);
    }
    static const char *const bad[] = {"",   "LSH",  "-1 LSH", "1e5",    ".5",
                                      "5.", "1..5", "1 ETH",  "0.5 wei"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct u256 wei;
        assert_int_not_equal(amount_from_text(&wei, bad[i]), OK);
    }
}

static void json_fields_name_the_path_of_what_is_wrong(void **state)
{
    (void)state;
    char error[JSON_ERROR_SIZE] = "";
    json_t *root = NULL;
    const char *text = "{\"seconds\": 99, \"name\": 5, \"extra\": 1}";
    assert_int_equal(json_parse(&root, error, bytes_of_text(text)), OK);
    struct json_reader r = json_reader_over(root, "limits", error);
    assert_int_equal(json_get_u64(&r, "seconds", 1, 60), 0);
    assert_string_equal(error, "limits.seconds: is 99, must be from 1 to 60");
    error[0] = 0;
    (void)json_get_text(&r, "name");
    assert_string_equal(error, "limits.name: must be text, found a whole number");
    error[0] = 0;
    assert_int_equal(json_end(&r), E_MALFORMED);
    assert_string_equal(error, "limits.extra: is not a known key");
    json_decref(root);
}

static void json_refuses_duplicates_and_says_where(void **state)
{
    (void)state;
    char error[JSON_ERROR_SIZE] = "";
    json_t *root = NULL;
    assert_int_equal(json_parse(&root, error, bytes_of_text("{\"a\":1,\"a\":2}")), E_MALFORMED);
    assert_non_null(strstr(error, "line 1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rlp_writes_the_yellow_papers_examples),
        cmocka_unit_test(rlp_round_trips_every_size_near_its_borders),
        cmocka_unit_test(rlp_refuses_what_is_not_canonical),
        cmocka_unit_test(rlp_numbers_refuse_leading_zeros_and_overflow),
        cmocka_unit_test(a_failed_rlp_reader_stays_failed),
        cmocka_unit_test(cursor_never_reads_past_the_end),
        cmocka_unit_test(addresses_carry_their_checksum),
        cmocka_unit_test(amounts_are_read_and_shown_as_people_write_them),
        cmocka_unit_test(json_fields_name_the_path_of_what_is_wrong),
        cmocka_unit_test(json_refuses_duplicates_and_says_where),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
