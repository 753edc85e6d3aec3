#include "base/u256.h"

#include <assert.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

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

static struct u256 negate(struct u256 a)
{
    return u256_sub((struct u256){{0}}, a);
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
    struct u256 sum;
    u128 carry = 0;
    for (int i = 0; i < 4; i++) {
        carry += (u128)a.limb[i] + b.limb[i];
        sum.limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    if (carry) return false;
    *out = sum;
    return true;
}

struct u256 u256_add(struct u256 a, struct u256 b)
{
    struct u256 sum;
    u128 carry = 0;
    for (int i = 0; i < 4; i++) {
        carry += (u128)a.limb[i] + b.limb[i];
        sum.limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return sum;
}

bool u256_sub_checked(struct u256 *out, struct u256 a, struct u256 b)
{
    if (u256_compare(a, b) < 0) return false;
    *out = u256_sub(a, b);
    return true;
}

struct u256 u256_sub(struct u256 a, struct u256 b)
{
    struct u256 difference;
    uint64_t borrow = 0;
    for (int i = 0; i < 4; i++) {
        u128 d = (u128)a.limb[i] - b.limb[i] - borrow;
        difference.limb[i] = (uint64_t)d;
        borrow = (uint64_t)(d >> 64) & 1;
    }
    return difference;
}

/* The whole product: out[0..7], least significant first. */
static void multiply_wide(uint64_t out[8], struct u256 a, struct u256 b)
{
    memset(out, 0, 8 * sizeof *out);
    for (int i = 0; i < 4; i++) {
        u128 carry = 0;
        for (int j = 0; j < 4; j++) {
            carry += (u128)a.limb[i] * b.limb[j] + out[i + j];
            out[i + j] = (uint64_t)carry;
            carry >>= 64;
        }
        out[i + 4] = (uint64_t)carry;
    }
}

struct u256 u256_mul(struct u256 a, struct u256 b)
{
    struct u256 product = {{0}};
    for (int i = 0; i < 4; i++) {
        u128 carry = 0;
        for (int j = 0; i + j < 4; j++) {
            carry += (u128)a.limb[i] * b.limb[j] + product.limb[i + j];
            product.limb[i + j] = (uint64_t)carry;
            carry >>= 64;
        }
    }
    return product;
}

bool u256_mul_checked(struct u256 *out, struct u256 a, struct u256 b)
{
    uint64_t wide[8];
    multiply_wide(wide, a, b);
    if (wide[4] | wide[5] | wide[6] | wide[7]) return false;
    memcpy(out->limb, wide, sizeof out->limb);
    return true;
}

static size_t limbs_used(const uint64_t *limbs, size_t count)
{
    while (count > 0 && limbs[count - 1] == 0)
        count--;
    return count;
}

static void divide_by_limb(uint64_t *quotient, uint64_t *remainder, const uint64_t *n, size_t count,
                           uint64_t divisor)
{
    u128 rest = 0;
    for (size_t i = count; i-- > 0;) {
        rest = rest << 64 | n[i];
        quotient[i] = (uint64_t)(rest / divisor);
        rest %= divisor;
    }
    *remainder = (uint64_t)rest;
}

/* limbs << shift (0..63) into out, which has one limb more. */
static void shift_left(uint64_t *out, const uint64_t *limbs, size_t count, int shift)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < count; i++) {
        out[i] = limbs[i] << shift | carry;
        carry = shift ? limbs[i] >> (64 - shift) : 0;
    }
    out[count] = carry;
}

/* One digit of Knuth's algorithm D (TAOCP 2, 4.3.1): guesses, corrects, multiplies, subtracts. */
static uint64_t quotient_digit(uint64_t *u, const uint64_t *v, size_t n)
{
    u128 top = (u128)u[n] << 64 | u[n - 1];
    u128 guess = u[n] >= v[n - 1] ? UINT64_MAX : top / v[n - 1];
    u128 rest = top - guess * v[n - 1];
    while (rest >> 64 == 0 && guess * v[n - 2] > (rest << 64 | u[n - 2])) {
        guess--;
        rest += v[n - 1];
    }
    u128 borrow = 0;
    u128 carry = 0;
    for (size_t i = 0; i <= n; i++) {
        carry += i < n ? guess * v[i] : 0;
        u128 d = (u128)u[i] - (uint64_t)carry - borrow;
        u[i] = (uint64_t)d;
        borrow = (d >> 64) & 1;
        carry >>= 64;
    }
    if (!borrow) return (uint64_t)guess;
    carry = 0;
    for (size_t i = 0; i <= n; i++) {
        carry += (u128)u[i] + (i < n ? v[i] : 0);
        u[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return (uint64_t)guess - 1;
}

/* numerator (count limbs, at most 8) / divisor; either output may be NULL. */
static void divide(uint64_t *quotient, struct u256 *remainder, const uint64_t *numerator,
                   size_t count, struct u256 divisor)
{
    assert(count <= 8);
    size_t n = limbs_used(divisor.limb, 4);
    size_t m = limbs_used(numerator, count);
    assert(n > 0);
    uint64_t q[8] = {0};
    struct u256 r = {{0}};
    if (n == 1) {
        divide_by_limb(q, &r.limb[0], numerator, m, divisor.limb[0]);
    } else if (m < n) {
        memcpy(r.limb, numerator, m * sizeof *numerator);
    } else {
        int shift = __builtin_clzll(divisor.limb[n - 1]);
        uint64_t u[9];
        uint64_t v[5];
        shift_left(u, numerator, m, shift);
        shift_left(v, divisor.limb, n, shift);
        for (size_t j = m - n + 1; j-- > 0;)
            q[j] = quotient_digit(u + j, v, n);
        for (size_t i = 0; i < n; i++)
            r.limb[i] = u[i] >> shift | (shift ? u[i + 1] << (64 - shift) : 0);
    }
    if (quotient) memcpy(quotient, q, count * sizeof *q);
    if (remainder) *remainder = r;
}

struct u256 u256_div(struct u256 a, struct u256 b)
{
    struct u256 quotient = {{0}};
    if (!u256_is_zero(b)) divide(quotient.limb, NULL, a.limb, 4, b);
    return quotient;
}

struct u256 u256_mod(struct u256 a, struct u256 b)
{
    struct u256 remainder = {{0}};
    if (!u256_is_zero(b)) divide(NULL, &remainder, a.limb, 4, b);
    return remainder;
}

struct u256 u256_div_signed(struct u256 a, struct u256 b)
{
    struct u256 quotient = u256_div(is_negative(a) ? negate(a) : a, is_negative(b) ? negate(b) : b);
    return is_negative(a) != is_negative(b) ? negate(quotient) : quotient;
}

struct u256 u256_mod_signed(struct u256 a, struct u256 b)
{
    struct u256 rest = u256_mod(is_negative(a) ? negate(a) : a, is_negative(b) ? negate(b) : b);
    return is_negative(a) ? negate(rest) : rest;
}

struct u256 u256_addmod(struct u256 a, struct u256 b, struct u256 modulus)
{
    struct u256 remainder = {{0}};
    if (u256_is_zero(modulus)) return remainder;
    uint64_t sum[5];
    u128 carry = 0;
    for (int i = 0; i < 4; i++) {
        carry += (u128)a.limb[i] + b.limb[i];
        sum[i] = (uint64_t)carry;
        carry >>= 64;
    }
    sum[4] = (uint64_t)carry;
    divide(NULL, &remainder, sum, 5, modulus);
    return remainder;
}

struct u256 u256_mulmod(struct u256 a, struct u256 b, struct u256 modulus)
{
    struct u256 remainder = {{0}};
    if (u256_is_zero(modulus)) return remainder;
    uint64_t wide[8];
    multiply_wide(wide, a, b);
    divide(NULL, &remainder, wide, 8, modulus);
    return remainder;
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
    struct u256 out = {{0}};
    if (shift >= 256) return out;
    int limbs = (int)(shift / 64);
    unsigned bits = shift % 64;
    for (int i = 3; i >= limbs; i--) {
        out.limb[i] = value.limb[i - limbs] << bits;
        if (bits && i > limbs) out.limb[i] |= value.limb[i - limbs - 1] >> (64 - bits);
    }
    return out;
}

struct u256 u256_shr(struct u256 value, unsigned shift)
{
    struct u256 out = {{0}};
    if (shift >= 256) return out;
    int limbs = (int)(shift / 64);
    unsigned bits = shift % 64;
    for (int i = 0; i + limbs < 4; i++) {
        out.limb[i] = value.limb[i + limbs] >> bits;
        if (bits && i + limbs < 3) out.limb[i] |= value.limb[i + limbs + 1] << (64 - bits);
    }
    return out;
}

struct u256 u256_sar(struct u256 value, unsigned shift)
{
    if (!is_negative(value)) return u256_shr(value, shift);
    if (shift >= 256) return u256_not((struct u256){{0}});
    return u256_not(u256_shr(u256_not(value), shift)); /* the sign bits shift in as ones */
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
    char reversed[79];
    size_t count = 0;
    do {
        uint64_t digit;
        uint64_t quotient[4];
        divide_by_limb(quotient, &digit, a.limb, 4, 10);
        memcpy(a.limb, quotient, sizeof quotient);
        reversed[count++] = (char)('0' + digit);
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
