#include "base/keccak.h"

#include <assert.h>
#include <nettle/sha3.h>
#include <string.h>

/* nettle exports the permutation; only SHA-3's padding differs from Keccak's. */
static_assert(sizeof(struct sha3_state) == sizeof(((struct keccak *)0)->state), "state layout");

#define RATE_BYTES 136

const struct hash KECCAK_EMPTY = {{0xc5, 0xd2, 0x46, 0x01, 0x86, 0xf7, 0x23, 0x3c, 0x92, 0x7e, 0x7d,
                                   0xb2, 0xdc, 0xc7, 0x03, 0xc0, 0xe5, 0x00, 0xb6, 0x53, 0xca, 0x82,
                                   0x27, 0x3b, 0x7b, 0xfa, 0xd8, 0x04, 0x5d, 0x85, 0xa4, 0x70}};

static uint64_t load_le64(const uint8_t *from)
{
    uint64_t value;
    memcpy(&value, from, sizeof value);
    return value; /* little-endian machines only: asserted by the vectors in the tests */
}

static void absorb(struct keccak *k, const uint8_t *block)
{
    for (size_t i = 0; i < RATE_BYTES / 8; i++)
        k->state[i] ^= load_le64(block + 8 * i);
    struct sha3_state s;
    memcpy(s.a, k->state, sizeof k->state);
    sha3_permute(&s);
    memcpy(k->state, s.a, sizeof k->state);
}

void keccak_init(struct keccak *k)
{
    memset(k, 0, sizeof *k);
}

void keccak_update(struct keccak *k, struct bytes more)
{
    assert(k->used_bytes < RATE_BYTES);
    const uint8_t *data = more.data;
    size_t left = more.size;
    while (left > 0) {
        if (k->used_bytes == 0 && left >= RATE_BYTES) {
            absorb(k, data);
            data += RATE_BYTES;
            left -= RATE_BYTES;
            continue;
        }
        size_t room = RATE_BYTES - k->used_bytes;
        size_t take = left < room ? left : room;
        memcpy(k->block + k->used_bytes, data, take);
        k->used_bytes += take;
        data += take;
        left -= take;
        if (k->used_bytes < RATE_BYTES) continue;
        absorb(k, k->block);
        k->used_bytes = 0;
    }
}

struct hash keccak_finish(struct keccak *k)
{
    assert(k->used_bytes < RATE_BYTES);
    memset(k->block + k->used_bytes, 0, RATE_BYTES - k->used_bytes);
    k->block[k->used_bytes] ^= 0x01;
    k->block[RATE_BYTES - 1] ^= 0x80;
    absorb(k, k->block);
    struct hash out;
    memcpy(out.b, k->state, sizeof out.b);
    return out;
}

struct hash keccak256(struct bytes input)
{
    struct keccak k;
    keccak_init(&k);
    keccak_update(&k, input);
    return keccak_finish(&k);
}
