/* prelude_integers.h - integer atomics and functions on a CPU; goes with prelude.h. */
#ifndef LEASEHOLD_PRELUDE_INTEGERS_H
#define LEASEHOLD_PRELUDE_INTEGERS_H

/* ---- integer atomics: relaxed, as on the cards ---- */

#define LH_ATOMICS(T)                                                                              \
    static inline T atomicAdd(T *at, T value)                                                      \
    {                                                                                              \
        return __atomic_fetch_add(at, value, __ATOMIC_RELAXED);                                    \
    }                                                                                              \
    static inline T atomicExch(T *at, T value)                                                     \
    {                                                                                              \
        return __atomic_exchange_n(at, value, __ATOMIC_RELAXED);                                   \
    }                                                                                              \
    static inline T atomicCAS(T *at, T expected, T value)                                          \
    {                                                                                              \
        __atomic_compare_exchange_n(at, &expected, value, false, __ATOMIC_RELAXED,                 \
                                    __ATOMIC_RELAXED);                                             \
        return expected;                                                                           \
    }                                                                                              \
    static inline T atomicAnd(T *at, T value)                                                      \
    {                                                                                              \
        return __atomic_fetch_and(at, value, __ATOMIC_RELAXED);                                    \
    }                                                                                              \
    static inline T atomicOr(T *at, T value)                                                       \
    {                                                                                              \
        return __atomic_fetch_or(at, value, __ATOMIC_RELAXED);                                     \
    }                                                                                              \
    static inline T atomicXor(T *at, T value)                                                      \
    {                                                                                              \
        return __atomic_fetch_xor(at, value, __ATOMIC_RELAXED);                                    \
    }                                                                                              \
    static inline T atomicSub(T *at, T value)                                                      \
    {                                                                                              \
        return __atomic_fetch_sub(at, value, __ATOMIC_RELAXED);                                    \
    }                                                                                              \
    static inline T atomicMin(T *at, T value)                                                      \
    {                                                                                              \
        T old = __atomic_load_n(at, __ATOMIC_RELAXED);                                             \
        while (value < old && !__atomic_compare_exchange_n(at, &old, value, true,                  \
                                                           __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {  \
        }                                                                                          \
        return old;                                                                                \
    }                                                                                              \
    static inline T atomicMax(T *at, T value)                                                      \
    {                                                                                              \
        T old = __atomic_load_n(at, __ATOMIC_RELAXED);                                             \
        while (value > old && !__atomic_compare_exchange_n(at, &old, value, true,                  \
                                                           __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {  \
        }                                                                                          \
        return old;                                                                                \
    }
LH_ATOMICS(int)
LH_ATOMICS(unsigned int)
LH_ATOMICS(long long)
LH_ATOMICS(unsigned long long)
static inline unsigned atomicInc(unsigned *at, unsigned limit)
{
    unsigned old = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(at, &old, old >= limit ? 0 : old + 1, true,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    return old;
}
static inline unsigned atomicDec(unsigned *at, unsigned limit)
{
    unsigned old = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(at, &old, old == 0 || old > limit ? limit : old - 1, true,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    return old;
}
/* The order of float additions would change the result: not in the deterministic profile. */
float  atomicAdd(float *at, float value) = delete;
double atomicAdd(double *at, double value) = delete;

/* ---- integer functions ---- */

static inline int __popc(unsigned x)
{
    return __builtin_popcount(x);
}
static inline int __popcll(unsigned long long x)
{
    return __builtin_popcountll(x);
}
static inline int __clz(int x)
{
    return x == 0 ? 32 : __builtin_clz((unsigned)x);
}
static inline int __clzll(long long x)
{
    return x == 0 ? 64 : __builtin_clzll((unsigned long long)x);
}
static inline int __ffs(int x)
{
    return __builtin_ffs(x);
}
static inline int __ffsll(long long x)
{
    return __builtin_ffsll(x);
}
static inline unsigned __brev(unsigned x)
{
    x = (x >> 1 & 0x55555555u) | (x & 0x55555555u) << 1;
    x = (x >> 2 & 0x33333333u) | (x & 0x33333333u) << 2;
    x = (x >> 4 & 0x0f0f0f0fu) | (x & 0x0f0f0f0fu) << 4;
    return __builtin_bswap32(x);
}
static inline unsigned long long __brevll(unsigned long long x)
{
    return (unsigned long long)__brev((unsigned)x) << 32 | __brev((unsigned)(x >> 32));
}
static inline int __mulhi(int a, int b)
{
    return (int)((long long)a * b >> 32);
}
static inline unsigned __umulhi(unsigned a, unsigned b)
{
    return (unsigned)((unsigned long long)a * b >> 32);
}
static inline long long __mul64hi(long long a, long long b)
{
    return (long long)((__int128)a * b >> 64);
}
static inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b)
{
    return (unsigned long long)((unsigned __int128)a * b >> 64);
}
static inline int __mul24(int a, int b)
{
    return (int)((unsigned)(a << 8 >> 8) * (unsigned)(b << 8 >> 8));
}
static inline unsigned __byte_perm(unsigned a, unsigned b, unsigned selector)
{
    unsigned long long all = (unsigned long long)b << 32 | a;
    unsigned           out = 0;
    for (int i = 0; i < 4; i++) {
        unsigned pick = selector >> (4 * i) & 7;
        out |= ((unsigned)(all >> (8 * pick)) & 255) << (8 * i);
    }
    return out;
}
/* Shifts whose count may be the width or more, with the cards' results: plain ones may not. */
static inline unsigned lh_shl(unsigned x, unsigned count)
{
    return count >= 32 ? 0 : x << count;
}
static inline unsigned lh_shr(unsigned x, unsigned count)
{
    return count >= 32 ? 0 : x >> count;
}
static inline int lh_sar(int x, unsigned count)
{
    return x >> (count >= 32 ? 31 : count);
}
static inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned count)
{
    count &= 31;
    return count == 0 ? high : high << count | low >> (32 - count);
}
static inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned count)
{
    count &= 31;
    return count == 0 ? low : low >> count | high << (32 - count);
}
/* Division that never faults, with the cards' results: a plain / by zero ends the job. */
static inline int lh_div(int a, int b)
{
    if (b == 0) return -1;
    return b == -1 ? (int)(0u - (unsigned)a) : a / b;
}
static inline int lh_rem(int a, int b)
{
    if (b == 0) return a;
    return b == -1 ? 0 : a % b;
}
static inline unsigned lh_udiv(unsigned a, unsigned b)
{
    return b == 0 ? 0xffffffffu : a / b;
}
static inline unsigned lh_urem(unsigned a, unsigned b)
{
    return b == 0 ? a : a % b;
}
static inline int abs(int x)
{
    return x < 0 ? (int)(0u - (unsigned)x) : x;
}
static inline long long llabs(long long x)
{
    return x < 0 ? (long long)(0ull - (unsigned long long)x) : x;
}
static inline long long abs(long long x)
{
    return llabs(x);
}
#define LH_MIN_MAX(T)                                                                              \
    static inline T min(T a, T b)                                                                  \
    {                                                                                              \
        return b < a ? b : a;                                                                      \
    }                                                                                              \
    static inline T max(T a, T b)                                                                  \
    {                                                                                              \
        return a < b ? b : a;                                                                      \
    }
LH_MIN_MAX(int)
LH_MIN_MAX(unsigned int)
LH_MIN_MAX(long)
LH_MIN_MAX(unsigned long)
LH_MIN_MAX(long long)
LH_MIN_MAX(unsigned long long)
static inline unsigned min(int a, unsigned b)
{
    return min((unsigned)a, b);
}
static inline unsigned min(unsigned a, int b)
{
    return min(a, (unsigned)b);
}
static inline unsigned max(int a, unsigned b)
{
    return max((unsigned)a, b);
}
static inline unsigned max(unsigned a, int b)
{
    return max(a, (unsigned)b);
}

#endif
