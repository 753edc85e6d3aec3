/* vm/curve/group.h - the groups G1 and G2: addition, multiplication, sums of multiples, membership.
 *
 * The arithmetic is in group.inc, once for both: g1_add, g1_add_affine, g1_double, g1_neg, g1_mul,
 * g1_msm, g1_to_affine, g1_from_affine, g1_equal, g1_is_on_curve; the same with g2_. */
#ifndef LEASEHOLD_VM_CURVE_GROUP_H
#define LEASEHOLD_VM_CURVE_GROUP_H

#include "base/fatal.h"
#include "vm/curve/scalar.h"
#include "vm/curve/tower.h"

#include <stdlib.h>

static inline struct fp fp_one(void)
{
    return FP_ONE;
}

#define GROUP   g1
#define FIELD   fp
#define GROUP_B G1_B
#include "vm/curve/group.inc"
#undef GROUP
#undef FIELD
#undef GROUP_B

#define GROUP   g2
#define FIELD   fp2
#define GROUP_B G2_B
#include "vm/curve/group.inc"
#undef GROUP
#undef FIELD
#undef GROUP_B

/* psi: Frobenius carried over to the twist; multiplies G2 by p. */
static inline void g2_psi(struct g2 *out, const struct g2 *q)
{
    fp2_conjugate(&out->x, &q->x);
    fp2_conjugate(&out->y, &q->y);
    fp2_conjugate(&out->z, &q->z);
    fp2_mul(&out->x, &out->x, &PSI_X);
    fp2_mul(&out->y, &out->y, &PSI_Y);
}

#ifdef CURVE_BLS12_381

/* Whether a point of the curve is in G1: phi(P) = -x^2 P, with phi(x, y) = (BETA x, y) (Scott,
 * "A note on group membership tests", eprint 2021/1130). As phi^2 + phi + 1 = 0, it means
 * (x^4 - x^2 + 1) P = r P = 0. */
OUTLINE bool g1_is_in_group(const struct g1_affine *a)
{
    struct g1 p = g1_from_affine(a), t;
    g1_mul_x(&t, &p);
    g1_mul_x(&t, &t);
    g1_neg(&t, &t);
    fp_mul(&p.x, &p.x, &BETA);
    return g1_equal(&t, &p);
}

/* Whether a point of the twist is in G2: psi(Q) = x Q. As psi^2 - t psi + p = 0, such a point is
 * killed by x^2 - t x + p, whose common divisor with the twist's order is r (constants.py). */
OUTLINE bool g2_is_in_group(const struct g2_affine *a)
{
    struct g2 q = g2_from_affine(a), t;
    g2_mul_x(&t, &q);
    g2_neg(&t, &t); /* x is negative */
    g2_psi(&q, &q);
    return g2_equal(&t, &q);
}

#else

/* E(Fp) has prime order: each point of the curve is in G1. */
static inline bool g1_is_in_group(const struct g1_affine *p)
{
    (void)p;
    return true;
}

/* Whether a point of the twist is in G2: (x + 1) Q + psi(x Q) + psi^2(x Q) = psi^3(2x Q) (El
 * Housni, Guillevic, Piellard, eprint 2022/352). The resultant of this polynomial with psi's own,
 * X^2 - t X + p, has the common divisor r with the twist's order (constants.py). */
OUTLINE bool g2_is_in_group(const struct g2_affine *a)
{
    struct g2 q = g2_from_affine(a), xq, sum, right, t;
    g2_mul_x(&xq, &q);
    g2_add(&sum, &xq, &q);
    g2_psi(&t, &xq);
    g2_add(&sum, &sum, &t);
    g2_psi(&t, &t);
    g2_add(&sum, &sum, &t);
    g2_psi(&t, &t);
    g2_double(&right, &t);
    return g2_equal(&sum, &right);
}

#endif

#endif
