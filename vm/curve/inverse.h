/* vm/curve/inverse.h - 1/a in Fp by division steps.
 *
 * Bernstein and Yang, "Fast constant-time gcd computation and modular inversion" (2019), in the
 * variable-time form that libsecp256k1's doc/safegcd_implementation.md explains. f and g start as p
 * and a; a division step halves g, or swaps and subtracts first. 62 steps look only at the lowest
 * limbs and give a 2x2 matrix t with t (f, g) = 2^62 (f', g'); the same matrix is applied to (d,
 * e), which keep f = d a and g = e a (mod p). At the end g = 0, f = +-1 and d = +-1/a. Numbers are
 * in limbs of 62 bits, the highest signed. */
#ifndef LEASEHOLD_VM_CURVE_INVERSE_H
#define LEASEHOLD_VM_CURVE_INVERSE_H

#include "vm/curve/field.h"

#include <assert.h>

#define LIMBS_62 (64 * FP_LIMBS / 62 + 1)
#define MASK_62  ((INT64_C(1) << 62) - 1)

struct signed_62 {
    int64_t limb[LIMBS_62];
};

struct steps {
    int64_t u, v, q, r; /* f' = (u f + v g) / 2^62, g' = (q f + r g) / 2^62 */
};

/* All ones for a negative limb, else 0. */
static inline int64_t sign_62(int64_t limb)
{
    return limb < 0 ? -1 : 0;
}

static inline void to_62(struct signed_62 *out, const struct fp *a)
{
    for (int i = 0; i < LIMBS_62; i++) {
        int word = 62 * i / 64, shift = 62 * i % 64;
        uint64_t low = word < FP_LIMBS ? a->limb[word] >> shift : 0;
        if (shift > 2 && word + 1 < FP_LIMBS) low |= a->limb[word + 1] << (64 - shift);
        out->limb[i] = (int64_t)(low & (uint64_t)MASK_62);
    }
}

static inline void from_62(struct fp *out, const struct signed_62 *a)
{
    *out = FP_ZERO;
    for (int i = 0; i < LIMBS_62; i++) {
        int word = 62 * i / 64, shift = 62 * i % 64;
        uint64_t limb = (uint64_t)a->limb[i];
        if (word < FP_LIMBS) out->limb[word] |= limb << shift;
        if (shift > 2 && word + 1 < FP_LIMBS) out->limb[word + 1] |= limb >> (64 - shift);
    }
}

/* 62 division steps on the lowest limbs. While eta >= 0 several bits of g are cleared at once by
 * adding a multiple of f: by up to 6 bits after a swap, by up to 4 else. */
static inline int64_t divide_62(struct steps *t, int64_t eta, uint64_t f, uint64_t g)
{
    uint64_t u = 1, v = 0, q = 0, r = 1, w;
    int left = 62;
    for (;;) {
        int zeros = __builtin_ctzll(g | UINT64_MAX << left);
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        eta -= zeros;
        left -= zeros;
        if (left == 0) break;
        bool swapped = eta < 0;
        if (swapped) {
            uint64_t old_f = f, old_u = u, old_v = v;
            eta = -eta;
            f = g, g = 0 - old_f;
            u = q, q = 0 - old_u;
            v = r, r = 0 - old_v;
        }
        int bits = eta + 1 > left ? left : (int)eta + 1;
        uint64_t mask = UINT64_MAX >> (64 - bits);
        if (swapped)
            w = f * g * (f * f - 2) & mask & 63; /* -g/f mod 64 */
        else
            w = (0 - (f + (((f + 1) & 4) << 1))) * g & mask & 15; /* -g/f mod 16 */
        g += f * w;
        q += u * w;
        r += v * w;
    }
    *t = (struct steps){(int64_t)u, (int64_t)v, (int64_t)q, (int64_t)r};
    return eta;
}

/* (d, e) = t (d, e) / 2^62 mod p; both stay in (-2p, p). */
static inline void update_de(struct signed_62 *d, struct signed_62 *e, const struct steps *t,
                             const struct signed_62 *p)
{
    int64_t d_sign = sign_62(d->limb[LIMBS_62 - 1]), e_sign = sign_62(e->limb[LIMBS_62 - 1]);
    int64_t md = (t->u & d_sign) + (t->v & e_sign), me = (t->q & d_sign) + (t->r & e_sign);
    i128 cd = (i128)t->u * d->limb[0] + (i128)t->v * e->limb[0];
    i128 ce = (i128)t->q * d->limb[0] + (i128)t->r * e->limb[0];
    /* The multiples of p that make the lowest 62 bits vanish. */
    md -= (int64_t)((FP_INVERSE_62 * (uint64_t)cd + (uint64_t)md) & (uint64_t)MASK_62);
    me -= (int64_t)((FP_INVERSE_62 * (uint64_t)ce + (uint64_t)me) & (uint64_t)MASK_62);
    cd = (cd + (i128)p->limb[0] * md) >> 62;
    ce = (ce + (i128)p->limb[0] * me) >> 62;
    UNROLL for (int i = 1; i < LIMBS_62; i++)
    {
        int64_t di = d->limb[i], ei = e->limb[i];
        cd += (i128)t->u * di + (i128)t->v * ei + (i128)p->limb[i] * md;
        ce += (i128)t->q * di + (i128)t->r * ei + (i128)p->limb[i] * me;
        d->limb[i - 1] = (int64_t)cd & MASK_62;
        e->limb[i - 1] = (int64_t)ce & MASK_62;
        cd >>= 62;
        ce >>= 62;
    }
    d->limb[LIMBS_62 - 1] = (int64_t)cd;
    e->limb[LIMBS_62 - 1] = (int64_t)ce;
}

static inline void update_fg(struct signed_62 *f, struct signed_62 *g, const struct steps *t,
                             int count)
{
    i128 cf = ((i128)t->u * f->limb[0] + (i128)t->v * g->limb[0]) >> 62;
    i128 cg = ((i128)t->q * f->limb[0] + (i128)t->r * g->limb[0]) >> 62;
    for (int i = 1; i < count; i++) {
        int64_t fi = f->limb[i], gi = g->limb[i];
        cf += (i128)t->u * fi + (i128)t->v * gi;
        cg += (i128)t->q * fi + (i128)t->r * gi;
        f->limb[i - 1] = (int64_t)cf & MASK_62;
        g->limb[i - 1] = (int64_t)cg & MASK_62;
        cf >>= 62;
        cg >>= 62;
    }
    f->limb[count - 1] = (int64_t)cf;
    g->limb[count - 1] = (int64_t)cg;
}

/* f and g shrink: when both top limbs are mere signs they are folded into the limbs below. */
static inline int drop_limb(struct signed_62 *f, struct signed_62 *g, int count)
{
    int64_t fn = f->limb[count - 1], gn = g->limb[count - 1];
    if (count < 2 || fn != sign_62(fn) || gn != sign_62(gn)) return count;
    f->limb[count - 2] = (int64_t)((uint64_t)f->limb[count - 2] | (uint64_t)fn << 62);
    g->limb[count - 2] = (int64_t)((uint64_t)g->limb[count - 2] | (uint64_t)gn << 62);
    return count - 1;
}

/* a = (negate ? -a : a) + (add ? p : 0), limbs normalised. */
static inline void adjust_62(struct signed_62 *a, bool negate, bool add, const struct signed_62 *p)
{
    int64_t carry = 0;
    for (int i = 0; i < LIMBS_62; i++) {
        int64_t limb = (negate ? -a->limb[i] : a->limb[i]) + (add ? p->limb[i] : 0) + carry;
        bool top = i == LIMBS_62 - 1;
        a->limb[i] = top ? limb : limb & MASK_62;
        carry = top ? 0 : limb >> 62;
    }
}

static inline bool is_zero_62(const struct signed_62 *a, int count)
{
    int64_t any = 0;
    for (int i = 0; i < count; i++)
        any |= a->limb[i];
    return any == 0;
}

/* 1/a; a must not be 0. */
OUTLINE void fp_inverse(struct fp *out, const struct fp *a)
{
    struct signed_62 p, d = {{0}}, e = {{1}}, f, g;
    struct fp r;
    int64_t eta = -1;
    int count = LIMBS_62;
    assert(!fp_is_zero(a));
    to_62(&p, &FP_MODULUS);
    to_62(&g, a);
    f = p;
    while (!is_zero_62(&g, count)) {
        struct steps t;
        eta = divide_62(&t, eta, (uint64_t)f.limb[0], (uint64_t)g.limb[0]);
        update_de(&d, &e, &t, &p);
        update_fg(&f, &g, &t, count);
        count = drop_limb(&f, &g, count);
    }
    bool negative = f.limb[count - 1] < 0; /* f is 1 or -1 */
    adjust_62(&d, false, d.limb[LIMBS_62 - 1] < 0, &p);
    adjust_62(&d, negative, false, &p);
    adjust_62(&d, false, d.limb[LIMBS_62 - 1] < 0, &p);
    from_62(&r, &d);
    assert(fp_less(&r, &FP_MODULUS));
    fp_mul(out, &r, &FP_R3); /* 1/(aR) to R/a */
}

#endif
