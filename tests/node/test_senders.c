/* Senders found out on helper threads are those that one thread finds. */
#include "node/senders.h"

#include "chain/tx.h"
#include "tests/node/network.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TXS    200
#define BLOCKS 12
#define KEYS   20

static struct buffer wires[TXS];
static struct buffer block_of_all, block_of_none, block_with_a_bad_one;

static void sign(struct buffer *out, size_t i)
{
    struct tx t = {.type = TX_DYNAMIC_FEE, .has_chain_id = true, .chain_id = 7117, .nonce = i};
    struct key key = network_key((uint8_t)(1 + i % KEYS));
    t.gas_limit = 21000;
    tx_sign(&t, &key);
    tx_encode(out, &t);
}

static void encode(struct buffer *out, const struct bytes *txs, size_t count)
{
    struct block block = {.txs = txs, .tx_count = count};
    block.header.extra.version = HEADER_VERSION;
    block_encode(out, &block);
}

static int make_blocks(void **state)
{
    struct bytes txs[TXS];
    struct buffer bad = {0};
    (void)state;
    for (size_t i = 0; i < TXS; i++) {
        sign(&wires[i], i);
        txs[i] = buffer_bytes(&wires[i]);
    }
    encode(&block_of_all, txs, TXS);
    encode(&block_of_none, txs, 0);
    buffer_append(&bad, txs[150]);
    memset(bad.data + bad.size - 32, 0xff, 32); /* s beyond the group's order */
    txs[150] = buffer_bytes(&bad);
    encode(&block_with_a_bad_one, txs, TXS);
    buffer_finish(&bad);
    return 0;
}

static int drop_blocks(void **state)
{
    (void)state;
    for (size_t i = 0; i < TXS; i++)
        buffer_finish(&wires[i]);
    buffer_finish(&block_of_all);
    buffer_finish(&block_of_none);
    buffer_finish(&block_with_a_bad_one);
    return 0;
}

static void assert_senders(const struct address *senders)
{
    assert_non_null(senders);
    for (size_t i = 0; i < TXS; i++) {
        struct key key = network_key((uint8_t)(1 + i % KEYS));
        struct address want = key_address(&key);
        assert_memory_equal(senders[i].b, want.b, 20);
    }
}

static void finds_what_one_thread_finds_with_any_number_of_helpers(void **state)
{
    (void)state;
    for (unsigned helpers = 0; helpers <= 4; helpers++) {
        struct senders *s = senders_create(helpers);
        struct senders_job *jobs[BLOCKS];
        for (size_t i = 0; i < BLOCKS; i++)
            jobs[i] = senders_begin(s, buffer_bytes(&block_of_all));
        for (size_t i = 0; i < BLOCKS; i++) /* the newest first, against their order */
            assert_senders(senders_take(jobs[BLOCKS - 1 - i]));
        assert_senders(senders_take(jobs[0])); /* as often as wanted */
        for (size_t i = 0; i < BLOCKS; i++)
            senders_end(jobs[i]);
        senders_destroy(s);
    }
}

static void jobs_may_end_before_they_are_done(void **state)
{
    (void)state;
    for (unsigned helpers = 0; helpers <= 2; helpers++) {
        struct senders *s = senders_create(helpers);
        for (size_t round = 0; round < 20; round++) {
            struct senders_job *jobs[3];
            for (size_t i = 0; i < 3; i++)
                jobs[i] = senders_begin(s, buffer_bytes(&block_of_all));
            senders_end(jobs[round % 3]);
            assert_senders(senders_take(jobs[(round + 1) % 3]));
            senders_end(jobs[(round + 1) % 3]);
            senders_end(jobs[(round + 2) % 3]);
        }
        senders_end(NULL);
        senders_destroy(s);
    }
    senders_destroy(NULL);
}

static void a_bad_signature_leaves_the_whole_block_to_the_verifier(void **state)
{
    (void)state;
    for (unsigned helpers = 0; helpers <= 2; helpers++) {
        struct senders *s = senders_create(helpers);
        struct senders_job *bad = senders_begin(s, buffer_bytes(&block_with_a_bad_one));
        struct senders_job *good = senders_begin(s, buffer_bytes(&block_of_all));
        assert_null(senders_take(bad));
        assert_senders(senders_take(good));
        senders_end(bad);
        senders_end(good);
        senders_destroy(s);
    }
}

static void an_empty_block_is_no_work(void **state)
{
    (void)state;
    struct senders *s = senders_create(1);
    struct senders_job *job = senders_begin(s, buffer_bytes(&block_of_none));
    (void)senders_take(job);
    senders_end(job);
    senders_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_one_thread_finds_with_any_number_of_helpers),
        cmocka_unit_test(jobs_may_end_before_they_are_done),
        cmocka_unit_test(a_bad_signature_leaves_the_whole_block_to_the_verifier),
        cmocka_unit_test(an_empty_block_is_no_work),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_blocks, drop_blocks);
}
