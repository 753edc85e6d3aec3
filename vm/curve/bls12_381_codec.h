/* vm/curve/bls12_381_codec.h - EIP-2537's encodings of elements and points, inside the module. */
#ifndef LEASEHOLD_VM_CURVE_BLS12_381_CODEC_H
#define LEASEHOLD_VM_CURVE_BLS12_381_CODEC_H

#ifndef CURVE_BLS12_381
#define CURVE_BLS12_381
#endif
#include "vm/curve/bls12_381.h"
#include "vm/curve/group.h"

static inline bool all_zero(const uint8_t *in, size_t size)
{
    uint8_t any = 0;
    for (size_t i = 0; i < size; i++)
        any |= in[i];
    return any == 0;
}

static inline bool decode_fp(struct fp *out, const uint8_t in[64])
{
    return all_zero(in, 16) && fp_from_bytes(out, in + 16);
}

static inline bool decode_fp2(struct fp2 *out, const uint8_t in[128])
{
    return decode_fp(&out->a, in) && decode_fp(&out->b, in + 64);
}

static inline void encode_fp(uint8_t out[64], const struct fp *a)
{
    memset(out, 0, 16);
    fp_to_bytes(out + 16, a);
}

/* On the curve; the group is another question. */
OUTLINE enum status decode_g1(struct g1_affine *out, const uint8_t in[BLS_G1_BYTES])
{
    struct g1_affine p = {.infinity = all_zero(in, BLS_G1_BYTES)};
    if (!decode_fp(&p.x, in) || !decode_fp(&p.y, in + 64)) return E_RANGE;
    if (!g1_is_on_curve(&p)) return E_MALFORMED;
    *out = p;
    return OK;
}

OUTLINE enum status decode_g2(struct g2_affine *out, const uint8_t in[BLS_G2_BYTES])
{
    struct g2_affine q = {.infinity = all_zero(in, BLS_G2_BYTES)};
    if (!decode_fp2(&q.x, in) || !decode_fp2(&q.y, in + 128)) return E_RANGE;
    if (!g2_is_on_curve(&q)) return E_MALFORMED;
    *out = q;
    return OK;
}

OUTLINE void encode_g1(uint8_t out[BLS_G1_BYTES], const struct g1 *p)
{
    struct g1_affine a;
    g1_to_affine(&a, p);
    memset(out, 0, BLS_G1_BYTES);
    if (a.infinity) return;
    encode_fp(out, &a.x);
    encode_fp(out + 64, &a.y);
}

OUTLINE void encode_g2(uint8_t out[BLS_G2_BYTES], const struct g2 *q)
{
    struct g2_affine a;
    g2_to_affine(&a, q);
    memset(out, 0, BLS_G2_BYTES);
    if (a.infinity) return;
    encode_fp(out, &a.x.a);
    encode_fp(out + 64, &a.x.b);
    encode_fp(out + 128, &a.y.a);
    encode_fp(out + 192, &a.y.b);
}

#endif
