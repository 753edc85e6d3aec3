#include "vm/curve/bn254.h"

#include "vm/curve/pairing.h"

static bool all_zero(const uint8_t *in, size_t size)
{
    uint8_t any = 0;
    for (size_t i = 0; i < size; i++)
        any |= in[i];
    return any == 0;
}

static enum status decode_g1(struct g1_affine *out, const uint8_t in[64])
{
    struct g1_affine p = {.infinity = all_zero(in, 64)};
    if (!fp_from_bytes(&p.x, in) || !fp_from_bytes(&p.y, in + 32)) return E_RANGE;
    if (!g1_is_on_curve(&p)) return E_MALFORMED;
    *out = p;
    return OK;
}

static void encode_g1(uint8_t out[64], const struct g1 *p)
{
    struct g1_affine a;
    g1_to_affine(&a, p);
    memset(out, 0, 64);
    if (a.infinity) return;
    fp_to_bytes(out, &a.x);
    fp_to_bytes(out + 32, &a.y);
}

static bool decode_fp2(struct fp2 *out, const uint8_t in[64])
{
    return fp_from_bytes(&out->b, in) && fp_from_bytes(&out->a, in + 32);
}

static enum status decode_g2(struct g2_affine *out, const uint8_t in[128])
{
    struct g2_affine q = {.infinity = all_zero(in, 128)};
    if (!decode_fp2(&q.x, in) || !decode_fp2(&q.y, in + 64)) return E_RANGE;
    if (!g2_is_on_curve(&q) || !g2_is_in_group(&q)) return E_MALFORMED;
    *out = q;
    return OK;
}

enum status bn254_add(uint8_t out[64], const uint8_t points[128])
{
    struct g1_affine p, q;
    enum status status = decode_g1(&p, points);
    if (status == OK) status = decode_g1(&q, points + 64);
    if (status != OK) return status;
    struct g1 sum = g1_from_affine(&p);
    g1_add_affine(&sum, &sum, &q);
    encode_g1(out, &sum);
    return OK;
}

enum status bn254_mul(uint8_t out[64], const uint8_t input[96])
{
    struct g1_affine p;
    struct scalar scalar;
    enum status status = decode_g1(&p, input);
    if (status != OK) return status;
    scalar_from_bytes(&scalar, input + 64);
    struct g1 r = g1_from_affine(&p);
    g1_mul(&r, &r, &scalar);
    encode_g1(out, &r);
    return OK;
}

enum status bn254_pairing(bool *is_one, struct bytes pairs)
{
    struct pairing pairing = pairing_begin();
    assert(pairs.size % BN254_PAIR_BYTES == 0);
    for (size_t at = 0; at < pairs.size; at += BN254_PAIR_BYTES) {
        struct pair pair;
        enum status status = decode_g1(&pair.p, pairs.data + at);
        if (status == OK) status = decode_g2(&pair.q, pairs.data + at + 64);
        if (status != OK) return status;
        pairing_put(&pairing, &pair);
    }
    *is_one = pairing_is_one(&pairing);
    return OK;
}
