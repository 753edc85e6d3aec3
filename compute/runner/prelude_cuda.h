/* prelude_cuda.h - what NVRTC sees in place of prelude.h: the same names with the same results.
 *
 * NVRTC brings CUDA's own functions along. Those of prelude_math.h, which follows this text
 * unchanged, have the names of CUDA's, so each is given another name by a macro: `sinf` of a job is
 * lhm_sinf here, and CUDA's own sinf cannot be said. What the cards leave open is pinned as
 * docs/compute.md promises; what cannot be pinned (__activemask) is missing, and such a job runs on
 * the cpu executor. Shared memory and faults need help from ptx_rewrite.c. */
#ifndef LEASEHOLD_PRELUDE_CUDA_H
#define LEASEHOLD_PRELUDE_CUDA_H

#undef __CUDA_ARCH__
#undef __CUDACC__
#undef __CUDACC_RTC__
#undef __NVCC__
#define LEASEHOLD 1
#define __CUDA_ARCH__ 700

typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long int64_t;
typedef unsigned long uint64_t;
typedef long ptrdiff_t;
typedef long intptr_t;
typedef unsigned long uintptr_t;
typedef unsigned int uint;
typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned long ulong;

#undef NULL
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
#define INFINITY (lh_bits_to_float(0x7f800000))
#define NAN (lh_bits_to_float(0x7fc00000))
#define M_PI 3.14159265358979323846
#define M_PI_2 1.57079632679489661923
#define M_E 2.7182818284590452354
#define M_SQRT2 1.41421356237309504880
#define M_LN2 0.69314718055994530942
#define CUDART_PI_F 3.141592654f
#define CUDART_INF_F INFINITY

#undef __host__
#define __host__
#undef __managed__
#define __managed__
#define DYNAMIC_SHARED(type, name) type *name = (type *)lh_dynamic
extern __shared__ __align__(16) unsigned char lh_dynamic[];

/* ---- how a thread ends the job --------------------------------------------------------------- */

/* Eight words that the host can read after the context is lost; see cuda_fault.h. */
extern "C" {
__device__ volatile unsigned *lh_fault;
}
__device__ static __noinline__ void lh_stop(unsigned reason, unsigned line)
{
    volatile unsigned *at = lh_fault;
    if (at != 0 && at[0] == 0) {
        at[1] = line;
        at[2] = blockIdx.x;
        at[3] = blockIdx.y;
        at[4] = blockIdx.z;
        at[5] = threadIdx.x;
        at[6] = threadIdx.y;
        at[7] = threadIdx.z;
        at[0] = reason;
    }
    __threadfence_system();
    __trap();
}
/* Called by what ptx_rewrite.c puts in front of a division. */
extern "C" __device__ __noinline__ __attribute__((used)) void lh_divided_by_zero()
{
    lh_stop(10, 0); /* REASON_ARITHMETIC */
}
__device__ static inline void lh_trap(unsigned line)
{
    lh_stop(18, line); /* REASON_TRAP */
}
#undef assert
#define assert(condition) ((condition) ? (void)0 : lh_trap(__LINE__))
#define __trap() lh_trap(__LINE__)

/* ---- what prelude_math.h calls by GCC's names ------------------------------------------------ */

static inline float lh_bits_to_float(int bits)
{
    return __int_as_float(bits);
}
#define LH_EXACT(name)                                                                             \
    static inline float lh_builtin_##name##f(float x)                                              \
    {                                                                                              \
        return ::name##f(x);                                                                       \
    }                                                                                              \
    static inline double lh_builtin_##name(double x)                                               \
    {                                                                                              \
        return ::name(x);                                                                          \
    }
LH_EXACT(fabs)
LH_EXACT(floor)
LH_EXACT(ceil)
LH_EXACT(trunc)
LH_EXACT(rint)
static inline float lh_builtin_sqrtf(float x)
{
    return __fsqrt_rn(x);
}
static inline double lh_builtin_sqrt(double x)
{
    return __dsqrt_rn(x);
}
static inline float lh_builtin_fmaf(float x, float y, float z)
{
    return __fmaf_rn(x, y, z);
}
static inline double lh_builtin_fma(double x, double y, double z)
{
    return __fma_rn(x, y, z);
}
static inline float lh_builtin_copysignf(float x, float y)
{
    return __int_as_float((__float_as_int(x) & 0x7fffffff) | (__float_as_int(y) & INT_MIN));
}
static inline double lh_builtin_copysign(double x, double y)
{
    return __longlong_as_double((__double_as_longlong(x) & LLONG_MAX) |
                                (__double_as_longlong(y) & LLONG_MIN));
}
static inline double lh_builtin_inf()
{
    return __longlong_as_double(0x7ff0000000000000ll);
}
static inline int lh_builtin_clzll(unsigned long long x)
{
    return __clzll((long long)x);
}

/* The remainder bit by bit, as in musl: exact, and made of integers. U holds the bits of F. */
#define LH_FMOD(name, F, U, to_bits, from_bits, digits, exponent_mask)                             \
    static inline F name(F x, F y)                                                                 \
    {                                                                                              \
        const U sign = (U)1 << (sizeof(U) * 8 - 1), unit = (U)1 << (digits);                       \
        U       ux = (U)to_bits(x), uy = (U)to_bits(y), was = ux & sign;                           \
        int     ex = (int)(ux >> (digits) & (exponent_mask));                                      \
        int     ey = (int)(uy >> (digits) & (exponent_mask));                                      \
        ux &= ~sign;                                                                               \
        uy &= ~sign;                                                                               \
        if (uy == 0 || y != y || ex == (exponent_mask)) return (x * y) / (x * y);                  \
        if (ux < uy) return x;                                                                     \
        ux = ex != 0 ? (ux & (unit - 1)) | unit : ux;                                              \
        uy = ey != 0 ? (uy & (unit - 1)) | unit : uy;                                              \
        if (ex == 0) ex = 1;                                                                       \
        if (ey == 0) ey = 1;                                                                       \
        for (; ux < unit; ex--) ux <<= 1;                                                          \
        for (; uy < unit; ey--) uy <<= 1;                                                          \
        for (; ex > ey; ex--) {                                                                    \
            if (ux >= uy) ux -= uy;                                                                \
            ux <<= 1;                                                                              \
        }                                                                                          \
        if (ux >= uy) ux -= uy;                                                                    \
        if (ux == 0) return from_bits(was);                                                        \
        for (; ux < unit; ex--) ux <<= 1;                                                          \
        ux = ex > 0 ? (ux - unit) | (U)ex << (digits) : ux >> (1 - ex);                            \
        return from_bits(ux | was);                                                                \
    }
LH_FMOD(lh_builtin_fmodf, float, unsigned, __float_as_int, __int_as_float, 23, 255)
LH_FMOD(lh_builtin_fmod, double, unsigned long long, __double_as_longlong, __longlong_as_double, 52,
        2047)
static inline void lh_builtin_memcpy(void *to, const void *from, size_t size)
{
    memcpy(to, from, size);
}
#define __builtin_fabsf lh_builtin_fabsf
#define __builtin_fabs lh_builtin_fabs
#define __builtin_floorf lh_builtin_floorf
#define __builtin_floor lh_builtin_floor
#define __builtin_ceilf lh_builtin_ceilf
#define __builtin_ceil lh_builtin_ceil
#define __builtin_truncf lh_builtin_truncf
#define __builtin_trunc lh_builtin_trunc
#define __builtin_rintf lh_builtin_rintf
#define __builtin_rint lh_builtin_rint
#define __builtin_sqrtf lh_builtin_sqrtf
#define __builtin_sqrt lh_builtin_sqrt
#define __builtin_fmaf lh_builtin_fmaf
#define __builtin_fma lh_builtin_fma
#define __builtin_fmodf lh_builtin_fmodf
#define __builtin_fmod lh_builtin_fmod
#define __builtin_copysignf lh_builtin_copysignf
#define __builtin_copysign lh_builtin_copysign
#define __builtin_inf lh_builtin_inf
#define __builtin_clzll lh_builtin_clzll
#define __builtin_memcpy lh_builtin_memcpy

/* ---- warps ----------------------------------------------------------------------------------- */

static inline unsigned lh_lane()
{
    unsigned lane;
    asm("mov.u32 %0, %%laneid;" : "=r"(lane));
    return lane;
}
/* The lanes of `mask` that have not ended: the cards' shuffles from any other are undefined. */
static inline unsigned lh_present(unsigned mask)
{
    return ::__ballot_sync(mask, 1);
}
template <class T>
static inline T lh_shuffle(unsigned mask, T value, unsigned from, unsigned width)
{
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffles take values of 4 or 8 bytes");
    unsigned self = lh_lane(), base = self & ~(width - 1);
    unsigned present = lh_present(mask);
    unsigned words[2] = {0, 0};
    if (from < base || from >= base + width || (present >> from & 1) == 0) from = self;
    memcpy(words, &value, sizeof value);
    words[0] = ::__shfl_sync(mask, words[0], (int)from, 32);
    if (sizeof(T) == 8) words[1] = ::__shfl_sync(mask, words[1], (int)from, 32);
    memcpy(&value, words, sizeof value);
    return value;
}
template <class T>
static inline T lhm_shfl(unsigned mask, T value, int lane, int width = 32)
{
    unsigned w = (unsigned)width, base = lh_lane() & ~(w - 1);
    return lh_shuffle(mask, value, base + ((unsigned)lane & (w - 1) & 31), w);
}
template <class T>
static inline T lhm_shfl_up(unsigned mask, T value, unsigned delta, int width = 32)
{
    return lh_shuffle(mask, value, lh_lane() - (delta > 32 ? 32 : delta), (unsigned)width);
}
template <class T>
static inline T lhm_shfl_down(unsigned mask, T value, unsigned delta, int width = 32)
{
    return lh_shuffle(mask, value, lh_lane() + (delta > 32 ? 32 : delta), (unsigned)width);
}
template <class T>
static inline T lhm_shfl_xor(unsigned mask, T value, int lane_mask, int width = 32)
{
    return lh_shuffle(mask, value, lh_lane() ^ ((unsigned)lane_mask & 31), (unsigned)width);
}
#define __shfl_sync lhm_shfl
#define __shfl_up_sync lhm_shfl_up
#define __shfl_down_sync lhm_shfl_down
#define __shfl_xor_sync lhm_shfl_xor
/* Which lanes happen to run together is the card's secret. */
#define __activemask there_is_no_activemask_on_the_cuda_executor

/* ---- integer atomics ------------------------------------------------------------------------- */

#define LH_ATOMIC(name, T, U, expression)                                                          \
    static inline T lhm_##name(T *at, T value)                                                     \
    {                                                                                              \
        return (T)expression;                                                                      \
    }
#define LH_ATOMICS(T, U)                                                                           \
    LH_ATOMIC(atomicAdd, T, U, ::atomicAdd((U *)at, (U)value))                                     \
    LH_ATOMIC(atomicSub, T, U, ::atomicAdd((U *)at, (U)0 - (U)value))                              \
    LH_ATOMIC(atomicExch, T, U, ::atomicExch((U *)at, (U)value))                                   \
    LH_ATOMIC(atomicAnd, T, U, ::atomicAnd((U *)at, (U)value))                                     \
    LH_ATOMIC(atomicOr, T, U, ::atomicOr((U *)at, (U)value))                                       \
    LH_ATOMIC(atomicXor, T, U, ::atomicXor((U *)at, (U)value))                                     \
    LH_ATOMIC(atomicMin, T, U, ::atomicMin(at, value))                                             \
    LH_ATOMIC(atomicMax, T, U, ::atomicMax(at, value))                                             \
    static inline T lhm_atomicCAS(T *at, T expected, T value)                                      \
    {                                                                                              \
        return (T)::atomicCAS((U *)at, (U)expected, (U)value);                                     \
    }
LH_ATOMICS(int, unsigned)
LH_ATOMICS(unsigned, unsigned)
LH_ATOMICS(long long, unsigned long long)
LH_ATOMICS(unsigned long long, unsigned long long)
/* The order of float additions would change the result: not in the deterministic profile. */
float  lhm_atomicAdd(float *at, float value) = delete;
double lhm_atomicAdd(double *at, double value) = delete;
#define atomicAdd lhm_atomicAdd
#define atomicSub lhm_atomicSub
#define atomicExch lhm_atomicExch
#define atomicAnd lhm_atomicAnd
#define atomicOr lhm_atomicOr
#define atomicXor lhm_atomicXor
#define atomicMin lhm_atomicMin
#define atomicMax lhm_atomicMax
#define atomicCAS lhm_atomicCAS

/* ---- integer functions ----------------------------------------------------------------------- */

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
static inline int lhm_abs(int x)
{
    return x < 0 ? (int)(0u - (unsigned)x) : x;
}
static inline long long lhm_llabs(long long x)
{
    return x < 0 ? (long long)(0ull - (unsigned long long)x) : x;
}
static inline long long lhm_abs(long long x)
{
    return lhm_llabs(x);
}
#define LH_MIN_MAX(T)                                                                              \
    static inline T lhm_min(T a, T b)                                                              \
    {                                                                                              \
        return b < a ? b : a;                                                                      \
    }                                                                                              \
    static inline T lhm_max(T a, T b)                                                              \
    {                                                                                              \
        return a < b ? b : a;                                                                      \
    }
LH_MIN_MAX(int)
LH_MIN_MAX(unsigned int)
LH_MIN_MAX(long)
LH_MIN_MAX(unsigned long)
LH_MIN_MAX(long long)
LH_MIN_MAX(unsigned long long)
static inline unsigned lhm_min(int a, unsigned b)
{
    return lhm_min((unsigned)a, b);
}
static inline unsigned lhm_min(unsigned a, int b)
{
    return lhm_min(a, (unsigned)b);
}
static inline unsigned lhm_max(int a, unsigned b)
{
    return lhm_max((unsigned)a, b);
}
static inline unsigned lhm_max(unsigned a, int b)
{
    return lhm_max(a, (unsigned)b);
}
static inline int lhm_ffs(int x)
{
    return ::__ffs(x);
}
#define abs lhm_abs
#define llabs lhm_llabs
#define min lhm_min
#define max lhm_max

/* ---- what the runner is told about a kernel, as lh_kernel in abi.h --------------------------- */

struct lh_row { /* the same layout as struct cuda_row in the runner */
    char kinds[33];
    unsigned sizes[32];
};
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
template <class F> struct lh_row_of;
template <class... A> struct lh_row_of<void(A...)> {
    static constexpr lh_row row = {{lh_param<A>::kind..., 0}, {lh_param<A>::size...}};
};
#define LH_ROW(kernel) lh_row_of<decltype(kernel)>::row

/* ---- the names of prelude_math.h ------------------------------------------------------------- */

#define __double2int_rd lhm_double2int_rd
#define __double2int_rn lhm_double2int_rn
#define __double2int_ru lhm_double2int_ru
#define __double2int_rz lhm_double2int_rz
#define __double2ll_rd lhm_double2ll_rd
#define __double2ll_rn lhm_double2ll_rn
#define __double2ll_ru lhm_double2ll_ru
#define __double2ll_rz lhm_double2ll_rz
#define __double2uint_rd lhm_double2uint_rd
#define __double2uint_rn lhm_double2uint_rn
#define __double2uint_ru lhm_double2uint_ru
#define __double2uint_rz lhm_double2uint_rz
#define __double2ull_rd lhm_double2ull_rd
#define __double2ull_rn lhm_double2ull_rn
#define __double2ull_ru lhm_double2ull_ru
#define __double2ull_rz lhm_double2ull_rz
#define __double_as_longlong lhm_double_as_longlong
#define __fadd_rn lhm_fadd_rn
#define __fdiv_rn lhm_fdiv_rn
#define __float2int_rd lhm_float2int_rd
#define __float2int_rn lhm_float2int_rn
#define __float2int_ru lhm_float2int_ru
#define __float2int_rz lhm_float2int_rz
#define __float2ll_rd lhm_float2ll_rd
#define __float2ll_rn lhm_float2ll_rn
#define __float2ll_ru lhm_float2ll_ru
#define __float2ll_rz lhm_float2ll_rz
#define __float2uint_rd lhm_float2uint_rd
#define __float2uint_rn lhm_float2uint_rn
#define __float2uint_ru lhm_float2uint_ru
#define __float2uint_rz lhm_float2uint_rz
#define __float2ull_rd lhm_float2ull_rd
#define __float2ull_rn lhm_float2ull_rn
#define __float2ull_ru lhm_float2ull_ru
#define __float2ull_rz lhm_float2ull_rz
#define __float_as_int lhm_float_as_int
#define __float_as_uint lhm_float_as_uint
#define __fmaf_rn lhm_fmaf_rn
#define __fmul_rn lhm_fmul_rn
#define __frcp_rn lhm_frcp_rn
#define __fsqrt_rn lhm_fsqrt_rn
#define __fsub_rn lhm_fsub_rn
#define __int2float_rn lhm_int2float_rn
#define __int_as_float lhm_int_as_float
#define __longlong_as_double lhm_longlong_as_double
#define __saturatef lhm_saturatef
#define __uint2float_rn lhm_uint2float_rn
#define __uint_as_float lhm_uint_as_float
#define acosf lhm_acosf
#define asinf lhm_asinf
#define atan2f lhm_atan2f
#define atanf lhm_atanf
#define cbrtf lhm_cbrtf
#define ceil lhm_ceil
#define ceilf lhm_ceilf
#define copysign lhm_copysign
#define copysignf lhm_copysignf
#define cos lhm_cos
#define cosf lhm_cosf
#define coshf lhm_coshf
#define erff lhm_erff
#define exp lhm_exp
#define exp10f lhm_exp10f
#define exp2f lhm_exp2f
#define expf lhm_expf
#define expm1f lhm_expm1f
#define fabs lhm_fabs
#define fabsf lhm_fabsf
#define fdimf lhm_fdimf
#define floor lhm_floor
#define floorf lhm_floorf
#define fma lhm_fma
#define fmaf lhm_fmaf
#define fmax lhm_fmax
#define fmaxf lhm_fmaxf
#define fmin lhm_fmin
#define fminf lhm_fminf
#define fmod lhm_fmod
#define fmodf lhm_fmodf
#define hypotf lhm_hypotf
#define isfinite lhm_isfinite
#define isinf lhm_isinf
#define isnan lhm_isnan
#define log lhm_log
#define log10f lhm_log10f
#define log1pf lhm_log1pf
#define log2f lhm_log2f
#define logf lhm_logf
#define lrintf lhm_lrintf
#define lroundf lhm_lroundf
#define nearbyint lhm_nearbyint
#define nearbyintf lhm_nearbyintf
#define pow lhm_pow
#define powf lhm_powf
#define rint lhm_rint
#define rintf lhm_rintf
#define round lhm_round
#define roundf lhm_roundf
#define rsqrt lhm_rsqrt
#define rsqrtf lhm_rsqrtf
#define signbit lhm_signbit
#define sin lhm_sin
#define sincosf lhm_sincosf
#define sinf lhm_sinf
#define sinhf lhm_sinhf
#define sqrt lhm_sqrt
#define sqrtf lhm_sqrtf
#define tanf lhm_tanf
#define tanhf lhm_tanhf
#define trunc lhm_trunc
#define truncf lhm_truncf

#endif
