/* units.h - amounts of money as people write them.
 *
 * 1 LSH = 10^18 wei, 1 gwei = 10^9 wei. Text in: "1.5 LSH", "3 gwei", "7 wei", "1.5LSH"; a bare
 * number is LSH. No sign, no exponent; more decimals than the unit has is an error. */
#ifndef LEASEHOLD_BASE_UNITS_H
#define LEASEHOLD_BASE_UNITS_H

#include "base/u256.h"

#define AMOUNT_TEXT_SIZE 100

MUST_CHECK enum status amount_from_text(struct u256 *out_wei, const char *text);
/* The exact amount in LSH, without trailing zeros: "1.5 LSH". Below 10^-6 LSH: in gwei or wei. */
void amount_to_text(char out[AMOUNT_TEXT_SIZE], struct u256 wei);

#endif
