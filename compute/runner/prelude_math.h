/* prelude_math.h - mathematical functions with one result on every machine.
 *
 * Made of + - * / sqrt and fma alone, each correctly rounded, so that they give the same bits under
 * every compiler and on every card. Functions of float compute in double and round once: within
 * 0.51 ulp. Functions of double follow fdlibm (Sun Microsystems, 1993) in method and coefficients:
 * below 1 ulp, but for rsqrt: below 1.5. */
#ifndef LEASEHOLD_PRELUDE_MATH_H
#define LEASEHOLD_PRELUDE_MATH_H

/* ---- bits ---- */

static inline int __float_as_int(float x)
{
    int bits;
    __builtin_memcpy(&bits, &x, 4);
    return bits;
}
static inline unsigned __float_as_uint(float x)
{
    return (unsigned)__float_as_int(x);
}
static inline float __int_as_float(int bits)
{
    float x;
    __builtin_memcpy(&x, &bits, 4);
    return x;
}
static inline float __uint_as_float(unsigned bits)
{
    return __int_as_float((int)bits);
}
static inline long long __double_as_longlong(double x)
{
    long long bits;
    __builtin_memcpy(&bits, &x, 8);
    return bits;
}
static inline double __longlong_as_double(long long bits)
{
    double x;
    __builtin_memcpy(&x, &bits, 8);
    return x;
}
static inline unsigned long long lh_bits(double x)
{
    return (unsigned long long)__double_as_longlong(x);
}
/* 2^n for a normal result. */
static inline double lh_power_of_two(int n)
{
    return __longlong_as_double((long long)(1023 + n) << 52);
}
static inline double lh_nan()
{
    return __longlong_as_double(0x7ff8000000000000ll);
}
static inline bool isnan(float x)
{
    return x != x;
}
static inline bool isnan(double x)
{
    return x != x;
}
static inline bool isinf(float x)
{
    return (__float_as_uint(x) & 0x7fffffffu) == 0x7f800000u;
}
static inline bool isinf(double x)
{
    return (lh_bits(x) & 0x7fffffffffffffffull) == 0x7ff0000000000000ull;
}
static inline bool isfinite(float x)
{
    return (__float_as_uint(x) & 0x7f800000u) != 0x7f800000u;
}
static inline bool isfinite(double x)
{
    return (lh_bits(x) & 0x7ff0000000000000ull) != 0x7ff0000000000000ull;
}
static inline bool signbit(float x)
{
    return __float_as_int(x) < 0;
}
static inline bool signbit(double x)
{
    return __double_as_longlong(x) < 0;
}

/* ---- exact by IEEE 754 ---- */

#define LH_EXACT1(name)                                                                            \
    static inline float name##f(float x)                                                           \
    {                                                                                              \
        return __builtin_##name##f(x);                                                             \
    }                                                                                              \
    static inline double name(double x)                                                            \
    {                                                                                              \
        return __builtin_##name(x);                                                                \
    }                                                                                              \
    static inline float name(float x)                                                              \
    {                                                                                              \
        return __builtin_##name##f(x);                                                             \
    }
LH_EXACT1(sqrt)
LH_EXACT1(fabs)
LH_EXACT1(floor)
LH_EXACT1(ceil)
LH_EXACT1(trunc)
LH_EXACT1(rint)
static inline float nearbyintf(float x)
{
    return rintf(x);
}
static inline double nearbyint(double x)
{
    return rint(x);
}
static inline float copysignf(float x, float y)
{
    return __builtin_copysignf(x, y);
}
static inline double copysign(double x, double y)
{
    return __builtin_copysign(x, y);
}
static inline float abs(float x)
{
    return fabsf(x);
}
static inline double abs(double x)
{
    return fabs(x);
}
/* Halves away from zero. */
static inline float roundf(float x)
{
    float whole = truncf(x);
    return fabsf(x - whole) >= 0.5f ? whole + copysignf(1.0f, x) : copysignf(whole, x);
}
static inline double round(double x)
{
    double whole = trunc(x);
    return fabs(x - whole) >= 0.5 ? whole + copysign(1.0, x) : copysign(whole, x);
}
static inline float fmaf(float x, float y, float z)
{
    return __builtin_fmaf(x, y, z);
}
static inline double fma(double x, double y, double z)
{
    return __builtin_fma(x, y, z);
}
static inline float fmodf(float x, float y)
{
    return __builtin_fmodf(x, y);
}
static inline double fmod(double x, double y)
{
    return __builtin_fmod(x, y);
}
/* -0 is below +0; a NaN loses. */
static inline float fminf(float x, float y)
{
    if (x != x) return y;
    if (y != y) return x;
    if (x == y) return __int_as_float(__float_as_int(x) | __float_as_int(y));
    return x < y ? x : y;
}
static inline float fmaxf(float x, float y)
{
    if (x != x) return y;
    if (y != y) return x;
    if (x == y) return __int_as_float(__float_as_int(x) & __float_as_int(y));
    return x < y ? y : x;
}
static inline double fmin(double x, double y)
{
    if (x != x) return y;
    if (y != y) return x;
    if (x == y) return __longlong_as_double(__double_as_longlong(x) | __double_as_longlong(y));
    return x < y ? x : y;
}
static inline double fmax(double x, double y)
{
    if (x != x) return y;
    if (y != y) return x;
    if (x == y) return __longlong_as_double(__double_as_longlong(x) & __double_as_longlong(y));
    return x < y ? y : x;
}
static inline float min(float a, float b)
{
    return fminf(a, b);
}
static inline float max(float a, float b)
{
    return fmaxf(a, b);
}
static inline double min(double a, double b)
{
    return fmin(a, b);
}
static inline double max(double a, double b)
{
    return fmax(a, b);
}
static inline float fdimf(float x, float y)
{
    return x <= y ? 0.0f : x - y;
}
static inline float __saturatef(float x)
{
    return fminf(fmaxf(x, 0.0f), 1.0f);
}
static inline float __fadd_rn(float x, float y)
{
    return x + y;
}
static inline float __fsub_rn(float x, float y)
{
    return x - y;
}
static inline float __fmul_rn(float x, float y)
{
    return x * y;
}
static inline float __fdiv_rn(float x, float y)
{
    return x / y;
}
static inline float __fmaf_rn(float x, float y, float z)
{
    return fmaf(x, y, z);
}
static inline float __fsqrt_rn(float x)
{
    return sqrtf(x);
}
static inline float __frcp_rn(float x)
{
    return 1.0f / x;
}

/* ---- float to integer: out of range saturates, NaN gives 0 ---- */

#define LH_TO_INTEGER(name, F, T, low, end, lowest, highest    )                           \
    static inline T name##_rz(F x)                                                                 \
    {                                                                                              \
        if (x != x) return 0;                                                                      \
        if (x < (F)(low)) return lowest;                                                           \
        if (x >= (F)(end)) return highest;                                                         \
        return (T)x;                                                                               \
    }                                                                                              \
    static inline T name##_rn(F x)                                                                 \
    {                                                                                              \
        return name##_rz(rint(x));                                                                 \
    }                                                                                              \
    static inline T name##_rd(F x)                                                                 \
    {                                                                                              \
        return name##_rz(floor(x));                                                                \
    }                                                                                              \
    static inline T name##_ru(F x)                                                                 \
    {                                                                                              \
        return name##_rz(ceil(x));                                                                 \
    }
LH_TO_INTEGER(__float2int, float, int, -2147483648.0, 2147483648.0, INT_MIN, INT_MAX)
LH_TO_INTEGER(__float2uint, float, unsigned, 0.0, 4294967296.0, 0u, UINT_MAX)
LH_TO_INTEGER(__float2ll, float, long long, -9223372036854775808.0, 9223372036854775808.0,
              LLONG_MIN, LLONG_MAX)
LH_TO_INTEGER(__float2ull, float, unsigned long long, 0.0, 18446744073709551616.0, 0ull,
              ULLONG_MAX)
LH_TO_INTEGER(__double2int, double, int, -2147483648.0, 2147483648.0, INT_MIN, INT_MAX)
LH_TO_INTEGER(__double2uint, double, unsigned, 0.0, 4294967296.0, 0u, UINT_MAX)
LH_TO_INTEGER(__double2ll, double, long long, -9223372036854775808.0, 9223372036854775808.0,
              LLONG_MIN, LLONG_MAX)
LH_TO_INTEGER(__double2ull, double, unsigned long long, 0.0, 18446744073709551616.0, 0ull,
              ULLONG_MAX)
static inline float __int2float_rn(int x)
{
    return (float)x;
}
static inline float __uint2float_rn(unsigned x)
{
    return (float)x;
}
static inline long lrintf(float x)
{
    return (long)__float2ll_rn(x);
}
static inline long lroundf(float x)
{
    return (long)__float2ll_rz(roundf(x));
}

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

/* ---- sin and cos ---- */

struct lh_reduced { /* x = quadrant * pi/2 + hi + lo */
    double hi, lo;
    int    quadrant;
};
/* The bits of 2/pi after the point. */
static constexpr unsigned long long lh_two_over_pi[20] = {
    0xa2f9836e4e441529ull, 0xfc2757d1f534ddc0ull, 0xdb6295993c439041ull,
    0xfe5163abdebbc561ull, 0xb7246e3a424dd2e0ull, 0x06492eea09d1921cull,
    0xfe1deb1cb129a73eull, 0xe88235f52ebb4484ull, 0xe99c7026b45f7e41ull,
    0x3991d639835339f4ull, 0x9c845f8bbdf9283bull, 0x1ff897ffde05980full,
    0xef2f118b5a0a6d1full, 0x6d367ecf27cb09b7ull, 0x4f463f669e5fea2dull,
    0x7527bac7ebe5f17bull, 0x3d0739f78a5292eaull, 0x6bfb5fb11f8d5d08ull,
    0x56033046fc7b6babull, 0xf0cfbc209af4361dull};
static inline unsigned long long lh_two_over_pi_at(int first_bit)
{
    if (first_bit <= -64) return 0;
    if (first_bit < 0) return lh_two_over_pi[0] >> -first_bit;
    int word = first_bit / 64, shift = first_bit % 64;
    if (shift == 0) return lh_two_over_pi[word];
    return lh_two_over_pi[word] << shift | lh_two_over_pi[word + 1] >> (64 - shift);
}
/* Payne and Hanek: only the bits of 2/pi that matter, in integers. For finite |x| >= 2^20. */
static inline lh_reduced lh_reduce_large(double x)
{
    unsigned long long bits = lh_bits(x) & 0x7fffffffffffffffull;
    int                start = (int)(bits >> 52) - 1075 - 2;
    unsigned long long m = (bits & 0x000fffffffffffffull) | 0x0010000000000000ull;
    unsigned __int128  p2 = (unsigned __int128)m * lh_two_over_pi_at(start + 128);
    unsigned __int128  p1 = (unsigned __int128)m * lh_two_over_pi_at(start + 64) + (p2 >> 64);
    unsigned long long hi = m * lh_two_over_pi_at(start) + (unsigned long long)(p1 >> 64);
    unsigned long long mid = (unsigned long long)p1, lo = (unsigned long long)p2;
    int                quadrant = (int)(hi >> 62);
    unsigned __int128  fraction =
        (unsigned __int128)(hi << 2 | mid >> 62) << 64 | (mid << 2 | lo >> 62);
    bool negative = (fraction >> 127) != 0;
    if (negative) {
        quadrant++;
        fraction = -fraction;
    }
    if (fraction == 0) return lh_reduced{0.0, 0.0, quadrant & 3};
    int zeros = (fraction >> 64) != 0 ? __builtin_clzll((unsigned long long)(fraction >> 64))
                                      : 64 + __builtin_clzll((unsigned long long)fraction);
    fraction <<= zeros;
    double scale = lh_power_of_two(-zeros);
    double top = (double)(unsigned long long)(fraction >> 75) * 0x1p-53 * scale;
    double rest =
        (double)((unsigned long long)(fraction >> 22) & 0x1fffffffffffffull) * 0x1p-106 * scale;
    double y = top * 1.5707963267948966;
    double tail = fma(top, 1.5707963267948966, -y) + (top * 6.123233995736766e-17 +
                                                     rest * 1.5707963267948966);
    double sum = y + tail;
    tail = (y - sum) + tail;
    if (negative != (x < 0.0)) {
        sum = -sum;
        tail = -tail;
    }
    return lh_reduced{sum, tail, (x < 0.0 ? -quadrant : quadrant) & 3};
}
/* fdlibm e_rem_pio2.c for the middle range, in three steps of 33 bits each. */
static inline lh_reduced lh_reduce(double x)
{
    if (fabs(x) <= 0.7853981633974483) return lh_reduced{x, 0.0, 0};
    if (fabs(x) >= 0x1p20) return lh_reduce_large(x);
    double n = lh_nearest(x * 0.6366197723675814);
    double r = x - n * 1.57079632673412561417e+00;
    double t = r;
    double w = n * 6.07710050630396597660e-11;
    r = t - w;
    double w2 = n * 2.02226624879595063154e-21 - ((t - r) - w);
    if (fabs(r) < 0x1p-20) { /* rare: close to a multiple of pi/2 */
        double t2 = r, w3 = n * 2.02226624871116645580e-21;
        double carried = (t - r) - w;
        r = t2 - (w3 - carried);
        w2 = n * 8.47842766036889956997e-32 - ((t2 - r) - (w3 - carried));
    }
    double hi = r - w2;
    return lh_reduced{hi, (r - hi) - w2, (int)(long long)n & 3};
}
/* fdlibm k_sin.c and k_cos.c: |x| <= pi/4, y its tail. */
static inline double lh_sin_core(double x, double y)
{
    double z = x * x;
    double v = z * x;
    double r = 8.33333333332248946124e-03 +
               z * (-1.98412698298579493134e-04 +
                    z * (2.75573137070700676789e-06 +
                         z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)));
    return x - ((z * (0.5 * y - v * r) - y) - v * -1.66666666666666324348e-01);
}
static inline double lh_cos_core(double x, double y)
{
    double z = x * x;
    double r = z * (4.16666666666666019037e-02 +
                    z * (-1.38888888888741095749e-03 +
                         z * (2.48015872894767294178e-05 +
                              z * (-2.75573143513906633035e-07 +
                                   z * (2.08757232129817482790e-09 +
                                        z * -1.13596475577881948265e-11)))));
    double half = 0.5 * z;
    double w = 1.0 - half;
    return w + (((1.0 - w) - half) + (z * r - x * y));
}
static inline double sin(double x)
{
    if (!isfinite(x)) return lh_nan();
    lh_reduced a = lh_reduce(x);
    double     y = a.quadrant & 1 ? lh_cos_core(a.hi, a.lo) : lh_sin_core(a.hi, a.lo);
    return a.quadrant & 2 ? -y : y;
}
static inline double cos(double x)
{
    if (!isfinite(x)) return lh_nan();
    lh_reduced a = lh_reduce(x);
    double     y = a.quadrant & 1 ? lh_sin_core(a.hi, a.lo) : lh_cos_core(a.hi, a.lo);
    return (a.quadrant + 1) & 2 ? -y : y;
}
static inline float sinf(float x)
{
    return (float)sin((double)x);
}
static inline float cosf(float x)
{
    return (float)cos((double)x);
}
static inline float sin(float x)
{
    return sinf(x);
}
static inline float cos(float x)
{
    return cosf(x);
}
static inline void sincosf(float x, float *sine, float *cosine)
{
    *sine = sinf(x);
    *cosine = cosf(x);
}
static inline float tanf(float x)
{
    return (float)(sin((double)x) / cos((double)x));
}

/* ---- the inverse ones: fdlibm s_atan.c, in double, rounded to float ---- */

static inline double lh_atan(double x)
{
    double a = fabs(x), base = 0.0;
    if (a != a) return x;
    if (a > 2.4375) {
        base = 1.5707963267948966;
        a = -1.0 / a;
    } else if (a > 1.1875) {
        base = 0.982793723247329;
        a = (a - 1.5) / (1.0 + 1.5 * a);
    } else if (a > 0.6875) {
        base = 0.7853981633974483;
        a = (a - 1.0) / (a + 1.0);
    } else if (a > 0.4375) {
        base = 0.4636476090008061;
        a = (2.0 * a - 1.0) / (2.0 + a);
    }
    double z = a * a;
    double p = 1.62858201153657823623e-02;
    p = p * z - 3.65315727442169155270e-02;
    p = p * z + 4.97687799461593236017e-02;
    p = p * z - 5.83357013379057348645e-02;
    p = p * z + 6.66107313738753120669e-02;
    p = p * z - 7.69187620504482999495e-02;
    p = p * z + 9.09088713343650656196e-02;
    p = p * z - 1.11111104054623557880e-01;
    p = p * z + 1.42857142725034663711e-01;
    p = p * z - 1.99999999998764832476e-01;
    p = p * z + 3.33333333333329318027e-01;
    return copysign(base + (a - a * (z * p)), x);
}
static inline double lh_atan2(double y, double x)
{
    if (x != x || y != y) return lh_nan();
    double angle;
    if (isinf(x) && isinf(y)) {
        angle = 0.7853981633974483;
    } else if (x == 0.0) {
        angle = y == 0.0 ? 0.0 : 1.5707963267948966;
    } else {
        angle = lh_atan(fabs(y) / fabs(x));
    }
    if (signbit(x)) angle = 3.141592653589793 - angle;
    return copysign(angle, y);
}
static inline float atanf(float x)
{
    return (float)lh_atan(x);
}
static inline float atan2f(float y, float x)
{
    return (float)lh_atan2(y, x);
}
static inline float asinf(float x)
{
    double a = x;
    if (!(fabs(a) <= 1.0)) return (float)lh_nan();
    return (float)lh_atan2(a, sqrt((1.0 - a) * (1.0 + a)));
}
static inline float acosf(float x)
{
    double a = x;
    if (!(fabs(a) <= 1.0)) return (float)lh_nan();
    return (float)lh_atan2(sqrt((1.0 - a) * (1.0 + a)), a);
}

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
