#include "chain/block.h"

#include "tests/chain/vectors.h"

#include "base/keccak.h"
#include "base/rlp.h"
#include "chain/tx.h"

#include <string.h>

struct sample {
    struct arena arena;
    struct block block;
    struct bytes txs[VECTOR_TX_ROOT_COUNT];
};

static void setup(struct sample *s)
{
    struct buffer scratch = {0};
    *s = (struct sample){0};
    assert_int_equal(header_decode(&s->block.header, unhex(&scratch, VECTOR_HEADER)), OK);
    for (size_t i = 0; i < VECTOR_TX_ROOT_COUNT; i++)
        s->txs[i] = arena_copy(&s->arena, unhex(&scratch, TX_VECTORS[i].wire));
    s->block.txs = s->txs;
    s->block.tx_count = VECTOR_TX_ROOT_COUNT;
    buffer_finish(&scratch);
}

static void encodes_a_block_as_other_libraries_do(void **state)
{
    (void)state;
    struct sample s;
    struct buffer encoded = {0};
    setup(&s);
    block_encode(&encoded, &s.block);
    struct hash digest = keccak256(buffer_bytes(&encoded));
    assert_int_equal(encoded.size, VECTOR_BLOCK_SIZE);
    assert_hash(&digest, VECTOR_BLOCK_KECCAK);
    struct hash hash = block_hash(&s.block);
    assert_hash(&hash, VECTOR_HEADER_HASH);
    size_t txs_bytes = 0;
    for (size_t i = 0; i < VECTOR_TX_ROOT_COUNT; i++)
        txs_bytes += s.txs[i].size;
    assert_true(block_size_bound(txs_bytes, VECTOR_TX_ROOT_COUNT) >= encoded.size);
    buffer_finish(&encoded);
    arena_finish(&s.arena);
}

static void decodes_what_it_encodes(void **state)
{
    (void)state;
    struct sample s;
    struct buffer encoded = {0};
    struct buffer again = {0};
    struct block read;
    setup(&s);
    block_encode(&encoded, &s.block);
    assert_int_equal(block_decode(&read, &s.arena, buffer_bytes(&encoded)), OK);
    assert_int_equal(read.tx_count, VECTOR_TX_ROOT_COUNT);
    for (size_t i = 0; i < VECTOR_TX_ROOT_COUNT; i++) {
        struct hash hash = tx_hash_of_wire(read.txs[i]);
        assert_hash(&hash, TX_VECTORS[i].hash);
    }
    assert_int_equal(block_check_body(&read), OK);
    block_encode(&again, &read);
    assert_true(bytes_equal(buffer_bytes(&again), buffer_bytes(&encoded)));
    read.tx_count--;
    assert_int_equal(block_check_body(&read), E_MALFORMED);
    buffer_finish(&encoded);
    buffer_finish(&again);
    arena_finish(&s.arena);
}

static void roots_its_transactions_as_other_libraries_do(void **state)
{
    (void)state;
    struct sample s;
    setup(&s);
    struct hash root = block_tx_root(s.txs, VECTOR_TX_ROOT_COUNT);
    assert_hash(&root, VECTOR_TX_ROOT);
    arena_finish(&s.arena);
}

static void decodes_no_prefix_of_a_block(void **state)
{
    (void)state;
    struct sample s;
    struct buffer encoded = {0};
    struct block read;
    setup(&s);
    block_encode(&encoded, &s.block);
    for (size_t size = 0; size < encoded.size; size++)
        assert_int_not_equal(block_decode(&read, &s.arena, bytes_of(encoded.data, size)), OK);
    buffer_append_byte(&encoded, 0xc0);
    assert_int_equal(block_decode(&read, &s.arena, buffer_bytes(&encoded)), E_MALFORMED);
    buffer_finish(&encoded);
    arena_finish(&s.arena);
}

/* A block with the given bytes in place of each part after the header. */
static enum status decode_with(struct sample *s, const char *txs, const char *ommers,
                               const char *withdrawals)
{
    struct buffer encoded = {0};
    struct buffer part = {0};
    struct block read;
    size_t list = rlp_list_open(&encoded);
    header_encode(&encoded, &s->block.header);
    buffer_append(&encoded, unhex(&part, txs));
    buffer_append(&encoded, unhex(&part, ommers));
    buffer_append(&encoded, unhex(&part, withdrawals));
    rlp_list_close(&encoded, list);
    enum status status = block_decode(&read, &s->arena, buffer_bytes(&encoded));
    buffer_finish(&encoded);
    buffer_finish(&part);
    return status;
}

static void refuses_ommers_withdrawals_and_a_second_encoding(void **state)
{
    (void)state;
    struct sample s;
    setup(&s);
    assert_int_equal(decode_with(&s, "0xc0", "0xc0", "0xc0"), OK);
    assert_int_equal(decode_with(&s, "0xc0", "0xc1c0", "0xc0"), E_MALFORMED);
    assert_int_equal(decode_with(&s, "0xc0", "0xc0", "0xc101"), E_MALFORMED);
    assert_int_equal(decode_with(&s, "0xc0", "0xc0", "0x"), E_MALFORMED);
    assert_int_equal(decode_with(&s, "0xc0", "0xc0", "0xc0c0"), E_MALFORMED);
    assert_int_equal(decode_with(&s, "0x80", "0xc0", "0xc0"), E_MALFORMED);
    assert_int_equal(decode_with(&s, "0xc180", "0xc0", "0xc0"), E_MALFORMED); /* no bytes */
    /* a legacy list wrapped in a byte string */
    assert_int_equal(decode_with(&s, "0xc382c101", "0xc0", "0xc0"), E_MALFORMED);
    assert_int_equal(decode_with(&s, "0xc3820201", "0xc0", "0xc0"), OK); /* for others to judge */
    arena_finish(&s.arena);
}

static void keeps_to_its_limits(void **state)
{
    (void)state;
    struct sample s;
    struct buffer encoded = {0};
    struct block read;
    setup(&s);
    struct bytes *txs = arena_alloc(&s.arena, (BLOCK_TXS_MAX + 1) * sizeof *txs);
    static const uint8_t tiny[] = {0xc0};
    for (size_t i = 0; i <= BLOCK_TXS_MAX; i++)
        txs[i] = bytes_of(tiny, sizeof tiny);
    s.block.txs = txs;
    s.block.tx_count = BLOCK_TXS_MAX;
    block_encode(&encoded, &s.block);
    assert_int_equal(block_decode(&read, &s.arena, buffer_bytes(&encoded)), OK);
    assert_int_equal(read.tx_count, BLOCK_TXS_MAX);

    uint8_t *big = arena_alloc(&s.arena, TX_SIZE_MAX + 1);
    big[0] = 2;
    txs[0] = bytes_of(big, TX_SIZE_MAX + 1);
    s.block.tx_count = 1;
    buffer_clear(&encoded);
    block_encode(&encoded, &s.block);
    assert_int_equal(block_decode(&read, &s.arena, buffer_bytes(&encoded)), E_LIMIT);

    buffer_clear(&encoded);
    buffer_extend(&encoded, BLOCK_SIZE_MAX + 1);
    assert_int_equal(block_decode(&read, &s.arena, buffer_bytes(&encoded)), E_LIMIT);
    buffer_finish(&encoded);
    arena_finish(&s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_a_block_as_other_libraries_do),
        cmocka_unit_test(decodes_what_it_encodes),
        cmocka_unit_test(roots_its_transactions_as_other_libraries_do),
        cmocka_unit_test(decodes_no_prefix_of_a_block),
        cmocka_unit_test(refuses_ommers_withdrawals_and_a_second_encoding),
        cmocka_unit_test(keeps_to_its_limits),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
