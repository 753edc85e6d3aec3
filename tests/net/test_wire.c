#include "tests/net/wire_codec.h"

#include <setjmp.h>
#include <stdarg.h>

/* after setjmp.h and stdarg.h, which it needs */
#include <cmocka.h>

#define HELLO_SIZE 141

/* Rebuilt, it is the same. */
static bool takes(const struct codec *codec, struct bytes input)
{
    struct buffer again = {0};
    bool ok = codec->rebuild(&again, input) == OK;
    if (ok) assert_true(bytes_equal(buffer_bytes(&again), input));
    buffer_finish(&again);
    return ok;
}

static void every_message_has_a_codec_and_no_other_byte_a_row(void **state)
{
    size_t rows = 0;
    (void)state;
    for (uint32_t type = 0; type < 256; type++) {
        const struct wire_row *row = wire_row((uint8_t)type);
        assert_true((row != NULL) == (codec_of((uint8_t)type) != NULL));
        if (!row) continue;
        rows++;
        assert_true(row->channel < CHANNEL_COUNT);
        assert_true(row->size_max < PEER_RECEIVE_BYTES_MAX - FRAME_HEAD_SIZE);
    }
    assert_int_equal(rows, CODEC_COUNT);
}

static void what_is_encoded_decodes_to_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODEC_COUNT; i++)
        for (enum amount amount = LEAST; amount < AMOUNTS; amount++) {
            struct buffer sample = {0};
            CODECS[i].sample(&sample, amount);
            assert_true(takes(&CODECS[i], buffer_bytes(&sample)));
            buffer_finish(&sample);
        }
}

static void the_largest_legal_message_is_as_large_as_its_row_allows(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        struct buffer sample = {0};
        CODECS[i].sample(&sample, MOST);
        uint32_t size_max = wire_row(CODECS[i].type)->size_max;
        /* Room for what a later version says. */
        assert_int_equal(sample.size, CODECS[i].type == WIRE_HELLO ? HELLO_SIZE : size_max);
        assert_true(sample.size <= size_max);
        buffer_finish(&sample);
    }
}

/* The copy has exactly this size, so that a sanitizer sees a read beyond it. */
static bool takes_copy(const struct codec *codec, struct bytes input)
{
    uint8_t *copy = malloc(input.size + 1);
    assert_non_null(copy);
    if (input.size > 0) memcpy(copy, input.data, input.size);
    copy = realloc(copy, input.size ? input.size : 1);
    bool ok = takes(codec, bytes_of(copy, input.size));
    free(copy);
    return ok;
}

static void no_prefix_of_a_message_is_a_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        struct buffer sample = {0};
        CODECS[i].sample(&sample, SOME);
        for (size_t size = 0; size < sample.size; size++) {
            bool none_yet = CODECS[i].type == WIRE_FINAL && size == 0;
            bool taken = takes_copy(&CODECS[i], bytes_of(sample.data, size));
            assert_true(taken == none_yet || CODECS[i].open_ended);
        }
        buffer_finish(&sample);
    }
}

static void no_extension_of_a_message_is_a_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODEC_COUNT; i++)
        for (enum amount amount = LEAST; amount < MOST; amount++)
            for (int byte = 0; byte < 256; byte += 51) {
                struct buffer sample = {0};
                CODECS[i].sample(&sample, amount);
                buffer_append_byte(&sample, (uint8_t)byte);
                bool taken = takes_copy(&CODECS[i], buffer_bytes(&sample));
                assert_true(!taken || CODECS[i].open_ended);
                buffer_finish(&sample);
            }
}

static void open_ended_messages_end_with_whole_parts(void **state)
{
    struct buffer txs = {0};
    (void)state;
    sample_txs(&txs, SOME); /* 30 bytes and 20 */
    for (size_t size = 0; size <= txs.size; size++)
        assert_int_equal(takes_copy(codec_of(WIRE_TXS), bytes_of(txs.data, size)),
                         size == 30 || size == 50);
    for (size_t size = 0; size < 64; size++)
        assert_int_equal(takes_copy(codec_of(WIRE_BLOCK), bytes_of(txs.data, size % 50)),
                         size % 50 >= 32);
    buffer_finish(&txs);
}

static void bytes_that_were_changed_are_refused_or_mean_something_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        struct buffer sample = {0};
        CODECS[i].sample(&sample, SOME);
        for (size_t at = 0; at < sample.size; at++) {
            sample.data[at] ^= 0x81;
            (void)takes_copy(&CODECS[i], buffer_bytes(&sample)); /* checks that it rebuilds */
            sample.data[at] ^= 0x81;
        }
        buffer_finish(&sample);
    }
}

static void counts_over_the_limit_are_refused_as_such(void **state)
{
    uint8_t raw[2 + 50 * (WIRE_PEERS_MAX + 1)] = {0};
    struct hash hashes[WIRE_HASHES_MAX];
    struct wire_peer peers[WIRE_PEERS_MAX];
    size_t count = 99;
    (void)state;
    raw[1] = WIRE_PEERS_MAX + 1;
    assert_int_equal(wire_peers_decode(peers, &count, bytes_of(raw, sizeof(raw))), E_LIMIT);
    raw[1] = WIRE_BLOCKS_MAX + 1;
    struct bytes asked = bytes_of(raw, 2 + 32 * (WIRE_BLOCKS_MAX + 1));
    assert_int_equal(wire_hashes_decode(hashes, &count, WIRE_BLOCKS_MAX, asked), E_LIMIT);
    raw[1] = 0;
    assert_int_equal(wire_hashes_decode(hashes, &count, 16, bytes_of(raw, 2)), E_MALFORMED);
    assert_int_equal(count, 99);
}

static void blocks_and_transactions_over_the_limit_are_refused_as_such(void **state)
{
    uint8_t *raw = calloc(1, 32 + BLOCK_SIZE_MAX + 1);
    struct wire_block block;
    struct bytes tx, rest = bytes_of(raw, 4 + TX_SIZE_MAX + 1);
    (void)state;
    assert_non_null(raw);
    assert_int_equal(wire_block_decode(&block, bytes_of(raw, 32 + BLOCK_SIZE_MAX + 1)), E_LIMIT);
    assert_int_equal(wire_tx_next(&tx, &rest), E_MALFORMED); /* an empty one */
    store_be32(raw, TX_SIZE_MAX + 1);
    assert_int_equal(wire_tx_next(&tx, &rest), E_LIMIT);
    assert_int_equal(rest.size, 4 + TX_SIZE_MAX + 1);
    free(raw);
}

static void header_sizes_and_ranges_over_the_limit_are_refused_as_such(void **state)
{
    uint8_t raw[10 + 2 + HEADER_SIZE_MAX + 1] = {0};
    struct wire_headers headers;
    struct wire_range range;
    (void)state;
    store_be16(raw + 8, WIRE_HEADERS_MAX + 1);
    assert_int_equal(wire_headers_decode(&headers, bytes_of(raw, sizeof(raw))), E_LIMIT);
    assert_int_equal(wire_range_decode(&range, bytes_of(raw, 10)), E_LIMIT);
    store_be16(raw + 8, 1);
    store_be16(raw + 10, HEADER_SIZE_MAX + 1);
    assert_int_equal(wire_headers_decode(&headers, bytes_of(raw, sizeof(raw))), E_LIMIT);
    store_be16(raw + 10, 0);
    assert_int_equal(wire_headers_decode(&headers, bytes_of(raw, 12)), E_MALFORMED);
    store_be64(raw, UINT64_MAX); /* the range runs past the last number */
    assert_int_equal(wire_range_decode(&range, bytes_of(raw, 10)), E_MALFORMED);
    store_be16(raw + 10, 1);
    assert_int_equal(wire_headers_decode(&headers, bytes_of(raw, 13)), E_MALFORMED);
    store_be16(raw + 8, 0);
    assert_int_equal(wire_range_decode(&range, bytes_of(raw, 10)), E_MALFORMED);
}

static void an_epoch_has_one_to_128_validators(void **state)
{
    struct wire_epoch out = {.epoch = 99};
    struct buffer b = {0};
    (void)state;
    sample_epoch(&b, MOST);
    store_be16(b.data + 10 + HEADER_SIZE_MAX, VALIDATORS_MAX + 1);
    assert_int_equal(wire_epoch_decode(&out, buffer_bytes(&b)), E_LIMIT);
    b.size = 0;
    sample_epoch(&b, SOME);
    b.size = 10 + 600;
    store_be16(buffer_extend(&b, 2), 0);
    sample_certificate(&b, SOME); /* whole but for the validators */
    assert_int_equal(wire_epoch_decode(&out, buffer_bytes(&b)), E_MALFORMED);
    assert_int_equal(out.epoch, 99);
    buffer_finish(&b);
}

static void a_hello_of_another_version_says_so_whatever_follows(void **state)
{
    struct wire_hello h = {.chain_id = 5};
    uint8_t raw[256] = {0, WIRE_VERSION + 1};
    (void)state;
    assert_int_equal(wire_hello_decode(&h, bytes_of(raw, sizeof(raw))), E_UNSUPPORTED);
    assert_int_equal(wire_hello_decode(&h, bytes_of(raw, 2)), E_UNSUPPORTED);
    assert_int_equal(wire_hello_decode(&h, bytes_of(raw, 1)), E_MALFORMED);
    raw[1] = WIRE_VERSION;
    raw[HELLO_SIZE - 1] = 2; /* no parity */
    assert_int_equal(wire_hello_decode(&h, bytes_of(raw, HELLO_SIZE)), E_MALFORMED);
    assert_int_equal(h.chain_id, 5);
}

static void fields_of_an_epoch_come_back(void **state)
{
    struct wire_epoch e;
    struct buffer b = {0};
    (void)state;
    sample_epoch(&b, SOME);
    assert_int_equal(wire_epoch_decode(&e, buffer_bytes(&b)), OK);
    assert_int_equal(e.epoch, 5);
    assert_int_equal(e.validator_count, 4);
    assert_int_equal(e.header.size, 600);
    assert_int_equal(e.validators[3].weight, 4);
    assert_int_equal(e.validators[3].consensus_address.b[0], 3);
    assert_int_equal(e.certificate.size, certificate_size_in(e.certificate));
    b.size = 0;
    sample_epoch(&b, LEAST);
    assert_int_equal(wire_epoch_decode(&e, buffer_bytes(&b)), OK);
    assert_int_equal(e.header.size, 0);
    buffer_finish(&b);
}

/* The layout is what other programs write: these bytes are by hand and not by the encoder. */
static void a_range_and_a_peer_have_the_bytes_that_the_header_states(void **state)
{
    static const uint8_t RANGE[10] = {1, 2, 3, 4, 5, 6, 7, 8, 3, 0xe8};
    uint8_t peer[2 + 50] = {0, 1, 0x20, 1, [17] = 9, [18] = 0x76, 0x7d, 0xaa};
    struct wire_range r;
    struct wire_peer p[WIRE_PEERS_MAX];
    size_t count;
    (void)state;
    assert_int_equal(wire_range_decode(&r, bytes_of(RANGE, 10)), OK);
    assert_true(r.first == 0x0102030405060708 && r.count == 1000);
    assert_int_equal(wire_peers_decode(p, &count, bytes_of(peer, sizeof(peer))), OK);
    assert_int_equal(count, 1);
    assert_int_equal(p[0].address.ip[0], 0x20);
    assert_int_equal(p[0].address.ip[15], 9);
    assert_int_equal(p[0].address.port, 30333);
    assert_int_equal(p[0].id.b[0], 0xaa);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_has_a_codec_and_no_other_byte_a_row),
        cmocka_unit_test(what_is_encoded_decodes_to_the_same),
        cmocka_unit_test(the_largest_legal_message_is_as_large_as_its_row_allows),
        cmocka_unit_test(no_prefix_of_a_message_is_a_message),
        cmocka_unit_test(no_extension_of_a_message_is_a_message),
        cmocka_unit_test(open_ended_messages_end_with_whole_parts),
        cmocka_unit_test(bytes_that_were_changed_are_refused_or_mean_something_else),
        cmocka_unit_test(counts_over_the_limit_are_refused_as_such),
        cmocka_unit_test(blocks_and_transactions_over_the_limit_are_refused_as_such),
        cmocka_unit_test(header_sizes_and_ranges_over_the_limit_are_refused_as_such),
        cmocka_unit_test(an_epoch_has_one_to_128_validators),
        cmocka_unit_test(a_hello_of_another_version_says_so_whatever_follows),
        cmocka_unit_test(fields_of_an_epoch_come_back),
        cmocka_unit_test(a_range_and_a_peer_have_the_bytes_that_the_header_states),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
