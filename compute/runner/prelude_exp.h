/* prelude_exp.h - exponentials, logarithms, powers and the cube root; goes with prelude_math.h. */
#ifndef LEASEHOLD_PRELUDE_EXP_H
#define LEASEHOLD_PRELUDE_EXP_H

/* ---- exp and log ---- */

/* The nearest integer, halves to even, for |x| < 2^51. */
static inline double lh_nearest(double x)
{
    return (x + 0x1.8p52) - 0x1.8p52;
}
/* e^r for |r| <= 0.35, relative error below 2^-41: enough for float. */
static inline double lh_exp_core(double r)
{
    double p = 1.0 / 3628800;
    p = p * r + 1.0 / 362880;
    p = p * r + 1.0 / 40320;
    p = p * r + 1.0 / 5040;
    p = p * r + 1.0 / 720;
    p = p * r + 1.0 / 120;
    p = p * r + 1.0 / 24;
    p = p * r + 1.0 / 6;
    p = p * r + 0.5;
    p = p * r + 1.0;
    return p * r + 1.0;
}
/* e^x as a double good to about 2^-40, for what will be rounded to float; x may be anything. */
static inline double lh_exp_wide(double x)
{
    if (x != x) return x;
    if (x > 709.0) return __builtin_inf();
    if (x < -708.0) return 0.0;
    double n = lh_nearest(x * 1.4426950408889634);
    double r = (x - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
    return lh_exp_core(r) * lh_power_of_two((int)n);
}
static inline float expf(float x)
{
    return (float)lh_exp_wide(x);
}
static inline float exp2f(float x)
{
    if (x != x || x > 1000.0f || x < -1000.0f) return x != x ? x : x > 0 ? INFINITY : 0.0f;
    double n = lh_nearest(x);
    return (float)(lh_exp_core(((double)x - n) * 0.6931471805599453) * lh_power_of_two((int)n));
}
static inline float exp10f(float x)
{
    return (float)lh_exp_wide((double)x * 2.302585092994046);
}
static inline float expm1f(float x)
{
    double r = x;
    if (fabs(r) >= 0.3) return (float)(lh_exp_wide(r) - 1.0);
    double p = 0.0;
    for (int n = 12; n >= 2; n--) p = (p + 1.0) * r / n;
    return (float)(r * p + r);
}
/* fdlibm e_exp.c */
static inline double exp(double x)
{
    if (x != x) return x;
    if (x > 7.09782712893383973096e+02) return __builtin_inf();
    if (x < -7.45133219101941108420e+02) return 0.0;
    double n = lh_nearest(x * 1.4426950408889634);
    double hi = x - n * 6.93147180369123816490e-01;
    double lo = n * 1.90821492927058770002e-10;
    double r = hi - lo;
    double t = r * r;
    double c = r - t * (1.66666666666666019037e-01 +
                        t * (-2.77777777770155933842e-03 +
                             t * (6.61375632143793436117e-05 +
                                  t * (-1.65339022054652515390e-06 +
                                       t * 4.13813679705723846039e-08))));
    double y = 1.0 - ((lo - (r * c) / (2.0 - c)) - hi);
    int    half = (int)n / 2;
    return y * lh_power_of_two(half) * lh_power_of_two((int)n - half);
}
static inline float exp(float x)
{
    return expf(x);
}
/* fdlibm e_log.c */
static inline double log(double x)
{
    long long bits = __double_as_longlong(x);
    int       k = 0;
    if (x != x || x < 0.0) return lh_nan();
    if (x == 0.0) return -__builtin_inf();
    if (isinf(x)) return x;
    if (bits < 0x0010000000000000ll) {
        bits = __double_as_longlong(x * 0x1p54);
        k = -54;
    }
    /* 1 + f between sqrt(1/2) and sqrt(2) */
    long long adjusted = bits + (0x3ff0000000000000ll - 0x3fe6a09e667f3bcdll);
    k += (int)(adjusted >> 52) - 1023;
    bits = (adjusted & 0x000fffffffffffffll) + 0x3fe6a09e667f3bcdll;
    double f = __longlong_as_double(bits) - 1.0;
    double half_square = 0.5 * f * f;
    double s = f / (2.0 + f);
    double z = s * s;
    double w = z * z;
    double t1 = w * (3.999999999940941908e-01 +
                     w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
    double t2 = z * (6.666666666666735130e-01 +
                     w * (2.857142874366239149e-01 +
                          w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
    double n = k;
    return s * (half_square + (t1 + t2)) + n * 1.90821492927058770002e-10 - half_square + f +
           n * 6.93147180369123816490e-01;
}
static inline float logf(float x)
{
    return (float)log((double)x);
}
static inline float log(float x)
{
    return logf(x);
}
static inline float log2f(float x)
{
    return (float)(log((double)x) * 1.4426950408889634);
}
static inline float log10f(float x)
{
    return (float)(log((double)x) * 0.4342944819032518);
}
static inline float log1pf(float x)
{
    double r = x;
    if (fabs(r) < 0x1p-20) return (float)(r - 0.5 * r * r);
    return (float)log(1.0 + r);
}
static inline float cbrtf(float x)
{
    if (x == 0.0f || !isfinite(x)) return x;
    double root = lh_exp_wide(log(fabs((double)x)) * 0.3333333333333333);
    double a = fabs((double)x);
    root = root - (root * root * root - a) / (3.0 * root * root);
    return (float)copysign(root, (double)x);
}

/* C99 annex F.9.4.4; the exponent's parity tells the sign of a negative base's power. */
static inline bool lh_is_odd(float y)
{
    float half = y * 0.5f;
    return fabsf(y) < 0x1p24f && floorf(half) != half && floorf(y) == y;
}
static inline float powf(float x, float y)
{
    if (y == 0.0f || x == 1.0f) return 1.0f;
    if (x != x || y != y) return x + y;
    if (x == -1.0f && isinf(y)) return 1.0f;
    bool whole = floorf(y) == y;
    if (x < 0.0f && !whole && !isinf(x) && !isinf(y)) return (float)lh_nan();
    float sign = signbit(x) && lh_is_odd(y) ? -1.0f : 1.0f;
    if (x == 0.0f) return sign * (y < 0.0f ? INFINITY : 0.0f);
    if (isinf(x)) return sign * (y < 0.0f ? 0.0f : INFINITY);
    if (isinf(y)) return (fabsf(x) > 1.0f) == (y > 0.0f) ? INFINITY : 0.0f;
    return sign * (float)lh_exp_wide((double)y * log(fabs((double)x)));
}
static inline float pow(float x, float y)
{
    return powf(x, y);
}

#endif
