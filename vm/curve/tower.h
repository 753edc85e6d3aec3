/* vm/curve/tower.h - Fp6 = Fp2[v] / (v^3 - xi) and Fp12 = Fp6[w] / (w^2 - v).
 *
 * Products by Karatsuba; squares in the cyclotomic subgroup after Granger and Scott, "Faster
 * squaring in the cyclotomic subgroup of sixth degree extensions" (2009). Outputs may be inputs. */
#ifndef LEASEHOLD_VM_CURVE_TOWER_H
#define LEASEHOLD_VM_CURVE_TOWER_H

#include "vm/curve/field2.h"

#define DIGITS_OF(array) (int)(sizeof(array) / sizeof((array)[0]))

static inline void fp6_add(struct fp6 *out, const struct fp6 *x, const struct fp6 *y)
{
    for (int i = 0; i < 3; i++)
        fp2_add(&out->c[i], &x->c[i], &y->c[i]);
}

static inline void fp6_sub(struct fp6 *out, const struct fp6 *x, const struct fp6 *y)
{
    for (int i = 0; i < 3; i++)
        fp2_sub(&out->c[i], &x->c[i], &y->c[i]);
}

static inline void fp6_neg(struct fp6 *out, const struct fp6 *x)
{
    for (int i = 0; i < 3; i++)
        fp2_neg(&out->c[i], &x->c[i]);
}

/* Times v: (c0, c1, c2) becomes (xi c2, c0, c1). */
static inline void fp6_mul_v(struct fp6 *out, const struct fp6 *x)
{
    struct fp2 top = x->c[2];
    out->c[2] = x->c[1];
    out->c[1] = x->c[0];
    fp2_mul_xi(&out->c[0], &top);
}

/* (x_i + x_j)(y_i + y_j) - x_i y_i - x_j y_j, given the two products. */
static inline void fp6_cross(struct fp2 *out, const struct fp6 *x, const struct fp6 *y,
                             const struct fp2 products[3], int i, int j)
{
    struct fp2 sx, sy;
    fp2_add(&sx, &x->c[i], &x->c[j]);
    fp2_add(&sy, &y->c[i], &y->c[j]);
    fp2_mul(&sx, &sx, &sy);
    fp2_sub(&sx, &sx, &products[i]);
    fp2_sub(out, &sx, &products[j]);
}

OUTLINE void fp6_mul(struct fp6 *out, const struct fp6 *x, const struct fp6 *y)
{
    struct fp2 products[3], cross01, cross02, cross12;
    for (int i = 0; i < 3; i++)
        fp2_mul(&products[i], &x->c[i], &y->c[i]);
    fp6_cross(&cross01, x, y, products, 0, 1);
    fp6_cross(&cross02, x, y, products, 0, 2);
    fp6_cross(&cross12, x, y, products, 1, 2);
    fp2_mul_xi(&cross12, &cross12);
    fp2_add(&out->c[0], &products[0], &cross12);
    fp2_add(&out->c[2], &products[1], &cross02);
    fp2_mul_xi(&products[2], &products[2]);
    fp2_add(&out->c[1], &cross01, &products[2]);
}

/* Times k0 + k1 v. */
OUTLINE void fp6_mul_01(struct fp6 *out, const struct fp6 *x, const struct fp2 *k0,
                        const struct fp2 *k1)
{
    struct fp2 p0, p1, t0, t1, t2, sum;
    fp2_mul(&p0, &x->c[0], k0);
    fp2_mul(&p1, &x->c[1], k1);
    fp2_mul(&t0, &x->c[2], k1);
    fp2_mul_xi(&t0, &t0);
    fp2_add(&sum, k0, k1);
    fp2_add(&t1, &x->c[0], &x->c[1]);
    fp2_mul(&t1, &t1, &sum);
    fp2_sub(&t1, &t1, &p0);
    fp2_mul(&t2, &x->c[2], k0);
    fp2_add(&out->c[0], &p0, &t0);
    fp2_sub(&out->c[1], &t1, &p1);
    fp2_add(&out->c[2], &p1, &t2);
}

static inline void fp6_mul_fp2(struct fp6 *out, const struct fp6 *x, const struct fp2 *k)
{
    for (int i = 0; i < 3; i++)
        fp2_mul(&out->c[i], &x->c[i], k);
}

/* x must not be 0. */
OUTLINE void fp6_inverse(struct fp6 *out, const struct fp6 *x)
{
    struct fp6 adjoint;
    struct fp2 t, norm;
    const struct fp2 *c = x->c;
    fp2_mul(&t, &c[1], &c[2]);
    fp2_mul_xi(&t, &t);
    fp2_square(&adjoint.c[0], &c[0]);
    fp2_sub(&adjoint.c[0], &adjoint.c[0], &t); /* c0^2 - xi c1 c2 */
    fp2_square(&t, &c[2]);
    fp2_mul_xi(&adjoint.c[1], &t);
    fp2_mul(&t, &c[0], &c[1]);
    fp2_sub(&adjoint.c[1], &adjoint.c[1], &t); /* xi c2^2 - c0 c1 */
    fp2_square(&adjoint.c[2], &c[1]);
    fp2_mul(&t, &c[0], &c[2]);
    fp2_sub(&adjoint.c[2], &adjoint.c[2], &t); /* c1^2 - c0 c2 */
    fp2_mul(&norm, &c[1], &adjoint.c[2]);
    fp2_mul(&t, &c[2], &adjoint.c[1]);
    fp2_add(&norm, &norm, &t);
    fp2_mul_xi(&norm, &norm);
    fp2_mul(&t, &c[0], &adjoint.c[0]);
    fp2_add(&norm, &norm, &t);
    fp2_inverse(&norm, &norm);
    fp6_mul_fp2(out, &adjoint, &norm);
}

static inline struct fp12 fp12_one(void)
{
    return (struct fp12){.c[0].c[0].a = FP_ONE};
}

static inline bool fp12_equal(const struct fp12 *x, const struct fp12 *y)
{
    for (int i = 0; i < 6; i++) {
        if (!fp2_equal(&x->c[i / 3].c[i % 3], &y->c[i / 3].c[i % 3])) return false;
    }
    return true;
}

static inline bool fp12_is_one(const struct fp12 *x)
{
    struct fp12 one = fp12_one();
    return fp12_equal(x, &one);
}

/* x^(p^6): the inverse of what lies in the cyclotomic subgroup. */
static inline void fp12_conjugate(struct fp12 *out, const struct fp12 *x)
{
    out->c[0] = x->c[0];
    fp6_neg(&out->c[1], &x->c[1]);
}

OUTLINE void fp12_mul(struct fp12 *out, const struct fp12 *x, const struct fp12 *y)
{
    struct fp6 low, high, sx, sy;
    fp6_add(&sx, &x->c[0], &x->c[1]);
    fp6_add(&sy, &y->c[0], &y->c[1]);
    fp6_mul(&low, &x->c[0], &y->c[0]);
    fp6_mul(&high, &x->c[1], &y->c[1]);
    fp6_mul(&sx, &sx, &sy);
    fp6_sub(&sx, &sx, &low);
    fp6_sub(&out->c[1], &sx, &high);
    fp6_mul_v(&high, &high);
    fp6_add(&out->c[0], &low, &high);
}

/* (a + b)(a + v b) - (1 + v) ab + 2ab w. */
OUTLINE void fp12_square(struct fp12 *out, const struct fp12 *x)
{
    struct fp6 product, s, t;
    fp6_mul(&product, &x->c[0], &x->c[1]);
    fp6_mul_v(&t, &x->c[1]);
    fp6_add(&t, &t, &x->c[0]);
    fp6_add(&s, &x->c[0], &x->c[1]);
    fp6_mul(&s, &s, &t);
    fp6_mul_v(&t, &product);
    fp6_sub(&s, &s, &product);
    fp6_sub(&out->c[0], &s, &t);
    fp6_add(&out->c[1], &product, &product);
}

/* (a - b w) / (a^2 - v b^2); x must not be 0. */
OUTLINE void fp12_inverse(struct fp12 *out, const struct fp12 *x)
{
    struct fp6 aa, bb;
    fp6_mul(&aa, &x->c[0], &x->c[0]);
    fp6_mul(&bb, &x->c[1], &x->c[1]);
    fp6_mul_v(&bb, &bb);
    fp6_sub(&aa, &aa, &bb);
    fp6_inverse(&aa, &aa);
    fp6_mul(&out->c[0], &x->c[0], &aa);
    fp6_mul(&bb, &x->c[1], &aa);
    fp6_neg(&out->c[1], &bb);
}

/* x^(p^power), power 1 to 3. */
OUTLINE void fp12_frobenius(struct fp12 *out, const struct fp12 *x, int power)
{
    for (int i = 0; i < 6; i++) { /* the coefficient of w^i */
        const struct fp2 *from = &x->c[i & 1].c[i >> 1];
        struct fp2 *to = &out->c[i & 1].c[i >> 1], t = *from;
        if (power & 1) fp2_conjugate(&t, &t);
        fp2_mul(to, &t, &FROBENIUS[power - 1][i]);
    }
}

/* (x + y s)^2 in Fp4 = Fp2[s] / (s^2 - xi): out[0] + out[1] s. */
static inline void fp4_square(struct fp2 out[2], const struct fp2 *x, const struct fp2 *y)
{
    struct fp2 xx, yy, sum;
    fp2_square(&xx, x);
    fp2_square(&yy, y);
    fp2_add(&sum, x, y);
    fp2_square(&sum, &sum);
    fp2_sub(&sum, &sum, &xx);
    fp2_sub(&out[1], &sum, &yy);
    fp2_mul_xi(&yy, &yy);
    fp2_add(&out[0], &xx, &yy);
}

/* 3 t - 2 x and 3 t + 2 x. */
static inline void triple_minus(struct fp2 *out, const struct fp2 *t, const struct fp2 *x)
{
    struct fp2 d;
    fp2_sub(&d, t, x);
    fp2_double(&d, &d);
    fp2_add(out, &d, t);
}

static inline void triple_plus(struct fp2 *out, const struct fp2 *t, const struct fp2 *x)
{
    struct fp2 s;
    fp2_add(&s, t, x);
    fp2_double(&s, &s);
    fp2_add(out, &s, t);
}

/* x^2 for x in the cyclotomic subgroup (of order p^4 - p^2 + 1) only. */
OUTLINE void fp12_square_cyclotomic(struct fp12 *out, const struct fp12 *x)
{
    struct fp2 s[2], t[2], u[2], xi_u;
    const struct fp2 *c0 = x->c[0].c, *c1 = x->c[1].c;
    fp4_square(s, &c0[0], &c1[1]);
    fp4_square(t, &c1[0], &c0[2]);
    fp4_square(u, &c0[1], &c1[2]);
    fp2_mul_xi(&xi_u, &u[1]);
    triple_minus(&out->c[0].c[0], &s[0], &c0[0]);
    triple_minus(&out->c[0].c[1], &t[0], &c0[1]);
    triple_minus(&out->c[0].c[2], &u[0], &c0[2]);
    triple_plus(&out->c[1].c[0], &xi_u, &c1[0]);
    triple_plus(&out->c[1].c[1], &s[1], &c1[1]);
    triple_plus(&out->c[1].c[2], &t[1], &c1[2]);
}

/* x^|X| for the curve's parameter X and x in the cyclotomic subgroup. */
OUTLINE void fp12_pow_x(struct fp12 *out, const struct fp12 *x)
{
    struct fp12 r = *x, inverse;
    fp12_conjugate(&inverse, x);
    for (int i = DIGITS_OF(CURVE_X_DIGITS) - 2; i >= 0; i--) {
        fp12_square_cyclotomic(&r, &r);
        if (CURVE_X_DIGITS[i] != 0) fp12_mul(&r, &r, CURVE_X_DIGITS[i] > 0 ? x : &inverse);
    }
    *out = r;
}

#endif
