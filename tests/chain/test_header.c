#include "chain/header.h"

#include "tests/chain/vectors.h"

#include "base/rlp.h"

#include <string.h>

static struct header read_vector(struct buffer *bytes)
{
    struct header h;
    assert_int_equal(header_decode(&h, unhex(bytes, VECTOR_HEADER)), OK);
    return h;
}

static void reads_and_hashes_a_header_of_another_library(void **state)
{
    (void)state;
    struct buffer bytes = {0};
    struct buffer again = {0};
    struct header h = read_vector(&bytes);
    struct hash hash = header_hash(&h);
    assert_hash(&hash, VECTOR_HEADER_HASH);
    header_encode(&again, &h);
    assert_true(bytes_equal(buffer_bytes(&again), buffer_bytes(&bytes)));
    assert_int_equal(h.parent_hash.b[0], 1);
    assert_int_equal(h.coinbase.b[19], 2);
    assert_int_equal(h.state_root.b[31], 3);
    assert_hash(&h.tx_root, VECTOR_TX_ROOT);
    assert_hash(&h.receipts_root, VECTOR_RECEIPTS_ROOT);
    assert_int_equal(h.number, 1234567);
    assert_int_equal(h.gas_limit, 30000000);
    assert_int_equal(h.gas_used, 130000);
    assert_int_equal(h.timestamp_s, 1750000123);
    assert_int_equal(h.mix_hash.b[7], 4);
    assert_int_equal(u256_to_u64(h.base_fee), 987654321);
    buffer_finish(&bytes);
    buffer_finish(&again);
}

static void reads_the_fields_of_extra_data(void **state)
{
    (void)state;
    struct buffer bytes = {0};
    struct header h = read_vector(&bytes);
    assert_int_equal(h.extra.version, HEADER_VERSION);
    assert_int_equal(h.extra.epoch, 2);
    assert_int_equal(h.extra.view, 300);
    assert_int_equal(h.extra.parent_view, 299);
    assert_int_equal(h.extra.validators_hash.b[0], 0xaa);
    assert_true(hash_is_zero(&h.extra.next_validators_hash));
    assert_int_equal(h.extra.reveal.b[31], 0xbb);
    buffer_finish(&bytes);
}

static void fits_its_bound_with_every_field_at_its_largest(void **state)
{
    (void)state;
    struct header h;
    struct header read;
    struct buffer bytes = {0};
    memset(&h, 0xff, sizeof h);
    h.extra.version = HEADER_VERSION;
    header_encode(&bytes, &h);
    assert_true(bytes.size <= HEADER_SIZE_MAX);
    assert_int_equal(header_decode(&read, buffer_bytes(&bytes)), OK);
    assert_int_equal(read.number, UINT64_MAX);
    buffer_finish(&bytes);
}

static void decodes_no_prefix_of_a_header(void **state)
{
    (void)state;
    struct buffer bytes = {0};
    struct header h = read_vector(&bytes);
    for (size_t size = 0; size < bytes.size; size++)
        assert_int_not_equal(header_decode(&h, bytes_of(bytes.data, size)), OK);
    buffer_append_byte(&bytes, 0);
    assert_int_equal(header_decode(&h, buffer_bytes(&bytes)), E_MALFORMED);
    buffer_extend(&bytes, HEADER_SIZE_MAX);
    assert_int_equal(header_decode(&h, buffer_bytes(&bytes)), E_LIMIT);
    buffer_finish(&bytes);
}

/* Where a field's content lies in the vector. */
static uint8_t *field(struct buffer *bytes, size_t index)
{
    struct rlp_reader outer = rlp_reader_over(buffer_bytes(bytes));
    struct rlp_reader r = rlp_list(&outer);
    for (size_t i = 0; i < index; i++)
        (void)rlp_item(&r);
    struct bytes item = rlp_item(&r);
    assert_false(r.failed);
    return bytes->data + (item.data - bytes->data) + item.size - 1;
}

static void refuses_other_values_of_the_constant_fields(void **state)
{
    (void)state;
    /* ommers hash, nonce, withdrawals root, parent beacon block root: their last byte */
    static const size_t hashes[] = {1, 14, 16, 19};
    /* difficulty, blob gas used, excess blob gas: 0x80 becomes 1 */
    static const size_t numbers[] = {7, 17, 18};
    struct buffer bytes = {0};
    struct header h;
    for (size_t i = 0; i < 4; i++) {
        unhex(&bytes, VECTOR_HEADER);
        *field(&bytes, hashes[i]) ^= 1;
        assert_int_equal(header_decode(&h, buffer_bytes(&bytes)), E_MALFORMED);
    }
    for (size_t i = 0; i < 3; i++) {
        unhex(&bytes, VECTOR_HEADER);
        assert_int_equal(*field(&bytes, numbers[i]), 0x80);
        *field(&bytes, numbers[i]) = 1;
        assert_int_equal(header_decode(&h, buffer_bytes(&bytes)), E_MALFORMED);
    }
    buffer_finish(&bytes);
}

static void refuses_another_version_of_extra_data(void **state)
{
    (void)state;
    struct header_extra e = {.version = HEADER_VERSION + 1};
    struct header_extra read;
    struct buffer bytes = {0};
    header_extra_encode(&bytes, &e);
    assert_int_equal(header_extra_decode(&read, buffer_bytes(&bytes)), E_UNSUPPORTED);
    buffer_clear(&bytes);
    e.version = HEADER_VERSION;
    header_extra_encode(&bytes, &e);
    assert_int_equal(header_extra_decode(&read, buffer_bytes(&bytes)), OK);
    bytes.size--;
    assert_int_equal(header_extra_decode(&read, buffer_bytes(&bytes)), E_MALFORMED);
    buffer_extend(&bytes, HEADER_EXTRA_MAX);
    assert_int_equal(header_extra_decode(&read, buffer_bytes(&bytes)), E_LIMIT);
    buffer_finish(&bytes);
}

static uint64_t next_fee(uint64_t base_fee, uint64_t gas_limit, uint64_t gas_used,
                         uint64_t denominator)
{
    struct header parent = {
        .gas_limit = gas_limit, .gas_used = gas_used, .base_fee = u256_from_u64(base_fee)};
    return u256_to_u64(header_next_base_fee(&parent, denominator));
}

/* The first three: go-ethereum's TestCalcBaseFee. */
static void moves_the_base_fee_as_eip_1559_says(void **state)
{
    (void)state;
    assert_int_equal(next_fee(1000000000, 20000000, 10000000, 8), 1000000000);
    assert_int_equal(next_fee(1000000000, 20000000, 9000000, 8), 987500000);
    assert_int_equal(next_fee(1000000000, 20000000, 11000000, 8), 1012500000);
    assert_int_equal(next_fee(1000000000, 20000000, 0, 8), 875000000);
    assert_int_equal(next_fee(1000000000, 20000000, 20000000, 192), 1005208333);
    assert_int_equal(next_fee(0, 20000000, 20000000, 8), 1); /* never stuck at 0 */
    assert_int_equal(next_fee(7, 20000000, 10000001, 8), 8);
    assert_int_equal(next_fee(7, 20000000, 0, 8), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_hashes_a_header_of_another_library),
        cmocka_unit_test(reads_the_fields_of_extra_data),
        cmocka_unit_test(fits_its_bound_with_every_field_at_its_largest),
        cmocka_unit_test(decodes_no_prefix_of_a_header),
        cmocka_unit_test(refuses_other_values_of_the_constant_fields),
        cmocka_unit_test(refuses_another_version_of_extra_data),
        cmocka_unit_test(moves_the_base_fee_as_eip_1559_says),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
