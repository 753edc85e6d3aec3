/* u256.h - 256-bit unsigned integers, limbs little-endian, arithmetic modulo 2^256.
 *
 * Pure functions on values; any thread. Signed operations read two's complement, as the EVM
 * does (Yellow Paper, appendix H). Division by zero yields zero, as there. */
#ifndef LEASEHOLD_BASE_U256_H
#define LEASEHOLD_BASE_U256_H

#include "base/bytes.h"

struct u256 {
    uint64_t limb[4]; /* limb[0] is the least significant */
};

struct u256 u256_from_u64(uint64_t value);
struct u256 u256_from_be(struct bytes big_endian); /* size at most 32 (asserted) */
void u256_to_be(uint8_t out[32], struct u256 a);
/* Bytes without leading zeros, as RLP wants them; returns how many (0 for zero). */
size_t u256_to_be_short(uint8_t out[32], struct u256 a);
bool u256_fits_u64(struct u256 a);
uint64_t u256_to_u64(struct u256 a);            /* asserts that it fits */
uint64_t u256_to_u64_saturating(struct u256 a); /* UINT64_MAX when it does not fit */

bool u256_is_zero(struct u256 a);
bool u256_equal(struct u256 a, struct u256 b);
int u256_compare(struct u256 a, struct u256 b);        /* unsigned: <0, 0, >0 */
int u256_compare_signed(struct u256 a, struct u256 b); /* two's complement */
int u256_bit_length(struct u256 a);                    /* 0 for zero, else 1..256 */

struct u256 u256_add(struct u256 a, struct u256 b);
struct u256 u256_sub(struct u256 a, struct u256 b);
struct u256 u256_mul(struct u256 a, struct u256 b);
struct u256 u256_div(struct u256 a, struct u256 b);
struct u256 u256_mod(struct u256 a, struct u256 b);
struct u256 u256_exp(struct u256 base, struct u256 exponent);
struct u256 u256_sign_extend(struct u256 byte_index, struct u256 value);
struct u256 u256_and(struct u256 a, struct u256 b);
struct u256 u256_or(struct u256 a, struct u256 b);
struct u256 u256_xor(struct u256 a, struct u256 b);
struct u256 u256_not(struct u256 a);
struct u256 u256_byte(struct u256 index, struct u256 value); /* index 0 is the most significant */
struct u256 u256_shl(struct u256 value, unsigned shift);     /* shift >= 256 yields zero */
struct u256 u256_shr(struct u256 value, unsigned shift);
struct u256 u256_sar(struct u256 value, unsigned shift); /* shift >= 256 fills with the sign */

/* True and *out = a op b, or false (out untouched) on carry, borrow, overflow. */
MUST_CHECK bool u256_add_checked(struct u256 *out, struct u256 a, struct u256 b);
MUST_CHECK bool u256_sub_checked(struct u256 *out, struct u256 a, struct u256 b);
MUST_CHECK bool u256_mul_checked(struct u256 *out, struct u256 a, struct u256 b);

/* Decimal digits without sign or space. E_MALFORMED for anything else, E_RANGE from 2^256. */
MUST_CHECK enum status u256_from_decimal(struct u256 *out, struct bytes text);
void u256_to_decimal(char out[79], struct u256 a);
/* JSON-RPC "quantity": 0x, no leading zeros (0x0 for zero), at most 64 digits. */
MUST_CHECK enum status u256_from_quantity(struct u256 *out, struct bytes text);
void u256_to_quantity(char out[67], struct u256 a);

#endif
