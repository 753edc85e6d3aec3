/* vm/curve/pairing.h - the optimal ate pairing e: G1 x G2 -> Fp12, as a test that a product is one.
 *
 * Vercauteren, "Optimal pairings" (2010). Miller's loop walks over LOOP_DIGITS with the running
 * point T in homogeneous coordinates (x/z, y/z), after Costello, Lange, Naehrig, "Faster pairing
 * computations on curves with high-degree twists" (2010), and Aranha et al., "The realm of the
 * pairings" (2013). All pairs of a chunk share the squarings, all chunks the final exponentiation.
 *
 * A line through points of the twist, seen from P of G1, has three coefficients:
 *   D twist (bn254):     of_y yP      + of_x xP w   + free w^3
 *   M twist (BLS12-381): free         + of_x xP w^2 + of_y yP w^3   */
#ifndef LEASEHOLD_VM_CURVE_PAIRING_H
#define LEASEHOLD_VM_CURVE_PAIRING_H

#include "vm/curve/group.h"

#define PAIRS_AT_ONCE 16

struct pair {
    struct g1_affine p;
    struct g2_affine q;
};

struct line {
    struct fp2 of_y, of_x, free;
};

/* T = 2T; the tangent at T. */
static inline void line_double(struct line *out, struct g2 *t)
{
    struct fp2 a, b, c, e, f, g, h, ee;
    fp2_mul(&a, &t->x, &t->y);
    fp2_mul_fp(&a, &a, &FP_HALF);
    fp2_square(&b, &t->y);
    fp2_square(&c, &t->z);
    fp2_double(&e, &c);
    fp2_add(&e, &e, &c);
    fp2_mul(&e, &e, &G2_B); /* 3 b' z^2 */
    fp2_double(&f, &e);
    fp2_add(&f, &f, &e);
    fp2_add(&g, &b, &f);
    fp2_mul_fp(&g, &g, &FP_HALF);
    fp2_add(&h, &t->y, &t->z);
    fp2_square(&h, &h);
    fp2_sub(&h, &h, &b);
    fp2_sub(&h, &h, &c); /* 2 y z */
    fp2_sub(&out->free, &e, &b);
    fp2_neg(&out->of_y, &h);
    fp2_square(&out->of_x, &t->x);
    fp2_double(&c, &out->of_x);
    fp2_add(&out->of_x, &out->of_x, &c);
    fp2_square(&ee, &e);
    fp2_sub(&f, &b, &f);
    fp2_mul(&t->x, &a, &f);
    fp2_square(&g, &g);
    fp2_double(&c, &ee);
    fp2_add(&ee, &ee, &c);
    fp2_sub(&t->y, &g, &ee);
    fp2_mul(&t->z, &b, &h);
}

/* T = T + Q; the line through both. */
static inline void line_add(struct line *out, struct g2 *t, const struct g2_affine *q)
{
    struct fp2 theta, lambda, c, d, e, f, g, h;
    fp2_mul(&c, &q->y, &t->z);
    fp2_sub(&theta, &t->y, &c);
    fp2_mul(&c, &q->x, &t->z);
    fp2_sub(&lambda, &t->x, &c);
    fp2_square(&c, &theta);
    fp2_square(&d, &lambda);
    fp2_mul(&e, &lambda, &d);
    fp2_mul(&f, &t->z, &c);
    fp2_mul(&g, &t->x, &d);
    fp2_add(&h, &e, &f);
    fp2_sub(&h, &h, &g);
    fp2_sub(&h, &h, &g);
    fp2_mul(&t->x, &lambda, &h);
    fp2_sub(&g, &g, &h);
    fp2_mul(&g, &g, &theta);
    fp2_mul(&h, &e, &t->y);
    fp2_sub(&t->y, &g, &h);
    fp2_mul(&t->z, &t->z, &e);
    fp2_mul(&c, &theta, &q->x);
    fp2_mul(&d, &lambda, &q->y);
    fp2_sub(&out->free, &c, &d);
    out->of_y = lambda;
    fp2_neg(&out->of_x, &theta);
}

/* f = f * the line's value at P. */
OUTLINE void line_mul(struct fp12 *f, const struct line *l, const struct g1_affine *p)
{
    struct fp2 of_x, of_y, sum;
    struct fp6 low, high, both;
    fp2_mul_fp(&of_x, &l->of_x, &p->x);
    fp2_mul_fp(&of_y, &l->of_y, &p->y);
    fp6_add(&both, &f->c[0], &f->c[1]);
#ifdef CURVE_BLS12_381 /* (free + of_x v) + of_y v w */
    fp6_mul_01(&low, &f->c[0], &l->free, &of_x);
    fp6_mul_fp2(&high, &f->c[1], &of_y);
    fp6_mul_v(&high, &high);
    fp2_add(&sum, &of_x, &of_y);
    fp6_mul_01(&both, &both, &l->free, &sum);
#else /* of_y + (of_x + free v) w */
    fp6_mul_fp2(&low, &f->c[0], &of_y);
    fp6_mul_01(&high, &f->c[1], &of_x, &l->free);
    fp2_add(&sum, &of_x, &of_y);
    fp6_mul_01(&both, &both, &sum, &l->free);
#endif
    fp6_sub(&both, &both, &low);
    fp6_sub(&f->c[1], &both, &high);
    fp6_mul_v(&high, &high);
    fp6_add(&f->c[0], &low, &high);
}

#ifndef CURVE_BLS12_381
/* bn254's loop ends with T + psi(Q) - psi^2(Q). */
static inline void miller_finish(struct fp12 *f, struct g2 *t, const struct pair *pair)
{
    struct g2_affine q = pair->q;
    struct line line;
    for (int i = 0; i < 2; i++) {
        fp2_conjugate(&q.x, &q.x);
        fp2_conjugate(&q.y, &q.y);
        fp2_mul(&q.x, &q.x, &PSI_X);
        fp2_mul(&q.y, &q.y, &PSI_Y);
        if (i == 1) fp2_neg(&q.y, &q.y);
        line_add(&line, t, &q);
        line_mul(f, &line, &pair->p);
    }
}
#endif

/* The product of the pairs' Miller loops; at most PAIRS_AT_ONCE, none with infinity. */
OUTLINE void miller_loop(struct fp12 *out, const struct pair *pairs, size_t count)
{
    struct g2 t[PAIRS_AT_ONCE];
    struct fp12 f = fp12_one();
    struct line line;
    assert(count <= PAIRS_AT_ONCE);
    for (size_t k = 0; k < count; k++)
        t[k] = g2_from_affine(&pairs[k].q);
    for (int i = DIGITS_OF(LOOP_DIGITS) - 2; i >= 0; i--) {
        fp12_square(&f, &f);
        for (size_t k = 0; k < count; k++) {
            line_double(&line, &t[k]);
            line_mul(&f, &line, &pairs[k].p);
            if (LOOP_DIGITS[i] == 0) continue;
            struct g2_affine q = pairs[k].q;
            if (LOOP_DIGITS[i] < 0) fp2_neg(&q.y, &q.y);
            line_add(&line, &t[k], &q);
            line_mul(&f, &line, &pairs[k].p);
        }
    }
#ifdef CURVE_BLS12_381
    fp12_conjugate(&f, &f); /* x is negative */
#else
    for (size_t k = 0; k < count; k++)
        miller_finish(&f, &t[k], &pairs[k]);
#endif
    *out = f;
}

#ifdef CURVE_BLS12_381

/* f^(3 (p^4 - p^2 + 1) / r) = f^((x-1)^2 (x+p) (x^2+p^2-1)) f^3 (Hayashida, Hayasaka, Teruya,
 * eprint 2020/875). The 3 does no harm: it does not divide r. */
static inline void final_hard(struct fp12 *out, const struct fp12 *f)
{
    struct fp12 m = *f, t, inverse;
    for (int i = 0; i < 2; i++) { /* m^(x-1) = 1 / (m^|x| m) */
        fp12_pow_x(&t, &m);
        fp12_mul(&t, &t, &m);
        fp12_conjugate(&m, &t);
    }
    fp12_pow_x(&t, &m);
    fp12_conjugate(&t, &t);
    fp12_frobenius(&m, &m, 1);
    fp12_mul(&m, &m, &t); /* m^(x+p) */
    fp12_pow_x(&t, &m);
    fp12_pow_x(&t, &t); /* m^(x^2) */
    fp12_conjugate(&inverse, &m);
    fp12_mul(&t, &t, &inverse);
    fp12_frobenius(&m, &m, 2);
    fp12_mul(&m, &m, &t);
    fp12_square_cyclotomic(&t, f);
    fp12_mul(&t, &t, f);
    fp12_mul(out, &m, &t);
}

#else

/* f^(2x (6x^2 + 3x + 1) (p^4 - p^2 + 1) / r), written to the base p (Fuentes-Castaneda, Knapp,
 * Rodriguez-Henriquez, "Faster hashing to G2", 2011):
 *   (1 + 6x + 12x^2 + 12x^3) + (4x + 6x^2 + 12x^3) p + (6x + 6x^2 + 12x^3) p^2
 *   + (-1 + 4x + 6x^2 + 12x^3) p^3.   The factor in front is prime to r. */
static inline void final_hard(struct fp12 *out, const struct fp12 *f)
{
    struct fp12 x2, x6, xx6, xxx12, a, b, r, t;
    fp12_pow_x(&t, f);
    fp12_square_cyclotomic(&x2, &t);
    fp12_square_cyclotomic(&t, &x2);
    fp12_mul(&x6, &t, &x2); /* f^(6x) */
    fp12_pow_x(&xx6, &x6);  /* f^(6x^2) */
    fp12_square_cyclotomic(&t, &xx6);
    fp12_pow_x(&xxx12, &t); /* f^(12x^3) */
    fp12_mul(&a, &x6, &xx6);
    fp12_mul(&a, &a, &xxx12); /* the p^2 digit */
    fp12_conjugate(&t, &x2);
    fp12_mul(&b, &a, &t); /* the p digit */
    fp12_mul(&r, &a, &xx6);
    fp12_mul(&r, &r, f);
    fp12_frobenius(&t, &b, 1);
    fp12_mul(&r, &r, &t);
    fp12_frobenius(&t, &a, 2);
    fp12_mul(&r, &r, &t);
    fp12_conjugate(&t, f);
    fp12_mul(&t, &b, &t);
    fp12_frobenius(&t, &t, 3);
    fp12_mul(out, &r, &t);
}

#endif

/* f^((p^12 - 1) / r), up to a power prime to r: f^((p^6 - 1)(p^2 + 1)), then the hard part. */
OUTLINE void final_exponentiation(struct fp12 *out, const struct fp12 *f)
{
    struct fp12 t, inverse;
    fp12_inverse(&inverse, f);
    fp12_conjugate(&t, f);
    fp12_mul(&t, &t, &inverse);
    fp12_frobenius(&inverse, &t, 2);
    fp12_mul(&t, &t, &inverse);
    final_hard(out, &t);
}

/* A product of pairings, pair by pair: Miller loops run whenever a chunk is full. */
struct pairing {
    struct pair chunk[PAIRS_AT_ONCE];
    size_t used;
    struct fp12 product; /* of the Miller loops so far */
};

static inline struct pairing pairing_begin(void)
{
    return (struct pairing){.product = fp12_one()};
}

OUTLINE void pairing_flush(struct pairing *m)
{
    struct fp12 f;
    if (m->used == 0) return;
    miller_loop(&f, m->chunk, m->used);
    fp12_mul(&m->product, &m->product, &f);
    m->used = 0;
}

/* Points must be in their groups. A pair with infinity counts as 1. */
OUTLINE void pairing_put(struct pairing *m, const struct pair *pair)
{
    if (pair->p.infinity || pair->q.infinity) return;
    m->chunk[m->used++] = *pair;
    if (m->used == PAIRS_AT_ONCE) pairing_flush(m);
}

/* The product of all e(P, Q), up to one fixed power prime to r. */
OUTLINE void pairing_finish(struct fp12 *out, struct pairing *m)
{
    pairing_flush(m);
    final_exponentiation(out, &m->product);
}

OUTLINE bool pairing_is_one(struct pairing *m)
{
    struct fp12 f;
    pairing_finish(&f, m);
    return fp12_is_one(&f);
}

#endif
