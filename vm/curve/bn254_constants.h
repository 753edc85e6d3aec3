/* vm/curve/bn254_constants.h - the numbers of bn254 (alt_bn128; EIP-196, EIP-197).
 *
 * Made by constants.py, which names the sources; field elements are in Montgomery form. */
#ifndef LEASEHOLD_VM_CURVE_BN254_CONSTANTS_H
#define LEASEHOLD_VM_CURVE_BN254_CONSTANTS_H

#include "vm/curve/types.h"

/* p itself, not in Montgomery form */
static const struct fp FP_MODULUS __attribute__((unused)) = {
    {0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029}};
/* -1/p mod 2^64 */
#define FP_NEGATIVE_INVERSE UINT64_C(0x87d20782e4866389)
/* 1/p mod 2^62, for the divsteps of fp_inverse */
#define FP_INVERSE_62 UINT64_C(0x382df87d1b799c77)
/* R mod p with R = 2^(64 * FP_LIMBS) */
static const struct fp FP_ONE __attribute__((unused)) = {
    {0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f}};
/* R^2 mod p: what turns an integer into Montgomery form */
static const struct fp FP_R2 __attribute__((unused)) = {
    {0xf32cfc5b538afa89, 0xb5e71911d44501fb, 0x47ab1eff0a417ff6, 0x06d89f71cab8351f}};
/* R^3 mod p: what turns 1/(aR) into R/a */
static const struct fp FP_R3 __attribute__((unused)) = {
    {0xb1cd6dafda1530df, 0x62f210e6a7283db6, 0xef7f0b0c0ada0afb, 0x20fd6e902d592544}};
/* (p + 1) / 4, an integer */
static const struct fp FP_SQRT_EXPONENT __attribute__((unused)) = {
    {0x4f082305b61f3f52, 0x65e05aa45a1c72a3, 0x6e14116da0605617, 0x0c19139cb84c680a}};
/* (p - 1) / 2, an integer */
static const struct fp FP_HALF_MODULUS __attribute__((unused)) = {
    {0x9e10460b6c3e7ea3, 0xcbc0b548b438e546, 0xdc2822db40c0ac2e, 0x183227397098d014}};
/* 1/2 */
static const struct fp FP_HALF __attribute__((unused)) = {
    {0x87bee7d24f060572, 0xd0fd2add2f1c6ae5, 0x8f5f7492fcfd4f44, 0x1f37631a3d9cbfac}};
/* r, an integer */
static const struct scalar GROUP_ORDER __attribute__((unused)) = {
    {0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029}};
static const struct fp G1_B __attribute__((unused)) = {
    {0x7a17caa950ad28d7, 0x1f6ac17ae15521b9, 0x334bea4e696bd284, 0x2a1f6744ce179d8e}};
static const struct fp2 G2_B __attribute__((unused)) = {
    {{0x3bf938e377b802a8, 0x020b1b273633535d, 0x26b7edf049755260, 0x2514c6324384a86d}},
    {{0x38e7ecccd1dcff67, 0x65f0b37d93ce0d3e, 0xd749d0dd22ac00aa, 0x0141b9ce4a688d4d}}};
static const struct g1_affine G1_GENERATOR __attribute__((unused)) = {
    {{0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f}},
    {{0xa6ba871b8b1e1b3a, 0x14f1d651eb8e167b, 0xccdd46def0f28c58, 0x1c14ef83340fbe5e}},
    false};
static const struct g2_affine G2_GENERATOR __attribute__((unused)) = {
    {{{0x8e83b5d102bc2026, 0xdceb1935497b0172, 0xfbb8264797811adf, 0x19573841af96503b}},
     {{0xafb4737da84c6140, 0x6043dd5a5802d8c4, 0x09e950fc52a02f86, 0x14fef0833aea7b6b}}},
    {{{0x619dfa9d886be9f6, 0xfe7fd297f59e9b78, 0xff9e1a62231b7dfe, 0x28fd7eebae9e4206}},
     {{0x64095b56c71856ee, 0xdc57f922327d3cbb, 0x55f935be33351076, 0x0da4a0e693fd6482}}},
    false};
/* xi^(i (p^k - 1) / 6), k = 1, 2, 3: what w^i picks up under x -> x^(p^k) */
static const struct fp2 FROBENIUS[3][6] __attribute__((unused)) = {
    {{{{0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f}},
      {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}},
     {{{0xaf9ba69633144907, 0xca6b1d7387afb78a, 0x11bded5ef08a2087, 0x02f34d751a1f3a7c}},
      {{0xa222ae234c492d72, 0xd00f02a4565de15b, 0xdc2ff3a253dfc926, 0x10a75716b3899551}}},
     {{{0xb5773b104563ab30, 0x347f91c8a9aa6454, 0x7a007127242e0991, 0x1956bcd8118214ec}},
      {{0x6e849f1ea0aa4757, 0xaa1c7b6d89f89141, 0xb6e713cdfae0ca3a, 0x26694fbb4e82ebc3}}},
     {{{0xe4bbdd0c2936b629, 0xbb30f162e133bacb, 0x31a9d1b6f9645366, 0x253570bea500f8dd}},
      {{0xa1d77ce45ffe77c7, 0x07affd117826d1db, 0x6d16bd27bb7edc6b, 0x2c87200285defecc}}},
     {{{0x7361d77f843abe92, 0xa5bb2bd3273411fb, 0x9c941f314b3e2399, 0x15df9cddbb9fd3ec}},
      {{0x5dddfd154bd8c949, 0x62cb29a5a4445b60, 0x37bc870a0c7dd2b9, 0x24830a9d3171f0fd}}},
     {{{0xc970692f41690fe7, 0xe240342127694b0b, 0x32bee66b83c459e8, 0x12aabced0ab08841}},
      {{0x0d485d2340aebfa9, 0x05193418ab2fcc57, 0xd3b0a40b8a4910f5, 0x2f21ebb535d2925a}}}},
    {{{{0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f}},
      {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}},
     {{{0xca8d800500fa1bf2, 0xf0c5d61468b39769, 0x0e201271ad0d4418, 0x04290f65bad856e6}},
      {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}},
     {{{0x3350c88e13e80b9c, 0x7dce557cdb5e56b9, 0x6001b4b8b615564a, 0x2682e617020217e0}},
      {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}},
     {{{0x68c3488912edefaa, 0x8d087f6872aabf4f, 0x51e1a24709081231, 0x2259d6b14729c0fa}},
      {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}},
     {{{0x71930c11d782e155, 0xa6bb947cffbe3323, 0xaa303344d4741444, 0x2c3b3f0d26594943}},
      {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}},
     {{{0x08cfc388c494f1ab, 0x19b315148d1373d4, 0x584e90fdcb6c0213, 0x09e1685bdf2f8849}},
      {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}}},
    {{{{0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f}},
      {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}},
     {{{0x365316184e46d97d, 0x0af7129ed4c96d9f, 0x659da72fca1009b5, 0x08116d8983a20d23}},
      {{0xb1df4af7c39c1939, 0x3d9f02878a73bf7f, 0x9b2220928caf0ae0, 0x26684515eff054a6}}},
     {{{0xc9af22f716ad6bad, 0xb311782a4aa662b2, 0x19eeaf64e248c7f4, 0x20273e77e3439f82}},
      {{0xacc02860f7ce93ac, 0x3933d5817ba76b4c, 0x69e6188b446c8467, 0x0a46036d4417cc55}}},
     {{{0x5764af0aaf46471e, 0xdc50792e873e0fc1, 0x86a673ff881d04f6, 0x0b2eddb43c30a74c}},
      {{0x9a490f32787e8580, 0x8fd16d7ff04af8b1, 0x4b39888ec6027bf2, 0x03dd2e705b52a15d}}},
     {{{0x448a93a57b6762df, 0xbfd62df528fdeadf, 0xd858f5d00e9bd47a, 0x06b03d4d3476ec58}},
      {{0x2b19daf4bcc936d1, 0xa1a54e7a56f4299f, 0xb533eee05adeaef1, 0x170c812b84dda0b2}}},
     {{{0xe0bc4b2275cf559f, 0xc238b945c154e60f, 0x803982a5929a7d5e, 0x15ce052df7e4a37e}},
      {{0x2d28efbdbf3799a7, 0x9b097e3c1ad60773, 0x982d4113af4a535b, 0x24e18991e3056063}}}}};
/* psi(x, y) = (PSI_X conj(x), PSI_Y conj(y)): Frobenius carried over to the twist */
static const struct fp2 PSI_X __attribute__((unused)) = {
    {{0xb5773b104563ab30, 0x347f91c8a9aa6454, 0x7a007127242e0991, 0x1956bcd8118214ec}},
    {{0x6e849f1ea0aa4757, 0xaa1c7b6d89f89141, 0xb6e713cdfae0ca3a, 0x26694fbb4e82ebc3}}};
static const struct fp2 PSI_Y __attribute__((unused)) = {
    {{0xe4bbdd0c2936b629, 0xbb30f162e133bacb, 0x31a9d1b6f9645366, 0x253570bea500f8dd}},
    {{0xa1d77ce45ffe77c7, 0x07affd117826d1db, 0x6d16bd27bb7edc6b, 0x2c87200285defecc}}};
/* the absolute value of the curve's parameter x, signed digits, lowest first */
static const int8_t CURVE_X_DIGITS[63] __attribute__((unused)) = {
    1,  0, 0, 0, -1, 0,  0, 0, 0, 1, 0, 1,  0, 0, 0, 0,  1, 0,  0, 1,  0,
    -1, 0, 1, 0, 1,  0,  1, 0, 0, 1, 0, 0,  0, 1, 0, -1, 0, -1, 0, -1, 0,
    1,  0, 1, 0, 0,  -1, 0, 1, 0, 1, 0, -1, 0, 0, 1, 0,  1, 0,  0, 0,  1};
/* the length of the Miller loop */
static const int8_t LOOP_DIGITS[66] __attribute__((unused)) = {
    0,  0, 0, 1,  0, 1, 0, -1, 0,  0, -1, 0,  0, 0,  1, 0, 0, -1, 0, -1, 0, 0,
    0,  1, 0, -1, 0, 0, 0, 0,  -1, 0, 0,  1,  0, -1, 0, 0, 1, 0,  0, 0,  0, 0,
    -1, 0, 0, -1, 0, 1, 0, -1, 0,  0, 0,  -1, 0, -1, 0, 0, 0, 1,  0, -1, 0, 1};

#endif
