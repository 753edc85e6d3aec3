#include "base/u256.h"

#include "base/limb.h"
#include "base/u256_division.h"

#include <assert.h>
#include <string.h>

struct u256 u256_from_u64(uint64_t value)
{
    return (struct u256){{value, 0, 0, 0}};
}

struct u256 u256_from_be(struct bytes big_endian)
{
    assert(big_endian.size <= 32);
    uint8_t full[32] = {0};
    if (big_endian.size) memcpy(full + 32 - big_endian.size, big_endian.data, big_endian.size);
    struct u256 a;
    for (int i = 0; i < 4; i++)
        a.limb[i] = load_be64(full + 24 - 8 * i);
    return a;
}

void u256_to_be(uint8_t out[32], struct u256 a)
{
    for (int i = 0; i < 4; i++)
        store_be64(out + 24 - 8 * i, a.limb[i]);
}

size_t u256_to_be_short(uint8_t out[32], struct u256 a)
{
    uint8_t full[32];
    u256_to_be(full, a);
    size_t size = ((size_t)u256_bit_length(a) + 7) / 8;
    memcpy(out, full + 32 - size, size);
    return size;
}

bool u256_fits_u64(struct u256 a)
{
    return (a.limb[1] | a.limb[2] | a.limb[3]) == 0;
}

uint64_t u256_to_u64(struct u256 a)
{
    assert(u256_fits_u64(a));
    return a.limb[0];
}

uint64_t u256_to_u64_saturating(struct u256 a)
{
    return u256_fits_u64(a) ? a.limb[0] : UINT64_MAX;
}

bool u256_is_zero(struct u256 a)
{
    return (a.limb[0] | a.limb[1] | a.limb[2] | a.limb[3]) == 0;
}

bool u256_equal(struct u256 a, struct u256 b)
{
    return ((a.limb[0] ^ b.limb[0]) | (a.limb[1] ^ b.limb[1]) | (a.limb[2] ^ b.limb[2]) |
            (a.limb[3] ^ b.limb[3])) == 0;
}

int u256_compare(struct u256 a, struct u256 b)
{
    for (int i = 3; i >= 0; i--) {
        if (a.limb[i] != b.limb[i]) return a.limb[i] < b.limb[i] ? -1 : 1;
    }
    return 0;
}

static bool is_negative(struct u256 a)
{
    return a.limb[3] >> 63;
}

int u256_compare_signed(struct u256 a, struct u256 b)
{
    if (is_negative(a) != is_negative(b)) return is_negative(a) ? -1 : 1;
    return u256_compare(a, b);
}

int u256_bit_length(struct u256 a)
{
    for (int i = 3; i >= 0; i--) {
        if (a.limb[i]) return 64 * i + 64 - __builtin_clzll(a.limb[i]);
    }
    return 0;
}

bool u256_add_checked(struct u256 *out, struct u256 a, struct u256 b)
{
    if (limbs_add(a.limb, a.limb, b.limb) != 0) return false;
    *out = a;
    return true;
}

struct u256 u256_add(struct u256 a, struct u256 b)
{
    (void)limbs_add(a.limb, a.limb, b.limb);
    return a;
}

bool u256_sub_checked(struct u256 *out, struct u256 a, struct u256 b)
{
    if (limbs_sub(a.limb, a.limb, b.limb) != 0) return false;
    *out = a;
    return true;
}

struct u256 u256_sub(struct u256 a, struct u256 b)
{
    (void)limbs_sub(a.limb, a.limb, b.limb);
    return a;
}

struct u256 u256_mul(struct u256 a, struct u256 b)
{
    limbs_multiply_low(a.limb, a.limb, b.limb);
    return a;
}

bool u256_mul_checked(struct u256 *out, struct u256 a, struct u256 b)
{
    uint64_t wide[8];
    limbs_multiply(wide, a.limb, b.limb);
    if (wide[4] | wide[5] | wide[6] | wide[7]) return false;
    memcpy(out->limb, wide, sizeof out->limb);
    return true;
}

struct u256 u256_div(struct u256 a, struct u256 b)
{
    u256_quotient(&a, &a, &b);
    return a;
}

struct u256 u256_mod(struct u256 a, struct u256 b)
{
    u256_remainder(&a, &a, &b);
    return a;
}

struct u256 u256_exp(struct u256 base, struct u256 exponent)
{
    struct u256 result = u256_from_u64(1);
    int bits = u256_bit_length(exponent);
    for (int i = bits - 1; i >= 0; i--) {
        result = u256_mul(result, result);
        if (exponent.limb[i / 64] >> (i % 64) & 1) result = u256_mul(result, base);
    }
    return result;
}

struct u256 u256_sign_extend(struct u256 byte_index, struct u256 value)
{
    if (!u256_fits_u64(byte_index) || byte_index.limb[0] >= 31) return value;
    unsigned shift = 248 - 8 * (unsigned)byte_index.limb[0];
    return u256_sar(u256_shl(value, shift), shift);
}

struct u256 u256_and(struct u256 a, struct u256 b)
{
    for (int i = 0; i < 4; i++)
        a.limb[i] &= b.limb[i];
    return a;
}

struct u256 u256_or(struct u256 a, struct u256 b)
{
    for (int i = 0; i < 4; i++)
        a.limb[i] |= b.limb[i];
    return a;
}

struct u256 u256_xor(struct u256 a, struct u256 b)
{
    for (int i = 0; i < 4; i++)
        a.limb[i] ^= b.limb[i];
    return a;
}

struct u256 u256_not(struct u256 a)
{
    for (int i = 0; i < 4; i++)
        a.limb[i] = ~a.limb[i];
    return a;
}

struct u256 u256_byte(struct u256 index, struct u256 value)
{
    if (!u256_fits_u64(index) || index.limb[0] >= 32) return (struct u256){{0}};
    unsigned from_low = 31 - (unsigned)index.limb[0];
    return u256_from_u64(value.limb[from_low / 8] >> (8 * (from_low % 8)) & 0xff);
}

struct u256 u256_shl(struct u256 value, unsigned shift)
{
    if (shift >= 256) return (struct u256){{0}};
    limbs_shift_left(value.limb, value.limb, shift);
    return value;
}

struct u256 u256_shr(struct u256 value, unsigned shift)
{
    if (shift >= 256) return (struct u256){{0}};
    limbs_shift_right(value.limb, value.limb, shift, 0);
    return value;
}

struct u256 u256_sar(struct u256 value, unsigned shift)
{
    uint64_t sign = is_negative(value) ? UINT64_MAX : 0;
    limbs_shift_right(value.limb, value.limb, shift < 256 ? shift : 255, sign);
    return value;
}

enum status u256_from_decimal(struct u256 *out, struct bytes text)
{
    if (text.size == 0) return E_MALFORMED;
    struct u256 value = {{0}};
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return E_MALFORMED;
        struct u256 digit = u256_from_u64((uint64_t)(text.data[i] - '0'));
        if (!u256_mul_checked(&value, value, u256_from_u64(10))) return E_RANGE;
        if (!u256_add_checked(&value, value, digit)) return E_RANGE;
    }
    *out = value;
    return OK;
}

void u256_to_decimal(char out[79], struct u256 a)
{
    const struct u256 ten = {{10, 0, 0, 0}};
    char reversed[79];
    size_t count = 0;
    do {
        struct u256 digit;
        u256_remainder(&digit, &a, &ten);
        u256_quotient(&a, &a, &ten);
        reversed[count++] = (char)('0' + digit.limb[0]);
    } while (!u256_is_zero(a));
    for (size_t i = 0; i < count; i++)
        out[i] = reversed[count - 1 - i];
    out[count] = 0;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

enum status u256_from_quantity(struct u256 *out, struct bytes text)
{
    if (text.size < 3 || text.data[0] != '0' || text.data[1] != 'x') return E_MALFORMED;
    if (text.data[2] == '0' && text.size > 3) return E_MALFORMED;
    if (text.size > 66) return E_RANGE;
    struct u256 value = {{0}};
    for (size_t i = 2; i < text.size; i++) {
        int digit = hex_value(text.data[i]);
        if (digit < 0) return E_MALFORMED;
        value = u256_shl(value, 4);
        value.limb[0] |= (uint64_t)digit;
    }
    *out = value;
    return OK;
}

void u256_to_quantity(char out[67], struct u256 a)
{
    int digits = (u256_bit_length(a) + 3) / 4;
    if (digits == 0) digits = 1;
    *out++ = '0';
    *out++ = 'x';
    for (int i = digits - 1; i >= 0; i--)
        *out++ = "0123456789abcdef"[a.limb[i / 16] >> (4 * (i % 16)) & 15];
    *out = 0;
}
