#include "base/keccak.h"
#include "base/keccak_permute.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(((struct keccak *)0)->block) == KECCAK_RATE_BYTES, "a block is the rate");

const struct hash KECCAK_EMPTY = {{0xc5, 0xd2, 0x46, 0x01, 0x86, 0xf7, 0x23, 0x3c, 0x92, 0x7e, 0x7d,
                                   0xb2, 0xdc, 0xc7, 0x03, 0xc0, 0xe5, 0x00, 0xb6, 0x53, 0xca, 0x82,
                                   0x27, 0x3b, 0x7b, 0xfa, 0xd8, 0x04, 0x5d, 0x85, 0xa4, 0x70}};

const uint64_t KECCAK_ROUND_CONSTANTS[KECCAK_ROUNDS + 1] = {
    0x0000000000000000, 0x0000000000000001, 0x0000000000008082, 0x800000000000808a,
    0x8000000080008000, 0x000000000000808b, 0x0000000080000001, 0x8000000080008081,
    0x8000000000008009, 0x000000000000008a, 0x0000000000000088, 0x0000000080008009,
    0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a,
    0x800000008000000a, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001,
    0x8000000080008008};

const struct keccak_way *const keccak_ways[KECCAK_WAY_COUNT] = {
#if defined(__x86_64__)
    &keccak_avx512,
    &keccak_bmi,
#endif
    &keccak_portable,
};

/* Written once, before main and so before any thread; right already if another constructor hashes
 * earlier. */
static const struct keccak_way *chosen = &keccak_portable;

__attribute__((constructor)) static void choose(void)
{
    for (size_t i = KECCAK_WAY_COUNT; i-- > 0;) {
        if (keccak_ways[i]->runs_here()) chosen = keccak_ways[i];
    }
}

void keccak_init(struct keccak *k)
{
    memset(k, 0, sizeof *k);
}

/* Into the block that is not full yet; returns how many bytes it took. */
static size_t fill_block(struct keccak *k, const uint8_t *data, size_t size)
{
    size_t room = KECCAK_RATE_BYTES - k->used_bytes;
    size_t take = size < room ? size : room;
    memcpy(k->block + k->used_bytes, data, take);
    k->used_bytes += take;
    if (k->used_bytes < KECCAK_RATE_BYTES) return take;
    chosen->absorb(k->state, k->block, 1);
    k->used_bytes = 0;
    return take;
}

void keccak_update(struct keccak *k, struct bytes more)
{
    assert(k->used_bytes < KECCAK_RATE_BYTES);
    if (more.size == 0) return;
    size_t at = k->used_bytes > 0 ? fill_block(k, more.data, more.size) : 0;
    size_t blocks = (more.size - at) / KECCAK_RATE_BYTES;
    chosen->absorb(k->state, more.data + at, blocks);
    at += blocks * KECCAK_RATE_BYTES;
    if (at < more.size) (void)fill_block(k, more.data + at, more.size - at);
    assert(k->used_bytes < KECCAK_RATE_BYTES);
}

struct hash keccak_finish(struct keccak *k)
{
    assert(k->used_bytes < KECCAK_RATE_BYTES);
    memset(k->block + k->used_bytes, 0, KECCAK_RATE_BYTES - k->used_bytes);
    k->block[k->used_bytes] ^= 0x01;
    k->block[KECCAK_RATE_BYTES - 1] ^= 0x80;
    chosen->absorb(k->state, k->block, 1);
    struct hash out;
    for (size_t i = 0; i < sizeof out.b; i++)
        out.b[i] = (uint8_t)(k->state[i / 8] >> 8 * (i % 8));
    return out;
}

struct hash keccak256(struct bytes input)
{
    if (input.size == 0) return KECCAK_EMPTY;
    assert(input.data != NULL);
    return chosen->hash(input);
}
