/* prelude_special.h - inverse roots, hyperbolic functions and erf; goes with prelude_math.h. */
#ifndef LEASEHOLD_PRELUDE_SPECIAL_H
#define LEASEHOLD_PRELUDE_SPECIAL_H

/* ---- the rest ---- */

static inline float rsqrtf(float x)
{
    return (float)(1.0 / sqrt((double)x));
}
static inline double rsqrt(double x)
{
    return 1.0 / sqrt(x);
}
static inline float hypotf(float x, float y)
{
    if (isinf(x) || isinf(y)) return INFINITY;
    return (float)sqrt((double)x * x + (double)y * y);
}
static inline float tanhf(float x)
{
    double a = fabs((double)x);
    if (a < 0x1p-12) return (float)((double)x - (double)x * (double)x * (double)x / 3.0);
    double e = lh_exp_wide(-2.0 * a);
    if (a < 0.1) { /* 1 - e would lose bits */
        double r = -2.0 * a, p = 0.0;
        for (int n = 12; n >= 2; n--) p = (p + 1.0) * r / n;
        double lost = r * p + r;
        return (float)copysign(-lost / (1.0 + e), (double)x);
    }
    return (float)copysign((1.0 - e) / (1.0 + e), (double)x);
}
static inline float sinhf(float x)
{
    double a = fabs((double)x);
    if (a < 0.5) {
        double z = a * a;
        double p = 1.0 + z / 110;
        p = 1.0 + z / 72 * p;
        p = 1.0 + z / 42 * p;
        p = 1.0 + z / 20 * p;
        return (float)copysign(a + a * (z / 6 * p), (double)x);
    }
    double e = lh_exp_wide(a);
    return (float)copysign(0.5 * e - 0.5 / e, (double)x);
}
static inline float coshf(float x)
{
    double e = lh_exp_wide(fabs((double)x));
    return (float)(0.5 * e + 0.5 / e);
}
/* A power series below 1, a polynomial in (|x| - 2.5) / 1.5 up to 4, 1 beyond. */
static constexpr double lh_erf_near[18] = {
    0x1.20dd750429b6dp+0, -0x1.812746b0379e7p-2, 0x1.ce2f21a042be2p-4, -0x1.b82ce31288b51p-6,
    0x1.565bcd0e6a53fp-8, -0x1.c02db40040b86p-11, 0x1.f9a326f9b89b7p-14, -0x1.f4d25c3e0c2ebp-17,
    0x1.b9e6c9dc651a3p-20, -0x1.5f742ec43e71ap-23, 0x1.fcc5720624c1cp-27, -0x1.51d7181c5d36dp-30,
    0x1.9e6ad5e55a730p-34, -0x1.d8453cb0c46eap-38, 0x1.f683ae4a97007p-42, -0x1.f56f071a885cfp-46,
    0x1.d70b3537f4765p-50, -0x1.a2007af3447f6p-54};
static constexpr double lh_erf_far[27] = {
    0x1.ffcaa8f4c9beap-1, 0x1.ac44a2979f44ap-9, -0x1.9180586e25612p-7, 0x1.cdb9ff4b75e3ep-6,
    -0x1.65964ec213eb4p-5, 0x1.7c8c499364911p-5, -0x1.0521f9845f5ecp-5, 0x1.2fae21f137bb4p-7,
    0x1.b5d367ac7eb48p-8, -0x1.3b4999a65f9f5p-7, 0x1.29cd06acaf3f6p-8, 0x1.d1ec026615ce5p-12,
    -0x1.dee429e1078c4p-10, 0x1.dea6212bca8d2p-11, 0x1.bbfc471799243p-15, -0x1.26702a6aff5b4p-12,
    0x1.edfe5bf1bb680p-14, 0x1.29bdd8af60ee5p-16, -0x1.27399cfbbc8d2p-15, 0x1.4be28b46eac58p-17,
    0x1.060d50999d206p-18, -0x1.c5a33347b9a3ap-19, 0x1.3a76448527f12p-22, 0x1.16d19d4294f96p-21,
    -0x1.545f101873287p-23, -0x1.3968ade504c85p-25, 0x1.35fdab0b51644p-26};
static inline float erff(float x)
{
    double a = fabs((double)x), p = 0.0;
    if (a != a) return x;
    if (a >= 4.0) return copysignf(1.0f, x);
    if (a < 1.0) {
        for (int n = 17; n >= 0; n--) p = p * (a * a) + lh_erf_near[n];
        p = p * a;
    } else {
        double t = (a - 2.5) / 1.5;
        for (int n = 26; n >= 0; n--) p = p * t + lh_erf_far[n];
    }
    return (float)copysign(p, (double)x);
}

#endif
