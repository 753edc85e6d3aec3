/* prelude_trig.h - sine and its kin, with an exact reduction of any argument, and their inverses;
 * goes with prelude_math.h. */
#ifndef LEASEHOLD_PRELUDE_TRIG_H
#define LEASEHOLD_PRELUDE_TRIG_H

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

#endif
