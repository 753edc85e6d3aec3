#include "chain/consensus/epoch.h"

#include "base/keccak.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

/* after setjmp.h and stdarg.h, which it needs */
#include <cmocka.h>

static struct epoch epoch_of(const uint64_t *weights, uint32_t count)
{
    struct epoch e = {.seed = {{0x42}}, .last_number = 10, .validator_count = count};
    for (uint32_t i = 0; i < count; i++) {
        e.validators[i].weight = weights[i];
        e.validators[i].consensus_address.b[19] = (uint8_t)(i + 1);
    }
    assert_int_equal(epoch_seal(&e), OK);
    return e;
}

static void quorum_is_more_than_two_thirds(void **state)
{
    const uint64_t totals[] = {1, 2, 3, 4, 5, 6, 7, 100, WEIGHT_TOTAL_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
        struct epoch e = epoch_of(&totals[i], 1);
        uint64_t q = epoch_quorum(&e);
        assert_true(3 * q > 2 * totals[i]);
        assert_true(3 * (q - 1) <= 2 * totals[i]);
    }
}

__extension__ typedef unsigned __int128 wide;

/* The same draw written anew, from its description. */
static uint32_t draw(const struct epoch *e, uint64_t view)
{
    uint8_t preimage[40];
    memcpy(preimage, e->seed.b, 32);
    store_be64(preimage + 32, view);
    struct hash h = keccak256(bytes_of(preimage, 40));
    wide limit = ((wide)1 << 64) / e->total_weight * e->total_weight;
    while (load_be64(h.b) >= limit)
        h = keccak256(bytes_of(h.b, 32));
    uint64_t x = load_be64(h.b) % e->total_weight, sum = 0;
    for (uint32_t i = 0;; i++) {
        sum += e->validators[i].weight;
        if (sum > x) return i;
    }
}

static void leaders_follow_the_described_draw(void **state)
{
    const uint64_t small[] = {1, 2, 3, 4};
    const uint64_t large[] = {WEIGHT_TOTAL_MAX / 2, WEIGHT_TOTAL_MAX / 7, 12345678901};
    struct epoch a = epoch_of(small, 4), b = epoch_of(large, 3);
    (void)state;
    for (uint64_t view = 1; view < 2000; view++) {
        assert_int_equal(epoch_leader(&a, view), draw(&a, view));
        assert_int_equal(epoch_leader(&b, view), draw(&b, view));
    }
}

static void leads_in_proportion_to_weight(void **state)
{
    const uint64_t weights[] = {1, 2, 3, 4};
    struct epoch e = epoch_of(weights, 4);
    uint32_t led[4] = {0};
    (void)state;
    for (uint64_t view = 1; view <= 20000; view++)
        led[epoch_leader(&e, view)]++;
    for (uint32_t i = 0; i < 4; i++) { /* within ten standard deviations and more */
        assert_true(led[i] > 2000 * (i + 1) - 500);
        assert_true(led[i] < 2000 * (i + 1) + 500);
    }
}

static void another_seed_gives_other_leaders(void **state)
{
    const uint64_t weights[] = {1, 1, 1, 1};
    struct epoch a = epoch_of(weights, 4), b = a;
    uint32_t same = 0;
    (void)state;
    b.seed.b[31] = 1;
    for (uint64_t view = 1; view <= 1000; view++)
        same += epoch_leader(&a, view) == epoch_leader(&b, view);
    assert_true(same > 150 && same < 350);
}

static void refuses_sets_that_make_no_sense(void **state)
{
    const uint64_t weights[] = {5, 6};
    struct epoch e = epoch_of(weights, 2);
    (void)state;
    e.validators[1].weight = 0;
    assert_int_equal(epoch_seal(&e), E_RANGE);
    e.validators[1].weight = WEIGHT_TOTAL_MAX;
    assert_int_equal(epoch_seal(&e), E_RANGE);
    e.validators[1] = e.validators[0];
    assert_int_equal(epoch_seal(&e), E_EXISTS);
    e.validator_count = 0;
    assert_int_equal(epoch_seal(&e), E_LIMIT);
    e.validator_count = VALIDATORS_MAX + 1;
    assert_int_equal(epoch_seal(&e), E_LIMIT);
    e.validator_count = 1;
    assert_int_equal(epoch_seal(&e), OK);
    e.start_number = e.last_number;
    assert_int_equal(epoch_seal(&e), E_RANGE);
}

static void validators_hash_is_over_three_words_each(void **state)
{
    struct validator v = {.weight = 0x0102};
    uint8_t words[96] = {0};
    (void)state;
    memset(v.operator_address.b, 0xaa, 20);
    memset(v.consensus_address.b, 0xbb, 20);
    memset(words + 12, 0xaa, 20);
    memset(words + 44, 0xbb, 20);
    words[94] = 1;
    words[95] = 2;
    struct hash expected = keccak256(bytes_of(words, 96));
    struct hash actual = validators_hash(&v, 1);
    assert_memory_equal(actual.b, expected.b, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quorum_is_more_than_two_thirds),
        cmocka_unit_test(leaders_follow_the_described_draw),
        cmocka_unit_test(leads_in_proportion_to_weight),
        cmocka_unit_test(another_seed_gives_other_leaders),
        cmocka_unit_test(refuses_sets_that_make_no_sense),
        cmocka_unit_test(validators_hash_is_over_three_words_each),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
