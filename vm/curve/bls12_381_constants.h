/* vm/curve/bls12_381_constants.h - the numbers of BLS12-381 (EIP-2537) and of the KZG ceremony.
 *
 * Made by constants.py, which names the sources; field elements are in Montgomery form. */
#ifndef LEASEHOLD_VM_CURVE_BLS12_381_CONSTANTS_H
#define LEASEHOLD_VM_CURVE_BLS12_381_CONSTANTS_H

#ifndef CURVE_BLS12_381
#define CURVE_BLS12_381
#endif
#include "vm/curve/types.h"

/* p itself, not in Montgomery form */
static const struct fp FP_MODULUS
    __attribute__((unused)) = {{0xb9feffffffffaaab, 0x1eabfffeb153ffff, 0x6730d2a0f6b0f624,
                                0x64774b84f38512bf, 0x4b1ba7b6434bacd7, 0x1a0111ea397fe69a}};
/* -1/p mod 2^64 */
#define FP_NEGATIVE_INVERSE UINT64_C(0x89f3fffcfffcfffd)
/* 1/p mod 2^62, for the divsteps of fp_inverse */
#define FP_INVERSE_62 UINT64_C(0x360c000300030003)
/* R mod p with R = 2^(64 * FP_LIMBS) */
static const struct fp FP_ONE
    __attribute__((unused)) = {{0x760900000002fffd, 0xebf4000bc40c0002, 0x5f48985753c758ba,
                                0x77ce585370525745, 0x5c071a97a256ec6d, 0x15f65ec3fa80e493}};
/* R^2 mod p: what turns an integer into Montgomery form */
static const struct fp FP_R2
    __attribute__((unused)) = {{0xf4df1f341c341746, 0x0a76e6a609d104f1, 0x8de5476c4c95b6d5,
                                0x67eb88a9939d83c0, 0x9a793e85b519952d, 0x11988fe592cae3aa}};
/* R^3 mod p: what turns 1/(aR) into R/a */
static const struct fp FP_R3
    __attribute__((unused)) = {{0xed48ac6bd94ca1e0, 0x315f831e03a7adf8, 0x9a53352a615e29dd,
                                0x34c04e5e921e1761, 0x2512d43565724728, 0x0aa6346091755d4d}};
/* (p + 1) / 4, an integer */
static const struct fp FP_SQRT_EXPONENT
    __attribute__((unused)) = {{0xee7fbfffffffeaab, 0x07aaffffac54ffff, 0xd9cc34a83dac3d89,
                                0xd91dd2e13ce144af, 0x92c6e9ed90d2eb35, 0x0680447a8e5ff9a6}};
/* (p - 1) / 2, an integer */
static const struct fp FP_HALF_MODULUS
    __attribute__((unused)) = {{0xdcff7fffffffd555, 0x0f55ffff58a9ffff, 0xb39869507b587b12,
                                0xb23ba5c279c2895f, 0x258dd3db21a5d66b, 0x0d0088f51cbff34d}};
/* 1/2 */
static const struct fp FP_HALF
    __attribute__((unused)) = {{0x1804000000015554, 0x855000053ab00001, 0x633cb57c253c276f,
                                0x6e22d1ec31ebb502, 0xd3916126f2d14ca2, 0x17fbb8571a006596}};
/* r, an integer */
static const struct scalar GROUP_ORDER __attribute__((unused)) = {
    {0xffffffff00000001, 0x53bda402fffe5bfe, 0x3339d80809a1d805, 0x73eda753299d7d48}};
static const struct fp G1_B
    __attribute__((unused)) = {{0xaa270000000cfff3, 0x53cc0032fc34000a, 0x478fe97a6b0a807f,
                                0xb1d37ebee6ba24d7, 0x8ec9733bbf78ab2f, 0x09d645513d83de7e}};
static const struct fp2 G2_B
    __attribute__((unused)) = {{{0xaa270000000cfff3, 0x53cc0032fc34000a, 0x478fe97a6b0a807f,
                                 0xb1d37ebee6ba24d7, 0x8ec9733bbf78ab2f, 0x09d645513d83de7e}},
                               {{0xaa270000000cfff3, 0x53cc0032fc34000a, 0x478fe97a6b0a807f,
                                 0xb1d37ebee6ba24d7, 0x8ec9733bbf78ab2f, 0x09d645513d83de7e}}};
static const struct g1_affine G1_GENERATOR
    __attribute__((unused)) = {{{0x5cb38790fd530c16, 0x7817fc679976fff5, 0x154f95c7143ba1c1,
                                 0xf0ae6acdf3d0e747, 0xedce6ecc21dbf440, 0x120177419e0bfb75}},
                               {{0xbaac93d50ce72271, 0x8c22631a7918fd8e, 0xdd595f13570725ce,
                                 0x51ac582950405194, 0x0e1c8c3fad0059c0, 0x0bbc3efc5008a26a}},
                               false};
static const struct g2_affine G2_GENERATOR
    __attribute__((unused)) = {{{{0xf5f28fa202940a10, 0xb3f5fb2687b4961a, 0xa1a893b53e2ae580,
                                  0x9894999d1a3caee9, 0x6f67b7631863366b, 0x058191924350bcd7}},
                                {{0xa5a9c0759e23f606, 0xaaa0c59dbccd60c3, 0x3bb17e18e2867806,
                                  0x1b1ab6cc8541b367, 0xc2b6ed0ef2158547, 0x11922a097360edf3}}},
                               {{{0x4c730af860494c4a, 0x597cfa1f5e369c5a, 0xe7e6856caa0a635a,
                                  0xbbefb5e96e0d495f, 0x07d3a975f0ef25a2, 0x0083fd8e7e80dae5}},
                                {{0xadc0fc92df64b05d, 0x18aa270a2b1461dc, 0x86adac6a3be4eba0,
                                  0x79495c4ec93da33a, 0xe7175850a43ccaed, 0x0b2bc2a163de1bf2}}},
                               false};
/* xi^(i (p^k - 1) / 6), k = 1, 2, 3: what w^i picks up under x -> x^(p^k) */
static const struct fp2 FROBENIUS[3][6]
    __attribute__((unused)) = {{{{{0x760900000002fffd, 0xebf4000bc40c0002, 0x5f48985753c758ba,
                                   0x77ce585370525745, 0x5c071a97a256ec6d, 0x15f65ec3fa80e493}},
                                 {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000,
                                   0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}},
                                {{{0x07089552b319d465, 0xc6695f92b50a8313, 0x97e83cccd117228f,
                                   0xa35baecab2dc29ee, 0x1ce393ea5daace4d, 0x08f2220fb0fb66eb}},
                                 {{0xb2f66aad4ce5d646, 0x5842a06bfc497cec, 0xcf4895d42599d394,
                                   0xc11b9cba40a8e8d0, 0x2e3813cbe5a0de89, 0x110eefda88847faf}}},
                                {{{0x0000000000000000, 0x0000000000000000, 0x0000000000000000,
                                   0x0000000000000000, 0x0000000000000000, 0x0000000000000000}},
                                 {{0xcd03c9e48671f071, 0x5dab22461fcda5d2, 0x587042afd3851b95,
                                   0x8eb60ebe01bacb9e, 0x03f97d6e83d050d2, 0x18f0206554638741}}},
                                {{{0x7bcfa7a25aa30fda, 0xdc17dec12a927e7c, 0x2f088dd86b4ebef1,
                                   0xd1ca2087da74d4a7, 0x2da2596696cebc1d, 0x0e2b7eedbbfd87d2}},
                                 {{0x7bcfa7a25aa30fda, 0xdc17dec12a927e7c, 0x2f088dd86b4ebef1,
                                   0xd1ca2087da74d4a7, 0x2da2596696cebc1d, 0x0e2b7eedbbfd87d2}}},
                                {{{0x890dc9e4867545c3, 0x2af322533285a5d5, 0x50880866309b7e2c,
                                   0xa20d1b8c7e881024, 0x14e4f04fe2db9068, 0x14e56d3f1564853a}},
                                 {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000,
                                   0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}},
                                {{{0x82d83cf50dbce43f, 0xa2813e53df9d018f, 0xc6f0caa53c65e181,
                                   0x7525cf528d50fe95, 0x4a85ed50f4798a6b, 0x171da0fd6cf8eebd}},
                                 {{0x3726c30af242c66c, 0x7c2ac1aad1b6fe70, 0xa04007fbba4b14a2,
                                   0xef517c3266341429, 0x0095ba654ed2226b, 0x02e370eccc86f7dd}}}},
                               {{{{0x760900000002fffd, 0xebf4000bc40c0002, 0x5f48985753c758ba,
                                   0x77ce585370525745, 0x5c071a97a256ec6d, 0x15f65ec3fa80e493}},
                                 {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000,
                                   0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}},
                                {{{0xecfb361b798dba3a, 0xc100ddb891865a2c, 0x0ec08ff1232bda8e,
                                   0xd5c13cc6f1ca4721, 0x47222a47bf7b5c04, 0x0110f184e51c5f59}},
                                 {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000,
                                   0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}},
                                {{{0x30f1361b798a64e8, 0xf3b8ddab7ece5a2a, 0x16a8ca3ac61577f7,
                                   0xc26a2ff874fd029b, 0x3636b76660701c6e, 0x051ba4ab241b6160}},
                                 {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000,
                                   0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}},
                                {{{0x43f5fffffffcaaae, 0x32b7fff2ed47fffd, 0x07e83a49a2e99d69,
                                   0xeca8f3318332bb7a, 0xef148d1ea0f4c069, 0x040ab3263eff0206}},
                                 {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000,
                                   0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}},
                                {{{0xcd03c9e48671f071, 0x5dab22461fcda5d2, 0x587042afd3851b95,
                                   0x8eb60ebe01bacb9e, 0x03f97d6e83d050d2, 0x18f0206554638741}},
                                 {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000,
                                   0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}},
                                {{{0x890dc9e4867545c3, 0x2af322533285a5d5, 0x50880866309b7e2c,
                                   0xa20d1b8c7e881024, 0x14e4f04fe2db9068, 0x14e56d3f1564853a}},
                                 {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000,
                                   0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}}},
                               {{{{0x760900000002fffd, 0xebf4000bc40c0002, 0x5f48985753c758ba,
                                   0x77ce585370525745, 0x5c071a97a256ec6d, 0x15f65ec3fa80e493}},
                                 {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000,
                                   0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}},
                                {{{0x3e2f585da55c9ad1, 0x4294213d86c18183, 0x382844c88b623732,
                                   0x92ad2afd19103e18, 0x1d794e4fac7cf0b9, 0x0bd592fc7d825ec8}},
                                 {{0x7bcfa7a25aa30fda, 0xdc17dec12a927e7c, 0x2f088dd86b4ebef1,
                                   0xd1ca2087da74d4a7, 0x2da2596696cebc1d, 0x0e2b7eedbbfd87d2}}},
                                {{{0x0000000000000000, 0x0000000000000000, 0x0000000000000000,
                                   0x0000000000000000, 0x0000000000000000, 0x0000000000000000}},
                                 {{0x760900000002fffd, 0xebf4000bc40c0002, 0x5f48985753c758ba,
                                   0x77ce585370525745, 0x5c071a97a256ec6d, 0x15f65ec3fa80e493}}},
                                {{{0x3e2f585da55c9ad1, 0x4294213d86c18183, 0x382844c88b623732,
                                   0x92ad2afd19103e18, 0x1d794e4fac7cf0b9, 0x0bd592fc7d825ec8}},
                                 {{0x3e2f585da55c9ad1, 0x4294213d86c18183, 0x382844c88b623732,
                                   0x92ad2afd19103e18, 0x1d794e4fac7cf0b9, 0x0bd592fc7d825ec8}}},
                                {{{0x43f5fffffffcaaae, 0x32b7fff2ed47fffd, 0x07e83a49a2e99d69,
                                   0xeca8f3318332bb7a, 0xef148d1ea0f4c069, 0x040ab3263eff0206}},
                                 {{0x0000000000000000, 0x0000000000000000, 0x0000000000000000,
                                   0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}},
                                {{{0x7bcfa7a25aa30fda, 0xdc17dec12a927e7c, 0x2f088dd86b4ebef1,
                                   0xd1ca2087da74d4a7, 0x2da2596696cebc1d, 0x0e2b7eedbbfd87d2}},
                                 {{0x3e2f585da55c9ad1, 0x4294213d86c18183, 0x382844c88b623732,
                                   0x92ad2afd19103e18, 0x1d794e4fac7cf0b9, 0x0bd592fc7d825ec8}}}}};
/* psi(x, y) = (PSI_X conj(x), PSI_Y conj(y)): Frobenius carried over to the twist */
static const struct fp2 PSI_X
    __attribute__((unused)) = {{{0x0000000000000000, 0x0000000000000000, 0x0000000000000000,
                                 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}},
                               {{0x890dc9e4867545c3, 0x2af322533285a5d5, 0x50880866309b7e2c,
                                 0xa20d1b8c7e881024, 0x14e4f04fe2db9068, 0x14e56d3f1564853a}}};
static const struct fp2 PSI_Y
    __attribute__((unused)) = {{{0x3e2f585da55c9ad1, 0x4294213d86c18183, 0x382844c88b623732,
                                 0x92ad2afd19103e18, 0x1d794e4fac7cf0b9, 0x0bd592fc7d825ec8}},
                               {{0x7bcfa7a25aa30fda, 0xdc17dec12a927e7c, 0x2f088dd86b4ebef1,
                                 0xd1ca2087da74d4a7, 0x2da2596696cebc1d, 0x0e2b7eedbbfd87d2}}};
/* the absolute value of the curve's parameter x, signed digits, lowest first */
static const int8_t CURVE_X_DIGITS[65]
    __attribute__((unused)) = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0,  0, 0, 0,
                               0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0,
                               0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, -1, 0, 1};
/* the length of the Miller loop */
static const int8_t LOOP_DIGITS[65]
    __attribute__((unused)) = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0,  0, 0, 0,
                               0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0,
                               0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, -1, 0, 1};
/* a cube root of 1: phi(x, y) = (BETA x, y) multiplies G1 by -x^2 */
static const struct fp BETA
    __attribute__((unused)) = {{0x30f1361b798a64e8, 0xf3b8ddab7ece5a2a, 0x16a8ca3ac61577f7,
                                0xc26a2ff874fd029b, 0x3636b76660701c6e, 0x051ba4ab241b6160}};
/* [tau]_2 of the KZG ceremony (EIP-4844) */
static const struct g2_affine KZG_TAU_G2
    __attribute__((unused)) = {{{{0x6120a2099b0379f9, 0xa2df815cb8210e4e, 0xcb57be5577bd3d4f,
                                  0x62da0ea89a0c93f8, 0x02e0ee16968e150d, 0x171f09aea833acd5}},
                                {{0x11a3670749dfd455, 0x04991d7b3abffadc, 0x85446a8e14437f41,
                                  0x27174e7b4e76e3f2, 0x7bfa6dd397f60a20, 0x02fcc329ac07080f}}},
                               {{{0xaa130838793b2317, 0xe236dd220f891637, 0x6502782925760980,
                                  0xd05c25f60557ec89, 0x6095767a44064474, 0x185693917080d405}},
                                {{0x549f9e175b03dc0a, 0x32c0c95a77106cfe, 0x64a74eae5705d080,
                                  0x53deeaf56659ed9e, 0x09a1d368508afb93, 0x12cf3a4525b5e9bd}}},
                               false};

#endif
