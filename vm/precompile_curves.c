#include "vm/precompile_curves.h"

#include "base/sha256.h"
#include "vm/curve/bls12_381.h"
#include "vm/curve/bn254.h"
#include "vm/curve/kzg.h"

#include <string.h>

#define GAS_BN254_ADD           150 /* EIP-1108 */
#define GAS_BN254_MUL           6000
#define GAS_BN254_PAIRING       45000
#define GAS_BN254_PAIR          34000
#define GAS_POINT_EVALUATION    50000 /* EIP-4844 */
#define GAS_BLS_G1_ADD          375   /* EIP-2537 from here on */
#define GAS_BLS_G1_MUL          12000
#define GAS_BLS_G2_ADD          600
#define GAS_BLS_G2_MUL          22500
#define GAS_BLS_PAIRING         37700
#define GAS_BLS_PAIR            32600
#define GAS_BLS_MAP_TO_G1       5500
#define GAS_BLS_MAP_TO_G2       23800
#define VERSIONED_HASH_KZG      0x01
#define FIELD_ELEMENTS_PER_BLOB 4096

#define DISCOUNTS 128 /* more items have the last discount */

/* Parts of a thousand that each of 1, 2, ... items costs (EIP-2537). */
static const uint16_t g1_discount[DISCOUNTS] = {
    1000, 949, 848, 797, 764, 750, 738, 728, 719, 712, 705, 698, 692, 687, 682, 677, 673, 669, 665,
    661,  658, 654, 651, 648, 645, 642, 640, 637, 635, 632, 630, 627, 625, 623, 621, 619, 617, 615,
    613,  611, 609, 608, 606, 604, 603, 601, 599, 598, 596, 595, 593, 592, 591, 589, 588, 586, 585,
    584,  582, 581, 580, 579, 577, 576, 575, 574, 573, 572, 570, 569, 568, 567, 566, 565, 564, 563,
    562,  561, 560, 559, 558, 557, 556, 555, 554, 553, 552, 551, 550, 549, 548, 547, 547, 546, 545,
    544,  543, 542, 541, 540, 540, 539, 538, 537, 536, 536, 535, 534, 533, 532, 532, 531, 530, 529,
    528,  528, 527, 526, 525, 525, 524, 523, 522, 522, 521, 520, 520, 519,
};

static const uint16_t g2_discount[DISCOUNTS] = {
    1000, 1000, 923, 884, 855, 832, 812, 796, 782, 770, 759, 749, 740, 732, 724, 717, 711, 704, 699,
    693,  688,  683, 679, 674, 670, 666, 663, 659, 655, 652, 649, 646, 643, 640, 637, 634, 632, 629,
    627,  624,  622, 620, 618, 615, 613, 611, 609, 607, 606, 604, 602, 600, 598, 597, 595, 593, 592,
    590,  589,  587, 586, 584, 583, 582, 580, 579, 578, 576, 575, 574, 573, 571, 570, 569, 568, 567,
    566,  565,  563, 562, 561, 560, 559, 558, 557, 556, 555, 554, 553, 552, 552, 551, 550, 549, 548,
    547,  546,  545, 545, 544, 543, 542, 541, 541, 540, 539, 538, 537, 537, 536, 535, 535, 534, 533,
    532,  532,  531, 530, 530, 529, 528, 528, 527, 526, 526, 525, 524, 524,
};

static bool charge(int64_t *gas, int64_t price)
{
    *gas -= price;
    return *gas >= 0;
}

static enum evm_result result_of(enum status status)
{
    return status == OK ? EVM_SUCCESS : EVM_PRECOMPILE;
}

/* Too short input goes on with zeros; what is too long is cut off. */
static void pad(uint8_t *to, size_t size, struct bytes input)
{
    memset(to, 0, size);
    if (input.size > 0) memcpy(to, input.data, input.size < size ? input.size : size);
}

static void put_truth(struct buffer *out, bool truth)
{
    buffer_extend(out, 32)[31] = truth;
}

enum evm_result bn254_add_run(int64_t *gas, struct buffer *out, struct bytes input)
{
    uint8_t padded[2 * BN254_POINT_BYTES];
    if (!charge(gas, GAS_BN254_ADD)) return EVM_OUT_OF_GAS;
    pad(padded, sizeof(padded), input);
    return result_of(bn254_add(buffer_extend(out, BN254_POINT_BYTES), padded));
}

enum evm_result bn254_mul_run(int64_t *gas, struct buffer *out, struct bytes input)
{
    uint8_t padded[BN254_POINT_BYTES + 32];
    if (!charge(gas, GAS_BN254_MUL)) return EVM_OUT_OF_GAS;
    pad(padded, sizeof(padded), input);
    return result_of(bn254_mul(buffer_extend(out, BN254_POINT_BYTES), padded));
}

enum evm_result bn254_pairing_run(int64_t *gas, struct buffer *out, struct bytes input)
{
    int64_t pairs = (int64_t)(input.size / BN254_PAIR_BYTES);
    bool is_one;
    if (!charge(gas, GAS_BN254_PAIRING + GAS_BN254_PAIR * pairs)) return EVM_OUT_OF_GAS;
    if (input.size % BN254_PAIR_BYTES != 0) return EVM_PRECOMPILE;
    if (bn254_pairing(&is_one, input) != OK) return EVM_PRECOMPILE;
    put_truth(out, is_one);
    return EVM_SUCCESS;
}

/* Input: versioned hash (32), z (32), y (32), commitment (48), proof (48). */
enum evm_result point_evaluation_run(int64_t *gas, struct buffer *out, struct bytes input)
{
    if (!charge(gas, GAS_POINT_EVALUATION)) return EVM_OUT_OF_GAS;
    if (input.size != 192) return EVM_PRECOMPILE;
    struct hash versioned = sha256(bytes_slice(input, 96, KZG_POINT_BYTES));
    versioned.b[0] = VERSIONED_HASH_KZG;
    if (memcmp(versioned.b, input.data, 32) != 0) return EVM_PRECOMPILE;
    const uint8_t *z = input.data + 32, *y = input.data + 64, *commitment = input.data + 96;
    if (kzg_verify(commitment, z, y, commitment + KZG_POINT_BYTES) != OK) return EVM_PRECOMPILE;
    uint8_t *answer = buffer_extend(out, 64);
    store_be32(answer + 28, FIELD_ELEMENTS_PER_BLOB);
    memcpy(answer + 32, KZG_MODULUS, 32);
    return EVM_SUCCESS;
}

enum evm_result bls_g1_add_run(int64_t *gas, struct buffer *out, struct bytes input)
{
    if (!charge(gas, GAS_BLS_G1_ADD)) return EVM_OUT_OF_GAS;
    if (input.size != 2 * BLS_G1_BYTES) return EVM_PRECOMPILE;
    return result_of(bls_g1_add(buffer_extend(out, BLS_G1_BYTES), input.data));
}

enum evm_result bls_g2_add_run(int64_t *gas, struct buffer *out, struct bytes input)
{
    if (!charge(gas, GAS_BLS_G2_ADD)) return EVM_OUT_OF_GAS;
    if (input.size != 2 * BLS_G2_BYTES) return EVM_PRECOMPILE;
    return result_of(bls_g2_add(buffer_extend(out, BLS_G2_BYTES), input.data));
}

static int64_t msm_price(size_t count, int64_t each, const uint16_t discount[DISCOUNTS])
{
    size_t index = count < DISCOUNTS ? count : DISCOUNTS;
    return count == 0 ? 0 : (int64_t)count * each * discount[index - 1] / 1000;
}

enum evm_result bls_g1_msm_run(int64_t *gas, struct buffer *out, struct bytes input)
{
    size_t item = BLS_G1_BYTES + BLS_SCALAR_BYTES, count = input.size / item;
    if (!charge(gas, msm_price(count, GAS_BLS_G1_MUL, g1_discount))) return EVM_OUT_OF_GAS;
    if (count == 0 || input.size % item != 0) return EVM_PRECOMPILE;
    return result_of(bls_g1_msm(buffer_extend(out, BLS_G1_BYTES), input));
}

enum evm_result bls_g2_msm_run(int64_t *gas, struct buffer *out, struct bytes input)
{
    size_t item = BLS_G2_BYTES + BLS_SCALAR_BYTES, count = input.size / item;
    if (!charge(gas, msm_price(count, GAS_BLS_G2_MUL, g2_discount))) return EVM_OUT_OF_GAS;
    if (count == 0 || input.size % item != 0) return EVM_PRECOMPILE;
    return result_of(bls_g2_msm(buffer_extend(out, BLS_G2_BYTES), input));
}

enum evm_result bls_pairing_run(int64_t *gas, struct buffer *out, struct bytes input)
{
    int64_t pairs = (int64_t)(input.size / BLS_PAIR_BYTES);
    bool is_one;
    if (!charge(gas, GAS_BLS_PAIRING + GAS_BLS_PAIR * pairs)) return EVM_OUT_OF_GAS;
    if (pairs == 0 || input.size % BLS_PAIR_BYTES != 0) return EVM_PRECOMPILE;
    if (bls_pairing(&is_one, input) != OK) return EVM_PRECOMPILE;
    put_truth(out, is_one);
    return EVM_SUCCESS;
}

enum evm_result bls_map_to_g1_run(int64_t *gas, struct buffer *out, struct bytes input)
{
    if (!charge(gas, GAS_BLS_MAP_TO_G1)) return EVM_OUT_OF_GAS;
    if (input.size != BLS_FP_BYTES) return EVM_PRECOMPILE;
    return result_of(bls_map_to_g1(buffer_extend(out, BLS_G1_BYTES), input.data));
}

enum evm_result bls_map_to_g2_run(int64_t *gas, struct buffer *out, struct bytes input)
{
    if (!charge(gas, GAS_BLS_MAP_TO_G2)) return EVM_OUT_OF_GAS;
    if (input.size != 2 * BLS_FP_BYTES) return EVM_PRECOMPILE;
    return result_of(bls_map_to_g2(buffer_extend(out, BLS_G2_BYTES), input.data));
}
