#include "vm/curve/bls12_381.h"

#include "vm/curve/bls12_381_codec.h"
#include "vm/curve/pairing.h"

enum status bls_g1_add(uint8_t out[BLS_G1_BYTES], const uint8_t in[2 * BLS_G1_BYTES])
{
    struct g1_affine p, q;
    enum status status = decode_g1(&p, in);
    if (status == OK) status = decode_g1(&q, in + BLS_G1_BYTES);
    if (status != OK) return status;
    struct g1 sum = g1_from_affine(&p);
    g1_add_affine(&sum, &sum, &q);
    encode_g1(out, &sum);
    return OK;
}

enum status bls_g2_add(uint8_t out[BLS_G2_BYTES], const uint8_t in[2 * BLS_G2_BYTES])
{
    struct g2_affine p, q;
    enum status status = decode_g2(&p, in);
    if (status == OK) status = decode_g2(&q, in + BLS_G2_BYTES);
    if (status != OK) return status;
    struct g2 sum = g2_from_affine(&p);
    g2_add_affine(&sum, &sum, &q);
    encode_g2(out, &sum);
    return OK;
}

static enum status decode_g1_member(struct g1_affine *out, const uint8_t in[BLS_G1_BYTES])
{
    enum status status = decode_g1(out, in);
    if (status != OK) return status;
    return g1_is_in_group(out) ? OK : E_MALFORMED;
}

static enum status decode_g2_member(struct g2_affine *out, const uint8_t in[BLS_G2_BYTES])
{
    enum status status = decode_g2(out, in);
    if (status != OK) return status;
    return g2_is_in_group(out) ? OK : E_MALFORMED;
}

enum status bls_g1_msm(uint8_t out[BLS_G1_BYTES], struct bytes items)
{
    size_t item = BLS_G1_BYTES + BLS_SCALAR_BYTES, count = items.size / item;
    assert(count > 0 && items.size % item == 0);
    struct g1_affine *points = must_alloc(count * sizeof(*points));
    struct scalar *scalars = must_alloc(count * sizeof(*scalars));
    enum status status = OK;
    for (size_t i = 0; i < count && status == OK; i++) {
        status = decode_g1_member(&points[i], items.data + i * item);
        scalar_from_bytes(&scalars[i], items.data + i * item + BLS_G1_BYTES);
    }
    if (status == OK) {
        struct g1 sum;
        g1_msm(&sum, points, scalars, count);
        encode_g1(out, &sum);
    }
    free(points);
    free(scalars);
    return status;
}

enum status bls_g2_msm(uint8_t out[BLS_G2_BYTES], struct bytes items)
{
    size_t item = BLS_G2_BYTES + BLS_SCALAR_BYTES, count = items.size / item;
    assert(count > 0 && items.size % item == 0);
    struct g2_affine *points = must_alloc(count * sizeof(*points));
    struct scalar *scalars = must_alloc(count * sizeof(*scalars));
    enum status status = OK;
    for (size_t i = 0; i < count && status == OK; i++) {
        status = decode_g2_member(&points[i], items.data + i * item);
        scalar_from_bytes(&scalars[i], items.data + i * item + BLS_G2_BYTES);
    }
    if (status == OK) {
        struct g2 sum;
        g2_msm(&sum, points, scalars, count);
        encode_g2(out, &sum);
    }
    free(points);
    free(scalars);
    return status;
}

enum status bls_pairing(bool *is_one, struct bytes pairs)
{
    struct pairing pairing = pairing_begin();
    assert(pairs.size % BLS_PAIR_BYTES == 0);
    for (size_t at = 0; at < pairs.size; at += BLS_PAIR_BYTES) {
        struct pair pair;
        enum status status = decode_g1_member(&pair.p, pairs.data + at);
        if (status == OK) status = decode_g2_member(&pair.q, pairs.data + at + BLS_G1_BYTES);
        if (status != OK) return status;
        pairing_put(&pairing, &pair);
    }
    *is_one = pairing_is_one(&pairing);
    return OK;
}
