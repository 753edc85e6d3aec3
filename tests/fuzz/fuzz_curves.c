/* The precompiles over curves: no input breaks them, refusals are refusals, and what they accept
 * obeys the group's laws. The first byte chooses the precompile, the second how to read the rest:
 * as raw input, or as scalars that make valid points. */
#include "vm/precompile.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 2048
#define PLENTY    INT64_C(1000000000)

static enum evm_result ask(uint8_t number, struct buffer *out, struct bytes input)
{
    struct address a = {{0}};
    int64_t gas = PLENTY;
    a.b[19] = number;
    buffer_clear(out);
    enum evm_result result = precompile_run(&a, &gas, out, input);
    assert(result == EVM_SUCCESS || result == EVM_PRECOMPILE);
    assert(gas >= 0 && gas <= PLENTY); /* a sum of no items is free, and refused */
    return result;
}

static size_t output_size(uint8_t number)
{
    static const size_t sizes[] = {64, 64, 32, 0, 64, 128, 128, 256, 256, 32, 128, 256};
    return sizes[number - 6];
}

/* A sum is what it is in the other order, and can be added to again. */
static void check_sum(uint8_t number, struct bytes input, struct bytes sum)
{
    struct buffer swapped = {.size = 0}, out = {.size = 0};
    size_t point = sum.size;
    uint8_t padded[512] = {0};
    memcpy(padded, input.data, input.size < 2 * point ? input.size : 2 * point);
    buffer_append(&swapped, bytes_of(padded + point, point));
    buffer_append(&swapped, bytes_of(padded, point));
    enum evm_result result = ask(number, &out, buffer_bytes(&swapped));
    assert(result == EVM_SUCCESS && bytes_equal(buffer_bytes(&out), sum));
    memset(padded, 0, sizeof(padded));
    memcpy(padded, sum.data, point);
    result = ask(number, &out, bytes_of(padded, 2 * point));
    assert(result == EVM_SUCCESS && bytes_equal(buffer_bytes(&out), sum));
    buffer_finish(&swapped);
    buffer_finish(&out);
}

/* One times the point is the point: it was in the group. */
static void check_member(uint8_t msm, struct bytes point)
{
    struct buffer item = {.size = 0}, out = {.size = 0};
    buffer_append(&item, point);
    buffer_extend(&item, 32)[31] = 1;
    enum evm_result result = ask(msm, &out, buffer_bytes(&item));
    assert(result == EVM_SUCCESS && bytes_equal(buffer_bytes(&out), point));
    buffer_finish(&item);
    buffer_finish(&out);
}

static void run_raw(uint8_t number, struct bytes input)
{
    struct buffer out = {.size = 0};
    if (ask(number, &out, input) == EVM_SUCCESS) {
        struct bytes answer = buffer_bytes(&out);
        assert(number == 9 || answer.size == output_size(number));
        if (number == 6 || number == 0x0b || number == 0x0d) check_sum(number, input, answer);
        if (number == 0x0c || number == 0x10) check_member(0x0c, answer);
        if (number == 0x0e || number == 0x11) check_member(0x0e, answer);
    }
    buffer_finish(&out);
}

/* a G + b G = (a + b) G, with G made by mapping (BLS12-381) or (1, 2) (bn254); a and b are 31
 * bytes, so that the sum fits. */
static void run_sums(uint8_t number, const uint8_t scalars[62])
{
    static const uint8_t maps[] = {0x10, 0x11}, msms[] = {0x0c, 0x0e}, adds[] = {0x0b, 0x0d};
    bool g2 = number & 1, bn254 = number < 9;
    uint8_t add = bn254 ? 6 : adds[g2], mul = bn254 ? 7 : msms[g2];
    uint8_t in[128] = {0}, scalar[3][32] = {{0}};
    struct buffer base = {.size = 0}, sum = {.size = 0}, out = {.size = 0}, item = {.size = 0};
    unsigned carry = 0;
    in[63] = scalars[0];
    if (bn254) {
        buffer_extend(&base, 64)[31] = 1;
        base.data[63] = 2;
    } else {
        enum evm_result mapped = ask(maps[g2], &base, bytes_of(in, g2 ? 128 : 64));
        assert(mapped == EVM_SUCCESS);
    }
    memcpy(scalar[0] + 1, scalars, 31);
    memcpy(scalar[1] + 1, scalars + 31, 31);
    for (int i = 31; i >= 0; i--) {
        carry += (unsigned)scalar[0][i] + scalar[1][i];
        scalar[2][i] = (uint8_t)carry;
        carry >>= 8;
    }
    for (int i = 0; i < 3; i++) {
        buffer_clear(&item);
        buffer_append(&item, buffer_bytes(&base));
        buffer_append(&item, bytes_of(scalar[i], 32));
        enum evm_result result = ask(mul, &out, buffer_bytes(&item));
        assert(result == EVM_SUCCESS);
        if (i < 2) buffer_append(&sum, buffer_bytes(&out));
    }
    struct buffer added = {.size = 0};
    enum evm_result result = ask(add, &added, buffer_bytes(&sum));
    assert(result == EVM_SUCCESS && bytes_equal(buffer_bytes(&added), buffer_bytes(&out)));
    buffer_finish(&base);
    buffer_finish(&sum);
    buffer_finish(&out);
    buffer_finish(&item);
    buffer_finish(&added);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > INPUT_MAX) return 0;
    uint8_t number = (uint8_t)(6 + data[0] % 12);
    if (number == 9) return 0;
    if (data[1] & 1) {
        run_raw(number, bytes_of(data + 2, size - 2));
    } else {
        uint8_t scalars[62] = {0};
        memcpy(scalars, data + 2, size - 2 < sizeof(scalars) ? size - 2 : sizeof(scalars));
        run_sums(number, scalars);
    }
    return 0;
}
