/* prelude.h - CUDA C on a CPU: what a kernel's source sees before its first line.
 *
 * This part has types and what a thread knows of itself. The runner puts abi.h in front, and behind
 * it prelude_threads.h, prelude_integers.h, prelude_math.h with its three parts, and last
 * prelude_entry.h, and lets the compiler read all as C++17 without any other header.
 * docs/compute.md lists what is here and how exact it is. */
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

#endif
