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
void               lh_wait(unsigned site);
unsigned long long lh_warp(unsigned kind, unsigned mask, unsigned long long value, unsigned param);
unsigned           lh_active(void);
int                lh_thread_end(void);
[[noreturn]] void  lh_trap(const char *what);
void              *memcpy(void *to, const void *from, size_t size);
void              *memset(void *to, int value, size_t size);
}

/* The running thread. Its address is never taken, so a compiler knows that no pointer of the job's
 * leads here, keeps it in registers, and may make vector code over the threads of a row. */
static __thread struct {
    lh_index thread;
    unsigned waited; /* whether the runner has heard of this thread */
    lh_index block, block_size, grid_size;
} lh_here;
static __thread unsigned long long lh_args[LH_ARGS_MAX];

/* ---- vector types ---- */

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

/* ---- where a thread is ---- */

/* A thread that has waited finds its place in its fiber, so that no switch need bring it along. */
#define threadIdx                                                                                  \
    (static_cast<const uint3 &>(lh_here.waited ? lh_now.current->thread : lh_here.thread))
#define blockIdx (static_cast<const uint3 &>(lh_here.block))
#define blockDim (static_cast<const uint3 &>(lh_here.block_size))
#define gridDim (static_cast<const uint3 &>(lh_here.grid_size))
#define warpSize 32

/* ---- barriers, warps ---- */

/* Before every call by which the runner may hear of a thread. */
static inline void lh_tell()
{
    if (lh_here.waited) return;
    lh_now.current->thread = lh_here.thread;
    lh_now.current->linear = LH_UNHEARD;
}
extern "C" __attribute__((used, noinline, visibility("hidden"))) void lh_wait_slowly(unsigned site)
{
    lh_tell();
    lh_wait(site);
}
#if defined(__x86_64__)
#if defined(__AVX512F__)
#define LH_MORE_REGISTERS                                                                          \
    "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25",      \
        "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6",  \
        "k7",
#else
#define LH_MORE_REGISTERS
#endif
#define LH_OFFSET(T, field) "i"(__builtin_offsetof(T, field))
/* The common case of a barrier in place: all threads run, one has waited at this barrier before,
 * and the next in the ring has not arrived. It is switched to as fiber_switch.S does it, but the
 * compiler saves what it needs and nothing else. lh_wait does the other cases. All in one piece of
 * assembly, since around a branch the compiler would spread what belongs on one side. */
static __forceinline__ void lh_barrier(unsigned site)
{
    __asm__ volatile("movq lh_now@gottpoff(%%rip), %%rsi\n\t"
                     "movq %%fs:%c[current](%%rsi), %%rax\n\t"
                     "movq %%fs:%c[generation](%%rsi), %%rcx\n\t"
                     "movq %c[next](%%rax), %%rdx\n\t"
                     "cmpl %[site], %%fs:%c[now_site](%%rsi)\n\t"
                     "jne 2f\n\t"
                     "cmpq %%rcx, %c[wait](%%rdx)\n\t"
                     "ja 2f\n\t"
                     "incq %%rcx\n\t"
                     "movq %%rcx, %c[wait](%%rax)\n\t"
                     "incl %%fs:%c[waiting](%%rsi)\n\t"
                     "movq %%rdx, %%fs:%c[current](%%rsi)\n\t"
                     "leaq 1f(%%rip), %%rcx\n\t"
                     "movq %%rsp, (%%rax)\n\t"
                     "movq %%rcx, 8(%%rax)\n\t"
                     "movq %%rbp, 16(%%rax)\n\t"
                     "movq (%%rdx), %%rsp\n\t"
                     "movq 16(%%rdx), %%rbp\n\t"
                     "jmpq *8(%%rdx)\n"
                     "2:\n\t"
                     "movq %%rsp, %%rbx\n\t"
                     "subq $128, %%rsp\n\t" /* what may lie below the stack pointer */
                     "andq $-64, %%rsp\n\t"
                     "movl %[site], %%edi\n\t"
                     "call lh_wait_slowly\n\t"
                     "movq %%rbx, %%rsp\n"
                     "1:"
                     :
                     : [site] "i"(site), [current] LH_OFFSET(struct lh_now, current),
                       [generation] LH_OFFSET(struct lh_now, generation),
                       [now_site] LH_OFFSET(struct lh_now, site),
                       [waiting] LH_OFFSET(struct lh_now, waiting),
                       [next] LH_OFFSET(lh_fiber, next), [wait] LH_OFFSET(lh_fiber, wait)
                     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
                       "r13", "r14", "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
                       "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
                       "xmm14", "xmm15", LH_MORE_REGISTERS "st", "st(1)", "st(2)", "st(3)",
                       "st(4)", "st(5)", "st(6)", "st(7)", "memory", "cc");
    lh_here.waited = 1; /* others may have begun in between */
}
#else
static __forceinline__ void lh_barrier(unsigned site)
{
    lh_wait_slowly(site);
    lh_here.waited = 1;
}
#endif
static __forceinline__ unsigned lh_barrier_vote(unsigned site, unsigned add)
{
    unsigned generation = (unsigned)lh_now.generation;
    lh_now.votes += add;
    lh_barrier(site);
    return lh_now.vote_result[generation & 1];
}
static __noinline__ unsigned long long lh_warp_wait(unsigned kind, unsigned mask,
                                                    unsigned long long value, unsigned param)
{
    lh_tell();
    unsigned long long result = lh_warp(kind, mask, value, param);
    lh_here.waited = 1;
    return result;
}
[[noreturn]] static __noinline__ void lh_stop(const char *what)
{
    lh_tell();
    lh_trap(what);
}

/* The line tells barriers apart, so that divergence is noticed. */
#define __syncthreads() lh_barrier(__LINE__)
#define __syncthreads_count(p) ((int)lh_barrier_vote(__LINE__, (p) ? 1u : 0u))
#define __syncthreads_or(p) ((int)(lh_barrier_vote(__LINE__, (p) ? 1u : 0u) != 0))
#define __syncthreads_and(p) ((int)(lh_barrier_vote(__LINE__, (p) ? 0u : 1u) == 0))

static inline void __syncwarp(unsigned mask = 0xffffffffu)
{
    lh_warp_wait(LH_WARP_SYNC, mask, 0, 0);
}
static inline unsigned __ballot_sync(unsigned mask, int predicate)
{
    return (unsigned)lh_warp_wait(LH_WARP_BALLOT, mask, predicate != 0, 0);
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
    lh_tell();
    return lh_active();
}
template <class T>
static inline T lh_shuffle(unsigned kind, unsigned mask, T value, unsigned lane, int width)
{
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffles take values of 4 or 8 bytes");
    unsigned long long bits = 0;
    __builtin_memcpy(&bits, &value, sizeof value);
    bits = lh_warp_wait(kind, mask, bits, (unsigned)width << 8 | (lane & 255));
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
    lh_stop("__trap");
}
#define LH_TEXT2(x) #x
#define LH_TEXT(x) LH_TEXT2(x)
#define assert(condition)                                                                          \
    ((condition) ? (void)0 : lh_stop("assert(" #condition ") failed, line " LH_TEXT(__LINE__)))

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
        unsigned pick = selector >> (4 * i) & 15;
        unsigned byte = (unsigned)(all >> (8 * (pick & 7))) & 255;
        if (pick & 8) byte = byte & 128 ? 255 : 0;
        out |= byte << (8 * i);
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

/* ---- how the runner calls a kernel ---- */

static inline void lh_begin(unsigned arguments)
{
    lh_here.thread = lh_now.next;
    lh_here.block = lh_now.block;
    lh_here.block_size = lh_now.block_size;
    lh_here.grid_size = lh_now.grid_size;
    for (unsigned i = 0; i < arguments; i++) lh_args[i] = lh_now.args[i];
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

    template <int... I> static __forceinline__ void thread(lh_numbers<I...>)
    {
        K(lh_argument<A>(lh_args[I])...);
    }
    /* Threads of a row, rows, layers, from lh_now.next on. A kernel in which nothing waits is a
     * plain loop to the compiler; one in which the thread has waited goes the long way. What the
     * loop needs is kept outside the frame, so that a waiting thread keeps little. */
    static void run()
    {
        typename lh_count<sizeof...(A)>::type numbers;
        lh_begin(sizeof...(A));
        while (lh_here.thread.z < lh_here.block_size.z) {
            lh_here.waited = 0;
            while (lh_here.thread.x < lh_here.block_size.x) {
                thread(numbers);
                if (lh_here.waited) break;
                lh_here.thread.x++;
            }
            if (lh_here.waited) {
                if (!lh_thread_end()) return;
                lh_here.thread = lh_now.next;
                continue;
            }
            lh_here.thread.x = 0;
            if (++lh_here.thread.y == lh_here.block_size.y) {
                lh_here.thread.y = 0;
                lh_here.thread.z++;
            }
        }
    }
};
#define LH_KERNEL(name)                                                                            \
    {#name, lh_entry<&name>::run, lh_entry<&name>::kinds, lh_entry<&name>::sizes}

#endif
