#include "client/scrypt.h"

#include "base/fatal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static uint32_t rotate(uint32_t value, unsigned by)
{
    return value << by | value >> (32 - by);
}

static void quarter(uint32_t x[16], const uint8_t i[4])
{
    x[i[1]] ^= rotate(x[i[0]] + x[i[3]], 7);
    x[i[2]] ^= rotate(x[i[1]] + x[i[0]], 9);
    x[i[3]] ^= rotate(x[i[2]] + x[i[1]], 13);
    x[i[0]] ^= rotate(x[i[3]] + x[i[2]], 18);
}

/* Salsa20/8 core (RFC 7914, section 3). */
static void salsa20_8(uint32_t b[16])
{
    static const uint8_t columns[4][4] = {
        {0, 4, 8, 12}, {5, 9, 13, 1}, {10, 14, 2, 6}, {15, 3, 7, 11}};
    static const uint8_t rows[4][4] = {
        {0, 1, 2, 3}, {5, 6, 7, 4}, {10, 11, 8, 9}, {15, 12, 13, 14}};
    uint32_t x[16];
    memcpy(x, b, sizeof x);
    for (int round = 0; round < 8; round += 2) {
        for (int i = 0; i < 4; i++)
            quarter(x, columns[i]);
        for (int i = 0; i < 4; i++)
            quarter(x, rows[i]);
    }
    for (int i = 0; i < 16; i++)
        b[i] += x[i];
}

/* scryptBlockMix (section 4); `scratch` is as large as `b`: 32 r words. */
static void block_mix(uint32_t *b, uint32_t *scratch, size_t r)
{
    uint32_t x[16];
    memcpy(x, b + (2 * r - 1) * 16, sizeof x);
    for (size_t i = 0; i < 2 * r; i++) {
        for (size_t k = 0; k < 16; k++)
            x[k] ^= b[i * 16 + k];
        salsa20_8(x);
        memcpy(scratch + (i % 2 * r + i / 2) * 16, x, sizeof x);
    }
    memcpy(b, scratch, r * 128);
}

/* scryptROMix (section 5) on one block of 32 r little-endian words. */
static void ro_mix(uint32_t *b, const struct scrypt_cost *cost)
{
    size_t words = (size_t)cost->r * 32;
    uint32_t *v = must_alloc((size_t)cost->n * words * 4);
    uint32_t *scratch = must_alloc(words * 4);
    for (uint64_t i = 0; i < cost->n; i++) {
        memcpy(v + i * words, b, words * 4);
        block_mix(b, scratch, (size_t)cost->r);
    }
    for (uint64_t i = 0; i < cost->n; i++) {
        const uint32_t *last = b + words - 16;
        uint64_t j = (last[0] | (uint64_t)last[1] << 32) & (cost->n - 1);
        for (size_t k = 0; k < words; k++)
            b[k] ^= v[j * words + k];
        block_mix(b, scratch, (size_t)cost->r);
    }
    OPENSSL_cleanse(v, (size_t)cost->n * words * 4);
    free(v);
    free(scratch);
}

static void pbkdf2(uint8_t *out, size_t size, const char *password, struct bytes salt)
{
    if (PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt.data, (int)salt.size, 1,
                          EVP_sha256(), (int)size, out) != 1)
        fatal("running PBKDF2");
}

static uint32_t load_le32(const uint8_t *b)
{
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void mix_bytes(uint8_t *bytes, const struct scrypt_cost *cost)
{
    size_t words = (size_t)cost->r * 32;
    uint32_t *b = must_alloc(words * 4);
    for (size_t i = 0; i < words; i++)
        b[i] = load_le32(bytes + 4 * i);
    ro_mix(b, cost);
    for (size_t i = 0; i < 4 * words; i++)
        bytes[i] = (uint8_t)(b[i / 4] >> (8 * (i % 4)));
    free(b);
}

void scrypt_any(uint8_t out[32], const char *password, struct bytes salt,
                const struct scrypt_cost *cost)
{
    size_t block = (size_t)cost->r * 128;
    size_t size = block * (size_t)cost->p;
    uint8_t *b = must_alloc(size);
    pbkdf2(b, size, password, salt);
    for (uint64_t i = 0; i < cost->p; i++)
        mix_bytes(b + i * block, cost);
    pbkdf2(out, 32, password, bytes_of(b, size));
    OPENSSL_cleanse(b, size);
    free(b);
}
