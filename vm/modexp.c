/* Modular exponentiation of integers of any size (EIP-198), priced by EIP-2565.
 *
 * The price bounds the sizes before anything is read or allocated: base and modulus cost their
 * length squared, the exponent its length. */
#include "vm/arith.h"
#include "vm/limits.h"
#include "vm/precompile.h"

#include <gmp.h>
#include <string.h>

#define HEADER_BYTES 96
#define GAS_MIN      200

/* The input goes on with zeros behind its end. */
static void read_padded(uint8_t *out, struct bytes input, uint64_t offset, size_t size)
{
    memset(out, 0, size);
    if (offset >= input.size) return;
    size_t there = input.size - (size_t)offset;
    memcpy(out, input.data + offset, there < size ? there : size);
}

static struct u256 read_word(struct bytes input, uint64_t offset, size_t size)
{
    uint8_t padded[32] = {0};
    read_padded(padded + 32 - size, input, offset, size);
    return word_load(padded);
}

static u128 iteration_count(uint64_t exponent_size, const struct u256 *head)
{
    int bits = u256_bit_length(*head);
    u128 count = bits > 0 ? (u128)(bits - 1) : 0;
    if (exponent_size > 32) count += (u128)8 * (exponent_size - 32);
    return count > 0 ? count : 1;
}

/* Negative when it is more than any gas limit. */
static int64_t price(struct bytes input, uint64_t base_size, uint64_t exponent_size,
                     uint64_t modulus_size)
{
    uint64_t larger = base_size > modulus_size ? base_size : modulus_size;
    if (larger > MEMORY_BYTES_MAX) return -1;
    if (larger == 0) return GAS_MIN;
    u128 words = (larger + 7) / 8;
    size_t head_size = exponent_size < 32 ? (size_t)exponent_size : 32;
    struct u256 head = read_word(input, HEADER_BYTES + base_size, head_size);
    u128 gas = words * words * iteration_count(exponent_size, &head) / 3;
    if (gas > INT64_MAX) return -1;
    return gas > GAS_MIN ? (int64_t)gas : GAS_MIN;
}

static void import(mpz_t out, struct bytes input, uint64_t offset, size_t size)
{
    if (offset >= input.size || size == 0) return;
    size_t there = input.size - (size_t)offset;
    if (there > size) there = size;
    mpz_import(out, there, 1, 1, 1, 0, input.data + offset);
    mpz_mul_2exp(out, out, 8 * (size - there));
}

static void power(uint8_t *out, struct bytes input, const size_t sizes[3])
{
    mpz_t base, exponent, modulus;
    mpz_inits(base, exponent, modulus, NULL);
    import(base, input, HEADER_BYTES, sizes[0]);
    import(exponent, input, HEADER_BYTES + sizes[0], sizes[1]);
    import(modulus, input, HEADER_BYTES + sizes[0] + sizes[1], sizes[2]);
    if (mpz_sgn(modulus) != 0) {
        mpz_powm(base, base, exponent, modulus);
        size_t digits = (mpz_sizeinbase(base, 2) + 7) / 8;
        if (mpz_sgn(base) != 0) mpz_export(out + sizes[2] - digits, NULL, 1, 1, 1, 0, base);
    }
    mpz_clears(base, exponent, modulus, NULL);
}

enum evm_result modexp_run(int64_t *gas, struct buffer *out, struct bytes input)
{
    struct u256 words[3];
    uint64_t sizes[3];
    for (size_t i = 0; i < 3; i++) {
        words[i] = read_word(input, 32 * i, 32);
        sizes[i] = word_saturated(&words[i]);
    }
    int64_t cost = price(input, sizes[0], sizes[1], sizes[2]);
    if (cost < 0 || cost > *gas) return EVM_OUT_OF_GAS;
    *gas -= cost;
    if (sizes[2] == 0) return EVM_SUCCESS;
    /* An exponent this long was paid for with 8/3 gas a byte and more. */
    if (sizes[1] > MEMORY_BYTES_MAX) return EVM_OUT_OF_GAS;
    uint8_t *result = buffer_extend(out, (size_t)sizes[2]);
    power(result, input, (const size_t[3]){(size_t)sizes[0], (size_t)sizes[1], (size_t)sizes[2]});
    return EVM_SUCCESS;
}
