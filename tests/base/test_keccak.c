/* Every way to compute Keccak-256 that this processor can run, against nettle's permutation under a
 * sponge written down plainly here. What the processor lacks is reported as skipped. */
#include "base/keccak.h"
#include "base/keccak_permute.h"

#include <nettle/sha3.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define SIZE_TESTED_MAX 700

static const struct keccak_way *way_named(const char *name)
{
    for (size_t i = 0; i < KECCAK_WAY_COUNT; i++) {
        if (strcmp(keccak_ways[i]->name, name) == 0) return keccak_ways[i];
    }
    return NULL;
}

/* The way under test; a way that cannot run here skips its test. */
static const struct keccak_way *way_of(void **state)
{
    const struct keccak_way *way = way_named(*state);
    if (way == NULL || !way->runs_here()) {
        print_message("# this processor cannot run %s\n", (const char *)*state);
        skip();
    }
    return way;
}

static void fill(uint8_t *data, size_t size, uint64_t seed)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        data[i] = (uint8_t)(seed >> 56);
    }
}

static void referee_absorb(struct sha3_state *s, const uint8_t *block)
{
    for (size_t i = 0; i < KECCAK_RATE_BYTES; i++)
        s->a[i / 8] ^= (uint64_t)block[i] << 8 * (i % 8);
    sha3_permute(s);
}

static struct hash referee(struct bytes input)
{
    struct sha3_state s = {{0}};
    uint8_t last[KECCAK_RATE_BYTES] = {0};
    for (; input.size >= KECCAK_RATE_BYTES; input.size -= KECCAK_RATE_BYTES) {
        referee_absorb(&s, input.data);
        input.data += KECCAK_RATE_BYTES;
    }
    if (input.size > 0) memcpy(last, input.data, input.size);
    last[input.size] ^= 0x01;
    last[KECCAK_RATE_BYTES - 1] ^= 0x80;
    referee_absorb(&s, last);
    struct hash out;
    for (size_t i = 0; i < sizeof out.b; i++)
        out.b[i] = (uint8_t)(s.a[i / 8] >> 8 * (i % 8));
    return out;
}

/* Single bits show a lane at a wrong place, dense states a wrong chi. */
static void permutes_as_nettle_does(void **state)
{
    const struct keccak_way *way = way_of(state);
    const uint8_t zeros[KECCAK_RATE_BYTES] = {0};
    for (unsigned bit = 0; bit < KECCAK_LANES * 64; bit++) {
        uint64_t lanes[KECCAK_LANES] = {0};
        lanes[bit / 64] = UINT64_C(1) << bit % 64;
        if (bit % 2 != 0) fill((uint8_t *)lanes, sizeof lanes, bit);
        struct sha3_state expected;
        memcpy(expected.a, lanes, sizeof lanes);
        sha3_permute(&expected);
        way->absorb(lanes, zeros, 1);
        assert_memory_equal(lanes, expected.a, sizeof lanes);
    }
}

static void absorbs_any_number_of_blocks(void **state)
{
    const struct keccak_way *way = way_of(state);
    uint8_t data[5 * KECCAK_RATE_BYTES];
    fill(data, sizeof data, 1);
    for (size_t count = 0; count <= 5; count++) {
        uint64_t lanes[KECCAK_LANES];
        fill((uint8_t *)lanes, sizeof lanes, count);
        struct sha3_state expected;
        memcpy(expected.a, lanes, sizeof lanes);
        for (size_t i = 0; i < count; i++)
            referee_absorb(&expected, data + i * KECCAK_RATE_BYTES);
        way->absorb(lanes, data, count);
        assert_memory_equal(lanes, expected.a, sizeof lanes);
    }
}

static void hashes_every_length_at_every_alignment(void **state)
{
    const struct keccak_way *way = way_of(state);
    uint8_t data[SIZE_TESTED_MAX + 64];
    fill(data, sizeof data, 2);
    for (size_t size = 0; size <= SIZE_TESTED_MAX; size++) {
        size_t offset = size * 7 % 64;
        struct hash expected = referee(bytes_of(data + offset, size));
        struct hash h = way->hash(bytes_of(data + offset, size));
        assert_memory_equal(h.b, expected.b, sizeof h.b);
    }
}

/* The input ends, and then begins, where the next page may not be touched. */
static void reads_no_byte_outside_its_input(void **state)
{
    const struct keccak_way *way = way_of(state);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *map = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(map != MAP_FAILED);
    uint8_t *data = map + page;
    assert_int_equal(mprotect(data, page, PROT_READ | PROT_WRITE), 0);
    fill(data, page, 3);
    for (size_t size = 0; size <= 3 * KECCAK_RATE_BYTES; size++) {
        struct bytes at_end = bytes_of(data + page - size, size);
        struct hash h = way->hash(at_end), expected = referee(at_end);
        assert_memory_equal(h.b, expected.b, sizeof h.b);
        h = way->hash(bytes_of(data, size));
        expected = referee(bytes_of(data, size));
        assert_memory_equal(h.b, expected.b, sizeof h.b);
    }
    assert_int_equal(munmap(map, 3 * page), 0);
}

static void a_long_chain_of_hashes_ends_the_same(void **state)
{
    const struct keccak_way *way = way_of(state);
    struct hash h = KECCAK_EMPTY, expected = KECCAK_EMPTY;
    for (int i = 0; i < 2000; i++) {
        h = way->hash(hash_bytes(&h));
        expected = referee(hash_bytes(&expected));
    }
    assert_memory_equal(h.b, expected.b, sizeof h.b);
}

static void the_public_hash_agrees_at_every_length(void **state)
{
    (void)state;
    uint8_t data[SIZE_TESTED_MAX];
    fill(data, sizeof data, 4);
    struct hash nothing = keccak256((struct bytes){NULL, 0});
    assert_memory_equal(nothing.b, KECCAK_EMPTY.b, sizeof nothing.b);
    for (size_t size = 0; size <= sizeof data; size++) {
        struct hash h = keccak256(bytes_of(data, size)), expected = referee(bytes_of(data, size));
        assert_memory_equal(h.b, expected.b, sizeof h.b);
    }
}

static void pieces_of_any_size_hash_as_the_whole(void **state)
{
    (void)state;
    uint8_t data[SIZE_TESTED_MAX];
    fill(data, sizeof data, 5);
    struct hash expected = referee(bytes_of(data, sizeof data));
    for (size_t piece = 1; piece <= sizeof data; piece++) {
        struct keccak k;
        keccak_init(&k);
        for (size_t at = 0; at < sizeof data; at += piece) {
            size_t left = sizeof data - at;
            keccak_update(&k, bytes_of(data + at, left < piece ? left : piece));
            keccak_update(&k, (struct bytes){NULL, 0});
        }
        struct hash h = keccak_finish(&k);
        assert_memory_equal(h.b, expected.b, sizeof h.b);
    }
}

static void two_pieces_split_anywhere_hash_as_the_whole(void **state)
{
    (void)state;
    uint8_t data[3 * KECCAK_RATE_BYTES + 1];
    fill(data, sizeof data, 6);
    for (size_t size = 0; size <= sizeof data; size += 1 + size % 3) {
        struct hash expected = referee(bytes_of(data, size));
        for (size_t split = 0; split <= size; split++) {
            struct keccak k;
            keccak_init(&k);
            keccak_update(&k, bytes_of(data, split));
            keccak_update(&k, bytes_of(data + split, size - split));
            struct hash h = keccak_finish(&k);
            assert_memory_equal(h.b, expected.b, sizeof h.b);
        }
    }
}

static void *hash_in_thread(void *out)
{
    struct hash h = KECCAK_EMPTY;
    for (int i = 0; i < 500; i++)
        h = keccak256(hash_bytes(&h));
    *(struct hash *)out = h;
    return NULL;
}

static void threads_get_the_same_hashes(void **state)
{
    (void)state;
    pthread_t threads[4];
    struct hash hashes[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hash_in_thread, &hashes[i]), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    struct hash expected = KECCAK_EMPTY;
    for (int i = 0; i < 500; i++)
        expected = referee(hash_bytes(&expected));
    for (size_t i = 0; i < 4; i++)
        assert_memory_equal(hashes[i].b, expected.b, sizeof expected.b);
}

static void the_portable_way_is_last_and_runs_everywhere(void **state)
{
    (void)state;
    const struct keccak_way *last = keccak_ways[KECCAK_WAY_COUNT - 1];
    assert_ptr_equal(last, &keccak_portable);
    assert_true(last->runs_here());
}

#define EACH_WAY(test)                                                                             \
    {.name = #test "_avx512", .test_func = test, .initial_state = (void *)(uintptr_t) "avx512"},   \
        {.name = #test "_bmi", .test_func = test, .initial_state = (void *)(uintptr_t) "bmi"},     \
    {                                                                                              \
        .name = #test "_portable", .test_func = test,                                              \
        .initial_state = (void *)(uintptr_t) "portable"                                            \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_WAY(permutes_as_nettle_does),
        EACH_WAY(absorbs_any_number_of_blocks),
        EACH_WAY(hashes_every_length_at_every_alignment),
        EACH_WAY(reads_no_byte_outside_its_input),
        EACH_WAY(a_long_chain_of_hashes_ends_the_same),
        cmocka_unit_test(the_public_hash_agrees_at_every_length),
        cmocka_unit_test(pieces_of_any_size_hash_as_the_whole),
        cmocka_unit_test(two_pieces_split_anywhere_hash_as_the_whole),
        cmocka_unit_test(threads_get_the_same_hashes),
        cmocka_unit_test(the_portable_way_is_last_and_runs_everywhere),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
