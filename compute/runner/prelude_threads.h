/* prelude_threads.h - barriers, warp operations, fences and traps on a CPU; goes with prelude.h. */
#ifndef LEASEHOLD_PRELUDE_THREADS_H
#define LEASEHOLD_PRELUDE_THREADS_H

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
/* In place: every return after a switch is one that the processor guesses wrong. */
static __forceinline__ unsigned long long lh_warp_wait(unsigned kind, unsigned mask,
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

#endif
