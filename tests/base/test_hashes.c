/* Keccak-256, SHA-256 and the Merkle root: published vectors, and one-shot against incremental. */
#include "base/hex.h"
#include "base/keccak.h"
#include "base/merkle.h"
#include "base/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_hash(const struct hash *h, const char *expected)
{
    char text[67];
    hash_to_text(text, h);
    assert_string_equal(text, expected);
}

static void keccak_gives_the_known_digests(void **state)
{
    (void)state;
    struct hash h = keccak256(bytes_of_text(""));
    assert_true(hash_equal(&h, &KECCAK_EMPTY));
    h = keccak256(bytes_of_text("abc"));
    assert_hash(&h, "0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
    h = keccak256(bytes_of_text("The quick brown fox jumps over the lazy dog"));
    assert_hash(&h, "0x4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15");
}

static void incremental_keccak_equals_one_shot_at_every_split(void **state)
{
    (void)state;
    uint8_t data[400];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    for (size_t size = 0; size <= sizeof data; size += 17) {
        struct hash whole = keccak256(bytes_of(data, size));
        for (size_t split = 0; split <= size; split += 13) {
            struct keccak k;
            keccak_init(&k);
            keccak_update(&k, bytes_of(data, split));
            keccak_update(&k, bytes_of(data + split, size - split));
            struct hash h = keccak_finish(&k);
            assert_true(hash_equal(&h, &whole));
        }
    }
}

static void sha256_gives_the_known_digest(void **state)
{
    (void)state;
    struct hash h = sha256(bytes_of_text("abc"));
    assert_hash(&h, "0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    struct bytes parts[3] = {bytes_of_text("a"), bytes_of_text(""), bytes_of_text("bc")};
    struct hash joined = sha256_parts(parts, 3);
    assert_true(hash_equal(&h, &joined));
}

/* The definition in merkle.h, written down once more without its carry trick. */
static struct hash slow_root(const uint8_t *data, size_t size)
{
    size_t width = (size + MERKLE_LEAF_BYTES - 1) / MERKLE_LEAF_BYTES;
    struct hash level[64];
    assert_true(width <= 64);
    for (size_t i = 0; i < width; i++) {
        size_t offset = i * MERKLE_LEAF_BYTES;
        size_t left = size - offset < MERKLE_LEAF_BYTES ? size - offset : MERKLE_LEAF_BYTES;
        struct bytes parts[2] = {bytes_of("\0", 1), bytes_of(data + offset, left)};
        level[i] = sha256_parts(parts, 2);
    }
    for (; width > 1; width = (width + 1) / 2) {
        for (size_t i = 0; i < width / 2; i++) {
            struct bytes parts[3] = {bytes_of("\1", 1), hash_bytes(&level[2 * i]),
                                     hash_bytes(&level[2 * i + 1])};
            level[i] = sha256_parts(parts, 3);
        }
        if (width % 2) level[width / 2] = level[width - 1];
    }
    struct hash none = {{0}};
    uint8_t be[8];
    store_be64(be, size);
    struct bytes parts[3] = {bytes_of("\2", 1), bytes_of(be, 8),
                             hash_bytes(width ? &level[0] : &none)};
    return sha256_parts(parts, 3);
}

static const size_t SIZES[] = {0,     1,     4095,  4096,  4097,          8192, 12288,
                               12289, 20000, 28672, 40960, 64 * 4096 - 5, 5};

static void merkle_root_follows_its_definition(void **state)
{
    (void)state;
    uint8_t *data = malloc(64 * MERKLE_LEAF_BYTES);
    for (size_t i = 0; i < 64 * MERKLE_LEAF_BYTES; i++)
        data[i] = (uint8_t)(i >> 8 ^ i);
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
        struct hash fast = merkle_root(bytes_of(data, SIZES[i]));
        struct hash slow = slow_root(data, SIZES[i]);
        assert_true(hash_equal(&fast, &slow));
    }
    free(data);
}

static void merkle_proofs_hold_for_their_leaf_and_no_other(void **state)
{
    (void)state;
    size_t size = 13 * MERKLE_LEAF_BYTES + 100;
    uint8_t *data = malloc(size);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i / MERKLE_LEAF_BYTES + i);
    struct hash root = merkle_root(bytes_of(data, size));
    struct merkle_tree *tree = merkle_tree_create(bytes_of(data, size));
    struct hash same = merkle_tree_root(tree);
    assert_true(hash_equal(&root, &same));
    merkle_tree_destroy(tree);
    for (uint64_t leaf = 0; leaf < 14; leaf++) {
        struct merkle_proof proof;
        merkle_prove(&proof, bytes_of(data, size), leaf);
        size_t leaf_size = leaf == 13 ? 100 : MERKLE_LEAF_BYTES;
        struct bytes content = bytes_of(data + leaf * MERKLE_LEAF_BYTES, leaf_size);
        assert_true(merkle_verify(&root, &proof, content));
        struct merkle_proof wrong = proof;
        wrong.leaf_index = (leaf + 1) % 13;
        assert_false(merkle_verify(&root, &wrong, content));
        wrong = proof;
        wrong.siblings[0].b[3] ^= 1;
        assert_false(merkle_verify(&root, &wrong, content));
        wrong = proof;
        wrong.size_bytes++;
        assert_false(merkle_verify(&root, &wrong, content));
    }
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keccak_gives_the_known_digests),
        cmocka_unit_test(incremental_keccak_equals_one_shot_at_every_split),
        cmocka_unit_test(sha256_gives_the_known_digest),
        cmocka_unit_test(merkle_root_follows_its_definition),
        cmocka_unit_test(merkle_proofs_hold_for_their_leaf_and_no_other),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
