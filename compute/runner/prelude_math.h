/* prelude_math.h - mathematical functions with one result on every machine.
 *
 * Made of + - * / sqrt and fma alone, each correctly rounded, so that they give the same bits under
 * every compiler and on every card. Functions of float compute in double and round once: within
 * 0.51 ulp. Functions of double follow fdlibm (Sun Microsystems, 1993) in method and coefficients:
 * below 1 ulp, but for rsqrt: below 1.5. This part has what is exact; prelude_exp.h, prelude_trig.h
 * and prelude_special.h follow it, and texts.S puts all four behind prelude.h and prelude_cuda.h.
 *
 * What they need from the text before them: INT_MAX and its kin, INFINITY; GCC's __builtin_memcpy,
 * __builtin_inf, __builtin_clzll and __builtin_NAME of what is exact (sqrt, fabs, floor, ceil,
 * trunc, rint, copysign, fma, fmod); unsigned __int128. tests/ulp gives them just that. */
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

#endif
