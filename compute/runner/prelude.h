/* prelude.h - CUDA C on a CPU: what a kernel's source sees before its first line.
 *
 * The runner puts abi.h in front and prelude_math.h behind, and lets the compiler read all three as
 * C++17 without any other header. docs/compute.md lists what is here and how exact it is. */
#ifndef LEASEHOLD_PRELUDE_H
#define LEASEHOLD_PRELUDE_H

#define LEASEHOLD 1
#define __CUDA_ARCH__ 700

typedef __INT8_TYPE__ int8_t;
typedef __UINT8_TYPE__ uint8_t;
typedef __INT16_TYPE__ int16_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __INT32_TYPE__ int32_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __INT64_TYPE__ int64_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __SIZE_TYPE__ size_t;
typedef __PTRDIFF_TYPE__ ptrdiff_t;
typedef __INTPTR_TYPE__ intptr_t;
typedef __UINTPTR_TYPE__ uintptr_t;
typedef unsigned int uint;
typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned long ulong;

#define NULL 0
#define INT_MAX 2147483647
#define INT_MIN (-2147483647 - 1)
#define UINT_MAX 4294967295u
#define LLONG_MAX 9223372036854775807ll
#define LLONG_MIN (-9223372036854775807ll - 1)
#define ULLONG_MAX 18446744073709551615ull
#define FLT_MAX 3.402823466e+38f
#define FLT_MIN 1.175494351e-38f
#define FLT_EPSILON 1.192092896e-07f
#define DBL_MAX 1.7976931348623157e+308
#define DBL_MIN 2.2250738585072014e-308
#define DBL_EPSILON 2.2204460492503131e-16
#define INFINITY (__builtin_inff())
#define NAN (__builtin_nanf(""))
#define M_PI 3.14159265358979323846
#define M_PI_2 1.57079632679489661923
#define M_E 2.7182818284590452354
#define M_SQRT2 1.41421356237309504880
#define M_LN2 0.69314718055994530942
#define CUDART_PI_F 3.141592654f
#define CUDART_INF_F INFINITY

/* Into the loop over a block's threads, so that a waiting thread has one frame to keep. */
#define __global__ inline __attribute__((always_inline, visibility("hidden"), unused))
#define __device__ __attribute__((visibility("hidden"), unused))
#define __host__
#define __constant__ static
#define __shared__ static __thread
#define __managed__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __restrict__ __restrict
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __builtin_align__(n) __attribute__((aligned(n)))
#define __grid_constant__
/* `extern __shared__ T name[];` cannot be said on a CPU: write this instead, inside the kernel. */
#define DYNAMIC_SHARED(type, name) type *name = (type *)lh_now.dynamic_shared

extern "C" {
extern __thread lh_now lh_now;
void               lh_barrier(unsigned site);
unsigned           lh_barrier_vote(unsigned site, unsigned add);
unsigned long long lh_warp(unsigned kind, unsigned mask, unsigned long long value, unsigned param);
void               lh_thread_done(void);
[[noreturn]] void  lh_trap(const char *what);
void              *memcpy(void *to, const void *from, size_t size);
void              *memset(void *to, int value, size_t size);
}

/* ---- vector types ---------------------------------------------------------------------------- */

typedef lh_index uint3;
#define LH_VECTORS(T, name, a2, a4)                                                                \
    struct name##1 {                                                                               \
        T x;                                                                                       \
    };                                                                                             \
    struct __attribute__((aligned(a2))) name##2 {                                                  \
        T x, y;                                                                                    \
    };                                                                                             \
    struct __attribute__((aligned(a4))) name##4 {                                                  \
        T x, y, z, w;                                                                              \
    };                                                                                             \
    static inline name##1 make_##name##1(T x)                                                      \
    {                                                                                              \
        return name##1{x};                                                                         \
    }                                                                                              \
    static inline name##2 make_##name##2(T x, T y)                                                 \
    {                                                                                              \
        return name##2{x, y};                                                                      \
    }                                                                                              \
    static inline name##4 make_##name##4(T x, T y, T z, T w)                                       \
    {                                                                                              \
        return name##4{x, y, z, w};                                                                \
    }
#define LH_VECTOR3(T, name)                                                                        \
    struct name##3 {                                                                               \
        T x, y, z;                                                                                 \
    };                                                                                             \
    static inline name##3 make_##name##3(T x, T y, T z)                                            \
    {                                                                                              \
        return name##3{x, y, z};                                                                   \
    }
LH_VECTORS(char, char, 2, 4)
LH_VECTORS(unsigned char, uchar, 2, 4)
LH_VECTORS(short, short, 4, 8)
LH_VECTORS(unsigned short, ushort, 4, 8)
LH_VECTORS(int, int, 8, 16)
LH_VECTORS(unsigned int, uint, 8, 16)
LH_VECTORS(long long, longlong, 16, 16)
LH_VECTORS(unsigned long long, ulonglong, 16, 16)
LH_VECTORS(float, float, 8, 16)
LH_VECTORS(double, double, 16, 16)
LH_VECTOR3(char, char)
LH_VECTOR3(unsigned char, uchar)
LH_VECTOR3(short, short)
LH_VECTOR3(unsigned short, ushort)
LH_VECTOR3(int, int)
LH_VECTOR3(long long, longlong)
LH_VECTOR3(unsigned long long, ulonglong)
LH_VECTOR3(float, float)
LH_VECTOR3(double, double)
static inline uint3 make_uint3(unsigned x, unsigned y, unsigned z)
{
    return uint3{x, y, z};
}

struct dim3 {
    unsigned int x, y, z;
    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_)
    {
    }
    constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z)
    {
    }
    constexpr operator uint3() const
    {
        return uint3{x, y, z};
    }
};

/* ---- where a thread is ----------------------------------------------------------------------- */

#define threadIdx (static_cast<const uint3 &>(lh_now.thread))
#define blockIdx (static_cast<const uint3 &>(lh_now.block))
#define blockDim (static_cast<const uint3 &>(lh_now.block_size))
#define gridDim (static_cast<const uint3 &>(lh_now.grid_size))
#define warpSize 32

/* ---- barriers, warps ------------------------------------------------------------------------- */

/* The line tells barriers apart, so that divergence is noticed. */
#define __syncthreads() lh_barrier(__LINE__)
#define __syncthreads_count(p) ((int)lh_barrier_vote(__LINE__, (p) ? 1u : 0u))
#define __syncthreads_or(p) ((int)(lh_barrier_vote(__LINE__, (p) ? 1u : 0u) != 0))
#define __syncthreads_and(p) ((int)(lh_barrier_vote(__LINE__, (p) ? 0u : 1u) == 0))

static inline void __syncwarp(unsigned mask = 0xffffffffu)
{
    lh_warp(LH_WARP_SYNC, mask, 0, 0);
}
static inline unsigned __ballot_sync(unsigned mask, int predicate)
{
    return (unsigned)lh_warp(LH_WARP_BALLOT, mask, predicate != 0, 0);
}
static inline int __any_sync(unsigned mask, int predicate)
{
    return __ballot_sync(mask, predicate) != 0;
}
static inline int __all_sync(unsigned mask, int predicate)
{
    return __ballot_sync(mask, !predicate) == 0;
}
/* The lanes of this warp that have not ended. */
static inline unsigned __activemask()
{
    return lh_now.warp_live[lh_now.linear / 32];
}
template <class T>
static inline T lh_shuffle(unsigned kind, unsigned mask, T value, unsigned lane, int width)
{
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffles take values of 4 or 8 bytes");
    unsigned long long bits = 0;
    __builtin_memcpy(&bits, &value, sizeof value);
    bits = lh_warp(kind, mask, bits, (unsigned)width << 8 | (lane & 255));
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}
template <class T>
static inline T __shfl_sync(unsigned mask, T value, int lane, int width = 32)
{
    return lh_shuffle(LH_WARP_SHFL, mask, value, (unsigned)lane & 31, width);
}
template <class T>
static inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32)
{
    return lh_shuffle(LH_WARP_SHFL_UP, mask, value, delta > 32 ? 32 : delta, width);
}
template <class T>
static inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32)
{
    return lh_shuffle(LH_WARP_SHFL_DOWN, mask, value, delta > 32 ? 32 : delta, width);
}
template <class T>
static inline T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32)
{
    return lh_shuffle(LH_WARP_SHFL_XOR, mask, value, (unsigned)lane_mask & 31, width);
}

static inline void __threadfence()
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
static inline void __threadfence_block()
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
[[noreturn]] static inline void __trap()
{
    lh_trap("__trap");
}
#define LH_TEXT2(x) #x
#define LH_TEXT(x) LH_TEXT2(x)
#define assert(condition)                                                                          \
    ((condition) ? (void)0 : lh_trap("assert(" #condition ") failed, line " LH_TEXT(__LINE__)))

/* ---- integer atomics: relaxed, as on the cards ------------------------------------------------- */

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

/* ---- integer functions ------------------------------------------------------------------------- */

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
        unsigned pick = selector >> (4 * i) & 15;
        unsigned byte = (unsigned)(all >> (8 * (pick & 7))) & 255;
        if (pick & 8) byte = byte & 128 ? 255 : 0;
        out |= byte << (8 * i);
    }
    return out;
}
/* Shifts whose count may be the width or more, with the cards' results: a plain << or >> may not. */
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

/* ---- how the runner calls a kernel ------------------------------------------------------------- */

static inline void lh_next_thread()
{
    unsigned number = lh_now.started++;
    lh_index next = lh_now.next;
    lh_now.thread = next;
    lh_now.linear = number;
    if (++next.x == lh_now.block_size.x) {
        next.x = 0;
        if (++next.y == lh_now.block_size.y) {
            next.y = 0;
            next.z++;
        }
    }
    lh_now.next = next;
}
static inline void lh_end_thread()
{
    unsigned number = lh_now.linear;
    lh_now.alive--;
    lh_now.warp_live[number / 32] &= ~(1u << (number % 32));
    if (__builtin_expect(lh_now.suspended != 0, 0)) lh_thread_done();
}

template <class T> struct lh_param {
    static constexpr char     kind = '?';
    static constexpr unsigned size = 0;
};
template <class T> struct lh_param<T *> {
    static constexpr char     kind = 'p';
    static constexpr unsigned size = sizeof(T);
};
template <> struct lh_param<void *> {
    static constexpr char     kind = 'p';
    static constexpr unsigned size = 1;
};
template <> struct lh_param<const void *> : lh_param<void *> {
};
#define LH_PARAM(T, letter)                                                                        \
    template <> struct lh_param<T> {                                                               \
        static constexpr char     kind = letter;                                                   \
        static constexpr unsigned size = sizeof(T);                                                \
    };
LH_PARAM(int, 'i')
LH_PARAM(unsigned int, 'u')
LH_PARAM(long, 'l')
LH_PARAM(long long, 'l')
LH_PARAM(unsigned long, 'm')
LH_PARAM(unsigned long long, 'm')
LH_PARAM(float, 'f')
LH_PARAM(double, 'd')

template <class T> static inline T lh_argument(unsigned long long bits)
{
    T value;
    __builtin_memcpy(&value, &bits, sizeof value <= sizeof bits ? sizeof value : sizeof bits);
    return value;
}

template <int... I> struct lh_numbers {
};
template <int N, int... I> struct lh_count : lh_count<N - 1, N - 1, I...> {
};
template <int... I> struct lh_count<0, I...> {
    typedef lh_numbers<I...> type;
};

template <auto K> struct lh_entry {
    static_assert(sizeof(K) == 0, "a kernel is a __global__ function that returns void");
};
template <class... A, void (*K)(A...)> struct lh_entry<K> {
    static constexpr char     kinds[] = {lh_param<A>::kind..., '\0'};
    static constexpr unsigned sizes[] = {lh_param<A>::size..., 0};
    static void loop(A... arguments)
    {
        while (lh_now.started < lh_now.thread_count) {
            lh_next_thread();
            K(arguments...);
            lh_end_thread();
        }
    }
    template <int... I> static void spread(lh_numbers<I...>)
    {
        const unsigned long long *bits = lh_now.args;
        (void)bits;
        loop(lh_argument<A>(bits[I])...);
    }
    static void run()
    {
        spread(typename lh_count<sizeof...(A)>::type());
    }
};
#define LH_KERNEL(name) {#name, lh_entry<&name>::run, lh_entry<&name>::kinds, lh_entry<&name>::sizes}

#endif
