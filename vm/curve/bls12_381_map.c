/* Field elements to group elements: the simplified SWU map to an isogenous curve (RFC 9380,
 * section 6.6.2), the isogeny to the curve itself (6.6.3), and the cofactor (7). */
#include "vm/curve/bls12_381_codec.h"
#include "vm/curve/bls12_381_isogeny.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* x^3 + A x + B on the isogenous curve. */
#define SSWU_RIGHT_SIDE(F, out, x, A, B)                                                           \
    do {                                                                                           \
        F##_square(out, x);                                                                        \
        F##_add(out, out, A);                                                                      \
        F##_mul(out, out, x);                                                                      \
        F##_add(out, out, B);                                                                      \
    } while (0)

/* t = Z u^2; x1 = (-B/A)(1 + 1/(t^2 + t)), or B/(ZA) where that divides by zero; x2 = t x1. One of
 * the two is the x of a point; its y takes u's sign. */
#define DEFINE_SSWU(name, F, A, B, Z)                                                              \
    static void name(struct F *x, struct F *y, const struct F *u)                                  \
    {                                                                                              \
        struct F t, s, d, right;                                                                   \
        F##_square(&t, u);                                                                         \
        F##_mul(&t, &t, Z);                                                                        \
        F##_square(&s, &t);                                                                        \
        F##_add(&s, &s, &t);                                                                       \
        if (F##_is_zero(&s)) {                                                                     \
            F##_mul(&d, Z, A);                                                                     \
            F##_inverse(&d, &d);                                                                   \
            F##_mul(x, B, &d);                                                                     \
        } else { /* -B (1 + s) / (A s) */                                                          \
            F##_mul(&d, A, &s);                                                                    \
            F##_inverse(&d, &d);                                                                   \
            right = F##_one();                                                                     \
            F##_add(&s, &s, &right);                                                               \
            F##_mul(&s, &s, B);                                                                    \
            F##_neg(&s, &s);                                                                       \
            F##_mul(x, &s, &d);                                                                    \
        }                                                                                          \
        SSWU_RIGHT_SIDE(F, &right, x, A, B);                                                       \
        if (!F##_sqrt(y, &right)) {                                                                \
            F##_mul(x, x, &t);                                                                     \
            SSWU_RIGHT_SIDE(F, &right, x, A, B);                                                   \
            bool found = F##_sqrt(y, &right);                                                      \
            assert(found); /* Z and the curve are chosen so */                                     \
        }                                                                                          \
        if (F##_is_odd(u) != F##_is_odd(y)) F##_neg(y, y);                                         \
    }

/* Horner's rule, lowest power first. */
#define DEFINE_POLYNOMIAL(name, F)                                                                 \
    static void name(struct F *out, const struct F *c, size_t count, const struct F *x)            \
    {                                                                                              \
        struct F r = c[count - 1];                                                                 \
        for (size_t i = count - 1; i-- > 0;) {                                                     \
            F##_mul(&r, &r, x);                                                                    \
            F##_add(&r, &r, &c[i]);                                                                \
        }                                                                                          \
        *out = r;                                                                                  \
    }

/* (xn/xd, y yn/yd) without dividing: Jacobian z = xd yd, so x = xn xd yd^2 and y = y yn xd^3 yd^2.
 * A zero denominator gives z = 0: infinity, as the RFC has it. */
#define DEFINE_ISOGENY(name, F, group, polynomial, NAME)                                           \
    static void name(struct group *out, const struct F *x, const struct F *y)                      \
    {                                                                                              \
        struct F xn, xd, yn, yd, t;                                                                \
        polynomial(&xn, NAME##_X_NUM, COUNT(NAME##_X_NUM), x);                                     \
        polynomial(&xd, NAME##_X_DEN, COUNT(NAME##_X_DEN), x);                                     \
        polynomial(&yn, NAME##_Y_NUM, COUNT(NAME##_Y_NUM), x);                                     \
        polynomial(&yd, NAME##_Y_DEN, COUNT(NAME##_Y_DEN), x);                                     \
        F##_mul(&out->z, &xd, &yd);                                                                \
        F##_mul(&t, &out->z, &yd); /* xd yd^2 */                                                   \
        F##_mul(&out->x, &xn, &t);                                                                 \
        F##_square(&xd, &xd);                                                                      \
        F##_mul(&t, &t, &xd);                                                                      \
        F##_mul(&t, &t, &yn);                                                                      \
        F##_mul(&out->y, y, &t);                                                                   \
    }

DEFINE_SSWU(sswu_g1, fp, &SSWU_G1_A, &SSWU_G1_B, &SSWU_G1_Z)
DEFINE_SSWU(sswu_g2, fp2, &SSWU_G2_A, &SSWU_G2_B, &SSWU_G2_Z)
DEFINE_POLYNOMIAL(polynomial_fp, fp)
DEFINE_POLYNOMIAL(polynomial_fp2, fp2)
DEFINE_ISOGENY(isogeny_g1, fp, g1, polynomial_fp, ISOGENY_G1)
DEFINE_ISOGENY(isogeny_g2, fp2, g2, polynomial_fp2, ISOGENY_G2)

/* Times 1 - x = 1 + |x| (RFC 9380, 8.8.1). */
static void clear_cofactor_g1(struct g1 *p)
{
    struct g1 t;
    g1_mul_x(&t, p);
    g1_add(p, p, &t);
}

/* (x^2 - x - 1) Q + (x - 1) psi(Q) + psi^2(2Q) (Budroni and Pintore; RFC 9380, appendix G.3). */
static void clear_cofactor_g2(struct g2 *q)
{
    struct g2 t1, t2, sum, negative;
    g2_mul_x(&t1, q);
    g2_neg(&t1, &t1); /* x Q */
    g2_psi(&t2, q);
    g2_double(&sum, q);
    g2_psi(&sum, &sum);
    g2_psi(&sum, &sum); /* psi^2(2Q) */
    g2_neg(&negative, &t2);
    g2_add(&sum, &sum, &negative); /* - psi(Q) */
    g2_add(&t2, &t1, &t2);         /* xQ + psi(Q) */
    g2_mul_x(&t2, &t2);
    g2_neg(&t2, &t2);
    g2_add(&sum, &sum, &t2); /* + x^2 Q + x psi(Q) */
    g2_neg(&t1, &t1);
    g2_add(&sum, &sum, &t1); /* - x Q */
    g2_neg(&negative, q);
    g2_add(q, &sum, &negative); /* - Q */
}

enum status bls_map_to_g1(uint8_t out[BLS_G1_BYTES], const uint8_t in[BLS_FP_BYTES])
{
    struct fp u, x, y;
    struct g1 p;
    if (!decode_fp(&u, in)) return E_RANGE;
    sswu_g1(&x, &y, &u);
    isogeny_g1(&p, &x, &y);
    clear_cofactor_g1(&p);
    encode_g1(out, &p);
    return OK;
}

enum status bls_map_to_g2(uint8_t out[BLS_G2_BYTES], const uint8_t in[2 * BLS_FP_BYTES])
{
    struct fp2 u, x, y;
    struct g2 q;
    if (!decode_fp2(&u, in)) return E_RANGE;
    sswu_g2(&x, &y, &u);
    isogeny_g2(&q, &x, &y);
    clear_cofactor_g2(&q);
    encode_g2(out, &q);
    return OK;
}
