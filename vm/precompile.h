/* vm/precompile.h - the built-in contracts: 1 ecrecover, 2 sha256, 3 ripemd160, 4 identity,
 * 5 modexp, 6 to 8 bn254, 9 blake2f, 0x0a point evaluation, 0x0b to 0x11 BLS12-381 (those over
 * curves: precompile_curves.h). Pure functions of their input. */
#ifndef LEASEHOLD_VM_PRECOMPILE_H
#define LEASEHOLD_VM_PRECOMPILE_H

#include "vm/evm.h"

/* Appends the output and takes the price off *gas. SUCCESS, OUT_OF_GAS or PRECOMPILE; after a
 * failure neither *gas nor what is in `out` means anything. The address must be a precompile's. */
enum evm_result precompile_run(const struct address *a, int64_t *gas, struct buffer *out,
                               struct bytes input);

/* modexp.c: EIP-198 with the price of EIP-2565. */
enum evm_result modexp_run(int64_t *gas, struct buffer *out, struct bytes input);
/* blake2f.c: EIP-152. */
enum evm_result blake2f_run(int64_t *gas, struct buffer *out, struct bytes input);

#endif
