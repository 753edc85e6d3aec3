/* vm/curve/field2.h - Fp2 = Fp[u] / (u^2 + 1). Outputs may be inputs. */
#ifndef LEASEHOLD_VM_CURVE_FIELD2_H
#define LEASEHOLD_VM_CURVE_FIELD2_H

#include "vm/curve/inverse.h"

static const struct fp2 FP2_ZERO __attribute__((unused)) = {{{0}}, {{0}}};

static inline struct fp2 fp2_one(void)
{
    return (struct fp2){.a = FP_ONE};
}

static inline bool fp2_is_zero(const struct fp2 *x)
{
    return fp_is_zero(&x->a) && fp_is_zero(&x->b);
}

static inline bool fp2_equal(const struct fp2 *x, const struct fp2 *y)
{
    return fp_equal(&x->a, &y->a) && fp_equal(&x->b, &y->b);
}

static inline void fp2_add(struct fp2 *out, const struct fp2 *x, const struct fp2 *y)
{
    fp_add(&out->a, &x->a, &y->a);
    fp_add(&out->b, &x->b, &y->b);
}

static inline void fp2_sub(struct fp2 *out, const struct fp2 *x, const struct fp2 *y)
{
    fp_sub(&out->a, &x->a, &y->a);
    fp_sub(&out->b, &x->b, &y->b);
}

static inline void fp2_double(struct fp2 *out, const struct fp2 *x)
{
    fp2_add(out, x, x);
}

static inline void fp2_neg(struct fp2 *out, const struct fp2 *x)
{
    fp_neg(&out->a, &x->a);
    fp_neg(&out->b, &x->b);
}

/* a - b u, which is also x^p. */
static inline void fp2_conjugate(struct fp2 *out, const struct fp2 *x)
{
    out->a = x->a;
    fp_neg(&out->b, &x->b);
}

/* Karatsuba: three products. */
OUTLINE void fp2_mul(struct fp2 *out, const struct fp2 *x, const struct fp2 *y)
{
    struct fp aa, bb, sx, sy;
    fp_add(&sx, &x->a, &x->b);
    fp_add(&sy, &y->a, &y->b);
    fp_mul(&aa, &x->a, &y->a);
    fp_mul(&bb, &x->b, &y->b);
    fp_mul(&sx, &sx, &sy);
    fp_sub(&out->a, &aa, &bb);
    fp_sub(&sx, &sx, &aa);
    fp_sub(&out->b, &sx, &bb);
}

/* (a + b)(a - b) + 2ab u. */
OUTLINE void fp2_square(struct fp2 *out, const struct fp2 *x)
{
    struct fp sum, difference, product;
    fp_add(&sum, &x->a, &x->b);
    fp_sub(&difference, &x->a, &x->b);
    fp_mul(&product, &x->a, &x->b);
    fp_mul(&out->a, &sum, &difference);
    fp_double(&out->b, &product);
}

static inline void fp2_mul_fp(struct fp2 *out, const struct fp2 *x, const struct fp *k)
{
    fp_mul(&out->a, &x->a, k);
    fp_mul(&out->b, &x->b, k);
}

/* Times xi: 1 + u, or 9 + u. */
static inline void fp2_mul_xi(struct fp2 *out, const struct fp2 *x)
{
    struct fp2 t = *x;
#ifndef CURVE_BLS12_381
    fp2_double(&t, &t);
    fp2_double(&t, &t);
    fp2_double(&t, &t);
    fp2_add(&t, &t, x);
#endif
    struct fp b = x->b;
    fp_add(&out->b, &t.b, &x->a);
    fp_sub(&out->a, &t.a, &b);
}

/* (a - b u) / (a^2 + b^2); x must not be 0. */
OUTLINE void fp2_inverse(struct fp2 *out, const struct fp2 *x)
{
    struct fp aa, bb;
    fp_square(&aa, &x->a);
    fp_square(&bb, &x->b);
    fp_add(&aa, &aa, &bb);
    fp_inverse(&aa, &aa);
    fp_mul(&out->a, &x->a, &aa);
    fp_mul(&bb, &x->b, &aa);
    fp_neg(&out->b, &bb);
}

/* The complex method: with n = sqrt(a^2 + b^2), the root's real part squares to (a + n) / 2 or
 * (a - n) / 2. False: x is no square. */
OUTLINE bool fp2_sqrt(struct fp2 *out, const struct fp2 *x)
{
    struct fp norm, t;
    struct fp2 r, check;
    fp_square(&norm, &x->a);
    fp_square(&t, &x->b);
    fp_add(&norm, &norm, &t);
    if (!fp_sqrt(&norm, &norm)) return false;
    fp_add(&t, &x->a, &norm);
    fp_mul(&t, &t, &FP_HALF);
    if (!fp_sqrt(&r.a, &t)) {
        fp_sub(&t, &x->a, &norm);
        fp_mul(&t, &t, &FP_HALF);
        if (!fp_sqrt(&r.a, &t)) return false;
    }
    if (fp_is_zero(&r.a)) { /* x = a = -(b')^2: the root is purely imaginary, or 0 */
        fp_neg(&t, &x->a);
        if (!fp_sqrt(&r.b, &t)) return false;
    } else {
        fp_double(&t, &r.a);
        fp_inverse(&t, &t);
        fp_mul(&r.b, &x->b, &t);
    }
    fp2_square(&check, &r);
    if (!fp2_equal(&check, x)) return false;
    *out = r;
    return true;
}

/* RFC 9380, section 4.1 (m = 2): the sign is the real part's parity, or the other's if that is 0.
 */
static inline bool fp2_is_odd(const struct fp2 *x)
{
    return fp_is_zero(&x->a) ? fp_is_odd(&x->b) : fp_is_odd(&x->a);
}

#endif
