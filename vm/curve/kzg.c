#include "vm/curve/kzg.h"

#define CURVE_BLS12_381
#include "vm/curve/pairing.h"

const uint8_t KZG_MODULUS[KZG_SCALAR_BYTES] = {
    0x73, 0xed, 0xa7, 0x53, 0x29, 0x9d, 0x7d, 0x48, 0x33, 0x39, 0xd8, 0x08, 0x09, 0xa1, 0xd8, 0x05,
    0x53, 0xbd, 0xa4, 0x02, 0xff, 0xfe, 0x5b, 0xfe, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01,
};

#define FLAG_COMPRESSED 0x80
#define FLAG_INFINITY   0x40
#define FLAG_UPPER_HALF 0x20
#define FLAGS           0xe0

/* The compressed form (of the ZCash protocol): x, with three flags in the bits that p leaves. */
static enum status decompress_g1(struct g1_affine *out, const uint8_t in[KZG_POINT_BYTES])
{
    uint8_t plain[KZG_POINT_BYTES];
    struct g1_affine p = {.infinity = false};
    memcpy(plain, in, sizeof(plain));
    plain[0] &= (uint8_t)~FLAGS;
    if (!(in[0] & FLAG_COMPRESSED) || !fp_from_bytes(&p.x, plain)) return E_MALFORMED;
    if (in[0] & FLAG_INFINITY) {
        if (in[0] & FLAG_UPPER_HALF || !fp_is_zero(&p.x)) return E_MALFORMED;
        *out = (struct g1_affine){.infinity = true};
        return OK;
    }
    fp_square(&p.y, &p.x);
    fp_mul(&p.y, &p.y, &p.x);
    fp_add(&p.y, &p.y, &G1_B);
    if (!fp_sqrt(&p.y, &p.y)) return E_MALFORMED;
    if (fp_is_upper_half(&p.y) != ((in[0] & FLAG_UPPER_HALF) != 0)) fp_neg(&p.y, &p.y);
    if (!g1_is_in_group(&p)) return E_MALFORMED;
    *out = p;
    return OK;
}

/* e(C - y G1 + z W, G2) = e(W, [tau]_2): the equation e(C - y G1, G2) = e(W, [tau]_2 - z G2) with
 * z moved over, so that only points of G1 are multiplied. */
enum status kzg_verify(const uint8_t commitment[KZG_POINT_BYTES], const uint8_t z[KZG_SCALAR_BYTES],
                       const uint8_t y[KZG_SCALAR_BYTES], const uint8_t proof[KZG_POINT_BYTES])
{
    struct scalar z_scalar, y_scalar;
    struct g1_affine c, w;
    scalar_from_bytes(&z_scalar, z);
    scalar_from_bytes(&y_scalar, y);
    if (!scalar_is_below_order(&z_scalar) || !scalar_is_below_order(&y_scalar)) return E_RANGE;
    enum status status = decompress_g1(&c, commitment);
    if (status == OK) status = decompress_g1(&w, proof);
    if (status != OK) return status;

    struct g1_term terms[2];
    struct g1 left = g1_from_affine(&G1_GENERATOR), right = g1_from_affine(&w);
    g1_neg(&left, &left);
    g1_term_init(&terms[0], &left, &y_scalar);
    g1_term_init(&terms[1], &right, &z_scalar);
    g1_sum_terms(&left, terms, 2);
    g1_add_affine(&left, &left, &c);
    struct pair pair = {.q = G2_GENERATOR};
    struct pairing pairing = pairing_begin();
    g1_to_affine(&pair.p, &left);
    pairing_put(&pairing, &pair);
    pair = (struct pair){.p = w, .q = KZG_TAU_G2};
    fp_neg(&pair.p.y, &pair.p.y);
    pairing_put(&pairing, &pair);
    return pairing_is_one(&pairing) ? OK : E_SIGNATURE;
}
