/* vm/precompile_curves.h - the built-in contracts over pairing curves: gas, sizes, answers.
 *
 * Cancun: 6 bn254 add, 7 bn254 multiply, 8 bn254 pairing check (EIP-196, EIP-197, prices of
 * EIP-1108), 0x0a KZG point evaluation (EIP-4844). Prague: 0x0b to 0x11, BLS12-381 (EIP-2537).
 * The curves are in vm/curve. Each is one precompile_function of vm/precompile.h. */
#ifndef LEASEHOLD_VM_PRECOMPILE_CURVES_H
#define LEASEHOLD_VM_PRECOMPILE_CURVES_H

#include "vm/evm.h"

enum evm_result bn254_add_run(int64_t *gas, struct buffer *out, struct bytes input);
enum evm_result bn254_mul_run(int64_t *gas, struct buffer *out, struct bytes input);
enum evm_result bn254_pairing_run(int64_t *gas, struct buffer *out, struct bytes input);
enum evm_result point_evaluation_run(int64_t *gas, struct buffer *out, struct bytes input);
enum evm_result bls_g1_add_run(int64_t *gas, struct buffer *out, struct bytes input);
enum evm_result bls_g1_msm_run(int64_t *gas, struct buffer *out, struct bytes input);
enum evm_result bls_g2_add_run(int64_t *gas, struct buffer *out, struct bytes input);
enum evm_result bls_g2_msm_run(int64_t *gas, struct buffer *out, struct bytes input);
enum evm_result bls_pairing_run(int64_t *gas, struct buffer *out, struct bytes input);
enum evm_result bls_map_to_g1_run(int64_t *gas, struct buffer *out, struct bytes input);
enum evm_result bls_map_to_g2_run(int64_t *gas, struct buffer *out, struct bytes input);

#endif
