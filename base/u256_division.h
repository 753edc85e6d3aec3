/* u256_division.h - quotients, remainders and modular sums and products of 256-bit words.
 *
 * What u256.h and the contract VM divide with. Division by zero and any modulus of zero give zero,
 * as in the EVM. `r` may be one of the operands. Any thread: what is kept between calls (the last
 * modulus of a product, see u256_division.c) is each thread's own and shows in nothing but time. */
#ifndef LEASEHOLD_BASE_U256_DIVISION_H
#define LEASEHOLD_BASE_U256_DIVISION_H

#include "base/u256.h"

void u256_quotient(struct u256 *r, const struct u256 *a, const struct u256 *b);
void u256_remainder(struct u256 *r, const struct u256 *a, const struct u256 *b);
/* Two's complement, towards zero; a remainder has the sign of `a`. */
void u256_quotient_signed(struct u256 *r, const struct u256 *a, const struct u256 *b);
void u256_remainder_signed(struct u256 *r, const struct u256 *a, const struct u256 *b);
/* (a + b) and (a * b) mod m, of the whole sum and product. */
void u256_sum_modulo(struct u256 *r, const struct u256 *a, const struct u256 *b,
                     const struct u256 *m);
void u256_product_modulo(struct u256 *r, const struct u256 *a, const struct u256 *b,
                         const struct u256 *m);

#endif
